package stream

import "strings"

// The generic dialects know nothing but the framing. The user's terminal
// expression says which event proves completeness; without one nothing does.
//
// An in-band error is what most servers make it: an SSE event named "error", or a
// JSON object with a member "error" that is a non-empty string or object, or with
// "type": "error". An SSE event named "ping", "heartbeat" or "keepalive" is a
// heartbeat.

// A genericReader follows one stream of a generic dialect.
type genericReader struct {
	tally
	terminal *Matcher
	json     bool   // every frame must be JSON
	last     []byte // the start of the last event
}

// maxLastEvent is how much of the last event is kept, in bytes.
const maxLastEvent = 120

func newGenericSSE(a Ask) Reader   { return &genericReader{terminal: a.Terminal} }
func newGenericLines(a Ask) Reader { return &genericReader{terminal: a.Terminal, json: true} }

// Read implements [Reader].
func (r *genericReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	r.junk(f)
	r.keep(f)
	if why := notUTF8(f.Data); why != "" {
		return r.garbage(f, why)
	}
	if r.json && !validJSON(f.Data) {
		return r.garbage(f, notJSON(f.Data))
	}
	if r.terminal != nil && r.terminal.Match(f) {
		return r.event(Terminal)
	}
	switch string(f.Name) {
	case "error":
		r.errorText(f.Data)
		return r.event(Error)
	case "ping", "heartbeat", "keepalive":
		return r.event(Heartbeat)
	}
	if failure := jsonError(f.Data); failure != nil {
		r.errorJSON(failure)
		return r.event(Error)
	}
	if len(f.Data) == 0 {
		return r.event(Meta)
	}
	return r.event(Content)
}

// keep remembers the start of an event, in memory that it uses again.
func (r *genericReader) keep(f *Frame) {
	r.last = r.last[:0]
	if len(f.Name) > 0 {
		r.last = append(append(append(r.last, "event: "...), clip(f.Name, maxLastEvent/2)...), ", data: "...)
	}
	r.last = append(r.last, clip(f.Data, maxLastEvent-len(r.last))...)
}

// jsonError returns the error that a JSON object reports, or nil.
func jsonError(data []byte) (failure []byte) {
	c := cursor{b: data}
	if c.peek() != '{' {
		return nil
	}
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "error":
			if raw := c.skip(); !emptyJSON(raw) && (raw[0] == '"' || raw[0] == '{') {
				failure = raw
			}
		case "type":
			if c.text().is("error") && failure == nil {
				failure = data
			}
		default:
			c.skip()
		}
	}
	if !c.done() {
		return nil
	}
	return failure
}

// Close implements [Reader].
func (r *genericReader) Close(partial int) Summary {
	why := r.noTerminal()
	if r.terminal == nil {
		r.sum.Unprovable = true
		why = "no terminal expression was given, so nothing can prove that the answer is whole"
	}
	r.sum.LastEvent = strings.ToValidUTF8(string(r.last), "\uFFFD")
	return r.close(partial, r.sum.Terminals > 0, why)
}
