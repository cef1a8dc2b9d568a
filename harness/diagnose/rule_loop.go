package diagnose

import (
	"maps"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// blockedLoop (F1, F3) explains silences that all streams of one process share. A
// stream that is sent alone shares nothing, and a process that wrote all the while was not
// blocked.
type blockedLoop struct{}

func (blockedLoop) match(v *view) []*finding {
	var fs []*finding
	silent := v.take(func(g *verdict.Graded) bool {
		return !g.Group.Alone() && !isCut(g) && !v.answered(g) && !emittedInSilence(g) &&
			(g.Grade.Outcome == verdict.Stalled && g.Content.Terminals == 0 || v.flagged(g, verdict.Gappy) ||
				v.flagged(g, verdict.Late))
	})
	groups := byWorker(silent)
	for _, worker := range slices.Sorted(maps.Keys(groups)) {
		gs := groups[worker]
		if f := v.sharedGap(worker, gs); f != nil {
			fs = append(fs, f)
			if f.Confidence == possible && f.Next != nil && f.Next.Kind == NextAskMeanwhile {
				v.setAside(f)
			}
		} else if f := v.staircase(gs); f != nil {
			fs = append(fs, f)
		}
	}
	return fs
}

// sharedGap is F1: silences that begin and end together on streams which did not
// run in step.
func (v *view) sharedGap(worker string, gs []*verdict.Graded) *finding {
	if len(gs) < minCluster || v.Active != record.Never && v.anyOverlap(gs) {
		return nil
	}
	// Those that came meanwhile were silent from then on: they are witnesses of the silence
	// of those that had begun, and do not make it shorter.
	all := gs
	if begun := keep(gs, func(g *verdict.Graded) bool { return g.First != record.Never && !lateOnly(g) }); len(
		begun) >= minCluster {
		gs = begun
	}
	from, to := gs[0].MaxGapAt, gs[0].MaxGapAt+gs[0].MaxGap
	for _, g := range gs {
		from, to = max(from, g.MaxGapAt), min(to, g.MaxGapAt+g.MaxGap)
	}
	if to-from < minSilence || 10*(to-from) < 7*gs[0].MaxGap || v.sparesSiblings(worker, gs, from, to) {
		return nil
	}
	if margin := (to - from) / 10; v.anyWord(gs, from+margin, to-margin) {
		return nil // the loop ran: what all streams wait for is behind the app
	}
	after := fact{Kind: FactWentOnTogether}
	if !slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Grade.Outcome != verdict.Stalled }) {
		after = fact{Kind: FactStillSilent}
	}
	if !v.outOfStep(gs) {
		return v.inStepGap(gs, to-from, after)
	}
	p := v.pauseOf(gs, from, to)
	if !p.ran.Empty() {
		return nil // it answered somebody meanwhile
	}
	what := FactPausedTogether
	if p.level() == possible {
		what = FactPausedEither
	}
	gs = keep(all, func(g *verdict.Graded) bool {
		return slices.Contains(gs, g) || startOf(g) < to && (g.First == record.Never || g.First >= to-minSilence)
	})
	return p.judged(found(BlockedLoop, layerApp, possible, gs).
		tell(fact{Kind: what, N: len(gs), Took: to - from, About: []fact{after}}).
		see(fact{Kind: FactCommonSilence, Took: from, Bound: to}, workersLine(gs)).
		see(fact{Kind: FactStoodAt, About: []fact{v.indexes(gs)}}).
		notIf(v.noWorkerTimeout(), "blocked event loop → worker timeout", fact{Kind: NotWorkerTimeout}).
		notIf(p.level() != possible, "each stream's own pause", fact{Kind: NotUnrelated}), certain)
}

// inStepGap is sharedGap for streams that had run in step: each may also have
// paused by itself, at the same event.
func (v *view) inStepGap(gs []*verdict.Graded, silence time.Duration, after fact) *finding {
	from := record.Never
	for _, g := range gs {
		if lateOnly(g) {
			return nil // a slow start is shared by nature
		}
		from = max(from, g.MaxGapAt)
	}
	if v.anyWord(gs, from, from+gs[0].MaxGap) || v.aloneToo(gs) ||
		!v.answeredIn(gs, from, from+silence).Empty() {
		return nil
	}
	return found(BlockedLoop, layerApp, possible, gs).
		tell(fact{Kind: FactFellTogether, N: len(gs), Took: silence, About: []fact{after}}).
		see(fact{Kind: FactStoodAlone, About: []fact{v.indexes(gs)}}, say(gs[0])).
		or(StallInApp, fact{Kind: MaySharedPause}).
		settle(v.rerun("--ramp 2s", WhyOutOfStep))
}

