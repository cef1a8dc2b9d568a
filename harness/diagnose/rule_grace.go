package diagnose

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// grace (E4) explains cuts after somebody asked the app to stop. The window is
// the app's own, also where we asked.
type grace struct{}

func (grace) match(v *view) []*finding {
	asks, lines := v.asksToStop()
	if len(asks) == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool {
		_, ok := askOf(asks, g)
		return ok && g.Grade.Outcome == verdict.Aborted && !v.deaths.names(g)
	})
	if len(gs) == 0 || len(v.tags[workerTimedOut]) > 0 && len(v.tags[recycling]) > 0 {
		return nil
	}
	if gs = v.endedByAsk(gs, asks); len(gs) == 0 {
		return nil
	}
	after := time.Duration(math.MaxInt64)
	for _, g := range gs {
		a, _ := askOf(asks, g)
		after = min(after, g.End-a.at)
	}
	if f := v.diedAtOnce(gs, asks); f != nil {
		return one(f.show(lines...))
	}
	confidence := likely
	ms := v.matchDeaths(gs, diedByTerm, diedByKill, diedByExit)
	if len(ms) > 0 || len(v.tags[graceOver]) > 0 {
		confidence = certain
	}
	f := found(GraceTooShort, layerManager, confidence, gs).
		tell(fact{Kind: FactGraceShort, N: len(gs), Took: after}).
		show(lines...).show(cite(v.tags[graceOver], 2)...).show(causesOfDeath(ms, 3)...).see(tightest(gs)).
		notIf(v.noOOM(), "memory kill", fact{Kind: NotOOM})
	if after < instant {
		f.tell(fact{Kind: FactCutAtOnce, N: len(gs)})
	}
	return one(f)
}

// endedByAsk leaves out cuts that came after an ask, and not of it. That of an event is to
// a process that we know; one in a log may have been to another, which drained well: then
// the end of a process is recorded beside the cuts, or these came at no more moments than
// there were asks, and nothing else is told of them.
func (v *view) endedByAsk(gs []*verdict.Graded, asks []ask) []*verdict.Graded {
	if !slices.ContainsFunc(asks, func(a ask) bool { return a.said }) {
		return gs
	}
	ended := make(map[*verdict.Graded]bool)
	for _, m := range v.matchDeaths(gs, diedByTerm, diedByKill, diedByExit) {
		ended[m.Graded] = true
	}
	rest := keep(gs, func(g *verdict.Graded) bool { return !ended[g] })
	other := make(map[*verdict.Graded]bool)
	for _, g := range v.near(rest, slices.Concat(v.tags[upstreamTimeout], v.tags[totalTimeout])) {
		other[g] = true
	}
	for _, m := range v.matchDeaths(rest, diedByException) {
		other[m.Graded] = true
	}
	rest = keep(rest, func(g *verdict.Graded) bool { return !other[g] })
	if len(moments(rest)) <= len(asks) {
		for _, g := range rest {
			ended[g] = true
		}
	}
	return keep(gs, func(g *verdict.Graded) bool { return ended[g] })
}

// How long a process may live on after SIGTERM and still count as one that did not
// wait for its streams: one that the signal itself ended, or one that exited.
const (
	atOnce = 500 * time.Millisecond
	hasty  = 100 * time.Millisecond
)

// diedAtOnce is E4 without any window: the process has no handler for SIGTERM, or
// one that exits. Where a log tells of a shutdown, there is a window of 0.
func (v *view) diedAtOnce(gs []*verdict.Graded, asks []ask) *finding {
	if len(v.tags[graceOver])+len(v.tags[shuttingDown]) > 0 {
		return nil
	}
	for _, g := range gs {
		if a, _ := askOf(asks, g); g.End-a.at > atOnce+deathBefore {
			return nil
		}
	}
	for _, e := range v.Events {
		asked, ok := lastAsk(asks, e.Subject, e.At+deathBefore)
		after := e.At - asked
		bySignal := e.Code == 15 || e.Code == -15 || e.Code == 128+15
		if !ok || e.Kind != record.KindExit && e.Kind != record.KindDie || after < -deathBefore || after > atOnce ||
			after > hasty && !bySignal || killed9(e.Code) {
			continue
		}
		confidence, how := likely, fact{Kind: FactExitedItself, N: e.Code}
		if bySignal {
			confidence, how = certain, fact{Kind: FactSignalEnded, N: e.Code}
		}
		return found(NoGracefulShutdown, layerApp, confidence, gs).
			tell(fact{Kind: FactDiedAtOnce, Took: max(after, 0), N: len(gs)}).
			see(fact{Kind: FactGone, Name: e.Who(), Took: max(after, 0), About: []fact{how}}).see(tightest(gs)).
			not(GraceTooShort, fact{Kind: NotAnyWindow})
	}
	return nil
}

