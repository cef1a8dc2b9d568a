package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// appHop is the innermost place at which the chain can be entered.
const appHop = "app"

// textDialect is the one whose frames are only what a read returned.
const textDialect = "text"

// A reference is how the same app paces its answers where less stands between it
// and the client: asked directly, or else behind an edge that is set up for
// streams.
type reference struct {
	from    *Scope // the scenario that its streams are of
	hop     string
	streams int
	unit    unit
	// piece is how much content the app writes at once, the median over streams.
	piece float64
	// bursts says that the app writes all of an answer at once, or faster than a
	// client perceives: then no buffer can be told from it.
	bursts bool
	// joined says that the same answers, of a format of events, came as one body of
	// a declared length after a while: something put them together.
	joined bool
	// asked says that its streams asked for compression, and got none.
	asked bool
	bound time.Duration // within which arrivals are one
	gap   time.Duration // between two instants, the median over all
	// making is how long the app takes to write 1, 2, 4, 8 … further pieces: a low
	// quantile over all places in all answers, since pauses differ.
	making []time.Duration
	// first is the delay of the first content, the median over streams, and spread
	// how much it differs.
	first, spread time.Duration
	crowd         int // streams that were open at once
	// held is how many of its own streams look held back by this measure: an app
	// that writes in bursts now and then.
	held int
}

// What makes a reference: so many instants in all, over a time that a client can
// perceive.
const (
	minInstants = 6
	minSpan     = 50 * time.Millisecond
	quickly     = 0.25 // the quantile of reference.making
	// mostReferring streams are looked at: of thousands that many say as much.
	mostReferring = 64
)

// references are those of a run, each made once.
type references struct {
	scopes []Scope
	made   map[place]*reference
}

// A place is where the streams of a reference entered.
type place struct {
	scope int
	hop   string
}

func (rs *references) at(scope int, hop string) *reference {
	p := place{scope, hop}
	r, ok := rs.made[p]
	if !ok {
		r = rs.scopes[scope].referenceAt(hop)
		rs.made[p] = r
	}
	return r
}

// to finds the streams to compare those of a scenario with that were sent in at a
// hop: the same scenario's where it entered the app as well, else another's
// without a fault that did, else those behind an edge that is set up for streams.
func (rs *references) to(scope int, hop string) *reference {
	if r := rs.at(scope, appHop); r != nil {
		return r
	}
	var best *reference
	for i := range rs.scopes {
		if r := rs.at(i, appHop); i != scope && rs.scopes[i].unharmed() && r != nil &&
			(best == nil || r.streams > best.streams) {
			best = r
		}
	}
	if best != nil || hop == appHop || rs.scopes[scope].Scenario.Edge == edgeForStreams {
		return best
	}
	for i := range rs.scopes {
		if o := &rs.scopes[i]; o.unharmed() && o.Scenario.Edge == edgeForStreams {
			if r := rs.at(i, hop); r != nil {
				return r
			}
		}
	}
	return nil
}

// unharmed reports whether nothing was done to the streams of s.
func (s *Scope) unharmed() bool { return !s.Scenario.Policy.Faulty && s.Scenario.Fault == "" }

// edgeForStreams is the form of edge that holds nothing back.
const edgeForStreams = "streaming"

// referenceAt sums up the whole streams without stamps that entered s at a hop and
// asked for no compression. It is nil where they do not say how the app paces.
func (s *Scope) referenceAt(hop string) *reference {
	r := &reference{from: s, hop: hop, unit: unit(s.Run.Plan.Dialect == textDialect), bound: together}
	var own []*Graded
	var open []interval
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Hop == hop {
			open = append(open, interval{startOf(g.Stream), g.End})
		}
		if g.Hop == hop && g.mayRefer() {
			own = append(own, g)
		}
	}
	if len(own) == 0 {
		return nil
	}
	r.crowd = mostOpen(open)
	r.joined = slices.ContainsFunc(own, s.joined)
	r.asked = slices.ContainsFunc(own, (*Graded).Asks)
	if n := len(own); n > mostReferring { // evenly over the scenario
		for i := range mostReferring {
			own[i] = own[i*n/mostReferring]
		}
		own = own[:mostReferring]
	}
	known := r.pace(own)
	// An app that writes faster than what counts as one instant is looked at with a
	// finer measure, or else its answers would seem to come at once.
	if r.gap > 0 && r.gap < 4*together {
		r.bound = r.gap / 4
		known = r.pace(own)
	}
	if !known && !r.bursts {
		return nil
	}
	for _, g := range own {
		if r.judge(g.Stream).state == heldBack {
			r.held++
		}
	}
	return r
}

