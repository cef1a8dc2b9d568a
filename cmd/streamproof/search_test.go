package main

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/search"
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

// Of a fault on a link the delay is searched, and what its proof needs goes with it; that is no number of its own: it
// would be moved alone, and the fault would stay as it is.
func TestDelaysAreSearched(t *testing.T) {
	for id, want := range map[string]fault.Fault{
		"latency": fault.Latency("upstream", 20*time.Millisecond, 0),
		"jitter":  fault.Jitter("upstream", 20*time.Millisecond),
	} {
		in, err := argued([]string{"--scenario", id})
		if err != nil {
			t.Fatal(err)
		}
		o, err := in.options()
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := over("fault.delay=10ms..2s", &o)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		for _, x := range []float64{0.0101, 1.5, 0.0201} { // whatever came before
			p.assign(&o, x)
		}
		if got := o.Scenarios[0].Fault; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", id, got, want)
		}
		if _, _, err := over("fault.gap=10ms..2s", &o); err == nil {
			t.Errorf("%s: fault.gap is searched", id)
		}
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
		got := judgedAs(c.report, c.m, false)
		if got.Holds != c.holds && !c.unknown || (got.Unknown != "") != c.unknown {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestJudgedAsAble: with --allow-unable, scenarios that this machine cannot run have no part in what a run says of its
// value, and a run of nothing else says nothing.
func TestJudgedAsAble(t *testing.T) {
	m := slo.New(nil)
	unable := verdict.ScenarioReport{ID: "partition", Verdict: verdict.Inconclusive,
		Checks: []verdict.Check{{Name: "stack able", Verdict: verdict.Inconclusive, Why: "it needs nginx"}}}
	if !unable.Unable() {
		t.Fatal("that is not how a scenario says that it cannot run")
	}
	passes := verdict.ScenarioReport{ID: "control", Verdict: verdict.Pass}
	fails := verdict.ScenarioReport{ID: "control", Verdict: verdict.Fail,
		Checks: []verdict.Check{{Name: "x", Verdict: verdict.Fail, Why: "cut"}}}
	for name, c := range map[string]struct {
		scenarios []verdict.ScenarioReport
		able      bool
		want      search.Outcome
	}{
		"not asked for": {[]verdict.ScenarioReport{passes, unable}, false,
			search.Outcome{Unknown: "it needs nginx"}},
		"the rest passes": {[]verdict.ScenarioReport{passes, unable}, true, search.Outcome{Holds: true}},
		"the rest fails":  {[]verdict.ScenarioReport{unable, fails}, true, search.Outcome{Why: "cut"}},
		"there is no rest": {[]verdict.ScenarioReport{unable}, true,
			search.Outcome{Unknown: "this machine can run none of the scenarios"}},
		"nothing is unable": {[]verdict.ScenarioReport{passes}, true, search.Outcome{Holds: true}},
	} {
		if got := judgedAs(&verdict.Report{Scenarios: c.scenarios}, m, c.able); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// The line that repeats a run of a search makes the options that the run had, whatever is searched.
func TestSearchStepIsRepeated(t *testing.T) {
	for span, args := range map[string][]string{
		"streams=10..20":            {"--rate", "5/s", "--duration", "10s"},
		"rate=1/s..20/s":            {"--streams", "7", "--duration", "10s"},
		"memory=64MiB..1GiB":        {"--stack", "docker"},
		"cpus=0.5..4":               {"--stack", "docker", "--scenario", "control,cut"},
		"timeout=1s..60s":           nil,
		"gap=1ms..20ms":             {"--scenario", "control,cut"},
		"limits.gap=1s..20s":        {"--gap-limit", "3s"},
		"limits.first_event=1s..9s": nil,
		"fault.delay=10ms..2s":      {"--scenario", "latency", "--set", "edge.read_timeout=7s"},
		"hold=1s..8s":               {"--scenario", "latency"},
		"workers=1..20":             nil,
		"load.total=10..5000":       {"--count", "3"},
		"thresholds.slowdown=2..9":  {"--scenario", "control"},
	} {
		in, err := argued(args)
		if err != nil {
			t.Fatal(err)
		}
		o, err := in.options()
		if err != nil {
			t.Fatal(err)
		}
		param, r, err := over(span, &o)
		if err != nil {
			t.Errorf("%s: %v", span, err)
			continue
		}
		s := &searching{input: in, base: o, param: param}
		x := r.From + (r.To-r.From)/3
		want, line := s.with(x), s.line(x, "runs/x")
		again, err := commandLine(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got, err := again.options()
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if a, b := numbersOf(&got), numbersOf(&want); a != b {
			t.Errorf("%s\n has %s\nwant %s", line, a, b)
		}
		if err := pastes(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// numbersOf are what a search can move.
func numbersOf(o *harness.Options) string {
	text := fmt.Sprintf("%+v %+v %+v %v %v %v %v", o.Load, o.App, o.Thresholds, o.GapLimit, o.FirstLimit,
		o.ProgressLimit, o.Total)
	for _, s := range o.Scenarios {
		text += fmt.Sprintf("; %s %+v %+v %v", s.ID, s.Shape, s.Fault, s.Hold)
	}
	return text
}

// What --set cannot set is refused with the place and a fix.
func TestSetRefuses(t *testing.T) {
	const tooLarge = "10000000000000000000"
	for value, want := range map[string]string{
		"edge.read_timeout":        `"edge.read_timeout" is no parameter with a value; write --set edge.read_timeout=5s`,
		"edge.read_timeout=5":      `"5" is no value of edge.read_timeout; write --set edge.read_timeout=5s`,
		"edge.read_timeot=5s":      `this run has no number "edge.read_timeot"; did you mean "edge.read_timeout"?`,
		"thresholds.slowdown=NaN":  `"NaN" is no value of thresholds.slowdown; write --set thresholds.slowdown=1.5`,
		"load.streams=" + tooLarge: `"` + tooLarge + `" is no value of load.streams; write --set load.streams=10`,
		"load.streams=1.5":         `"1.5" is no value of load.streams; write --set load.streams=10`,
		"memory=64MiB": "memory is limited in containers alone, and this app runs as a process; name an image, or add " +
			"--stack docker",
	} {
		want = "--set: " + want
		in, err := argued([]string{"--set", value})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.options(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", value, err, want)
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
