package tap_test

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// A piece is body bytes that a server sends after a pause, n times over; ping sends
// something of the protocol instead, where it has that.
type piece struct {
	text  string
	every time.Duration
	n     int
	ping  bool
}

// waits are the ways in which an app keeps its clients waiting, and the limit that
// must end each. The limits that must not strike are far away.
var waits = []struct {
	name   string
	body   []piece
	end    bool // the answer is whole after all
	limits tap.Limits
	want   record.Limit
}{
	{name: "head and then silence", limits: tap.Limits{First: 300 * ms}, want: record.FirstLimit},
	{name: "head and then heartbeats", body: []piece{{text: ": ping\n\n", every: 50 * ms, n: 1000}},
		limits: tap.Limits{First: 500 * ms, Gap: far, Progress: far}, want: record.FirstLimit},
	{name: "head and then a drip", body: []piece{{text: "d", every: 20 * ms, n: 1}, {text: "a", every: 50 * ms, n: 1000}},
		limits: tap.Limits{First: 500 * ms, Gap: far, Progress: far}, want: record.FirstLimit},
	{name: "head, then bytes, then silence", body: []piece{{text: ": ping\n\n", n: 1}},
		limits: tap.Limits{First: far, Gap: 300 * ms, Progress: far}, want: record.GapLimit},
	{name: "content, then silence", body: []piece{{text: event(1), n: 1}},
		limits: tap.Limits{First: far, Gap: 300 * ms, Progress: far}, want: record.GapLimit},
	{name: "content, then nothing but frames of the protocol",
		body:   []piece{{text: event(1), n: 1}, {ping: true, every: 50 * ms, n: 1000}},
		limits: tap.Limits{First: far, Gap: 500 * ms, Progress: far}, want: record.GapLimit},
	{name: "content, then heartbeats for ever",
		body:   []piece{{text: event(1), n: 1}, {text: ": ping\n\n", every: 50 * ms, n: 1000}},
		limits: tap.Limits{First: far, Gap: far, Progress: 500 * ms}, want: record.ProgressLimit},
	{name: "content, then a drip that completes no event", body: []piece{{text: event(1) + "data: ", n: 1},
		{text: "x", every: 50 * ms, n: 1000}},
		limits: tap.Limits{First: far, Gap: far, Progress: 500 * ms}, want: record.ProgressLimit},
	{name: "content, then a drip, and no limit on progress", body: []piece{{text: event(1) + "data: ", n: 1},
		{text: "x", every: 50 * ms, n: 1000}},
		limits: tap.Limits{First: far, Gap: far, Total: 800 * ms}, want: record.TotalLimit},
	{name: "progress limit shorter than the gap limit", body: []piece{{text: event(1), n: 1}},
		limits: tap.Limits{First: far, Gap: far, Progress: 300 * ms}, want: record.ProgressLimit},
	{name: "a long event that comes slowly", body: []piece{{text: event(1) + "data: ", n: 1},
		{text: "xxxx", every: 50 * ms, n: 30}, {text: "\n\n" + done, n: 1}},
		end: true, limits: tap.Limits{First: far, Gap: second}},
	{name: "thinks behind heartbeats", body: []piece{{text: event(1), n: 1}, {text: ": ping\n\n", every: 50 * ms, n: 30},
		{text: event(2) + done, n: 1}},
		end: true, limits: tap.Limits{First: second, Gap: second}},
	{name: "the first event takes its time", body: []piece{{text: event(1) + done, every: 500 * ms, n: 1}},
		end: true, limits: tap.Limits{First: far, Gap: 200 * ms, Progress: 200 * ms}},
}

const (
	ms  = time.Millisecond
	far = 20 * second
)

func TestEachWaitHasItsLimit(t *testing.T) {
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			check := func(t *testing.T, o tap.Options, job tap.Job) {
				job.Dialect, job.Ask = generic(t)
				job.Limits = w.limits
				got := newRig(t, o).get(job)
				if got.Limit != w.want {
					t.Errorf("ended by limit %q after %v, want %q", got.Limit, got.End-got.Send, w.want)
				}
				if w.end != (got.TerminalAt >= 0) {
					t.Errorf("terminal at %v, want one: %v", got.TerminalAt, w.end)
				}
			}
			carriers(t, func(t *testing.T, mode tap.Mode) {
				s := serve(t, always(waitScript(w.body, w.end)...))
				check(t, tap.Options{Mode: mode}, tap.Job{URL: "http://" + s.Addr})
			})
			t.Run("h2", func(t *testing.T) {
				addr := serveH2(t, func(fr *http2.Framer, c *net.TCPConn) { playH2(fr, c, w.body, w.end) })
				check(t, tap.Options{}, tap.Job{URL: "http://" + addr, HTTP2: true})
			})
		})
	}
}

// waitScript sends the pieces in chunks. HTTP/1.1 has nothing that stands beside
// the body: the start of a chunk's header, without its data, is the nearest.
func waitScript(body []piece, end bool) script {
	s := script{say(chunkedHead)}
	for _, p := range body {
		said := chunk(p.text)
		if p.ping {
			said, p.n = "1", 1
		}
		for range p.n {
			s = append(s, wait(p.every), say(said))
		}
	}
	if end {
		return append(s, say(lastChunk))
	}
	return append(s, hold)
}

func playH2(fr *http2.Framer, c *net.TCPConn, body []piece, end bool) {
	gone := make(chan struct{})
	go func() { defer close(gone); io.Copy(io.Discard, c) }() // ends when the client hangs up
	defer func() { <-gone }()
	h2Head(fr)
	for _, p := range body {
		for range p.n {
			select {
			case <-gone:
				return
			case <-time.After(p.every):
			}
			if p.ping {
				fr.WritePing(false, [8]byte{1})
				continue
			}
			h2Data(fr, p.text, false)
		}
	}
	if end {
		h2Data(fr, "", true)
	}
}
