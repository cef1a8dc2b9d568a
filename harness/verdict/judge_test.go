package verdict_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

func TestJudge(t *testing.T) {
	two := []record.Scenario{{ID: "one"}, {ID: "two"}}
	for _, tt := range []struct {
		name  string
		build func() *synth.Builder
		want  verdict.Verdict
		why   string
	}{
		{"all well", func() *synth.Builder { b := synth.New(); b.Add(5, synth.Shape{}); return b },
			verdict.Pass, ""},
		{"one truncated", func() *synth.Builder { b := synth.New(); b.Add(5, synth.Shape{}); b.Add(1, cleanEnd); return b },
			verdict.Fail, "broke a rule n=1 of=6 stream=6 counts=[{truncated 1}]"},
		{"nothing sent", func() *synth.Builder { return synth.New() },
			verdict.Inconclusive, "few streams need=1"},
		{"no scenario", func() *synth.Builder { b := synth.New(); b.Run.Plan.Scenarios = nil; return b },
			verdict.Inconclusive, ""},
		{"second one never ran", func() *synth.Builder {
			b := synth.New(two...)
			b.Add(5, synth.Shape{Scenario: "one"})
			b.Run.Interrupted = true
			return b
		}, verdict.Inconclusive, "interrupted n=5"},
		{"interrupted, but a fail is certain", func() *synth.Builder {
			b := synth.New(two...)
			b.Add(5, synth.Shape{Scenario: "one", Keep: 3, End: synth.Clean})
			b.Run.Interrupted = true
			return b
		}, verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{truncated 5}]"},
		{"torn record", func() *synth.Builder {
			b := synth.New()
			b.Add(5, synth.Shape{})
			b.Add(2, synth.Shape{Keep: 3, End: synth.Torn})
			b.Run.Finished, b.Run.Torn = record.Never, 11
			return b
		}, verdict.Inconclusive, "torn n=7 bytes=11"},
		{"unable", func() *synth.Builder {
			b := synth.New()
			b.Note(record.NoteUnable, "this host has no nginx", "apt-get install nginx")
			return b
		}, verdict.Inconclusive, `stack unable text="this host has no nginx"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.build()
			r := verdict.Judge(&b.Run)
			if r.Verdict != tt.want || !strings.Contains(worst(r), tt.why) {
				t.Errorf("verdict = %s (%s), want %s (…%s…)", r.Verdict, worst(r), tt.want, tt.why)
			}
			if !reflect.DeepEqual(r, verdict.Judge(&b.Run)) {
				t.Error("a second judgement of the same run differs")
			}
		})
	}
}

// worst is the fact that decided the verdict on the first scenario as bad as the run.
func worst(r *verdict.Report) string {
	for i := range r.Scenarios {
		if r.Scenarios[i].Verdict == r.Verdict {
			return decided(&r.Scenarios[i])
		}
	}
	return ""
}

// An earlier scenario of an interrupted run keeps its verdict: it was over when
// the next one began.
func TestInterruptedRunKeepsWhatWasOver(t *testing.T) {
	b := synth.New(record.Scenario{ID: "one"}, record.Scenario{ID: "two"})
	b.Add(5, synth.Shape{Scenario: "one"})
	b.Add(5, synth.Shape{Scenario: "two", Start: 5 * sec, Keep: 3, End: synth.Left(record.CancelledByEnd)})
	b.Run.Interrupted = true
	r := verdict.Judge(&b.Run)
	if one, two := r.Scenarios[0].Verdict, r.Scenarios[1].Verdict; one != verdict.Pass || two != verdict.Inconclusive {
		t.Errorf("verdicts = %s, %s; want pass, inconclusive", one, two)
	}
	if r.Complete {
		t.Error("an interrupted run counts as complete")
	}
}

// The sum of outcomes equals the streams started, and so it does for streams
// whose scenario the plan has lost.
func TestEveryStreamIsCounted(t *testing.T) {
	b := synth.New()
	b.Add(7, synth.Shape{})
	b.Add(3, synth.Shape{Scenario: "unheard of", Keep: 2, End: synth.FIN})
	b.Add(2, synth.Shape{Keep: 1, End: synth.Torn})
	r := verdict.Judge(&b.Run)
	sum := 0
	for _, n := range r.Outcomes {
		sum += n
	}
	if r.Started != 12 || sum != 12 {
		t.Errorf("started %d, outcomes sum to %d, want 12", r.Started, sum)
	}
	if len(r.Outcomes) != len(verdict.Outcomes) {
		t.Errorf("outcomes = %v, want an entry for each", r.Outcomes)
	}
}

func TestGroups(t *testing.T) {
	b := synth.New()
	b.Add(5, synth.Shape{Group: record.Control})
	b.Add(100, synth.Shape{Group: record.Victim, Keep: 3, End: synth.RST})
	b.Add(12, synth.Shape{Group: record.Baseline})
	gs := verdict.Judge(&b.Run).Scenarios[0].Groups
	var order []record.Group
	for _, g := range gs {
		order = append(order, g.Group)
	}
	if want := []record.Group{record.Baseline, record.Victim, record.Control}; !reflect.DeepEqual(order, want) {
		t.Fatalf("groups = %v, want %v", order, want)
	}
	if gs[1].TTFE != nil || gs[1].Outcomes[verdict.Aborted] != 100 {
		t.Errorf("victims = %+v, want 100 aborted and no times", gs[1])
	}
	if q := gs[2].Gap; q == nil || q.N != 5 || q.P50 == nil || q.P90 != nil || q.P99 != nil {
		t.Errorf("gaps of 5 streams = %+v, want p50 and no more", q)
	}
	if q := gs[0].Duration; q == nil || q.P90 == nil {
		t.Errorf("durations of 12 streams = %+v, want p90", q)
	}
}

func TestQuantile(t *testing.T) {
	var xs []time.Duration
	for i := range 100 {
		xs = append(xs, time.Duration(i+1)*sec)
	}
	for q, want := range map[float64]time.Duration{0: sec, 0.5: 50 * sec, 0.9: 90 * sec, 0.99: 99 * sec, 1: 100 * sec} {
		if got := verdict.Quantile(xs, q); got != want {
			t.Errorf("quantile %v of 1..100 s = %v, want %v", q, got, want)
		}
	}
	if verdict.Quantile(nil, 0.5) != 0 || verdict.QuantilesOf(nil) != nil {
		t.Error("quantiles of nothing are something")
	}
	if q := verdict.QuantilesOf(xs); q.P99 == nil || *q.P99 != 99 || q.Max != 100 {
		t.Errorf("quantiles of 1..100 s = %+v", q)
	}
}

func TestDoubtsSayWhatWouldSettleThem(t *testing.T) {
	b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{MinStreams: 20}})
	b.Add(3, synth.Shape{})
	b.Note(record.NoteDoubt, "nginx is not of this host", "use -f with your own")
	s := verdict.Judge(&b.Run).Scenarios[0]
	if len(s.Doubts) != 2 {
		t.Fatalf("doubts = %+v, want two", s.Doubts)
	}
	for _, d := range s.Doubts {
		if d.Fact == nil || d.Next == nil {
			t.Errorf("doubt without reason or remedy: %+v", d)
		}
	}
}

func TestRows(t *testing.T) {
	b := synth.New()
	b.Add(1, synth.Shape{Worker: 17, Start: sec})
	b.Add(1, synth.Shape{Keep: synth.KeepNone, End: synth.NoListener})
	b.Run.Streams[0].Header["X-Streamproof-Upstream"] = "127.0.0.1:9000"
	var out bytes.Buffer
	if err := reports.WriteRows(&out, verdict.Scopes(&b.Run)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("wrote %d lines, want 2", len(lines))
	}
	var row verdict.Row
	if err := json.Unmarshal([]byte(lines[0]), &row); err != nil {
		t.Fatal(err)
	}
	if row.Worker != "17" || row.Upstream != "127.0.0.1:9000" || row.Events != 20 || row.TFirst == nil || *row.TFirst < 1 {
		t.Errorf("row = %+v", row)
	}
	if !strings.Contains(lines[1], `"outcome":"refused"`) || !strings.Contains(lines[1], `"t_headers":null`) ||
		!strings.Contains(lines[1], `"flags":[]`) {
		t.Errorf("row of a refused stream = %s", lines[1])
	}
}
