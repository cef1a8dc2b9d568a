package tap

import (
	"bytes"
	"sync"
)

// words interns what most streams of a run share, so that a stream does not pay
// for a copy of its own: content types, and sets of header fields. It is bounded;
// what does not fit is simply not shared.
type words struct {
	mu   sync.Mutex // guards what follows
	text map[string]string
	sets map[string]map[string]string
	few  map[string]*few // by lower-case field name
}

const (
	maxWords = 1024 // of each kind
	maxWord  = 2048 // bytes
)

// intern returns b as a string.
func (w *words) intern(b []byte) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.text[string(b)]; ok {
		return s
	}
	s := string(b)
	if w.text == nil {
		w.text = map[string]string{}
	}
	if len(w.text) < maxWords && len(s) < maxWord {
		w.text[s] = s
	}
	return s
}

// fields returns a set of fields, given as name, 0, value, 0 and so on. It is nil
// for none and must not be changed.
func (w *words) fields(list []byte) map[string]string {
	if len(list) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if set, ok := w.sets[string(list)]; ok {
		return set
	}
	set := map[string]string{}
	for rest := list; len(rest) > 0; {
		var name, value []byte
		name, rest, _ = bytes.Cut(rest, []byte{0})
		value, rest, _ = bytes.Cut(rest, []byte{0})
		if before, ok := set[string(name)]; ok { // a proxy may add its own beside the app's
			value = append([]byte(before+", "), value...)
		}
		set[string(name)] = string(value)
	}
	if w.sets == nil {
		w.sets = map[string]map[string]string{}
	}
	if len(w.sets) < maxWords && len(list) < maxWord {
		w.sets[string(list)] = set
	}
	return set
}
