package stream

import (
	"fmt"
	"hash/crc32"
	"strconv"
)

// The wire form of our own server, harness/origin. SSE:
//
//	id: 1
//	data: {"seq":1,"t":…,"nonce":"…","pid":…,"text":"…"}
//
//	: ping 1764057600000000000
//
//	event: done
//	data: {"t":…,"nonce":"…","pid":…,"events":20,"crc32c":"0f1e2d3c"}
//
//	event: error
//	data: {"t":…,"nonce":"…","pid":…,"error":"message"}
//
// NDJSON has the same objects one a line, told apart by a member "type": "event",
// "done", "error" or "ping". t is ns since the Unix epoch. crc32c (RFC 3720
// appendix B.4) runs over the decoded texts of all content events, joined.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// An originEvent is one object off the wire.
type originEvent struct {
	kind  text // NDJSON only
	seq   int64
	t     int64
	nonce text
	pid   int64
	text  text
	err   text
	total int64 // of content events, -1 if not declared
	crc   text
}

// parse reads data and reports whether it is a JSON object.
func (e *originEvent) parse(data []byte) bool {
	*e = originEvent{total: -1}
	c := cursor{b: data}
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "type":
			e.kind = c.text()
		case "seq":
			e.seq, _ = c.int()
		case "t":
			e.t, _ = c.int()
		case "nonce":
			e.nonce = c.text()
		case "pid":
			e.pid, _ = c.int()
		case "text":
			e.text = c.text()
		case "error":
			e.err = c.text()
		case "events":
			if n, ok := c.int(); ok {
				e.total = n
			}
		case "crc32c":
			e.crc = c.text()
		default:
			c.skip()
		}
	}
	return c.done()
}

// An originReader follows one stream of our own server.
type originReader struct {
	tally
	typed   bool // kinds come from "type", not from the SSE event name
	nonce   string
	pid     int64
	seq     sequence
	resume  int64 // the last event that the client has from before
	crc     uint32
	total   int64 // as the terminal declares it
	want    string
	foreign string
}

func newOrigin(a Ask) Reader {
	return &originReader{nonce: a.Nonce, resume: a.Resume, seq: sequence{max: a.Resume}}
}

func newOriginLines(a Ask) Reader {
	return &originReader{nonce: a.Nonce, resume: a.Resume, seq: sequence{max: a.Resume}, typed: true}
}

// Read implements [Reader].
func (r *originReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	r.junk(f)
	if idle(f) {
		return r.event(Heartbeat)
	}
	if why := notUTF8(f.Data); why != "" {
		return r.garbage(f, NotUTF8, why)
	}
	var e originEvent
	if !e.parse(f.Data) {
		return r.garbage(f, NotJSON, notJSON(f.Data))
	}
	kind, why := r.kind(f, &e)
	if why != "" {
		return r.garbage(f, "", why)
	}
	if kind == Heartbeat || !r.own(f, &e) {
		return Event{Kind: r.count(kind), Seq: -1}
	}
	return r.take(kind, &e)
}

// kind tells what the event is, or what is wrong with it.
func (r *originReader) kind(f *Frame, e *originEvent) (Kind, string) {
	name := f.Name
	if r.typed {
		name = e.kind.raw
	}
	switch string(name) {
	case "", "message", "event":
		if e.seq < 1 || !e.text.ok {
			return Content, fmt.Sprintf("content event without seq or text: %q", clip(f.Data, 60))
		}
		return Content, ""
	case "done":
		if e.total < 0 || !e.crc.ok {
			return Terminal, fmt.Sprintf("terminal without events or crc32c: %q", clip(f.Data, 60))
		}
		return Terminal, ""
	case "error":
		return Error, ""
	case "ping":
		return Heartbeat, ""
	}
	return Meta, ""
}

// own reports whether the event belongs to this stream. A foreign one is counted
// but takes no part in sequence and checksum.
func (r *originReader) own(f *Frame, e *originEvent) bool {
	if r.nonce == "" && e.nonce.ok {
		r.nonce = e.nonce.String() // not told: then the first event sets it
	}
	if e.nonce.is(r.nonce) {
		return true
	}
	if r.foreign == "" {
		r.foreign = fmt.Sprintf("byte %d: event with nonce %q", f.Offset, clip(e.nonce.raw, 60))
	}
	return false
}

// take counts one of our own events.
func (r *originReader) take(kind Kind, e *originEvent) Event {
	if r.pid == 0 {
		r.pid = e.pid
	}
	ev := Event{Kind: kind, Seq: -1, Emit: e.t}
	switch kind {
	case Content:
		ev.Seq = e.seq
		if r.resume > 0 && r.seq.last == 0 && e.seq == 1 {
			r.seq = sequence{} // it begins anew
		}
		r.seq.add(e.seq)
		r.checksum(e.text)
	case Terminal:
		if r.sum.Terminals == 0 {
			r.total, r.want = e.total, e.crc.String()
		}
	case Error:
		r.errorText([]byte(e.err.String()))
	}
	r.count(kind)
	return ev
}

// checksum runs the checksum on over t as it is decoded.
func (r *originReader) checksum(t text) {
	if !t.escaped {
		r.crc = crc32.Update(r.crc, castagnoli, t.raw)
		return
	}
	h := hold(nil)
	h.b = unescape(h.b, t.raw)
	r.crc = crc32.Update(r.crc, castagnoli, h.b)
	release(&h)
}

// Close implements [Reader].
func (r *originReader) Close(partial int) Summary {
	if r.pid != 0 {
		r.sum.Worker = strconv.FormatInt(r.pid, 10)
	}
	state, why := r.fault()
	s := r.close(partial, r.sum.Terminals > 0, r.noTerminal())
	if state != "" && s.State != Corrupt {
		s.State, s.Why = state, why
	}
	return s
}

// fault finds what is wrong with the answer as a whole, most telling first: a
// checksum that does not hold says less than the event that is missing.
func (r *originReader) fault() (State, string) {
	if r.foreign != "" {
		return Foreign, r.foreign
	}
	if state, why := r.seq.fault(); state != "" {
		return state, why
	}
	if r.sum.Terminals == 0 || r.sum.Errors > 0 {
		return "", ""
	}
	got := fmt.Sprintf("%08x", r.crc)
	switch {
	case r.total > r.seq.max:
		return Gap, missing(r.seq.max+1, r.total) + fmt.Sprintf(", the terminal declares %d", r.total)
	case r.total < r.seq.max:
		return Corrupt, fmt.Sprintf("%d events, the terminal declares %d", r.seq.max, r.total)
	case got != r.want:
		return Corrupt, fmt.Sprintf("crc32c of the text is %s, the terminal declares %s", got, r.want)
	}
	return "", ""
}
