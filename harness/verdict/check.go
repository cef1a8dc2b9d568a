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
	cs := []Checker{Harness{}, Able{}, Applies{}, Baseline{}, Must{}, Strict{}, Readable{}, Terminal{}, Legible{}, Untouched{}, Sum{}, Whole{}, Enough{}, Redirected{}, Ordered{}, Owned{},
		LoadReached{}, KeptUp{}, LinksKeptUp{}, FaultSeen{}, InBody{}, ControlSeen{}, Recovery{}, Expectation{}, Provable{},
		Slowdown{}, FirstEventBound{}, GapBound{}, TotalBound{}}
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

// bad sums up the streams of a scenario that broke a rule.
type bad struct {
	judged int // streams that the rule was applied to
	n      map[Outcome]int
	total  int
	first  *Graded
	all    []*Graded // those that broke it
}

// judge applies a rule to the streams that it concerns. Streams that we left
// ourselves are not counted.
func (s *Scope) judge(concerns, ok func(*Graded) bool) bad {
	b := bad{n: make(map[Outcome]int)}
	for i := range s.Streams {
		g := &s.Streams[i]
		if !g.Grade.Outcome.counted() || !concerns(g) {
			continue
		}
		b.judged++
		if ok(g) {
			continue
		}
		if b.total++; b.first == nil {
			b.first = g
		}
		b.n[g.Grade.Outcome]++
		b.all = append(b.all, g)
	}
	return b
}

// String reads "12 of 40 streams: 10 truncated, 2 stalled (first: #17, …)".
func (b bad) String() string {
	why := b.first.Grade.Why
	return fmt.Sprintf("%d of %d streams: %s (first: #%d%s)", b.total, b.judged, Say(b.n), b.first.Seq, comma(why))
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

// seconds rounds a time for the reader.
func seconds(d interface{ Seconds() float64 }) string { return three(d.Seconds()) + "s" }
