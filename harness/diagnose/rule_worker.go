package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// instant is how far apart ends may lie that one event caused.
const instant = 250 * time.Millisecond

// workerTimeout (E1, E2, E3) explains cuts by a process manager that took a
// worker for dead. What the worker did before tells the three apart.
type workerTimeout struct{}

func (workerTimeout) match(v *view) []*finding {
	if len(v.tags[workerTimedOut]) == 0 {
		return recycledQuietly(v)
	}
	ms := v.matchDeaths(v.take(isCut), diedByTimeout)
	var fs []*finding
	lines := append(cite(v.tags[workerTimedOut], 2), cite(v.tags[workerAborted], 1)...)
	var gone []*verdict.Graded // with workers that were going anyway
	var said []hit
	rest := slices.DeleteFunc(ms, func(m match) bool {
		hits := v.drained(m.death)
		if len(hits) == 0 {
			return false
		}
		gone, said = append(gone, m.Graded), hits
		return true
	})
	if len(gone) > 0 {
		fs = append(fs, v.recycled(gone, said, certain).show(lines...))
	}
	if len(rest) == 0 {
		return fs
	}
	gs := gradedOf(rest)
	stalled := v.stalledBefore(gs)
	if stalled && !slices.ContainsFunc(rest, v.ofSyncWorker) {
		return append(fs, found(BlockedLoopTimeout, layerApp, certain, gs).
			tell(fact{Kind: FactBlockedTimeout, N: len(gs)}).
			show(lines...).see(tightest(gs), silenceLine(gs)).
			not("memory kill", fact{Kind: NotMemory}).
			not("worker recycled", fact{Kind: NotRecycled}))
	}
	return append(fs, found(SyncWorkerTimeout, layerManager, certain, gs).
		tell(fact{Kind: FactSyncTimeout, N: len(gs)}).
		show(lines...).show(cite(v.tags[syncWorkers], 1)...).see(sinceStart(gs)).
		notIf(!stalled, "blocked event loop", fact{Kind: NotSilentBefore}))
}

// ofSyncWorker reports whether the worker that died was one of gunicorn's sync workers,
// by the log that tells of its end.
func (v *view) ofSyncWorker(m match) bool {
	return slices.ContainsFunc(v.tags[syncWorkers], func(h hit) bool { return h.log.Name == m.death.cite.Log })
}

func isCut(g *verdict.Graded) bool {
	return g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated
}

// drainLimit is how long a worker that is going may take until it is taken for dead,
// where no line says which one that was.
const drainLimit = 90 * time.Second

// drained are the lines by which a worker said that it was going, before that same
// worker was taken for dead. Shutdowns after that are of a later end, such as our own.
func (v *view) drained(d death) []hit {
	var out []hit
	for _, h := range slices.Concat(v.tags[recycling], v.tags[shuttingDown]) {
		if h.log.Name != d.cite.Log || strings.Contains(h.line.Text, "Shutting down: Master") {
			continue
		}
		timed := h.line.At != record.Never && d.at != record.Never
		if timed && h.line.At > d.at {
			continue
		}
		pid := writerOf(h.line.Text)
		if pid == 0 || d.pid == 0 || pid == writerOf(d.cite.Text) { // the manager's word is about all workers
			if timed && d.at-h.line.At > drainLimit {
				continue
			}
		} else if pid != d.pid {
			continue
		}
		out = append(out, h)
	}
	return out
}

// stalledBefore reports whether most streams had been silent for much longer
// than usual when they were cut.
func (v *view) stalledBefore(gs []*verdict.Graded) bool {
	n := 0
	for _, g := range gs {
		if silence := g.End - lastBytes(g); silence >= minSilence && silence >= 4*usualGap(g) {
			n++
		}
	}
	return 2*n > len(gs)
}

// usualGap is the median time between two events of a stream.
func usualGap(g *verdict.Graded) time.Duration {
	var gaps []time.Duration
	last := record.Never
	for m := range g.Marks() {
		if last != record.Never {
			gaps = append(gaps, m.At-last)
		}
		last = m.At
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

func sinceStart(gs []*verdict.Graded) fact {
	if c, ok := of(Clusters(gs), SinceStart); ok {
		return c.fact()
	}
	return fact{Kind: FactCutSince, Stream: gs[0].Seq, Took: gs[0].End - startOf(gs[0])}
}

func (v *view) recycled(gs []*verdict.Graded, said []hit, confidence string) *finding {
	return found(WorkerRecycled, layerManager, confidence, gs).
		tell(fact{Kind: FactRecycled, N: len(gs)}).
		show(cite(said, 4)...).see(tightest(gs)).
		not("blocked event loop → worker timeout", fact{Kind: NotBlockedRecycled})
}

// recycledQuietly is E3 where the worker goes without a timeout. Such a line stands in
// a log whatever ends the streams, so that a recorded death or exception comes first.
func recycledQuietly(v *view) []*finding {
	if len(v.tags[recycling]) == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return isCut(g) && !g.Struck })
	gs = v.near(gs, v.tags[recycling])
	gs = v.without(gs, diedByKill, diedByExit, diedByMemory, diedByException)
	if len(gs) == 0 {
		return nil
	}
	return one(v.recycled(gs, v.tags[recycling], likely))
}
