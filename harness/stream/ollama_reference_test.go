package stream

import "time"

// The reader of ollama as it was written by hand.

// An ollamaReader follows one answer.
type ollamaReader struct {
	tally
	own     int // lines that are of this API
	failure *Matcher
}

func newOllama(a Ask) Reader { return &ollamaReader{failure: a.Failure} }

// An ollamaLine is one line of the answer.
type ollamaLine struct {
	created text
	own     bool // it has a member that every line of this API has one of
	done    bool
	content bool
	failure []byte
	reason  []byte // done_reason, without its quotes
}

func (l *ollamaLine) parse(data []byte) bool {
	c := cursor{b: data}
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "created_at":
			l.created = c.text()
		case "done":
			l.own = true
			l.done = string(c.skip()) == "true"
		case "message":
			l.own = true
			l.content = hasContent(&c) || l.content
		case "response", "thinking":
			l.own = true
			l.content = !emptyJSON(c.skip()) || l.content
		case "error":
			if raw := c.skip(); !emptyJSON(raw) {
				l.failure = raw
			}
		case "done_reason":
			if t := c.text(); t.ok {
				l.reason = t.raw
			}
		default:
			c.skip()
		}
	}
	return c.done()
}

// Read implements [Reader].
func (r *ollamaReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	if why := notUTF8(f.Data); why != "" {
		return r.garbage(f, NotUTF8, why)
	}
	if idle(f) {
		return r.event(Heartbeat)
	}
	var l ollamaLine
	if !l.parse(f.Data) {
		return r.garbage(f, NotJSON, notJSON(f.Data))
	}
	if l.own || l.failure != nil {
		r.own++
	}
	e := Event{Kind: Meta, Seq: -1, Emit: l.emit()}
	switch {
	case l.failure != nil:
		r.errorJSON(l.failure)
		e.Kind = Error
	case r.failure != nil && r.failure.Match(f):
		r.errorJSON(errorMessage(f.Data))
		e.Kind = Error
	case failingReason(l.reason):
		r.giveUp(l.reason)
		e.Kind = Error
	case l.done:
		e.Kind = Terminal
	case l.content:
		r.scars.see(f.Data)
		e.Kind = Content
	}
	if len(l.reason) > 0 {
		r.because(l.reason)
	}
	r.count(e.Kind)
	return e
}

// emit reads the server's own stamp: Ollama puts the time of writing into every
// line.
func (l *ollamaLine) emit() int64 {
	var t time.Time
	if !l.created.ok || t.UnmarshalText(l.created.raw) != nil {
		return 0
	}
	return t.UnixNano()
}

// Close implements [Reader].
func (r *ollamaReader) Close(partial int) Summary {
	why := r.noTerminal()
	if r.own == 0 && r.sum.Terminals == 0 && r.sum.Errors == 0 && r.events >= strangeEvents && r.broken == "" {
		r.sum.Form = FormNDJSON
	}
	if r.sum.Terminals == 0 && r.sum.Reason != "" && r.sum.Errors == 0 && r.contents > 0 {
		r.sum.Finished = true
		why = `the answer has its done_reason, but no line with "done": true`
	}
	return r.close(partial, r.sum.Terminals > 0, why)
}
