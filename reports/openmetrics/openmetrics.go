// Package openmetrics tells what a run came to, and how it goes while it lasts, as
// metrics in the OpenMetrics text format, for Prometheus and what reads the same.
//
//  1. A [Run] counts and times the streams of a judged run, part by part ([Run.Add]), and
//     takes what was judged of it ([Run.Judged]).
//  2. A [Live] shows the progress of a run that lasts.
//  3. [Write] writes either; [Handler] serves it.
//
// Names are by the rules of OpenMetrics 1.0: the unit at the end, base units, _total behind
// counters, "# EOF" at the end. reports/README.md lists them.
package openmetrics

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// A Metric is one of the names that are written.
type Metric struct{ Name, Type, Labels, Doc string }

// Metrics are all that there are, in the order of the reference.
var Metrics = []Metric{
	{"streamproof_run_info", "gauge", "app, dialect, seed, stack, tool", "1; its labels say what was run."},
	{"streamproof_run_start_timestamp_seconds", "gauge", "", "When the run started, since the epoch."},
	{"streamproof_run_duration_seconds", "gauge", "", "How long it took; absent where the record has no end."},
	{"streamproof_run_verdict", "gauge", "verdict", "1 for the verdict of the run, 0 for the others."},
	{"streamproof_scenario_verdict", "gauge", "scenario, verdict", "1 for the verdict of the scenario, 0 for the others."},
	{"streamproof_scenario_recovery_seconds", "gauge", "scenario",
		"From the fault to the first new stream that was complete again."},
	{"streamproof_streams_total", "counter", "scenario, group, outcome", "Streams by outcome."},
	{"streamproof_stream_flags_total", "counter", "scenario, flag", "Streams that have a flag."},
	{"streamproof_first_event_seconds", "histogram", "scenario, group",
		"Time to the first content event (TTFT) of complete streams."},
	{"streamproof_longest_gap_seconds", "histogram", "scenario, group", "Longest silence of each complete stream."},
	{"streamproof_stream_duration_seconds", "histogram", "scenario, group", "Duration of complete streams."},
	{"streamproof_body_bytes_total", "counter", "scenario, group", "Bytes of bodies, framing removed."},
	{"streamproof_output_tokens_total", "counter", "scenario, group", "Output tokens, as the server counts them."},
	{"streamproof_cause_streams", "gauge", "scenario, cause, layer, confidence", "Streams that a cause explains."},
	{"streamproof_generator_late_starts_total", "counter", "scenario", "Streams that started later than asked for."},
	{"streamproof_generator_lag_seconds", "gauge", "scenario",
		"99th percentile of the time between the arrival of bytes and our reading."},
	{"streamproof_live_info", "gauge", "scenario, phase", "1; while the run lasts: the current scenario and its phase."},
	{"streamproof_live_streams", "gauge", "scenario", "While the run lasts: streams that are open."},
	{"streamproof_live_started_total", "counter", "scenario", "While the run lasts: streams started."},
	{"streamproof_live_ended_total", "counter", "scenario, whole",
		"While the run lasts: streams ended; whole says whether with a complete response."},
	{"streamproof_live_elapsed_seconds", "gauge", "", "While the run lasts: time since its start."},
}

// described finds a metric, without which nothing is written that the reference lacks.
func described(name string) Metric {
	for _, m := range Metrics {
		if m.Name == name {
			return m
		}
	}
	panic("no metric " + name)
}

func labelsOf(m Metric) []string {
	if m.Labels == "" {
		return nil
	}
	return strings.Split(m.Labels, ", ")
}

// Bounds of the histograms, in seconds: from what one machine answers itself to what a
// user waits for.
var bounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}

// set is a registry whose metrics are made when they get their first value.
type set struct {
	registry   *prometheus.Registry
	gauges     map[string]*prometheus.GaugeVec
	counters   map[string]*prometheus.CounterVec
	histograms map[string]*prometheus.HistogramVec
}

func newSet() set {
	return set{prometheus.NewRegistry(), map[string]*prometheus.GaugeVec{}, map[string]*prometheus.CounterVec{},
		map[string]*prometheus.HistogramVec{}}
}

// made is the vector of a name, which make makes and the registry gets once.
func made[V prometheus.Collector](s set, all map[string]V, name string, make func(Metric) V) V {
	v, ok := all[name]
	if !ok {
		v = make(described(name))
		s.registry.MustRegister(v)
		all[name] = v
	}
	return v
}

// values are label values: texts that may have come from elsewhere.
func values(of []string) []string {
	clean := make([]string, len(of))
	for i, v := range of {
		clean[i] = strings.ToValidUTF8(reports.Line(v), "\uFFFD")
	}
	return clean
}

func (s set) gauge(name string, v float64, labels ...string) {
	made(s, s.gauges, name, func(m Metric) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: m.Doc}, labelsOf(m))
	}).WithLabelValues(values(labels)...).Set(v)
}

