package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Slowdown asks whether streams wait far longer under load than one stream does
// alone. It is asked where the scenario itself delays nothing.
type Slowdown struct{}

func (Slowdown) Check(s *Scope) Answer {
	const name = "streams as prompt under load as alone"
	if s.Scenario.Policy.Slowdown <= 0 {
		return Answer{}
	}
	worst := Answer{}
	for _, c := range s.Crowds() {
		if a := s.slowdown(name, c); worst.Verdict == "" || severity[a.Verdict] > severity[worst.Verdict] {
			worst = a
		}
	}
	alone := func(g Graded) bool { return g.Group == record.Solo }
	if worst.Verdict == "" && s.Solo() == nil && slices.ContainsFunc(s.Streams, alone) {
		return unsure(name, next(NextSolo), fact{Kind: FactNoSolo})
	}
	return worst
}

func (s *Scope) slowdown(name string, c *Crowd) Answer {
	switch {
	case len(c.Streams) == 0:
		return Answer{}
	case !c.Enough():
		return pass(name, c.Measured())
	case c.Unequal():
		return pass(name, fact{Kind: FactUnequal, About: []fact{c.Measured()}})
	case !s.Over:
		return unsure(name, next(NextLetEnd), c.Fact())
	}
	if why, n := s.excusesFor(c); !enoughSlowed(len(c.Slowed)-n, len(c.Streams)) {
		return unsure(name, next(NextQuiet), fact{Kind: FactBut, About: []fact{c.Fact(), why.fact()}}).about(c.Slowed)
	}
	if !c.ByLoad() {
		return unsure(name, next(NextRepeatMore), fact{Kind: FactUnordered, About: []fact{c.Fact()}}).about(c.Slowed)
	}
	return fail(name, c.Fact()).about(c.Slowed)
}

// Fact says how many streams had to wait, how, and for how long.
func (c *Crowd) Fact() record.Fact {
	f := fact{Kind: FactCrowd, N: len(c.Slowed), Of: len(c.Streams), Name: string(c.Pattern), Need: c.N,
		About: []fact{c.Measured()}}
	if c.peeled {
		f.Place = c.Hop
	}
	return f
}

// excusesFor asks whether something else than the app slowed the streams. A machine
// on which a stream alone was as prompt, while it was as busy, is no excuse.
func (s *Scope) excusesFor(c *Crowd) (first Excuse, n int) {
	for _, g := range c.Slowed {
		from, to := Slowed.delay(g)
		if x, ok := s.excuse(g, from, to); ok && (c.waitedForCores(x, to-from) || !s.promptAlone(c, x)) {
			if n++; n == 1 {
				first = x
			}
		}
	}
	return first, n
}

// asStarved is how much of the CPU that was taken under load must have been taken
// from a stream alone.
const asStarved = 0.8

// waitedForCores reports whether the app would have been prompt without the time in
// which it waited for a core. Among many other programs that is nearly all of it; one
// stream alone, which has work for a moment, is prompt there, and thirty are not.
func (c *Crowd) waitedForCores(x Excuse, delay time.Duration) bool {
	return x.Starved != nil && x.Starved.Waits >= runnable && time.Duration((1-x.Starved.Waits)*float64(delay)) < c.bound()
}

// promptAlone reports whether streams were prompt alone while the machine starved
// the app in the same way, and waited for one another under load.
func (s *Scope) promptAlone(c *Crowd, x Excuse) bool {
	if x.Starved == nil || x.Starved.By == NobodyWokeUs || c.Pattern == SilentTogether || !c.ByLoad() {
		return false // a machine that stands still stops all at one moment
	}
	return slices.ContainsFunc(c.Solos, func(g *Graded) bool {
		alone, starved := s.Starved(startOf(g.Stream), endOf(g))
		return starved && alone.By == x.Starved.By && alone.Share >= asStarved*x.Starved.Share &&
			firstAfter(g.Stream) <= c.bound()
	})
}

// Measured are the times of a stream alone and of those under load: the first event
// alone; its p50, p90 and maximum under load; the longest silence alone and under
// load. It ends behind the first time where no stream had an event under load.
func (c *Crowd) Measured() record.Fact {
	var first []time.Duration
	var gap time.Duration
	for _, g := range c.Streams {
		if d, ok := TTFE(g.Stream); ok {
			first = append(first, d)
		}
		if g.First != record.Never && g.MaxGapAt >= g.First {
			gap = max(gap, g.MaxGap)
		}
	}
	slices.Sort(first)
	f := fact{Kind: FactMeasured, Times: []time.Duration{firstAfter(c.Solo)}}
	if len(first) > 0 {
		f.Times = append(f.Times, Quantile(first, 0.5), Quantile(first, 0.9), first[len(first)-1], bodyGap(c.Solo), gap)
	}
	return f
}

// flagSlowed marks the streams that the load slowed, where they are enough to
// blame it.
func (s *Scope) flagSlowed() {
	if s.Scenario.Policy.Slowdown <= 0 {
		return
	}
	s.crowds = s.readCrowds()
	for _, c := range s.crowds {
		if c.Enough() && !c.Unequal() {
			for _, g := range c.Slowed {
				g.Grade.Flags = append(g.Grade.Flags, Slowed)
			}
		}
	}
}

// slowedAnyway reports whether x is no excuse for a stream that the load slowed.
func (s *Scope) slowedAnyway(g *Graded, x Excuse) bool {
	return slices.ContainsFunc(s.Crowds(),
		func(c *Crowd) bool { return slices.Contains(c.Slowed, g) && s.promptAlone(c, x) })
}
