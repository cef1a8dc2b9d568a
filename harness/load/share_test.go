package load

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// A told is what the tap is told of a stream, and when.
type told struct {
	job tap.Job
	at  time.Duration // since the wave began
}

// sent plays the shares of a wave side by side on a fake clock, each stream of which
// lives for a time that life says, and returns what the tap would be told of each, by
// its number in the run. A number that is sent twice is an error.
func sent(t *testing.T, w Wave, of int, life func(seq uint64) time.Duration) map[uint64]told {
	t.Helper()
	all := map[uint64]told{}
	synctest.Test(t, func(t *testing.T) {
		taps, err := tap.New(tap.Options{Mode: tap.Conn})
		if err != nil {
			t.Fatal(err)
		}
		defer taps.Close()
		var mu sync.Mutex
		var wg sync.WaitGroup
		w.At = time.Second
		for i := range of {
			w := w
			w.Share = Share{i, of}
			wg.Go(func() {
				asked, n := 0, 0
				for seq, x := range sentBy(t, taps, w, life, &asked) {
					mu.Lock()
					if _, twice := all[seq]; twice {
						t.Errorf("stream %d was sent twice", seq)
					}
					all[seq] = x
					mu.Unlock()
					n++
				}
				if n < asked {
					t.Errorf("share %d of %d started %d streams, asked for %d", i, of, n, asked)
				}
			})
		}
		wg.Wait()
	})
	return all
}

// sentBy is what one process sends.
func sentBy(t *testing.T, taps *tap.Tap, w Wave, life func(uint64) time.Duration, asked *int) map[uint64]told {
	d := newDriver(t.Context(), taps, w)
	defer d.cancel(nil)
	defer d.batch.Close()
	slots := w.Share.count(w.Streams)
	*asked = d.pace.asked()
	if w.Rate > 0 {
		slots = 1 << 12
	}
	if slots == 0 {
		*asked = 0
		return nil
	}
	d.pace.slots = make(chan struct{}, slots)
	got := map[uint64]told{}
	var wg sync.WaitGroup
	for i := uint64(0); ; i++ {
		if _, stop := d.pace.Pace(0, i); stop {
			break
		}
		j := d.job(i)
		got[j.Seq] = told{j, taps.Now() - w.At}
		wg.Go(func() {
			time.Sleep(life(j.Seq))
			<-d.pace.slots
		})
	}
	wg.Wait()
	return got
}

// waves are one of each kind of load.
func waves() map[string]Wave {
	const s = time.Second
	stages := func(targets ...float64) (list []arrivals.Stage) {
		for _, n := range targets {
			list = append(list, arrivals.Stage{Duration: 2 * s, Target: arrivals.Target{Value: n}})
		}
		return list
	}
	scheduled := func(kind arrivals.Kind) Wave {
		at := arrivals.Schedule(arrivals.Process{Kind: kind}, 30, []arrivals.Stage{
			{Duration: 5 * s, Target: arrivals.Target{Value: 30, Rate: true}}}, 0, 7)
		return Wave{Rate: 30, Schedule: at}
	}
	trace := make([]time.Duration, 100)
	for i := range trace {
		trace[i] = time.Duration(i*i) * time.Millisecond
	}
	return map[string]Wave{
		"closed, at once":        {Streams: 23},
		"closed, ramp":           {Streams: 40, Ramp: 5 * s},
		"closed, total":          {Streams: 12, Total: 50},
		"closed, duration":       {Streams: 12, Duration: 4 * s},
		"closed, ramp, duration": {Streams: 12, Ramp: s, Duration: 4 * s},
		"closed, stages":         {Streams: 24, Begin: 4, Stages: stages(24, 24, 6), Duration: 6 * s},
		"open":                   {Rate: 10, Duration: 5 * s},
		"open, total":            {Rate: 10, Total: 33},
		"open, ramp":             {Rate: 20, Ramp: 4 * s, Duration: 6 * s},
		"open, less than one":    {Rate: 0.5, Duration: 9 * s},
		"poisson":                scheduled(arrivals.Poisson),
		"trace":                  {Rate: 10, Schedule: trace},
		"clients ask again":      {Streams: 15, Block: 100},
	}
}

// filled gives a wave what follows from the number of a stream.
func filled(w Wave) Wave {
	w.Scenario, w.First, w.Prompts = "s", 101, []string{"a", "b", "c"}
	w.Assign = func(seq uint64) Target {
		return Target{Group: []record.Group{record.Victim, record.Control}[seq%2], URL: fmt.Sprint("http://127.0.0.1/", seq)}
	}
	w.Request = func(seq uint64) Request { return Request{Body: fmt.Appendf(nil, "body %d", seq)} }
	return w
}

