package diagnose

import (
	"fmt"
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
	if len(ms) == 0 {
		return nil
	}
	gs := gradedOf(ms)
	lines := append(cite(v.tags[workerTimedOut], 2), cite(v.tags[workerAborted], 1)...)
	switch {
	case len(v.drained()) > 0:
		return one(v.recycled(gs).show(lines...))
	case v.stalledBefore(gs):
		return one(found(BlockedLoopTimeout, layerApp, certain, gs).
			say("%d streams fell silent together and were cut together when their worker was taken for dead: something "+
				"blocked its event loop", len(gs)).
			show(lines...).see(tightest(gs), silenceLine(gs)).
			not("memory kill", "a long common silence and a WORKER TIMEOUT came first").
			not("worker recycled", "no \"Shutting down\" before it").
			mend("move the blocking call off the loop: await run_in_threadpool(f), or an async client; a larger --timeout " +
				"only hides it"))
	default:
		return one(found(SyncWorkerTimeout, layerManager, certain, gs).
			say("%d streams were cut while tokens flowed: a sync worker gives no sign of life within a request, so its "+
				"timeout is the longest stream", len(gs)).
			show(lines...).see(sinceStart(gs)).
			not("blocked event loop", "the streams were not silent before they were cut").
			mend("gunicorn -k uvicorn.workers.UvicornWorker (or -k gthread); or --timeout above the longest stream"))
	}
}

func isCut(g *verdict.Graded) bool {
	return g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated
}

// drained are the lines by which a worker said that it was going before a worker
// was taken for dead. Shutdowns after the last timeout are of a later end, such
// as our own.
func (v *view) drained() []hit {
	var last time.Duration
	for _, h := range v.tags[workerTimedOut] {
		if h.line.At == record.Never {
			last = 1<<63 - 1
		}
		last = max(last, h.line.At)
	}
	var out []hit
	for _, h := range append(slices.Clone(v.tags[recycling]), v.tags[shuttingDown]...) {
		if h.line.At <= last && !strings.Contains(h.line.Text, "Shutting down: Master") {
			out = append(out, h)
		}
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

func sinceStart(gs []*verdict.Graded) string {
	if c, ok := of(Clusters(gs), SinceStart); ok {
		return c.String()
	}
	return fmt.Sprintf("stream %d was cut %.2f s after its start", gs[0].Seq, (gs[0].End - startOf(gs[0])).Seconds())
}

func (v *view) recycled(gs []*verdict.Graded) *finding {
	return found(WorkerRecycled, layerManager, certain, gs).
		say("a worker that was being recycled cut %d streams that it still served", len(gs)).
		show(cite(v.drained(), 4)...).see(tightest(gs)).
		not("blocked event loop → worker timeout", "the worker had been told to go before").
		mend("no --max-requests on stream workers; or --timeout above the longest stream, with --max-requests-jitter")
}

// recycledQuietly is E3 where the worker goes without a timeout.
func recycledQuietly(v *view) []*finding {
	if len(v.tags[recycling]) == 0 {
		return nil
	}
	gs := v.near(v.take(func(g *verdict.Graded) bool { return isCut(g) && !g.Struck }), v.tags[recycling])
	if len(gs) == 0 {
		return nil
	}
	return one(v.recycled(gs).show(cite(v.tags[recycling], 2)...))
}
