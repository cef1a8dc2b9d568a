package tap_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// An endingCase is one way in which a stream can end on the wire.
type endingCase struct {
	name    string
	script  script
	limits  tap.Limits
	where   record.Where
	close   record.Close
	framing record.Framing
	limit   record.Limit
	garbage string // a part of it
	spliced bool
	content stream.State
	events  int // content events
}

// pause lets the client see what was said before the end as a read of its own.
var pause = wait(20 * time.Millisecond)

// quick are limits that strike soon, for servers that never would.
var quick = tap.Limits{Headers: 150 * time.Millisecond, First: 150 * time.Millisecond, Gap: 150 * time.Millisecond}

var endings = []endingCase{
	{name: "whole chunked", script: script{say(chunkedHead + chunk(event(1)) + chunk(done)), pause, say(lastChunk), hold},
		where: record.AtEnd, framing: record.Chunked, content: stream.Complete, events: 1},
	{name: "whole length", script: script{say(lengthHead(len(event(1)+done)) + event(1)), pause, say(done), hold},
		where: record.AtEnd, framing: record.Length, content: stream.Complete, events: 1},
	{name: "whole until close", script: script{say(closeHead + event(1) + done), fin},
		where: record.InBody, close: record.CloseFIN, framing: record.CloseDelimited, content: stream.Complete, events: 1},
	{name: "laundered: last chunk without terminal", script: script{say(chunkedHead + chunk(event(1)) + lastChunk), hold},
		where: record.AtEnd, framing: record.Chunked, content: stream.Prefix, events: 1},
	{name: "no content", script: script{say("HTTP/1.1 204 No Content\r\n\r\n"), hold},
		where: record.AtEnd, framing: record.NoBody, content: stream.Empty},
	{name: "interim responses first",
		script: script{say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + chunkedHead +
			chunk(done) + lastChunk), hold},
		where: record.AtEnd, framing: record.Chunked, content: stream.Complete},
	{name: "extensions and trailers",
		script: script{say(chunkedHead + "e;a=b;c=\"d\"\r\n" + done + "\r\n0;x\r\nDigest: y\r\n\r\n"), hold},
		where:  record.AtEnd, framing: record.Chunked, content: stream.Complete},

	{name: "before headers", script: script{fin},
		where: record.BeforeHeaders, close: record.CloseFIN, content: stream.Empty},
	{name: "in headers", script: script{say("HTTP/1.1 200 OK\r\nContent-"), pause, fin},
		where: record.InHeaders, close: record.CloseFIN, content: stream.Empty},
	{name: "after an interim response", script: script{say("HTTP/1.1 100 Continue\r\n\r\n"), pause, fin},
		where: record.BeforeHeaders, close: record.CloseFIN, content: stream.Empty},
	{name: "between chunks", script: script{say(chunkedHead + chunk(event(1))), pause, fin},
		where: record.BetweenChunks, close: record.CloseFIN, framing: record.Chunked, content: stream.Prefix, events: 1},
	{name: "in chunk header", script: script{say(chunkedHead + chunk(event(1)) + "1"), pause, fin},
		where: record.InChunkHeader, close: record.CloseFIN, framing: record.Chunked, content: stream.Prefix, events: 1},
	{name: "in chunk", script: script{say(chunkedHead + chunk(event(1)) + "20\r\ndata: ev"), pause, fin},
		where: record.InChunk, close: record.CloseFIN, framing: record.Chunked, content: stream.CutFrame, events: 1},
	{name: "before the chunk's own CRLF", script: script{say(chunkedHead + strings.TrimSuffix(chunk(event(1)), "\r\n")),
		pause, fin},
		where: record.InChunk, close: record.CloseFIN, framing: record.Chunked, content: stream.Prefix, events: 1},
	{name: "before last CRLF", script: script{say(chunkedHead + chunk(event(1)+done) + "0\r\n"), pause, fin},
		where: record.BeforeLastEnd, close: record.CloseFIN, framing: record.Chunked, content: stream.Complete, events: 1},
	{name: "short of its length", script: script{say(lengthHead(1000) + event(1)), pause, fin},
		where: record.InBody, close: record.CloseFIN, framing: record.Length, content: stream.Prefix, events: 1},
	{name: "until close, cut in a frame", script: script{say(closeHead + event(1) + "data: ev"), pause, fin},
		where: record.InBody, close: record.CloseFIN, framing: record.CloseDelimited, content: stream.CutFrame, events: 1},
	{name: "half-closed", script: script{say(chunkedHead + chunk(event(1))), halfClose, hold},
		where: record.BetweenChunks, close: record.CloseFIN, framing: record.Chunked, content: stream.Prefix, events: 1},

	{name: "past the end, at once", script: script{say(lengthHead(len(done)) + done + "surplus"), hold},
		where: record.AfterEnd, framing: record.Length, garbage: `bytes after the end "surplus"`, content: stream.Complete},
	{name: "past the end, later", script: script{say(lengthHead(len(event(1))) + event(1)), pause, say(event(2)), hold},
		where: record.AfterEnd, framing: record.Length, garbage: `after the end "data: event 2"`, content: stream.Prefix,
		events: 1},
	{name: "second response spliced in", script: script{say(chunkedHead + chunk(event(1))), pause,
		say("HTTP/1.1 500 Internal Server Error\r\n\r\n"), fin},
		where: record.InChunkHeader, framing: record.Chunked,
		garbage: `invalid chunk header "HTTP/1.1 500 Internal Server Error"`, spliced: true, content: stream.Prefix,
		events: 1},
	{name: "garbage chunk header", script: script{say(chunkedHead + chunk(event(1)) + "12zz\r\n"), hold},
		where: record.InChunkHeader, framing: record.Chunked, garbage: `invalid chunk header "12zz"`, content: stream.Prefix,
		events: 1},
	{name: "chunk longer than it says", script: script{say(chunkedHead + "3\r\ndata\r\n"), hold},
		where: record.InChunk, framing: record.Chunked, garbage: `invalid chunk end "a"`, content: stream.CutFrame},
	{name: "not HTTP", script: script{say("SSH-2.0-OpenSSH_9.2\r\n"), hold},
		where: record.InHeaders, garbage: `invalid response head "SSH-2.0-OpenSSH_9.2"`, content: stream.Empty},
	{name: "not HTTP, without a line", script: script{say("\x15\x03\x01\x00"), pause, fin},
		where: record.InHeaders, close: record.CloseFIN, garbage: `invalid response head "\x15\x03\x01\x00"`,
		content: stream.Empty},
	{name: "two lengths", script: script{say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), hold},
		where: record.InHeaders, garbage: `invalid response head "Content-Length: 2"`, content: stream.Empty},

	{name: "silent before headers", script: script{hold}, limits: quick,
		where: record.BeforeHeaders, limit: record.HeadersLimit, content: stream.Empty},
	{name: "silent before the first event", script: script{say(chunkedHead), hold}, limits: quick,
		where: record.BetweenChunks, framing: record.Chunked, limit: record.FirstLimit, content: stream.Empty},
	{name: "silent in the middle", script: script{say(chunkedHead + chunk(event(1))), hold}, limits: quick,
		where: record.BetweenChunks, framing: record.Chunked, limit: record.GapLimit, content: stream.Prefix, events: 1},
	{name: "never ends", script: script{say(chunkedHead), flood(chunk(event(1)))},
		limits: tap.Limits{Total: 200 * time.Millisecond}, framing: record.Chunked, limit: record.TotalLimit, content: "any"},
}

