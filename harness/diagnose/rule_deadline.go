package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// deadline (D5, N8, H6) explains ends by a limit on the complete response: on its age,
// however much flows, or on its size. Streams that start together and run in step
// share age, size and event; then which of them counts is open, and all stay
// candidates.
type deadline struct{}

func (deadline) match(v *view) []*finding {
	gs := v.unexplainedEnds()
	if len(gs) >= minCluster {
		if f := v.byCap(gs); f != nil {
			return one(f)
		}
	}
	d, ok := v.deadlineOf(gs)
	if !ok {
		return nil
	}
	whose, c := v.ownerOf(gs, func(g *verdict.Graded) bool { return cameShort(g) && d.age.around(ageOf(g)) })
	if d.sure == openWhich && (whose != ownerEdge || d.instant) {
		return nil // other rules name it among their candidates
	}
	return one(v.byDeadline(gs, d, whose, c))
}

// ownedDeadline is for ends that somebody owns up to: an edge whose log says that
// the whole time was over, or a process manager that ended the request for it.
type ownedDeadline struct{}

func (ownedDeadline) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool { return cameShort(g) && !g.Struck })
	if hits := v.tags[totalTimeout]; len(hits) > 0 {
		if of := v.near(gs, hits); len(of) > 0 {
			return one(v.owned(of, layerEdge, v.edge.product.String(), hits))
		}
	}
	terminated := slices.DeleteFunc(slices.Clone(v.tags[workerTimedOut]),
		func(h hit) bool { return !strings.Contains(h.line.Text, "execution timed out") })
	how := fact{Kind: MayPHPWorker}
	if of := v.near(gs, terminated); len(of) > 0 { // PHP-FPM's request_terminate_timeout
		return one(v.owned(of, layerManager, "PHP-FPM", terminated).or(SyncWorkerTimeout, how))
	}
	if v.silentSince(gs, terminated) {
		return one(v.toldLate(gs, terminated).or(SyncWorkerTimeout, how))
	}
	return nil
}

// silentSince reports whether each of gs had its last byte when a worker of its own
// was terminated, and ended a good while after that: what stands in front had noticed
// late.
func (v *view) silentSince(gs []*verdict.Graded, terminated []hit) bool {
	used := make([]bool, len(terminated))
	for _, g := range gs {
		i := 0
		for i < len(terminated) && (used[i] || !fellSilentAt(g, terminated[i].line)) {
			i++
		}
		if i == len(terminated) {
			return false
		}
		used[i] = true
	}
	return len(gs) > 0
}

// fellSilentAt reports whether g had its last byte at the time of a line, and ended
// well after it.
func fellSilentAt(g *verdict.Graded, l record.Line) bool {
	return l.At != record.Never && (l.At-lastBytes(g)).Abs() <= stampUnit+l.Within && g.End > l.At+lineBefore
}

// toldLate is the deadline of a process manager whose end an edge passed on late.
func (v *view) toldLate(gs []*verdict.Graded, terminated []hit) *finding {
	return found(AbsoluteDeadline, layerManager, certain, gs).
		tell(fact{Kind: FactPHPDeadline, N: len(gs), Took: measureOf(gs, reachedOf).center, Bound: measureOf(gs,
			silenceOf).center}).
		show(cite(terminated, 4)...).see(silenceLine(gs), v.edge.signed()).
		not(ProxyReadTimeout, fact{Kind: NotLastByte})
}

func (v *view) owned(gs []*verdict.Graded, layer, who string, hits []hit) *finding {
	return found(AbsoluteDeadline, layer, certain, gs).
		tell(fact{Kind: FactOwnedDeadline, Name: who, N: len(gs), Took: measureOf(gs, ageOf).center,
			About: []fact{asIfWhole(gs)}}).
		show(cite(hits, 4)...).see(sinceStart(gs), flowing(gs)).
		not(ProxyReadTimeout, fact{Kind: NotWholeTimeOver})
}

// A surety is how well an age stands out from what else the ends share.
type surety int

const (
	openWhich surety = iota // the event is as likely
	agePlain                // the age is likelier than the event
	ageAlone                // the age alone is shared
)

// A deadlineAge is an age at which streams end.
type deadlineAge struct {
	age     measure
	sure    surety
	instant bool // one moment would explain the ends as well
	why     fact
}

// Bounds on the ages of ends that one limit makes.
const (
	minAge   = 900 * time.Millisecond
	ageSlack = 150 * time.Millisecond // servers look at their clocks now and then
	pollAge  = 1100 * time.Millisecond
)