// TestSharesAreTheWave: whatever the kind of load, the streams of all shares together are
// those of the whole wave, each once, with its number, its time and its request.
func TestSharesAreTheWave(t *testing.T) {
	same := func(uint64) time.Duration { return 300 * time.Millisecond }
	for name, w := range waves() {
		t.Run(name, func(t *testing.T) {
			w := filled(w)
			whole := sent(t, w, 1, same)
			if len(whole) < 4 {
				t.Fatalf("the whole wave has %d streams", len(whole))
			}
			for _, of := range []int{2, 3, 4, 7, 30} {
				parts := sent(t, w, of, same)
				want, got := slices.Sorted(maps.Keys(whole)), slices.Sorted(maps.Keys(parts))
				if w.Stages == nil && !slices.Equal(got, want) {
					t.Errorf("%d shares sent %d streams, the whole wave has %d: %v", of, len(got), len(want), got)
				}
				// Which stream takes a slot that the stages open depends on when others end.
				if d := len(got) - len(want); max(d, -d)*33 > len(want) {
					t.Errorf("%d shares sent %d streams, the whole wave has %d", of, len(got), len(want))
				}
				for seq, x := range parts {
					if y, both := whole[seq]; both {
						like(t, fmt.Sprintf("%d shares: stream %d", of, seq), x, y, w.Stages == nil)
					}
				}
			}
		})
	}
}

// like compares what two processes tell of one stream.
func like(t *testing.T, what string, x, y told, timed bool) {
	t.Helper()
	if !reflect.DeepEqual(x.job, y.job) {
		t.Errorf("%s is %+v, in the whole wave %+v", what, x.job, y.job)
	}
	if timed && !near(x.at, y.at) {
		t.Errorf("%s was sent at %v, in the whole wave at %v", what, x.at, y.at)
	}
}

// TestSharesOfUnequalStreams: where streams live for unequal times, which number comes
// when depends on the shares, but each share sends its own numbers in their order, and no
// more are under way than the whole wave would have.
func TestSharesOfUnequalStreams(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	lives := make([]time.Duration, 1<<12)
	for i := range lives {
		lives[i] = time.Duration(50+r.IntN(900)) * time.Millisecond
	}
	life := func(seq uint64) time.Duration { return lives[seq%uint64(len(lives))] }
	w := filled(Wave{Streams: 10, Duration: 10 * time.Second})
	for _, of := range []int{2, 3, 4, 10} {
		parts := sent(t, w, of, life)
		owned := maps.Clone(parts)
		for i := range of {
			p, n := part{Share{i, of}, w.Streams}, uint64(0)
			for ; parts[w.First+p.nth(n)].job.Seq > 0; n++ {
				delete(owned, w.First+p.nth(n))
			}
		}
		if len(owned) > 0 || len(parts) < 100 {
			t.Errorf("%d shares: of %d streams %d were not in the order of their share", of, len(parts), len(owned))
		}
		for seq, x := range parts {
			open := 0
			for other, y := range parts {
				if y.at <= x.at && y.at+life(other) > x.at {
					open++
				}
			}
			if open > w.Streams {
				t.Fatalf("%d shares: %d streams were open when stream %d was sent", of, open, seq)
			}
		}
	}
}

// TestNumbersOfShares: every number is in one share, and the counts say how many are.
func TestNumbersOfShares(t *testing.T) {
	for of := range 9 {
		for _, slots := range []int{0, 1, 3, 4, 7, 8, 20} {
			const n = 60
			owner := map[uint64]int{}
			for i := range max(1, of) {
				p := part{Share{i, of}, slots}
				own := p.among(n)
				for k := range own {
					owner[p.nth(uint64(k))]++
				}
				if slots > 0 && p.count(slots) == 0 {
					continue
				}
				if next := p.nth(uint64(own)); next < n {
					t.Errorf("share %d of %d, %d slots: %d of %d streams, and %d too", i, of, slots, own, n, next)
				}
			}
			for k := range uint64(n) {
				if owner[k] != 1 {
					t.Errorf("%d shares, %d slots: stream %d is in %d of them", of, slots, k, owner[k])
				}
			}
			if len(owner) != n {
				t.Errorf("%d shares, %d slots: %d of %d streams", of, slots, len(owner), n)
			}
		}
	}
	for _, bad := range []Share{{-1, 2}, {2, 2}, {1, 0}} {
		if bad.valid() {
			t.Errorf("%+v is valid", bad)
		}
	}
}
