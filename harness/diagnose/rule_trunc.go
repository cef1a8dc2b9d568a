package diagnose

import (
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	fixLaunder = nginxHonest
	fixEarly   = "send the terminal on the success path only, and an error event on every other; let exceptions end the " +
		"connection"
)

// laundered (B9, B8) explains truncation by an edge that took the death of its
// upstream for the end of the answer. It needs two things: an edge that can do
// that, and a death behind it.
type laundered struct{}

func (laundered) match(v *view) []*finding {
	ms := v.matchDeaths(v.take(func(g *verdict.Graded) bool { return g.Grade.Outcome == verdict.Truncated }),
		diedByStrike, diedByKill, diedByExit, diedByTimeout, diedByMemory, diedByTerm, diedByException)
	var byEdge []match
	for _, m := range ms {
		if v.canLaunder(m) {
			byEdge = append(byEdge, m)
		}
	}
	if len(byEdge) == 0 {
		return nil
	}
	gs := gradedOf(byEdge)
	confidence := likely
	if v.edge.known && v.edge.old {
		confidence = certain
	}
	return one(found(LaunderedByEdge, layerEdge, confidence, gs).
		say("%d streams ended like a success without their terminal: behind %s, %s, and it closed the body properly", len(gs),
			v.edge.product, byEdge[0].death.what).
		show(causesOfDeath(byEdge, 6)...).
		see(framingLine(gs[0])).show(v.accessLine(gs[0])).
		notIf(v.edgeSpeaks() && len(v.tags[upstreamClosed]) == 0, "a cut that the edge noticed",
			"no \"upstream prematurely closed\" line in its error log").
		not("silent truncation by the app", "something behind the edge died at the moment at which the streams ended").
		mend(fixLaunder))
}

// canLaunder reports whether an edge stands where it could have turned this
// death into a clean end. With an HTTP/1.1 upstream an exception in the app
// reaches the edge as a cut chunked body, which it passes on; only something
// that ends the body itself makes it clean then, and that is the app; as it is
// where the app does the same when asked directly.
func (v *view) canLaunder(m match) bool {
	switch {
	case !v.edge.mayPass(m.Graded), !v.edge.known && !v.edge.mayLaunder() && m.Wire.Framing == record.Chunked:
		return false
	case m.death.kind == diedByException:
		return v.direct.clean == 0 && (v.edge.old || v.mayHaveEnded(m.Graded) && (m.death.cuts || v.direct.cut > 0))
	default:
		return v.edge.there || m.Wire.Framing != record.CloseDelimited // whose end anybody's FIN is
	}
}

// mayHaveEnded reports whether somebody's edge stands in front that may speak
// HTTP/1.0 to the app, as nginx does by default, or end a body that was cut, as Caddy
// does. An exception alone does not tell it from an app that ends the body itself;
// one after which the server cuts the connection does.
func (v *view) mayHaveEnded(g *verdict.Graded) bool {
	return !v.edge.known && v.edge.passed(g) && v.edge.mayLaunder() && v.direct.clean == 0
}

func framingLine(g *verdict.Graded) string {
	return fmt.Sprintf("stream %d: status %d, %s body, %s after %d content events", g.Seq, g.Status, g.Wire.Framing,
		g.Grade.Ending, g.Contents)
}

// accessLine cites the edge's word for a stream.
func (v *view) accessLine(g *verdict.Graded) record.Evidence {
	a, ok := v.accessOf(g)
	if !ok {
		return record.Evidence{}
	}
	e := a.cited()
	e.Stream = g.Seq
	return e
}

// endedEarly (A3, A4, B8) explains the truncation that is left.
type endedEarly struct{}

func (endedEarly) match(v *view) []*finding {
	var fs []*finding
	if ms := v.matchDeaths(v.with(verdict.Truncated), diedByException); len(ms) > 0 {
		fs = append(fs, v.byApp(ms))
		v.explain(fs[0])
	}
	if ms := v.complaints(v.with(verdict.Truncated)); len(ms) > 0 {
		fs = append(fs, v.byApp(ms))
		v.explain(fs[len(fs)-1])
	}
	if gs := v.take(v.struckTruncated); len(gs) > 0 {
		fs = append(fs, v.byClose(gs))
		v.explain(fs[len(fs)-1])
	}
	if gs := v.with(verdict.Truncated); len(gs) > 0 {
		fs = append(fs, v.early(gs)...)
	}
	return fs
}

