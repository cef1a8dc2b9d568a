package main

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestParametersAreSet: what a search moves is what the run then has.
func TestParametersAreSet(t *testing.T) {
	o := harness.Options{Scenarios: []harness.Scenario{{ID: "a", Fault: fault.Pause{For: time.Second}}, {ID: "b"}}}
	for span, is := range map[string]func() bool{
		"streams=10..20":      func() bool { return o.Load.Streams == 20 },
		"rate=1/s..20/s":      func() bool { return o.Load.Rate == 20 },
		"gap=1ms..20ms":       func() bool { return o.Scenarios[1].Shape.Gap == 20*time.Millisecond },
		"timeout=1s..20s":     func() bool { return o.App.Edge.ReadTimeout == 20*time.Second },
		"limits.gap=1s..20s":  func() bool { return o.GapLimit == 20*time.Second },
		"fault.for=10ms..20s": func() bool { return o.Scenarios[0].Fault == fault.Pause{For: 20 * time.Second} },
		"workers=1..20":       func() bool { return o.App.Workers == 20 },
	} {
		p, r, err := over(span, &o)
		if err != nil {
			t.Errorf("%s: %v", span, err)
			continue
		}
		if p.set(&o, r.To); !is() {
			t.Errorf("%s is not set: %+v", span, o)
		}
	}
	if p, r, err := over("timeout=1s..20s", &o); err != nil || !r.Down || p.kind.say(r.From) != "1s" {
		t.Errorf("of a timeout more is easier: %+v, %v", r, err)
	}
}

// TestJudgedAs: a run counts for a value, against it, or for nothing.
func TestJudgedAs(t *testing.T) {
	objectives, err := slo.Parse("complete >= 99%")
	if err != nil {
		t.Fatal(err)
	}
	report := func(v verdict.Verdict, checks ...verdict.Check) *verdict.Report {
		return &verdict.Report{Scenarios: []verdict.ScenarioReport{{ID: "control", Verdict: v, Checks: checks}}}
	}
	whole, cut := slo.New(objectives), slo.New(objectives)
	for range 20 {
		whole.Add(&slo.Stream{Outcome: "complete", End: time.Second})
		cut.Add(&slo.Stream{Outcome: "truncated"})
	}
	tokens, err := slo.Parse("tps p50 > 3/s")
	if err != nil {
		t.Fatal(err)
	}
	uncounted := slo.New(tokens)
	uncounted.Add(&slo.Stream{Outcome: "complete", End: time.Second})
	few := verdict.Check{Name: "objectives met", Verdict: verdict.Inconclusive, Why: "20 streams cannot show it"}
	for name, c := range map[string]struct {
		report  *verdict.Report
		m       *slo.Measure
		holds   bool
		unknown bool
	}{
		"pass":                  {report(verdict.Pass), whole, true, false},
		"fail":                  {report(verdict.Fail, verdict.Check{Name: "x", Verdict: verdict.Fail}), cut, false, false},
		"too few, all well":     {report(verdict.Inconclusive, few), whole, true, false},
		"nothing counts tokens": {report(verdict.Inconclusive, few), uncounted, false, true},
		"too few, and not well": {report(verdict.Inconclusive, few), cut, false, false},
		"the generator is behind": {report(verdict.Inconclusive,
			verdict.Check{Name: "generator kept up", Verdict: verdict.Inconclusive, Why: "late"}), whole, false, true},
		"failed, and it is behind": {report(verdict.Fail,
			verdict.Check{Name: "generator kept up", Verdict: verdict.Inconclusive, Why: "late"},
			verdict.Check{Name: "x", Verdict: verdict.Fail}), whole, false, true},
	} {
		if got := judgedAs(c.report, c.m); got.Holds != c.holds && !c.unknown || (got.Unknown != "") != c.unknown {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Sizes read as they were typed, and in folders' names.
func TestSizesAreSaid(t *testing.T) {
	for x, want := range map[float64]string{100: "100", 5000: "5000", 4096: "4KiB", 64 << 20: "64MiB", 1 << 30: "1024MiB",
		300<<20 + 12345: "300MiB"} {
		if got := bytesOf.say(x); got != want {
			t.Errorf("%g bytes are said as %s, want %s", x, got, want)
		}
	}
}
