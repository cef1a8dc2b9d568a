package stream

import "time"

// ollama: the native API of Ollama, /api/chat and /api/generate. NDJSON; the last
// object has "done": true. An error after the first byte is a line of its own,
// {"error": "…"}, under status 200.

// An ollamaReader follows one answer.
type ollamaReader struct{ tally }

func newOllama(Ask) Reader { return new(ollamaReader) }

// An ollamaLine is one line of the answer.
type ollamaLine struct {
	created text
	done    bool
	content bool
	failure []byte
}

func (l *ollamaLine) parse(data []byte) bool {
	c := cursor{b: data}
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "created_at":
			l.created = c.text()
		case "done":
			l.done = string(c.skip()) == "true"
		case "message":
			l.content = hasContent(&c) || l.content
		case "response", "thinking":
			l.content = !emptyJSON(c.skip()) || l.content
		case "error":
			if raw := c.skip(); !emptyJSON(raw) {
				l.failure = raw
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
		return r.garbage(f, why)
	}
	var l ollamaLine
	if !l.parse(f.Data) {
		return r.garbage(f, notJSON(f.Data))
	}
	e := Event{Kind: Meta, Seq: -1, Emit: l.emit()}
	switch {
	case l.failure != nil:
		r.errorJSON(l.failure)
		e.Kind = Error
	case l.done:
		e.Kind = Terminal
	case l.content:
		e.Kind = Content
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
	return r.close(partial, r.sum.Terminals > 0, r.noTerminal())
}
