package harnesstest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Limits that strike soon, for servers that never would end.
var (
	policy = record.Policy{GapLimit: 500 * time.Millisecond}
	limits = tap.Limits{Headers: policy.GapLimit, First: policy.GapLimit, Gap: policy.GapLimit,
		Linger: 2 * policy.GapLimit,
		Head:   64 << 10, Frame: 256 << 10, Body: 2 << 20, Inflated: 4 << 20}
)

var modes = map[string]tap.Mode{"conn": tap.Conn, "auto": tap.Auto}

func TestEndings(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) { checkAll(t, mode, limits, harnesstest.Endings()) })
	}
}

// A hostile peer is never silent, so no limit on time may be what ends it.
func TestHostile(t *testing.T) {
	patient := limits
	patient.Headers, patient.First, patient.Gap = time.Minute, time.Minute, time.Minute
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) { checkAll(t, mode, patient, harnesstest.Hostile()) })
	}
}

func checkAll(t *testing.T, mode tap.Mode, l tap.Limits, cases []harnesstest.Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			check(t, c, get(t, mode, l, harnesstest.Serve(t, c.Script).Addr))
		})
	}
}

func check(t *testing.T, c harnesstest.Case, got record.Stream) {
	t.Helper()
	w := got.Wire
	if c.Wire.Where == "" {
		w.Where = "" // depends on how much the client reads at once
	}
	if w.Framing != c.Wire.Framing || w.Close != c.Wire.Close || w.Where != c.Wire.Where || w.Spliced != c.Wire.Spliced ||
		got.Limit != c.Limit {
		t.Errorf("wire %+v, limit %q; want %+v, %q", got.Wire, got.Limit, c.Wire, c.Limit)
	}
	if !strings.Contains(w.Garbage, c.Wire.Garbage) || (w.Garbage == "") != (c.Wire.Garbage == "") {
		t.Errorf("garbage %q, want %q in it", w.Garbage, c.Wire.Garbage)
	}
	if c.Content != "" && got.Content.State != c.Content {
		t.Errorf("content %q (%s), want %q", got.Content.State, got.Content.Why, c.Content)
	}
	if g := verdict.GradeStream(&got, policy); g.Outcome != c.Outcome {
		t.Errorf("outcome %s, want %s: %s", g.Outcome, c.Outcome, g.Fact)
	}
}

func TestNobodyListens(t *testing.T) {
	got := get(t, tap.Auto, limits, harnesstest.NoServer(t))
	if got.Wire.Where != record.BeforeConnect || got.Wire.Close != record.CloseError {
		t.Errorf("wire %+v", got.Wire)
	}
}

// get carries one stream to its end.
func get(t *testing.T, mode tap.Mode, l tap.Limits, addr string) record.Stream {
	t.Helper()
	d, ok := stream.Lookup("sse-generic")
	if !ok {
		t.Fatal("no dialect sse-generic")
	}
	terminal, err := stream.ParseTerminal(harnesstest.Terminal)
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Mutex // Done comes from another goroutine
	var rec record.Stream
	tp, err := tap.New(tap.Options{Mode: mode, Done: func(s *record.Stream) { once.Lock(); rec = *s; once.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	job := tap.Job{URL: "http://" + addr + "/", Dialect: &d, Ask: stream.Ask{Terminal: terminal}, Limits: l}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, job.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := tp.RoundTripper(func(uint64) tap.Job { return job }).RoundTrip(req); err == nil {
		io.Copy(io.Discard, resp.Body) // its error is in the record
		resp.Body.Close()
	}
	if err := tp.Close(); err != nil {
		t.Error(err)
	}
	once.Lock()
	defer once.Unlock()
	if rec.Seq == 0 {
		t.Fatal("stream left no record")
	}
	return rec
}
