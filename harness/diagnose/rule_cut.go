package diagnose

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// resources (A1) explains streams whose generator found its resources closed: no
// event or always the same few, on all streams alike.
type resources struct{}

func (resources) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return (g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated) && !g.Struck && g.Contents <= 1 && g.Status < 400
	})
	if len(gs) == 0 {
		return nil
	}
	f := found(OutlivesResources, "A1", layerApp, certain, gs).
		say("%d streams ended at once after their head, with at most one event: what the generator reads was closed before it ran", len(gs)).
		see(cite(v.tags[closedResource], 3)...).see(cite(v.tags[exception], 1)...).see(framingLine(gs[0])).
		notIf(len(v.tags[closedResource]) > 0, "application error mid-stream", "the exception says that a resource was closed, and all streams end at the same event").
		mend("open the resource inside the generator (or at startup), not in a `with` around StreamingResponse; FastAPI >= 0.118 for yield dependencies")
	switch {
	case len(v.tags[closedResource]) > 0:
		return one(f)
	case v.appSpeaks() || !v.nobodyLives() || len(v.matchDeaths(gs, diedByKill, diedByExit, diedByTerm, diedByTimeout, diedByMemory)) > 0:
		return nil // the log would have said so; or only some streams die so early
	}
	f.Confidence = possible
	return one(f.settle("keep the app's log and run one stream: " + v.rerun("--streams 1")))
}

// nobodyLives reports whether no stream got further than one event.
func (v *view) nobodyLives() bool {
	for i := range v.Streams {
		if v.Streams[i].Contents > 1 {
			return false
		}
	}
	return true
}

// readTimeout (D1) explains cuts by the edge's own timer between two reads.
type readTimeout struct{}

func (readTimeout) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return (g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated) && v.edge.mayPass(g) && g.End-lastBytes(g) >= minSilence
	})
	if len(gs) == 0 {
		return nil
	}
	if hits := v.tags[upstreamTimeout]; len(hits) > 0 {
		return v.timedOut(v.near(gs, hits), certain, hits)
	}
	c, ok := of(Clusters(gs), SinceLast)
	matches := v.edge.timeout > 0 && v.fits(gs)
	switch {
	case v.edgeSpeaks():
		return nil // it would have said so
	case matches:
		return v.timedOut(gs, likely, nil)
	case ok && c.Tightness <= tight && !v.appSpeaks():
		return v.timedOut(gs, possible, nil)
	}
	return nil
}

// near keeps the streams that one of the lines may be about.
func (v *view) near(gs []*verdict.Graded, hits []hit) []*verdict.Graded {
	var out []*verdict.Graded
	for _, g := range gs {
		for _, h := range hits {
			if h.near(g.End) {
				out = append(out, g)
				break
			}
		}
	}
	return out
}

// fits reports whether every silence before an end is the edge's timeout. nginx
// fires up to 0.3 s early (TAXONOMY section 2).
func (v *view) fits(gs []*verdict.Graded) bool {
	for _, g := range gs {
		silence := g.End - lastBytes(g)
		if silence < v.edge.timeout-minSilence || silence > v.edge.timeout+v.edge.timeout/4+minSilence {
			return false
		}
	}
	return true
}

func (v *view) timedOut(gs []*verdict.Graded, confidence string, hits []hit) []*finding {
	if len(gs) == 0 {
		return nil
	}
	silence := (gs[0].End - lastBytes(gs[0])).Seconds()
	f := found(ProxyReadTimeout, "D1", layerEdge, confidence, gs).
		say("the edge cut %d streams that were silent for %.2f s", len(gs), silence).
		see(cite(hits, 4)...).see(silenceLine(gs), v.accessLine(gs[0])).
		notIf(len(v.tags[workerTimedOut]) == 0 && v.appSpeaks(), "blocked event loop → worker timeout", "no WORKER TIMEOUT in the app's log").
		mend("send a heartbeat comment (\": ping\") every third of the timeout; and: location /stream { proxy_read_timeout 1h; }")
	if v.edge.timeout > 0 {
		f.see(fmt.Sprintf("proxy_read_timeout is %v", v.edge.timeout))
	}
	fs := one(f)
	if n := beats(gs); n == 0 {
		fs = append(fs, found(NoHeartbeat, "D7", layerApp, confidence, gs).
			say("%d streams were silent for %.2f s without a heartbeat, which let an idle timer cut them", len(gs), silence).
			see(fmt.Sprintf("0 heartbeats on %d streams", len(gs))).
			mend("while nothing is ready, write a comment (\": ping\\n\\n\") every few seconds"))
	}
	if confidence == possible {
		for _, f := range fs {
			f.settle("keep the edge's error log: logs: {nginx_error: /var/log/nginx/error.log}")
		}
	}
	return fs
}

