package reports

import (
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A turnView is one line of the table of turns.
type turnView struct {
	Turn, Started, Outcomes string
	TTFE, Gap               quantilesView
}

// turnViews is empty where there were no sessions.
func turnViews(s *verdict.SessionsReport) []turnView {
	if s == nil {
		return nil
	}
	var out []turnView
	for _, t := range s.ByTurn {
		out = append(out, turnView{thousands(t.Turn), thousands(t.Started), tally(t.Outcomes), quantiles(t.TTFE),
			quantiles(t.Gap)})
	}
	return out
}

// sessionsLine says how many sessions were finished, and what became of the others.
func sessionsLine(s *verdict.SessionsReport) string {
	if s == nil {
		return ""
	}
	parts := []string{fmt.Sprintf("%s of up to %s: %s finished", count(s.Sessions, "session"), count(s.Turns, "turn"),
		thousands(s.Finished))}
	for _, of := range []struct {
		n   int
		why string
	}{
		{s.Failed, "ended by a turn without a complete response"},
		{s.Ended, "not continued because the load ended"},
		{s.Stopped, "stopped by the client or by the end of the run"},
	} {
		if of.n > 0 {
			parts = append(parts, thousands(of.n)+" "+of.why)
		}
	}
	if s.Unsent > 0 {
		parts = append(parts, count(s.Unsent, "turn")+" not sent")
	}
	line := strings.Join(parts, ", ")
	if s.Turns > 1 && len(s.ByTurn) == 1 && s.Ended > 0 {
		line += "; no session reached turn 2: use a longer duration or a shorter think time"
	}
	if s.CutAnswers > 0 {
		line += fmt.Sprintf("; %s %s longer than 1 MiB, the rest was left out of the next turn",
			count(s.CutAnswers, "response"), were(s.CutAnswers))
	}
	return line
}

// sessions writes the turns, one a line.
func (t *text) sessions(s *verdict.SessionsReport) {
	if s == nil {
		return
	}
	t.para("  ", sessionsLine(s))
	for _, v := range turnViews(s) {
		t.item("turn "+v.Turn, fmt.Sprintf("%s streams: %s; first event p50 %s, p95 %s; longest gap p50 %s, p95 %s",
			v.Started, v.Outcomes, v.TTFE.P50, v.TTFE.P95, v.Gap.P50, v.Gap.P95))
	}
}
