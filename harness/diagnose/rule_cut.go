package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
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
			tell(fact{Kind: FactCutInEvent, N: len(inFrame)}).
			see(say(inFrame[0]), fact{Kind: FactUnfinished, Bytes: int64(inFrame[0].Partial)},
				tightest(inFrame)).show(v.lastWord(inFrame[0])).
			show(cite(v.tags[upstreamClosed], 2)...).
			notIf(v.appSpeaks(), "application error mid-stream", fact{Kind: NotLogged}).
			notIf(v.noExit(inFrame), "worker killed", fact{Kind: NotExited})
		if !closedInFrame(inFrame) {
			// A connection that is reset loses bytes at any place.
			f.Confidence = possible
			f.or(unknownSide.name, unknownSide.why)
			f.settle(v.keepLogs())
		}
		fs = append(fs, f)
		v.explain(f)
	}
	if gs := v.with(verdict.Aborted); len(gs) > 0 {
		fs = append(fs, v.unknownCut(gs))
	}
	return fs
}

// closedInFrame reports whether each of gs was closed by its sender (FIN) in the middle of
// an event: whoever did it had written that far and no further.
func closedInFrame(gs []*verdict.Graded) bool {
	return !slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Wire.Close != record.CloseFIN })
}

// A suspect is a cause that a cut without any server evidence may have.
type suspect struct {
	name, layer string
	why         fact
	mend        record.FactKind // for a cause without a remedy
}

var (
	unknownSide = suspect{ConnectionCut, layerNetwork, fact{Kind: MayHopCuts}, MendEnterEachHop}
	idleTimer   = suspect{ProxyReadTimeout, layerEdge, fact{Kind: MaySameSilence}, ""}
	syncAge     = suspect{SyncWorkerTimeout, layerManager, fact{Kind: MaySyncWorker}, ""}
)

func (v *view) raiser() suspect {
	return suspect{AppError, layerApp, fact{Kind: MayRaise}, ""}
}

// deadly are the ways in which a process ends, each with all of its streams. One
// that was silent before has rather been blocked.
func (v *view) deadly(gs []*verdict.Graded) []suspect {
	dead := []suspect{
		{WorkerKilled, layerManager, fact{Kind: MayProcessDied}, MendLookForExit},
		{WorkerRecycled, layerManager, fact{Kind: MayRecycle}, ""},
		{GraceTooShort, layerManager, fact{Kind: MayDeploy}, ""},
		{MemoryKillWorker, layerKernel, fact{Kind: MayKernelKill}, ""},
		{MemoryKillAll, layerKernel, fact{Kind: MayContainerKill}, ""},
	}
	blocked := suspect{BlockedLoopTimeout, layerManager, fact{Kind: MayBlockedWorker}, ""}
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
		tell(fact{Kind: FactCutMidBody, N: len(gs), About: []fact{clue}}).
		see(say(gs[0]), shape(gs), v.neighbours(gs)).show(v.lastWord(gs[0])).
		notIf(v.appSpeaks(), "an exception that the app logs", fact{Kind: NotInItsLog}).
		mend(fact{Kind: first.mend}).settle(v.keepLogs())
	for _, s := range suspects[1:] {
		f.or(s.name, s.why)
	}
	return f
}

// suspects lists who may have cut, likeliest first, and says what puts the first
// one there.
func (v *view) suspects(gs []*verdict.Graded) (list []suspect, clue fact) {
	switch few := len(gs) < minCluster; {
	case v.appSpeaks() && sameEvent(gs) && !v.together(gs):
		list, clue = []suspect{v.raiser()}, fact{Kind: FactHiddenExceptions}
	case v.appSpeaks():
		clue = fact{Kind: FactNobodySays}
	case v.together(gs):
		list, clue = append(v.deadly(gs), v.raiser()), fact{Kind: FactOneInstant}
	case few:
		list, clue = append([]suspect{v.raiser()}, v.deadly(gs)...), fact{Kind: FactTooFew}
	case sameEvent(gs):
		list, clue = append([]suspect{v.raiser()}, v.killers(gs)...),
			fact{Kind: FactCodeFails}
	case v.sameAge(gs):
		list, clue = append([]suspect{syncAge, v.raiser()}, v.killers(gs)...), fact{Kind: FactOneAge}
	default:
		list, clue = append([]suspect{v.raiser()}, v.killers(gs)...), fact{Kind: FactNothingShared}
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
