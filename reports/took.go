package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// stepLabels are the steps of a scenario as a person reads them, in their order.
var stepLabels = []struct {
	name  record.StepName
	label string
}{
	{record.StepOpening, "starting the stack"}, {record.StepEdge, "probing the edge"},
	{record.StepReference, "reference answers"}, {record.StepSolo, "one stream alone"},
	{record.StepDirect, "the app asked directly"}, {record.StepIdle, "waiting for an idle app"},
	{record.StepBaseline, "baseline"}, {record.StepStreams, "load"}, {record.StepFault, "load with the fault"},
	{record.StepRecovery, "load after the fault"}, {record.StepClosing, "stopping the stack"},
}

// A timeTable is where the time of a run went. Times are seconds as text, "" for a step
// that a scenario did not have.
type timeTable struct {
	Columns []string
	Lines   []timeLine
	Sum     timeLine
}

type timeLine struct {
	ID    string
	Cells []string
	Took  string
}

// timeOf is where the time of all scenarios went, in the order in which they were played.
// It has no lines where the record does not tell.
func timeOf(in Input) timeTable {
	var t timeTable
	all := timed(in.scenarios())
	if len(all) == 0 {
		return t
	}
	sums, whole := map[record.StepName]time.Duration{}, time.Duration(0)
	for _, s := range all {
		whole += seconds(*s.Took)
		for _, x := range s.Steps {
			sums[x.Name] += seconds(x.Seconds)
		}
	}
	t.Sum = timeLine{ID: "all", Took: short(whole)}
	for _, l := range stepLabels {
		if sums[l.name] > 0 {
			t.Columns = append(t.Columns, l.label)
			t.Sum.Cells = append(t.Sum.Cells, short(sums[l.name]))
		}
	}
	for _, s := range all {
		line := timeLine{ID: s.ID, Took: short(seconds(*s.Took))}
		for _, l := range stepLabels {
			if sums[l.name] > 0 {
				line.Cells = append(line.Cells, cellOf(s.Steps, l.name))
			}
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}

// timed are the scenarios whose time is known.
func timed(all []verdict.ScenarioReport) []verdict.ScenarioReport {
	return slices.DeleteFunc(all, func(s verdict.ScenarioReport) bool { return s.Took == nil })
}

func cellOf(steps []verdict.StepReport, name record.StepName) string {
	for _, s := range steps {
		if s.Name == name {
			return short(seconds(s.Seconds))
		}
	}
	return ""
}

// timeShown bounds what one line names.
const timeShown = 5

// timeLines say where the time of a run went: to which steps, and to which scenarios, most
// of it first. There are none for a single scenario, or where the record does not tell.
func timeLines(in Input) []string {
	all := timed(in.scenarios())
	if len(all) < 2 {
		return nil
	}
	labels, whole := map[string]time.Duration{}, time.Duration(0)
	var scenarios []spent
	for _, s := range all {
		whole += seconds(*s.Took)
		scenarios = append(scenarios, spent{s.ID, seconds(*s.Took)})
		for _, x := range s.Steps {
			labels[labelOfStep(x.Name)] += seconds(x.Seconds)
		}
	}
	var steps []spent
	for _, l := range sortedKeys(labels) {
		steps = append(steps, spent{l, labels[l]})
	}
	return []string{fmt.Sprintf("%s in %s: %s", short(whole), count(len(all), "scenario"), mostFirst(steps, "step")),
		"longest: " + mostFirst(scenarios, "scenario")}
}

func labelOfStep(name record.StepName) string {
	for _, l := range stepLabels {
		if l.name == name {
			return l.label
		}
	}
	return string(name)
}

// A spent time has a name.
type spent struct {
	name string
	d    time.Duration
}

// mostFirst names the longest of some times, and counts the others.
func mostFirst(all []spent, noun string) string {
	slices.SortStableFunc(all, func(a, b spent) int { return cmp.Compare(b.d, a.d) })
	var parts []string
	for _, s := range all[:min(len(all), timeShown)] {
		parts = append(parts, s.name+" "+short(s.d))
	}
	line := strings.Join(parts, ", ")
	if n := len(all) - timeShown; n > 0 {
		line += " and " + count(n, "shorter "+noun)
	}
	return line
}