func silenceLine(gs []*verdict.Graded) string {
	if c, ok := of(Clusters(gs), SinceLast); ok {
		return c.String()
	}
	return fmt.Sprintf("stream %d ended %.2f s after its last byte", gs[0].Seq, (gs[0].End - lastBytes(gs[0])).Seconds())
}

func beats(gs []*verdict.Graded) int {
	n := 0
	for _, g := range gs {
		n += g.Heartbeats
	}
	return n
}

// appError (A2) explains single cuts by an exception, each with its own.
type appError struct{}

func (appError) match(v *view) []*finding {
	ms := v.matchDeaths(v.with(verdict.Aborted), diedByException)
	if len(ms) > 0 {
		return one(v.raised(gradedOf(ms), certain).see(causesOfDeath(ms, 6)...).see(cite(v.tags[upstreamClosed], 2)...))
	}
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.Partial == 0 && v.edge.passed(g)
	})
	gs = v.near(gs, v.tags[upstreamClosed])
	if len(gs) == 0 || v.appSpeaks() {
		return nil // the app's log would show the exception
	}
	return one(v.raised(gs, likely).see(cite(v.tags[upstreamClosed], 3)...).settle("keep the app's log: logs: {app: app.log}"))
}

func (v *view) raised(gs []*verdict.Graded, confidence string) *finding {
	return found(AppError, "A2", layerApp, confidence, gs).
		say("the app raised in mid-stream and its server cut %d connections", len(gs)).
		see(tightest(gs)).
		notIf(!v.died(gs), "worker killed", "no process exited; streams beside these went on").
		notIf(v.edgeSpeaks() && len(v.tags[upstreamTimeout]) == 0, "proxy read timeout", "no timeout in the edge's error log").
		mend("catch inside the generator, send the dialect's error event and end properly: except Exception as e: yield error_event(e); return")
}

func (v *view) died(gs []*verdict.Graded) bool {
	return len(v.matchDeaths(gs, diedByKill, diedByExit, diedByMemory)) > 0
}

// lengthLie (A7) explains bodies shorter than they declared.
type lengthLie struct{}

func (lengthLie) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.Wire.Framing == record.Length && !g.Struck && g.Wire.Close == record.CloseFIN
	})
	if len(gs) == 0 || len(v.matchDeaths(gs, diedByException)) > 0 && len(v.tags[lengthMismatch]) == 0 {
		return nil
	}
	confidence := likely
	if len(v.tags[lengthMismatch]) > 0 {
		confidence = certain
	}
	return one(found(LengthLie, "A7", layerApp, confidence, gs).
		say("%d responses declared a Content-Length and ended before it", len(gs)).
		see(fmt.Sprintf("stream %d: Content-Length %s, %d bytes came", gs[0].Seq, orElse(gs[0].Header["Content-Length"], "unknown"), gs[0].Bytes)).
		see(cite(v.tags[lengthMismatch], 3)...).
		notIf(v.appSpeaks(), "worker killed", "no process exited").
		mend("never set Content-Length on a stream; a middleware that changes bodies must drop it"))
}

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
	if v.oneInstant(gs) {
		recycled := maybe(WorkerRecycled, "E3", layerManager, "a worker that is recycled looks like this", "no --max-requests on stream workers")
		window := maybe(GraceTooShort, "E4", layerManager, "a deploy whose window runs out looks like this", "raise the graceful timeout")
		memory := maybe(MemoryKillWorker, "E9", layerKernel, "a kill for memory looks like this", "watch oom_kill")
		all := maybe(MemoryKillAll, "E9", layerKernel, "a container that dies for memory looks like this", "watch oom_kill and exit codes")
		loop := maybe(BlockedLoopTimeout, "E2", layerManager, "a worker that its manager ended looks like this", "no blocking call in async code")
		return []*finding{killed, recycled, window, memory, all, loop, raised, cutHere}
	}
	out := []*finding{raised, killed}
	if c, ok := of(Clusters(gs), SinceStart); ok && c.Tightness <= tight && c.Center >= 1 {
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
