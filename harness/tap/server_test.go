package tap_test

import (
	"net/http"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest"
)

// The words of package harnesstest, in short.
type (
	script = harnesstest.Script
	step   = harnesstest.Step
)

var (
	say, dribble, wait, flood = harnesstest.Say, harnesstest.Dribble, harnesstest.Pause, harnesstest.Flood
	chunk, event, lengthHead  = harnesstest.Chunk, harnesstest.Event, harnesstest.LengthHead

	fin, rst, halfClose, hold step = harnesstest.FIN, harnesstest.RST, harnesstest.HalfClose, harnesstest.Hang
)

const (
	chunkedHead = harnesstest.ChunkedHead
	closeHead   = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	lastChunk   = harnesstest.LastChunk
	done        = harnesstest.Done
)

// serve plays for each request the script that pick returns.
func serve(t testing.TB, pick func(*http.Request) script) *harnesstest.Server {
	t.Helper()
	return harnesstest.ServeEach(t, pick)
}

// always plays the same script.
func always(steps ...step) func(*http.Request) script {
	return func(*http.Request) script { return steps }
}
