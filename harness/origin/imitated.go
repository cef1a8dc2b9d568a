package origin

// text is the bare text. Its only proof of completeness is the sentinel; it has
// no heartbeat, no error and no stamp.
type text struct{}

// Sentinel ends an answer in the text format.
const Sentinel = "\n[END]\n"

func (text) contentType() string                          { return "text/plain; charset=utf-8" }
func (text) wholeType() string                            { return "text/plain; charset=utf-8" }
func (text) role(*packet)                                 {}
func (text) event(p *packet, _ int, t []byte)             { p.buf = append(p.buf, t...) }
func (text) ping(*packet)                                 {}
func (text) done(p *packet, _ int, _ uint32)              { p.add(Sentinel) }
func (text) fail(*packet, string)                         {}
func (text) whole(p *packet, _ int, _ uint32, all []byte) { p.buf = append(p.buf, all...) }

// openai imitates the chat completions of OpenAI: a chunk with the role, chunks
// of content, one with the reason of the end, and the sentinel [DONE].
type openai struct{ speaker }

func (e *openai) contentType() string { return "text/event-stream; charset=utf-8" }
func (e *openai) wholeType() string   { return "application/json" }

func (e *openai) role(p *packet) { e.chunk(p, `{"role":"assistant","content":""}`, "null") }

func (e *openai) event(p *packet, _ int, text []byte) {
	e.chunkHead(p)
	p.add(`{"content":"`)
	p.buf = append(p.buf, text...)
	p.add(`"},"finish_reason":null}]}` + "\n\n")
}

func (e *openai) ping(p *packet) {
	p.add(": ping ")
	p.room(unixNano)
	p.add("\n\n")
}

func (e *openai) done(p *packet, _ int, _ uint32) {
	e.chunk(p, "{}", `"stop"`)
	p.add("data: [DONE]\n\n")
}

func (e *openai) fail(p *packet, message string) {
	p.add(`data: {"error":{"message":`)
	p.add(quote(message))
	p.add(`,"type":"server_error","code":null}}` + "\n\n")
}

func (e *openai) whole(p *packet, events int, _ uint32, text []byte) {
	p.add(`{"id":`)
	p.add(e.nonce)
	p.add(`,"object":"chat.completion","created":0,"model":"origin","choices":[{"index":0,"message":{"role":"assistant",` +
		`"content":"`)
	p.buf = append(p.buf, text...)
	p.add(`"},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":`)
	p.addInt(events)
	p.add(`,"total_tokens":`)
	p.addInt(events)
	p.add("}}\n")
}

func (e *openai) chunk(p *packet, delta, reason string) {
	e.chunkHead(p)
	p.add(delta)
	p.add(`,"finish_reason":`)
	p.add(reason)
	p.add("}]}\n\n")
}

func (e *openai) chunkHead(p *packet) {
	p.add(`data: {"id":`)
	p.add(e.nonce)
	p.add(`,"object":"chat.completion.chunk","created":0,"model":"origin","choices":[{"index":0,"delta":`)
}

// ollama imitates the chat of Ollama: NDJSON whose last line says done. It has
// no heartbeats.
type ollama struct{}

func (ollama) contentType() string { return "application/x-ndjson" }
func (ollama) wholeType() string   { return "application/json" }
func (ollama) role(*packet)        {}
func (ollama) ping(*packet)        {}

func (e ollama) event(p *packet, _ int, text []byte) {
	e.message(p, text)
	p.add(`"done":false}` + "\n")
}

func (e ollama) done(p *packet, events int, _ uint32) {
	e.message(p, nil)
	e.ending(p, events)
}

func (ollama) fail(p *packet, message string) {
	p.add(`{"error":`)
	p.add(quote(message))
	p.add("}\n")
}

func (e ollama) whole(p *packet, events int, _ uint32, text []byte) {
	e.message(p, text)
	e.ending(p, events)
}

func (ollama) message(p *packet, text []byte) {
	p.add(`{"model":"origin","created_at":"`)
	p.room(rfc3339)
	p.add(`","message":{"role":"assistant","content":"`)
	p.buf = append(p.buf, text...)
	p.add(`"},`)
}

func (ollama) ending(p *packet, events int) {
	p.add(`"done_reason":"stop","done":true,"eval_count":`)
	p.addInt(events)
	p.add("}\n")
}
