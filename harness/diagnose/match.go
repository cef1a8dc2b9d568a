package diagnose

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// How far a stream's end may be from the death that caused it.
const (
	deathBefore = 300 * time.Millisecond // clocks of different observers
	deathAfter  = 1500 * time.Millisecond
	// A container's daemon tells of the kernel's kill when it comes to it.
	toldLate = time.Second
)

// concerns reports whether d may have ended g.
func (d death) concerns(g *verdict.Graded) bool {
	if !g.MayBeOn(d.replica) || d.pid != 0 && g.Content.Worker != "" && !g.ServedBy(d.replica, d.pid) &&
		d.kind != diedByTerm {
		return false
	}
	if d.at == record.Never || g.End == record.Never {
		return d.at == record.Never
	}
	if d.before(g) || d.over > 0 && g.End > d.over {
		return false
	}
	if d.cite.Log != "" { // a log's clock is coarse
		return hit{line: record.Line{At: d.at}}.near(g.End)
	}
	before := deathBefore
	if d.kind == diedByMemory {
		before = toldLate
	}
	return g.End >= d.at-before && g.End <= d.at+deathAfter+d.late
}

// before reports whether d was over when g began: it cannot be what ended it. A
// line of a log may be stamped up to a second early.
func (d death) before(g *verdict.Graded) bool {
	slack := time.Duration(0)
	if d.cite.Log != "" || d.kind == diedByMemory {
		slack = stampUnit
	}
	return startOf(g) > d.at+slack
}

// weight prefers deaths that name the stream's process, and our own doing.
func (d death) weight(g *verdict.Graded) int {
	w := 0
	if d.pid != 0 && g.ServedBy(d.replica, d.pid) {
		w += 2
	}
	if d.ours {
		w++
	}
	return w
}

// A match is a stream and the death that explains it.
type match struct {
	*verdict.Graded
	death death
}

// matchDeaths finds the best death for each stream, of the kinds asked for: a
// strike on it, else the end of its process, else an exception. An exception
// explains one stream only, so that ten streams are not blamed on the traceback
// of one.
func (v *view) matchDeaths(streams []*verdict.Graded, kinds ...deathKind) []match {
	var out []match
	var rest []*verdict.Graded
	for _, g := range streams {
		d, ok := v.deaths.strikeOn(g, kinds)
		if !ok {
			d, ok = v.deaths.sharedBy(g, kinds)
		}
		if ok {
			out = append(out, match{g, d})
		} else {
			rest = append(rest, g)
		}
	}
	if slices.Contains(kinds, diedByException) && len(v.deaths.raised) > 0 {
		out = append(out, v.deaths.raisedBy(rest, v.nonces())...)
	}
	return out
}

// without leaves out the streams that a death of these kinds explains.
func (v *view) without(gs []*verdict.Graded, kinds ...deathKind) []*verdict.Graded {
	explained := map[*verdict.Graded]bool{}
	for _, m := range v.matchDeaths(gs, kinds...) {
		explained[m.Graded] = true
	}
	return keep(gs, func(g *verdict.Graded) bool { return !explained[g] })
}

// names reports whether an exception in a log names g as its request.
func (ds *deaths) names(g *verdict.Graded) bool {
	_, ok := ds.named[g.Nonce]
	return ok && g.Nonce != ""
}

// nonces are those of the run's streams.
func (v *view) nonces() map[string]bool {
	of := make(map[string]bool, len(v.Streams))
	for i := range v.Streams {
		if n := v.Streams[i].Nonce; n != "" {
			of[n] = true
		}
	}
	return of
}

func (ds *deaths) strikeOn(g *verdict.Graded, kinds []deathKind) (death, bool) {
	if d := ds.strikes[g.Seq]; len(d) > 0 && slices.Contains(kinds, diedByStrike) {
		return d[0], true
	}
	return death{}, false
}

func (ds *deaths) sharedBy(g *verdict.Graded, kinds []deathKind) (best death, ok bool) {
	for _, d := range ds.shared {
		if !slices.Contains(kinds, d.kind) || !d.concerns(g) {
			continue
		}
		if !ok || d.weight(g) > best.weight(g) || d.weight(g) == best.weight(g) && distance(d, g) < distance(best, g) {
			best, ok = d, true
		}
	}
	return best, ok
}

// raisedBy deals exceptions out: to the stream that a line names, then in the
// order of time, then those without a time to whoever is left. One that names a stream
// of the run, as named says, is of no other.
func (ds *deaths) raisedBy(streams []*verdict.Graded, named map[string]bool) []match {
	var out []match
	used := make([]bool, len(ds.raised))
	byEnd := make([]*verdict.Graded, 0, len(streams))
	for _, g := range streams {
		if ds.names(g) {
			i := ds.named[g.Nonce]
			used[i] = true
			out = append(out, match{g, ds.raised[i]})
			continue
		}
		byEnd = append(byEnd, g)
	}
	slices.SortStableFunc(byEnd, func(a, b *verdict.Graded) int { return cmp.Compare(a.End, b.End) })
	timed := sort.Search(len(ds.raised), func(i int) bool { return ds.raised[i].at != record.Never })
	next, spare := timed, 0
	for _, g := range byEnd {
		for next < len(ds.raised) && (used[next] || named[ds.raised[next].id] || ds.raised[next].at < g.End-lineBefore) {
			next++
		}
		for spare < timed && (used[spare] || named[ds.raised[spare].id]) {
			spare++
		}
		switch {
		case next < len(ds.raised) && ds.raised[next].concerns(g):
			out = append(out, match{g, ds.raised[next]})
			next++
		case spare < timed:
			out = append(out, match{g, ds.raised[spare]})
			spare++
		}
	}
	return out
}

func distance(d death, g *verdict.Graded) time.Duration {
	if d.at == record.Never || g.End == record.Never {
		return time.Hour
	}
	return (g.End - d.at).Abs()
}

func gradedOf(ms []match) []*verdict.Graded {
	out := make([]*verdict.Graded, len(ms))
	for i, m := range ms {
		out[i] = m.Graded
	}
	return out
}

// causesOfDeath cites the deaths behind some matches, each once, at most n.
func causesOfDeath(ms []match, n int) []record.Evidence {
	var out []record.Evidence
	add := func(e record.Evidence) {
		said := func(o record.Evidence) bool { return o.String() == e.String() }
		if !e.Empty() && len(out) < n && !slices.ContainsFunc(out, said) {
			out = append(out, e)
		}
	}
	for _, m := range ms {
		add(record.Found(m.death.told()))
		add(m.death.cite)
	}
	return out
}

// told is what happened, and when if that is known.
func (d death) told() fact {
	if d.at == record.Never {
		return d.what
	}
	return fact{Kind: FactAt, Took: d.at, About: []fact{d.what}}
}
