package stream

import (
	"bytes"
	"fmt"
)

// A facts is a compiled [Spec]: what all readers of one dialect share.
type facts struct {
	spec *Spec
	root node

	parts                             [4]rules // by Part
	meta, heartbeat, terminal, errors rules
	own                               rules  // beside the paths that only need to be there
	errorAt                           []rule // errors with a path: its value is the text
	terminalOnFinish                  bool
	choices                           bool
	texts                             [][]step
	order, emit, label                int // slots
	nest                              *nest
	reasoned                          bool // each end of the API has its reason
	object, json                      bool // what every event must be
	batch                             bool // an array of objects is as good
}

// fails reports whether a finish reason names a failure.
func (d *facts) fails(reason []byte) bool {
	for _, f := range d.spec.Failing {
		if bytes.EqualFold(reason, []byte(f)) {
			return true
		}
	}
	return failingReason(reason)
}

// A dataReader follows one answer of a dialect that is data.
type dataReader struct {
	tally
	d                 *facts
	terminal, failure *Matcher // the user's
	seen, finished    choiceSet
	loose             string // why the terminal came too early
	own               int    // events that are of this API
	over              bool   // without choices: the finish reason came
	numbers           *sequence
	label             *label
	nested            *nested
}

func (d *facts) reader(a Ask) Reader {
	r := &dataReader{d: d, terminal: a.Terminal, failure: a.Failure}
	if d.label >= 0 {
		r.label = &label{nonce: a.Nonce}
	}
	if d.order >= 0 && a.Order == nil {
		r.numbers = &sequence{free: true}
	}
	if d.nest != nil && a.Resume == 0 { // what is resumed may begin inside of anything
		r.nested = &nested{}
	}
	return r
}

// Read implements [Reader].
func (r *dataReader) Read(f *Frame) Event {
	if f.Comment {
		return r.comment(f)
	}
	r.junk(f)
	if f.Broken != "" {
		r.leave(f.Data)
		r.corrupt(BadChecksum, fmt.Sprintf("byte %d: %s", f.Offset, f.Broken))
		return r.event(Meta)
	}
	if idle(f) {
		return r.beat(f)
	}
	if f.Failure {
		r.said(f, nil)
		return r.event(Error)
	}
	if r.terminates(f) {
		return r.done()
	}
	if t := r.d.spec.Trailer; t != "" && string(f.Data) == t {
		return r.event(Meta)
	}
	if r.d.json {
		if why := notUTF8(f.Data); why != "" {
			return r.garbage(f, NotUTF8, why)
		}
	}
	var w walk
	w.c.b, w.r = f.Data, r
	if !r.walk(f, &w) {
		if r.d.batch && batches(f.Data) {
			return r.batch(f)
		}
		if string(f.Name) == "error" { // named so, and told in plain text
			r.said(f, nil)
			return r.event(Error)
		}
		return r.garbage(f, NotJSON, notJSON(f.Data))
	}
	return r.mark(r.meaning(f, &w), &w)
}

// beat takes a heartbeat. One that has a number, as those of OpenAI's Responses do, is
// counted in the sequence.
func (r *dataReader) beat(f *Frame) Event {
	e := r.event(Heartbeat)
	if r.numbers == nil || len(f.Data) == 0 {
		return e
	}
	var w walk
	w.c.b, w.r = f.Data, r
	if !r.walk(f, &w) {
		return e
	}
	return r.mark(e, &w)
}

// walk reads the data of an event; false if they are not what the dialect promises.
func (r *dataReader) walk(f *Frame, w *walk) bool {
	if r.label != nil {
		r.label.fresh = false
	}
	if len(f.Data) == 0 && len(f.Name) > 0 { // an event that is only a name
		return true
	}
	if r.d.object && w.c.peek() != '{' {
		return false
	}
	if !r.d.json {
		w.hits |= r.d.root.bit // whatever is there
		return true
	}
	w.take(&r.d.root)
	if !w.c.done() {
		return false
	}
	if r.label != nil {
		r.label.read(w.value(r.d.label))
	}
	return true
}

