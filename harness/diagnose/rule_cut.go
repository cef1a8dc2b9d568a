package diagnose

import (
	"fmt"
	"slices"
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
		f := found(CutInFrame, layerApp, likely, inFrame).
			say("%d connections were cut in the middle of an event", len(inFrame)).
			see(say(inFrame[0]), fmt.Sprintf("%d bytes of an unfinished event", inFrame[0].Partial),
				tightest(inFrame)).show(v.lastWord(inFrame[0])).
			show(cite(v.tags[upstreamClosed], 2)...).
			notIf(v.appSpeaks(), "application error mid-stream", "no exception in the app's log").
			notIf(v.noExit(inFrame), "worker killed", "no process exited").
			mend("write an event with one write and end the response properly; on failure send an error event")
		fs = append(fs, f)
		v.explain(f)
	}
	if gs := v.with(verdict.Aborted); len(gs) > 0 {
		fs = append(fs, v.unknownCut(gs))
	}
	return fs
}

// A suspect is a cause that a cut without any server evidence may have.
type suspect struct{ name, layer, why, fix string }

var (
	unknownSide = suspect{ConnectionCut, layerNetwork,
		"a hop between client and app may cut as well: timers, restarts, lost state",
		"enter the chain at each hop (" + peelCommand + "); raise the idle and total timeouts of the one that cuts, and " +
			"let clients resume or retry"}
	idleTimer = suspect{ProxyReadTimeout, layerEdge,
		"they had been silent for the same time, as an idle timer on the way would have it",
		"send a heartbeat every few seconds; raise the timer"}
	syncAge = suspect{SyncWorkerTimeout, layerManager, "a sync worker's timeout counts from the start of its request",
		"use an asynchronous worker: gunicorn -k uvicorn.workers.UvicornWorker"}
)

func (v *view) raiser() suspect {
	return suspect{AppError, layerApp, "an exception in the generator ends its own stream only", v.fix(fixRaised)}
}

// deadly are the ways in which a process ends, each with all of its streams. One
// that was silent before has rather been blocked.
func (v *view) deadly(gs []*verdict.Graded) []suspect {
	dead := []suspect{
		{WorkerKilled, layerManager, "a process that dies takes all its streams at one moment",
			"look for the exit of a process at that moment (exit code, kernel log); keep a second worker, and let clients " +
				"resume or retry"},
		{WorkerRecycled, layerManager, "a process manager recycles workers: --max-requests, reload",
			"no --max-requests on stream workers"},
		{GraceTooShort, layerManager, "a deploy's window may have run out",
			"raise the graceful timeout above the longest stream"},
		{MemoryKillWorker, layerKernel, "the kernel kills for memory; oom_kill counts it",
			"raise the memory limit or cap concurrency"},
		{MemoryKillAll, layerKernel, "a container may have died for memory: exit code 137",
			"raise the memory limit or cap concurrency"},
	}
	blocked := suspect{BlockedLoopTimeout, layerManager, "a process manager ends a worker whose loop is blocked",
		v.fix(fixBlocked)}
	if v.stalledBefore(gs) {
		return append([]suspect{blocked}, dead...)
	}
	return append(dead, blocked)
}

// killers are the ways in which a process may have ended, as far as the shape
// allows: all of them where the streams of some process ended together and none
// of it went on, else only the plainest. A kill for memory looks like any other from
// outside. That of a whole container leaves no stream behind.
func (v *view) killers(gs []*verdict.Graded) []suspect {
	dead := v.deadly(gs)
	if v.mayHaveDied(gs) {
		return dead
	}
	plain := []string{WorkerKilled, MemoryKillWorker}
	if v.stalledBefore(gs) {
		plain = append(plain, BlockedLoopTimeout)
	}
	if !v.wentOnBeside(gs) {
		plain = append(plain, MemoryKillAll)
	}
	return slices.DeleteFunc(dead, func(s suspect) bool { return !slices.Contains(plain, s.name) })
}

