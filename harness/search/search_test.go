package search_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/streamproof/streamproof/harness/search"
)

func find(t *testing.T, o search.Options, probe func(x float64) search.Outcome) search.Result {
	t.Helper()
	r, err := search.Find(t.Context(), o, func(_ context.Context, x float64) (search.Outcome, error) {
		return probe(x), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var crowd = search.Range{From: 10, To: 5000, Whole: true}

// TestSharpEdge: a known limit is found to 2 %, in at most 12 trials, wherever it is and
// whether trials see it themselves or not.
func TestSharpEdge(t *testing.T) {
	for _, aimed := range []bool{true, false} {
		for _, limit := range []float64{11, 27, 137, 700, 1234, 4900} {
			o := search.Options{Range: crowd}
			if !aimed {
				o.Budget = 16
			}
			r := find(t, o, func(x float64) search.Outcome {
				out := search.Outcome{Holds: x <= limit}
				if aimed && !out.Holds {
					out.Aim = limit
				}
				return out
			})
			if r.Edge != search.Found || !r.Confirmed || r.Holds > limit || r.Holds < limit*0.98-1 || len(r.Trials) > 16 {
				t.Errorf("limit %g, aimed %v: %s at %g..%g after %d trials", limit, aimed, r.Edge, r.Holds, r.Breaks, len(r.Trials))
			}
			if aimed && len(r.Trials) > 12 {
				t.Errorf("limit %g: %d trials: %v", limit, len(r.Trials), r.Trials)
			}
		}
	}
}

// TestNoisyEdge: where every trial near the edge is a throw of a coin, the result is near
// it all the same, for nearly all seeds.
func TestNoisyEdge(t *testing.T) {
	const knee, seeds = 57.3, 200
	off, wide := 0, 0
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		got := find(t, search.Options{Range: search.Range{From: 5, To: 500}, Width: 0.05}, func(x float64) search.Outcome {
			p := 1 / (1 + math.Exp((math.Log(x)-math.Log(knee))/0.02))
			return search.Outcome{Holds: r.Float64() < p}
		})
		if got.Edge == search.Wide {
			wide++
		}
		if math.Abs(math.Sqrt(got.Holds*got.Breaks)-knee) > 0.1*knee {
			off++
		}
		if len(got.Trials) > 12 {
			t.Fatalf("%d trials", len(got.Trials))
		}
	}
	t.Logf("%d of %d seeds are off by more than 10 %%, %d ended without a narrow range", off, seeds, wide)
	if off > seeds/20 {
		t.Errorf("%d of %d seeds are off by more than 10 %%", off, seeds)
	}
}

// TestLuckyTrials: a single trial that goes against the rest does not decide.
func TestLuckyTrials(t *testing.T) {
	for nth := range 12 {
		n := 0
		r := find(t, search.Options{Range: crowd, Budget: 20}, func(x float64) search.Outcome {
			holds := x <= 137
			if n == nth {
				holds = !holds
			}
			n++
			out := search.Outcome{Holds: holds}
			if x > 137 {
				out.Aim = 137
			}
			return out
		})
		if r.Edge == search.Found && (r.Holds > 137*1.02 || r.Holds < 134) {
			t.Errorf("trial %d lies: found %g..%g: %v", nth, r.Holds, r.Breaks, r.Trials)
		}
	}
}

func TestEndsOfTheRange(t *testing.T) {
	r := find(t, search.Options{Range: crowd}, func(float64) search.Outcome { return search.Outcome{Holds: true} })
	if r.Edge != search.AllHold || r.Holds != 5000 || !r.Confirmed {
		t.Errorf("all hold: %+v", r)
	}
	r = find(t, search.Options{Range: crowd}, func(float64) search.Outcome { return search.Outcome{} })
	if r.Edge != search.NoneHolds || r.Breaks != 10 || !r.Confirmed || len(r.Trials) != 2 {
		t.Errorf("none holds: %+v", r)
	}
}

// TestDisputedEdge: where trials near the edge disagree, and none of the others does, the
// result is the range in which they do. A single contradiction far off is no such range.
func TestDisputedEdge(t *testing.T) {
	const knee, seeds = 100.0, 200
	noisy, off := 0, 0
	for seed := range uint64(seeds) {
		coin := rand.New(rand.NewPCG(seed, 2))
		r := find(t, search.Options{Range: search.Range{From: 10, To: 1000}}, func(x float64) search.Outcome {
			holds := coin.Float64() < 1/(1+math.Exp(math.Log(x/knee)/0.03))
			return search.Outcome{Holds: holds, Why: "late", Aim: knee * (0.95 + 0.1*coin.Float64())}
		})
		if r.Edge != search.Noisy {
			continue
		}
		noisy++
		if !r.Confirmed || r.Why != "late" || !(r.Breaks <= 1.2*r.Holds && r.Breaks > r.Holds) {
			t.Errorf("%+v", r)
		}
		for _, trial := range r.Trials {
			if trial.At <= r.Holds && !trial.Holds || trial.At >= r.Breaks && trial.Holds {
				t.Errorf("%v is in %g..%g", trial, r.Holds, r.Breaks)
			}
		}
		if math.Abs(math.Sqrt(r.Holds*r.Breaks)-knee) > 0.1*knee {
			off++
		}
	}
	if noisy < 3 || off > noisy/20 {
		t.Errorf("%d of %d are disputed, and %d of them off by more than 10 %%", noisy, seeds, off)
	}
	n := 0
	r := find(t, search.Options{Range: search.Range{From: 10, To: 1000}, Budget: 8}, func(x float64) search.Outcome {
		n++
		return search.Outcome{Holds: x < 100 && n > 1}
	})
	if r.Edge == search.Noisy {
		t.Errorf("a contradiction far off: %g..%g after %v", r.Holds, r.Breaks, r.Trials)
	}
}

// TestNarrowRange: of few whole numbers each step goes on by one at least.
func TestNarrowRange(t *testing.T) {
	for _, down := range []bool{false, true} {
		for from := range 6 {
			for to := from + 2; to < 9; to++ {
				r := search.Range{From: float64(from + 1), To: float64(to), Whole: true, Down: down}
				for edge := r.From; edge < r.To; edge++ { // between it and the next
					got := find(t, search.Options{Range: r}, func(x float64) search.Outcome {
						return search.Outcome{Holds: (x <= edge) != down}
					})
					holds, breaks := edge, edge+1
					if down {
						holds, breaks = breaks, holds
					}
					if got.Edge != search.Found || got.Holds != holds || got.Breaks != breaks {
						t.Errorf("%v, edge behind %g: %s, %g..%g after %v", r, edge, got.Edge, got.Holds, got.Breaks, got.Trials)
					}
				}
				all := find(t, search.Options{Range: r}, func(float64) search.Outcome { return search.Outcome{Holds: true} })
				if all.Edge != search.AllHold {
					t.Errorf("%v, all hold: %+v", r, all)
				}
			}
		}
	}
}

// TestSaturated: what cannot be told is no limit of the app.
func TestSaturated(t *testing.T) {
	r := find(t, search.Options{Range: crowd}, func(x float64) search.Outcome {
		if x > 300 {
			return search.Outcome{Unknown: "the generator did not keep up"}
		}
		return search.Outcome{Holds: true}
	})
	if r.Edge != search.Saturated || r.Holds > 300 || r.Why != "the generator did not keep up" {
		t.Errorf("%+v", r)
	}
	r = find(t, search.Options{Range: crowd}, func(float64) search.Outcome { return search.Outcome{Unknown: "no"} })
	if r.Edge != search.Saturated {
		t.Errorf("nothing can be told: %+v", r)
	}
}

// TestEasyEndUnproven: an easy end that no trial broke more often than not is not said to break.
func TestEasyEndUnproven(t *testing.T) {
	holds, breaks, blind := search.Outcome{Holds: true}, search.Outcome{Why: "late"}, search.Outcome{Unknown: "no"}
	for name, c := range map[string]struct {
		trials []search.Outcome
		want   search.Edge
	}{
		"one that cannot tell":     {[]search.Outcome{blind}, search.Saturated},
		"two of three cannot tell": {[]search.Outcome{blind, breaks, blind}, search.Saturated},
		"they disagree":            {[]search.Outcome{breaks, holds}, search.Wide},
		"two of three break":       {[]search.Outcome{breaks, holds, breaks}, search.NoneHolds},
		"one breaks":               {[]search.Outcome{breaks}, search.NoneHolds},
	} {
		i := -1
		r := find(t, search.Options{Range: crowd, Budget: len(c.trials)}, func(float64) search.Outcome {
			i++
			return c.trials[i]
		})
		if r.Edge != c.want {
			t.Errorf("%s: %q, want %q: %v", name, r.Edge, c.want, r.Trials)
		}
	}
}

// TestDown: of a memory limit the least is looked for.
func TestDown(t *testing.T) {
	r := find(t, search.Options{Range: search.Range{From: 16, To: 1024, Down: true}, Width: 0.05, Budget: 16},
		func(x float64) search.Outcome { return search.Outcome{Holds: x >= 100} })
	if r.Edge != search.Found || r.Holds < 100 || r.Holds > 106 || r.Breaks >= 100 {
		t.Errorf("%+v", r)
	}
}

func TestErrors(t *testing.T) {
	for _, r := range []search.Range{{From: 10, To: 10}, {From: 20, To: 10}, {From: 0, To: 5},
		{From: 1, To: math.Inf(1)}} {
		if _, err := search.Find(t.Context(), search.Options{Range: r}, nil); err == nil {
			t.Errorf("%v is taken", r)
		}
	}
	broken := errors.New("broken")
	r, err := search.Find(t.Context(), search.Options{Range: crowd}, func(_ context.Context, x float64) (search.Outcome,
		error) {
		if x > 10 {
			return search.Outcome{}, broken
		}
		return search.Outcome{Holds: true}, nil
	})
	if !errors.Is(err, broken) || len(r.Trials) != 1 || fmt.Sprint(r.Holds) != "10" {
		t.Errorf("%v, %+v", err, r)
	}
}
