package stream

import (
	"bytes"
	"slices"
)

// An endFinder remembers so much of the events of a generic stream that it can
// say at the end which terminal expressions match the last event and no other. It
// keeps hashes of names and one bit for each of the usual signs of an end, so that
// it neither allocates nor grows.
type endFinder struct {
	names, types, words seenSet
	before, now         endSigns
	events              int
	name, kind, word    uint32 // of the last event; 0 for none
	byType, byEvent     bool   // events have their kind in "type", and in "event"
}

// endSigns are the members that APIs mark their last event with, one bit each.
type endSigns uint16

// endMembers says what each bit is: the path, and whether it must be true or only
// be there.
var endMembers = []struct {
	path string
	test string
}{
	{".done", "== true"},
	{".finished", "== true"},
	{".is_final", "== true"},
	{".is_finished", "== true"},
	{".final", "== true"},
	{".last", "== true"},
	{".complete", "== true"},
	{".end", "== true"},
	{".finish_reason", "exists"},
	{".finishReason", "exists"},
	{".stop_reason", "exists"},
	{".done_reason", "exists"},
	{".choices[0].finish_reason", "exists"},
	{".candidates[0].finishReason", "exists"},
	{".delta.stop_reason", "exists"},
	{".usage", "exists"},
}

// sign is the bit of a path.
func sign(path string) endSigns {
	for i := range endMembers {
		if endMembers[i].path == path {
			return 1 << i
		}
	}
	return 0
}

// The signs that are read by hand.
var (
	signChoices    = sign(".choices[0].finish_reason")
	signCandidates = sign(".candidates[0].finishReason")
	signDelta      = sign(".delta.stop_reason")
)

// topSign is the bit of a member of the object itself, with the value raw.
func topSign(key, raw []byte) endSigns {
	if len(key) < 3 || len(key) > 13 || len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return 0
	}
	for i := range endMembers {
		m := &endMembers[i]
		if len(m.path) == len(key)+1 && m.path[1:] == string(key) && (m.test == "exists" || string(raw) == "true") {
			return 1 << i
		}
	}
	return 0
}

// see takes the next event: its name, its data, and what was remarked on them.
func (e *endFinder) see(f *Frame, m *remark) {
	e.names.add(e.name)
	e.types.add(e.kind)
	e.words.add(e.word)
	e.before |= e.now
	e.events++
	e.now, e.name, e.kind, e.word = m.signs, fnv(f.Name), fnv(m.kind), 0
	e.byType, e.byEvent = e.byType || m.kind != nil && !m.event, e.byEvent || m.event
	if sentinelWord(f.Data) {
		e.word = fnv(f.Data)
	}
}

// sentinelWord reports whether the data of an event look like a sentinel: short,
// and in brackets, or one of the usual words.
func sentinelWord(b []byte) bool {
	if len(b) < 2 || len(b) > 24 || bytes.IndexByte(b, ' ') >= 0 {
		return false
	}
	switch b[0] {
	case '[', '<':
		return true
	}
	for _, w := range []string{"done", "end", "eos", "eof", "stop", "finish", "finished", "complete", "completed"} {
		if bytes.EqualFold(b, []byte(w)) {
			return true
		}
	}
	return false
}

// candidates lists the expressions, the most telling first. last is the last
// event, as its frame had it, kind its JSON type.
func (e *endFinder) candidates(name, kind, data []byte) []string {
	if e.events < 2 || failingName(name) || failingName(kind) {
		return nil
	}
	var out []string
	add := func(ok bool, expr string) {
		if _, err := ParseTerminal(expr); ok && err == nil {
			out = append(out, expr)
		}
	}
	add(e.word != 0 && !e.words.has(e.word), "data == "+string(data))
	add(e.name != 0 && !e.names.has(e.name), "event == "+bareWord(name))
	add(e.kind != 0 && !e.types.has(e.kind) && !e.byEvent, "json .type == "+bareWord(kind))
	add(e.kind != 0 && !e.types.has(e.kind) && !e.byType, "json .event == "+bareWord(kind))
	for i := range endMembers {
		m := &endMembers[i]
		add(e.now&^e.before&(1<<i) != 0, "json "+m.path+" "+m.test)
	}
	return slices.Clip(out)
}

// bareWord is a value as an expression takes it.
func bareWord(b []byte) string {
	for _, c := range b {
		if c <= ' ' || c == '"' || c == '\'' {
			return `"` + string(b) + `"`
		}
	}
	return string(b)
}

// A seenSet is a small set of hashes. One that overflowed has everything.
type seenSet struct {
	h    [12]uint32
	n    uint8
	full bool
}

func (s *seenSet) add(h uint32) {
	if h == 0 || s.has(h) {
		return
	}
	if int(s.n) == len(s.h) {
		s.full = true
		return
	}
	s.h[s.n] = h
	s.n++
}

func (s *seenSet) has(h uint32) bool { return s.full || slices.Contains(s.h[:s.n], h) }

// fnv is FNV-1a, never 0 but for nothing.
func fnv(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return max(h, 1)
}
