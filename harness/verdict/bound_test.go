package verdict

import (
	"fmt"
	"math"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

// The one-sided limits at 95 % of tables of Clopper and Pearson's intervals.
func TestUpperBound(t *testing.T) {
	for _, tt := range []struct {
		failed, n int
		want      float64
	}{
		{0, 1, 0.95}, {0, 20, 0.1391}, {0, 100, 0.0295}, {0, 299, 0.00997}, {0, 3000, 0.000998},
		{1, 20, 0.2161}, {1, 100, 0.0466}, {5, 50, 0.1988}, {19, 20, 0.9974},
		{20, 20, 1}, {0, 0, 1},
	} {
		if got := UpperBound(tt.failed, tt.n, 0.95); math.Abs(got-tt.want) > 1e-4 {
			t.Errorf("%d of %d: %.5f, want %.5f", tt.failed, tt.n, got, tt.want)
		}
	}
}

// The limit is what it says: at it, so few failures are just as rare as 5 %.
func TestUpperBoundIsSharp(t *testing.T) {
	for n := 1; n < 400; n += 7 {
		for failed := 0; failed < n; failed += 1 + n/5 {
			p := UpperBound(failed, n, BoundLevel)
			if got := atMost(failed, n, p); math.Abs(got-(1-BoundLevel)) > 1e-9 {
				t.Fatalf("%d of %d: %g at the limit %g", failed, n, got, p)
			}
		}
	}
}

func TestBoundReads(t *testing.T) {
	for _, tt := range []struct {
		complete, refused, cancelled int
		want                         string
	}{
		{20, 0, 0, "20 of 20 below 0.1391"},
		{300, 0, 0, "300 of 300 below 0.0099"},
		{3000, 0, 2, "3000 of 3000 below 0.0010"},
		{95, 5, 0, "95 of 100 below 0.1023"},
	} {
		r := ScenarioReport{Groups: []GroupReport{{Group: record.Load, Outcomes: map[Outcome]int{Complete: tt.complete,
			Refused: tt.refused, Cancelled: tt.cancelled}}}}
		if got := fmt.Sprintf("%d of %d below %.4f", r.bound(false).Streams-r.bound(false).Failed, r.bound(false).Streams,
			r.bound(false).Below); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if r.bound(true) != nil {
			t.Error("under a fault a share that fails is claimed")
		}
	}
	if (&ScenarioReport{}).bound(false) != nil {
		t.Error("no stream proves something")
	}
}

// A server may answer before our own write has returned: its first event is then as
// old as the request, and not older.
func TestFirstEventIsNeverBeforeTheRequest(t *testing.T) {
	if d, ok := TTFE(&record.Stream{Send: 20, First: 8}); !ok || d != 0 {
		t.Errorf("%v, %v", d, ok)
	}
	if d, ok := TTFE(&record.Stream{Send: 8, First: 20}); !ok || d != 12 {
		t.Errorf("%v, %v", d, ok)
	}
}
