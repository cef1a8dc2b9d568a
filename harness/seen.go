package harness

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// A seen collects what happens during one scenario: the tap and the stack
// report here from goroutines of their own.
type seen struct {
	hide func(string) string // takes secrets out of a stream's texts

	mu      sync.Mutex // guards what follows
	started int
	whole   int // ended with a whole answer
	turn    turn
	victims int // of the turn: those that have started
	streams []*record.Stream
	nonces  map[string]uint64 // of all streams of the run, where events bear one; nil elsewhere
	events  []record.Event
	windows []record.Window
}

func (s *seen) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started, s.whole, s.streams, s.events, s.windows = 0, 0, nil, nil, nil
	s.turn, s.victims = turn{}, 0
}

func (s *seen) began(st *record.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	if s.nonces != nil {
		s.nonces[st.Nonce] = st.Seq
	}
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
	for _, st := range s.streams {
		if st.Contents > 0 {
			return false
		}
	}
	return len(s.streams) > 0
}

// disown finds out whose ID a stream's events bear. An app that puts an ID of its own
// there says nothing about the owner; that of another stream proves foreign content.
func (s *seen) disown(st *record.Stream) {
	c := &st.Content
	if s.nonces == nil || c.Other == "" || c.State == stream.Corrupt {
		return
	}
	s.mu.Lock()
	seq, known := s.nonces[strings.ToLower(strings.ReplaceAll(c.Other, "-", ""))]
	s.mu.Unlock()
	if known && seq != st.Seq {
		c.State, c.Why = stream.Foreign, fmt.Sprintf("an event bears the ID of stream %d", seq)
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
		st.Redirects[i].Location = PublicURL(s.hide(st.Redirects[i].Location))
	}
	s.mu.Lock()
	s.streams = append(s.streams, st)
	if st.Content.State == stream.Complete {
		s.whole++
	}
	s.mu.Unlock()
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

// of returns the ended streams of the groups.
func (s *seen) of(groups ...record.Group) []*record.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*record.Stream
	for _, st := range s.streams {
		for _, g := range groups {
			if st.Group == g {
				found = append(found, st)
			}
		}
	}
	return found
}

func (s *seen) counts() (started, ended, whole int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started, len(s.streams), s.whole
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
		if w.Phase == p && (name == "" || w.Fault == name) && (at == record.Never || p == record.Healed && w.At > at) {
			at = w.At
		}
	}
	return at
}

// fromStack is the record's form of a stack's event.
func fromStack(scenario string, e stack.Event) record.Event {
	return record.Event{Scenario: scenario, At: e.At, Source: e.Source, Kind: e.Kind, Subject: e.Subject,
		Pid: e.Pid, Code: e.Code, Value: e.Value, Stream: e.Stream, Text: e.Text}
}
