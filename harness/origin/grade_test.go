package origin_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// The policy of these tests: a silence of a second is a stall, and longer than
// any delay of a busy machine; a sabotage that delays does so for three.
var (
	policy = record.Policy{GapLimit: time.Second}
	limits = tap.Limits{Gap: policy.GapLimit, Total: time.Minute}
)

const query = "events=10&gap=50ms&delay=3s&heartbeat=200ms"

// What the table promises is what the tap sees and the verdict says, for every
// sabotage that shows itself without an edge and without a client that hangs up.
func TestTableIsWhatTheVerdictSays(t *testing.T) {
	r := newRig(t)
	r.company(t)
	for _, s := range scenarios.Sabotages() {
		if s.Scenario != "control" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			rec := r.stream(t, query+"&sabotage="+s.Name)
			g := verdict.GradeStream(&rec, policy)
			if g.Outcome != s.Outcome || g.Content != s.Content || g.Ending != s.Ending {
				t.Errorf("graded %s, %q, %q; the table says %s, %q, %q (%s; wire %+v)", g.Outcome, g.Content, g.Ending, s.Outcome,
					s.Content, s.Ending, g.Fact, rec.Wire)
			}
			if s.Flag != "" && !g.Has(s.Flag) {
				t.Errorf("flags %q, want %q among them", g.Flags, s.Flag)
			}
			if s.Flag == "" && slices.ContainsFunc(g.Flags, func(f verdict.Flag) bool { return f != verdict.Ragged }) {
				t.Errorf("flags %q, want none", g.Flags)
			}
		})
	}
}

func TestHonestStreamIsComplete(t *testing.T) {
	r := newRig(t)
	for _, format := range []string{"sse", "ndjson", "openai-chat", "ollama", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			rec := r.streamAs(t, format, query)
			if g := verdict.GradeStream(&rec, policy); g.Outcome != verdict.Complete || len(g.Flags) > 0 {
				t.Errorf("graded %+v, wire %+v", g, rec.Wire)
			}
		})
	}
}

// A rig is an origin and a tap.
type rig struct {
	url string
	tap *tap.Tap

	mu   sync.Mutex // guards done
	done map[string]record.Stream
}

func newRig(t *testing.T) *rig {
	t.Helper()
	s, err := origin.New(origin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	r := &rig{url: "http://" + ln.Addr().String(), done: map[string]record.Stream{}}
	r.tap, err = tap.New(tap.Options{Start: time.Now(), Begin: func(*record.Stream) {}, Done: r.keep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the parallel subtests
		r.tap.Close()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-served
	})
	return r
}

// company sends some streams that go on until the test ends. A burst that comes
// in one read arrived somewhere between that read and the tap's last look at any
// of its sockets: it looks often only where much goes on.
func (r *rig) company(t *testing.T) {
	t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	var streams sync.WaitGroup
	for range 8 {
		streams.Go(func() { r.carry(ctx, tap.Job{URL: r.url + "/stream?events=1000000&gap=10ms"}) })
	}
	t.Cleanup(func() { leave(); streams.Wait() })
}

// carry carries one stream to its end. Its errors are in the record.
func (r *rig) carry(ctx context.Context, job tap.Job) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, job.URL, nil)
	if err != nil {
		return
	}
	resp, err := r.tap.RoundTripper(func(uint64) tap.Job { return job }).RoundTrip(req)
	if err != nil {
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func (r *rig) keep(s *record.Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done[s.Nonce] = *s
}

// dialects are the readers of the formats.
var dialects = map[string]string{"sse": "origin", "ndjson": "origin-ndjson", "openai-chat": "openai-chat",
	"ollama": "ollama", "text": "text"}

func (r *rig) stream(t *testing.T, query string) record.Stream { return r.streamAs(t, "sse", query) }

func (r *rig) streamAs(t *testing.T, format, query string) record.Stream {
	t.Helper()
	d, ok := stream.Lookup(dialects[format])
	if !ok {
		t.Fatalf("no dialect for format %s", format)
	}
	nonce := "grade-" + t.Name()
	job := tap.Job{URL: r.url + "/stream?format=" + format + "&" + query, Header: http.Header{origin.NonceHeader: {nonce}},
		Dialect: &d, Ask: stream.Ask{Nonce: nonce, Sentinel: "[END]\n"}, Limits: limits}
	r.carry(t.Context(), job)
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, ok := r.done[nonce]
	if !ok {
		t.Fatal("stream left no record")
	}
	return rec
}
