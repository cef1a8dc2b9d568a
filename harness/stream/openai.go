package stream

import (
	"bytes"
	"fmt"
)

// openai-chat: OpenAI chat completions and the many servers that imitate them.
// An answer is whole when every choice that was seen has its finish_reason and
// data: [DONE] follows; [DONE] alone proves nothing, since vLLM sends it after an
// in-band error and some gateways at any end (TAXONOMY finding 10). A
// finish_reason of "length" is a short answer, not a cut one.
//
// A server that wants to be told apart from the way to it may put one more
// member into its content chunks, which clients of the API ignore:
//
//	"streamproof": {"seq":1,"t":…,"nonce":"…","pid":…}
//
// with the meaning that the members have in the origin dialect.

// maxChoices is the most that the API lets a client ask for (n ≤ 128).
const maxChoices = 128

// A choiceSet is a set of choice indexes.
type choiceSet [maxChoices / 64]uint64

func (s *choiceSet) add(i int64)      { s[i/64] |= 1 << (i % 64) }
func (s *choiceSet) has(i int64) bool { return s[i/64]&(1<<(i%64)) != 0 }

// An openaiReader follows one chat completion.
type openaiReader struct {
	tally
	seen, finished choiceSet
	loose          bool // [DONE] came before every choice had finished
	label          label
}

func newOpenAI(a Ask) Reader { return &openaiReader{label: label{nonce: a.Nonce}} }

// Read implements [Reader].
func (r *openaiReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	r.junk(f)
	if string(bytes.TrimSpace(f.Data)) == "[DONE]" {
		if r.sum.Terminals == 0 {
			r.loose = r.unfinished() != ""
		}
		return r.event(Terminal)
	}
	if why := notUTF8(f.Data); why != "" {
		return r.garbage(f, why)
	}
	kind, ok := r.chunk(f.Data)
	if !ok {
		return r.garbage(f, notJSON(f.Data))
	}
	if string(f.Name) == "error" && kind != Error {
		kind = Error
		r.errorText(f.Data)
	}
	return r.label.on(Event{Kind: r.count(kind), Seq: -1})
}

// chunk reads one chunk: its kind, and false if it is no JSON object.
func (r *openaiReader) chunk(data []byte) (Kind, bool) {
	kind := Meta
	r.label.fresh = false
	var failure []byte
	c := cursor{b: data}
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "choices":
			if r.choices(&c) {
				kind = Content
			}
		case "error":
			if raw := c.skip(); !emptyJSON(raw) {
				failure = raw
			}
		case "object": // {"object":"error","message":…}: older vLLM
			if c.text().is("error") && failure == nil {
				failure = data
			}
		case "streamproof":
			r.label.read(c.skip())
		default:
			c.skip()
		}
	}
	if !c.done() {
		return Meta, false
	}
	if failure != nil {
		r.errorJSON(failure)
		return Error, true
	}
	return kind, true
}

// choices reads the choices of a chunk and reports whether one has content.
func (r *openaiReader) choices(c *cursor) (content bool) {
	if c.peek() != '[' {
		c.skip()
		return false
	}
	for c.open('['); c.more(']'); {
		if r.choice(c) {
			content = true
		}
	}
	return content
}

func (r *openaiReader) choice(c *cursor) (content bool) {
	index, finished := int64(0), false
	for c.open('{'); c.more('}'); {
		switch string(c.key()) {
		case "index":
			index, _ = c.int()
		case "finish_reason":
			finished = !emptyJSON(c.skip())
		case "delta", "message":
			content = hasContent(c) || content
		case "text": // the older completions API
			content = !emptyJSON(c.skip()) || content
		default:
			c.skip()
		}
	}
	if c.bad {
		return false
	}
	if index < 0 || index >= maxChoices {
		r.corrupt(fmt.Sprintf("choice with index %d", index))
		return content
	}
	r.seen.add(index)
	if finished {
		r.finished.add(index)
	}
	return content
}

// hasContent reports whether a delta carries anything but its role: text,
// reasoning, a tool call, a refusal, audio.
func hasContent(c *cursor) (content bool) {
	if c.peek() != '{' {
		c.skip()
		return false
	}
	for c.open('{'); c.more('}'); {
		role := string(c.key()) == "role"
		if raw := c.skip(); !role && !emptyJSON(raw) {
			content = true
		}
	}
	return content
}

// emptyJSON reports whether raw says nothing: null, "", [], {}, false.
func emptyJSON(raw []byte) bool {
	switch string(raw) {
	case "", "null", `""`, "[]", "{}", "false":
		return true
	}
	return false
}

// unfinished says which choice has not finished, "" if all have.
func (r *openaiReader) unfinished() string {
	if r.seen == (choiceSet{}) {
		return "no choice at all"
	}
	for i := range int64(maxChoices) {
		if r.seen.has(i) && !r.finished.has(i) {
			return fmt.Sprintf("choice %d has no finish_reason", i)
		}
	}
	return ""
}

// Close implements [Reader].
func (r *openaiReader) Close(partial int) Summary {
	why := r.noTerminal()
	switch left := r.unfinished(); {
	case r.sum.Terminals == 0 && left == "" && r.contents > 0:
		why = "every choice has its finish_reason, but no [DONE]"
		r.sum.Finished = true
	case r.loose:
		why = "[DONE] came too early: " + left
	}
	return r.label.sign(r.close(partial, r.sum.Terminals > 0 && !r.loose, why))
}