// unknownCut names the likeliest cause of cuts that nothing explains, by their
// shape, and the others that look like it.
func (v *view) unknownCut(gs []*verdict.Graded) *finding {
	if f := v.overheard(gs); f != nil {
		return f
	}
	suspects, clue := v.suspects(gs)
	first := suspects[0]
	f := found(first.name, first.layer, possible, gs).
		say("%d connections were cut mid-body: %s", len(gs), clue).
		see(say(gs[0]), shape(gs), v.neighbours(gs)).show(v.lastWord(gs[0])).
		notIf(v.appSpeaks(), "an exception that the app logs", "none in its log").
		mend(first.fix).settle(v.keepLogs())
	for _, s := range suspects[1:] {
		f.or(s.name, s.why)
	}
	return f
}

// suspects lists who may have cut, likeliest first, and says what puts the first
// one there.
func (v *view) suspects(gs []*verdict.Graded) (list []suspect, clue string) {
	switch few := len(gs) < minCluster; {
	case v.appSpeaks() && sameEvent(gs) && !v.together(gs):
		list, clue = []suspect{v.raiser()}, "all after the same event, as in an app that hides its exceptions"
	case v.appSpeaks():
		clue = "nothing recorded says by whom"
	case v.together(gs):
		list, clue = append(v.deadly(gs), v.raiser()), "all at one instant, as when their process ends"
	case few:
		list, clue = append([]suspect{v.raiser()}, v.deadly(gs)...), "too few to tell by their shape who cut"
	case sameEvent(gs):
		list, clue = append([]suspect{v.raiser()}, v.killers(gs)...),
			"all after the same event, as when the app's own code fails there"
	case v.sameAge(gs):
		list, clue = append([]suspect{syncAge, v.raiser()}, v.killers(gs)...), "all at the same age, whatever their event"
	default:
		list, clue = append([]suspect{v.raiser()}, v.killers(gs)...), "each at its own event and time"
	}
	if s, ok := v.deadlineSuspect(gs); ok {
		list = append(list, s)
	}
	if !v.appSpeaks() && (v.sameAge(gs) || v.polledAge(gs)) {
		list = append(list, syncAge)
	}
	if c, ok := of(Clusters(gs), SinceLast); ok && c.Tightness <= tight || !v.edgeSpeaks() && v.stalledBefore(gs) {
		list = append(list, idleTimer)
	}
	return append(list, unknownSide), clue
}

// sameAge reports whether the streams ended at the same time since their start,
// not at once, and no other one lived on. Two cannot disagree.
func (v *view) sameAge(gs []*verdict.Graded) bool {
	age := measureOf(gs, ageOf)
	if len(v.beyond(gs, func(g *verdict.Graded) bool { return v.older(g, age) })) > 0 {
		return false
	}
	if len(gs) < minCluster {
		return gs[0].End-startOf(gs[0]) >= time.Second
	}
	c, ok := of(Clusters(gs), SinceStart)
	return ok && c.Tightness <= tight && c.Center >= 1
}

// polledAge reports whether the streams may have ended by a limit on their age that is
// looked at once a second, as gunicorn's master looks after its workers: their ages lie
// within two such looks, since a busy master comes late to some, and no other stream
// lived longer. The age counts from the request,
// or, where requests wait until a worker is free, from the head.
//
//	age    3 s ├──── one look to the next ────┤ 4 s
//	ends         ╳      ╳           ╳      ╳
func (v *view) polledAge(gs []*verdict.Graded) bool {
	return v.polled(gs, ageOf) || v.polled(gs, servedFor)
}

// servedFor is how long a stream was answered.
func servedFor(g *verdict.Graded) time.Duration { return g.End - max(g.Headers, startOf(g)) }

func (v *view) polled(gs []*verdict.Graded, of func(*verdict.Graded) time.Duration) bool {
	first, last := of(gs[0]), of(gs[0])
	for _, g := range gs {
		first, last = min(first, of(g)), max(last, of(g))
	}
	older := func(g *verdict.Graded) bool { return g.First >= 0 && of(g) > last+max(minSilence, first/10) }
	return first >= minAge && last-first <= 2*pollAge && len(v.beyond(gs, older)) == 0
}