// mayRefer reports whether a stream says how the app paces its answers.
func (g *Graded) mayRefer() bool {
	probe := g.Group == record.Browser && g.AcceptEncoding != Identity
	return g.Grade.Outcome == Complete && g.EmitFirst == 0 && g.Encoding == "" && !probe && g.Untouched() &&
		g.First != record.Never
}

// pace fills in how much comes at once and how fast, and reports whether the
// streams say that.
func (r *reference) pace(own []*Graded) bool {
	var ps []Pacing
	var sizes []float64
	var firsts, gaps []time.Duration
	instants, apart, span := 0, 0, time.Duration(0)
	for _, g := range own {
		p := pacingWithin(g.Stream, r.bound)
		if len(p.Instants) == 0 {
			continue
		}
		ps = append(ps, p)
		sizes = append(sizes, p.atOnce(r.unit))
		firsts = append(firsts, p.Instants[0].At-startOf(g.Stream))
		gaps = append(gaps, p.Gaps()...)
		if instants += len(p.Instants); p.Span() >= minSpan {
			apart++
		}
		span += p.Span()
	}
	if r.streams = len(ps); len(ps) == 0 {
		return false
	}
	slices.Sort(sizes)
	slices.Sort(firsts)
	r.piece = sizes[len(sizes)/2]
	r.first = firsts[len(firsts)/2]
	r.spread = firsts[len(firsts)*9/10] - firsts[len(firsts)/10]
	if r.bursts = 2*apart <= len(ps); r.bursts {
		return false
	}
	slices.Sort(gaps)
	r.gap = gaps[len(gaps)/2]
	r.making = r.times(ps)
	return instants >= minInstants && span >= minSpan && len(r.making) > 0
}

// times measures how long the app takes for 1, 2, 4 … pieces, wherever in an answer
// it begins. It ends where no answer is so long.
func (r *reference) times(ps []Pacing) []time.Duration {
	var out []time.Duration
	for n := r.piece; ; n *= 2 {
		var took []time.Duration
		for i := range ps {
			took = ps[i].times(took, n, r.unit)
		}
		if len(took) == 0 {
			return out
		}
		slices.Sort(took)
		out = append(out, took[int(quickly*float64(len(took)))])
	}
}

// times appends how long it takes from each instant until n more has come.
func (p *Pacing) times(took []time.Duration, n float64, u unit) []time.Duration {
	sum, j := 0.0, 0
	for i := range p.Instants {
		for sum < n-1e-9 && j+1 < len(p.Instants) {
			j++
			sum += u.of(p.Instants[j])
		}
		if sum < n-1e-9 {
			return took
		}
		took = append(took, p.Instants[j].At-p.Instants[i].At)
		if i+1 < len(p.Instants) {
			sum -= u.of(p.Instants[i+1])
		}
	}
	return took
}

// takes is how long the app takes to write n pieces from the first to the last.
func (r *reference) takes(n float64) time.Duration {
	further := n - 1
	if further <= 0 || len(r.making) == 0 {
		return 0
	}
	at, lo, hi := 1.0, time.Duration(0), r.making[0]
	if further <= at {
		return time.Duration(further * float64(hi))
	}
	for _, t := range r.making[1:] {
		at *= 2
		if lo, hi = hi, t; further <= at {
			return lo + time.Duration((further-at/2)/(at/2)*float64(hi-lo))
		}
	}
	return time.Duration(further / at * float64(hi)) // longer than any answer of the reference
}

// mostOpen is the most intervals that any time is in.
func mostOpen(all []interval) int {
	return most(slices.DeleteFunc(all, func(x interval) bool { return x.to <= x.from }))
}