// aloneToo reports whether a stream that was sent alone fell silent for as long, at
// the same event: no other stream held it up.
func (v *view) aloneToo(gs []*verdict.Graded) bool {
	g := gs[0]
	at := indexAt(g, g.MaxGapAt)
	for i := range v.Streams {
		s := &v.Streams[i]
		if !s.Group.Alone() || s.First == record.Never || 2*s.MaxGap < g.MaxGap {
			continue
		}
		if d := indexAt(s, s.MaxGapAt) - at; d >= -1 && d <= 1 {
			return true
		}
	}
	return false
}

// anyWord reports whether another stream of the same process had a byte between two
// moments, as no blocked loop would let it. An end that we made ourselves is none.
func (v *view) anyWord(gs []*verdict.Graded, from, to time.Duration) bool {
	const aMoment = 5 * time.Millisecond
	for i := range v.Streams {
		g := &v.Streams[i]
		if slices.Contains(gs, g) || g.Process() != gs[0].Process() {
			continue
		}
		words := []time.Duration{g.Headers, g.Last}
		if g.Limit == record.NoLimit && g.Grade.Outcome != verdict.Cancelled {
			words = append(words, g.End)
		}
		for _, t := range words {
			if t > from+aMoment && t < to-aMoment {
				return true
			}
		}
	}
	return false
}

// sparesSiblings reports whether other streams of the same process went on
// through the silence, so that its loop cannot have been blocked.
func (v *view) sparesSiblings(worker string, gs []*verdict.Graded, from, to time.Duration) bool {
	silent := make(map[*verdict.Graded]bool, len(gs))
	for _, g := range gs {
		silent[g] = true
	}
	for i := range v.Streams {
		g := &v.Streams[i]
		if !silent[g] && g.Process() == worker && g.First != record.Never && g.First < from && speaksWithin(g, from,
			to) {
			return true
		}
	}
	return false
}

func speaksWithin(g *verdict.Graded, from, to time.Duration) bool {
	margin := (to - from) / 10
	for m := range g.Marks() {
		if m.Early > from+margin && m.At < to-margin {
			return true
		}
	}
	return false
}

// outOfStep reports whether the streams stood at different events when they fell
// silent, or began or ended the silence closer together than they had started:
// streams that pause at the same event by their own logic run in step.
func (v *view) outOfStep(gs []*verdict.Graded) bool {
	var starts, begins, ends []float64
	low, high := 1<<31, 0
	for _, g := range gs {
		i := indexAt(g, g.MaxGapAt)
		low, high = min(low, i), max(high, i)
		starts = append(starts, startOf(g).Seconds())
		begins = append(begins, g.MaxGapAt.Seconds())
		ends = append(ends, (g.MaxGapAt + g.MaxGap).Seconds())
	}
	if high-low >= 2 {
		return true
	}
	if step := usualGap(gs[0]).Seconds(); step > 0 && spread(starts) > 4*step && spread(begins) < 1.5*step {
		return true // each stops within one event of the others
	}
	// Where we gave up, the ends are our own.
	return gs[0].Grade.Outcome != verdict.Stalled && spread(starts) > 0.02 && spread(ends) < spread(starts)/4
}

func spread(xs []float64) float64 { return slices.Max(xs) - slices.Min(xs) }

// indexAt is how many content events had come by t.
func indexAt(g *verdict.Graded, t time.Duration) int {
	n := 0
	for m := range g.Marks() {
		if m.Kind == stream.Content && m.At <= t {
			n++
		}
	}
	return n
}

func (v *view) indexes(gs []*verdict.Graded) fact {
	low, high := 1<<31, 0
	for _, g := range gs {
		i := indexAt(g, g.MaxGapAt)
		low, high = min(low, i), max(high, i)
	}
	return fact{Kind: FactEventRange, N: low, Of: high}
}

func (v *view) anyOverlap(gs []*verdict.Graded) bool {
	return slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Struck && v.overlaps(g) })
}

// staircase is F3: each stream begins when another has ended.
func (v *view) staircase(late []*verdict.Graded) *finding {
	if len(late) < minCluster {
		return nil
	}
	gs := slices.Clone(late)
	slices.SortFunc(gs, func(a, b *verdict.Graded) int { return int(a.First - b.First) })
	for i := 1; i < len(gs); i++ {
		if gs[i].First == record.Never || gs[i-1].Last > gs[i].First+usualGap(gs[i]) || startOf(gs[i]) >= gs[i-1].Last {
			return nil
		}
	}
	return found(BlockedLoop, layerApp, likely, gs).
		tell(fact{Kind: FactStaircase, N: len(gs)}).
		see(fact{Kind: FactFirstEvents, Times: []time.Duration{gs[0].First, gs[1].First, gs[2].First}},
			workersLine(gs)).
		not("thread pool exhausted (40)", fact{Kind: NotForty})
}
