package play

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stream"
)

// A seen collects what happens during one scenario: the tap and the stack
// report here from goroutines of their own. It counts the streams of the load and
// keeps none of them: whoever needs them reads them from the record, see
// [scope.recorded].
type seen struct {
	hide  func(string) string            // takes secrets out of a stream's texts
	owner func(id string) (uint64, bool) // whose ID of the run it is; nil where events bear none

	mu       sync.Mutex // guards what follows
	started  int
	done     int  // ended
	whole    int  // ended with a complete response
	contents bool // an ended stream brought some
	turn     turn
	victims  int                               // of the turn: those that have started
	few      map[record.Group][]*record.Stream // the last of the small groups
	from     int64                             // where the scenario's entries begin in the record
	events   []record.Event
	windows  []record.Window
}

// keepFew is how many streams of a small group are kept: those that went alone,
// came before the load or look whether the app has recovered.
const keepFew = 256

// reset begins a scenario, whose entries begin at byte from of the record.
func (s *seen) reset(from int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started, s.done, s.whole, s.contents = 0, 0, 0, false
	s.few, s.from, s.events, s.windows = map[record.Group][]*record.Stream{}, from, nil, nil
	s.turn, s.victims = turn{}, 0
}

func (s *seen) began(st *record.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	if st.Group == record.Victim && st.Seq >= s.turn.from && st.Seq < s.turn.to {
		s.victims++
	}
}

// watch counts the victims of the turn from now on.
func (s *seen) watch(t turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn, s.victims = t, 0
}

func (s *seen) begunVictims() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.victims
}

// mute reports whether streams ended and none of them brought content.
func (s *seen) mute() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done > 0 && !s.contents
}

// disown finds out whose ID a stream's events bear. An app that puts an ID of its own
// there says nothing about the owner; that of another stream proves foreign content.
func (s *seen) disown(st *record.Stream) {
	c := &st.Content
	if s.owner == nil || c.Other == "" || c.State == stream.Corrupt {
		return
	}
	seq, known := s.owner(c.Other)
	if own, _ := s.owner(st.Nonce); known && seq != own {
		c.State, c.Why = stream.Foreign, fmt.Sprintf("an event has the ID of stream %d", seq)
	}
}

func (s *seen) ended(st *record.Stream) {
	s.disown(st)
	st.Content.Other = s.hide(st.Content.Other)
	c := &st.Content
	for _, text := range []*string{&c.ErrorText, &c.Why, &c.LastEvent, &c.Leftover, &c.Reason, &st.Start} {
		*text = s.hide(*text)
	}
	for i, e := range c.Ends {
		c.Ends[i] = s.hide(e)
	}
	st.Header = s.hidden(st.Header)
	for i := range st.Redirects {
		st.Redirects[i].Location = secret.PublicURL(s.hide(st.Redirects[i].Location))
	}
	s.count(st)
}

// count counts a stream that has ended, and keeps a copy of it where its group is
// small: the original is a part of what carried it.
func (s *seen) count(st *record.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if st.Content.State == stream.Complete {
		s.whole++
	}
	s.contents = s.contents || st.Contents > 0
	switch st.Group {
	case record.Solo, record.Probe, record.Baseline, record.Recovery:
		kept := *st
		few := append(s.few[st.Group], &kept)
		s.few[st.Group] = few[max(0, len(few)-keepFew):]
	}
}

// hidden is h without secrets. Streams with the same headers share one map, so
// it is never written to.
func (s *seen) hidden(h map[string]string) map[string]string {
	var own map[string]string
	for k, v := range h {
		safe := s.hide(v)
		if safe == v {
			continue
		}
		if own == nil {
			own = maps.Clone(h)
		}
		own[k] = safe
	}
	if own == nil {
		return h
	}
	return own
}

func (s *seen) happened(e record.Event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
}

func (s *seen) window(w record.Window) {
	s.mu.Lock()
	s.windows = append(s.windows, w)
	s.mu.Unlock()
}

// of returns the last streams of a small group that have ended.
func (s *seen) of(g record.Group) []*record.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.few[g])
}

func (s *seen) counts() (started, ended, whole int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started, s.done, s.whole
}

func (s *seen) allEvents() []record.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]record.Event(nil), s.events...)
}

// phase is when a phase of a part of the fault was stamped, or Never. Without a
// name it is that of the whole: from the first to strike to the last to heal.
func (s *seen) phase(name string, p record.Phase) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := record.Never
	for _, w := range s.windows {
		if w.Phase == p && (name == "" || w.Fault.Name == name) && (at == record.Never || p == record.Healed && w.At > at) {
			at = w.At
		}
	}
	return at
}
