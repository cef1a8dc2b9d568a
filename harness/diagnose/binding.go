package diagnose

import (
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness/verdict"
)

// bind holds a finding against what the app did when it was asked directly. What
// it does not do there, under the same load and for as long, is not its doing,
// and what it does there is not the edge's alone. It returns nil where nothing of
// the finding is left. All findings pass here, so that no rule has to remember.
func (v *view) bind(f *finding) *finding {
	like := v.sameSymptom(f)
	if like == nil || f.Injected || len(v.direct.streams) == 0 {
		return f
	}
	c := v.beside(f.streams, like)
	switch {
	case f.ownFault() && c.acquits() && !f.recorded():
		if fate, ok := v.Fate(v.byLog()); ok && covers(fate.Streams, f.streams) {
			return f // another instance than the one that was asked
		}
		return v.byChain(f, c)
	case f.ownFault() && f.guessed() && c.leansToEdge():
		return v.leaning(f, c)
	case f.Layer == layerEdge && c.convicts() && !(f.Confidence == certain && f.Cause.Cause != LaunderedByEdge):
		return nil
	case f.ownFault() && c.convicts():
		return f.see(c.String())
	}
	return f
}

// ownFault reports whether a finding blames the app or what runs it.
func (f *finding) ownFault() bool {
	switch f.Cause.Cause {
	case ConnectionCut, NoAnswer:
		return true // it blames nobody, and would like to
	}
	return f.Layer == layerApp || f.Layer == layerManager || f.Layer == layerKernel
}

// recorded reports whether the finding rests on the end of a process that
// somebody saw. That it did not happen while the app was asked directly does not
// undo it.
func (f *finding) recorded() bool {
	switch f.Cause.Cause {
	case WorkerKilled, MemoryKillWorker, MemoryKillAll, GraceTooShort, NoGracefulShutdown, SyncWorkerTimeout,
		BlockedLoopTimeout,
		WorkerRecycled, DeployGap:
		return f.Confidence == certain
	}
	return false
}

// guessed reports whether a finding about answers that came short goes by their
// shape alone: no log and no process has a word for it.
func (f *finding) guessed() bool {
	return (f.Confidence == possible || f.Cause.Cause == CutInFrame) && f.Cause.Cause != OneReplica &&
		symptomOf(f.streams[0]) == cameToEnd
}

// leaning is what is left of a guess at the app, where no stream on the way was
// whole and every one that was asked of the app directly was, but too few were sent
// to be sure: it lies on the way rather, and nobody is accused.
func (v *view) leaning(f *finding, c comparison) *finding {
	layer, who := v.layerOnTheWay(f), v.edge.product.String()
	if layer == layerUpstream {
		who = "the link to the app"
	}
	g := found(CutByEdge, layer, possible, f.streams).
		say("%d of %d answers that came through %s ended before they were whole%s, and none of %d that the app was asked "+
			"for directly", c.bad, c.of, who, asIfWhole(f.streams), c.directOf).
		see(c.String(), fmt.Sprintf("that may be chance in %.0f of 100 cases, so that it accuses nobody",
			100*c.chance), v.edge.signed(), shape(f.streams)).show(f.Evidence...).
		settle(v.rerun("--streams 20") + "   # more streams show what they share")
	g.order = f.order
	if steadySilence(f.streams) {
		g.or(ProxyReadTimeout, "all had been silent for about as long, as an idle timer on the way would have it")
	}
	if s, ok := v.deadlineSuspect(f.streams); ok {
		g.or(s.name, s.why)
	}
	g.or(f.Cause.Cause, f.Summary)
	for _, c := range f.Candidates {
		g.or(c.Cause, c.Why)
	}
	return g.mend("look at the timeouts, size limits and filters of " + who + ", and in its log at the time of an ending")
}

// A symptom is what a client sees of a fault. Buffering has a reference of its
// own and is not among them, nor is what says of itself who sent it.
type symptom int

const (
	noSymptom symptom = iota
	cameToEnd
	fellSilent
	cameLate
	wentWrong
	wasRefused
	wasFailed
)

func symptomOf(g *verdict.Graded) symptom {
	switch g.Grade.Outcome {
	case verdict.Aborted, verdict.Truncated:
		return cameToEnd
	case verdict.Stalled:
		return fellSilent
	case verdict.Corrupt:
		return wentWrong
	case verdict.Refused:
		return wasRefused
	case verdict.FailedClean:
		return wasFailed
	}
	switch {
	case g.Grade.Has(verdict.Gappy):
		return fellSilent
	case g.Grade.Has(verdict.Late):
		return cameLate
	}
	return noSymptom
}

