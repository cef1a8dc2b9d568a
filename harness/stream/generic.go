package stream

import (
	"bytes"
	"strings"
)

// The generic dialects know nothing but the framing. The user's terminal
// expression says which event proves completeness; without one nothing does. The
// user's failure expression says which event is an error.
//
// An in-band error is also what most servers make it: an SSE event named "error";
// a JSON object with a member "error" that is a non-empty string or object, or
// with "type": "error"; a reason for the end that names a failure. An event whose
// name or type only sounds like a failure (response.failed, run_cancelled) is one
// where it is the stream's last word: a step that failed may be tried again.
//
// response.incomplete is an end of the Responses API as response.completed is: of
// an answer that is short, and not cut.
//
// An event that is named ping, heartbeat or keepalive, or is of such a type, or
// has neither name nor data, is a heartbeat.

// A genericReader follows one stream of a generic dialect.
type genericReader struct {
	tally
	terminal, failure *Matcher
	json              bool // every frame must be JSON
	ends              endFinder
	last              []byte // the start of the last event, its name first
	data              int    // where its data begin in last
	kind              []byte // its JSON type
	fails             bool   // the last event sounds like a failure
	doubled           int    // events whose data begin with a field name
	joined            int    // events that hold several
	first             uint32 // hash of the first terminal
}

// maxLastEvent is how much of the last event is kept, in bytes.
const maxLastEvent = 120

func newGenericSSE(a Ask) Reader { return &genericReader{terminal: a.Terminal, failure: a.Failure} }
func newGenericLines(a Ask) Reader {
	return &genericReader{terminal: a.Terminal, failure: a.Failure, json: true}
}

// Read implements [Reader].
func (r *genericReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	r.junk(f)
	if why := notUTF8(f.Data); why != "" {
		return r.garbage(f, NotUTF8, why)
	}
	m := remarkOn(f.Data)
	if r.json && !m.ok && !validJSON(f.Data) {
		return r.garbage(f, NotJSON, notJSON(f.Data))
	}
	ends := r.terminal != nil && (r.terminal.Match(f) || shortEnd(f.Name) || shortEnd(m.kind))
	if !ends && (idle(f) || len(f.Name) == 0 && heartbeatName(m.kind)) {
		return r.event(Heartbeat)
	}
	r.keep(f, m)
	if r.failed(f, m, ends) {
		return r.event(Error)
	}
	if ends {
		r.repeats(f)
		return r.event(Terminal)
	}
	if len(f.Data) == 0 || spent(m) && r.ended() {
		return r.event(Meta)
	}
	r.scars.see(f.Data)
	return r.follows()
}

// shortEnd reports whether an event is a documented end of an API for an answer
// that is shorter than asked for, as a limit on tokens makes it. Users name the
// other end, and mean both.
func shortEnd(name []byte) bool { return string(name) == "response.incomplete" }

// failed reports whether an event says that the answer failed, and keeps its text.
func (r *genericReader) failed(f *Frame, m remark, ends bool) bool {
	r.fails = failingName(f.Name) || failingName(m.kind)
	switch {
	case r.failure != nil && r.failure.Match(f), string(f.Name) == "error":
		r.errorJSON(errorMessage(f.Data))
	case m.failure != nil:
		r.errorJSON(errorMessage(m.failure))
	case ends && r.fails, string(f.Name) == "response.failed":
		r.errorJSON(errorMessage(f.Data))
	case failingReason(m.reason):
		r.giveUp(m.reason)
	default:
		if len(m.reason) > 0 {
			r.because(m.reason)
		}
		return false
	}
	r.fails = false
	return true
}

// ended reports whether the answer has told its end: an account that comes before stands
// beside content, as where each event has its usage so far.
func (r *genericReader) ended() bool { return r.sum.Terminals > 0 || r.sum.Reason != "" }

// spent reports whether an event is an account of the answer that follows its end,
// as usage does: no content.
func spent(m remark) bool {
	return m.ok && m.signs != 0 && m.signs&^sign(".usage") == 0 && m.kind == nil && len(m.reason) == 0 &&
		m.signs&signChoices == 0
}

// follows counts a content event. One behind a terminal makes the terminal early.
func (r *genericReader) follows() Event {
	if r.sum.Terminals > 0 && r.sum.Early == 0 {
		r.sum.Early = r.firstTerminal
	}
	return r.event(Content)
}

// repeats looks at one more terminal: the very same again is sent twice by the
// server, another one shows that the expression matches too much.
func (r *genericReader) repeats(f *Frame) {
	h := fnv(f.Data) ^ fnv(f.Name)
	switch {
	case r.sum.Terminals == 0:
		r.first = h
	case h != r.first && r.sum.Early == 0:
		r.sum.Early = r.firstTerminal
	}
}

// keep remembers the start of an event, in memory that it uses again.
func (r *genericReader) keep(f *Frame, m remark) {
	r.last = r.last[:0]
	if len(f.Name) > 0 {
		r.last = append(append(append(r.last, "event: "...), clip(f.Name, maxLastEvent/2)...), ", data: "...)
	}
	r.data = len(r.last)
	r.last = append(r.last, clip(f.Data, maxLastEvent-len(r.last))...)
	r.kind = append(r.kind[:0], clip(m.kind, maxLastEvent/2)...)
	r.ends.see(f, &m)
	if m.ok || r.json {
		return
	}
	if fieldLine(f.Data) && f.Data[0] != ':' {
		r.doubled++
	} else if joined(f.Data) {
		r.joined++
	}
}

// Close implements [Reader].
func (r *genericReader) Close(partial int) Summary {
	why := r.noTerminal()
	if r.terminal == nil {
		r.sum.Unprovable = true
		why = "no terminal expression was given, so nothing can prove that the answer is whole"
	}
	if r.fails && r.sum.Terminals == 0 && r.sum.Errors == 0 {
		r.sum.Errors++
		r.errorJSON(errorMessage(r.last[r.data:]))
	}
	if r.sum.Terminals == 0 {
		r.misframed()
	}
	if r.sum.Terminals == 0 || r.sum.Early > 0 {
		r.sum.Ends = r.ends.candidates(r.name(), r.kind, r.last[r.data:])
	}
	r.sum.LastEvent = strings.ToValidUTF8(string(r.last), "\uFFFD")
	return r.close(partial, r.sum.Terminals > 0, why)
}

// name is the last event's.
func (r *genericReader) name() []byte {
	if r.data == 0 {
		return nil
	}
	return bytes.TrimSuffix(bytes.TrimPrefix(r.last[:r.data], []byte("event: ")), []byte(", data: "))
}

// misframed looks for what a framework does to all events alike. One event may
// well be a text that looks so.
func (r *genericReader) misframed() {
	switch {
	case r.doubled > 1 && r.doubled == r.events:
		r.corrupt(PrefixTwice, `every event's data begin with the name of a field: "`+string(clip(r.last[r.data:], 40))+
			`": the prefix "data: " was written twice`)
	case r.joined > 0 && r.joined == r.events:
		r.corrupt(Joined, "several events stand in one block: no blank line between them")
	}
}

// terminates implements [ender].
func (r *genericReader) terminates(f *Frame) bool { return r.terminal != nil && r.terminal.Match(f) }
