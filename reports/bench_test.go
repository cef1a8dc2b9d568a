package reports

import (
	"io"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// budget is what the project promises of a report on 10,000 streams of 100
// events.
const budget = 2 << 20 // bytes of HTML

// tenThousand is a run of 10,000 streams of 100 events in all, in the shape that
// costs most: several scenarios, failures, events that never share a column.
func tenThousand() Input {
	s := newSynth()
	for _, id := range []string{"control", "worker-kill", "stall", "cut"} {
		from := s.now
		for i := range 2500 {
			h := healthy([]record.Group{record.Baseline, record.Victim, record.Control, record.Recovery}[i%4])
			h.events = 100
			if i%20 == 1 {
				h.outcome, h.ending, h.why = verdict.Truncated, verdict.CleanEOF, "the last chunk came, the terminal event did not"
			}
			s.stream(id, from+s.vary(500*ms, 1), h)
		}
		s.scenario(record.Scenario{ID: id, Title: id}, verdict.ScenarioReport{Verdict: verdict.Fail, Why: "125 of 625 victims truncated",
			Checks: []verdict.Check{{Name: "no silent truncation", Verdict: verdict.Fail, Why: "125 of 625"}}})
	}
	return s.input()
}

func TestBudget(t *testing.T) {
	if n := len(rendered(t, HTML, tenThousand())); n > budget {
		t.Errorf("10,000 streams × 100 events make %d bytes of HTML, more than %d", n, budget)
	}
}

func BenchmarkHTML10000x100(b *testing.B) {
	in := tenThousand()
	size := len(rendered(b, HTML, in))
	b.ReportAllocs()
	for b.Loop() {
		if err := HTML(io.Discard, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size), "bytes")
}

// BenchmarkJudgeAndHTML10000x100 includes the grading of every stream.
func BenchmarkJudgeAndHTML10000x100(b *testing.B) {
	in := tenThousand()
	in.Scopes = nil
	b.ReportAllocs()
	for b.Loop() {
		if err := HTML(io.Discard, in); err != nil {
			b.Fatal(err)
		}
	}
}
