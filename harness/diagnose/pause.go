package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Streams that all fall silent at one moment look alike from outside, whether the process
// that serves them stopped or what all of them wait for: a model server, a GPU, a database.
// What else the process did meanwhile tells.
//
//	it answered somebody        │ it ran: what it waits for paused
//	it says that its loop hung  │
//	other processes went on     │ it stopped
//	new requests got no head    │
//	its heartbeats stopped      │ it is likely to have stopped
//	it took a whole core        │
//	nothing                     │ both are possible

// A pause is what is known of a process in a common silence.
type pause struct {
	from, to time.Duration
	ran      record.Evidence   // it answered
	sure     []record.Evidence // it stopped
	signs    []fact            // of the same
}

// level is the confidence with which the process is taken to have stopped.
func (p *pause) level() string {
	switch {
	case len(p.sure) > 0:
		return certain
	case len(p.signs) > 0:
		return likely
	}
	return possible
}

// pauseOf looks at what the process that serves gs did in their silence.
func (v *view) pauseOf(gs []*verdict.Graded, from, to time.Duration) *pause {
	p := &pause{from: from, to: to}
	p.ran = v.answeredIn(gs, from, to)
	for _, h := range v.tags[loopHung] {
		if h.line.At != record.Never && h.line.At+h.line.Within >= from && h.line.At <= to+lineAfter &&
			gs[0].MayBeOn(h.log.Replica()) && len(p.sure) < 2 {
			p.sure = append(p.sure, h.cited())
		}
	}
	if n := v.otherProcesses(gs, from, to); n > 0 {
		p.sure = append(p.sure, record.Found(fact{Kind: FactOthersRan, N: n}))
	}
	for _, sign := range []fact{v.noHeads(gs, from, to), heartbeatsStopped(gs, to-from), v.wholeCore(from, to)} {
		if sign.Kind != "" {
			p.signs = append(p.signs, sign)
		}
	}
	return p
}

// answeredIn is a line of the app's own about a request that it answered in the silence,
// such as a health check. Where the streams come from several processes, such a line may be
// another's.
func (v *view) answeredIn(gs []*verdict.Graded, from, to time.Duration) record.Evidence {
	if workersOf(v.everyone()) > 1 {
		return record.Evidence{}
	}
	margin := (to - from) / 10
	for i := range v.access.all {
		a := &v.access.all[i]
		if a.log.Kind != logline.App || a.line.At == record.Never || !gs[0].MayBeOn(a.log.Replica()) ||
			v.foreign(a.hit) {
			continue
		}
		// Without a stamp of its own it may have been written long before it came to us.
		if _, stamped := logline.Stamp(a.line.Text); stamped && a.line.At > from+margin &&
			a.line.At+a.line.Within < to-margin {
			return a.remarked(fact{Kind: FactAnsweredIn})
		}
	}
	return record.Evidence{}
}

func (v *view) everyone() (all []*verdict.Graded) {
	for i := range v.Streams {
		all = append(all, &v.Streams[i])
	}
	return all
}

// headIn is a stream whose head came in the silence of gs, sent by their process: where that
// is not known, all streams that were open then have to be among gs.
func (v *view) headIn(gs []*verdict.Graded, open int, from, to time.Duration) fact {
	if gs[0].Process() == "" && len(gs) < open {
		return fact{}
	}
	margin := (to - from) / 5
	for i := range v.Streams {
		g := &v.Streams[i]
		if !slices.Contains(gs, g) && g.Process() == gs[0].Process() && g.Headers > from+margin && g.Headers < to-margin {
			return fact{Kind: FactHeadIn, Stream: g.Seq, Took: g.Headers}
		}
	}
	return fact{}
}