// meaning is the kind and part of an event, counted.
func (r *dataReader) meaning(f *Frame, w *walk) Event {
	d := r.d
	if w.reason != nil && !d.choices {
		r.over = true
	}
	if r.failed(f, w) {
		return r.event(Error)
	}
	if r.nested != nil {
		r.follow(f, w)
	}
	if d.heartbeat.hold(f, w) {
		return r.event(Heartbeat)
	}
	e := Event{Kind: Meta, Seq: -1}
	e.Kind, e.Part = r.part(f, w)
	if w.own || e.Kind == Content || r.own == 0 && d.own.hold(f, w) {
		r.own++
	}
	if e.Kind == Content {
		r.scars.see(f.Data)
	}
	if w.fails != nil {
		return r.gaveUp(e, w)
	}
	if r.ends(f, w) {
		return r.last(e)
	}
	r.counted(e)
	return e
}

// part tells content from what is not.
func (r *dataReader) part(f *Frame, w *walk) (Kind, Part) {
	d := r.d
	if len(d.meta.rest) > 0 && d.meta.hold(f, w) {
		return Meta, Answer
	}
	for _, p := range [...]Part{Reasoning, Tool, Refusal, Answer} {
		if d.parts[p].hold(f, w) {
			return Content, p
		}
	}
	return Meta, Answer
}

// counted counts an event of content or meta.
func (r *dataReader) counted(e Event) {
	r.count(e.Kind)
	r.parted(e)
}

func (r *dataReader) parted(e Event) {
	if e.Kind != Content {
		return
	}
	switch e.Part {
	case Reasoning:
		r.sum.Reasoning++
	case Tool:
		r.sum.Tools++
	case Refusal:
		r.sum.Refusals++
	}
}

// last takes the event that ends the answer. One that brings content as well counts
// as both: as content where it is the first, since a first event is asked of every
// stream.
func (r *dataReader) last(e Event) Event {
	first := r.contents == 0
	if e.Kind == Content {
		r.contents++
		r.parted(e)
	}
	r.check()
	r.count(Terminal)
	if e.Last = e.Kind == Content && first; !e.Last {
		e.Kind = Terminal
	}
	return e
}

// gaveUp takes a finish reason that names a failure. An event that brings content
// as well is both.
func (r *dataReader) gaveUp(e Event, w *walk) Event {
	r.giveUp(w.fails)
	if e.Kind == Content {
		r.counted(e)
		r.sum.Errors++
		return e
	}
	return r.event(Error)
}

// failed reports whether an event says that the answer failed, and keeps its text.
func (r *dataReader) failed(f *Frame, w *walk) bool {
	d := r.d
	for i := range d.errorAt {
		if rule := &d.errorAt[i]; w.hits&rule.bit != 0 && rule.holds(f, w) {
			r.own++
			r.said(f, w.value(rule.slot))
			return true
		}
	}
	if string(f.Name) == "error" || len(d.errors.rest) > 0 && d.errors.hold(f, w) || r.failure != nil &&
		r.failure.Match(f) {
		r.said(f, nil)
		return true
	}
	return false
}

// said keeps the text of an error: at the paths of the dialect, else what its value
// says, else what the event says.
func (r *dataReader) said(f *Frame, raw []byte) {
	if r.sum.ErrorText != "" {
		return
	}
	for _, path := range r.d.texts {
		if t := find(f.Data, path); len(t) > 2 && t[0] == '"' {
			r.errorJSON(t)
			return
		}
	}
	if raw == nil {
		raw = errorMessage(f.Data)
	}
	if r.errorJSON(raw); r.sum.ErrorText == "" {
		r.errorText(f.Name)
	}
}

// ends reports whether an event ends the answer.
func (r *dataReader) ends(f *Frame, w *walk) bool {
	d := r.d
	if d.terminal.hold(f, w) {
		return true
	}
	if d.terminalOnFinish && (w.ends || !d.choices && w.reason != nil) && r.sum.Terminals == 0 && r.unfinished() == "" {
		return true
	}
	return r.terminal != nil && r.sum.Terminals == 0 && r.terminal.Match(f) && r.unfinished() == ""
}