// byApp is A4: a clean end, and an exception or a complaint about the same request
// in the app's log.
func (v *view) byApp(ms []match) *finding {
	gs := gradedOf(ms)
	f := found(LaunderedByApp, layerApp, certain, gs).
		say("the app raised on %d streams and its body ended cleanly all the same: a middleware or handler swallowed it",
			len(gs)).
		show(causesOfDeath(ms, 6)...).
		see(framingLine(gs[0])).
		notIf(v.noExit(gs), "worker killed", "no process exited at that time").
		mend(v.fix(fixSwallowed))
	cuts := slices.ContainsFunc(ms, func(m match) bool { return m.death.cuts })
	switch {
	case v.mayHaveEnded(gs[0]):
		f.Confidence = likely
		return f.or(LaunderedByEdge,
			v.edge.product.String()+" may have closed the body properly where the app's server cut it").
			settle(v.settleLayers())
	case cuts && !v.edge.known && v.edge.mayLaunder() && v.edge.mayPass(gs[0]) && v.direct.clean == 0:
		f.Confidence = likely
		return f.or(LaunderedByEdge,
			"the exception reached the app's server, which cuts the connection then, so that a hop that does not show may "+
				"have closed the body properly: "+v.noSign()).
			settle(v.settleLayers())
	}
	return f.not("laundered by the edge", v.whyNotEdge(gs[0]))
}

func (v *view) whyNotEdge(g *verdict.Graded) string {
	switch {
	case v.direct.clean > 0:
		return v.direct.alike()
	case v.edge.known && !v.edge.there, !v.edge.mayPass(g):
		return "no edge stood in the way"
	case !v.edge.there:
		return v.noSign()
	case !v.edge.known:
		return v.edge.product.String() + " passes a cut on as a cut"
	default:
		return "its upstream is HTTP/1.1, where a cut stays a cut"
	}
}

// struckTruncated holds for streams that we cut ourselves, in a body that only
// the close ends.
func (v *view) struckTruncated(g *verdict.Graded) bool {
	return g.Grade.Outcome == verdict.Truncated && g.Struck && g.Wire.Framing == record.CloseDelimited
}

// byClose is B8.
func (v *view) byClose(gs []*verdict.Graded) *finding {
	return found(EndsByClose, layerApp, certain, gs).
		say("%d streams were cut by our fault, and their body is delimited by the close alone: no client can tell a cut from the end", len(gs)).
		see(framingLine(gs[0])).see(v.windowLines()).
		mend("keep HTTP/1.1 chunked (or HTTP/2) from end to end: no chunked_transfer_encoding off, no HTTP/1.0 hop")
}

// early is A3, or a choice where too little is known. Bodies that end inside a
// frame and bodies that end between two have names of their own.
func (v *view) early(gs []*verdict.Graded) []*finding {
	var between, inside []*verdict.Graded
	for _, g := range gs {
		if g.Partial > 0 {
			inside = append(inside, g)
		} else {
			between = append(between, g)
		}
	}
	var fs []*finding
	if len(between) > 0 {
		fs = v.choose(found(SilentTruncation, layerApp, possible, between).
			say("%d streams ended cleanly without their terminal", len(between)))
		if v.Scenario.Policy.Feed > 0 {
			v.ofFeed(fs[0])
		}
	}
	if len(inside) > 0 {
		fs = append(fs, v.choose(found(CutInFrame, layerApp, possible, inside).
			say("%d streams ended cleanly, inside a frame", len(inside)))...)
	}
	for _, f := range fs {
		if s, ok := v.deadlineSuspect(gs); ok {
			f.or(s.name, s.why)
		}
		if f.Confidence != certain && v.allOfOneSilence(gs) {
			f.or(idleTimer.name, idleTimer.why)
			f.or(IdleTimeoutInApp, "the app, or the client of its model, may itself give up after this silence")
		}
	}
	return fs
}

// allOfOneSilence reports whether a timer between two reads may have ended all of gs:
// they had been silent for as long, and nobody for longer.
func (v *view) allOfOneSilence(gs []*verdict.Graded) bool {
	silence := measureOf(gs, silenceOf).center
	return len(gs) > 1 && steadySilence(gs) &&
		len(v.beyond(gs, func(g *verdict.Graded) bool { return outlasted(g, silence) })) == 0
}

// ofFeed words the early end of a feed, which has no terminal.
func (v *view) ofFeed(f *finding) {
	if f.Cause.Cause != SilentTruncation {
		return
	}
	f.Cause.Cause = FeedEnded
	f.say("%d streams of a feed without an end ended cleanly, the first after %.1f s", len(f.streams),
		(f.streams[0].End - f.streams[0].Send).Seconds()).
		mend("find out who ends it (a bound on its life in the app or at the edge, a restart, a producer that stops), and " +
			"let clients reconnect with Last-Event-ID")
}