// deadlineOf looks for an age that all ends share and that no other stream on
// the same way has passed.
func (v *view) deadlineOf(gs []*verdict.Graded) (d deadlineAge, ok bool) {
	if len(gs) < 2 {
		return d, false
	}
	d.age = measureOf(gs, ageOf)
	gap := usualGapOf(gs)
	polled := d.age.center >= 2*time.Second && d.age.spread <= pollAge && measureOf(gs, contentsOf).spread >= 2
	switch {
	case d.age.center < minAge, !d.age.within(max(ageSlack, min(gap, d.age.center/10)), 0.05) && !polled:
		return d, false
	case measureOf(gs, silenceOf).center >= max(minSilence, 4*gap): // an idle timer's, or a pause before the end
		return d, false
	case len(v.beyond(gs, func(g *verdict.Graded) bool { return v.older(g, d.age) })) > 0:
		return d, false
	}
	d.instant = measureOf(gs, startOf).spread < max(2*d.age.spread, minSilence) && v.together(gs) && oneMoment(gs)
	if d.instant {
		d.why = fact{Kind: FactStartedTogether}
		return d, true
	}
	d.sure, d.why = ageOrEvent(gs, d.age)
	if len(gs) < minCluster { // two may agree by chance
		d.sure = min(d.sure, agePlain)
		return d, d.age.within(ageSlack/3, 0.03)
	}
	return d, true
}

// oneMoment reports whether one event could have ended all of gs: a single stream
// of that age that ended at another time, such as the one before the load, says
// that it was not the moment.
func oneMoment(gs []*verdict.Graded) bool {
	first, last := gs[0].End, gs[0].End
	for _, g := range gs {
		first, last = min(first, g.End), max(last, g.End)
	}
	return last-first <= time.Second
}

// older reports whether a stream lived clearly longer.
func (v *view) older(g *verdict.Graded, age measure) bool {
	return g.First >= 0 && ageOf(g) > age.center+age.spread+max(300*time.Millisecond, age.center/10)
}

// contentsOf is the number of a stream's content events, as a measure takes it.
func contentsOf(g *verdict.Graded) time.Duration { return time.Duration(g.Contents) }

// ageOrEvent weighs the age of ends against the event that they came after. What
// the app's code does after an event is as exact as the silence before it; what a
// clock does is as exact as the age, but for a server that notices its deadline
// when it writes next.
func ageOrEvent(gs []*verdict.Graded, age measure) (surety, fact) {
	const telling = 20 * time.Millisecond
	index, reached, silence := measureOf(gs, contentsOf), measureOf(gs, reachedOf), measureOf(gs, silenceOf)
	switch {
	case index.spread >= 2:
		return ageAlone, fact{Kind: FactOfOneAge, N: int(index.spread)}
	case reached.spread >= telling && 3*age.spread <= reached.spread:
		return ageAlone, fact{Kind: FactAgesAlike, Took: reached.spread, Bound: age.spread}
	case age.spread >= telling && 3*silence.spread <= age.spread && index.spread == 0:
		return openWhich, fact{Kind: FactAfterEvent}
	}
	if gap := usualGapOf(gs); gap > 0 && sameEvent(gs) {
		phase := float64(silence.center) / float64(gap)
		if phase >= 0.2 && phase <= 0.8 && silence.center >= telling && silence.spread <= gap/2 {
			return agePlain,
				fact{Kind: FactOnTheWayToEvent, Share: phase}
		}
	}
	return openWhich, fact{Kind: FactInStep}
}

// withoutTotal are edges that set no limit on the whole duration of a response, so
// that another layer does.
var withoutTotal = map[record.EdgeProduct]bool{record.EdgeNginx: true, record.EdgeHAProxy: true,
	record.EdgeLighttpd: true,
	record.EdgeApache:   true, record.EdgeALB: true, record.EdgeCloudflare: true}

// byDeadline names the deadline, and whose it is as far as that shows. Only the
// app knows of its events, so that at an edge it is the age or the size.
func (v *view) byDeadline(gs []*verdict.Graded, d deadlineAge, whose owner, c comparison) *finding {
	var noTotal fact
	if whose == ownerUnknown && withoutTotal[v.edge.product] {
		whose, noTotal = ownerApp, fact{Kind: FactNoSuchLimit, Name: v.edge.product.String()}
	}
	var byLog record.Evidence
	if whose == ownerUnknown || noTotal.Kind != "" {
		if byLog = v.endedByApp(gs); byLog.Text != "" {
			whose, noTotal = ownerApp, fact{}
		}
	}
	confidence := likely
	if d.sure == agePlain && whose != ownerEdge {
		confidence = possible
	}
	layer := layerOf(whose)
	f := found(AbsoluteDeadline, layer, confidence, gs).
		tell(fact{Kind: FactAgeLimit, N: len(gs), Took: d.age.center,
			About: []fact{v.whoAt(layer), asIfWhole(gs)}}).
		see(sinceStart(gs), d.why, flowing(gs), c.fact(), noTotal).show(byLog).see(known(limitTotal,
		d.age.center.Seconds())).
		not(ProxyReadTimeout, fact{Kind: NotSilent}).
		settle(v.settleOwner(whose, noTotal.Kind != ""))
	switch {
	case whose != ownerEdge:
		f.or(SyncWorkerTimeout, fact{Kind: MaySyncWorker})
		if !v.appSpeaks() && v.mayHaveDied(gs) {
			f.or(WorkerKilled, fact{Kind: MayOneProcess})
			f.or(MemoryKillWorker, fact{Kind: MayMemoryAge})
		}
		if d.sure == agePlain {
			f.or(AppError, fact{Kind: MayCodeFails})
		}
	case d.sure != ageAlone:
		f.or(PayloadCap, fact{Kind: MaySizeLimit, Bytes: gs[0].Bytes})
	}
	return f
}