// resets are the endings above that a RST can make as well as a FIN. Behind a
// framed end the connection is not ours any more.
func resets(cases []endingCase) (all []endingCase) {
	for _, c := range cases {
		last := len(c.script) - 1
		if c.close != record.CloseFIN || c.garbage != "" || c.name == "half-closed" {
			continue
		}
		c.name += ", reset"
		c.script = append(append(script(nil), c.script[:last]...), pause, rst)
		c.close = record.CloseRST
		all = append(all, c)
	}
	return all
}

func TestEndings(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for _, c := range append(endings, resets(endings)...) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.check(t, mode)
			})
		}
	})
}

func (c endingCase) check(t *testing.T, mode tap.Mode) {
	s := serve(t, always(c.script...))
	r := newRig(t, tap.Options{Mode: mode})
	d, ask := generic(t)
	c.compare(t, r.get(tap.Job{URL: "http://" + s.Addr + "/", Dialect: d, Ask: ask, Limits: c.limits}))
}

func (c endingCase) compare(t *testing.T, got record.Stream) {
	w := got.Wire
	if c.where != "" && w.Where != c.where || w.Close != c.close || w.Framing != c.framing || got.Limit != c.limit {
		t.Errorf("ended %q, close %q, framing %q, limit %q; want %q, %q, %q, %q (err %q)",
			w.Where, w.Close, w.Framing, got.Limit, c.where, c.close, c.framing, c.limit, w.Err)
	}
	if !strings.Contains(w.Garbage, c.garbage) || (w.Garbage == "") != (c.garbage == "") || w.Spliced != c.spliced {
		t.Errorf("garbage %q, spliced %v; want %q, %v", w.Garbage, w.Spliced, c.garbage, c.spliced)
	}
	if c.content == "any" {
		return
	}
	if got.Content.State != c.content || got.Contents != c.events {
		t.Errorf("content %q with %d events; want %q with %d", got.Content.State, got.Contents, c.content, c.events)
	}
}

// TestByteByByte sends responses a byte a segment: each ends as if it had come in
// one piece.
func TestByteByByte(t *testing.T) {
	whole := map[string]string{
		"chunked": chunkedHead + chunk(event(1)) + chunk(event(2)+done) + lastChunk,
		"length":  lengthHead(len(event(1)+event(2)+done)) + event(1) + event(2) + done,
	}
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for name, text := range whole {
			s := serve(t, always(dribble(text), hold))
			r := newRig(t, tap.Options{Mode: mode})
			d, ask := generic(t)
			got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask})
			if got.Wire.Where != record.AtEnd || got.Content.State != stream.Complete || got.Contents != 2 ||
				got.WireBytes != int64(len(text)) {
				t.Errorf("%s: %+v, %q, %d events, %d bytes of %d", name, got.Wire, got.Content.State, got.Contents, got.WireBytes,
					len(text))
			}
			inOrder(t, got)
		}
	})
}

// inOrder checks that the times of a record can be true.
func inOrder(t *testing.T, s record.Stream) {
	t.Helper()
	last := s.Headers
	for m := range s.Marks() {
		if m.Early > m.At || m.At < last || m.At > s.End {
			t.Errorf("event in [%v, %v], after %v, in a stream that ended at %v", m.Early, m.At, last, s.End)
		}
		last = m.At
	}
	if s.Connect > s.Send || s.Send > s.End || s.Sched > s.Send || s.Lag < 0 {
		t.Errorf("scheduled %v, connected %v, sent %v, ended %v, lag %v", s.Sched, s.Connect, s.Send, s.End, s.Lag)
	}
}
