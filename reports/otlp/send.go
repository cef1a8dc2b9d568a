package otlp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resources "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	traces "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// sendTime is how long a collector may take for one batch.
	sendTime = 10 * time.Second
	// patience is how long all retries of an export may wait, together.
	patience = 30 * time.Second
	// firstWait is that before the first retry of a batch; each further one waits twice as
	// long.
	firstWait = 500 * time.Millisecond
)

// An Error says that a collector did not take all spans, or took all and has a warning.
type Error struct {
	Sent, Lost int // spans; 0 are lost where it warns only
	Cause      error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%d of %d spans were not taken: %v", e.Lost, e.Sent+e.Lost, e.Cause)
}

func (e *Error) Unwrap() error { return e.Cause }

// A sender is the exporter of the SDK: OTLP/HTTP with protobuf (opentelemetry.io,
// "OTLP Specification", OTLP/HTTP). The SDK's own would link gRPC, which it does not use.
// The SDK calls it from one goroutine at a time, and the results are read after its end.
type sender struct {
	url    string
	header http.Header
	client *http.Client

	sent, lost int // spans
	err        error
	waited     time.Duration // of patience
	gone       bool          // the collector does not answer, or has no time for us
}

// A statusError is an answer that says that the collector took nothing.
type statusError struct {
	status int
	after  time.Duration // in which it wants to be asked again; 0 where it does not say
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d", e.status) }

// again reports whether the same request may be sent again (OTLP/HTTP, "Retryable
// Response Codes").
func (e *statusError) again() bool {
	switch e.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// ExportSpans sends a batch. Where it is refused, or some of its spans are, that says
// nothing of the next one. None is sent any more once the collector does not answer, or
// has no time for so long. The error is kept for Close, since the SDK would print it.
func (s *sender) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if s.gone {
		s.lost += len(spans)
		return nil
	}
	rejected, err := s.insist(ctx, batch(spans))
	if err != nil {
		var refused *statusError
		s.gone = !errors.As(err, &refused) || refused.again()
		s.fail(len(spans), err)
		return nil
	}
	rejected = min(rejected, len(spans))
	s.sent, s.lost = s.sent+len(spans)-rejected, s.lost+rejected
	return nil
}

// insist sends one request, and again for as long as the collector asks for that and our
// patience lasts.
func (s *sender) insist(ctx context.Context, r *collector.ExportTraceServiceRequest) (rejected int, err error) {
	for wait := firstWait; ; wait *= 2 {
		rejected, err = s.post(ctx, r)
		var refused *statusError
		if !errors.As(err, &refused) || !refused.again() {
			return rejected, err
		}
		// Clients that were refused together do not come back together.
		pause := cmp.Or(refused.after, wait/2+rand.N(wait/2))
		if s.waited += pause; s.waited > patience {
			return 0, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return 0, err
		}
	}
}

// after reads a Retry-After field (RFC 9110, section 10.2.3): seconds, or a date.
func after(field string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(field, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(field); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Shutdown has nothing to end.
func (*sender) Shutdown(context.Context) error { return nil }

func (s *sender) fail(lost int, err error) {
	s.lost += lost
	if s.err == nil {
		s.err = err
	}
}

// post sends one request. The collector may take it and reject some of its spans.
func (s *sender) post(ctx context.Context, r *collector.ExportTraceServiceRequest) (rejected int, err error) {
	body, err := proto.Marshal(r)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, values := range s.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "streamproof")
	res, err := s.client.Do(req)
	if err != nil {
		var wrapped *url.Error // it holds the URL
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return 0, &statusError{res.StatusCode, after(res.Header.Get("Retry-After"), time.Now())}
	}
	var said collector.ExportTraceServiceResponse
	if err != nil || proto.Unmarshal(answer, &said) != nil {
		return 0, nil // taken: an answer that is no protobuf says nothing else
	}
	// "Partial Success": some spans may be rejected; a message without any is a warning.
	p := said.GetPartialSuccess()
	if rejected = int(max(p.GetRejectedSpans(), 0)); rejected > 0 || p.GetErrorMessage() != "" {
		s.fail(0, errors.New(cmp.Or(p.GetErrorMessage(), "the collector gives no reason")))
	}
	return rejected, nil
}

// batch makes the request of some spans, which are all of one resource and one scope.
func batch(spans []sdk.ReadOnlySpan) *collector.ExportTraceServiceRequest {
	scope := &traces.ScopeSpans{Scope: &common.InstrumentationScope{Name: spans[0].InstrumentationScope().Name}}
	for _, s := range spans {
		scope.Spans = append(scope.Spans, span(s))
	}
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{{
		Resource:   &resources.Resource{Attributes: attributes(spans[0].Resource().Attributes())},
		ScopeSpans: []*traces.ScopeSpans{scope},
	}}}
}

func span(s sdk.ReadOnlySpan) *traces.Span {
	trace, id := s.SpanContext().TraceID(), s.SpanContext().SpanID()
	out := &traces.Span{TraceId: trace[:], SpanId: id[:], Name: s.Name(), Kind: traces.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: uint64(s.StartTime().UnixNano()), EndTimeUnixNano: uint64(s.EndTime().UnixNano()),
		Attributes: attributes(s.Attributes()), Flags: uint32(s.SpanContext().TraceFlags()), Status: &traces.Status{}}
	for _, e := range s.Events() {
		out.Events = append(out.Events, &traces.Span_Event{Name: e.Name, TimeUnixNano: uint64(e.Time.UnixNano()),
			Attributes: attributes(e.Attributes)})
	}
	if s.Status().Code == codes.Error {
		out.Status = &traces.Status{Code: traces.Status_STATUS_CODE_ERROR, Message: s.Status().Description}
	}
	return out
}

func attributes(all []attribute.KeyValue) (out []*common.KeyValue) {
	for _, a := range all {
		out = append(out, &common.KeyValue{Key: string(a.Key), Value: value(a.Value)})
	}
	return out
}

// value converts the types that this package gives to attributes.
func value(v attribute.Value) *common.AnyValue {
	switch v.Type() {
	case attribute.INT64:
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v.AsInt64()}}
	case attribute.FLOAT64:
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v.AsFloat64()}}
	case attribute.STRINGSLICE:
		list := &common.ArrayValue{}
		for _, s := range v.AsStringSlice() {
			list.Values = append(list.Values, text(s))
		}
		return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}}
	}
	return text(v.AsString())
}

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}
