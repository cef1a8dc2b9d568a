package verdict

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// What looks like slowness or silence of the app may be our own doing, or the
// machine's. A check about time asks for an excuse before it says fail; with one
// it is inconclusive and shows the figure:
//
//  1. the load generator did not keep up;
//  2. a fault of ours pressed memory on the replica meanwhile;
//  3. the machine kept the app from running ([Scope.Starved]).
//
// A cut that came with a memory kill has none but the second: see outOfMemory.

// An Excuse is what else than the app may be behind a delay.
type Excuse struct {
	Generator bool        // did not keep up
	Pressed   string      // the replica that a fault of ours pressed memory on
	Starved   *Starvation // the machine was busy with something else
	Lost      bool        // the way to the app broke off
}

// Fact is the excuse for package reports.
func (x Excuse) Fact() record.Fact { return x.fact() }

func (x Excuse) fact() fact {
	switch {
	case x.Generator:
		return fact{Kind: FactGenerator}
	case x.Pressed != "":
		return fact{Kind: FactPressed, Name: x.Pressed}
	case x.Lost:
		return fact{Kind: FactWayLost}
	}
	return x.Starved.fact()
}

// excuse looks for one for a delay of g between two times.
func (s *Scope) excuse(g *Graded, from, to time.Duration) (Excuse, bool) {
	if !s.keptUp() && !s.outOfMemory(g, from, to) {
		return Excuse{Generator: true}, true
	}
	for _, p := range s.pressed(g.Replica) {
		if p.from < to && p.to > from {
			return Excuse{Pressed: cmp.Or(g.Replica, "the app")}, true
		}
	}
	if s.outOfMemory(g, from, to) {
		return Excuse{}, false
	}
	if x, ok := s.Starved(from, to); ok && !s.served(g, from, to) {
		return Excuse{Starved: &x}, true
	}
	return Excuse{}, false
}

// tellSlack is how much later than a cut its cause may be told: the kernel's counter is
// read by a program that waits for a core itself.
const tellSlack = 2 * time.Second

// outOfMemory reports whether g was cut after a silence in which the kernel killed, for
// its memory, a process of what served it. A busy machine draws out the last moments of
// such a process; it does not end it.
//
//	g          |  |  |├────── silent ──────┤ cut
//	oom_kill   0                          1         no excuse
func (s *Scope) outOfMemory(g *Graded, from, to time.Duration) bool {
	if g.Grade.Outcome != Aborted && g.Grade.Outcome != Truncated {
		return false
	}
	last := map[string]int64{}
	for _, e := range s.Events {
		kill := e.Kind == record.KindOOM
		if e.Of(record.OOMCounter) {
			before, known := last[e.Subject]
			last[e.Subject] = e.Value
			kill = known && e.Value > before
		}
		if kill && e.At >= from && e.At <= to+tellSlack && g.MayBeOn(e.Subject) {
			return true
		}
	}
	return false
}

// served reports whether others were served in time between two times: streams
// that bear no fault of time had events, and none of the pauses between any two of
// them was a quarter as long. A process that is kept from running is so for all of its
// streams, whatever another one does meanwhile; where nobody knows whose g was, all count.
//
//	g        ├───────── silent ─────────┤
//	others     |  | |   |  || |  |  |  |       served: the silence is g's own
//	others     |                       ||      not served
func (s *Scope) served(g *Graded, from, to time.Duration) bool {
	if s.calm == nil {
		s.calm = s.calmArrivals()
	}
	calm, most := s.calm[g.Process()], (to-from)/4
	i, _ := slices.BinarySearch(calm, from)
	for ; i < len(calm) && calm[i] < to; i++ {
		if calm[i]-from > most {
			return false
		}
		from = calm[i]
	}
	return to-from <= most
}

// calmStreams bounds how many streams are looked at.
const calmStreams = 200

// calmArrivals are the arrivals of streams that were in time, in order, by process.
func (s *Scope) calmArrivals() map[string][]time.Duration {
	all := map[string][]time.Duration{}
	n := 0
	for i := range s.Streams {
		g := &s.Streams[i]
		if n == calmStreams || g.Grade.Outcome != Complete || slices.ContainsFunc(g.Grade.Flags, Flag.timing) {
			continue
		}
		n++
		for m := range g.Marks() {
			all[""] = append(all[""], m.At)
			if p := g.Process(); p != "" {
				all[p] = append(all[p], m.At)
			}
		}
	}
	for _, arrivals := range all {
		slices.Sort(arrivals)
	}
	return all
}

// Excuse looks for one for whatever g was slow at: its silence where that ended it,
// else the first flag about time that it bears.
func (s *Scope) Excuse(g *Graded) (Excuse, bool) {
	if byTime(g) {
		from, to := silence(g)
		return s.excuse(g, from, to)
	}
	for _, f := range g.Grade.Flags {
		if g.Grade.Outcome == Complete && f.timing() && !(f == Buffered && g.collected()) {
			from, to := f.delay(g)
			x, ok := s.excuse(g, from, to)
			return x, ok && !(f == Slowed && s.slowedAnyway(g, x))
		}
	}
	return Excuse{}, false
}

// lostSlack is how much earlier streams may end than a way is told to have broken off.
const lostSlack = time.Second