// choose decides between the app's own early end and its look-alikes, as far as
// the evidence goes.
func (v *view) choose(own *finding) []*finding {
	gs := own.streams
	own.see(framingLine(gs[0]), shape(gs)).show(v.lastWord(gs[0])).see(v.direct.alike()).mend(fixEarly)
	throughOld := v.edge.mayPass(gs[0]) && v.edge.mayLaunder()
	p := v.produced(gs)
	_, spoke := v.ownWords(gs)
	switch {
	case v.direct.clean == 0 && len(v.edgeNoticed(gs)) > 0:
		return v.noticedByEdge(gs, own)
	case p != nil && p.lost && v.edge.mayPass(gs[0]):
		return one(v.lostOnTheWay(gs, p))
	case spoke && !v.appSpeaks():
		own.Confidence = likely
		return one(own)
	case v.direct.differs() != "" && v.edge.passed(gs[0]):
		byEdge := v.maybeByEdge(gs).see(v.direct.differs())
		byEdge.Confidence = likely
		return one(byEdge)
	case v.appSpeaks():
		own.Confidence = likely
		if !throughOld || v.direct.clean > 0 {
			own.Confidence = certain
		}
		return one(own.not(LaunderedByApp, "no exception in the app's log").
			not(LaunderedByEdge, "no death behind the edge at that time, in the app's log or among its processes"))
	case !throughOld, v.direct.clean > 0:
		own.Confidence = likely
		return one(v.orByApp(own.not(LaunderedByEdge, v.whyNotEdge(gs[0])).settle(v.keepAppLog())))
	}
	own.settle(v.peel("asks the app directly: a clean end there is the app's own"))
	if v.edge.passed(gs[0]) { // only then: an edge that nobody has seen is not blamed first
		return []*finding{v.maybeByEdge(gs), v.orByApp(own)}
	}
	return one(v.orByApp(own).or(LaunderedByEdge, "only if a hop that does not show stands in front: "+v.noSign()))
}

func (v *view) maybeByEdge(gs []*verdict.Graded) *finding {
	f := found(LaunderedByEdge, layerEdge, possible, gs).
		say("%d clean ends without a terminal may be cuts that an edge laundered", len(gs)).
		see(framingLine(gs[0]), shape(gs)).
		mend(fixLaunder).
		settle(v.peel("an answer that is cut there and ends cleanly behind the edge is the edge's doing"))
	return f.see(v.edge.signed())
}

// orByApp adds the launderer inside of the app, which leaves no other trace than
// its log.
func (v *view) orByApp(f *finding) *finding {
	return f.or(LaunderedByApp,
		"a middleware or handler may have swallowed an exception and ended the body; the app's log would show it")
}

// edgeNoticed are the streams of gs of which the edge's own log says that the app
// broke off. It has a line for each, and for each that is visibly cut.
func (v *view) edgeNoticed(gs []*verdict.Graded) []*verdict.Graded {
	lines := v.brokeOff()
	gs = v.near(keep(gs, v.edge.mayPass), lines)
	cut := 0
	for i := range v.Streams {
		if g := &v.Streams[i]; g.Grade.Outcome == verdict.Aborted && v.edge.mayPass(g) {
			cut++
		}
	}
	if len(lines) < len(gs)+cut {
		return nil
	}
	return gs
}

// brokeOff are the lines in which an edge says that the app broke off an answer.
func (v *view) brokeOff() []hit {
	return slices.Concat(v.tags[upstreamClosed], v.tags[upstreamReset], v.tags[invalidChunk])
}

// noticedByEdge (B9) is for an edge that logs that the app broke off, and ends the
// answer for the client as if it were whole.
func (v *view) noticedByEdge(gs []*verdict.Graded, own *finding) []*finding {
	noticed := v.edgeNoticed(gs)
	f := found(LaunderedByEdge, layerEdge, certain, noticed).
		say("%s noticed that the app broke off %d answers, and ended them for the client as if they were whole",
			v.edge.product, len(noticed)).
		show(cite(v.brokeOff(), 3)...).see(framingLine(noticed[0]), shape(noticed)).
		not(SilentTruncation, "the edge's log says that the app broke off")
	rest := slices.DeleteFunc(slices.Clone(gs), func(g *verdict.Graded) bool { return slices.Contains(noticed, g) })
	if len(rest) == 0 {
		return one(f)
	}
	own.streams = rest
	own.say("%d streams ended cleanly without their terminal, and the edge has no word for it", len(rest))
	return []*finding{f, own}
}
