package origin

// sse is our own format: JSON in Server-Sent Events.
type sse struct{ speaker }

func (e *sse) contentType() string { return "text/event-stream; charset=utf-8" }
func (e *sse) wholeType() string   { return "application/json" }
func (e *sse) role(*packet)        {}

func (e *sse) event(p *packet, seq int, text []byte) {
	p.add("id: ")
	p.addInt(seq)
	p.add("\ndata: {")
	e.eventBody(p, seq, text)
	p.add("}\n\n")
}

func (e *sse) ping(p *packet) {
	p.add(": ping ")
	p.room(unixNano)
	p.add("\n\n")
}

func (e *sse) done(p *packet, events int, sum uint32) {
	p.add("event: done\ndata: {")
	e.doneBody(p, events, sum)
	p.add("}\n\n")
}

func (e *sse) fail(p *packet, message string) {
	p.add("event: error\ndata: {")
	e.failBody(p, message)
	p.add("}\n\n")
}

func (e *sse) whole(p *packet, events int, sum uint32, text []byte) {
	p.add("{")
	e.wholeBody(p, events, sum, text)
	p.add("}\n")
}

// ndjson is the same one object a line, told apart by "type".
type ndjson struct{ speaker }

func (e *ndjson) contentType() string { return "application/x-ndjson" }
func (e *ndjson) wholeType() string   { return "application/json" }
func (e *ndjson) role(*packet)        {}

func (e *ndjson) event(p *packet, seq int, text []byte) {
	p.add(`{"type":"event",`)
	e.eventBody(p, seq, text)
	p.add("}\n")
}

func (e *ndjson) ping(p *packet) {
	p.add(`{"type":"ping",`)
	e.origin(p)
	p.add("}\n")
}

func (e *ndjson) done(p *packet, events int, sum uint32) {
	p.add(`{"type":"done",`)
	e.doneBody(p, events, sum)
	p.add("}\n")
}

func (e *ndjson) fail(p *packet, message string) {
	p.add(`{"type":"error",`)
	e.failBody(p, message)
	p.add("}\n")
}

func (e *ndjson) whole(p *packet, events int, sum uint32, text []byte) {
	p.add("{")
	e.wholeBody(p, events, sum, text)
	p.add("}\n")
}

// The bodies of both, without braces. Readers may rely on the order of the keys.

func (s *speaker) origin(p *packet) {
	p.add(`"t":`)
	p.room(unixNano)
	p.add(`,"nonce":`)
	p.add(s.nonce)
	p.add(`,"pid":`)
	p.addInt(s.pid)
}

func (s *speaker) eventBody(p *packet, seq int, text []byte) {
	p.add(`"seq":`)
	p.addInt(seq)
	p.add(",")
	s.origin(p)
	p.add(`,"text":"`)
	p.buf = append(p.buf, text...)
	p.add(`"`)
}

func (s *speaker) doneBody(p *packet, events int, sum uint32) {
	s.origin(p)
	p.add(`,"events":`)
	p.addInt(events)
	p.add(`,"crc32c":"`)
	p.addSum(sum)
	p.add(`"`)
}

func (s *speaker) failBody(p *packet, message string) {
	s.origin(p)
	p.add(`,"error":`)
	p.add(quote(message))
}

func (s *speaker) wholeBody(p *packet, events int, sum uint32, text []byte) {
	s.doneBody(p, events, sum)
	p.add(`,"text":"`)
	p.buf = append(p.buf, text...)
	p.add(`"`)
}