// endedByApp is what a log says of nearly all of gs that puts their end at the app or
// behind it: a write that ran into the app's own deadline, an edge that noticed that
// the app broke off, or a line of the app's own that it writes nowhere else. It is
// empty where none does.
func (v *view) endedByApp(gs []*verdict.Graded) record.Evidence {
	nearAll := func(hits []hit) bool { return 10*len(hits) >= 9*len(gs) && 10*len(v.near(gs, hits)) >= 9*len(gs) }
	if hits := v.tags[ownWriteTimeout]; nearAll(hits) {
		return hits[0].remarked(fact{Kind: FactOwnWriteDeadline})
	}
	if hits := v.brokeOff(); nearAll(hits) && len(keep(gs, v.edge.mayPass)) == len(gs) {
		return hits[0].remarked(fact{Kind: FactAppBrokeOff})
	}
	if c, ok := v.ownWords(gs); ok {
		return c.cited()
	}
	return record.Evidence{}
}

// layerOf is where an owner stands.
func layerOf(whose owner) string {
	switch whose {
	case ownerApp:
		return layerApp
	case ownerEdge:
		return layerEdge
	}
	return layerNetwork
}

// deadlineSuspect is the deadline as a candidate, where age and event coincide.
func (v *view) deadlineSuspect(gs []*verdict.Graded) (s suspect, ok bool) {
	d, ok := v.deadlineOf(gs)
	if !ok {
		return s, false
	}
	whose, _ := v.ownerOf(gs, func(g *verdict.Graded) bool { return cameShort(g) && d.age.around(ageOf(g)) })
	if whose == ownerUnknown && withoutTotal[v.edge.product] {
		whose = ownerApp
	}
	why := fact{Kind: MayTotalLimit, Took: d.age.center, About: []fact{d.why}}
	return suspect{AbsoluteDeadline, layerOf(whose), why, ""}, true
}

// settleOwner is the command that tells whose a limit is, where that is open.
func (v *view) settleOwner(whose owner, guessed bool) fact {
	if whose == ownerUnknown || guessed {
		return v.settleLayers()
	}
	return fact{}
}

// flowing says how lately the streams had events when they ended.
func flowing(gs []*verdict.Graded) fact {
	m := measureOf(gs, silenceOf)
	return fact{Kind: FactFlowing, Took: m.center, N: len(gs)}
}

// byCap names a limit on the size of the body: all ends came at one number of
// bytes, and in the middle of an event or after different ones.
func (v *view) byCap(gs []*verdict.Graded) *finding {
	size := measureOf(gs, func(g *verdict.Graded) time.Duration { return time.Duration(g.Bytes) })
	wire := measureOf(gs, func(g *verdict.Graded) time.Duration { return time.Duration(g.WireBytes) })
	inside := len(keep(gs, func(g *verdict.Graded) bool { return g.Partial > 0 }))
	index, age := measureOf(gs, contentsOf), measureOf(gs, ageOf)
	what, n := FactBytesOfBody, size
	if wire.spread < size.spread {
		what, n = FactBytesOnWire, wire
	}
	switch exact := n.spread <= 1; {
	case n.center < 1<<10, n.spread > max(1, n.center/200):
		return nil
	case exact && 2*inside > len(gs), index.spread >= 2 && !age.within(ageSlack, 0.03),
		exact && round(float64(n.center)) && index.spread >= 1:
	default:
		return nil
	}
	if len(v.beyond(gs, func(g *verdict.Graded) bool { return g.Bytes > int64(size.center)*101/100 })) > 0 {
		return nil
	}
	return v.capFinding(gs, n, what)
}

func (v *view) capFinding(gs []*verdict.Graded, n measure, what record.FactKind) *finding {
	size := gs[0].Bytes
	like := func(g *verdict.Graded) bool { return cameShort(g) && max(g.Bytes-size, size-g.Bytes) <= size/100 }
	whose, c := v.ownerOf(gs, like)
	layer := layerOf(whose)
	return found(PayloadCap, layer, likely, gs).
		tell(fact{Kind: FactSizeLimit, N: len(gs), Bytes: int64(n.center),
			About: []fact{v.whoAt(layer), {Kind: what}, asIfWhole(gs)}}).
		see(fact{Kind: FactEndsAtSize, N: len(gs), Bytes: int64(n.center), More: int64(n.spread),
			About: []fact{{Kind: what}}},
			framingLine(gs[0]), c.fact(), known(limitSize, float64(n.center))).
		not(AbsoluteDeadline, fact{Kind: NotOneAge, Took: measureOf(gs, ageOf).spread}).
		settle(v.settleOwner(whose, false))
}
