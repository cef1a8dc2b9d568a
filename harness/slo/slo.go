// Package slo reads service level objectives for streams and measures whether a load met
// them.
//
//  1. [Parse] reads objectives as users write them: "first_event p95 < 1s, gap p99 <
//     500ms, complete >= 99.9%". [Metrics] lists what can be asked for.
//  2. A [Measure] takes the streams of a load, one after the other, and keeps histograms
//     and counts, no streams: two of them can be merged.
//  3. [Measure.Judge] answers for each objective: met, missed, or too few streams to tell.
//
// It is pure and knows no run.
package slo

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/suggest"
)

// A Unit is what a metric is measured in.
type Unit string

const (
	Time  Unit = "time"  // seconds
	Share Unit = "share" // 0 to 1
	Rate  Unit = "rate"  // per second
	Count Unit = "count"
)

// A Metric is something that an objective may be about.
type Metric struct {
	Name    string
	Aliases []string // as other tools call it
	Unit    Unit
	// Spread says that it has a value for each stream or gap, so that an objective names
	// a quantile of them.
	Spread bool
	Doc    string // what it is
	Source string // who defines it so
}

// Metrics are all metrics. Spreads are over complete streams.
var Metrics = []Metric{
	{"first_event", []string{"ttft", "ttfe"}, Time, true, "from the request to the first content event (time to first " +
		"token, TTFT)", "NVIDIA GenAI-Perf: Time to First Token; MLPerf Inference: TTFT"},
	{"gap", []string{"itl"}, Time, true, "between two content events: every gap of every stream counts alike " +
		"(inter-token latency per gap, ITL)", "vLLM benchmark_serving: ITL"},
	{"mean_gap", []string{"tpot"}, Time, true, "the mean gap of a stream: (last − first content event) ÷ (content " +
		"events − 1) (time per output token, TPOT)", "MLPerf Inference: TPOT; NVIDIA GenAI-Perf: Inter Token Latency, a " +
		"mean per request"},
	{"max_gap", nil, Time, true, "the longest silence of a stream, before its first and behind its last event included",
		"streamproof"},
	{"duration", []string{"e2e"}, Time, true, "from the request to the end of the stream",
		"NVIDIA GenAI-Perf: Request Latency"},
	{"tokens_per_second", []string{"tps"}, Rate, true, "output tokens ÷ duration of a stream, where the server counts " +
		"tokens", "NVIDIA GenAI-Perf: Output Token Throughput Per User, here with the first token"},
	{"output_tokens", []string{"osl"}, Count, true, "output tokens of a stream, as the server counts them",
		"NVIDIA GenAI-Perf: Output Sequence Length"},
	{"complete", nil, Share, false, "streams that ended with their final event and all content", "streamproof"},
	{"failed_clean", nil, Share, false, "streams whose server said that they failed", "streamproof"},
	{"aborted", nil, Share, false, "streams that were cut, as their clients can tell", "streamproof"},
	{"truncated", nil, Share, false, "streams that ended like a success, without their end", "streamproof"},
	{"stalled", nil, Share, false, "streams that were silent for longer than the limit", "streamproof"},
	{"corrupt", nil, Share, false, "streams with wrong content", "streamproof"},
	{"refused", nil, Share, false, "streams that got no response", "streamproof"},
	{"throughput", nil, Rate, false, "complete streams per second, from the first request to the last end",
		"NVIDIA GenAI-Perf: Request Throughput"},
	{"token_throughput", nil, Rate, false, "output tokens of complete streams per second, all streams together",
		"NVIDIA GenAI-Perf: Output Token Throughput"},
	{"goodput", nil, Rate, false, "complete streams per second that meet every objective on a stream by themselves",
		"DistServe, OSDI 2024: goodput"},
}

// find looks a metric up by its name or an alias.
func find(name string) (*Metric, bool) {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	for i := range Metrics {
		if m := &Metrics[i]; m.Name == name || slices.Contains(m.Aliases, name) {
			return m, true
		}
	}
	return nil, false
}

func names() (all []string) {
	for _, m := range Metrics {
		all = append(append(all, m.Name), m.Aliases...)
	}
	return all
}

// An Op compares a figure with its bound.
type Op string

// holds reports whether x is as o asks.
func (o Op) holds(x, bound float64) bool {
	switch o {
	case "<":
		return x < bound
	case "<=":
		return x <= bound
	case ">":
		return x > bound
	}
	return x >= bound
}

// upper reports whether the bound is one from above.
func (o Op) upper() bool { return o[0] == '<' }

// An Objective is one condition.
type Objective struct {
	Metric   *Metric
	Quantile float64 // of a spread, 0 to 1; 1 is the largest value, 0 the least
	Op       Op
	Bound    float64 // in the metric's unit: seconds, a share, per second
}

// An SLO is several objectives, all of which must be met. The zero SLO asks for nothing.
type SLO []Objective

// A ParseError is a text that is no objective.
type ParseError struct{ Problem, Fix string }

