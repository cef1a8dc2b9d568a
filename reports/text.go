package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/streamproof/streamproof/harness/verdict"
)

// evidenceLines bounds what the text shows of one cause; the HTML report shows
// all.
const evidenceLines = 5

// Text writes the report for a terminal, or plain lines where w is none.
func Text(w io.Writer, in Input) error { return TextOn(ScreenOf(w))(w, in) }

// TextOn returns the text reporter for a given screen: the verdict, the causes
// with their fixes, one table, and what happened where a scenario did not pass.
func TextOn(screen Screen) Reporter {
	return func(w io.Writer, in Input) error {
		in, _ = in.safe()
		t := &text{Input: in, screen: screen, inks: screen.inks()}
		t.head()
		t.distinct()
		t.table()
		t.time()
		t.warnings()
		judged, not := aside(alike(worstFirst(in.scenarios())))
		for _, s := range judged {
			t.scenario(s)
		}
		t.aside(not)
		t.foot()
		_, err := io.WriteString(w, t.String())
		return err
	}
}

type text struct {
	strings.Builder
	Input
	screen Screen
	peeled bool // the hops have been shown
	inks
}

func (t *text) head() {
	r := t.Report
	t.paraIn(t.badge(r.Verdict)+"  ", t.bold, headline(t.Input))
	t.paraIn("", t.faint, about(t.Input))
	if s := suiteLine(t.Input); s != "" {
		t.paraIn("", t.faint, s)
	}
	if !r.Complete {
		t.para(t.yellow.Render("incomplete record:")+" ", notWhole(t.run()))
	}
	if p := producedLine(t.Input); p != "" {
		t.para("app's log  ", p)
	}
	for _, e := range edgeNotes(t.Input) {
		t.para("edge  ", e)
	}
	fmt.Fprintln(t)
}

// distinct writes each cause of the run once, before everything else.
func (t *text) distinct() {
	all := distinctCauses(t.Input)
	for _, d := range all {
		t.cause(d)
		if len(all) > 1 && len(d.Checks) > 0 {
			t.para("    ", brokenChecks(d.Checks))
		}
		fmt.Fprintln(t)
	}
}

// time says where the time went.
func (t *text) time() {
	mark := "time  "
	for _, l := range timeLines(t.Input) {
		t.paraIn(mark, t.faint, l)
		mark = "      "
	}
}

// about is one line on what was tested.
func about(in Input) string {
	p := in.run().Plan
	var parts []string
	for _, part := range []string{p.App.String(), p.Stack, p.Dialect} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	parts = append(parts, count(in.Report.Started, "stream")+": "+tally(in.Report.Outcomes),
		fmt.Sprintf("seed %d", in.Report.Seed))
	if d := in.lasted(); d > 0 {
		parts = append(parts, short(d))
	}
	return strings.Join(parts, " · ")
}

func (t *text) ink(v verdict.Verdict) lipgloss.Style {
	switch v {
	case verdict.Fail:
		return t.red
	case verdict.Pass:
		return t.green
	case verdict.NotApplicable:
		return t.faint
	default:
		return t.yellow
	}
}

// glyph differs in shape, for those who do not see the colour.
func glyph(v verdict.Verdict) string {
	switch v {
	case verdict.Fail:
		return "✗"
	case verdict.Pass:
		return "✓"
	case verdict.NotApplicable:
		return "–"
	case verdict.Flaky:
		return "~"
	default:
		return "?"
	}
}

func (t *text) badge(v verdict.Verdict) string {
	if !t.screen.Terminal {
		return shout(v)
	}
	return t.ink(v).Render(glyph(v) + " " + shout(v))
}

// scenario says what a scenario that did not pass is about. A pass is silent,
// unless it comes with doubts, or with causes beyond the fault that we injected.
func (t *text) scenario(s verdict.ScenarioReport) {
	bad := telling(s)
	causes, _ := blamed(s)
	if s.Verdict == verdict.Pass && len(bad) == 0 && len(causes) == 0 && len(s.Doubts) == 0 && settledNote(&s) == "" &&
		s.Sessions == nil {
		return
	}
	fmt.Fprintf(t, "\n%s\n", t.bold.Render(s.ID))
	t.settled(s)
	if !t.peeled {
		t.hops(s)
	}
	settle, rest := doubts(s)
	for _, c := range bad {
		t.happened(c)
		t.next(settle[c.Name])
	}
	t.replicas(s)
	t.sessions(s.Sessions)
	if asked := askedFor(t.Input, s); asked != "" {
		t.para("  ", asked)
	}
	t.because(causes)
	for _, d := range rest {
		t.item("doubt: "+d.About, d.Why)
		t.next(d.Settle)
	}
}

// settled says what became of further attempts, and of a quarantine.
func (t *text) settled(s verdict.ScenarioReport) {
	for _, a := range attemptViews(&s) {
		mark := fmt.Sprintf("  %s: %s  ", a.Label, a.Verdict.Class)
		t.para(mark, cmp.Or(a.Why, "no reason given"))
		if a.Own != "" {
			t.para("    ", "its report: "+a.Own)
		}
	}
	if q := quarantineNote(&s); q != "" {
		t.para("  ", q)
	}
}

