package verdict

import (
	"fmt"
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
	if worst.Verdict == "" && slices.ContainsFunc(s.Streams, func(g Graded) bool { return g.Group == record.Solo }) {
		return unsure(name, "make one stream complete first",
			"the stream that was sent alone, before the load, did not complete: nothing to measure the load against")
	}
	return worst
}

func (s *Scope) slowdown(name string, c *Crowd) Answer {
	switch {
	case len(c.Streams) == 0:
		return Answer{}
	case !c.Enough():
		return pass(name, "%s", c.Measured())
	case c.Unequal():
		return pass(name, "answers take unequal times alone as well: %s", c.Measured())
	case !s.Over:
		return unsure(name, "let the run end", "%s", c)
	}
	if why, n := s.excusesFor(c); !enoughSlowed(len(c.Slowed)-n, len(c.Streams)) {
		return unsure(name, settleBusy, "%s, but %s", c, why).about(c.Slowed)
	}
	if !c.ByLoad() {
		return unsure(name, "repeat with more streams: one stream alone does not tell a slow answer from a slow app",
			"%s, and nothing shows that they waited for one another: answers may take unequal times by themselves",
			c).about(c.Slowed)
	}
	return fail(name, "%s", c).about(c.Slowed)
}

// String reads "8 of 20 streams waited for others: at most 4 were answered at a
// time; first event 26 ms alone, 1.4 s (p50), 2.7 s (p90) and 2.8 s (max) under
// load".
func (c *Crowd) String() string {
	where := ""
	if c.peeled {
		where = " at " + c.Hop
	}
	return fmt.Sprintf("%d of %d streams%s %s; %s", len(c.Slowed), len(c.Streams), where, c.say(), c.Measured())
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

func (c *Crowd) say() string {
	switch c.Pattern {
	case OneByOne:
		return "had to wait: one answer at a time"
	case StartsOneByOne, NothingMeanwhile:
		return "had to wait: one first event at a time"
	case AtMost:
		return fmt.Sprintf("had to wait: at most %d answers at a time", c.N)
	case StartsAtMost:
		return fmt.Sprintf("had to wait: at most %d first events at a time", c.N)
	case SilentTogether:
		return "fell silent together"
	}
	return "waited far longer than one stream alone"
}

// Measured reads "first event 0.35 s alone; 0.36 s (p50), 0.4 s (p90), 0.41 s (max)
// under load; longest silence 60 ms alone, 80 ms under load".
func (c *Crowd) Measured() string {
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
	if len(first) == 0 {
		return fmt.Sprintf("first event %s alone, none under load", Brief(firstAfter(c.Solo)))
	}
	text := fmt.Sprintf("first event %s alone; %s (p50), %s (p90), %s (max) under load", Brief(firstAfter(c.Solo)),
		Brief(Quantile(first, 0.5)), Brief(Quantile(first, 0.9)), Brief(first[len(first)-1]))
	if gap > 0 {
		text += fmt.Sprintf("; longest silence %s alone, %s under load", Brief(bodyGap(c.Solo)), Brief(gap))
	}
	return text
}

// Brief writes a time for the reader: "26 ms", "2.7 s".
func Brief(d time.Duration) string { return brief(d.Seconds()) }

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
