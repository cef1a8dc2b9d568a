package openmetrics

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// judged are the metrics of a run of three whole streams and one that was cut.
func judged(t *testing.T, cause string) string {
	t.Helper()
	b := synth.New(record.Scenario{ID: "control"})
	b.Add(3, synth.Shape{First: 30 * time.Millisecond})
	b.Add(1, synth.Shape{Keep: 5, End: func(s *record.Stream, last time.Duration) {
		s.End, s.Wire.Where, s.Wire.Close = last, record.InChunk, record.CloseRST
	}})
	b.Run.Finished = 3 * time.Second
	r := NewRun()
	r.Add(verdict.Scopes(&b.Run))
	recovery := 0.75
	r.Judged(&b.Run, &verdict.Report{Verdict: verdict.Fail, Scenarios: []verdict.ScenarioReport{{ID: "control",
		Verdict: verdict.Fail, Recovery: &recovery, Generator: verdict.Generator{LateStarts: 2, LagP99: 0.003},
		Causes: []verdict.Cause{{Cause: cause, Layer: "app", Confidence: "certain", Count: 1}}}}})
	var out bytes.Buffer
	if err := Write(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRun(t *testing.T) {
	text := judged(t, "worker killed")
	for _, want := range []string{
		`streamproof_streams_total{group="load",outcome="complete",scenario="control"} 3.0`,
		`streamproof_streams_total{group="load",outcome="aborted",scenario="control"} 1.0`,
		"# TYPE streamproof_streams counter",
		"# UNIT streamproof_first_event_seconds seconds",
		"# UNIT streamproof_body_bytes bytes",
		`streamproof_first_event_seconds_bucket{group="load",scenario="control",le="0.025"} 0`,
		`streamproof_first_event_seconds_bucket{group="load",scenario="control",le="0.05"} 3`,
		`streamproof_first_event_seconds_count{group="load",scenario="control"} 3`,
		`streamproof_run_verdict{verdict="fail"} 1.0`, `streamproof_run_verdict{verdict="pass"} 0.0`,
		`streamproof_scenario_verdict{scenario="control",verdict="not_applicable"} 0.0`,
		`streamproof_scenario_recovery_seconds{scenario="control"} 0.75`,
		`streamproof_generator_late_starts_total{scenario="control"} 2.0`,
		`streamproof_cause_streams{cause="worker killed",confidence="certain",layer="app",scenario="control"} 1.0`,
		"streamproof_run_duration_seconds 3.0",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	if !strings.HasSuffix(text, "\n# EOF\n") || strings.Count(text, "# EOF") != 1 {
		t.Error("does not end with # EOF")
	}
}

// line is one of OpenMetrics 1.0, as the grammar of its text format has it.
var line = regexp.MustCompile(`^(# (TYPE|HELP|UNIT) [a-z_]+ .*|# EOF|[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? \S+)$`)

// Whatever a text is, a line stays a line, and names end as the format wants.
func TestGrammar(t *testing.T) {
	hostile := "a\"b\\c\nd\x1b[2J\xff# EOF"
	typed := map[string]string{}
	for l := range strings.Lines(judged(t, hostile)) {
		l = strings.TrimSuffix(l, "\n")
		if !line.MatchString(l) {
			t.Errorf("no line of OpenMetrics: %q", l)
		}
		if f := strings.Fields(l); len(f) == 4 && f[1] == "TYPE" {
			typed[f[2]] = f[3]
		}
	}
	if typed["streamproof_streams"] != "counter" || typed["streamproof_first_event_seconds"] != "histogram" {
		t.Errorf("types %q", typed)
	}
	for _, m := range Metrics {
		if (m.Type == "counter") != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s is a %s", m.Name, m.Type)
		}
	}
}

func TestLive(t *testing.T) {
	var l Live
	l.Update(harness.Progress{Scenario: "control", Index: 0, Phase: "streams", Started: 3, Live: 3})
	l.Update(harness.Progress{Scenario: "control", Index: 0, Phase: "closing", Started: 8, Ended: 8, Whole: 7})
	l.Update(harness.Progress{Scenario: "cut", Index: 1, Phase: "fault", Started: 5, Live: 4, Ended: 1, Whole: 1, Elapsed: 2 * time.Second})
	server := httptest.NewServer(Handler(&l))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`streamproof_live_started_total{scenario="control"} 8.0`,
		`streamproof_live_ended_total{scenario="control",whole="false"} 1.0`, `streamproof_live_streams{scenario="cut"} 4.0`,
		`streamproof_live_info{phase="fault",scenario="cut"} 1.0`, "streamproof_live_elapsed_seconds 2.0", "# EOF"} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("lacks %s:\n%s", want, out.String())
		}
	}
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text; version=1.0.0") {
		t.Errorf("Content-Type %q", got)
	}
	if strings.Contains(out.String(), `live_streams{scenario="control"}`) {
		t.Error("streams of a scenario that is over are open")
	}
}
