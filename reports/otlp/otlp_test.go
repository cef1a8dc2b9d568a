package otlp

import (
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
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

// What is not taken is counted.
func TestRefusals(t *testing.T) {
	partial, err := proto.Marshal(&collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{
		RejectedSpans: 1, ErrorMessage: "too large"}})
	if err != nil {
		t.Fatal(err)
	}
	for want, answer := range map[string]func(http.ResponseWriter){
		"2 of 2 spans were not taken: status 503": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"1 of 2 spans were not taken: too large":  func(w http.ResponseWriter) { _, _ = w.Write(partial) },
	} {
		_, err := send(t, newReceiver(t, answer), sample())
		var lost *Error
		if !errors.As(err, &lost) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
