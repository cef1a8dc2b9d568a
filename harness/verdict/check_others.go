package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// OthersLived asks, after one worker of several was killed, whether the streams of the
// others went on. Where streams say who served them, or the fault knows whom it hit, the
// others are judged one by one, see [Untouched]. Elsewhere any stream may have been the
// killed worker's, and all of them cut is what an app looks like in which the death of one
// worker takes the others along.
type OthersLived struct{}

const (
	othersLived = "streams of other workers go on"
	// alongWith is how soon after the blow another worker ends that goes down with the first.
	alongWith = 2 * time.Second
)

// Check implements [Checker].
func (OthersLived) Check(s *Scope) Answer {
	blow := s.workerKilled()
	if blow == nil || len(s.hit()) > 0 {
		return Answer{}
	}
	open, cut := 0, 0
	for g := range s.InGroup(record.Victim) {
		if g.Headers == record.Never || g.Headers > blow.At || !lasted(g.Stream, blow.At) {
			continue
		}
		if open++; g.Grade.Outcome != Complete {
			cut++
		}
	}
	if open < 2 || cut < open {
		return Answer{}
	}
	for _, e := range s.Events {
		if e.Kind == record.KindExit && e.Source == record.ProcessSource && e.Role == record.WorkerRole &&
			e.Subject == blow.Subject && e.Pid != blow.Pid && e.At >= blow.At && e.At < blow.At+alongWith {
			return fail(othersLived, fact{Kind: FactOtherDied, Name: e.Who(), N: e.Pid, Of: open, Took: e.At - blow.At})
		}
	}
	if blow.Value > 0 {
		return unsure(othersLived, next(NextSpread), fact{Kind: FactNoneLived, Of: open, N: int(blow.Value)}).obliges()
	}
	return Answer{}
}

// workerKilled is our signal that ended one worker; nil for none, or for several.
func (s *Scope) workerKilled() *record.Event {
	var blow *record.Event
	for i := range s.Events {
		if e := &s.Events[i]; e.Source == record.FaultSource && e.Kind == record.KindKill {
			if blow != nil {
				return nil
			}
			blow = e
		}
	}
	return blow
}
