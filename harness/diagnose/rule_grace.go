package diagnose

import (
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// grace (E4) explains cuts after somebody asked the app to stop. The window is
// the app's own, also where we asked.
type grace struct{}

func (grace) match(v *view) []*finding {
	asked, lines := v.askedToStop()
	if asked == record.Never {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.End >= asked && startOf(g) <= asked+deathBefore
	})
	if len(gs) == 0 || len(v.tags[workerTimedOut]) > 0 && len(v.tags[recycling]) > 0 {
		return nil
	}
	after := gs[0].End - asked
	for _, g := range gs {
		after = min(after, g.End-asked)
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
		mend("give the app longer than the longest stream: gunicorn --graceful-timeout 120, uvicorn --timeout-graceful-shutdown 120, docker stop -t 130")
	if after < instant {
		f.say("the app was asked to stop and cut %d streams at once", len(gs))
	}
	return one(f)
}

// askedToStop is when the first request to stop came, and who says so.
func (v *view) askedToStop() (at time.Duration, lines []string) {
	at = record.Never
	note := func(t time.Duration, line string) {
		if t != record.Never && (at == record.Never || t < at) {
			at = t
		}
		if len(lines) < 4 {
			lines = append(lines, line)
		}
	}
	for _, h := range v.tags[termHandled][:min(2, len(v.tags[termHandled]))] {
		note(h.line.At, h.String())
	}
	for _, e := range v.Events {
		switch {
		case e.Source == "fault" && e.Kind == "term", e.Kind == "stop", e.Kind == "kill" && e.Code == 15:
			note(e.At, fmt.Sprintf("%s %s of %s at %.3f s", e.Source, e.Kind, e.Subject, e.At.Seconds()))
		}
	}
	return at, lines
}
