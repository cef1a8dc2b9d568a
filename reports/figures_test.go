package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// figuresOf returns the median of every figure for the streams of one shape.
func figuresOf(h shape) map[string]time.Duration {
	s := newSynth()
	for i := range 20 {
		s.stream("x", time.Duration(i)*10*ms, h)
	}
	rows := s.rows("x")
	out := map[string]time.Duration{}
	for _, f := range allFigures {
		out[f.title] = median(f.sampled(rows)[0].values)
	}
	return out
}

// TestFiguresMoveAlone: each kind of delay moves exactly one figure, and by its
// own amount. A metric that is not tested both ways measures something else.
func TestFiguresMoveAlone(t *testing.T) {
	const late = 700 * ms
	base := healthy(record.Load)
	base.jitter = 0
	lateFirst, pause, lateEnd, lateLast := base, base, base, base
	lateFirst.first += late
	pause.holdAt, pause.hold = 20, base.gap+late
	lateLast.holdAt, lateLast.hold = base.events-1, base.gap+late
	lateEnd.tail += late
	normal := figuresOf(base)
	for name, tt := range map[string]struct {
		shape shape
		moves string
	}{
		"late first event":       {lateFirst, "Time to first event"},
		"pause in the middle":    {pause, "Longest gap between events"},
		"late last event":        {lateLast, "Longest gap between events"},
		"late end after content": {lateEnd, "Wait after the last event"},
	} {
		want := map[string]time.Duration{}
		for title, d := range normal {
			want[title] = d
		}
		want[tt.moves] += late
		if diff := cmp.Diff(want, figuresOf(tt.shape)); diff != "" {
			t.Errorf("%s should move %q alone (-want +got):\n%s", name, tt.moves, diff)
		}
	}
}

// TestPopulationsApart: what is not complete is no sample, and is counted by
// reason.
func TestPopulationsApart(t *testing.T) {
	s := newSynth()
	s.stream("x", 0, healthy(record.Victim))
	cut := healthy(record.Victim)
	cut.first, cut.outcome = 9*time.Second, verdict.Truncated
	s.stream("x", 0, cut)
	empty := healthy(record.Victim)
	empty.events = 0
	s.stream("x", 0, empty)
	rows := s.rows("x")
	got := allFigures[0].sampled(rows)
	if len(got) != 1 || len(got[0].values) != 1 || got[0].values[0] > time.Second {
		t.Fatalf("samples %v, want the one complete stream with content", got)
	}
	if diff := cmp.Diff(map[string]int{"truncated": 1, "not measured": 1}, got[0].out); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

// TestFewSamples: a quantile that so few samples cannot carry is a dash, never
// the maximum under another name.
func TestFewSamples(t *testing.T) {
	q := verdict.QuantilesOf([]time.Duration{1 * ms, 2 * ms, 3 * ms, 4 * ms, 5 * ms, 6 * ms})
	got := quantiles(q)
	if got.P95 != "–" || got.P99 != "–" || got.P50 == "–" || got.Max != "6 ms" || got.N != "6" {
		t.Errorf("quantiles of six samples = %+v", got)
	}
}

// TestOneFormula: the median of a figure is the p50 of the verdict.
func TestOneFormula(t *testing.T) {
	for _, n := range []int{2, 3, 10, 11} {
		var d []time.Duration
		for i := range n {
			d = append(d, time.Duration(i*i)*ms)
		}
		want := *verdict.QuantilesOf(d).P50
		if got := median(d).Seconds(); got != want {
			t.Errorf("median of %d samples = %v, verdict says %v", n, got, want)
		}
	}
}

// TestFigureShowsMedianAndN: both are printed, and the median is marked.
func TestFigureShowsMedianAndN(t *testing.T) {
	s := newSynth()
	for range 12 {
		s.stream("x", 0, healthy(record.Baseline))
	}
	drawn, _ := figures(s.rows("x"))
	for _, f := range drawn {
		svg := string(f.SVG)
		if !strings.Contains(svg, "N 12 · median ") || !strings.Contains(svg, `class="med"`) {
			t.Errorf("%s shows no N, no median or no mark of it", f.Title)
		}
	}
}
