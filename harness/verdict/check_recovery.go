package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Recovery asks whether new streams were fine again within the policy's time. It
// counts from the blow that the app recovers from where the fault kills or
// refuses, see [Scope.recoversFrom], otherwise from its healing: nobody recovers from weather while it
// lasts.
type Recovery struct{}

func (Recovery) Check(s *Scope) Answer {
	const name = "recovered in time"
	limit := s.Scenario.Policy.Recovery
	if !s.Scenario.Policy.Faulty || limit == 0 || s.Active == record.Never {
		return Answer{}
	}
	took, tried, new := s.recovery()
	switch {
	case new == 0:
		return unsure(name, next(NextAfterFault), fact{Kind: FactNoneNew}).obliges()
	case took == record.Never && s.cutShort(s.recoversFrom()+limit):
		return unsure(name, next(NextLetEnd),
			fact{Kind: FactEndedEarly, Took: max(s.lastSeen()-s.recoversFrom(), 0), Bound: limit, N: new}).obliges()
	case took == record.Never:
		return s.lateRecovery(s.lastSeen(), fact{Kind: FactNeverRecovered, N: new})
	}
	from := s.recoversFrom()
	down := s.outOfService(from, from+took)
	found := fact{Kind: FactRecovered, Took: took - down, Bound: limit}
	if down > 0 {
		found.Times = []time.Duration{down}
	}
	switch late := took-down > limit; {
	case late && from+took == tried:
		return unsure(name, next(NextWhileOthers), fact{Kind: FactAskedLate, Took: tried - from, Bound: limit}).obliges()
	case late:
		return s.lateRecovery(from+took, found)
	}
	return pass(name, found)
}

// lateRecovery fails, unless the machine was busy until then.
func (s *Scope) lateRecovery(until time.Duration, found fact) Answer {
	const name = "recovered in time"
	if x, ok := s.Starved(s.recoversFrom(), until); ok {
		return unsure(name, next(NextQuiet), fact{Kind: FactBut, About: []fact{found, x.fact()}}).obliges()
	}
	return fail(name, found)
}

// cutShort reports whether the run was interrupted, or its record torn off, before
// until: what a scenario may still have done by then is not held against the app.
func (s *Scope) cutShort(until time.Duration) bool { return !s.Over && s.lastSeen() < until }

// lastSeen is the last thing that is known of the scenario.
func (s *Scope) lastSeen() time.Duration {
	last := s.Run.Finished
	if last != record.Never {
		return last
	}
	for i := range s.Streams {
		last = max(last, startOf(s.Streams[i].Stream), s.Streams[i].End)
	}
	return last
}

// recovery measures how long it took until new streams were complete and stayed
// so: from the fault to the start of the first good stream that no bad one
// follows. Never where there is none. tried is when the first new one was sent:
// how the app fared before that, nobody has asked.
func (s *Scope) recovery() (took, tried time.Duration, new int) {
	from := s.recoversFrom()
	p := s.probes(from)
	if p.well == nil {
		return record.Never, p.tried, p.n
	}
	return startOf(p.well.Stream) - from, p.tried, p.n
}

// probes are the recovery streams from some time on.
type probes struct {
	n     int
	tried time.Duration // when the first one was sent
	well  *Graded       // the first good one that no bad one follows, nil for none
}

func (s *Scope) probes(from time.Duration) probes {
	p := probes{tried: record.Never}
	lastBad, good := record.Never, []*Graded(nil)
	slow := SlowFirst(s.baseline())
	for g := range s.InGroup(record.Recovery) {
		at := startOf(g.Stream)
		if at < from || !g.Grade.Outcome.counted() || g.Struck && g.Grade.Outcome != Complete {
			continue // what we cut ourselves tells nothing
		}
		if p.n++; p.tried == record.Never || at < p.tried {
			p.tried = at
		}
		if g.Grade.Outcome != Complete || slow(g.Stream) {
			lastBad = max(lastBad, at)
			continue
		}
		good = append(good, g)
	}
	for _, g := range good {
		if at := startOf(g.Stream); at > lastBad && (p.well == nil || at < startOf(p.well.Stream)) {
			p.well = g
		}
	}
	return p
}

// recoversFrom is when the fault struck that the app recovers from: the newest blow
// before its first bad recovery stream, before its first good one where none was bad.
// Streams that a part held up which only delays are not counted among the bad.
//
//	delay ├────────────┤
//	cut                   ├──┤
//	streams     slow        bad  good
//	                      └──────┘ counted
func (s *Scope) recoversFrom() time.Duration {
	p := &s.Scenario.Policy
	if !p.Kills && !p.Refuses && s.Healed != record.Never {
		return s.Healed
	}
	bad, good := record.Never, record.Never
	for g := range s.InGroup(record.Recovery) {
		at := startOf(g.Stream)
		switch {
		case at < s.Active || !g.Grade.Outcome.counted() || g.Struck && g.Grade.Outcome != Complete:
		case g.Grade.Outcome == Complete:
			if good == record.Never || at < good {
				good = at
			}
		case (bad == record.Never || at < bad) && !s.delayed(at):
			bad = at
		}
	}
	if bad == record.Never {
		bad = good
	}
	return s.blowBefore(bad)
}

// delayed reports whether a part of the fault stood that only delays, and none that cuts
// had struck.
func (s *Scope) delayed(at time.Duration) bool {
	stood := false
	for _, w := range s.Windows {
		switch {
		case w.Phase != record.Active || w.At > at:
		case w.Fault.Effect == record.Cuts:
			return false
		case !s.healed(w, at):
			stood = true
		}
	}
	return stood
}

// healed reports whether the part of the fault that struck in w was taken back by then.
func (s *Scope) healed(w record.Window, by time.Duration) bool {
	return slices.ContainsFunc(s.Windows, func(h record.Window) bool {
		return h.Phase == record.Healed && h.Fault.Name == w.Fault.Name && h.At >= w.At && h.At <= by
	})
}

// blowBefore is the newest blow before a time: a part that cuts struck, or the kernel
// killed under our pressure, which begins long before. The first strike where there
// was none.
func (s *Scope) blowBefore(at time.Duration) time.Duration {
	newest, pressed := s.Active, false
	for _, w := range s.Windows {
		if w.Phase == record.Active && w.Fault.Effect == record.Cuts && w.At <= at {
			newest = max(newest, w.At)
		}
	}
	for _, e := range s.Events {
		if e.Source != record.FaultSource || e.At > at {
			continue
		}
		pressed = pressed || e.Kind == record.KindPressure
		if pressed && (e.Kind == record.KindOOMKill || e.Kind == record.KindKill) {
			newest = max(newest, e.At)
		}
	}
	return newest
}

// baseline are the streams that were whole before the fault.
func (s *Scope) baseline() []*record.Stream {
	var whole []*record.Stream
	for g := range s.InGroup(record.Baseline) {
		if g.Grade.Outcome == Complete {
			whole = append(whole, g.Stream)
		}
	}
	return whole
}

// SlowFirst says which first events are still far from the baseline's: five
// times its p95, and half a second at least, so that noise is no relapse.
func SlowFirst(baseline []*record.Stream) func(*record.Stream) bool {
	var base []time.Duration
	for _, st := range baseline {
		if d, ok := TTFE(st); ok {
			base = append(base, d)
		}
	}
	q := QuantilesOf(base)
	return func(st *record.Stream) bool {
		d, ok := TTFE(st)
		if q == nil || !ok {
			return false
		}
		p95 := Quantile(base, 0.95)
		return d > max(5*p95, p95+500*time.Millisecond)
	}
}
