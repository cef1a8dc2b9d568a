package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A tally is the part of a [Reader] that all dialects share: it counts, keeps
// the first thing that was wrong with the bytes, and grades at the end.
type tally struct {
	sum      Summary
	events   int // all but heartbeats
	contents int
	broken   string // why the bytes are corrupt; the first reason stays
	// firstTerminal is the number of the first terminal among the events.
	firstTerminal int
	scars         scarFinder
	open          string // a terminal whose frame has no end
}

// count takes note of an event and returns its kind.
func (t *tally) count(k Kind) Kind {
	if k == Heartbeat {
		return k
	}
	t.events++
	if t.sum.Terminals > 0 {
		t.sum.AfterTerminal++
	}
	switch k {
	case Content:
		t.contents++
		if t.sum.Terminals > 0 {
			t.corrupt(AfterTerminal, "content after the terminal event")
		}
	case Terminal:
		if t.sum.Terminals++; t.firstTerminal == 0 {
			t.firstTerminal = t.events
		}
	case Error:
		t.sum.Errors++
	}
	return k
}

// event is count for a frame that bears neither number nor stamp.
func (t *tally) event(k Kind) Event { return Event{Kind: t.count(k), Seq: -1} }

// corrupt records that the bytes are wrong, and how, where that has a name.
func (t *tally) corrupt(kind Fault, why string) {
	if t.broken == "" {
		t.broken, t.sum.Fault = why, kind
	}
}

// leave keeps the start of what no parser takes.
func (t *tally) leave(b []byte) {
	room := MaxLeftover - len(t.sum.Leftover)
	if room <= 1 || len(b) == 0 {
		return
	}
	if t.sum.Leftover != "" {
		t.sum.Leftover += "\n"
		room--
	}
	t.sum.Leftover += strings.ToValidUTF8(string(clip(b, room)), "\uFFFD")
}

// terminates, unended and unparted make a tally an [ender] for dialects whose
// terminal is no single frame.
func (t *tally) terminates(*Frame) bool { return false }

// unended notes that the terminal came without the end of its own frame.
func (t *tally) unended(tail []byte) {
	if t.sum.Fault == "" {
		t.sum.Fault = TerminalOpen
		t.open = string(clip(bytes.TrimRight(tail, "\r\n"), 80))
	}
}

// unparted notes that the unfinished frame holds several events.
func (t *tally) unparted() {
	if t.sum.Fault == "" {
		t.sum.Fault = Joined
	}
}

// because keeps why the answer ended.
func (t *tally) because(reason []byte) {
	if t.sum.Reason == "" {
		t.sum.Reason = string(clip(reason, 64))
	}
}

// giveUp takes a reason for the end that names a failure. The caller counts the
// error.
func (t *tally) giveUp(reason []byte) {
	t.sum.Reason, t.sum.Failing = string(clip(reason, 64)), true
	t.errorText([]byte("the answer ended for the reason " + strconv.Quote(t.sum.Reason)))
}

// garbage records a frame that is not what its dialect promises. It counts as
// meta: it is no progress.
func (t *tally) garbage(f *Frame, kind Fault, why string) Event {
	t.leave(f.Data)
	if t.broken == "" {
		switch line := statusLine(f.Data); {
		case line != nil:
			kind, why = SecondReply, spliced(line)
		case fieldLine(f.Data) && f.Data[0] != ':':
			kind, why = PrefixTwice, `the prefix "data: " was written twice: `+strconv.Quote(string(clip(f.Data, 60)))
		case joined(f.Data):
			kind, why = Joined, "several events stand in one block: no blank line between them"
		}
		t.corrupt(kind, "byte "+strconv.FormatInt(f.Offset, 10)+": "+why)
	}
	return t.event(Meta)
}

// comment takes a frame that carries no event, and looks whether it is the trace
// of a second response.
func (t *tally) comment(f *Frame) Event {
	t.junk(f)
	return t.event(Heartbeat)
}

// junk looks at the lines of an SSE block that clients ignore.
func (t *tally) junk(f *Frame) {
	if f.Junk == nil {
		return
	}
	t.leave(f.Junk)
	if line := statusLine(f.Junk); line != nil {
		t.corrupt(SecondReply, "byte "+strconv.FormatInt(f.Offset, 10)+": "+spliced(line))
	}
}

// errorText keeps the start of the first in-band error.
func (t *tally) errorText(s []byte) {
	if t.sum.ErrorText == "" {
		t.sum.ErrorText = string(clip(s, 200))
	}
}

// errorJSON is errorText for a JSON value: a string, an object with a message, or
// anything else as it stands.
func (t *tally) errorJSON(raw []byte) {
	if t.sum.ErrorText != "" {
		return
	}
	if m := member(raw, "message"); len(m) > 1 && m[0] == '"' {
		raw = m
	}
	if len(raw) > 1 && raw[0] == '"' {
		raw = unescape(nil, raw[1:len(raw)-1])
	}
	t.errorText(raw)
}

// close grades. proven says that the terminal came and all that it promises
// holds; why says what is missing if not.
func (t *tally) close(partial int, proven bool, why string) Summary {
	s := t.sum
	s.Replaced, s.Split = t.scars.replaced, t.scars.split
	if proven && t.broken == "" {
		s.Fault = ""
	}
	switch {
	case t.broken != "":
		s.State, s.Why = Corrupt, t.broken
	case s.Errors > 0:
		s.State, s.Why = Prefix, "in-band error: "+s.ErrorText
		if partial > 0 {
			s.State = CutFrame
		}
	case proven:
		s.State = Complete
		if partial > 0 {
			s.Why = fmt.Sprintf("%d bytes of an unfinished frame after the terminal", partial)
		}
	case t.open != "":
		s.State, s.Why = CutFrame, fmt.Sprintf("ends %d bytes into a frame: the terminal lacks the end of its event: %q",
			partial, t.open)
	case partial > 0:
		s.State, s.Why = CutFrame, fmt.Sprintf("ends %d bytes into a frame", partial)
	case t.events == 0:
		s.State, s.Why = Empty, "no event at all"
	default:
		s.State, s.Why = Prefix, why
	}
	return s
}

func (t *tally) noTerminal() string { return NoTerminal(t.contents) }

// NoTerminal is the [Summary.Why] of a stream that lacks nothing but its
// terminal.
func NoTerminal(contents int) string {
	return fmt.Sprintf("no terminal after %d content events", contents)
}

// notJSON says why b is no JSON text. It is off the hot path.
func notJSON(b []byte) string {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Sprintf("not JSON: %v: %q", err, clip(b, 60))
	}
	return fmt.Sprintf("not the JSON that was promised: %q", clip(b, 60))
}

// clip shortens b to at most n bytes, at a character.
func clip(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	b = b[:n]
	return b[:n-unfinished(b)]
}

// member returns the raw value of a member of the object b, nil if there is none
// or b is no object. Of members with one name the last counts, as in
// encoding/json.
func member(b []byte, name string) (raw []byte) {
	c := cursor{b: b}
	for c.open('{'); c.more('}'); {
		if string(c.key()) == name {
			raw = c.skip()
		} else {
			c.skip()
		}
	}
	if !c.done() {
		return nil
	}
	return raw
}