// An ask is a request to stop.
type ask struct {
	at      time.Duration
	slack   time.Duration // by how much later it may have been
	replica string        // which was asked, "" for any
	said    bool          // only a log says so
}

// Pods are told to go within seconds of a decision to have fewer, which may be told after
// the first of them.
const (
	scaledBefore = 10 * time.Second
	scaledAfter  = 5 * time.Second
)

// scaledIn says which decision of an autoscaler the requests to stop came from.
func (v *view) scaledIn(asks []ask) []record.Evidence {
	for _, e := range v.Events {
		if e.Kind == record.KindScaled && slices.ContainsFunc(asks, func(a ask) bool {
			return a.replica != "" && a.at >= e.At-scaledAfter && a.at <= e.At+scaledBefore
		}) {
			return []record.Evidence{record.Found(fact{Kind: FactScaled, Name: e.Subject, Took: e.At, Text: e.Text})}
		}
	}
	return nil
}

// askOf is the last request to stop before the end of a stream that was there to
// meet it.
func askOf(asks []ask, g *verdict.Graded) (last ask, ok bool) {
	for _, a := range asks {
		if g.MayBeOn(a.replica) && g.End >= a.at && startOf(g) <= a.at+a.slack && (!ok || a.at > last.at) {
			last, ok = a, true
		}
	}
	return last, ok
}

// lastAsk is when a process of subject was last asked to stop before a time: when
// the signal was sent, not when we set about it.
func lastAsk(asks []ask, subject string, before time.Duration) (at time.Duration, ok bool) {
	for _, a := range asks {
		if (a.replica == "" || subject == a.replica) && a.at <= before && (!ok || a.at > at) {
			at, ok = a.at, true
		}
	}
	return at, ok
}

// crashed reports whether our own fault ended a replica as a whole: what the cluster says
// of that is no request to stop.
func (v *view) crashed() bool {
	return slices.ContainsFunc(v.Events, func(e record.Event) bool {
		return e.Source == record.FaultSource && e.Kind == record.KindCrash
	})
}

// asksToStop are all requests to stop, and who says so. An event's time is better
// than that of a log line, which may name whole seconds.
func (v *view) asksToStop() (asks []ask, lines []record.Evidence) {
	for _, e := range v.Events {
		a := ask{at: e.At, slack: deathBefore}
		if replicaName.MatchString(e.Subject) {
			a.replica = e.Subject
		}
		switch {
		case e.Subject == record.NginxHop: // the edge, which is told by another rule
		case e.Source == record.FaultSource && e.Kind == record.KindTerm, e.Kind == record.KindStop,
			e.Kind == record.KindKill && e.Code == 15:
			asks = append(asks, a)
			lines = append(lines, record.Found(fact{Kind: FactAskedToStop, Name: string(e.Source),
				Place: string(e.Kind), Text: e.Subject, Took: e.At}))
		}
	}
	scaled := v.scaledIn(asks)
	for _, w := range v.Windows { // our own fault, for those who see no more
		if len(asks) == 0 && w.Phase == record.Active && w.Fault.Kind == record.FaultDrain {
			asks = append(asks, ask{at: w.At, slack: deathBefore})
			lines = append(lines, record.Found(fact{Kind: FactOurFaultStruck, Name: w.Fault.Name, Took: w.At}))
		}
	}
	lines = append(scaled, lines[:min(2, len(lines))]...)
	logged := slices.Clone(v.tags[termHandled])
	if !v.crashed() {
		logged = append(slices.Clone(v.tags[podKilled]), logged...)
	}
	if len(asks) == 0 {
		for _, h := range logged {
			if h.line.At != record.Never && !strings.Contains(h.line.Text, "exited on signal") { // a worker's end is no request
				asks = append(asks, ask{at: h.line.At, slack: deathBefore + stampUnit, replica: h.log.Replica(), said: true})
			}
		}
	}
	if len(v.tags[podKilled]) > 0 {
		lines = append(lines, cite(v.tags[probeFailed], 1)...)
	}
	return asks, append(cite(logged, 2), lines...)
}
