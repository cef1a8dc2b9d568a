package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A production sets the answers that the app says it finished beside those that
// clients got. The app says so by a line that it writes once at the end of every
// whole answer.
type production struct {
	*writing
	first      hit
	whole, bad int  // answers that clients got, and did not get
	finished   int  // of bad: that the app finished all the same
	lost       bool // it finished all of bad
	never      bool // it finished none of them
}

// fact is what the counts came to. There is no production without one: see conclude.
func (p *production) fact() *verdict.Production {
	return &verdict.Production{Answers: p.whole + p.bad, Delivered: p.whole, Finished: p.whole + p.finished,
		Line: p.first.cited()}
}

const (
	// minFinished is the least number of complete responses by which a line is known
	// to stand at the end of each.
	minFinished = 3
	// endsWith is how far such a line may be from the end of its answer, at least; see
	// finishes.
	endsWith = 100 * time.Millisecond
	// wentOn is how much later or earlier than a cut the app must have finished,
	// so that the line cannot be its answer to the cut.
	wentOn = 300 * time.Millisecond
)

// produced finds the line that the app writes at the end of each whole answer, and
// looks which of gs have it. It says nothing about answers of which it does not
// know.
func (v *view) produced(gs []*verdict.Graded) *production {
	var whole []*verdict.Graded
	for i := range v.Streams {
		if g := &v.Streams[i]; g.Grade.Outcome == verdict.Complete && sameHop(g, gs) {
			whole = append(whole, g)
		}
	}
	type streams struct{ whole, bad []*verdict.Graded }
	of := map[string]streams{"": {whole, gs}} // by the replica whose log it is
	var best *production
	for _, w := range v.writings() {
		if w.log.Kind != record.AppLog {
			continue
		}
		replica := w.log.Replica()
		own, known := of[replica]
		if !known {
			on := func(g *verdict.Graded) bool { return g.MayBeOn(replica) }
			own = streams{keep(whole, on), keep(gs, on)}
			of[replica] = own
		}
		if len(own.bad) == 0 {
			continue // the log of a replica says nothing of the streams of another
		}
		p := v.producedBy(w, own.whole, own.bad)
		if p != nil && (best == nil || p.lost && !best.lost) {
			best = p
		}
	}
	return best
}

// sameHop reports whether g went the same road as one of gs.
func sameHop(g *verdict.Graded, gs []*verdict.Graded) bool {
	return slices.ContainsFunc(gs, func(o *verdict.Graded) bool { return o.Hop == g.Hop })
}

func (v *view) producedBy(w *writing, whole, bad []*verdict.Graded) *production {
	first := hit{log: w.log, line: w.sample}
	if _, access := logline.ParseAccess(w.log.Kind, first.line.Text); access {
		return nil // servers write it when the answer begins, or whatever its end was
	}
	p := &production{writing: w, first: first, whole: len(whole), bad: len(bad)}
	if len(w.named) > 0 {
		p = p.byName(whole, bad)
	} else {
		p = p.byTime(whole, bad)
	}
	if p != nil && p.never && !v.hadTime(whole, bad) {
		return nil
	}
	return p
}

// thinks is how long an app that fell silent may go on thinking before it finishes.
const thinks = 10 * time.Second

// hadTime reports whether the app was watched for so long after the bad ends that it
// would have finished nearly all of these answers: as long as whole ones take, and longer
// where it was silent. We stop an app at the end of a scenario.
func (v *view) hadTime(whole, bad []*verdict.Graded) bool {
	until := v.Run.Finished
	for _, e := range v.Events {
		if e.Kind == record.KindClosing {
			until = min(until, e.At)
		}
	}
	usual, had := medianAge(whole), 0
	for _, g := range bad {
		needs := startOf(g) + usual
		if silence := silenceOf(g); silence >= max(minSilence, 4*usualGap(g)) {
			needs = g.End + max(thinks, 2*silence)
		}
		had += b2i(needs <= until)
	}
	return 10*had >= 8*len(bad)
}

