package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The shape of several cuts hints at who made them: one event
// index is the app's own code, one instant is a process. Streams in step
// show both; then the tighter of the two decides.

// sameEvent reports whether all streams ended after the same content event, and
// more than their first.
func sameEvent(gs []*verdict.Graded) bool {
	for _, g := range gs {
		if g.Contents != gs[0].Contents {
			return false
		}
	}
	return len(gs) >= minCluster && gs[0].Contents > 0
}

// together reports whether the streams of one process at least ended at one
// instant, closer together than they had begun, while no other stream of that
// process went on.
func (v *view) together(gs []*verdict.Graded) bool {
	for worker, ws := range byWorker(gs) {
		cs := Clusters(ws)
		end, ok := of(cs, AtInstant)
		life, _ := of(cs, SinceStart)
		if ok && end.Spread <= instant.Seconds() && (!sameEvent(ws) || 3*end.Spread < life.Spread) &&
			len(v.outlived(worker, ws)) == 0 {
			return true
		}
	}
	return false
}

// mayHaveDied is together without its doubt about streams in step, or about a
// process with fewer streams than can lie close together.
func (v *view) mayHaveDied(gs []*verdict.Graded) bool {
	for worker, ws := range byWorker(gs) {
		deaths := moments(ws)
		if len(deaths) == 1 && len(v.outlived(worker, ws)) == 0 || v.diedAgain(worker, ws, deaths) {
			return true
		}
	}
	return false
}

// diedAgain reports whether a process that is started anew under the same name, as the
// first one of a container is, may have died at each of some moments: most of its
// streams ended beside others, and none that was open went on.
//
//	alone ├────╳        load ├──╳
//	                         ├──╳
//	                          ├─╳
func (v *view) diedAgain(worker string, ws []*verdict.Graded, deaths [][]*verdict.Graded) bool {
	return 2*len(deaths) <= len(ws)+1 && !slices.ContainsFunc(deaths, func(gs []*verdict.Graded) bool {
		return len(v.goingOn(gs, func(g *verdict.Graded) bool { return worker == "" || g.Process() == worker })) > 0
	})
}

// moments sorts streams by the moment at which they ended.
func moments(gs []*verdict.Graded) [][]*verdict.Graded {
	gs = slices.Clone(gs)
	slices.SortStableFunc(gs, func(a, b *verdict.Graded) int { return cmp.Compare(a.End, b.End) })
	var out [][]*verdict.Graded
	for _, g := range gs {
		if n := len(out); n > 0 && g.End-out[n-1][0].End <= instant {
			out[n-1] = append(out[n-1], g)
			continue
		}
		out = append(out, []*verdict.Graded{g})
	}
	return out
}

// wentOnBeside reports whether a stream that was open when one of gs ended had events
// well after that, on whatever process.
func (v *view) wentOnBeside(gs []*verdict.Graded) bool {
	type life struct{ first, last time.Duration }
	var lives []life
	for i := range v.Streams {
		if g := &v.Streams[i]; g.First != record.Never {
			lives = append(lives, life{g.First, g.Last})
		}
	}
	slices.SortFunc(lives, func(a, b life) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(lives); i++ { // from here on: the last word of all that began so early
		lives[i].last = max(lives[i].last, lives[i-1].last)
	}
	return slices.ContainsFunc(gs, func(g *verdict.Graded) bool {
		n, _ := slices.BinarySearchFunc(lives, g.End, func(l life, end time.Duration) int {
			return cmp.Compare(l.first, end)
		})
		return n > 0 && lives[n-1].last > g.End+instant
	})
}

// outlived are the streams of a process that went on past the end of the last of
// gs. Streams that do not say who served them prove nothing.
func (v *view) outlived(worker string, gs []*verdict.Graded) []*verdict.Graded {
	if worker == "" {
		return nil
	}
	return v.goingOn(gs, func(g *verdict.Graded) bool { return g.Process() == worker })
}

// goingOn are the streams that were open when the last of gs ended, had events
// after that, and are as which asks.
func (v *view) goingOn(gs []*verdict.Graded, which func(*verdict.Graded) bool) []*verdict.Graded {
	end := record.Never
	cut := make(map[*verdict.Graded]bool, len(gs))
	for _, g := range gs {
		cut[g] = true
		end = max(end, g.End)
	}
	var out []*verdict.Graded
	for i := range v.Streams {
		g := &v.Streams[i]
		if !cut[g] && which(g) && g.First != record.Never && g.First < end && g.Last > end+10*time.Millisecond {
			out = append(out, g)
		}
	}
	return out
}

// neighbours is how many other streams went on past the end of gs.
func (v *view) neighbours(gs []*verdict.Graded) fact {
	others := v.goingOn(gs, func(*verdict.Graded) bool { return true })
	if len(others) == 0 {
		return fact{}
	}
	return fact{Kind: FactWentOn, N: len(others)}
}

// shape is the clue of the cuts.
func shape(gs []*verdict.Graded) fact {
	if !sameEvent(gs) {
		return tightest(gs)
	}
	index, _ := of(Clusters(gs), AtIndex)
	return index.fact()
}
