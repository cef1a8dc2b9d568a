package stream

// A remark is what the usual members of a JSON event say beside its content,
// whatever the API: that the server failed, why the answer ends, and of what type
// the event is. One pass over the members finds them; nothing is allocated.
type remark struct {
	failure []byte // an error that the event reports, nil for none
	reason  []byte // why the answer ended, without quotes
	kind    []byte // "type", else "event", without quotes
	event   bool   // the kind is that of "event"
	signs   endSigns
	ok      bool // it is one JSON object
}

// remarkOn reads data.
func remarkOn(data []byte) (m remark) {
	c := cursor{b: data}
	if c.peek() != '{' {
		return m
	}
	for c.open('{'); c.more('}'); {
		key := c.key()
		switch string(key) {
		case "error":
			if raw := c.skip(); !emptyJSON(raw) && (raw[0] == '"' || raw[0] == '{') {
				m.failure = raw
			}
		case "type":
			if t := c.text(); t.ok {
				m.kind, m.event = t.raw, false
			}
		case "event":
			if t := c.text(); t.ok && m.kind == nil {
				m.kind, m.event = t.raw, true
			}
		case "choices":
			m.first(&c, "finish_reason", signChoices)
		case "candidates":
			m.first(&c, "finishReason", signCandidates)
		case "delta":
			m.inside(&c, "stop_reason", signDelta)
		case "response":
			m.response(&c)
		default:
			raw := c.skip()
			if s := topSign(key, raw); s != 0 {
				m.signs |= s
				m.because(raw)
			}
		}
	}
	if !c.done() {
		return remark{}
	}
	m.ok = true
	if string(m.kind) == "error" && m.failure == nil {
		m.failure = data
	}
	return m
}

// because takes a reason, which is a string.
func (m *remark) because(raw []byte) {
	if len(raw) > 2 && raw[0] == '"' {
		m.reason = raw[1 : len(raw)-1]
	}
}

// first reads a member of the objects of an array. The sign stands for the first
// of them, as its path does.
func (m *remark) first(c *cursor, name string, s endSigns) {
	if c.peek() != '[' {
		c.skip()
		return
	}
	for c.open('['); c.more(']'); s = 0 {
		m.inside(c, name, s)
	}
}

// inside reads one member of an object.
func (m *remark) inside(c *cursor, name string, s endSigns) {
	if c.peek() != '{' {
		c.skip()
		return
	}
	for c.open('{'); c.more('}'); {
		if string(c.key()) != name {
			c.skip()
		} else if raw := c.skip(); !emptyJSON(raw) {
			m.signs |= s
			m.because(raw)
		}
	}
}

// response reads the state of an OpenAI response: its error, and a status that
// says that it failed or was cancelled.
func (m *remark) response(c *cursor) {
	if c.peek() != '{' {
		c.skip()
		return
	}
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "error":
			if raw := c.skip(); !emptyJSON(raw) && raw[0] == '{' {
				m.failure = raw
			}
		case "status":
			if t := c.text(); t.is("failed") || t.is("cancelled") {
				m.reason = t.raw
			}
		default:
			c.skip()
		}
	}
}

// errorPaths are where a failed event keeps its text.
var errorPaths = [][]string{{"error", "message"}, {"response", "error", "message"}, {"message"}, {"errorText"},
	{"error"}, {"detail"}, {"reason"}}

// errorMessage finds the text of an event that says that the answer failed, and
// returns all of it where it has none. It is off the hot path.
func errorMessage(data []byte) []byte {
	for _, names := range errorPaths {
		path := make([]step, len(names))
		for i, n := range names {
			path[i] = step{name: n, index: -1}
		}
		if raw := find(data, path); len(raw) > 2 && raw[0] == '"' {
			return raw
		}
	}
	return data
}
