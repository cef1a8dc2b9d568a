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

// grace (E4) explains cuts after somebody asked the app to stop. The window is
// the app's own, also where we asked.
type grace struct{}

func (grace) match(v *view) []*finding {
	asked, lines := v.askedToStop()
	if asked == record.Never {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.End >= asked && startOf(g) <= asked+deathBefore
	})
	if len(gs) == 0 || len(v.tags[workerTimedOut]) > 0 && len(v.tags[recycling]) > 0 {
		return nil
	}
	after := gs[0].End - asked
	for _, g := range gs {
		after = min(after, g.End-asked)
	}
	confidence := likely
	ms := v.matchDeaths(gs, diedByTerm, diedByKill, diedByExit)
	if len(ms) > 0 || len(v.tags[graceOver]) > 0 {
		confidence = certain
	}
	f := found(GraceTooShort, "E4", layerManager, confidence, gs).
		say("the app was asked to stop and cut %d streams %.2f s later: its window is shorter than they are", len(gs), after.Seconds()).
		see(lines...).see(cite(v.tags[graceOver], 2)...).see(causesOfDeath(ms, 3)...).see(tightest(gs)).
		notIf(v.oomKills() == 0, "memory kill", "oom_kill did not rise").
		mend("give the app longer than the longest stream: gunicorn --graceful-timeout 120, uvicorn --timeout-graceful-shutdown 120, docker stop -t 130")
	if after < instant {
		f.say("the app was asked to stop and cut %d streams at once", len(gs))
	}
	return one(f)
}

// askedToStop is when the first request to stop came, and who says so.
func (v *view) askedToStop() (at time.Duration, lines []string) {
	at = record.Never
	note := func(t time.Duration, line string) {
		if t != record.Never && (at == record.Never || t < at) {
			at = t
		}
		if len(lines) < 3 {
			lines = append(lines, line)
		}
	}
	for _, e := range v.Events {
		switch {
		case e.Source == "fault" && e.Kind == "term", e.Kind == "stop", e.Kind == "kill" && e.Code == 15:
			note(e.At, fmt.Sprintf("%s %s of %s at %.3f s", e.Source, e.Kind, e.Subject, e.At.Seconds()))
		}
	}
	for _, h := range v.tags[termHandled] {
		note(h.line.At, h.String())
	}
	return at, lines
}

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
	case v.drained():
		return one(v.recycled(gs).see(lines...))
	case v.stalledBefore(gs):
		return one(found(BlockedLoopTimeout, "E2", layerApp, certain, gs).
			say("%d streams fell silent together and were cut together when their worker was taken for dead: something blocked its event loop", len(gs)).
			see(lines...).see(tightest(gs), silenceLine(gs)).
			not("memory kill", "a long common silence and a WORKER TIMEOUT came first").
			notIf(len(v.tags[shuttingDown]) == 0, "worker recycled", "no \"Shutting down\" before it").
			mend("move the blocking call off the loop: await run_in_threadpool(f), or an async client; a larger --timeout only hides it"))
	default:
		return one(found(SyncWorkerTimeout, "E1", layerManager, certain, gs).
			say("%d streams were cut while tokens flowed: a sync worker gives no sign of life within a request, so its timeout is the longest stream", len(gs)).
			see(lines...).see(sinceStart(gs)).
			not("blocked event loop", "the streams were not silent before they were cut").
			mend("gunicorn -k uvicorn.workers.UvicornWorker (or -k gthread); or --timeout above the longest stream"))
	}
}

func isCut(g *verdict.Graded) bool {
	return g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated
}

// drained reports whether the worker had been told to go before it timed out.
func (v *view) drained() bool { return len(v.tags[shuttingDown])+len(v.tags[recycling]) > 0 }

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
	return found(WorkerRecycled, "E3", layerManager, certain, gs).
		say("a worker that was being recycled cut %d streams that it still served", len(gs)).
		see(cite(v.tags[recycling], 2)...).see(cite(v.tags[shuttingDown], 2)...).see(tightest(gs)).
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
	return one(v.recycled(gs))
}

