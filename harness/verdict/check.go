package verdict

import (
	"fmt"
	"slices"
	"strings"

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
	Settle string
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
	cs := []Checker{Harness{}, Able{}, Applies{}, Baseline{}, Must{}, Strict{}, Readable{}, Terminal{}, Legible{},
		Untouched{}, Sum{}, Whole{}, Enough{}, Redirected{}, Ordered{}, Owned{},
		LoadReached{}, KeptUp{}, LinksKeptUp{}, FaultSeen{}, InBody{}, ControlSeen{}, Recovery{}, Expectation{}, Provable{},
		Slowdown{}, FirstEventBound{}, GapBound{}, TotalBound{}, Objectives{}}
	for _, name := range p.Checks {
		cs = append(cs, FlagCheck{Flag(name)})
	}
	return cs
}

func pass(name, format string, args ...any) Answer {
	return Answer{Check: Check{Name: name, Verdict: Pass, Why: fmt.Sprintf(format, args...)}}
}

func fail(name, format string, args ...any) Answer {
	return Answer{Check: Check{Name: name, Verdict: Fail, Why: fmt.Sprintf(format, args...)}}
}

func unsure(name, settle, format string, args ...any) Answer {
	return Answer{Check: Check{Name: name, Verdict: Inconclusive, Why: fmt.Sprintf(format, args...)}, Settle: settle}
}

// inapplicable is the answer of a check that lacks what only another app could
// bring; inconclusive where the user wants the scenario judged all the same.
func (s *Scope) inapplicable(name, settle, format string, args ...any) Answer {
	a := unsure(name, settle, format, args...).obliges()
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

// Say puts counts into words, worst outcome first: "10 truncated, 2 stalled".
func Say(n map[Outcome]int) string {
	var parts []string
	for _, o := range slices.Backward(Outcomes) {
		if n[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[o], strings.Replace(string(o), "failed_clean", "failed cleanly", 1)))
		}
	}
	return orElse(strings.Join(parts, ", "), "none")
}

// A tally counts the streams of a scenario that broke a rule.
type tally struct {
	judged   int             // streams that the rule was applied to
	total    int             // that broke it
	n        map[Outcome]int // of them
	first    uint64          // of them
	why      string          // the first one did
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
		b.tally.first, b.why = g.Seq, g.Grade.Why
	}
	b.n[g.Grade.Outcome]++
	b.all = append(b.all, g)
}

// counts makes an answer say what it counts, in a scenario or in all parts of one.
func (a Answer) counts(b bad, say wording) Answer {
	a.Why, a.sum, a.say = say.of(b.tally), &b.tally, say
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

// String reads "12 of 40 streams: 10 truncated, 2 stalled (first: #17, …)".
func (t tally) String() string { return sayBroken.of(t) }

// A wording puts a tally into words.
type wording uint8

const (
	sayJudged    wording = iota // "40 streams"
	sayOutcomes                 // "40 streams: 38 complete, 2 cancelled"
	sayUntouched                // "40 streams that no fault touched"
	sayBroken                   // "12 of 40 streams: 10 truncated, 2 stalled (first: #17, …)"
	sayFirst                    // "12 of 40 streams (first: #17, …)"
)

func (w wording) of(t tally) string {
	switch w {
	case sayOutcomes:
		return fmt.Sprintf("%d streams: %s", t.judged, Say(t.outcomes))
	case sayUntouched:
		return fmt.Sprintf("%d streams that no fault touched", t.judged)
	case sayBroken:
		return fmt.Sprintf("%d of %d streams: %s (first: #%d%s)", t.total, t.judged, Say(t.n), t.first, comma(t.why))
	case sayFirst:
		return fmt.Sprintf("%d of %d streams (first: #%d%s)", t.total, t.judged, t.first, comma(t.why))
	default:
		return fmt.Sprintf("%d streams", t.judged)
	}
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

// seconds rounds a time for the reader.
func seconds(d interface{ Seconds() float64 }) string { return three(d.Seconds()) + "s" }