// sameSymptom is the question whether a stream shows what the finding's streams
// show; nil where the direct arm has no say.
func (v *view) sameSymptom(f *finding) func(*verdict.Graded) bool {
	switch f.Cause.Cause {
	case LaunderedByEdge: // its own part is that the end is clean
		return func(g *verdict.Graded) bool { return g.Grade.Outcome == verdict.Truncated }
	// they have asked themselves
	case ProxyReadTimeout, IdleTimeout, NoHeartbeat, AbsoluteDeadline, PayloadCap, IdleTimeoutInApp,
		SelfInflicted, InjectedFault, TerminalUnmatched, WrongDialect, NotAStream, TerminalNotSent, NotPropagated, TooMuch:
		return nil
	}
	shown := map[symptom]bool{}
	for _, g := range f.streams {
		shown[symptomOf(g)] = true
	}
	delete(shown, noSymptom)
	if len(shown) == 0 {
		return nil
	}
	return func(g *verdict.Graded) bool { return shown[symptomOf(g)] }
}

// byChain is what is left of a finding that blames the app, where the app is
// acquitted: something between it and the client does that.
func (v *view) byChain(f *finding, c comparison) *finding {
	layer := v.layerOnTheWay(f)
	who := v.edge.product.String()
	if layer == layerUpstream {
		who = "the link to the app"
	}
	g := &finding{Cause: f.Cause, streams: f.streams, order: f.order}
	g.RuledOut, g.Excluded, g.Candidates, g.Evidence = nil, nil, nil, nil
	g.Layer, g.Confidence = layer, likely
	switch symptomOf(f.streams[0]) {
	case cameToEnd:
		g.Cause.Cause = CutByEdge
		g.say("%s ended %d answers before they were whole%s: the app, asked directly, sends them whole", who, len(f.streams),
			asIfWhole(f.streams))
	case fellSilent, cameLate:
		g.Cause.Cause = HeldOnTheWay
		g.say("%d streams were held up at %s: the app, asked directly, is in time", len(f.streams), who)
	default:
		g.say("%s; the app, asked directly, does not show it: it comes about at %s", f.Summary, who)
	}
	g.see(c.String(), v.edge.signed(), shape(f.streams)).show(f.Evidence...)
	g.not(f.Cause.Cause, "asked directly, under the same load and for as long, the app does not show it")
	if f.Confidence == certain && (f.Cause.Cause == AppError || f.Cause.Cause == LaunderedByApp) {
		g.or(f.Cause.Cause, "its log has exceptions at that time, which may come of the edge's hanging up")
		g.RuledOut = nil
	}
	if s, ok := v.deadlineSuspect(f.streams); ok && g.Cause.Cause == CutByEdge {
		g.or(s.name, s.why)
	}
	if 10*c.bad < 9*c.of && g.Cause.Cause == CutByEdge {
		g.perhapsReplica(f)
	}
	g.mend("look at the timeouts, size limits and filters of " + who + ", and in its log at the time of an ending")
	g.settle(v.keepEdgeLog())
	if g.Cause.Cause == OneReplica {
		g.mend("ask every instance directly, and compare the one that fails with the others (version, configuration, " +
			"resources, its own log)")
		g.settle("let the app or the edge name the instance in a response field (X-Served-By), or " + v.keepEdgeLog())
	}
	return g
}

// perhapsReplica doubts a finding about a part of the streams: behind the edge may
// stand other instances of the app than the one that was asked directly. Where all
// came short after one event they are the likelier, since no edge counts events.
func (f *finding) perhapsReplica(own *finding) {
	const why = "only a part of the streams is concerned: other instances of the app may stand behind the edge than the " +
		"one that was asked directly"
	if !sameEvent(f.streams) {
		f.or(OneReplica, why)
		return
	}
	f.or(CutByEdge, f.Summary)
	f.or(own.Cause.Cause, "in another instance than the one that was asked directly")
	f.Cause.Cause, f.Layer, f.Confidence = OneReplica, layerApp, possible
	f.RuledOut = nil
	f.say("%d answers ended after one event, and the app that was asked directly sends them whole: another instance of "+
		"it may fail", len(f.streams))
	f.see(why)
}

// layerOnTheWay is the link to the app where streams that passed nothing else
// show the fault, the edge otherwise.
func (v *view) layerOnTheWay(f *finding) string {
	for _, g := range f.streams {
		if g.Hop == upstreamHop {
			return layerUpstream
		}
	}
	return layerEdge
}

// reopen puts the streams of a finding that fell back on the table, where its rule
// has taken them off.
func (v *view) reopen(f *finding) {
	for _, g := range f.streams {
		if !slices.Contains(v.open, g) {
			v.open = append(v.open, g)
		}
	}
}

// joined adds a bound finding to one of its kind that is there already: two rules
// may have blamed the app for streams that end on the way.
func joined(found []*finding, f *finding) bool {
	i := slices.IndexFunc(found, func(o *finding) bool {
		return o.Cause.Cause == f.Cause.Cause && o.Layer == f.Layer && f.Cause.Cause == CutByEdge
	})
	if i < 0 {
		return false
	}
	for _, g := range f.streams {
		if !slices.Contains(found[i].streams, g) {
			found[i].streams = append(found[i].streams, g)
		}
	}
	return true
}