// byName joins by the request ID that lines name.
func (p *production) byName(whole, bad []*verdict.Graded) *production {
	for _, g := range whole {
		if !p.named[g.Nonce] {
			return nil
		}
	}
	at := map[string]time.Duration{}
	for _, l := range p.lines {
		for _, id := range nonceInLine.FindAllString(l.Text, 3) {
			at[id] = l.At
		}
	}
	for _, g := range whole { // not one that stands at the beginning
		if t, ok := at[g.Nonce]; ok && t < finishes(g)-p.within {
			return nil
		}
	}
	moved := 0
	for _, g := range bad {
		if p.named[g.Nonce] {
			p.finished++
			if t, ok := at[g.Nonce]; ok && movedOn(g, t, p.within, whole) {
				moved++
			}
		}
	}
	return p.conclude(len(whole), moved)
}

// byTime joins lines that name nobody: one at the end of each whole answer, and
// what is left over is of the others. What was written before the first of them can
// have been finished is of an answer that was asked for earlier, such as a reference.
func (p *production) byTime(whole, bad []*verdict.Graded) *production {
	if len(whole) < minFinished || p.within > vague {
		return nil
	}
	soonest := firstStart(slices.Concat(whole, bad)) + shortestLife(whole)/2
	lines := slices.DeleteFunc(slices.Clone(p.lines), func(l record.Line) bool { return l.At+l.Within < soonest })
	if len(lines) < len(whole) || len(lines) > len(whole)+len(bad) {
		return nil
	}
	p.first.line = lines[0]
	used := make([]bool, len(lines))
	whole = slices.Clone(whole)
	slices.SortStableFunc(whole, func(a, b *verdict.Graded) int { return cmp.Compare(a.End, b.End) })
	for _, g := range whole {
		if !takeNear(lines, used, finishes(g), g.End+endsWith) {
			return nil
		}
	}
	moved := 0
	for i, l := range lines {
		if used[i] {
			continue
		}
		p.finished++
		if slices.ContainsFunc(bad, func(g *verdict.Graded) bool { return movedOn(g, l.At, p.within, whole) }) {
			moved++
		}
	}
	return p.conclude(len(whole), moved)
}

func firstStart(gs []*verdict.Graded) time.Duration {
	return startOf(slices.MinFunc(gs, func(a, b *verdict.Graded) int { return cmp.Compare(startOf(a), startOf(b)) }))
}

func shortestLife(gs []*verdict.Graded) time.Duration {
	return ageOf(slices.MinFunc(gs, func(a, b *verdict.Graded) int { return cmp.Compare(ageOf(a), ageOf(b)) }))
}

// takeNear marks the first unused line between two times.
func takeNear(lines []record.Line, used []bool, from, to time.Duration) bool {
	for i, l := range lines {
		if !used[i] && l.At+l.Within >= from && l.At <= to {
			used[i] = true
			return true
		}
	}
	return false
}

// conclude decides what the counts prove. That answers are missing proves
// something only where every whole one is there; that one is finished, only where
// the line says so in a word, and came when it cannot have been an answer to the
// cut. Of a few the line may be missing all the same: the app was stopped before it came
// to their end.
func (p *production) conclude(whole, moved int) *production {
	says := logline.SaysFinished(p.first.line.Text)
	p.never = p.finished == 0 && whole >= minFinished && !logline.Reacts(p.first.line.Text)
	most := says && p.finished > 0 && moved == p.finished && 2*p.finished >= p.bad
	p.lost = most && p.finished == p.bad
	if !p.never && !most {
		return nil
	}
	return p
}

// movedOn reports whether the app went on to the end of an answer that was cut for
// the client: as long as complete responses take, and at another time than the cut.
func movedOn(g *verdict.Graded, at, within time.Duration, whole []*verdict.Graded) bool {
	if (at - g.End).Abs() < wentOn+within {
		return false
	}
	var lives []time.Duration
	for _, w := range whole {
		lives = append(lives, w.End-startOf(w))
	}
	if len(lives) == 0 {
		return at > g.End
	}
	slices.Sort(lives)
	return at-startOf(g) >= lives[len(lives)/2]*8/10-within
}

// finishes is from when on the app may have finished a whole answer: one that hands its
// events on through a queue is done before they are delivered, on a busy machine well
// before.
func finishes(g *verdict.Graded) time.Duration {
	last := max(g.Last, g.Headers)
	return last - max(endsWith, (last-startOf(g))/4)
}