// terminates implements [ender].
func (r *dataReader) terminates(f *Frame) bool {
	s := r.d.spec.Sentinel
	return s != "" && len(f.Data) <= len(s)+16 && string(bytes.TrimSpace(f.Data)) == s
}

// done takes the sentinel. Where another terminal has come before, it is no more
// than a courtesy.
func (r *dataReader) done() Event {
	if r.sum.Terminals > 0 && (r.terminal != nil || !r.d.terminal.empty() || r.d.terminalOnFinish) {
		return r.event(Meta)
	}
	if r.sum.Terminals == 0 && r.d.choices {
		r.loose = r.unfinished()
	}
	r.check()
	return r.event(Terminal)
}

// check looks at the first terminal: it proves nothing while something is open.
func (r *dataReader) check() {
	if r.sum.Terminals == 0 && r.nested != nil && r.sum.Errors == 0 && r.loose == "" {
		r.closed()
	}
}

// mark puts on an event what the server says of it: number, time, label.
func (r *dataReader) mark(e Event, w *walk) Event {
	d := r.d
	if d.emit >= 0 {
		e.Emit = stamp(w.value(d.emit))
	}
	if r.numbers != nil {
		if n, ok := parseInt(w.value(d.order)); ok {
			r.sum.Numbered++
			r.numbers.add(n)
			e.Seq = max(n, -1)
		}
	}
	if r.label != nil {
		return r.label.on(e)
	}
	return e
}

// choice takes one choice of an event.
func (r *dataReader) choice(w *walk) {
	if w.index < 0 || w.index >= maxChoices {
		r.corrupt("", fmt.Sprintf("choice with index %d", w.index))
		return
	}
	r.seen.add(w.index)
	if w.reason != nil {
		w.ends = true
		r.finished.add(w.index)
	}
}

// unfinished says which choice has not finished, "" if all have.
func (r *dataReader) unfinished() string {
	switch {
	case !r.d.choices && r.d.terminalOnFinish && !r.over:
		return "no finish reason"
	case !r.d.choices:
		return ""
	case r.seen == (choiceSet{}):
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
func (r *dataReader) Close(partial int) Summary {
	why := r.noTerminal()
	strange := r.own == 0 && r.sum.Errors == 0 && r.events >= strangeEvents && r.broken == ""
	if strange {
		r.sum.Form = framingForm(r.d.spec.Format)
	}
	over := r.d.choices && r.unfinished() == "" || r.over && r.sum.Errors == 0
	switch {
	case r.sum.Terminals == 0 && over && r.contents > 0:
		r.sum.Finished = true
		if why = r.d.spec.Over; why == "" {
			why = "the answer has its finish reason, but no terminal"
		}
	case strange && r.sum.Terminals > 0:
		why = "no event is of this API but the terminal, which others have as well"
	case r.loose != "":
		why = "the terminal came too early: " + r.loose
		if s := r.d.spec.Sentinel; s != "" {
			why = s + " came too early: " + r.loose
		}
	}
	s := r.close(partial, r.sum.Terminals > 0 && r.loose == "" && !strange, why)
	if r.numbers != nil {
		s = r.counting(s)
	}
	if r.nested != nil {
		s.Closes = r.d.nest.closes(r.nested)
	}
	if r.label != nil {
		return r.label.sign(s)
	}
	return s
}

// counting adds what the numbers of the events say about the answer.
func (r *dataReader) counting(s Summary) Summary {
	s.Uncounted = s.Numbered > 1 && !r.numbers.counts()
	if state, why := r.numbers.fault(); state != "" && !s.Uncounted && s.State != Corrupt {
		s.State, s.Why = state, why
	}
	return s
}

// framingForm is the form of a body of which only the framing is known.
func framingForm(formats []string) Form {
	for _, f := range formats {
		switch f {
		case "sse", "sse-named":
			return FormSSE
		case "ndjson":
			return FormNDJSON
		}
	}
	return FormUnknown
}
