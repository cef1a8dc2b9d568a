package otlp

import (
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/traceparent"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A receiver is a collector that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex // guards spans
	spans []*traces.Span
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter)) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var got collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &got)
		}
		if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" ||
			req.Header.Get("X-Key") != "k" {
			t.Errorf("%v, %s, %v", req.URL, req.Header, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, rs := range got.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				r.spans = append(r.spans, ss.Spans...)
			}
		}
		answer(w)
	}))
	t.Cleanup(r.Close)
	return r
}

const ms = time.Millisecond

// sample is a run of a whole stream and one that was cut while a fault stood.
func sample() *record.Run {
	b := synth.New(record.Scenario{ID: "control"})
	b.Add(1, synth.Shape{Group: record.Control})
	struck := b.Add(1, synth.Shape{Group: record.Victim, Keep: 5, End: func(s *record.Stream, last time.Duration) {
		s.End, s.Wire.Where, s.Wire.Close = last, record.InChunk, record.CloseRST
	}})
	b.Fault(synth.Cut("rst"), 100*ms, 150*ms, struck...)
	b.Run.Finished = 3 * time.Second
	return &b.Run
}

func send(t *testing.T, r *receiver, run *record.Run) (int, error) {
	t.Helper()
	x := New(r.URL+"/v1/traces", http.Header{"X-Key": {"k"}}, run)
	x.Add(verdict.Scopes(run))
	return x.Close(t.Context())
}

// A span has the IDs that its request carried, the times of its stream, and the phases of
// the fault in its way; that of a stream that was cut is an error.
func TestSpans(t *testing.T) {
	r, run := newReceiver(t, func(http.ResponseWriter) {}), sample()
	sent, err := send(t, r, run)
	if err != nil || sent != 2 || len(r.spans) != 2 {
		t.Fatalf("%d sent, %d taken, %v", sent, len(r.spans), err)
	}
	for i, s := range r.spans {
		stream := &run.Streams[i]
		id := "00-" + hex.EncodeToString(s.TraceId) + "-" + hex.EncodeToString(s.SpanId) + "-01"
		if want := traceparent.Of(run.Plan.Started, stream.Nonce, stream.Seq); id != want {
			t.Errorf("stream %d has %s, want %s", stream.Seq, id, want)
		}
		if want := run.Plan.Started.Add(stream.End).UnixNano(); int64(s.EndTimeUnixNano) != want {
			t.Errorf("stream %d ends at %d, want %d", stream.Seq, s.EndTimeUnixNano, want)
		}
		if s.StartTimeUnixNano > s.Events[0].TimeUnixNano || s.Kind != traces.Span_SPAN_KIND_CLIENT {
			t.Errorf("stream %d: %v", stream.Seq, s)
		}
	}
	names := map[string]int{}
	for _, e := range r.spans[1].Events {
		names[e.Name]++
	}
	if names["fault active"] != 1 || names["fault healed"] != 1 || names["first event"] != 1 || names["terminal event"] != 0 {
		t.Errorf("events of the victim: %v", names)
	}
	for _, e := range r.spans[0].Events {
		if len(e.Name) > 5 && e.Name[:5] == "fault" {
			t.Errorf("the control has %s", e.Name)
		}
	}
	if r.spans[0].Status.Code != traces.Status_STATUS_CODE_UNSET || r.spans[1].Status.Code != traces.Status_STATUS_CODE_ERROR {
		t.Errorf("status %v, %v", r.spans[0].Status, r.spans[1].Status)
	}
	outcome := ""
	for _, a := range r.spans[1].Attributes {
		if a.Key == "streamproof.outcome" {
			outcome = a.Value.GetStringValue()
		}
	}
	if outcome != "aborted" {
		t.Errorf("outcome %q", outcome)
	}
}

// All spans of many streams are sent, in batches.
func TestManySpans(t *testing.T) {
	b := synth.New(record.Scenario{ID: "control"})
	b.Add(3000, synth.Shape{Events: 2})
	r := newReceiver(t, func(http.ResponseWriter) {})
	if sent, err := send(t, r, &b.Run); err != nil || sent != 3000 || len(r.spans) != 3000 {
		t.Errorf("%d sent, %d taken, %v", sent, len(r.spans), err)
	}
}

