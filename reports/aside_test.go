package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A scenario that does not apply is said once, with its reason and what would
// make it apply, in every format; it is no failure and no error of a CI job.
func TestNotApplicable(t *testing.T) {
	const why, how = "the app has no worker processes", "start it with two or more worker processes"
	s := newSynth()
	s.control(20)
	s.scenario(record.Scenario{ID: "worker-kill", Title: "A worker is killed"}, verdict.ScenarioReport{Verdict: verdict.NotApplicable, Why: why,
		Checks: []verdict.Check{{Name: "scenario applies", Verdict: verdict.NotApplicable, Why: why, Obligation: true}},
		Doubts: []verdict.Doubt{{About: "scenario applies", Why: why, Settle: how}}})
	in := s.input()
	for name, format := range map[string]Reporter{"text": Text, "markdown": Markdown, "html": HTML, "junit": JUnit, "json": JSON} {
		var b bytes.Buffer
		if err := format(&b, in); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := strings.ReplaceAll(b.String(), "\\", "")
		if !strings.Contains(got, why) || name != "junit" && !strings.Contains(got, how) {
			t.Errorf("%s does not say why %q, and what would make it apply", name, why)
		}
		switch name {
		case "junit":
			if strings.Contains(got, "<failure") || strings.Contains(got, "<error") || !strings.Contains(got, "<skipped") {
				t.Errorf("junit: want skipped, and neither failure nor error:\n%s", got)
			}
		case "html":
			if strings.Contains(got, `data-verdict="inconclusive"`) || !strings.Contains(got, `data-verdict="not_applicable"`) {
				t.Error("html does not show it as not applicable")
			}
		case "text":
			if n := strings.Count(got, how); n != 1 {
				t.Errorf("text says %d times what would make it apply:\n%s", n, got)
			}
		}
	}
}
