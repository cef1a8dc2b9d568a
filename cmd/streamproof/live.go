package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// A live shows a run while it lasts, on stderr, so that stdout holds the report
// alone.
type live struct {
	w        io.Writer
	progress *reports.Progress // nil when quiet
	retries  int
}

func newLive(w io.Writer, quiet, noColor bool) *live {
	if quiet {
		return &live{w: w}
	}
	return &live{w: w, progress: reports.NewProgressOn(w, screenOf(w, noColor))}
}

func (l *live) begin(o harness.Options, plan forecast) {
	if l.retries = o.Suite.Retries; l.progress == nil {
		return
	}
	tell(l.w, fmt.Sprintf("%s, %s, seed %d, into %s", o.App.String(), plural.Of(len(o.Scenarios), "scenario"), o.Seed,
		o.Dir))
	if len(o.Scenarios) > 1 {
		tell(l.w, plan.String())
	}
}

// retry shows that scenarios are played again: quiet or not, for it changes what a pass
// means.
func (l *live) retry(n int, ids []string) {
	l.done()
	tell(l.w, fmt.Sprintf("retry %d of %d: %s did not pass", n, l.retries, strings.Join(ids, ", ")))
}

// took sets the time that a run took beside the estimate.
func (l *live) took(plan forecast, r *verdict.Report) {
	if l.progress == nil || plan.Seconds == nil || r == nil || len(plan.Scenarios) < 2 {
		return
	}
	sum := 0.0
	for _, s := range r.Scenarios {
		if s.Took != nil {
			sum += *s.Took
		}
	}
	fmt.Fprintf(l.w, "took %s, estimated %s\n", took(&sum), took(plan.Seconds))
}

func (l *live) update(p harness.Progress) {
	if l.progress == nil {
		return
	}
	l.progress.Update(reports.Snapshot{Scenario: p.Scenario, N: p.Index + 1, Of: p.Total, Phase: p.Phase,
		Started: p.Started, Live: p.Live, Well: p.Whole, Badly: p.Ended - p.Whole, Elapsed: p.Elapsed})
}

// warn says what will go wrong before any load is sent. Quiet or not: it is why
// the run may be in vain.
func (l *live) warn(scenario string, w verdict.Warning) { l.warning(scenario, reports.Warned(w)) }

func (l *live) warning(about, text string) { tell(l.w, "warning: "+about+": "+plain(text)) }

func (l *live) interrupted() {
	l.done()
	tell(l.w, "interrupted: removing faults and writing the report (press Ctrl-C again to quit now)")
}

func (l *live) done() {
	if l.progress != nil {
		l.progress.Done()
	}
}

// tell writes a line, which a terminal gets broken between words: it would break it
// inside of them. A pipe gets it whole.
func tell(w io.Writer, line string) {
	if s := reports.ScreenOf(w); s.Terminal && s.Width > 0 {
		line = strings.Join(reports.Wrap(line, "", s.Width), "\n")
	}
	fmt.Fprintln(w, line)
}

func screenOf(w io.Writer, noColor bool) reports.Screen {
	s := reports.ScreenOf(w)
	s.Color = s.Color && !noColor
	return s
}
