package reports

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// heaviest is the size that a report must not exceed, in bytes, with this many scenarios
// and streams in each: small enough to be mailed and to open at once.
const (
	heaviest       = 5_000_000
	heavyScenarios = 40
	heavyStreams   = 1000
)

// heavy is a run of 40 scenarios with 1,000 streams each, half of them failing: those take
// more room than others.
func heavy() Input {
	s := newSynth()
	for i := range heavyScenarios {
		id := fmt.Sprintf("scenario-%02d", i)
		from := s.now + time.Second
		groups := []record.Group{record.Baseline, record.Victim, record.Control, record.Recovery}
		var bad []uint64
		for k := range heavyStreams {
			h := healthy(groups[k%4])
			h.events = 20
			if i%2 == 0 && k%4 == 1 && k%3 == 0 {
				h.events, h.outcome, h.ending = 12, verdict.Truncated, verdict.CleanEOF
				h.why = "the body ended after event 12, without its terminal"
				bad = append(bad, uint64(len(s.run.Streams)+1))
			}
			s.stream(id, from+time.Duration(k)*2*ms, h)
		}
		s.scenario(record.Scenario{ID: id, Title: "Scenario " + id, Doc: "Proves something.", Edge: "default",
			Load: record.LoadPlan{Streams: heavyStreams}}, heavyReport(i, bad))
	}
	return s.input()
}

func heavyReport(i int, bad []uint64) verdict.ScenarioReport {
	if len(bad) == 0 {
		return verdict.ScenarioReport{Verdict: verdict.Pass, Why: "all complete",
			Checks: []verdict.Check{pass("every stream ends well", "all complete"), pass("outcomes add up", "all judged")}}
	}
	var evidence []record.Evidence
	for n := range 12 {
		evidence = append(evidence, record.Evidence{Log: "nginx_access.log", Line: 100 + n, At: time.Second,
			Text: fmt.Sprintf("1764059412.331 5f0c9a 200 1.604 %d 127.0.0.1:39121 200 0.004 1.603 2177 \"OK\" \"POST /chat HTTP/1.1\"", n)})
	}
	why := fmt.Sprintf("%d of %d streams were truncated", len(bad), heavyStreams)
	return verdict.ScenarioReport{Verdict: verdict.Fail, Why: why,
		Checks: []verdict.Check{{Name: "no silent truncation", Verdict: verdict.Fail, Why: why}, pass("outcomes add up", "all judged")},
		Causes: []verdict.Cause{{Cause: fmt.Sprintf("cause %d", i), Layer: "edge", Confidence: "likely", Count: len(bad),
			Streams: bad[:10], Summary: "The worker died and nginx took that for the end.", Evidence: evidence,
			Fix: "in the location of the streams:\n    proxy_buffering off;"}}}
}

// TestHeavyReport: the report of a long night stays small, and opens without scripts. How
// long that takes is printed: beside a page of a few streams in the same browser, since a
// time alone says more of the machine than of the page.
func TestHeavyReport(t *testing.T) {
	in := heavy()
	var page bytes.Buffer
	if err := HTML(&page, in); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d scenarios with %d streams each: %d bytes", heavyScenarios, heavyStreams, page.Len())
	if page.Len() > heaviest {
		t.Errorf("the page has %d bytes, want %d at most", page.Len(), heaviest)
	}
	ctx := browser(t)
	call(t, ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	path := filepath.Join(t.TempDir(), HTMLFile)
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	visit(t, ctx, passing())
	small := time.Since(begin)
	begin = time.Now()
	load(t, ctx, "file://"+path)
	took := time.Since(begin)
	t.Logf("opened in %v, and a page of two scenarios in %v", took.Round(ms), small.Round(ms))
	if n := eval[int](t, ctx, `document.querySelectorAll("details.scenario").length`); n != heavyScenarios {
		t.Errorf("%d scenarios are on the page, want %d", n, heavyScenarios)
	}
	if n := eval[int](t, ctx, `document.querySelectorAll("svg.lanes g path.b").length`); n < heavyScenarios {
		t.Errorf("%d lanes are drawn", n)
	}
}
