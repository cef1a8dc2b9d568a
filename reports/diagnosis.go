package reports

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// DiagnosisOn returns the reporter of a chain that was peeled: the
// causes and their fixes first, then where it goes wrong, then how the layers are
// set.
func DiagnosisOn(screen Screen) Reporter {
	return func(w io.Writer, in Input) error {
		in, _ = in.safe()
		t := &text{Input: in, screen: screen, inks: screen.inks()}
		fmt.Fprintf(t, "%s  %s\n", t.badge(in.Report.Verdict), t.bold.Render(located(in)))
		fmt.Fprintln(t, t.faint.Render(about(in)))
		if !in.Report.Complete {
			fmt.Fprintf(t, "%s %s\n", t.yellow.Render("incomplete record:"), notWhole(t.run()))
		}
		for _, e := range edgeNotes(in) {
			t.para("edge  ", e)
		}
		fmt.Fprintln(t)
		t.distinct()
		for _, s := range in.scenarios() {
			t.diagnosis(s)
		}
		t.foot()
		_, err := io.WriteString(w, t.String())
		return err
	}
}

// located says in one sentence where the chain goes wrong.
func located(in Input) string {
	for _, s := range in.Report.Scenarios {
		if len(s.Hops) == 0 {
			continue
		}
		if h := firstWrong(hopViews(s.Hops)); h != nil {
			return fmt.Sprintf("the problem appears at %s: %s", h.Hop, h.Why)
		}
		switch {
		case s.Verdict == verdict.Pass && allInOnePiece(s.Hops):
			return fmt.Sprintf("all %d hops pass streams on complete; each answer came in one piece, from the app as well, "+
				"so it is not known whether a hop holds events back", len(s.Hops))
		case s.Verdict == verdict.Pass:
			return fmt.Sprintf("all %d hops pass streams on complete and without delay", len(s.Hops))
		}
	}
	return headline(in)
}

func (t *text) diagnosis(s verdict.ScenarioReport) {
	t.hops(s)
	t.peeled = true
	if doc := t.plan(s.ID).Doc; doc != "" {
		t.para("tested: ", doc)
	}
	for _, c := range s.Checks {
		if c.Name == verdict.SameText {
			t.item("not streaming:", c.Why)
		}
	}
	t.scenario(s)
	fmt.Fprintln(t)
	t.layers(s.ID)
	t.warnings()
}

// layers sets the timers of all layers side by side, the smallest first.
func (t *text) layers(id string) {
	plan := t.plan(id)
	timers := lint.Timers(plan.Layers, t.run().Plan.Limits)
	if len(timers) == 0 {
		return
	}
	smallest := lint.Smallest(timers)
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "layer\tsetting\tlimit\tof\t")
	for i := range timers {
		m, note := &timers[i], ""
		switch {
		case m == smallest:
			note = "← ends a stream first"
		case m.Layer == "client":
			note = "streamproof's own limit, not counted"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", m.Layer, m.Setting, short(m.Limit), m.Kind, note)
	}
	tw.Flush()
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(t, strings.TrimRight(line, " \n"))
	}
	if set := buffers(plan.Layers); set != "" {
		t.para("buffers  ", set)
	}
}

// bufferSettings are what decides whether small events pass as they are written.
var bufferSettings = []string{"proxy_http_version", "proxy_buffering", "proxy_buffers", "gzip"}

func buffers(layers []record.Layer) string {
	var parts []string
	for _, l := range layers {
		for _, name := range bufferSettings {
			if v := l.Settings[name]; v != "" {
				parts = append(parts, l.Name+" "+name+" "+v)
			}
		}
	}
	return strings.Join(parts, " · ")
}
