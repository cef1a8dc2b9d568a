package verdict

import (
	"github.com/streamproof/streamproof/harness/record"
)

// A Checker puts one question to a scenario.
type Checker interface {
	// Check answers. The zero Answer says that the question does not arise.
	Check(*Scope) Answer
}

// An Answer is a check's result and, where that is a doubt, what would settle
// it.
type Answer struct {
	Check
	Next *record.Fact
}

// about names the streams that the answer is about: those that broke the rule.
func (a Answer) about(gs []*Graded) Answer {
	for _, g := range gs {
		a.breakers = append(a.breakers, g.Seq)
	}
	return a
}

// Checkers are all questions that are put to a scenario with policy p, the most
// telling first: the first of the worst answers becomes the scenario's headline.
func Checkers(p *record.Policy) []Checker {
	cs := []Checker{Harness{}, Able{}, Applies{}, LoadWorkers{}, Baseline{}, Must{}, Strict{}, Readable{}, Terminal{},
		Legible{}, Untouched{}, OthersLived{}, Sum{}, Whole{}, Enough{}, Redirected{}, Ordered{}, Owned{},
		LoadReached{}, KeptUp{}, LinksKeptUp{}, FaultSeen{}, InBody{}, ControlSeen{}, Recovery{}, Expectation{}, Provable{},
		Slowdown{}, FirstEventBound{}, GapBound{}, TotalBound{}, Objectives{}}
	for _, name := range p.Checks {
		cs = append(cs, FlagCheck{Flag(name)})
	}
	return cs
}

func pass(name string, f fact) Answer {
	return Answer{Check: Check{Name: name, Verdict: Pass, Fact: &f}}
}

func fail(name string, f fact) Answer {
	return Answer{Check: Check{Name: name, Verdict: Fail, Fact: &f}}
}

func unsure(name string, next, f fact) Answer {
	return Answer{Check: Check{Name: name, Verdict: Inconclusive, Fact: &f}, Next: &next}
}

// inapplicable is the answer of a check that lacks what only another app could
// bring; inconclusive where the user wants the scenario judged all the same.
func (s *Scope) inapplicable(name string, next, f fact) Answer {
	a := unsure(name, next, f).obliges()
	if !s.Scenario.Required {
		a.Verdict = NotApplicable
	}
	return a
}

// lacks reports whether the app is known to lack an ability. A record that is
// silent about it is older than the question.
func (s *Scope) lacks(has func(*record.Abilities) bool) bool {
	able := s.Run.Plan.Able
	return able != nil && !able.Origin && !has(able)
}

// obliges marks an answer as an obligation's.
func (a Answer) obliges() Answer {
	a.Obligation = true
	return a
}

// inAnyPart marks an answer that any part of a scenario may give for all of it.
func (a Answer) inAnyPart() Answer {
	a.either = true
	return a
}

// Count counts streams by outcome.
func Count(streams []Graded) map[Outcome]int {
	n := make(map[Outcome]int)
	for i := range streams {
		n[streams[i].Grade.Outcome]++
	}
	return n
}

// A tally counts the streams of a scenario that broke a rule.
type tally struct {
	judged   int             // streams that the rule was applied to
	total    int             // that broke it
	n        map[Outcome]int // of them
	first    uint64          // of them
	why      *fact           // the first one did
	outcomes map[Outcome]int // of all streams, whether the rule concerns them or not
}

// bad sums up the streams of a scenario that broke a rule.
type bad struct {
	tally
	first *Graded
	all   []*Graded // those that broke it
}

// broke takes a stream that broke the rule.
func (b *bad) broke(g *Graded) {
	if b.total++; b.first == nil {
		b.first = g
		b.tally.first, b.why = g.Seq, g.Grade.Fact
	}
	b.n[g.Grade.Outcome]++
	b.all = append(b.all, g)
}

// counts makes an answer say what it counts, in a scenario or in all parts of one.
func (a Answer) counts(b bad) Answer {
	f := b.as(a.Fact.Kind)
	a.Fact, a.sum = &f, &b.tally
	return a.about(b.all)
}

// judge applies a rule to the streams that it concerns. Streams that we left
// ourselves are not counted.
func (s *Scope) judge(concerns, ok func(*Graded) bool) bad {
	b := bad{tally: tally{n: make(map[Outcome]int), outcomes: make(map[Outcome]int)}}
	for i := range s.Streams {
		g := &s.Streams[i]
		if s.guest(g) {
			continue
		}
		b.outcomes[g.Grade.Outcome]++
		if !g.Grade.Outcome.counted() || !concerns(g) {
			continue
		}
		if b.judged++; !ok(g) {
			b.broke(g)
		}
	}
	return b
}

// guest reports whether a stream is judged in another part of the record.
func (s *Scope) guest(g *Graded) bool { return s.Run.Guests[g.Seq] }

// Own visits the streams of a scenario that are judged here, not in another part of the
// record.
func (s *Scope) Own(yield func(*Graded) bool) {
	for i := range s.Streams {
		if g := &s.Streams[i]; !s.guest(g) && !yield(g) {
			return
		}
	}
}

// as is the tally as a fact of a kind that counts streams.
func (t tally) as(k record.FactKind) fact {
	switch k {
	case FactOutcomes:
		return fact{Kind: k, N: t.judged, Counts: countsOf(t.outcomes)}
	case FactBroke:
		return fact{Kind: k, N: t.total, Of: t.judged, Counts: countsOf(t.n), Stream: t.first, About: about(t.why)}
	case FactFirst:
		return fact{Kind: k, N: t.total, Of: t.judged, Stream: t.first, About: about(t.why)}
	}
	return fact{Kind: k, N: t.judged}
}

// but is what was seen of the streams, and what may be behind it instead of the app.
func (b *bad) but(k record.FactKind, x Excuse) fact {
	return fact{Kind: k, About: []fact{b.as(FactBroke), x.fact()}}
}
