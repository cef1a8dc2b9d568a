package relay

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/streamproof/streamproof/harness/stack"
)

// A schedule keeps the strikes that are still to be done, and the ledger of
// those that were.
type schedule struct {
	changes atomic.Uint64 // counts calls of arm, so that readers need no lock

	mu     sync.Mutex // guards armed and ledger
	armed  map[uint64][]stack.Strike
	ledger []stack.Struck
}

var actions = []stack.Action{stack.RST, stack.FIN, stack.HalfClose, stack.Hold, stack.Flip, stack.Refuse,
	stack.Blackhole, stack.Truncate}

func (a *schedule) arm(strikes []stack.Strike) error {
	for _, s := range strikes {
		if !slices.Contains(actions, s.Action) {
			return fmt.Errorf("arm strike on stream %d: unknown action %q", s.Stream, s.Action)
		}
		if s.After < 0 || s.Age < 0 || s.Age > 0 && !ages(s) || s.For < 0 || s.Action == stack.Hold && s.For == 0 {
			return fmt.Errorf("arm strike on stream %d: %s after %d events for %v makes no sense", s.Stream, s.Action,
				s.After, s.For)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.armed == nil {
		a.armed = make(map[uint64][]stack.Strike)
	}
	for _, s := range strikes {
		list := append(a.armed[s.Stream], s)
		slices.SortStableFunc(list, func(x, y stack.Strike) int { return x.After - y.After })
		a.armed[s.Stream] = list
	}
	a.changes.Add(1)
	return nil
}

// take removes the first strike on a stream that wants it; nil if none is left.
func (a *schedule) take(stream uint64, wanted func(stack.Strike) bool) *stack.Strike {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.armed[stream]
	i := slices.IndexFunc(list, wanted)
	if i < 0 {
		return nil
	}
	s := list[i]
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(a.armed, stream)
	} else {
		a.armed[stream] = list
	}
	return &s
}

// next tells after how many events the stream's next strike in its body is due.
func (a *schedule) next(stream uint64) (after int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.armed[stream] {
		if inBody(s) {
			return s.After, true
		}
	}
	return 0, false
}

// has reports whether a strike is left for the stream that a request named.
func (a *schedule) has(ex exchange) bool {
	if !ex.known || a.changes.Load() == 0 {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.armed[ex.stream]) > 0
}

// inBody reports whether a strike is done at a place in the response: a refusal
// is done before, and one by age whenever its time has come.
func inBody(s stack.Strike) bool { return s.Action != stack.Refuse && s.Age == 0 }

func byAge(s stack.Strike) bool { return s.Age > 0 }

// ages reports whether the action can be done between any two bytes.
func ages(s stack.Strike) bool {
	return s.Action == stack.RST || s.Action == stack.FIN || s.Action == stack.Blackhole
}

func refusal(s stack.Strike) bool { return s.Action == stack.Refuse }

func (a *schedule) book(s stack.Struck) {
	a.mu.Lock()
	a.ledger = append(a.ledger, s)
	a.mu.Unlock()
}

func (a *schedule) lines() []stack.Struck {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.ledger)
}
