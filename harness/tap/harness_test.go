package tap_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

func TestMain(m *testing.M) {
	if benchChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// generic is SSE whose terminal event is "[DONE]".
func generic(t testing.TB) (*stream.Dialect, stream.Ask) {
	t.Helper()
	d, ok := stream.Lookup("sse-generic")
	if !ok {
		t.Fatal("no dialect sse-generic")
	}
	m, err := stream.ParseTerminal(`data == "[DONE]"`)
	if err != nil {
		t.Fatal(err)
	}
	return &d, stream.Ask{Terminal: m}
}

// A rig is a tap under test and the records that it made.
type rig struct {
	*tap.Tap
	t testing.TB

	mu    sync.Mutex // guards begun and ended
	begun map[uint64]bool
	ended []record.Stream
}

func newRig(t testing.TB, o tap.Options) *rig {
	t.Helper()
	r := &rig{t: t, begun: map[uint64]bool{}}
	o.Begin = func(s *record.Stream) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.begun[s.Seq] = true
	}
	o.Done = func(s *record.Stream) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.begun[s.Seq] {
			t.Errorf("stream %d done, but not begun or done before", s.Seq)
		}
		delete(r.begun, s.Seq)
		r.ended = append(r.ended, *s)
	}
	tp, err := tap.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Tap = tp
	t.Cleanup(r.close)
	return r
}

// close checks that every stream that began is done.
func (r *rig) close() {
	if err := r.Tap.Close(); err != nil {
		r.t.Errorf("close tap: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for seq := range r.begun {
		r.t.Errorf("stream %d began and is not done", seq)
	}
}

// get carries one stream to its end and returns its record.
func (r *rig) get(job tap.Job) record.Stream {
	r.t.Helper()
	r.send(context.Background(), 0, job)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ended) == 0 {
		r.t.Fatal("stream left no record")
	}
	return r.ended[len(r.ended)-1]
}

// send carries one stream to its end, as Vegeta does.
func (r *rig) send(ctx context.Context, seq uint64, job tap.Job) error {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://placeholder.invalid/", nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Vegeta-Seq", strconv.FormatUint(seq, 10))
	resp, err := r.RoundTripper(func(uint64) tap.Job { return job }).RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// carriers runs a test on each way of carrying plain HTTP/1.1.
func carriers(t *testing.T, test func(t *testing.T, mode tap.Mode)) {
	t.Run("loop", func(t *testing.T) {
		tp, err := tap.New(tap.Options{Mode: tap.Loop})
		if err != nil {
			t.Skipf("no event loops on this system: %v", err)
		}
		tp.Close()
		test(t, tap.Loop)
	})
	t.Run("conn", func(t *testing.T) { test(t, tap.Conn) })
}
