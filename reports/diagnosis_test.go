package reports

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// peeled is a chain whose edge collects events, with a timer that is too short.
func peeled() Input {
	s := newSynth()
	quantiles := func(p50 float64) *verdict.Quantiles { return &verdict.Quantiles{N: 8, P50: &p50, Max: 2 * p50} }
	hop := func(name, what string, buffered int, first float64) verdict.HopReport {
		return verdict.HopReport{Hop: name, What: what, Started: 8, Outcomes: map[verdict.Outcome]int{verdict.Complete: 8}, Buffered: buffered,
			TTFE: quantiles(first), Gap: quantiles(0.101), Ending: "terminal then EOF (chunked)",
			Pacing: &verdict.PacingReport{Events: 20, Instants: map[bool]int{true: 1, false: 20}[buffered > 0], Bytes: 100, First: first}}
	}
	hops := []verdict.HopReport{hop("app", "origin", 0, 0.001), hop("upstream", "toxiproxy 2.12.0", 0, 0.003),
		hop("nginx", "nginx 1.22.1, form default", 8, 1.1), hop("edge", "toxiproxy 2.12.0", 8, 1.1)}
	hops[2].Wrong, hops[2].Why = true, "8 complete (8 held back), while it was 8 complete at upstream"
	s.scenario(record.Scenario{ID: "peel", Title: "Layer by layer", Doc: "The same load gives the same result at each hop.", Edge: "default", Peel: true,
		Layers: []record.Layer{{Name: "nginx", Settings: map[string]string{"proxy_read_timeout": "2s", "proxy_buffering": "on", "proxy_http_version": "1.0"}}}},
		verdict.ScenarioReport{Verdict: verdict.Fail, Why: "16 of 32 streams", Edge: launderingEdge(), Hops: hops,
			Warnings: []verdict.Warning{{Layer: "nginx", Setting: "proxy_read_timeout 2s", Why: "streams are silent for 4s: nginx ends them after 2s", Fix: "send a heartbeat"}},
			Checks: []verdict.Check{{Name: "no stream is buffered", Verdict: verdict.Fail, Why: "16 of 32 streams"},
				{Name: verdict.SameText, Verdict: verdict.Pass, Why: "3 answers say the same both ways"}},
			Causes: []verdict.Cause{{Cause: "buffering by the edge", Taxonomy: "B1", Layer: "edge", Confidence: "certain", Count: 16,
				Summary:  "the edge collects the events of 16 streams",
				Evidence: []record.Evidence{record.Figure("the client had the head after 1.1 s")},
				Fix:      "    proxy_buffering off;"}}})
	return s.input()
}

func TestDiagnosis(t *testing.T) {
	golden(t, filepath.Join("testdata", "peeled.diagnosis.txt"), rendered(t, DiagnosisOn(Screen{}), peeled()))
}

// Where the app itself sends its answers in one piece, nothing is known of what a hop does to
// single events, and nothing is said of it.
func TestNothingIsSaidOfDelaysInOnePiece(t *testing.T) {
	in := peeled()
	s := &in.Report.Scenarios[0]
	in.Report.Verdict, s.Verdict, s.Hops = verdict.Pass, verdict.Pass, s.Hops[:2]
	if got := string(rendered(t, DiagnosisOn(Screen{}), in)); !strings.Contains(got, "complete and without delay") ||
		!strings.Contains(got, "live") {
		t.Errorf("events came one by one:\n%s", got)
	}
	for i := range s.Hops {
		s.Hops[i].Pacing.Instants = 1
	}
	got := string(rendered(t, DiagnosisOn(Screen{}), in))
	if strings.Contains(got, "without delay") || strings.Contains(got, "live") ||
		!strings.Contains(got, "came in one piece") {
		t.Errorf("all came in one piece:\n%s", got)
	}
}

// TestEveryFormatShowsHopsAndWarnings looks for what a reader must not miss.
func TestEveryFormatShowsHopsAndWarnings(t *testing.T) {
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "markdown": Markdown, "html": HTML} {
		got := string(rendered(t, write, peeled()))
		for _, want := range []string{"held back", "toxiproxy 2.12.0", "proxy_read_timeout", "streams are silent for 4s", "send a heartbeat", "launders a close-delimited body"} {
			if !strings.Contains(strings.ReplaceAll(got, `\_`, "_"), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}

// TestWarningsAreSaidOnce joins the same warning about several scenarios.
func TestWarningsAreSaidOnce(t *testing.T) {
	in := peeled()
	again := in.Report.Scenarios[0]
	again.ID = "other"
	in.Report.Scenarios = append(in.Report.Scenarios, again)
	third := again
	third.ID, third.Warnings = "third", nil
	in.Report.Scenarios = append(in.Report.Scenarios, third)
	got := warningViews(in)
	if len(got) != 1 || got[0].where(in) != " (peel, other)" {
		t.Errorf("warnings %+v, want one about two of three scenarios", got)
	}
}
