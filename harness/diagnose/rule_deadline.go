package diagnose

import (
	"fmt"
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
	const how = "that is how PHP-FPM's timeout of a worker works"
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
		say("PHP-FPM ended %d streams at the age of about %.2f s: its limit on the whole duration of a response; clients "+
			"were told %.2f s later",
			len(gs), measureOf(gs, reachedOf).center.Seconds(), measureOf(gs, silenceOf).center.Seconds()).
		show(cite(terminated, 4)...).see(silenceLine(gs), v.edge.signed()).
		not(ProxyReadTimeout, "the log says that each worker was terminated when its last byte came")
}

func (v *view) owned(gs []*verdict.Graded, layer, who string, hits []hit) *finding {
	return found(AbsoluteDeadline, layer, certain, gs).
		say("%s ended %d streams at the age of %.2f s: its limit on the whole duration of a response%s", who, len(gs),
			measureOf(gs, ageOf).center.Seconds(), asIfWhole(gs)).
		show(cite(hits, 4)...).see(sinceStart(gs), flowing(gs)).
		not(ProxyReadTimeout, "its log says that the whole time was over")
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
	why     string
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
		d.why = "the streams started together, so that one moment would end them as well"
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
func ageOrEvent(gs []*verdict.Graded, age measure) (surety, string) {
	const telling = 20 * time.Millisecond
	index, reached, silence := measureOf(gs, contentsOf), measureOf(gs, reachedOf), measureOf(gs, silenceOf)
	switch {
	case index.spread >= 2:
		return ageAlone, fmt.Sprintf("they had got to different events (%d apart), and were of one age", int(index.spread))
	case reached.spread >= telling && 3*age.spread <= reached.spread:
		return ageAlone, fmt.Sprintf("their last events came over %.3f s of their lives, their ends within %.3f s",
			reached.spread.Seconds(), age.spread.Seconds())
	case age.spread >= telling && 3*silence.spread <= age.spread && index.spread == 0:
		return openWhich, "they end as exactly after an event, so that the app's own code, or a limit that acts at the " +
			"next write, may end them"
	}
	if gap := usualGapOf(gs); gap > 0 && sameEvent(gs) {
		phase := float64(silence.center) / float64(gap)
		if phase >= 0.2 && phase <= 0.8 && silence.center >= telling && silence.spread <= gap/2 {
			return agePlain,
				fmt.Sprintf("they ended %.0f %% of the way to their next event, where the app's own code has no reason to",
					100*phase)
		}
	}
	return openWhich, "they started and ran in step, so that age and event are the same"
}

// withoutTotal are edges that set no limit on the whole duration of a response, so
// that another layer does.
var withoutTotal = map[record.EdgeProduct]bool{record.EdgeNginx: true, record.EdgeHAProxy: true,
	record.EdgeLighttpd: true,
	record.EdgeApache:   true, record.EdgeALB: true, record.EdgeCloudflare: true}

// byDeadline names the deadline, and whose it is as far as that shows. Only the
// app knows of its events, so that at an edge it is the age or the size.
func (v *view) byDeadline(gs []*verdict.Graded, d deadlineAge, whose owner, c comparison) *finding {
	noTotal := ""
	if whose == ownerUnknown && withoutTotal[v.edge.product] {
		whose, noTotal = ownerApp, v.edge.product.String()+" itself sets no such limit"
	}
	var byLog record.Evidence
	if whose == ownerUnknown || noTotal != "" {
		if byLog = v.endedByApp(gs); byLog.Text != "" {
			whose, noTotal = ownerApp, ""
		}
	}
	confidence := likely
	if d.sure == agePlain && whose != ownerEdge {
		confidence = possible
	}
	layer, who := v.layerOf(whose)
	f := found(AbsoluteDeadline, layer, confidence, gs).
		say("%s ended %d streams at the age of %.2f s, however much was flowing: a limit on the whole duration of a "+
			"response%s", who, len(gs), d.age.center.Seconds(), asIfWhole(gs)).
		see(sinceStart(gs), d.why, flowing(gs), c.String(), noTotal).show(byLog).see(known(limitTotal,
		d.age.center.Seconds())).
		not(ProxyReadTimeout, "events flowed until the end").
		settle(v.settleOwner(whose, noTotal != ""))
	switch {
	case whose != ownerEdge:
		f.or(SyncWorkerTimeout, "a sync worker's timeout counts from the start of its request")
		if !v.appSpeaks() && v.mayHaveDied(gs) {
			f.or(WorkerKilled, "those that were open together ended together, as when their process is killed")
			f.or(MemoryKillWorker, "memory that grows with each answer runs out at about one age")
		}
		if d.sure == agePlain {
			f.or(AppError, "the app's own code may fail after this event")
		}
	case d.sure != ageAlone:
		f.or(PayloadCap, fmt.Sprintf("all had %d bytes as well, so that a limit on the size may have ended them",
			gs[0].Bytes))
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
		return hits[0].remarked(": the app's own deadline for writes")
	}
	if hits := v.brokeOff(); nearAll(hits) && len(keep(gs, v.edge.mayPass)) == len(gs) {
		return hits[0].remarked(": the app broke off, and not the edge")
	}
	if c, ok := v.ownWords(gs); ok {
		return c.cited()
	}
	return record.Evidence{}
}

// layerOf is where an owner stands, and how a sentence calls it.
func (v *view) layerOf(whose owner) (layer, who string) {
	switch whose {
	case ownerApp:
		return layerApp, "the app or what runs it"
	case ownerEdge:
		return layerEdge, v.edge.product.String()
	}
	return layerNetwork, "a layer that does not show"
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
	layer, _ := v.layerOf(whose)
	why := fmt.Sprintf("all were %.2f s old, as a limit on the whole duration of a response would have it; %s",
		d.age.center.Seconds(), d.why)
	return suspect{AbsoluteDeadline, layer, why, ""}, true
}

// settleOwner is the command that tells whose a limit is, where that is open.
func (v *view) settleOwner(whose owner, guessed bool) string {
	if whose == ownerUnknown || guessed {
		return v.settleLayers()
	}
	return ""
}

// flowing says how lately the streams had events when they ended.
func flowing(gs []*verdict.Graded) string {
	m := measureOf(gs, silenceOf)
	return fmt.Sprintf("their last events had come %.3f s before (median of %d)", m.center.Seconds(), len(gs))
}

// byCap names a limit on the size of the body: all ends came at one number of
// bytes, and in the middle of an event or after different ones.
func (v *view) byCap(gs []*verdict.Graded) *finding {
	size := measureOf(gs, func(g *verdict.Graded) time.Duration { return time.Duration(g.Bytes) })
	wire := measureOf(gs, func(g *verdict.Graded) time.Duration { return time.Duration(g.WireBytes) })
	inside := len(keep(gs, func(g *verdict.Graded) bool { return g.Partial > 0 }))
	index, age := measureOf(gs, contentsOf), measureOf(gs, ageOf)
	what, n := "bytes of the body", size
	if wire.spread < size.spread {
		what, n = "bytes with head and framing", wire
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

func (v *view) capFinding(gs []*verdict.Graded, n measure, what string) *finding {
	size := gs[0].Bytes
	like := func(g *verdict.Graded) bool { return cameShort(g) && max(g.Bytes-size, size-g.Bytes) <= size/100 }
	whose, c := v.ownerOf(gs, like)
	layer, who := v.layerOf(whose)
	return found(PayloadCap, layer, likely, gs).
		say("%s ended %d streams after %d %s: a limit on the size of a response%s", who, len(gs), int64(n.center), what,
			asIfWhole(gs)).
		see(fmt.Sprintf("%d streams ended after %d %s (spread %d)", len(gs), int64(n.center), what, int64(n.spread)),
			framingLine(gs[0]), c.String(), known(limitSize, float64(n.center))).
		not(AbsoluteDeadline, fmt.Sprintf("their ages differ by %.2f s, or they end in the middle of an event",
			measureOf(gs, ageOf).spread.Seconds())).
		settle(v.settleOwner(whose, false))
}
