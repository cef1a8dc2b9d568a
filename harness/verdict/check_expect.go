package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// minTogether is how many streams of one process at once show whether one of
// them holds up the others.
const minTogether = 5

// What cannot be seen of an app that we did not start, as [FactNotOurs] names it.
const (
	processEnds = "process ends"
	memoryUse   = "memory"
)

// expected answers for the values of [record.Policy.Expect] that are about the
// app, the edge or the load.
func (s *Scope) expected() Answer {
	switch s.Scenario.Policy.Expect {
	case record.ExpectRefusals:
		return s.refusals()
	case record.ExpectCompressed:
		return s.compressed()
	case record.ExpectPaced:
		return s.some("answer written in pieces", FactNonePaced, NextLongerAnswer, s.paced)
	case record.ExpectRecycled:
		return s.recycled()
	case record.ExpectTogether:
		return s.together()
	case record.ExpectRepeated:
		return s.repeated()
	case record.ExpectSlow:
		return s.slow()
	case record.ExpectCut:
		return s.some("slow clients cut", FactNoneCut, NextLessTaken,
			func(g *Graded) bool { return g.Group == record.Victim && g.Grade.Outcome == Aborted })
	case record.ExpectMemory:
		return s.memory()
	default:
		return Answer{}
	}
}

// some wants one stream of a kind; none and to are for where there is none.
func (s *Scope) some(name string, none, to record.FactKind, is func(*Graded) bool) Answer {
	n := 0
	for i := range s.Streams {
		if is(&s.Streams[i]) {
			n++
		}
	}
	if n == 0 {
		return unsure(name, next(to), fact{Kind: none, Of: len(s.Streams)}).obliges()
	}
	return pass(name, fact{Kind: FactSeen, N: n, Of: len(s.Streams)}).obliges()
}

// compressed wants an answer that somebody compressed. Neither an app that does
// not nor the media types of an edge are a matter of the load.
func (s *Scope) compressed() Answer {
	a := s.some("compressed answer seen", FactNoneCompressed, NextCompress,
		func(g *Graded) bool { return g.Encoding != "" })
	if a.Verdict == Inconclusive && s.answered() > 0 && s.lacks(func(*record.Abilities) bool { return false }) {
		return s.inapplicable(a.Name, next(NextCompress), fact{Kind: FactNoCompressor})
	}
	return a
}

// answered counts the streams with a complete response.
func (s *Scope) answered() (n int) {
	for i := range s.Streams {
		if s.Streams[i].Grade.Outcome == Complete {
			n++
		}
	}
	return n
}

func (s *Scope) refusals() Answer {
	const name = "refusals seen"
	refused, served := 0, 0
	for i := range s.Streams {
		switch g := &s.Streams[i]; {
		case g.Grade.Outcome == FailedClean && g.Status >= 400:
			refused++
		case g.Grade.Outcome == Complete:
			served++
		}
	}
	switch {
	case served == 0:
		return unsure(name, next(NextLowerLoad), fact{Kind: FactNoneServed, N: refused}).obliges()
	case refused == 0:
		return unsure(name, next(NextLimitReached), fact{Kind: FactNoneRefused, N: served}).obliges()
	}
	return pass(name, fact{Kind: FactRefusals, N: refused, Of: refused + served}).obliges()
}

// recycled wants the end of a process while a stream was open.
func (s *Scope) recycled() Answer {
	const name = "recycled under streams"
	ends := 0
	for _, e := range s.Events {
		if e.Kind != record.KindExit || e.Source != record.ProcessSource {
			continue
		}
		ends++
		for i := range s.Streams {
			if st := s.Streams[i].Stream; st.Send != record.Never && st.Send <= e.At && lasted(st, e.At) {
				return pass(name, fact{Kind: FactRecycled, N: e.Pid, Name: e.Subject, Took: e.At}).obliges()
			}
		}
	}
	if ends == 0 && s.lacks(func(a *record.Abilities) bool { return a.Started }) {
		return s.inapplicable(name, next(NextStartApp), fact{Kind: FactNotOurs, Name: processEnds})
	}
	return unsure(name, next(NextRecycleSooner), fact{Kind: FactNoneRecycled, N: ends}).obliges()
}

// together wants streams of one process that were in their body at once. An app
// that does not name its processes is taken for one.
func (s *Scope) together() Answer {
	const name = "streams side by side"
	most := 0
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.First == record.Never {
			continue
		}
		n := 0
		for j := range s.Streams {
			o := &s.Streams[j]
			if o.Process() == g.Process() && o.First != record.Never && o.First <= g.First && lasted(o.Stream, g.First) {
				n++
			}
		}
		most = max(most, n)
	}
	if most < minTogether {
		return unsure(name, next(NextMoreAtOnce), fact{Kind: FactFewTogether, N: most, Need: minTogether}).obliges()
	}
	return pass(name, fact{Kind: FactTogether, N: most}).obliges()
}

// repeated wants a stream that began when another one had been answered.
func (s *Scope) repeated() Answer {
	const name = "same answer asked for again"
	answered := record.Never
	for i := range s.Streams {
		if st := s.Streams[i].Stream; s.Streams[i].Grade.Outcome == Complete &&
			(answered == record.Never || st.End < answered) {
			answered = st.End
		}
	}
	n := 0
	for i := range s.Streams {
		if answered != record.Never && s.Streams[i].Send > answered {
			n++
		}
	}
	if n == 0 {
		return unsure(name, next(NextDuration), fact{Kind: FactNoneRepeated, Of: len(s.Streams)}).obliges()
	}
	return pass(name, fact{Kind: FactRepeated, N: n}).obliges()
}

// slowness is how many times as long as the others' a slow client's stream must
// take.
const slowness = 2

// slow wants clients that made the server wait.
func (s *Scope) slow() Answer {
	const name = "clients that hold back"
	slow, quick := s.median(record.Victim), s.median(record.Control)
	if slow == 0 || quick == 0 || slow < slowness*quick {
		return unsure(name, next(NextLessTaken),
			fact{Kind: FactNoneSlow, Need: slowness, Times: []time.Duration{slow, quick}}).obliges()
	}
	return pass(name, fact{Kind: FactSlowClients, Times: []time.Duration{slow, quick}}).obliges()
}

// median is how long the complete streams of a group took; 0 if there are none.
func (s *Scope) median(group record.Group) time.Duration {
	var took []time.Duration
	for g := range s.InGroup(group) {
		if d, ok := DurationOf(g.Stream); ok && g.Grade.Outcome == Complete {
			took = append(took, d)
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}
