package harnesstest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Hostile are peers that want our memory: none of them ever stops by itself, and
// what they send is made as it is sent. The client must end each by the bound on
// size that the case names.
func Hostile() []Case {
	const gzipHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: " +
		"gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunked := record.Wire{Framing: record.Chunked}
	return []Case{
		{Name: "endless status line", Script: Script{Say("HTTP/1.1 200 "), Flood("O")},
			Wire: record.Wire{Where: record.InHeaders}, Limit: record.HeaderSize, Content: stream.Empty,
			Outcome: verdict.Refused},
		{Name: "endless header", Script: Script{Say("HTTP/1.1 200 OK\r\nX-Long: "), Flood("x")},
			Wire: record.Wire{Where: record.InHeaders}, Limit: record.HeaderSize, Content: stream.Empty,
			Outcome: verdict.Refused},
		{Name: "endless headers", Script: Script{Say("HTTP/1.1 200 OK\r\n"), Flood("X-Many: x\r\n")},
			Wire: record.Wire{Where: record.InHeaders}, Limit: record.HeaderSize, Content: stream.Empty,
			Outcome: verdict.Refused},
		{Name: "endless chunk extension", Script: Script{Say(ChunkedHead + "5;"), Flood("x")},
			Wire: record.Wire{Framing: record.Chunked, Where: record.InChunkHeader}, Limit: record.HeaderSize,
			Content: stream.Empty, Outcome: verdict.Corrupt},
		{Name: "endless trailers", Script: Script{Say(ChunkedHead + Chunk(Event(1)) + "0\r\n"), Flood("X-Many: x\r\n")},
			Wire: record.Wire{Framing: record.Chunked, Where: record.BeforeLastEnd}, Limit: record.HeaderSize,
			Content: stream.Prefix, Outcome: verdict.Corrupt},
		{Name: "endless line", Script: Script{Say(ChunkedHead + "7fffffffffff\r\ndata: "), Flood("x")},
			Wire: chunked, Limit: record.FrameSize, Outcome: verdict.Corrupt},
		{Name: "endless event", Script: Script{Say(ChunkedHead), Flood(Chunk("data: one more line\n"))},
			Wire: chunked, Limit: record.FrameSize, Outcome: verdict.Corrupt},
		{Name: "event of 1 GiB", Script: Script{Say(ChunkedHead + fmt.Sprintf("%x\r\ndata: ", 1<<30+8)), Flood("x")},
			Wire: chunked, Limit: record.FrameSize, Outcome: verdict.Corrupt},
		{Name: "endless body", Script: Script{Say(ChunkedHead), Flood(Chunk(Event(1)))},
			Wire: chunked, Limit: record.BodySize, Outcome: verdict.Corrupt},
		{Name: "endless heartbeats", Script: Script{Say(ChunkedHead), Flood(Chunk(": ping\n\n"))},
			Wire: chunked, Limit: record.BodySize, Outcome: verdict.Corrupt},
		{Name: "gzip bomb", Script: Script{Say(gzipHead), bomb},
			Wire: chunked, Limit: record.InflateSize, Outcome: verdict.Corrupt},
	}
}

// bomb sends heartbeats, compressed about a thousand times.
func bomb(c *net.TCPConn) bool {
	z := gzip.NewWriter(chunker{c})
	beats := []byte(strings.Repeat(": ping\n\n", 8<<10))
	for {
		if _, err := z.Write(beats); err != nil {
			return false
		}
		if err := z.Flush(); err != nil {
			return false
		}
	}
}

// A chunker makes a chunk of each write.
type chunker struct{ w io.Writer }

func (c chunker) Write(p []byte) (int, error) {
	if _, err := fmt.Fprintf(c.w, "%x\r\n%s\r\n", len(p), p); err != nil {
		return 0, err
	}
	return len(p), nil
}
