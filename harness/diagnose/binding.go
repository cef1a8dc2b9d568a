package diagnose

import (
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
		return f.see(c.fact())
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
		WorkerRecycled, DeployGap, LivenessKill, PodDisrupted:
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
	layer := v.layerOnTheWay(f)
	who := v.whoAt(layer)
	g := found(CutByEdge, layer, possible, f.streams).
		tell(fact{Kind: FactLeaning, N: c.bad, Of: c.of, Need: c.directOf, About: []fact{who, asIfWhole(f.streams)}}).
		see(c.fact(), fact{Kind: FactMaybeChance, Share: c.chance}, v.edge.signed(),
			shape(f.streams)).show(f.Evidence...).
		settle(v.rerun("--streams 20", WhyShared))
	g.order = f.order
	if steadySilence(f.streams) {
		g.or(ProxyReadTimeout, fact{Kind: MayIdleTimer})
	}
	if s, ok := v.deadlineSuspect(f.streams); ok {
		g.or(s.name, s.why)
	}
	return g.orAs(f)
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
		SelfInflicted, InjectedFault, TerminalUnmatched, WrongDialect, NotAStream, TerminalNotSent, NotPropagated,
		TooMuch:
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
	who := v.whoAt(layer)
	g := &finding{Cause: f.Cause, streams: f.streams, order: f.order}
	g.Excluded, g.Candidates, g.Evidence = nil, nil, nil
	g.Layer, g.Confidence = layer, likely
	switch symptomOf(f.streams[0]) {
	case cameToEnd:
		g.Cause.Cause = CutByEdge
		g.tell(fact{Kind: FactEndedOnTheWay, N: len(f.streams), About: []fact{who, asIfWhole(f.streams)}})
	case fellSilent, cameLate:
		g.Cause.Cause = HeldOnTheWay
		g.tell(fact{Kind: FactHeldUp, N: len(f.streams), About: []fact{who}})
	default:
		g.tell(fact{Kind: FactComesAbout, About: []fact{*f.Fact, who}})
	}
	g.see(c.fact(), v.edge.signed(), shape(f.streams)).show(f.Evidence...)
	g.not(f.Cause.Cause, fact{Kind: NotAskedDirectly})
	if f.Confidence == certain && (f.Cause.Cause == AppError || f.Cause.Cause == LaunderedByApp) {
		g.or(f.Cause.Cause, fact{Kind: MayBeHangUp})
		g.Excluded = nil
	}
	if s, ok := v.deadlineSuspect(f.streams); ok && g.Cause.Cause == CutByEdge {
		g.or(s.name, s.why)
	}
	if 10*c.bad < 9*c.of && g.Cause.Cause == CutByEdge {
		g.perhapsReplica(f)
	}
	g.mend(fact{Kind: MendOnTheWay, About: []fact{who}})
	g.settle(v.keepEdgeLog())
	if g.Cause.Cause == OneReplica {
		g.mend(fact{Kind: MendCompareInstances})
		g.settle(fact{Kind: NextNameInstance, About: []fact{v.keepEdgeLog()}})
	}
	return g
}

// perhapsReplica doubts a finding about a part of the streams: behind the edge may
// stand other instances of the app than the one that was asked directly. Where all
// came short after one event they are the likelier, since no edge counts events.
func (f *finding) perhapsReplica(own *finding) {
	why := fact{Kind: MayOtherInstances}
	if !sameEvent(f.streams) {
		f.or(OneReplica, why)
		return
	}
	f.or(CutByEdge, *f.Fact)
	f.or(own.Cause.Cause, fact{Kind: MayBeOtherInstance})
	f.Cause.Cause, f.Layer, f.Confidence = OneReplica, layerApp, possible
	f.Excluded = nil
	f.tell(fact{Kind: FactOneInstance, N: len(f.streams)})
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

// whoAt is who stands at a layer, for a sentence.
func (v *view) whoAt(layer string) fact {
	return fact{Kind: FactWho, Place: layer, Name: v.edge.product.String()}
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
