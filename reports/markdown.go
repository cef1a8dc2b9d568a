package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Bounds of summary.md. GitHub cuts a comment at 65,536 characters, in the
// middle of whatever stands there; we stop before that, between two scenarios,
// and say so.
const (
	markdownBound    = 60000 // bytes
	markdownEvidence = 8     // lines per cause
	markdownCauses   = 6     // in all
)

// Markdown writes summary.md, for a comment on a pull request or the summary of
// a CI job: headline, causes with their fixes, one table, and what did not pass.
func Markdown(w io.Writer, in Input) error {
	in, _ = in.safe()
	m := &markdown{Input: in}
	m.head()
	m.distinct()
	m.table()
	m.warnings()
	left := 0
	judged, not := aside(alike(worstFirst(in.scenarios())))
	for _, s := range judged {
		part := (&markdown{Input: in}).scenario(s)
		if m.Len()+len(part) > markdownBound {
			left++
			continue
		}
		m.WriteString(part)
	}
	m.aside(not)
	m.time()
	if left > 0 {
		fmt.Fprintf(m, "\n_Left out for length: the details of %s. They are in report.html._\n", count(left, "scenario"))
	}
	m.foot()
	_, err := io.WriteString(w, m.String())
	return err
}

type markdown struct {
	strings.Builder
	Input
}

var marks = map[verdict.Verdict]string{verdict.Pass: "✅", verdict.Fail: "❌", verdict.NotApplicable: "➖"}

func mark(v verdict.Verdict) string {
	return cmp.Or(marks[v], "⚠️") + " **" + strings.ReplaceAll(string(orUnknown(v)), "_", " ") + "**"
}

func orUnknown(v verdict.Verdict) verdict.Verdict {
	if v == verdict.Pass || v == verdict.Fail || v == verdict.NotApplicable || v == verdict.Flaky {
		return v
	}
	return verdict.Inconclusive
}

func (m *markdown) head() {
	fmt.Fprintf(m, "## %s streamproof: %s\n\n", cmp.Or(marks[m.Report.Verdict], "⚠️"), orUnknown(m.Report.Verdict))
	fmt.Fprintf(m, "**%s**\n\n%s\n\n", md(headline(m.Input)), md(about(m.Input)))
	if s := suiteLine(m.Input); s != "" {
		fmt.Fprintf(m, "%s\n\n", md(s))
	}
	if !m.Report.Complete {
		fmt.Fprintf(m, "> ⚠️ Incomplete record: %s.\n\n", md(notWhole(m.run())))
	}
	if p := producedLine(m.Input); p != "" {
		fmt.Fprintf(m, "> **App's log** %s.\n\n", md(p))
	}
	if lines := edgeLines(m.Input); !cut(m.Report) && len(lines) > 0 {
		fmt.Fprintf(m, "<details><summary>What the edge does to cut streams (none was cut in this "+
			"run)</summary>\n\n%s\n\n</details>\n\n", md(strings.Join(lines, "; ")))
		return
	}
	for _, e := range edgeLines(m.Input) {
		fmt.Fprintf(m, "> **Edge** %s.\n\n", md(e))
	}
}

// tableRows bounds the table of scenarios; passing ones go first, and are counted.
const tableRows = 100

func (m *markdown) table() {
	all := worstFirst(m.scenarios())
	m.WriteString("| scenario | verdict | streams | outcomes | why |\n|---|---|--:|---|---|\n")
	for _, s := range all[:min(len(all), tableRows)] {
		fmt.Fprintf(m, "| %s | %s | %s | %s | %s |\n",
			cell(s.ID), mark(s.Verdict), thousands(s.Started), md(tally(s.Outcomes)), md(bound(brief(s), 200)))
	}
	if n := len(all) - tableRows; n > 0 {
		fmt.Fprintf(m, "\n_%s more, none of them worse than the last one shown._\n", count(n, "scenario"))
	}
}

func (m *markdown) scenario(s verdict.ScenarioReport) string {
	bad := telling(s)
	causes, _ := blamed(s)
	if s.Verdict == verdict.Pass && len(bad) == 0 && len(causes) == 0 && settledNote(&s) == "" {
		return ""
	}
	fmt.Fprintf(m, "\n### %s %s\n\n", code(s.ID), orUnknown(s.Verdict))
	m.settled(s)
	m.hops(s)
	settle, rest := doubts(s)
	for _, c := range bad {
		fmt.Fprintf(m, "- %s %s _(%s)_%s\n", mark(c.Verdict), md(cmp.Or(c.Why, "no reason given")), md(checkLabel(c.Name)),
			nextText(settle[c.Name]))
	}
	if asked := askedFor(m.Input, s); asked != "" {
		fmt.Fprintf(m, "- %s\n", md(asked))
	}
	m.because(causes)
	for _, d := range rest {
		fmt.Fprintf(m, "- doubt: %s: %s%s\n", md(d.About), md(d.Why), nextText(d.Settle))
	}
	return m.String()
}

// time says where the time went.
func (m *markdown) time() {
	if lines := timeLines(m.Input); len(lines) > 0 {
		fmt.Fprintf(m, "\n<details><summary>Where the time went</summary>\n\n- %s\n\n</details>\n",
			strings.Join(mdAll(lines), "\n- "))
	}
}

func mdAll(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = md(l)
	}
	return out
}

// settled says what became of further attempts, and of a quarantine.
func (m *markdown) settled(s verdict.ScenarioReport) {
	for _, a := range attemptViews(&s) {
		own := ""
		if a.Own != "" {
			own = " (" + code(a.Own) + ")"
		}
		fmt.Fprintf(m, "- %s: %s %s%s\n", a.Label, mark(verdict.Verdict(a.Verdict.Class)),
			md(cmp.Or(a.Why, "no reason given")), own)
	}
	if q := quarantineNote(&s); q != "" {
		fmt.Fprintf(m, "- %s\n", md(q))
	}
}