// otherProcesses counts the streams of other processes than that of gs which went on in
// their silence: what all processes share did not pause.
func (v *view) otherProcesses(gs []*verdict.Graded, from, to time.Duration) (n int) {
	process := gs[0].Process()
	if process == "" || slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Process() != process }) {
		return 0
	}
	for i := range v.Streams {
		g := &v.Streams[i]
		if p := g.Process(); p != "" && p != process && g.First != record.Never && g.First < from &&
			speaksWithin(g, from, to) {
			n++
		}
	}
	return n
}

// noHeads tells of requests that came in the silence and got no head before it was over,
// where the app sends its heads long before the first event: it took none up.
func (v *view) noHeads(gs []*verdict.Graded, from, to time.Duration) fact {
	var heads, waits []time.Duration
	var late []*verdict.Graded
	margin := (to - from) / 10
	for i := range v.Streams {
		g := &v.Streams[i]
		start, head := startOf(g), g.Headers
		asked := start > from+margin && start < to-max(minSilence, margin)
		switch {
		case asked && (head == record.Never || head > to-margin) && (g.Process() == gs[0].Process() || g.Process() == ""):
			late = append(late, g)
		case head != record.Never && g.First != record.Never && (head < from || start > to):
			heads, waits = append(heads, head-start), append(waits, g.First-start)
		}
	}
	if len(late) == 0 || len(heads) < minCluster {
		return fact{}
	}
	slices.Sort(heads)
	slices.Sort(waits)
	usual, first := heads[len(heads)/2], waits[len(waits)/2]
	if first < 4*usual+50*time.Millisecond || 4*usual > to-from {
		return fact{} // the head comes with the first event, which may wait for what is behind
	}
	return fact{Kind: FactNoHeadIn, N: len(late), Took: usual}
}

// heartbeatsStopped tells of streams whose app sends heartbeats where it has nothing to say,
// and sent none in a silence that is far longer.
func heartbeatsStopped(gs []*verdict.Graded, silence time.Duration) fact {
	var every time.Duration
	n := 0
	for _, g := range gs {
		last := max(g.Headers, startOf(g))
		for m := range g.Marks() {
			if m.Kind == stream.Heartbeat {
				n++
				every = max(every, m.At-last)
			}
			last = m.At
		}
	}
	if n < 2 || every == 0 || 2*every > silence {
		return fact{}
	}
	return fact{Kind: FactNoHeartbeatsIn, Took: every, Bound: silence}
}

// wholeCore tells of an app that took a core of its own in the silence, and far less
// before and after it.
func (v *view) wholeCore(from, to time.Duration) fact {
	var in, out, ranIn, ranOut time.Duration
	for _, m := range v.Run.Machine {
		switch start := m.At - m.Over; {
		case !m.Known || !m.Whole || m.Over <= 0:
		case start >= from && m.At <= to:
			in, ranIn = in+m.Over, ranIn+m.AppRan
		case m.At <= from || start >= to:
			out, ranOut = out+m.Over, ranOut+m.AppRan
		}
	}
	if in == 0 || out == 0 || 2*in < to-from {
		return fact{}
	}
	busy, usual := ranIn.Seconds()/in.Seconds(), ranOut.Seconds()/out.Seconds()
	if busy < 0.8 || usual > busy/2 {
		return fact{}
	}
	return fact{Kind: FactWholeCore, Share: busy, Bound: in}
}

// judged gives a finding about a blocked loop the confidence that the evidence allows, and
// names what else it may be where there is none.
func (p *pause) judged(f *finding, atMost string) *finding {
	level := p.level()
	if level == certain && atMost != certain {
		level = atMost
	}
	f.Confidence = level
	f.show(p.sure...).see(p.signs...)
	if level == possible {
		f.or(StallInApp, fact{Kind: MaySharedPause}).settle(fact{Kind: NextAskMeanwhile})
	}
	return f
}

// setAside takes the streams of findings off the table that name all that may be: no later
// rule knows more of a common silence.
func (v *view) setAside(f *finding) {
	confidence := f.Confidence
	f.Confidence = likely
	v.explain(f)
	f.Confidence = confidence
}
