// Package otlp sends the streams of a run as spans to a collector, by OTLP over HTTP.
//
//  1. [New] sets up the OpenTelemetry SDK with the time and the IDs of the run: a span has
//     those that package traceparent put into the request of its stream, so that what the
//     app tells of the request hangs below it.
//  2. [Exporter.Add] makes a span of each stream, with its fault's phases as events.
//  3. [Exporter.Close] waits until all are sent, and says how many were not taken.
//
// Spans are made when the run is over: nothing is sent while streams are in flight.
package otlp

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/traceparent"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// An Exporter sends spans.
type Exporter struct {
	run      *record.Run
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	to       *sender
}

// New begins to export a run to the collector at url, which ends in /v1/traces. Header
// fields go with each request.
func New(url string, header http.Header, run *record.Run) *Exporter {
	to := &sender{url: url, header: header, client: &http.Client{Timeout: sendTime, CheckRedirect: stay}}
	about := resource.NewSchemaless(attribute.String("service.name", "streamproof"),
		attribute.String("service.version", run.Plan.Tool))
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(to, sdk.WithBlocking(), sdk.WithExportTimeout(exportTime)), sdk.WithSampler(sdk.AlwaysSample()),
		sdk.WithIDGenerator(known{}), sdk.WithResource(about))
	return &Exporter{run: run, provider: p, tracer: p.Tracer("github.com/streamproof/streamproof"), to: to}
}

// exportTime bounds one batch with its retries, each of which is bounded by itself.
const exportTime = 5 * time.Minute

// stay keeps spans from going where nobody sent them.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// known gives spans the IDs that their context holds.
type known struct{}

type idsKey struct{}

// ids are a trace and a span.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

func (known) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	x := ctx.Value(idsKey{}).(ids) // put there by Add, which starts all spans
	return x.trace, x.span
}

func (known) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	return ctx.Value(idsKey{}).(ids).span
}

// Add makes spans of some streams. A stream that another part of the record judges is left
// out.
func (x *Exporter) Add(scopes []verdict.Scope) {
	for i := range scopes {
		for g := range scopes[i].Own {
			x.stream(&scopes[i], g)
		}
	}
}

func (x *Exporter) at(t time.Duration) trace.SpanEventOption {
	return trace.WithTimestamp(x.run.Plan.Started.Add(t))
}

func (x *Exporter) stream(scope *verdict.Scope, g *verdict.Graded) {
	begin, end := spanOf(x.run, g.Stream)
	var id ids
	id.trace, id.span = traceparent.IDs(x.run.Plan.Started, g.Nonce, g.Seq)
	ctx := context.WithValue(context.Background(), idsKey{}, id)
	_, span := x.tracer.Start(ctx, x.run.Plan.Request.Method+" stream", x.at(begin),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(x.attributes(g)...))
	for _, m := range []struct {
		name string
		at   time.Duration
	}{{"connected", g.Connect}, {"response head", g.Headers}, {"first event", g.First}, {"terminal event", g.TerminalAt}} {
		if m.at != record.Never {
			span.AddEvent(m.name, x.at(m.at))
		}
	}
	if g.Struck {
		x.faults(span, scope.Windows, begin, end)
	}
	switch g.Grade.Outcome {
	case verdict.Complete, verdict.Cancelled, verdict.Unread:
	default:
		span.SetStatus(codes.Error, reports.Line(reports.Reason(g.Grade)))
	}
	span.End(x.at(end))
}

// spanOf is when a stream began and ended, as far as the record goes.
func spanOf(run *record.Run, s *record.Stream) (begin, end time.Duration) {
	if begin = s.Send; begin == record.Never || s.Connect != record.Never && s.Connect < begin {
		begin = s.Sched
	}
	if end = s.End; end == record.Never {
		end = max(s.Last, run.Finished)
	}
	return max(begin, 0), max(end, begin, 0)
}

// faults adds the phases of a scenario's faults that lie within the life of a stream, and
// those that stood when it began.
func (x *Exporter) faults(span trace.Span, windows []record.Window, begin, end time.Duration) {
	healed := func(w *record.Window) bool {
		for i := range windows {
			o := &windows[i]
			if o.Fault.Name == w.Fault.Name && o.Phase == record.Healed && o.At >= w.At && o.At < begin {
				return true
			}
		}
		return false
	}
	for i := range windows {
		w := &windows[i]
		stood := w.At < begin && w.Phase == record.Active && !healed(w)
		if w.At > end || w.At < begin && !stood {
			continue
		}
		span.AddEvent("fault "+string(w.Phase), x.at(max(w.At, begin)), trace.WithAttributes(
			attribute.String("streamproof.fault", reports.Line(w.Fault.Name)),
			attribute.String("streamproof.fault.kind", string(w.Fault.Kind)),
			attribute.String("streamproof.fault.effect", string(w.Fault.Effect)),
			attribute.Float64("streamproof.fault.at_seconds", w.At.Seconds())))
	}
}

// attributes follow OpenTelemetry's conventions for HTTP and GenAI where these have a name;
// ours begin with streamproof.
func (x *Exporter) attributes(g *verdict.Graded) []attribute.KeyValue {
	all := []attribute.KeyValue{
		attribute.String("http.request.method", x.run.Plan.Request.Method),
		attribute.String("url.full", reports.Line(x.run.Plan.Request.URL)), // without credentials, as the plan has it
		attribute.Int64("streamproof.stream", int64(g.Seq)),
		attribute.Int64("streamproof.seed", int64(x.run.Plan.Seed)),
		attribute.String("streamproof.request_id", g.Nonce),
		attribute.String("streamproof.scenario", g.Scenario),
		attribute.String("streamproof.group", string(g.Group)),
		attribute.String("streamproof.hop", g.Hop),
		attribute.String("streamproof.outcome", string(g.Grade.Outcome)),
		attribute.String("streamproof.ending", string(g.Grade.Ending)),
		attribute.Int("streamproof.events", g.Contents),
		attribute.Float64("streamproof.max_gap_seconds", max(g.MaxGap, 0).Seconds()),
	}
	var flags []string
	for _, f := range g.Grade.Flags {
		flags = append(flags, string(f))
	}
	if len(flags) > 0 {
		all = append(all, attribute.StringSlice("streamproof.flags", flags))
	}
	if g.Status != 0 {
		all = append(all, attribute.Int("http.response.status_code", g.Status))
	}
	if d, ok := verdict.TTFE(g.Stream); ok {
		all = append(all, attribute.Float64("streamproof.first_event_seconds", d.Seconds()))
	}
	if n := g.Content.Usage.Output; n > 0 {
		all = append(all, attribute.Int64("gen_ai.usage.output_tokens", n))
	}
	if o := g.Grade.Outcome; o != verdict.Complete {
		all = append(all, attribute.String("error.type", string(o)))
	}
	return all
}

// Close sends what is left. It returns how many spans were taken, and an [*Error] where
// some were not, or where the collector warns.
func (x *Exporter) Close(ctx context.Context) (sent int, err error) {
	if err := x.provider.Shutdown(ctx); err != nil {
		x.to.fail(0, err)
	}
	if x.to.err != nil {
		return x.to.sent, &Error{Sent: x.to.sent, Lost: x.to.lost, Cause: x.to.err}
	}
	return x.to.sent, nil
}
