package load_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A site is a server, a tap and what the tap recorded.
type site struct {
	*tap.Tap
	url    string
	begun  atomic.Int64
	open   atomic.Int64 // requests being served
	most   atomic.Int64 // of them at once
	mu     sync.Mutex   // guards ended
	ended  []*record.Stream
	server *httptest.Server
}

func newSite(t *testing.T, serve http.HandlerFunc) *site {
	s := &site{}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for n, most := s.open.Add(1), s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		}
		defer s.open.Add(-1)
		serve(w, r)
	}))
	t.Cleanup(s.server.Close)
	s.url = s.server.URL
	var err error
	s.Tap, err = tap.New(tap.Options{Begin: func(*record.Stream) { s.begun.Add(1) }, Done: func(r *record.Stream) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = append(s.ended, r)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Tap.Close(); err != nil {
			t.Error(err)
		}
		s.balance(t)
	})
	return s
}

// balance checks that every stream that began is recorded.
func (s *site) balance(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(s.begun.Load()) != len(s.ended) {
		t.Errorf("%d streams began, %d are recorded", s.begun.Load(), len(s.ended))
	}
}

func (s *site) assign(seq uint64) load.Target {
	return load.Target{Group: record.Load, Hop: "app", URL: fmt.Sprintf("%s/%d", s.url, seq)}
}

// drive runs a wave and checks its count against the records.
func (s *site) drive(t *testing.T, ctx context.Context, w load.Wave) record.Wave {
	t.Helper()
	w.Assign = s.assign
	got, err := load.Drive(ctx, s.Tap, w)
	if err != nil {
		t.Fatal(err)
	}
	s.balance(t)
	if int64(got.Started) != s.begun.Load() {
		t.Errorf("wave says %d streams started, %d began", got.Started, s.begun.Load())
	}
	late := 0
	for _, r := range s.ended {
		if r.Late {
			late++
		}
	}
	if w.Rate > 0 && ctx.Err() == nil {
		late += got.Asked - got.Started
	}
	if got.LateStarts != late {
		t.Errorf("wave says %d late starts, %d streams are marked or missing", got.LateStarts, late)
	}
	if got.Hop != "app" || got.Group != record.Load || got.InBodyAtFault != -1 || got.End < got.Begin {
		t.Errorf("wave %+v", got)
	}
	return got
}

func slow(d time.Duration) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
	}
}

func TestClosedModel(t *testing.T) {
	s := newSite(t, slow(5*time.Millisecond))
	got := s.drive(t, t.Context(), load.Wave{Streams: 8, Total: 50})
	if got.Started != 50 || got.Asked != 50 || s.most.Load() > 8 || s.most.Load() < 2 {
		t.Errorf("%d streams of %d asked, at most %d at once; want 50, 50, 8", got.Started, got.Asked, s.most.Load())
	}
	seen := map[uint64]bool{}
	for _, r := range s.ended {
		seen[r.Seq] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d different numbers for 50 streams", len(seen))
	}
}

// TestClosedOnce: without an end, each slot has one stream.
func TestClosedOnce(t *testing.T) {
	s := newSite(t, slow(0))
	if got := s.drive(t, t.Context(), load.Wave{Streams: 20}); got.Started != 20 {
		t.Errorf("%d streams, want 20", got.Started)
	}
}

// TestClosedDuration: slots start new streams until the time is up; those in flight
// then run to their ends.
func TestClosedDuration(t *testing.T) {
	s := newSite(t, slow(40*time.Millisecond))
	got := s.drive(t, t.Context(), load.Wave{Streams: 3, Duration: 200 * time.Millisecond})
	if got.Started < 6 || got.Asked != 3 {
		t.Errorf("%d streams of %d asked, want several rounds of 3", got.Started, got.Asked)
	}
	for _, r := range s.ended {
		if r.Sched > got.Begin+200*time.Millisecond+time.Second/2 || r.Limit != "" {
			t.Errorf("stream %d started %v after the wave, ended with limit %q", r.Seq, r.Sched-got.Begin, r.Limit)
		}
	}
}

// TestRampSpreadsStarts: under a ramp the last stream of a closed wave starts at
// its end.
func TestRampSpreadsStarts(t *testing.T) {
	s := newSite(t, slow(0))
	got := s.drive(t, t.Context(), load.Wave{Streams: 10, Ramp: 300 * time.Millisecond})
	first, last := got.End, time.Duration(0)
	for _, r := range s.ended {
		first, last = min(first, r.Sched), max(last, r.Sched)
	}
	if last-first < 200*time.Millisecond {
		t.Errorf("streams started within %v, want a ramp of 300ms", last-first)
	}
}