func (e *ParseError) Error() string { return e.Problem + "; " + e.Fix }

func bad(fix, problem string, args ...any) error {
	return &ParseError{fmt.Sprintf(problem, args...), fix}
}

const example = "write it like 'first_event p95 < 1s, complete >= 99.9%'"

// Parse reads objectives with commas, "and" or && between them. The error is a
// *[ParseError].
func Parse(s string) (SLO, error) {
	var all SLO
	for _, part := range strings.FieldsFunc(strings.NewReplacer(" and ", ",", "&&", ",", "\n", ",").Replace(s),
		func(r rune) bool { return r == ',' }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		o, err := parse(part)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		return nil, bad(example, "no objective is given")
	}
	return all, nil
}

func parse(s string) (o Objective, err error) {
	at := strings.IndexAny(s, "<>=")
	if at < 0 {
		return o, bad(example, "%q compares nothing", s)
	}
	left, right := strings.Fields(s[:at]), s[at:]
	for _, op := range []Op{"<=", ">=", "<", ">"} {
		if rest, ok := strings.CutPrefix(right, string(op)); ok {
			o.Op, right = op, strings.TrimSpace(rest)
			break
		}
	}
	if o.Op == "" {
		return o, bad("compare with <, <=, > or >=", "%q is compared by =", s)
	}
	if len(left) == 0 || len(left) > 2 {
		return o, bad(example, "%q is no metric with a quantile", strings.TrimSpace(s[:at]))
	}
	var ok bool
	if o.Metric, ok = find(left[0]); !ok {
		fix := "known are " + strings.Join(names(), ", ")
		if near := suggest.Nearest(left[0], names()); near != "" {
			fix = "did you mean " + strconv.Quote(near) + "?"
		}
		return o, bad(fix, "no metric is called %q", left[0])
	}
	switch {
	case o.Metric.Spread && len(left) == 1:
		return o, bad(fmt.Sprintf("write %s p95 %s %s", left[0], o.Op, right),
			"%s has a value for each stream, and no quantile is named", left[0])
	case !o.Metric.Spread && len(left) == 2:
		return o, bad(fmt.Sprintf("write %s %s %s", left[0], o.Op, right), "%s is one figure, and has no %s", left[0],
			left[1])
	case o.Metric.Spread:
		if o.Quantile, err = quantile(left[1]); err != nil {
			return o, err
		}
	}
	o.Bound, err = o.Metric.value(right)
	return o, err
}

func quantile(s string) (float64, error) {
	switch s = strings.ToLower(s); s {
	case "max":
		return 1, nil
	case "min":
		return 0, nil
	case "median":
		return 0.5, nil
	}
	n, err := strconv.ParseFloat(strings.TrimPrefix(s, "p"), 64)
	if err != nil || !strings.HasPrefix(s, "p") || !(n > 0 && n < 100) {
		return 0, bad("write p50, p95, p99.9, max or min", "%q is no quantile", s)
	}
	return n / 100, nil
}

// value reads a bound in the unit of m.
func (m *Metric) value(s string) (float64, error) {
	switch m.Unit {
	case Time:
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return 0, bad("write a time such as 500ms or 1s", "%s is compared with %q", m.Name, s)
		}
		return d.Seconds(), nil
	case Share:
		number, percent := strings.CutSuffix(s, "%")
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if percent {
			n /= 100
		}
		if err != nil || !(n >= 0 && n <= 1) {
			return 0, bad("write a share such as 99.9%", "%s is compared with %q", m.Name, s)
		}
		return n, nil
	}
	number := strings.TrimSpace(strings.TrimSuffix(s, "/s"))
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return 0, bad("write a number such as 20", "%s is compared with %q", m.Name, s)
	}
	return n, nil
}

// String is o as [Parse] reads it.
func (o Objective) String() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", o.Name(), o.Op, o.Say(o.Bound))), " ")
}

// Name is the metric with its quantile: "first_event p95".
func (o Objective) Name() string {
	switch {
	case !o.Metric.Spread:
		return o.Metric.Name
	case o.Quantile == 1:
		return o.Metric.Name + " max"
	case o.Quantile == 0:
		return o.Metric.Name + " min"
	}
	return o.Metric.Name + " p" + strconv.FormatFloat(math.Round(o.Quantile*1e6)/1e4, 'f', -1, 64)
}

// Say writes a figure of the metric with its unit.
func (o Objective) Say(x float64) string { return o.Metric.Say(x) }

// Say writes a figure of the metric with its unit.
func (m *Metric) Say(x float64) string {
	short := func(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
	switch m.Unit {
	case Time:
		if x < 1 {
			return short(x*1e3) + "ms"
		}
		return short(x) + "s"
	case Share:
		return short(x*100) + "%"
	case Rate:
		return short(x) + "/s"
	}
	return short(x)
}

// String is s as [Parse] reads it.
func (s SLO) String() string {
	var all []string
	for _, o := range s {
		all = append(all, o.String())
	}
	return strings.Join(all, ", ")
}
