package stream

import (
	"bytes"
	"fmt"
)

// The reader of openai-chat as it was written by hand, until dialects were data. The
// differential test and the benchmark hold the data against it. Three mistakes are
// mended here: a finish reason in an event that does not parse counted for the next
// event; an event named error with plain text was corrupt; with strange events a
// failure that was said was "another form".

// An openaiReader follows one chat completion.
type openaiReader struct {
	tally
	seen, finished choiceSet
	loose          bool   // [DONE] came before every choice had finished
	chunks         int    // events that are chunks of this API
	reason         []byte // of the choice in hand, where it names a failure
	terminal       *Matcher
	failure        *Matcher
	label          label
}

func newOpenAI(a Ask) Reader {
	return &openaiReader{label: label{nonce: a.Nonce}, terminal: a.Terminal, failure: a.Failure}
}

// Read implements [Reader].
func (r *openaiReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	r.junk(f)
	if idle(f) {
		return r.event(Heartbeat)
	}
	if r.terminates(f) {
		return r.done(f)
	}
	if why := notUTF8(f.Data); why != "" {
		return r.garbage(f, NotUTF8, why)
	}
	kind, ok := r.chunk(f.Data)
	if !ok {
		r.reason = nil
		if string(f.Name) == "error" {
			if r.errorJSON(errorMessage(f.Data)); r.sum.ErrorText == "" {
				r.errorText(f.Name)
			}
			return r.event(Error)
		}
		return r.garbage(f, NotJSON, notJSON(f.Data))
	}
	if kind != Error && (string(f.Name) == "error" || r.failure != nil && r.failure.Match(f)) {
		kind = Error
		r.errorJSON(errorMessage(f.Data))
	}
	if kind == Content {
		r.scars.see(f.Data)
	}
	if r.terminal != nil && kind != Error && r.sum.Terminals == 0 && r.terminal.Match(f) && r.unfinished() == "" {
		if kind == Content {
			r.count(Content) // the last word is in the same chunk
			r.events--
		}
		kind = Terminal
	}
	if kind != Error && r.reason != nil {
		kind = r.gaveUp(kind)
	}
	r.reason = nil
	return r.label.on(Event{Kind: r.count(kind), Seq: -1})
}

// terminates implements [ender].
func (r *openaiReader) terminates(f *Frame) bool { return string(bytes.TrimSpace(f.Data)) == "[DONE]" }

// done takes the sentinel. Where the user's terminal has come before, it is no
// more than a courtesy.
func (r *openaiReader) done(f *Frame) Event {
	if r.terminal != nil && r.sum.Terminals > 0 {
		return r.event(Meta)
	}
	if r.sum.Terminals == 0 {
		r.loose = r.unfinished() != ""
	}
	return r.event(Terminal)
}

// gaveUp takes a finish_reason that names a failure. A chunk that brings content
// as well is both.
func (r *openaiReader) gaveUp(kind Kind) Kind {
	r.giveUp(r.reason)
	if kind == Content {
		r.sum.Errors++
		return Content
	}
	return Error
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
			r.chunks++
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
		r.chunks++
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
			raw := c.skip()
			if finished = !emptyJSON(raw); finished {
				r.ended(raw)
			}
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
		r.corrupt("", fmt.Sprintf("choice with index %d", index))
		return content
	}
	r.seen.add(index)
	if finished {
		r.finished.add(index)
	}
	return content
}

// ended takes the finish_reason of a choice.
func (r *openaiReader) ended(raw []byte) {
	if len(raw) < 3 || raw[0] != '"' {
		return
	}
	reason := raw[1 : len(raw)-1]
	if failingReason(reason) {
		r.reason = reason
	} else {
		r.because(reason)
	}
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
	if r.chunks == 0 && r.sum.Terminals == 0 && r.sum.Errors == 0 && r.events >= strangeEvents && r.broken == "" {
		r.sum.Form = FormSSE
	}
	switch left := r.unfinished(); {
	case r.sum.Terminals == 0 && left == "" && r.contents > 0:
		why = "every choice has its finish_reason, but no [DONE]"
		r.sum.Finished = true
	case r.loose:
		why = "[DONE] came too early: " + left
	}
	return r.label.sign(r.close(partial, r.sum.Terminals > 0 && !r.loose, why))
}
