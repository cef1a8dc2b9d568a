package load_test

import (
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
)

// quiet judges times as exactly as a machine allows that does nothing else.
var quiet = flag.Bool("quiet", false, "judge the times of starts: nothing else runs on this machine")

// startErrors are how long after their time the streams of s were sent, sorted.
func startErrors(s []*record.Stream) []time.Duration {
	var late []time.Duration
	for _, r := range s {
		late = append(late, r.Send-r.Sched)
	}
	slices.Sort(late)
	return late
}

// TestTraceIsReplayed: each of 1,000 requests is sent at its own time and with its own
// body. How exactly is told here and judged on a quiet machine: -quiet.
func TestTraceIsReplayed(t *testing.T) {
	const n = 1000
	var mu sync.Mutex
	bodies := map[string]int{}
	s := newSite(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies[string(body)]++
	})
	r := rand.New(rand.NewPCG(1, 2))
	at, sum := make([]time.Duration, n), time.Duration(0)
	for i := range at {
		at[i] = sum
		sum += time.Duration(r.ExpFloat64() * float64(2*time.Millisecond))
	}
	w := s.drive(t, t.Context(), load.Wave{Rate: 500, Schedule: at, Method: "POST",
		Request: func(seq uint64) load.Request {
			return load.Request{Body: []byte{byte('a' + seq%26), byte('0' + seq/26%10), byte('0' + seq/260)}}
		}})
	mu.Lock()
	defer mu.Unlock()
	if w.Started != n || w.Asked != n || len(bodies) != n {
		t.Fatalf("%d of %d streams started, %d bodies", w.Started, w.Asked, len(bodies))
	}
	begin := w.Begin
	for i, st := range s.ended {
		if st.Sched < begin || !slices.Contains(at, st.Sched-begin) {
			t.Fatalf("stream %d has a time that is not in the trace: %v", i, st.Sched-begin)
		}
	}
	late := startErrors(s.ended)
	if late[0] < 0 {
		t.Errorf("a stream was sent %v before its time", -late[0])
	}
	// A start that is called late was sent late: sending comes after that look at the clock.
	sentLate := 0
	for _, l := range late {
		if l > 10*time.Millisecond {
			sentLate++
		}
	}
	if w.LateStarts > sentLate {
		t.Errorf("%d late starts are told, %d streams were sent late", w.LateStarts, sentLate)
	}
	t.Logf("start errors: p50 %v, p99 %v, max %v; %d late starts", late[n/2], late[n*99/100], late[n-1], w.LateStarts)
	if *quiet && late[n*99/100] > 2*time.Millisecond {
		t.Errorf("p99 of the start errors is %v, want <= 2ms", late[n*99/100])
	}
}

// TestPoissonLoad: streams are sent as a Poisson process, by the Kolmogorov–Smirnov test on
// the times at which they were sent; 5,000 of them on a quiet machine.
func TestPoissonLoad(t *testing.T) {
	rate, n := 1000.0, 1000
	if *quiet {
		rate, n = 100, 5000
	}
	s := newSite(t, func(http.ResponseWriter, *http.Request) {})
	at := arrivals.Schedule(arrivals.Process{Kind: arrivals.Poisson}, rate,
		[]arrivals.Stage{{Duration: time.Hour, Target: arrivals.Target{Value: rate}}}, n, 7)
	w := s.drive(t, t.Context(), load.Wave{Rate: rate, Schedule: at})
	if w.Started != n {
		t.Fatalf("%d streams started", w.Started)
	}
	of := func(time func(*record.Stream) time.Duration) float64 {
		var xs []float64
		for _, st := range s.ended {
			xs = append(xs, time(st).Seconds())
		}
		slices.Sort(xs)
		var gaps []float64
		for i := 1; i < n; i++ {
			gaps = append(gaps, xs[i]-xs[i-1])
		}
		slices.Sort(gaps)
		d := 0.0
		for i, g := range gaps {
			f := 1 - math.Exp(-rate*g)
			d = max(d, f-float64(i)/float64(n-1), float64(i+1)/float64(n-1)-f)
		}
		return d
	}
	critical := 1.628 / math.Sqrt(float64(n))
	asked := of(func(s *record.Stream) time.Duration { return s.Sched })
	sent := of(func(s *record.Stream) time.Duration { return s.Send })
	t.Logf("Kolmogorov–Smirnov distance: %.4f as asked, %.4f as sent, critical %.4f (1 %%)", asked, sent, critical)
	if asked > critical {
		t.Errorf("the times asked for are no Poisson process: %.4f > %.4f", asked, critical)
	}
	if *quiet && sent > critical {
		t.Errorf("the times of sending are no Poisson process: %.4f > %.4f", sent, critical)
	}
}

// TestStagesOfStreams: as many streams are open as the stages say, and none is cut where
// the number falls.
func TestStagesOfStreams(t *testing.T) {
	s := newSite(t, slow(50*time.Millisecond))
	stages := []arrivals.Stage{{Duration: 0, Target: arrivals.Target{Value: 4}},
		{Duration: 400 * time.Millisecond, Target: arrivals.Target{Value: 4}},
		{Duration: 0, Target: arrivals.Target{Value: 12}},
		{Duration: 400 * time.Millisecond, Target: arrivals.Target{Value: 12}},
		{Duration: 0, Target: arrivals.Target{Value: 2}},
		{Duration: 400 * time.Millisecond, Target: arrivals.Target{Value: 2}}}
	w := s.drive(t, t.Context(), load.Wave{Streams: 12, Stages: stages, Duration: arrivals.Length(stages)})
	const part = 400 * time.Millisecond
	open := func(i int, at time.Duration) (n int) { // of those that began in part i
		from := w.Begin + time.Duration(i)*part
		for _, r := range s.ended {
			if r.Send > from+50*time.Millisecond && r.Send <= from+at && r.End > from+at {
				n++
			}
		}
		return n
	}
	for i, bound := range []int{4, 12, 2} {
		most := 0
		for at := 50 * time.Millisecond; at < part; at += 5 * time.Millisecond {
			most = max(most, open(i, at))
		}
		if most > bound || most == 0 {
			t.Errorf("part %d: at most %d streams were open, want %d", i, most, bound)
		}
	}
	for _, r := range s.ended {
		if r.Limit != record.NoLimit {
			t.Errorf("stream %d was ended by %s", r.Seq, r.Limit)
		}
	}
}
