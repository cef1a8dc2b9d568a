package reports

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
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

// Annotations writes what went wrong as workflow commands of GitHub Actions, one line
// each: every distinct cause once, whatever number of scenarios found it, and every
// scenario that failed or could not be judged without a cause to show. Errors are for
// what failed, warnings for the rest. A run that passed writes nothing.
func Annotations(w io.Writer, in Input) error {
	in, _ = in.safe()
	all := append(causeRemarks(in), scenarioRemarks(in)...)
	if r := in.Report; len(all) == 0 && !r.Passes() { // the run's own fault, and no scenario's
		why := r.Why
		if why == "" && !r.Complete {
			why = notWhole(in.run())
		}
		v := orUnknown(r.Verdict)
		all = append(all, remark{v, "the run " + endedAs[v], cmp.Or(why, headline(in))})
	}
	var lines []string
	for _, v := range []verdict.Verdict{verdict.Fail, verdict.Flaky, verdict.Inconclusive} {
		lines = append(lines, annotated(all, v)...)
	}
	_, err := io.WriteString(w, strings.Join(lines, ""))
	return err
}

// A remark is one annotation before it is written: about a cause or a scenario.
type remark struct {
	verdict     verdict.Verdict
	title, text string
}

// endedAs says in a title how a scenario or the run ended.
var endedAs = map[verdict.Verdict]string{verdict.Fail: "failed", verdict.Flaky: "flaky",
	verdict.Inconclusive: "inconclusive"}

// causeRemarks are the distinct causes, each as bad as the worst scenario that found it.
// What a scenario that passed shows is no annotation.
func causeRemarks(in Input) (all []remark) {
	for _, d := range distinctCauses(in) {
		worst, first := verdict.Pass, ""
		for _, s := range worstFirst(in.scenarios()) {
			if v := orUnknown(s.Counts()); d.in(s.ID) && worst.Worse(v) != worst {
				worst, first = v, openReason(s)
			}
		}
		if worst == verdict.Pass {
			continue
		}
		all = append(all, remark{worst, title(d.Cause.Cause) + " (" + d.places() + ")", join(first, causeText(d))})
	}
	return all
}

// in reports whether a scenario found the cause.
func (d distinct) in(id string) bool {
	return slices.ContainsFunc(d.Where, func(f found) bool { return f.ID == id })
}

// placesShown bounds the scenarios that a title names.
const placesShown = 3

// places reads "cut, worker-kill and 4 more scenarios".
func (d distinct) places() string {
	var ids []string
	for _, f := range d.Where {
		ids = append(ids, f.ID)
	}
	if n := len(ids) - placesShown; n > 0 {
		return strings.Join(ids[:placesShown], ", ") + " and " + count(n, "more scenario")
	}
	return strings.Join(ids, ", ")
}

// causeText is what is known of a cause, its first piece of evidence and its fix.
func causeText(d distinct) string {
	text := fmt.Sprintf("Cause: %s (%s), %s", title(d.Cause.Cause), causeLine(d.Cause), d.explains())
	text = join(text, d.Summary)
	if len(d.Evidence) > 0 {
		text += "\nEvidence: " + d.Evidence[0].String()
	}
	if d.Fix != "" {
		text += "\nFix:\n" + d.Fix
	}
	return text
}

// scenarioRemarks are the scenarios that did not pass and found no cause, and those in
// quarantine that need a look.
func scenarioRemarks(in Input) (all []remark) {
	judged, _ := aside(alike(worstFirst(in.scenarios())))
	for _, s := range judged {
		causes, _ := blamed(s)
		if q := s.Quarantine; q != nil && (q.Expired || q.Excused) {
			v := map[bool]verdict.Verdict{true: verdict.Fail, false: verdict.Inconclusive}[q.Expired]
			all = append(all, remark{v, s.ID + " in quarantine", quarantineNote(&s)})
		}
		if v := orUnknown(s.Counts()); v != verdict.NotApplicable && v != verdict.Pass && len(causes) == 0 {
			all = append(all, remark{v, s.ID + " " + endedAs[v], openReason(s)})
		}
	}
	return all
}

// openReason is why a scenario did not pass: its first open check.
func openReason(s verdict.ScenarioReport) string {
	if bad := telling(s); len(bad) > 0 {
		return bad[0].Name + ": " + bad[0].Why
	}
	return s.Why
}

// join sets b under a; either may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// annotated are the lines of one verdict. Those that would be too many are named in the
// last one.
func annotated(all []remark, v verdict.Verdict) (lines []string) {
	var bad []remark
	for _, r := range all {
		if r.verdict == v {
			bad = append(bad, r)
		}
	}
	var rest []string
	for i, r := range bad {
		if len(bad) > annotationMost && i >= annotationMost-1 {
			rest = append(rest, r.title)
			continue
		}
		lines = append(lines, annotation(v, r.title, r.text))
	}
	if len(rest) > 0 {
		lines = append(lines, annotation(v, fmt.Sprintf("%d more", len(rest)), strings.Join(rest, ", ")))
	}
	return lines
}

// annotation is one workflow command.
func annotation(v verdict.Verdict, head, text string) string {
	command := "error"
	if v != verdict.Fail {
		command = "warning"
	}
	return fmt.Sprintf("::%s title=%s::%s\n", command, propertyEscapes.Replace(bound("streamproof: "+head, 200)),
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
