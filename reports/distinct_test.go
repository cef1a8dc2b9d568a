package reports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// sameCause is a run in which two scenarios found one cause, one of them surer
// than the other, and a third one a cause of its own.
func sameCause() Input {
	s := newSynth()
	add := func(id string, causes ...verdict.Cause) {
		s.stream(id, s.now, healthy(record.Load))
		s.scenario(record.Scenario{ID: id}, verdict.ScenarioReport{Verdict: verdict.Fail, Causes: causes,
			Checks: []verdict.Check{{Name: "no silent truncation", Verdict: verdict.Fail, Why: "streams of " + id + " were cut"}}})
	}
	masked := verdict.Cause{Cause: "truncation laundered by the edge", Layer: "edge", Confidence: "likely", Count: 5, Streams: []uint64{1},
		Evidence: []record.Evidence{record.Figure("a hint")}, Fix: "in the location of the streams:\n    proxy_http_version 1.1;"}
	sure := masked
	sure.Confidence, sure.Count, sure.Evidence = "certain", 12, []record.Evidence{record.Figure("pid 4101 died")}
	other := verdict.Cause{Cause: "worker killed", Layer: "process manager", Confidence: "certain", Count: 1, Evidence: []record.Evidence{record.Figure("signal 9")}}
	add("cut", masked)
	add("worker-kill", sure)
	add("stall", other)
	return s.input()
}

// Every format begins with the distinct causes, each once, with the scenarios and
// the number of streams that it explains, and its fix.
func TestCausesComeFirst(t *testing.T) {
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "terminal": TextOn(Screen{Terminal: true, Width: 80}),
		"markdown": Markdown, "junit": JUnit, "html": HTML} {
		got := strings.Join(strings.Fields(string(rendered(t, write, sameCause()))), " ")
		for _, once := range []string{"pid 4101 died", "signal 9"} {
			if n := strings.Count(got, once); n != 1 {
				t.Errorf("%s says %q %d times, want 1", name, once, n)
			}
		}
		fixes := map[string]int{"junit": 3}[name] // beside each failed case, too
		if n := strings.Count(got, "proxy_http_version 1.1;"); n != max(fixes, 1) {
			t.Errorf("%s says the fix %d times", name, n)
		}
		first, table := strings.Index(got, "truncation laundered by the edge"), strings.Index(got, "streams of stall were cut")
		if first < 0 || table < first {
			t.Errorf("%s does not begin with the causes", name)
		}
		if want := "explains 17 streams: 5 in cut, 12 in worker-kill"; name != "html" && !strings.Contains(got, want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
	page := string(rendered(t, HTML, sameCause()))
	if want := `explains 17 streams in <a href="#cut">cut</a> (5), <a href="#worker-kill">worker-kill</a> (12)`; !strings.Contains(page, want) {
		t.Errorf("html does not say %q", want)
	}
}

// What the edge does to cuts is one folded line where nothing was cut.
func TestEdgeIsFolded(t *testing.T) {
	in := passing()
	in.Report.Scenarios[0].Edge = launderingEdge()
	if lines := edgeNotes(in); len(lines) != 1 || !strings.HasSuffix(lines[0], "(more in report.html)") {
		t.Errorf("the line of the edge: %q", lines)
	}
	const all = "held back in a close-delimited one"
	for name, write := range map[string]Reporter{"markdown": Markdown, "html": HTML} {
		got := string(rendered(t, write, in))
		if !strings.Contains(got, all) || !strings.Contains(got, "<summary>What the edge does to cut streams (none was cut in this run)") {
			t.Errorf("%s does not fold what the edge does", name)
		}
	}
	if lines := edgeNotes(failing()); !strings.Contains(lines[0], all) {
		t.Errorf("where streams were cut, the line of the edge is short: %q", lines)
	}
}

func TestParts(t *testing.T) {
	for fix, want := range map[string][]part{
		"raise the limit": {{false, "raise the limit"}},
		"    a;\n    b;":  {{true, "a;\nb;"}},
		"in the location:\n    a {\n        b;\n    }": {{false, "in the location:"}, {true, "a {\n    b;\n}"}},
		"x:\n    a;\ny:\n    b;\n":                     {{false, "x:"}, {true, "a;"}, {false, "y:"}, {true, "b;"}},
		"":                                             nil,
	} {
		if diff := cmp.Diff(want, parts(fix)); diff != "" {
			t.Errorf("%q: %s", fix, diff)
		}
	}
}

// A sentence is not set as a command, whatever it begins with.
func TestStep(t *testing.T) {
	for s, want := range map[string]bool{
		"streamproof diagnose -f app.yaml":                                 true,
		"streamproof run --streams 5   # out of step (as it should be)":    true,
		"streamproof run --body '{\"q\": (1)}'":                            true,
		"streamproof judge runs/latest":                                    true,
		"apt-get install nginx && streamproof run --scenario read-timeout": true,
		"streamproof diagnose with more streams (--streams 8)":             false,
		"streamproof diagnose, or run the scenario direct as well":         false,
		"streamproof has no dialect for it":                                false,
		"streamproof run all of it":                                        false,
		"streamproof run --terminal …":                                     false,
		"send more streams":                                                false,
		"make one stream complete first":                                   false,
		"make the file readable and judge the run again":                   false,
		"make images":                         true,
		"docker has no such limit":            false,
		"docker logs app":                     true,
		"curl may show the same":              false,
		"curl -sv http://127.0.0.1:8000/chat": true,
		"ulimit -n 65536":                     true,
		"":                                    false,
	} {
		if got := step(s).Code; got != want {
			t.Errorf("%q: a command is %v", s, got)
		}
	}
}
