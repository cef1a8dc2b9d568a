package play

import (
	"iter"
	"slices"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
)

// A scope is one scenario of the run: what is recorded in it bears the scenario's name.
type scope struct {
	*run
	sc harness.Scenario // with the edge, the policy and the load that it has in this run
}

// tell records an event of the stack or of the fault.
func (s *scope) tell(e record.Event) {
	e.Scenario = s.sc.ID
	e.Text = s.Secrets.Hide(e.Text)
	s.seen.happened(e)
	s.rec.Event(e)
}

// fact tells the reader of the report something about the scenario.
func (s *scope) fact(text string) { s.note(s.sc.ID, record.NoteFact, text, "") }

// phase records what the scenario turns to, and tells whoever follows the run in words.
func (s *scope) phase(step record.StepName, name string) { s.progress.phase(step, name) }

// recorded yields the ended streams of the scenario that are in one of the groups,
// as the record has them: memory keeps none. What keeps them from being read is
// left in failed.
func (s *scope) recorded(failed *error, groups ...record.Group) iter.Seq[*record.Stream] {
	return func(yield func(*record.Stream) bool) {
		for st, err := range s.rec.Ended(s.seen.from) {
			if err != nil {
				*failed = err
				return
			}
			if st.Scenario == s.sc.ID && slices.Contains(groups, st.Group) && !yield(st) {
				return
			}
		}
	}
}
