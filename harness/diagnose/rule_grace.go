package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// grace (E4) explains cuts after somebody asked the app to stop. The window is
// the app's own, also where we asked.
type grace struct{}

func (grace) match(v *view) []*finding {
	asked, slack, lines := v.askedToStop()
	if asked == record.Never {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.End >= asked && startOf(g) <= asked+slack
	})
	if len(gs) == 0 || len(v.tags[workerTimedOut]) > 0 && len(v.tags[recycling]) > 0 {
		return nil
	}
	after := gs[0].End - asked
	for _, g := range gs {
		after = min(after, g.End-asked)
	}
	if f := v.diedAtOnce(gs, asked); f != nil {
		return one(f.see(lines...))
	}
	confidence := likely
	ms := v.matchDeaths(gs, diedByTerm, diedByKill, diedByExit)
	if len(ms) > 0 || len(v.tags[graceOver]) > 0 {
		confidence = certain
	}
	f := found(GraceTooShort, "E4", layerManager, confidence, gs).
		say("the app was asked to stop and cut %d streams %.2f s later: its window is shorter than they are", len(gs), after.Seconds()).
		see(lines...).see(cite(v.tags[graceOver], 2)...).see(causesOfDeath(ms, 3)...).see(tightest(gs)).
		notIf(v.oomKills() == 0, "memory kill", "oom_kill did not rise").
		mend(v.fix(fixGrace))
	if after < instant {
		f.say("the app was asked to stop and cut %d streams at once", len(gs))
	}
	return one(f)
}

// How long a process may live on after SIGTERM and still count as one that did not
// wait for its streams: one that the signal itself ended, or one that exited.
const (
	atOnce = 500 * time.Millisecond
	hasty  = 100 * time.Millisecond
)

// diedAtOnce is E4 without any window: the process has no handler for SIGTERM, or
// one that exits. Where a log tells of a shutdown, there is a window of 0.
func (v *view) diedAtOnce(gs []*verdict.Graded, asked time.Duration) *finding {
	if len(v.tags[graceOver])+len(v.tags[shuttingDown]) > 0 {
		return nil
	}
	for _, g := range gs {
		if g.End-asked > atOnce+deathBefore {
			return nil
		}
	}
	for _, e := range v.Events {
		if e.Kind == "stop" && e.Source == "process" {
			asked = max(asked, e.At) // when the signal was sent, not when we set about it
		}
		after := e.At - asked
		bySignal := e.Code == 15 || e.Code == -15 || e.Code == 128+15
		if e.Kind != "exit" && e.Kind != "die" || after < -deathBefore || after > atOnce || after > hasty && !bySignal || killed9(e.Code) {
			continue
		}
		confidence, how := likely, fmt.Sprintf("it exited by itself, code %d", e.Code)
		if bySignal {
			confidence, how = certain, fmt.Sprintf("the signal itself ended it, code %d", e.Code)
		}
		return found(NoGracefulShutdown, "E4", layerApp, confidence, gs).
			say("the app died %s after SIGTERM and cut %d streams: it does not wait for what it still serves", milliseconds(max(after, 0)), len(gs)).
			see(fmt.Sprintf("%s was gone %s after SIGTERM: %s", e.Subject, milliseconds(max(after, 0)), how)).see(tightest(gs)).
			not(GraceTooShort, "there was no window at all").
			mend(v.fix(fixNoShutdown))
	}
	return nil
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// askedToStop is when the first request to stop came, by how much later it may
// have been, and who says so. An event's time is better than that of a log line,
// which may name whole seconds.
func (v *view) askedToStop() (at, slack time.Duration, lines []string) {
	at, slack = record.Never, deathBefore
	for _, e := range v.Events {
		switch {
		case e.Source == "fault" && e.Kind == "term", e.Kind == "stop", e.Kind == "kill" && e.Code == 15:
			at = earlier(at, e.At)
			lines = append(lines, fmt.Sprintf("%s %s of %s at %.3f s", e.Source, e.Kind, e.Subject, e.At.Seconds()))
		}
	}
	for _, w := range v.Windows { // our own fault, for those who see no more
		if at == record.Never && w.Phase == record.Active && strings.Contains(w.Fault, "SIGTERM") {
			at = w.At
			lines = append(lines, fmt.Sprintf("our fault, %s, struck at %.3f s", w.Fault, w.At.Seconds()))
		}
	}
	lines = lines[:min(2, len(lines))]
	logged := v.tags[termHandled]
	if at == record.Never {
		slack += stampUnit
		for _, h := range logged {
			at = earlier(at, h.line.At)
		}
	}
	return at, slack, append(cite(logged, 2), lines...)
}

// earlier is the earlier of two times, either of which may be Never.
func earlier(a, b time.Duration) time.Duration {
	if a == record.Never || b != record.Never && b < a {
		return b
	}
	return a
}
