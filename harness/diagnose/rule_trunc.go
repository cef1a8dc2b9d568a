package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
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
		confidence = likelyOnly(byEdge, certain)
	}
	return one(found(LaunderedByEdge, layerEdge, confidence, gs).
		tell(fact{Kind: FactLaundered, N: len(gs), Name: v.edge.product.String(), About: []fact{byEdge[0].death.what}}).
		show(causesOfDeath(byEdge, 6)...).
		see(framingLine(gs[0])).show(v.accessLine(gs[0])).
		notIf(v.edgeSpeaks() && len(v.tags[upstreamClosed]) == 0, "a cut that the edge noticed",
			fact{Kind: NotPrematurely}).
		not("silent truncation by the app", fact{Kind: NotByApp}))
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

func framingLine(g *verdict.Graded) fact {
	return fact{Kind: FactFraming, Stream: g.Seq, N: g.Status, Name: string(g.Wire.Framing),
		Place: string(g.Grade.Ending), Of: g.Contents}
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
	f := found(LaunderedByApp, layerApp, likelyOnly(ms, certain), gs).
		tell(fact{Kind: FactSwallowed, N: len(gs)}).
		show(causesOfDeath(ms, 6)...).
		see(framingLine(gs[0])).
		notIf(v.noExit(gs), "worker killed", fact{Kind: NotExitedThen})
	cuts := slices.ContainsFunc(ms, func(m match) bool { return m.death.cuts })
	switch {
	case v.mayHaveEnded(gs[0]):
		f.Confidence = likely
		return f.or(LaunderedByEdge,
			fact{Kind: MayCloseCut, Name: v.edge.product.String()}).
			settle(v.settleLayers())
	case cuts && !v.edge.known && v.edge.mayLaunder() && v.edge.mayPass(gs[0]) && v.direct.clean == 0:
		f.Confidence = likely
		return f.or(LaunderedByEdge,
			fact{Kind: MayHiddenHop, About: []fact{v.noSign()}}).
			settle(v.settleLayers())
	}
	return f.not("laundered by the edge", v.whyNotEdge(gs[0]))
}

func (v *view) whyNotEdge(g *verdict.Graded) fact {
	switch {
	case v.direct.clean > 0:
		return v.direct.alike()
	case v.edge.known && !v.edge.there, !v.edge.mayPass(g):
		return fact{Kind: NotNoEdge}
	case !v.edge.there:
		return v.noSign()
	case !v.edge.known:
		return fact{Kind: NotPassedAsCut, Name: v.edge.product.String()}
	default:
		return fact{Kind: NotHTTP11}
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
		tell(fact{Kind: FactEndsByClose, N: len(gs)}).
		see(framingLine(gs[0])).see(v.windowLines()...)
}

// early is A3, or a choice where too little is known. Bodies that end inside a
// frame and bodies that end between two have names of their own. Those that end inside
// the compressed data, behind their terminal, have a compressor that nobody closed.
func (v *view) early(gs []*verdict.Graded) []*finding {
	var between, inside, packed []*verdict.Graded
	for _, g := range gs {
		switch {
		case g.Partial > 0:
			inside = append(inside, g)
		case g.Encoding != "" && g.Content.Terminals > 0 && g.Content.State == stream.CutFrame:
			packed = append(packed, g)
		default:
			between = append(between, g)
		}
	}
	var fs []*finding
	if len(between) > 0 {
		fs = v.choose(found(SilentTruncation, layerApp, possible, between).
			tell(fact{Kind: FactNoTerminal, N: len(between)}))
		if v.Scenario.Policy.Feed > 0 {
			v.ofFeed(fs[0])
		}
	}
	if len(inside) > 0 {
		fs = append(fs, v.choose(found(CutInFrame, layerApp, possible, inside).
			tell(fact{Kind: FactInsideFrame, N: len(inside)}))...)
	}
	if len(packed) > 0 {
		fs = append(fs, v.choose(found(SilentTruncation, layerApp, possible, packed).
			tell(fact{Kind: FactInsidePacked, N: len(packed), Name: packed[0].Encoding}))...)
	}
	for _, f := range fs {
		if s, ok := v.deadlineSuspect(gs); ok {
			f.or(s.name, s.why)
		}
		if f.Confidence != certain && v.allOfOneSilence(gs) {
			f.or(idleTimer.name, idleTimer.why)
			f.or(IdleTimeoutInApp, fact{Kind: MayGiveUp})
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
	f.tell(fact{Kind: FactFeedOver, N: len(f.streams), Took: f.streams[0].End - f.streams[0].Send}).
		mend(fact{Kind: MendFeedOver})
}

// choose decides between the app's own early end and its look-alikes, as far as
// the evidence goes.
func (v *view) choose(own *finding) []*finding {
	gs := own.streams
	own.see(framingLine(gs[0]), shape(gs)).show(v.lastWord(gs[0])).see(v.direct.alike())
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
	case v.direct.differs().Kind != "" && v.edge.passed(gs[0]):
		byEdge := v.maybeByEdge(gs).see(v.direct.differs())
		byEdge.Confidence = likely
		return one(byEdge)
	case v.appSpeaks():
		own.Confidence = likely
		if !throughOld || v.direct.clean > 0 {
			own.Confidence = certain
		}
		return one(own.not(LaunderedByApp, fact{Kind: NotLogged}).
			not(LaunderedByEdge, fact{Kind: NotDeath}))
	case !throughOld, v.direct.clean > 0:
		own.Confidence = likely
		return one(v.orByApp(own.not(LaunderedByEdge, v.whyNotEdge(gs[0])).settle(v.keepAppLog())))
	}
	own.settle(v.peel(fact{Kind: WhyAppsOwn}))
	if v.edge.passed(gs[0]) { // only then: an edge that nobody has seen is not blamed first
		return []*finding{v.maybeByEdge(gs), v.orByApp(own)}
	}
	return one(v.orByApp(own).or(LaunderedByEdge, fact{Kind: MayOnlyHidden, About: []fact{v.noSign()}}))
}

func (v *view) maybeByEdge(gs []*verdict.Graded) *finding {
	f := found(LaunderedByEdge, layerEdge, possible, gs).
		tell(fact{Kind: FactMaybeLaundered, N: len(gs)}).
		see(framingLine(gs[0]), shape(gs)).
		settle(v.peel(fact{Kind: WhyEdgesDoing}))
	return f.see(v.edge.signed())
}

// orByApp adds the launderer inside of the app, which leaves no other trace than
// its log.
func (v *view) orByApp(f *finding) *finding {
	return f.or(LaunderedByApp,
		fact{Kind: MaySwallow})
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
		tell(fact{Kind: FactEdgeNoticed, Name: v.edge.product.String(), N: len(noticed)}).
		show(cite(v.brokeOff(), 3)...).see(framingLine(noticed[0]), shape(noticed)).
		not(SilentTruncation, fact{Kind: NotAppsOwn})
	rest := slices.DeleteFunc(slices.Clone(gs), func(g *verdict.Graded) bool { return slices.Contains(noticed, g) })
	if len(rest) == 0 {
		return one(f)
	}
	own.streams = rest
	own.tell(fact{Kind: FactEdgeSilent, N: len(rest)})
	return []*finding{f, own}
}
