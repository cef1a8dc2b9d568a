package suite

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/history"
)

// Every scenario is in one shard and in no other, whatever is known of its time, and
// shards keep the order of the suite.
func TestSplitIsAPartition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 500 {
		n, times := 1+rng.IntN(7), Times{}
		var ids []string
		for i := range rng.IntN(40) {
			id := fmt.Sprint("s", i)
			ids = append(ids, id)
			if rng.IntN(3) > 0 {
				times[id] = time.Duration(1+rng.IntN(60_000)) * time.Millisecond
			}
		}
		shards := Split(ids, times, n)
		var all []string
		for _, s := range shards {
			if !slices.IsSortedFunc(s, func(a, b string) int { return slices.Index(ids, a) - slices.Index(ids, b) }) {
				t.Fatalf("round %d: shard out of order: %v", round, s)
			}
			all = append(all, s...)
		}
		slices.Sort(all)
		if want := slices.Sorted(slices.Values(ids)); len(shards) != n || !slices.Equal(all, want) {
			t.Fatalf("round %d: %d shards hold %v, want %v", round, len(shards), all, want)
		}
		if Fingerprint(shards) != Fingerprint(Split(ids, times, n)) {
			t.Fatalf("round %d: two splits by the same times differ", round)
		}
	}
}

// Where all times are known no shard is longer than the mean and the longest scenario
// together, which any list schedule keeps (Graham 1966).
func TestSplitByTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n, times, sum, longest := 2+rng.IntN(4), Times{}, time.Duration(0), time.Duration(0)
		var ids []string
		for i := range 30 {
			id := fmt.Sprint("s", i)
			ids, times[id] = append(ids, id), time.Duration(1+rng.IntN(60))*time.Second
			sum, longest = sum+times[id], max(longest, times[id])
		}
		for _, s := range Split(ids, times, n) {
			if took := times.Estimate(s).Sum; took > sum/time.Duration(n)+longest {
				t.Fatalf("a shard of %d takes %v, of %v in all", n, took, sum)
			}
		}
	}
}

// Without any time the shards are as even as their number allows.
func TestSplitWithoutTimes(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e", "f", "g"}
	var sizes []int
	for _, s := range Split(ids, nil, 3) {
		sizes = append(sizes, len(s))
	}
	if !slices.Equal(sizes, []int{3, 2, 2}) {
		t.Errorf("%v", sizes)
	}
}

func TestTimesOf(t *testing.T) {
	row := func(app, stack string, took float64) history.Row {
		return history.Row{App: app, Stack: stack, Scenarios: []history.Scenario{{ID: "cut", Took: took}}}
	}
	var rows []history.Row
	for _, took := range []float64{90, 90, 3, 1, 2, 50, 4} { // the last five: 3 1 2 50 4
		rows = append(rows, row("app", "local", took))
	}
	rows = append(rows, row("another", "local", 7), row("app", "docker", 8), row("app", "local", 0))
	long := row("app", "local", 100)
	long.Scenarios[0].Full = true
	rows = append(rows, long)
	if full := TimesOf(rows, "app", "local", map[string]bool{"cut": true}); full["cut"] != 100*time.Second {
		t.Errorf("at full length: %v", full)
	}
	times := TimesOf(rows, "app", "local", nil)
	if times["cut"] != 3*time.Second {
		t.Errorf("%v, want the median of the last five that tell, 3s", times)
	}
	e := times.Estimate([]string{"cut", "drain"})
	if e.Sum != 3*time.Second || e.Known != 1 || !slices.Equal(e.Unknown, []string{"drain"}) {
		t.Errorf("%+v", e)
	}
}