// killed (E7) explains cuts by the death of a process that nobody announced.
type killed struct{}

func (killed) match(v *view) []*finding {
	ms := v.matchDeaths(v.take(isCut), diedByKill, diedByExit)
	ms = slices.DeleteFunc(ms, func(m match) bool { return m.death.ours })
	if len(ms) == 0 {
		return nil
	}
	gs := gradedOf(ms)
	return one(found(WorkerKilled, "E7", layerManager, certain, gs).
		say("%d streams were cut when their process died: %s", len(gs), ms[0].death.what).
		see(causesOfDeath(ms, 5)...).see(tightest(gs), workersLine(gs)).
		not("blocked event loop → worker timeout", "no WORKER TIMEOUT in the log").
		notIf(v.oomKills() == 0, "memory kill", "oom_kill did not rise").
		not("application error mid-stream", "several streams of one process ended at one moment").
		mend("find out who sends the signal (deploys, health checks, operators); have clients resume or retry"))
}

func workersLine(gs []*verdict.Graded) string {
	var names []string
	for w, ws := range byWorker(gs) {
		if w != "" {
			names = append(names, fmt.Sprintf("%d of worker %s", len(ws), w))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// memoryKill (E9) explains cuts by the kernel. Only its own counters and events
// prove it: process managers guess "out of memory" for any SIGKILL.
type memoryKill struct{}

func (memoryKill) match(v *view) []*finding {
	kills, lines := v.oomKills(), v.oomLines()
	if kills == 0 && len(v.tags[oomKiller]) == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return isCut(g) || g.Grade.Outcome == verdict.Refused })
	gs = gradedOf(v.matchDeaths(gs, diedByMemory, diedByKill, diedByExit))
	if len(gs) == 0 {
		return nil
	}
	name, what := MemoryKillWorker, "one process, while the container lived"
	if v.containerDied() {
		name, what = MemoryKillAll, "the container with it"
	}
	return one(found(name, "E9", layerKernel, certain, gs).
		say("the kernel killed %s, for its memory, and %d streams with it", what, len(gs)).
		see(lines...).see(cite(v.tags[oomKiller], 2)...).see(cite(v.tags[workerKill], 2)...).see(tightest(gs), workersLine(gs)).
		notIf(len(v.tags[workerTimedOut]) == 0, "worker timeout", "no WORKER TIMEOUT in the log").
		not("worker killed by somebody", "the kernel's own oom_kill counter or event says so").
		mend("raise the memory limit for this number of streams, or cap concurrency: uvicorn --limit-concurrency N; bound every buffer that a stream holds"))
}

// oomKills is how often the kernel killed: by how much its counter rose, or by
// its events where there is no counter. A single reading is of a counter that
// began with its container.
func (v *view) oomKills() int64 {
	var low, high, events int64
	readings := 0
	for _, e := range v.Events {
		switch {
		case e.Kind == "counter" && strings.Contains(e.Subject, "oom_kill"):
			if readings++; readings == 1 {
				low = e.Value
			}
			low, high = min(low, e.Value), max(high, e.Value)
		case e.Kind == "oom":
			events++
		}
	}
	if readings == 1 {
		low = 0
	}
	return max(high-low, events)
}

func (v *view) oomLines() []string {
	var out []string
	for _, e := range v.Events {
		if e.Kind == "oom" || e.Kind == "counter" && strings.Contains(e.Subject, "oom_kill") && e.Value > 0 || e.Kind == "die" {
			out = append(out, fmt.Sprintf("%s %s %s at %.3f s: value %d, code %d %s", e.Source, e.Kind, e.Subject, e.At.Seconds(), e.Value, e.Code, e.Text))
		}
	}
	return out[:min(4, len(out))]
}

// containerDied reports whether the container went with the process: a die that
// no kill of anybody's announced (FIELD-NOTES, detection ladder).
func (v *view) containerDied() bool {
	died, announced := false, false
	for _, e := range v.Events {
		if e.Source == "docker" {
			died = died || e.Kind == "die"
			announced = announced || e.Kind == "kill"
		}
	}
	return died && !announced
}
