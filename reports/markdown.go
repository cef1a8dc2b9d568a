package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Bounds of summary.md. GitHub cuts a comment at 65,536 characters, in the
// middle of whatever stands there; we stop before that, between two scenarios,
// and say so.
const (
	markdownBound    = 60000 // bytes
	markdownEvidence = 8     // lines per cause
	markdownCauses   = 4     // per scenario
)

// Markdown writes summary.md, for a comment on a pull request or the summary of
// a CI job: headline, one table, and what did not pass.
func Markdown(w io.Writer, in Input) error {
	in, _ = in.safe()
	m := &markdown{Input: in}
	m.head()
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
	return orElse(marks[v], "⚠️") + " **" + strings.ReplaceAll(string(orUnknown(v)), "_", " ") + "**"
}

func orUnknown(v verdict.Verdict) verdict.Verdict {
	if v == verdict.Pass || v == verdict.Fail || v == verdict.NotApplicable {
		return v
	}
	return verdict.Inconclusive
}

func (m *markdown) head() {
	fmt.Fprintf(m, "## %s streamproof: %s\n\n", orElse(marks[m.Report.Verdict], "⚠️"), orUnknown(m.Report.Verdict))
	fmt.Fprintf(m, "**%s**\n\n%s\n\n", md(headline(m.Input)), md(about(m.Input)))
	if !m.Report.Complete {
		fmt.Fprintf(m, "> ⚠️ Incomplete record: %s.\n\n", md(notWhole(m.run())))
	}
	for _, e := range edgeLines(m.Input) {
		fmt.Fprintf(m, "> **Edge** %s.\n\n", md(e))
	}
	if p := producedLine(m.Input); p != "" {
		fmt.Fprintf(m, "> **App's log** %s.\n\n", md(p))
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
	if s.Verdict == verdict.Pass && len(bad) == 0 && len(causes) == 0 {
		return ""
	}
	fmt.Fprintf(m, "\n### %s %s\n\n", code(s.ID), orUnknown(s.Verdict))
	m.hops(s)
	settle, rest := doubts(s)
	for _, c := range bad {
		fmt.Fprintf(m, "- %s %s: %s%s\n", mark(c.Verdict), md(c.Name), md(c.Why), toSettle(settle[c.Name]))
	}
	if asked := askedFor(m.Input, s); asked != "" {
		fmt.Fprintf(m, "- %s\n", md(asked))
	}
	m.causes(causes)
	for _, d := range rest {
		fmt.Fprintf(m, "- doubt: %s: %s%s\n", md(d.About), md(d.Why), toSettle(d.Settle))
	}
	return m.String()
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
			how = "; to make it apply: " + code(how)
		}
		fmt.Fprintf(m, "- %s: %s%s\n", code(s.ID), md(s.Why), how)
	}
}

// causes writes the first causes, and names those behind them.
func (m *markdown) causes(causes []verdict.Cause) {
	var names []string
	for i, c := range causes {
		if i >= markdownCauses || further(causes, i) {
			names = append(names, c.Cause)
			continue
		}
		m.cause(c)
	}
	if len(names) > 0 {
		fmt.Fprintf(m, "\n%s; each with its evidence and fix in report.html\n", md(furtherLine(names)))
	}
}

func toSettle(how string) string {
	if how == "" {
		return ""
	}
	return "; to settle it: " + code(how)
}

func (m *markdown) cause(c verdict.Cause) {
	fmt.Fprintf(m, "\n**Cause: %s** (%s%s)\n\n", md(title(c.Cause)), md(causeLine(c)), aboutIt(c))
	if c.Summary != "" {
		fmt.Fprintf(m, "%s\n\n", md(c.Summary))
	}
	if len(c.Evidence) > 0 {
		fmt.Fprintf(m, "<details><summary>Evidence (%d)</summary>\n\n", len(c.Evidence))
		for _, e := range c.Evidence[:min(len(c.Evidence), markdownEvidence)] {
			fmt.Fprintf(m, "- %s\n", code(bound(e.String(), 300)))
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
	if c.Fix != "" {
		m.WriteString("Fix:\n\n" + fenced(c.Fix) + "\n")
	}
	if c.Settle != "" {
		fmt.Fprintf(m, "\nTo settle it: %s\n", code(c.Settle))
	}
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
