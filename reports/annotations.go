package reports

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// GitHub Actions reads what a step prints and acts on lines that begin with "::"
// (docs.github.com, "Workflow commands"). A step shows ten errors and ten warnings at
// most, and drops the rest without a word.
const (
	annotationMost  = 10
	annotationBound = 2000 // runes of one message
)

// Annotations writes the scenarios that failed, or could not be judged, as workflow
// commands of GitHub Actions, one line each: errors for those that failed, warnings
// for the others. A run that passed writes nothing.
func Annotations(w io.Writer, in Input) error {
	in, _ = in.safe()
	var lines []string
	judged, _ := aside(alike(worstFirst(in.scenarios())))
	for _, v := range []verdict.Verdict{verdict.Fail, verdict.Inconclusive} {
		lines = append(lines, annotated(judged, v)...)
	}
	if r := in.Report; len(lines) == 0 && r.Verdict != verdict.Pass { // the run's own fault, and no scenario's
		why := r.Why
		if why == "" && !r.Complete {
			why = notWhole(in.run())
		}
		lines = append(lines, annotation(orUnknown(r.Verdict), "the run", cmp.Or(why, headline(in))))
	}
	_, err := io.WriteString(w, strings.Join(lines, ""))
	return err
}

// annotated are the lines for the scenarios of one verdict. Those that would be too
// many are named in the last one.
func annotated(all []verdict.ScenarioReport, v verdict.Verdict) (lines []string) {
	var bad []verdict.ScenarioReport
	for _, s := range all {
		if orUnknown(s.Verdict) == v {
			bad = append(bad, s)
		}
	}
	var rest []string
	for i, s := range bad {
		if len(bad) > annotationMost && i >= annotationMost-1 {
			rest = append(rest, s.ID)
			continue
		}
		lines = append(lines, annotation(v, s.ID, said(s)))
	}
	if len(rest) > 0 {
		lines = append(lines, annotation(v, count(len(rest), "more scenario"), strings.Join(rest, ", ")))
	}
	return lines
}

// said is what a scenario found: the first check that is open, the first cause and
// its fix.
func said(s verdict.ScenarioReport) string {
	text := s.Why
	if bad := telling(s); len(bad) > 0 {
		text = bad[0].Name + ": " + bad[0].Why
	}
	causes, _ := blamed(s)
	if len(causes) == 0 {
		return text
	}
	c := causes[0]
	text += fmt.Sprintf("\nCause: %s (%s)", title(c.Cause), causeLine(c))
	if c.Summary != "" {
		text += "\n" + c.Summary
	}
	if c.Fix != "" {
		text += "\nFix:\n" + c.Fix
	}
	return text
}

// annotation is one workflow command.
func annotation(v verdict.Verdict, about, text string) string {
	command, what := "error", "failed"
	if v != verdict.Fail {
		command, what = "warning", "inconclusive"
	}
	head := bound(fmt.Sprintf("streamproof: %s %s", about, what), 200)
	return fmt.Sprintf("::%s title=%s::%s\n", command, propertyEscapes.Replace(head),
		dataEscapes.Replace(bound(text, annotationBound)))
}

// The escapes of workflow commands (github.com/actions/toolkit, packages/core,
// command.ts): of what follows the second "::", and of a property before it.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// Verbatim lets write print what a server or a log may have said, and keeps GitHub
// Actions from taking lines of it for commands. It stops all commands until a word
// comes that nobody could have guessed.
func Verbatim(w io.Writer, write func(io.Writer) error) error {
	word := rand.Text()
	if _, err := fmt.Fprintf(w, "::stop-commands::%s\n", word); err != nil {
		return err
	}
	err := write(w)
	_, end := fmt.Fprintf(w, "\n::%s::\n", word)
	return errors.Join(err, end)
}