// aside says what would make the scenarios apply that do not; the table has said
// why they do not.
func (m *markdown) aside(not []verdict.ScenarioReport) {
	if len(not) == 0 {
		return
	}
	m.WriteString("\nNot applicable to this app, and not counted:\n\n")
	for _, s := range not {
		how := applying(s)
		if how != "" {
			how = "; to make it apply: " + stepText(how)
		}
		fmt.Fprintf(m, "- %s: %s%s\n", code(s.ID), md(s.Why), how)
	}
}

// distinct writes each cause of the run once.
func (m *markdown) distinct() {
	all := distinctCauses(m.Input)
	for i, d := range all {
		if i >= markdownCauses {
			fmt.Fprintf(m, "_%s in report.html._\n\n", count(len(all)-i, "more cause"))
			return
		}
		m.cause(d)
	}
}

// because names the causes of a scenario, which stand above, and the guesses
// behind them.
func (m *markdown) because(causes []verdict.Cause) {
	var names []string
	for i, c := range causes {
		if further(causes, i) {
			names = append(names, c.Cause)
			continue
		}
		fmt.Fprintf(m, "- caused by: %s\n", md(title(c.Cause)))
	}
	if len(names) > 0 {
		fmt.Fprintf(m, "- %s; each with its evidence and fix in report.html\n", md(furtherLine(names)))
	}
}

// stepText is a command as code, or prose.
func stepText(s string) string {
	if step(s).Code {
		return code(s)
	}
	return md(s)
}

// nextText puts what to run or to do next behind a line.
func nextText(s string) string {
	switch {
	case s == "":
		return ""
	case step(s).Code:
		return "; run next: " + code(s)
	}
	return "; next step: " + md(s)
}

func (m *markdown) cause(d distinct) {
	c := d.Cause
	fmt.Fprintf(m, "**%s: %s** (%s%s) %s\n\n", strings.ToUpper(d.Rank[:1])+d.Rank[1:], md(title(c.Cause)),
		md(causeLine(c)), aboutIt(c), md(d.explains()))
	if c.Summary != "" {
		fmt.Fprintf(m, "%s\n\n", md(c.Summary))
	}
	if c.Fix != "" {
		m.WriteString("Fix: ")
		for _, p := range parts(c.Fix) {
			if p.Code {
				m.WriteString("\n\n" + fenced(p.Text) + "\n\n")
			} else {
				m.WriteString(md(strings.ReplaceAll(p.Text, "\n", " ")))
			}
		}
		m.WriteString("\n\n")
	}
	if len(c.Evidence) > 0 {
		fmt.Fprintf(m, "<details><summary>Evidence (%d)</summary>\n\n", len(c.Evidence))
		for _, e := range c.Evidence[:min(len(c.Evidence), markdownEvidence)] {
			fmt.Fprintf(m, "- %s\n", evidenceText(e))
		}
		if n := len(c.Evidence) - markdownEvidence; n > 0 {
			fmt.Fprintf(m, "- and %d more in report.html\n", n)
		}
		for _, r := range c.RuledOut {
			fmt.Fprintf(m, "- ruled out: %s\n", md(r))
		}
		m.WriteString("\n</details>\n\n")
	}
	if s := couldBe(c); s != "" {
		fmt.Fprintf(m, "Could also be: %s\n\n", md(s))
	}
	if c.Settle != "" {
		label := "Next step: "
		if step(c.Settle).Code {
			label = "Run next: "
		}
		fmt.Fprintf(m, "%s%s\n\n", label, stepText(c.Settle))
	}
}

// evidenceText sets lines of logs as code, and figures as prose.
func evidenceText(e record.Evidence) string {
	if e.Log == "" {
		return md(bound(e.Text, 300))
	}
	return code(bound(e.String(), 300))
}

// aboutIt links to what a cause is, behind what else is said of it.
func aboutIt(c verdict.Cause) string {
	if to := diagnose.Link(c.Cause); to != "" {
		return " · [about this cause](" + to + ")"
	}
	return ""
}

func (m *markdown) foot() {
	if m.Report.Repro != "" {
		fmt.Fprintf(m, "\nRepeat:\n\n%s\n", fenced(m.Report.Repro))
		if needs := needed(m.Report.Repro); needs != "" {
			fmt.Fprintf(m, "\n%s\n", md(needs))
		}
	}
}

// mdEscapes disarms what GitHub's Markdown would act on: markup, HTML, and the
// mentions and references that it finds even in escaped text, which a word
// joiner of no width takes apart.
var mdEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;",
	"@", "@\u2060", "#", "#\u2060", "://", ":\u2060//", "www.", "www\u2060.",
)

func md(s string) string { return mdEscapes.Replace(s) }

// code puts s into a code span, which ends with its paragraph: no line breaks.
func code(s string) string {
	s = strings.ReplaceAll(s, "\n", " ")
	tick := strings.Repeat("`", longestRun(s, '`')+1)
	if len(tick) > 1 || strings.HasPrefix(s, " ") {
		return tick + " " + s + " " + tick
	}
	return tick + s + tick
}

// cell is code in a table, where a pipe ends the cell even within code.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// fenced makes a block of code whose fence s cannot close.
func fenced(s string) string {
	fence := strings.Repeat("`", max(longestRun(s, '`')+1, 3))
	return fence + "\n" + strings.TrimRight(s, "\n") + "\n" + fence
}

func longestRun(s string, c rune) int {
	longest, now := 0, 0
	for _, r := range s {
		if r != c {
			now = 0
			continue
		}
		now++
		longest = max(longest, now)
	}
	return longest
}
