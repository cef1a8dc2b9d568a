package tap

import (
	"bytes"
	"sync"

	"github.com/streamproof/streamproof/harness/http1"
)

// words shares between the streams of a run what most of their heads have in common,
// so that a stream does not pay for a copy of its own: content types, and sets of
// header fields. It is bounded; what does not fit is simply not shared.
type words struct {
	http1.Strings
	mu     sync.Mutex // guards what follows
	fields map[string]map[string]string
	few    map[string]*few // by lower-case field name
}

const (
	maxSets = 1024
	maxSet  = 2048 // bytes
)

// set returns a set of fields, given as name, 0, value, 0 and so on. It is nil
// for none and must not be changed.
func (w *words) set(list []byte) map[string]string {
	if len(list) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if set, ok := w.fields[string(list)]; ok {
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
	if w.fields == nil {
		w.fields = map[string]map[string]string{}
	}
	if len(w.fields) < maxSets && len(list) < maxSet {
		w.fields[string(list)] = set
	}
	return set
}