func TestOpenModel(t *testing.T) {
	s := newSite(t, slow(0))
	got := s.drive(t, t.Context(), load.Wave{Rate: 100, Duration: 500 * time.Millisecond})
	if got.Asked != 50 || got.Started != 50 && got.LateStarts == 0 {
		t.Errorf("%d streams of %d asked, %d late; want 50, or the rest late", got.Started, got.Asked, got.LateStarts)
	}
	for i, want := range []time.Duration{0, 10 * time.Millisecond, 490 * time.Millisecond} {
		at := []uint64{1, 2, 50}[i]
		for _, r := range s.ended {
			if r.Seq == at && (r.Sched < got.Begin || r.Sched > got.Begin+500*time.Millisecond) {
				t.Errorf("stream %d scheduled at %v, want about %v", at, r.Sched-got.Begin, want)
			}
		}
	}
}

// TestOpenWithoutWorkers: what cannot start on time is counted, not forgotten.
func TestOpenWithoutWorkers(t *testing.T) {
	s := newSite(t, slow(100*time.Millisecond))
	got := s.drive(t, t.Context(), load.Wave{Rate: 100, Total: 12, Streams: 2})
	if got.Started != 12 || got.LateStarts < 8 || s.most.Load() > 2 {
		t.Errorf("%d streams, %d late, %d at once; want 12, most of them late, 2", got.Started, got.LateStarts, s.most.Load())
	}
}

// TestOpenOverloaded: the streams that never got a worker are late as well.
func TestOpenOverloaded(t *testing.T) {
	s := newSite(t, slow(200*time.Millisecond))
	got := s.drive(t, t.Context(), load.Wave{Rate: 100, Duration: 300 * time.Millisecond, Streams: 2})
	if got.Asked != 30 || got.Started > 10 || got.LateStarts < 20 {
		t.Errorf("%d streams of %d, %d late; want few of 30, most of them late", got.Started, got.Asked, got.LateStarts)
	}
}

// TestCancel ends everything at once, also a pacer that has long to wait.
func TestCancel(t *testing.T) {
	for name, w := range map[string]load.Wave{
		"closed": {Streams: 20, Duration: time.Hour},
		"open":   {Rate: 0.01, Total: 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, slow(time.Hour))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			start := time.Now()
			s.drive(t, ctx, w)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("wave ended %v after it began", took)
			}
			for _, r := range s.ended {
				if r.Limit != record.CancelledByEnd {
					t.Errorf("stream %d: limit %q, want cancelled", r.Seq, r.Limit)
				}
			}
		})
	}
}

func TestRequestsOfWave(t *testing.T) {
	var mu sync.Mutex
	paths := map[string]int{}
	s := newSite(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		paths[r.URL.Path]++
		if r.Method != "POST" || string(body) != "{}" || r.Header.Get("X-Of") != "wave" {
			t.Errorf("%s with body %q, header %v", r.Method, body, r.Header)
		}
	})
	s.drive(t, t.Context(), load.Wave{Streams: 4, Total: 10, Method: "POST", Body: []byte("{}"),
		Header: http.Header{"X-Of": {"wave"}}})
	mu.Lock()
	defer mu.Unlock()
	for path, n := range paths {
		if n != 1 {
			t.Errorf("target %s used %d times", path, n)
		}
	}
	if len(paths) != 10 {
		t.Errorf("%d targets, want 10", len(paths))
	}
}

func TestWavesThatCannotBeDriven(t *testing.T) {
	s := newSite(t, slow(0))
	for want, w := range map[string]load.Wave{
		"zero streams":     {Assign: s.assign},
		"no targets":       {Streams: 1},
		"negative":         {Rate: -1, Assign: s.assign},
		"needs a duration": {Rate: 5, Assign: s.assign},
		"file descriptors": {Streams: load.MaxStreams() + 1, Assign: s.assign},
		"unsupported schem": {Streams: 3, Duration: time.Minute, Assign: func(uint64) load.Target {
			return load.Target{URL: "gopher://x"}
		}},
	} {
		if _, err := load.Drive(t.Context(), s.Tap, w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	if s.begun.Load() != 0 {
		t.Errorf("%d streams began", s.begun.Load())
	}
}

// TestRedirectsAreAnswers: a redirect is what the server said, and is recorded so.
func TestRedirectsAreAnswers(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	s.drive(t, t.Context(), load.Wave{Streams: 1})
	if got := s.ended[0].Status; got != http.StatusFound {
		t.Errorf("status %d, want 302", got)
	}
}