// happened says what a check saw, and then which check that was.
func (t *text) happened(c verdict.Check) {
	what := cmp.Or(c.Why, "no reason given")
	indent := strings.Repeat(" ", 2+lipgloss.Width(t.badge(c.Verdict))+1)
	fmt.Fprintf(t, "  %s %s\n", t.badge(c.Verdict),
		strings.TrimLeft(t.wrap(indent, what+" ["+checkLabel(c.Name)+"]"), " "))
}

// because names the causes of a scenario, which stand in full above, and the
// guesses behind them.
func (t *text) because(causes []verdict.Cause) {
	var above, names []string
	for i, c := range causes {
		if further(causes, i) {
			names = append(names, c.Cause)
		} else {
			above = append(above, title(c.Cause))
		}
	}
	if len(above) > 0 {
		t.para("  caused by: ", strings.Join(above, "; "))
	}
	if len(names) > 0 {
		t.para("  ", furtherLine(names)+"; each with its evidence and fix in the HTML report")
	}
}

// aside names the scenarios that do not apply to this app, and what would make
// them apply.
func (t *text) aside(not []verdict.ScenarioReport) {
	if len(not) == 0 {
		return
	}
	fmt.Fprintf(t, "\n%s\n", t.bold.Render("not applicable to this app, and not counted"))
	for _, s := range not {
		t.item(s.ID, s.Why)
		if how := applying(s); how != "" {
			t.para("    to make it apply: ", how)
		}
	}
}

// cause writes a cause with its evidence and its fix.
func (t *text) cause(d distinct) {
	c := d.Cause
	rank, name, line := d.Rank+": ", title(c.Cause), causeLine(c)
	if !t.screen.Terminal || lipgloss.Width(rank+name+"  "+line) <= t.screen.width() {
		fmt.Fprintf(t, "%s%s  %s\n", rank, t.bold.Render(name), t.faint.Render(line))
	} else {
		t.paraIn(rank, t.bold, name)
		t.paraIn("    ", t.faint, line)
	}
	t.para("    ", d.explains())
	if c.Summary != "" {
		t.para("    ", c.Summary)
	}
	for _, e := range c.Evidence[:min(len(c.Evidence), evidenceLines)] {
		t.para("    - ", e.String())
	}
	if n := len(c.Evidence) - evidenceLines; n > 0 {
		t.para("    - ", fmt.Sprintf("and %d more in the HTML report", n))
	}
	for _, r := range c.RuledOut {
		t.para("    ruled out: ", r)
	}
	if s := couldBe(c); s != "" {
		t.para("    could also be: ", s)
	}
	t.fix(c.Fix)
	t.next(c.Settle)
}

// fix writes prose wrapped, and code as it is to be pasted.
func (t *text) fix(fix string) {
	if fix == "" {
		return
	}
	for i, p := range parts(fix) {
		switch {
		case p.Code:
			if i == 0 {
				fmt.Fprintln(t, t.green.Render("    fix:"))
			}
			fmt.Fprintln(t, "      "+strings.ReplaceAll(p.Text, "\n", "\n      "))
		case i == 0:
			t.para(t.green.Render("    fix:")+" ", p.Text)
		default:
			t.para("    ", p.Text)
		}
	}
}

// next writes what to run or to do next. A command stands whole on a line of its
// own, so that it can be copied.
func (t *text) next(s string) {
	switch {
	case s == "":
	case step(s).Code:
		fmt.Fprintln(t, "    run next: "+s)
	default:
		t.para("    next step: ", s)
	}
}

// item writes a name and what there is to say about it.
func (t *text) item(name, what string) {
	if what == "" {
		fmt.Fprintf(t, "  %s\n", name)
		return
	}
	indent := strings.Repeat(" ", 2+lipgloss.Width(name)+2)
	if len(indent) > t.screen.width()/2 {
		fmt.Fprintf(t, "  %s\n", name)
		t.para("    ", what)
		return
	}
	first := strings.TrimLeft(t.wrap(indent, what), " ")
	fmt.Fprintf(t, "  %s  %s\n", name, first)
}

// para writes a paragraph behind a mark, with its further lines under the text.
func (t *text) para(mark, what string) { t.paraIn(mark, t.plain, what) }

// paraIn is para in an ink.
func (t *text) paraIn(mark string, ink lipgloss.Style, what string) {
	indent := strings.Repeat(" ", lipgloss.Width(mark))
	for i, l := range strings.Split(t.wrap(indent, what), "\n") {
		if i > 0 {
			mark = indent
		}
		fmt.Fprintln(t, mark+ink.Render(strings.TrimPrefix(l, indent)))
	}
}

// wrap breaks lines on a terminal, between words. In a file a line stays whole, so
// that grep finds it.
func (t *text) wrap(indent, what string) string {
	if !t.screen.Terminal {
		return indent + what
	}
	return strings.Join(Wrap(what, indent, max(t.screen.width(), len(indent)+20)), "\n")
}

func (t *text) foot() {
	if t.Report.Repro != "" {
		fmt.Fprintf(t, "\nrepeat: %s\n", t.Report.Repro)
		if needs := needed(t.Report.Repro); needs != "" {
			fmt.Fprintln(t, t.wrap("        ", needs))
		}
	}
}
