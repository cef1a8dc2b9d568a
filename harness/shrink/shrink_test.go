package shrink

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestDdmin: what is left fails, and no single thing of it can go, whatever it is that
// fails together.
func TestDdmin(t *testing.T) {
	for n := range 12 {
		for seed := range uint64(40) {
			r := rand.New(rand.NewPCG(seed, uint64(n)))
			var needed []int // all of these must be there
			for i := range n {
				if r.IntN(4) == 0 {
					needed = append(needed, i)
				}
			}
			fails := func(kept []int) (bool, error) {
				for _, x := range needed {
					if !slices.Contains(kept, x) {
						return false, nil
					}
				}
				return true, nil
			}
			got, err := ddmin(n, fails)
			if err != nil || !slices.Equal(got, needed) {
				t.Errorf("%d things, %v fail: %v is left (%v)", n, needed, got, err)
			}
		}
	}
	broken := errors.New("broken")
	if got, err := ddmin(3, func([]int) (bool, error) { return false, broken }); !errors.Is(err, broken) || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestLeast(t *testing.T) {
	for _, c := range []struct {
		from, to, edge float64
		whole          bool
	}{{1, 200, 1, true}, {1, 200, 2, true}, {1, 200, 3, true}, {1, 200, 137, true}, {1, 200, 200, true}, {1, 2, 2, true},
		{0.1, 30, 4, false}, {0.1, 30, 30, false}, {0.1, 30, 0.05, false}} {
		n := 0
		got, err := least(c.from, c.to, c.whole, Width, func(x float64) (bool, error) { n++; return x >= c.edge, nil })
		want := max(c.edge, c.from)
		if err != nil || c.whole && got != want || got < want || got > want*(1+Width)+1e-9 || n > 20 {
			t.Errorf("%+v: %g after %d (%v)", c, got, n, err)
		}
	}
}

// fails is a report of a scenario that failed by a check and a cause.
func fails(id, check, cause string) *verdict.Report {
	return &verdict.Report{Verdict: verdict.Fail, Scenarios: []verdict.ScenarioReport{{ID: id, Verdict: verdict.Fail,
		Checks:   []verdict.Check{{Name: check, Verdict: verdict.Fail}},
		Outcomes: map[verdict.Outcome]int{verdict.Truncated: 1}, Causes: []verdict.Cause{{Cause: cause}}}}}
}

var passes = &verdict.Report{Scenarios: []verdict.ScenarioReport{{ID: "bad", Verdict: verdict.Pass}}}

// crowd is a run of three scenarios, one of them with three faults that 200 streams meet.
func crowd() harness.Options {
	strike := fault.Strike{Link: stack.EdgeLink, After: 3, Action: stack.RST}
	return harness.Options{Load: harness.Load{Streams: 200, Duration: 30 * time.Second},
		Scenarios: []harness.Scenario{{ID: "before"}, {ID: "bad", Hold: 4 * time.Second, Shape: harness.Shape{Events: 100},
			Client: harness.Client{Retry: harness.Retry{Times: 2}},
			Fault: fault.Sequence{fault.Timed{Fault: fault.Latency(stack.EdgeLink, time.Second, 0), Hold: time.Second},
				fault.All{strike, fault.Pause{For: 4 * time.Second}}}}, {ID: "after"}}}
}

func strikes(f fault.Fault) (n int) {
	for _, l := range leaves(f) {
		if _, ok := l.(fault.Strike); ok {
			n++
		}
	}
	return n
}

// TestFind: what does not matter goes, although each run lies now and then, and what
// another failure shows is not followed.
func TestFind(t *testing.T) {
	failure := Failure{Scenario: "bad", Checks: []string{"whole"}, Causes: []string{"truncation"}}
	for _, lies := range []float64{0, 0.02} {
		right := 0
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 7))
			got, err := Find(t.Context(), Task{Options: crowd(), Failure: failure,
				Play: func(_ context.Context, o harness.Options) (*verdict.Report, error) {
					i := slices.IndexFunc(o.Scenarios, func(s harness.Scenario) bool { return s.ID == "bad" })
					bad := o.Scenarios[i]
					yes := strikes(bad.Fault) == 1 && o.Load.Streams >= 3 && events(bad.Shape) >= 12
					if r.Float64() < lies {
						yes = !yes
					}
					switch {
					case yes:
						return fails("bad", "whole", "truncation"), nil
					case o.Load.Streams == 1:
						return fails("bad", "whole", "something else"), nil
					}
					return passes, nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			if got.After == (Size{Scenarios: 1, Faults: 1, Streams: 3, Events: 12}) && strikes(got.Options.Scenarios[0].Fault) == 1 {
				right++
			} else if lies == 0 {
				t.Errorf("%+v, left out %+v", got.After, got.Left)
			}
			if got.Runs > 100 || got.Before.Faults != 3 || got.Before.Streams != 6000 && got.Before.Streams != 200 {
				t.Errorf("%d runs; before %+v", got.Runs, got.Before)
			}
		}
		t.Logf("%.0f %% of runs lie: %d of 20 are the smallest", 100*lies, right)
		if right < 18 {
			t.Errorf("%.0f %% of runs lie: %d of 20 are the smallest", 100*lies, right)
		}
	}
}

// TestNotAgain: a run that does not fail again is not made smaller, and one whose runs
// are spent says so.
func TestNotAgain(t *testing.T) {
	failure := Failure{Scenario: "bad", Checks: []string{"whole"}}
	play := func(r *verdict.Report, err error) func(context.Context, harness.Options) (*verdict.Report, error) {
		return func(context.Context, harness.Options) (*verdict.Report, error) { return r, err }
	}
	got, err := Find(t.Context(), Task{Options: crowd(), Failure: failure, Play: play(passes, nil)})
	if err != nil || got.Whole.Fails || got.Runs != 2 || got.After != got.Before {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = Find(t.Context(), Task{Options: crowd(), Failure: failure, Play: play(fails("bad", "whole", ""), nil), Budget: 5})
	if err != nil || !got.Spent || got.Runs != 5 || !got.Whole.Fails || got.After.Streams >= got.Before.Streams {
		t.Errorf("%+v, %v", got, err)
	}
	n := 0
	got, err = Find(t.Context(), Task{Options: crowd(), Failure: failure,
		Play: func(context.Context, harness.Options) (*verdict.Report, error) {
			if n++; n > 2 { // nothing smaller can be played
				return nil, &harness.UsageError{Problem: "no such run"}
			}
			return fails("bad", "whole", ""), nil
		}})
	if err != nil || got.After != got.Before || got.Runs != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	broken := errors.New("broken")
	if _, err = Find(t.Context(), Task{Options: crowd(), Failure: failure, Play: play(nil, broken)}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// TestLoads: each kind of load becomes one whose streams are sent once, where that fails
// just so, and otherwise a smaller one of its kind.
func TestLoads(t *testing.T) {
	stages := harness.Pattern{Stages: []arrivals.Stage{{Duration: 10 * time.Second, Target: arrivals.Target{Value: 40}}}}
	for name, l := range map[string]harness.Load{
		"rate":   {Rate: 20, Duration: 10 * time.Second},
		"total":  {Streams: 10, Total: 200},
		"lasts":  {Streams: 10, Duration: 20 * time.Second},
		"stages": {Pattern: stages},
	} {
		for _, needed := range []bool{true, false} { // the kind of load
			got, err := Find(t.Context(), Task{Failure: Failure{Scenario: "bad", Checks: []string{"whole"}},
				Options: harness.Options{Load: l, Scenarios: []harness.Scenario{{ID: "bad"}}},
				Play: func(_ context.Context, o harness.Options) (*verdict.Report, error) {
					if err := o.Validate(); err != nil {
						return nil, err
					}
					l := o.Load.Over(o.Scenarios[0].Load)
					closed := !l.Open() && len(l.Stages) == 0
					once := closed && l.Duration == 0 && l.Total == 0
					if once && needed || closed && l.Streams < 2 {
						return passes, nil
					}
					return fails("bad", "whole", ""), nil
				}})
			if err != nil || got.Spent {
				t.Fatalf("%s: %v, %+v", name, err, got)
			}
			left := len(got.Left) == 1 && got.Left[0].Kind == KindLoad
			switch {
			case !needed && (!left || got.After.Streams != 2):
				t.Errorf("%s: %+v, left out %+v", name, got.After, got.Left)
			case needed && (left || got.After.Streams > 4 && name != "stages"):
				t.Errorf("%s, needed: %+v, left out %+v", name, got.After, got.Left)
			}
		}
	}
}

var update = flag.Bool("update", false, "write testdata/shrunk anew")

// TestGoTest: what is left is written as Go that compiles.
func TestGoTest(t *testing.T) {
	o := crowd()
	o.Seed, o.SLO = 7, "complete >= 99%"
	o.Scenarios[0].Fault = fault.Strikes{{Link: stack.UpstreamLink, Action: stack.FIN}, {Link: stack.UpstreamLink, After: 1, Action: stack.RST}}
	o.Scenarios[2].Fault = fault.All{fault.SlowStart("edge", time.Second), fault.Slices("edge", 8), fault.SlowClose("edge", time.Second),
		fault.Jitter("edge", time.Second), fault.Bandwidth("edge", 10, time.Second), fault.Stall("edge", time.Second), fault.KillWorker{}}
	src, err := GoTest(o, "shrunk_test", "A comment.\n")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "shrunk", "shrunk_test.go")
	if *update {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, src, 0o644))
	}
	want, err2 := os.ReadFile(path)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(src)); diff != "" {
		t.Errorf("(-kept +written)\n%s", diff)
	}
	if out, err := exec.Command("go", "vet", "./testdata/shrunk").CombinedOutput(); err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
	o.Scenarios[1].Fault = odd{hidden: 1}
	if src, err := GoTest(o, "app_test", ""); err == nil {
		t.Errorf("a fault that nobody can write is written: %s", src)
	}
}

// odd cannot be written.
type odd struct {
	fault.Watch
	hidden int
}