// Lost reports whether g did not end well, and ended when the way to a cluster had broken
// off or after: what it shows is not the app's doing.
func (s *Scope) Lost(g *Graded) bool {
	return g.Grade.Outcome != Complete && slices.ContainsFunc(s.Events, func(e record.Event) bool {
		return e.Source == record.KubernetesSource && e.Kind == record.KindLost && g.End >= e.At-lostSlack
	})
}

// excusedByTime reports whether all of b ended because somebody waited for too long, and
// all have an excuse for the silence; or all ended with the way to the app.
func (s *Scope) excusedByTime(b *bad) (Excuse, bool) {
	if len(b.all) > 0 && len(b.all) == b.total && !slices.ContainsFunc(b.all, func(g *Graded) bool { return !s.Lost(g) }) {
		return Excuse{Lost: true}, true
	}
	if slices.ContainsFunc(b.all, func(g *Graded) bool { return !byTime(g) }) {
		return Excuse{}, false
	}
	why, n := s.excuses(b.all, silence)
	return why, b.total > 0 && n == b.total
}

// excuses asks for all of gs. first is the first excuse, n how many have one.
func (s *Scope) excuses(gs []*Graded, delay func(*Graded) (from, to time.Duration)) (first Excuse, n int) {
	for _, g := range gs {
		from, to := delay(g)
		if x, ok := s.excuse(g, from, to); ok {
			if n++; n == 1 {
				first = x
			}
		}
	}
	return first, n
}

// aftermath is how long a replica may still be slow after our pressure ended: the
// kernel has to read back the pages that it had to drop.
const aftermath = 2 * time.Second

// pressed are the times in which a fault of ours pressed memory on a replica, ""
// for any.
func (s *Scope) pressed(replica string) []interval {
	var all []interval
	for _, e := range s.Events {
		switch {
		case e.Source != record.FaultSource || replica != "" && e.Subject != "" && e.Subject != replica:
		case e.Kind == record.KindPressure:
			all = append(all, interval{e.At, math.MaxInt64})
		case e.Kind == record.KindRelief && len(all) > 0:
			all[len(all)-1].to = e.At + aftermath
		}
	}
	return all
}

// silence is the time in which a stalled stream had no byte, or no content.
func silence(g *Graded) (from, to time.Duration) {
	switch {
	case g.Limit == record.FirstLimit, gatewayTimedOut(g):
		return startOf(g.Stream), endOf(g)
	case g.Grade.Ending == NoProgress:
		from, _ = lastProgress(g.Stream)
		return from, endOf(g)
	}
	return max(g.Last, g.FirstAny, g.Headers, startOf(g.Stream)), endOf(g)
}

func endOf(g *Graded) time.Duration {
	if g.End == record.Never {
		return math.MaxInt64
	}
	return g.End
}

// delay is the time that a flag is about.
func (f Flag) delay(g *Graded) (from, to time.Duration) {
	switch f {
	case Late:
		if g.First == record.Never {
			return startOf(g.Stream), endOf(g)
		}
		return startOf(g.Stream), g.First
	case Slowed:
		if until, ok := waitedBeyond(g.Stream, slowOver); ok {
			return startOf(g.Stream), until
		}
		return g.MaxGapAt, g.MaxGapAt + g.MaxGap
	case Gappy:
		return g.MaxGapAt, g.MaxGapAt + g.MaxGap
	case Lingering:
		return max(g.TerminalAt, startOf(g.Stream)), endOf(g)
	default:
		return startOf(g.Stream), endOf(g)
	}
}

// outages are the times in which a replica was down by our hand or its
// platform's: from our blow until its process was started anew. What follows, the
// app's own start, is the app's.
//
//	term/kill ──── exit ──── start ──── ready
//	└─ our fault and the platform ─┘└─ the app ─┘
func (s *Scope) outages() []interval {
	var all []interval
	platform := slices.ContainsFunc(s.Events, func(e record.Event) bool { return e.Source == record.DockerSource })
	for i, e := range s.Events {
		if e.Source != record.FaultSource || !slices.Contains(blows, e.Kind) {
			continue
		}
		for _, next := range s.Events[i+1:] {
			if next.Kind == record.KindStart && next.Role == "" && next.At > e.At &&
				(next.Subject == e.Subject || next.Source == record.KubernetesSource) && // a new pod takes its place
				(next.Source == record.DockerSource) == platform {
				all = append(all, interval{e.At, next.At})
				break
			}
		}
	}
	return all
}

// blows are the kinds of events by which our faults tell that they end a replica.
var blows = []record.EventKind{record.KindTerm, record.KindKill, record.KindCrash, record.KindOOMKill}

// outOfService is how much of a time a replica was down, not by the app's doing.
func (s *Scope) outOfService(from, to time.Duration) time.Duration {
	var sum time.Duration
	end := from
	for _, o := range s.outs {
		if lo, hi := max(o.from, end), min(o.to, to); hi > lo {
			sum += hi - lo
			end = hi
		}
	}
	return sum
}

// excuseAll looks for an excuse for the streams of the scenario as a whole.
func (s *Scope) excuseAll() (Excuse, bool) {
	from, to := time.Duration(math.MaxInt64), time.Duration(0)
	for i := range s.Streams {
		from, to = min(from, startOf(s.Streams[i].Stream)), max(to, s.Streams[i].End)
	}
	return s.excuse(&Graded{Stream: &record.Stream{}}, from, to)
}