func (s set) count(name string, n float64, labels ...string) {
	made(s, s.counters, name, func(m Metric) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: m.Doc}, labelsOf(m))
	}).WithLabelValues(values(labels)...).Add(n)
}

func (s set) observe(name string, d time.Duration, labels ...string) {
	made(s, s.histograms, name, func(m Metric) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: m.Doc, Buckets: bounds}, labelsOf(m))
	}).WithLabelValues(values(labels)...).Observe(d.Seconds())
}

// Gather implements [prometheus.Gatherer].
func (s set) Gather() (families, error) { return s.registry.Gather() }

// A Run holds the metrics of a judged run.
type Run struct{ set }

// NewRun begins with nothing.
func NewRun() *Run { return &Run{newSet()} }

// Add takes graded streams, and keeps none of them.
func (r *Run) Add(scopes []verdict.Scope) {
	for i := range scopes {
		for g := range scopes[i].Own {
			r.stream(g)
		}
	}
}

func (r *Run) stream(g *verdict.Graded) {
	scenario, group := g.Scenario, string(g.Group)
	r.count("streamproof_streams_total", 1, scenario, group, string(g.Grade.Outcome))
	r.count("streamproof_body_bytes_total", float64(max(g.Bytes, 0)), scenario, group)
	for _, f := range g.Grade.Flags {
		r.count("streamproof_stream_flags_total", 1, scenario, string(f))
	}
	if n := g.Content.Usage.Output; n > 0 {
		r.count("streamproof_output_tokens_total", float64(n), scenario, group)
	}
	if g.Grade.Outcome != verdict.Complete {
		return
	}
	if d, ok := verdict.TTFE(g.Stream); ok {
		r.observe("streamproof_first_event_seconds", d, scenario, group)
	}
	if d, ok := verdict.DurationOf(g.Stream); ok {
		r.observe("streamproof_stream_duration_seconds", d, scenario, group)
	}
	r.observe("streamproof_longest_gap_seconds", max(g.MaxGap, 0), scenario, group)
}

// Judged takes the plan and the report of the run.
func (r *Run) Judged(run *record.Run, report *verdict.Report) {
	p := &run.Plan
	r.gauge("streamproof_run_info", 1, p.App.String(), p.Dialect, strconv.FormatUint(p.Seed, 10), p.Stack, p.Tool)
	r.gauge("streamproof_run_start_timestamp_seconds", float64(p.Started.UnixNano())/1e9)
	if run.Finished != record.Never {
		r.gauge("streamproof_run_duration_seconds", run.Finished.Seconds())
	}
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.Inconclusive, verdict.Flaky, verdict.Fail} {
		r.gauge("streamproof_run_verdict", truth(report.Verdict == v), string(v))
	}
	for i := range report.Scenarios {
		r.scenario(&report.Scenarios[i])
	}
}

func (r *Run) scenario(s *verdict.ScenarioReport) {
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.Inconclusive, verdict.Flaky, verdict.Fail,
		verdict.NotApplicable} {
		r.gauge("streamproof_scenario_verdict", truth(s.Verdict == v), s.ID, string(v))
	}
	if s.Recovery != nil {
		r.gauge("streamproof_scenario_recovery_seconds", *s.Recovery, s.ID)
	}
	for _, c := range s.Causes {
		r.gauge("streamproof_cause_streams", float64(c.Count), s.ID, c.Cause, c.Layer, c.Confidence)
	}
	r.count("streamproof_generator_late_starts_total", float64(s.Generator.LateStarts), s.ID)
	r.gauge("streamproof_generator_lag_seconds", s.Generator.LagP99, s.ID)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Write writes metrics in the text format of OpenMetrics 1.0, with the line that ends it.
func Write(w io.Writer, from prometheus.Gatherer) error {
	return write(w, from, expfmt.NewFormat(expfmt.TypeOpenMetrics))
}

func write(w io.Writer, from prometheus.Gatherer, format expfmt.Format) error {
	all, err := from.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	enc := expfmt.NewEncoder(w, format, expfmt.WithUnit())
	for _, family := range all {
		for _, unit := range []string{"seconds", "bytes"} {
			if strings.HasSuffix(strings.TrimSuffix(family.GetName(), "_total"), "_"+unit) {
				family.Unit = &unit
			}
		}
		if err = errors.Join(err, enc.Encode(family)); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	if end, ok := enc.(expfmt.Closer); ok {
		err = end.Close()
	}
	return err
}

// Handler serves metrics: as OpenMetrics, or as what else the client asks for.
func Handler(from prometheus.Gatherer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format := expfmt.NewFormat(expfmt.TypeOpenMetrics)
		if r.Header.Get("Accept") != "" && r.Header.Get("Accept") != "*/*" {
			format = expfmt.NegotiateIncludingOpenMetrics(r.Header)
		}
		w.Header().Set("Content-Type", string(format))
		if err := write(w, from, format); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}
