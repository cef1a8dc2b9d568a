package diagnose

import (
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/verdict"
)

// cut takes what is left: a frame cut by the app, or a cut whose side is
// unknown.
type cut struct{}

func (cut) match(v *view) []*finding {
	var fs []*finding
	inFrame := v.take(func(g *verdict.Graded) bool { return g.Grade.Outcome == verdict.Aborted && g.Partial > 0 })
	if len(inFrame) > 0 {
		f := found(CutInFrame, "J5", layerApp, likely, inFrame).
			say("%d connections were cut in the middle of an event", len(inFrame)).
			see(say(inFrame[0]), fmt.Sprintf("%d bytes of an unfinished event", inFrame[0].Partial), tightest(inFrame), v.lastWord(inFrame[0])).
			see(cite(v.tags[upstreamClosed], 2)...).
			notIf(v.appSpeaks(), "application error mid-stream", "no exception in the app's log").
			notIf(!v.died(inFrame), "worker killed", "no process exited; streams beside these went on").
			mend("write an event with one write and end the response properly; on failure send an error event")
		fs = append(fs, f)
		v.explain(f)
	}
	if gs := v.with(verdict.Aborted); len(gs) > 0 {
		fs = append(fs, v.unknownCut(gs)...)
	}
	return fs
}

// unknownCut gives the candidates for cuts that nothing explains, in the order
// in which the shape of the cuts hints at them.
func (v *view) unknownCut(gs []*verdict.Graded) []*finding {
	clue := tightest(gs)
	settle := "keep the logs (logs: {app: …, nginx_error: …}), then: " + peel
	maybe := func(name, taxonomy, layer, why, fix string) *finding {
		return found(name, taxonomy, layer, possible, gs).say("%d connections were cut; %s", len(gs), why).see(say(gs[0]), clue).mend(fix).settle(settle)
	}
	cutHere := found(ConnectionCut, "X", layerNetwork, possible, gs).
		say("%d connections were cut in mid-body and nothing recorded says by whom", len(gs)).
		see(say(gs[0]), clue, v.lastWord(gs[0])).mend("see the candidates").settle(settle)
	if v.appSpeaks() {
		return one(cutHere)
	}
	raised := maybe(AppError, "A2", layerApp, "an exception in the app looks like this", "catch in the generator and send an error event")
	killed := maybe(WorkerKilled, "E7", layerManager, "a worker that dies looks like this", "find out who kills workers: exit codes, oom_kill")
	out := []*finding{raised, killed}
	few := len(gs) < minCluster // too few to lie close together on anything
	if few || v.oneInstant(gs) {
		out = []*finding{killed,
			maybe(WorkerRecycled, "E3", layerManager, "a worker that is recycled looks like this", "no --max-requests on stream workers"),
			maybe(GraceTooShort, "E4", layerManager, "a deploy whose window runs out looks like this", "raise the graceful timeout"),
			maybe(MemoryKillWorker, "E9", layerKernel, "a kill for memory looks like this", "watch oom_kill"),
			maybe(MemoryKillAll, "E9", layerKernel, "a container that dies for memory looks like this", "watch oom_kill and exit codes"),
			maybe(BlockedLoopTimeout, "E2", layerManager, "a worker that its manager ended looks like this", "no blocking call in async code"),
			raised}
	}
	if c, ok := of(Clusters(gs), SinceStart); few && gs[0].End-startOf(gs[0]) >= time.Second || ok && c.Tightness <= tight && c.Center >= 1 {
		out = append(out, maybe(SyncWorkerTimeout, "E1", layerManager, "a sync worker's timeout counts from the start like this", "use an async worker"))
	}
	return append(out, cutHere)
}

// oneInstant reports whether the streams of each worker ended together, though
// they had not begun together.
func (v *view) oneInstant(gs []*verdict.Graded) bool {
	for _, ws := range byWorker(gs) {
		c, ok := of(Clusters(ws), AtInstant)
		if ok && c.Spread <= instant.Seconds() {
			return true
		}
	}
	return false
}
