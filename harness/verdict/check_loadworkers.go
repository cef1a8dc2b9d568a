package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

const loadWorkers = "load workers"

// LoadWorkers asks whether every process that had a share of the load sent it and told
// all of it. It arises where several shared the load.
type LoadWorkers struct{}

func (LoadWorkers) Check(s *Scope) Answer {
	var amiss []fact
	then := next(NextLoadWorkers)
	n, started, clock := 0, 0, time.Duration(0)
	for i := range s.Run.LoadWorkers {
		w := &s.Run.LoadWorkers[i]
		if w.Scenario != s.Scenario.ID {
			continue
		}
		bound, _ := w.ClockBound()
		n, started, clock = max(n, w.Of), started+w.Started, max(clock, bound)
		if w.State != record.LoadWorkerDone && w.State != "" {
			f := workerFact(w)
			same := func(x fact) bool { return x.Name == f.Name && x.Kind == f.Kind && x.Place == f.Place }
			if slices.ContainsFunc(amiss, same) {
				continue // it was so in the wave before, too
			}
			amiss = append(amiss, f)
			if then.Kind == NextLoadWorkers {
				then = next(nextOfWorker(w))
			}
		}
	}
	switch {
	case n == 0:
		return Answer{}
	case len(amiss) > 0:
		return unsure(loadWorkers, then, fact{Kind: FactWorkersAmiss, N: len(amiss), Of: n, About: amiss}).
			obliges()
	}
	return pass(loadWorkers, fact{Kind: FactWorkers, N: n, Of: started, Bound: clock}).obliges()
}

// nextOfWorker is what to do about a worker with which something is wrong.
func nextOfWorker(w *record.LoadWorker) record.FactKind {
	switch {
	case w.On == record.OnReach:
		return NextReach
	case w.On == record.OnTLS:
		return NextWorkersTrust
	case w.On == record.OnRoom:
		return NextRoom
	case w.On == record.OnClock && w.Pid == 0: // here the machine is busy, elsewhere the way is long
		return NextNearer
	}
	return NextLoadWorkers
}

// workerFact says what is wrong with a worker.
func workerFact(w *record.LoadWorker) fact {
	f := fact{Kind: FactWorkerLost, Name: w.Name(), Place: string(w.On), N: w.Unknown, Of: w.Started, Text: w.Why}
	switch w.State {
	case record.LoadWorkerLate:
		f.Kind, f.Text = FactWorkerLate, w.Theirs
	case record.LoadWorkerDisagrees:
		f.Kind = FactWorkerDisagrees
		if f.Text == "" {
			f.Text, f.About = w.Theirs, []fact{record.Quoted(w.Ours)}
		}
	case record.LoadWorkerBroken:
		f.Kind = FactWorkerBroken
	}
	return f
}