// partial is the answer of a collector that rejects some spans.
func partial(t *testing.T, rejected int64, why string) []byte {
	t.Helper()
	b, err := proto.Marshal(&collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{
		RejectedSpans: rejected, ErrorMessage: why}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is not taken is counted, and a warning is told.
func TestRefusals(t *testing.T) {
	for want, answer := range map[string]func(http.ResponseWriter){
		"2 of 2 spans were not taken: status 400":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadRequest) },
		"1 of 2 spans were not taken: too large":   func(w http.ResponseWriter) { _, _ = w.Write(partial(t, 1, "too large")) },
		"2 of 2 spans were not taken: too many":    func(w http.ResponseWriter) { _, _ = w.Write(partial(t, 99, "too many")) },
		"0 of 2 spans were not taken: use gzip":    func(w http.ResponseWriter) { _, _ = w.Write(partial(t, 0, "use gzip")) },
		"0 of 2 spans were not taken: mind a sign": func(w http.ResponseWriter) { _, _ = w.Write(partial(t, -3, "mind a sign")) },
	} {
		_, err := send(t, newReceiver(t, answer), sample())
		var lost *Error
		if !errors.As(err, &lost) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A span that is rejected, and a batch that is refused, do not stop the others.
func TestOneOfManyIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		lost   int
	}{
		"a span":  {func(w http.ResponseWriter) { _, _ = w.Write(partial(t, 1, "no")) }, 1},
		"a batch": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) }, 512},
	} {
		b := synth.New(record.Scenario{ID: "control"})
		b.Add(3000, synth.Shape{Events: 2})
		batches := 0
		r := newReceiver(t, func(w http.ResponseWriter) {
			if batches++; batches == 1 {
				c.answer(w)
			}
		})
		sent, err := send(t, r, &b.Run)
		var lost *Error
		if !errors.As(err, &lost) || lost.Lost != c.lost || sent != 3000-c.lost || len(r.spans) != 3000 {
			t.Errorf("%s: %d sent, %d came, %v", name, sent, len(r.spans), err)
		}
	}
}

// A roundTrip is a network of its own.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What a collector has no time for is sent again: after as long as it says, or after a
// while that grows, and not for ever. What it refuses is not.
func TestRetries(t *testing.T) {
	for name, c := range map[string]struct {
		status     []int // of one request after the other; then 200
		after      string
		sent, asks int
		least      time.Duration
		most       time.Duration
	}{
		"429, 502":       {[]int{429, 502}, "", 2, 3, 750 * ms, 1500 * ms},
		"503, 504":       {[]int{503, 504}, "", 2, 3, 750 * ms, 1500 * ms},
		"as it says":     {[]int{503}, "7", 2, 2, 7 * time.Second, 7 * time.Second},
		"a date":         {[]int{429}, "Sat, 01 Jan 2000 00:00:09 GMT", 2, 2, 9 * time.Second, 9 * time.Second},
		"too long":       {[]int{429}, "31", 0, 1, 0, 0},
		"never":          {slices.Repeat([]int{503}, 99), "", 0, 7, 7 * time.Second, patience},
		"not a number":   {[]int{503}, "soon", 2, 2, 250 * ms, 500 * ms},
		"refused":        {[]int{400}, "1", 0, 1, 0, 0},
		"internal error": {[]int{500}, "1", 0, 1, 0, 0},
		"no time":        {[]int{408}, "1", 0, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run, asks, begun := sample(), 0, time.Now()
				x := New("http://collector/v1/traces", nil, run)
				x.to.client = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
					status := http.StatusOK
					if asks < len(c.status) {
						status = c.status[asks]
					}
					asks++
					return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {c.after}}, Body: http.NoBody}, nil
				})}
				x.Add(verdict.Scopes(run))
				sent, err := x.Close(t.Context())
				took := time.Since(begun)
				if sent != c.sent || (err == nil) != (sent == 2) || took < c.least || took > c.most ||
					asks != c.asks && (name != "never" || asks < 6 || asks > 8) {
					t.Errorf("%d sent in %d requests over %v, %v", sent, asks, took, err)
				}
			})
		})
	}
}
