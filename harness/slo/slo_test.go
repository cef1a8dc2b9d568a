package slo_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/slo"
)

const ms = time.Millisecond

func stream(outcome string, first time.Duration, gaps ...time.Duration) *slo.Stream {
	s := &slo.Stream{Outcome: outcome, First: first, FirstEvent: first, Events: 1 + len(gaps), Gaps: slices.Values(gaps)}
	s.LastEvent = first
	for _, g := range gaps {
		s.LastEvent += g
		s.MaxGap = max(s.MaxGap, g)
	}
	s.End = s.LastEvent
	return s
}

func parse(t *testing.T, s string) slo.SLO {
	t.Helper()
	o, err := slo.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"first_event p95 < 1s, gap p99 < 500ms, complete >= 99.9%": "first_event p95 < 1s, gap p99 < 500ms, complete >= 99.9%",
		"TTFT p99.9<=250ms and itl max < 2s":                       "first_event p99.9 <= 250ms, gap max < 2s",
		"truncated <= 0%&&tps p5 >= 20/s":                          "truncated <= 0%, tokens_per_second p5 >= 20/s",
		"goodput > 3.5/s":                                          "goodput > 3.5/s",
	} {
		got := parse(t, text)
		if got.String() != want || parse(t, got.String()).String() != want {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"":                         "no objective",
		"first_evnt p95 < 1s":      `no metric is called "first_evnt"; did you mean "first_event"?`,
		"nonsense < 3":             "known are first_event",
		"first_event < 1s":         "write first_event p95 < 1s",
		"complete p95 > 3%":        "complete is one figure",
		"first_event p95 < 3":      "write a time",
		"complete >= 101%":         "write a share",
		"first_event p100 < 1s":    "no quantile",
		"first_event p95 = 1s":     "compared by =",
		"first_event p95":          "compares nothing",
		"first_event p95 p99 < 1s": "no metric with a quantile",
	} {
		if _, err := slo.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestJudge: met, missed, and too few to tell.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name, slo   string
		good, wrong int // complete streams with a first event after 50 ms, and after 2 s
		cut         int
		want        slo.Verdict
		seen        bool
	}{
		{"all in time", "first_event p95 < 1s", 20, 0, 0, slo.Met, true},
		{"one of 20 may be late", "first_event p95 < 1s", 19, 1, 0, slo.Met, true},
		{"two of 20 may not", "first_event p95 < 1s", 18, 2, 0, slo.Missed, false},
		{"ten cannot show p95", "first_event p95 < 1s", 10, 0, 0, slo.TooFew, true},
		{"one late of ten is chance", "first_event p95 < 1s", 9, 1, 0, slo.TooFew, false},
		{"five late of ten are not", "first_event p95 < 1s", 5, 5, 0, slo.Missed, false},
		{"nothing to measure", "first_event p95 < 1s", 0, 0, 3, slo.TooFew, false},
		{"20 whole streams are no 99.9 %", "complete >= 99.9%", 20, 0, 0, slo.TooFew, true},
		{"1000 are", "complete >= 99.9%", 999, 0, 1, slo.Met, true},
		{"two cut are too many", "complete >= 99.9%", 998, 0, 2, slo.Missed, false},
		{"few, and some cut", "complete >= 99.9%", 18, 0, 2, slo.Missed, false},
		{"all of them", "complete >= 100%", 3, 0, 0, slo.Met, true},
		{"just the bound is not more", "complete > 50%", 50, 0, 50, slo.Missed, false},
		{"none truncated", "truncated <= 0%", 3, 0, 1, slo.Missed, false},
		{"max", "first_event max < 1s", 5, 1, 0, slo.Missed, false},
		{"min", "first_event min < 1s", 0, 5, 0, slo.Missed, false},
		{"one is below", "first_event min < 1s", 1, 5, 0, slo.Met, true},
		{"max from below", "first_event max >= 3s", 5, 5, 0, slo.Missed, false},
		{"half from below are not more than half", "first_event p50 >= 1s", 10, 10, 0, slo.Missed, false},
		{"more than half are", "first_event p50 >= 1s", 9, 11, 0, slo.Met, true},
		{"no tokens are counted", "tps p50 > 3/s", 30, 0, 0, slo.TooFew, false},
		{"gaps", "gap p90 < 30ms", 10, 0, 0, slo.Met, true},
		{"mean gap", "tpot p50 < 19ms", 10, 0, 0, slo.Missed, false},
		{"worst of both", "first_event p95 < 1s, complete >= 100%", 20, 0, 1, slo.Missed, false},
	} {
		m := slo.New(parse(t, c.slo))
		half := slo.New(parse(t, c.slo)) // merged: the same
		add := func(n int, s *slo.Stream) {
			for i := range n {
				if i%2 == 0 {
					half.Add(s)
				} else {
					m.Add(s)
				}
			}
		}
		add(c.good, stream("complete", 50*ms, 20*ms, 20*ms))
		add(c.wrong, stream("complete", 2*time.Second, 20*ms))
		add(c.cut, stream("truncated", 50*ms))
		m.Merge(half)
		rs := m.Judge()
		seen := !slices.ContainsFunc(rs, func(r slo.Result) bool { return !r.Seen })
		if got := slo.Verdicts(rs); got != c.want || seen != c.seen {
			t.Errorf("%s: %s (seen %v), want %s (%v): %+v", c.name, got, seen, c.want, c.seen, rs)
		}
	}
}

func TestFigures(t *testing.T) {
	m := slo.New(parse(t, "first_event p95 < 100ms"))
	for i := range 100 {
		s := stream("complete", time.Duration(i+1)*10*ms, 10*ms)
		s.Tokens, s.End = 40, 2*time.Second
		m.Add(s)
	}
	m.Add(stream("aborted", 10*ms))
	near := func(name string, q, want float64) {
		if got, ok := m.Figure(name, q); !ok || math.Abs(got-want) > want*0.002+1e-9 {
			t.Errorf("%s %g is %g (%v), want %g", name, q, got, ok, want)
		}
	}
	near("first_event", 0.95, 0.95)
	near("ttft", 0.5, 0.5)
	near("throughput", 0, 50)
	near("goodput", 0, 4.5) // 9 of them: 100 ms is not below 100 ms
	near("token_throughput", 0, 2000)
	near("tps", 0.5, 20)
	near("complete", 0, 100.0/101)
	near("output_tokens", 0.5, 40)
}

// A figure agrees with the verdict on it: both go by the nearest rank.
func TestFigureIsTheNearestRank(t *testing.T) {
	m := slo.New(parse(t, "first_event p95 < 1s"))
	for i := range 31 {
		first := 50 * ms
		if i >= 29 {
			first = 2 * time.Second
		}
		m.Add(stream("complete", first, 10*ms))
	}
	r := m.Judge()[0]
	if r.Verdict != slo.Missed || r.Value < 1 {
		t.Errorf("p95 of 29 streams after 50 ms and 2 after 2 s is %g s, %s", r.Value, r.Verdict)
	}
}
