package slo

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Stream is what is known of one stream of a load. A time below 0 is not known.
type Stream struct {
	Outcome               string // as in verdict.json
	First, MaxGap         time.Duration
	Begin, End            time.Duration // on the run's clock
	Events                int           // content events
	FirstEvent, LastEvent time.Duration // on the run's clock
	Gaps                  iter.Seq[time.Duration]
	Tokens                int64 // 0 where nobody counts them
}

// A Measure sums streams up. The zero Measure cannot be used: see [New].
type Measure struct {
	slo        SLO
	spreads    map[string]*hdrhistogram.Histogram // by metric, in its finest unit
	broken     []int64                            // by objective: values beyond the bound
	outcomes   map[string]int
	total      int
	good       int // complete streams that meet the objectives by themselves
	tokens     int64
	begin, end time.Duration
}

// New begins a measurement for some objectives.
func New(s SLO) *Measure {
	return &Measure{slo: s, spreads: map[string]*hdrhistogram.Histogram{}, broken: make([]int64, len(s)),
		outcomes: map[string]int{}, begin: -1}
}

// fine is how many of the smallest units a figure of a metric has.
func (m *Metric) fine() float64 {
	if m.Unit == Time {
		return 1e6
	}
	return 1e3
}

// Add adds a stream of the load.
func (m *Measure) Add(s *Stream) {
	m.total++
	m.outcomes[s.Outcome]++
	if m.begin < 0 || s.Begin < m.begin {
		m.begin = s.Begin
	}
	m.end = max(m.end, s.End)
	if s.Outcome != "complete" {
		return
	}
	m.tokens += s.Tokens
	fits := true
	for i := range Metrics {
		k := &Metrics[i]
		if !k.Spread {
			continue
		}
		n := 0
		beyond := make([]int, len(m.slo))
		for x := range s.values(k) {
			m.record(k, x)
			n++
			for j, o := range m.slo {
				if o.Metric == k && !o.Op.holds(x, o.Bound) {
					m.broken[j]++
					beyond[j]++
				}
			}
		}
		for j, o := range m.slo {
			if o.Metric == k && n > 0 && beyond[j] > o.allowed(n) {
				fits = false
			}
		}
	}
	if fits {
		m.good++
	}
}

// values are a stream's values of a spread.
func (s *Stream) values(k *Metric) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		took := s.End - s.Begin
		switch k.Name {
		case "gap":
			if s.Gaps != nil {
				for g := range s.Gaps {
					if !yield(g.Seconds()) {
						return
					}
				}
			}
		case "first_event":
			_ = s.First >= 0 && yield(s.First.Seconds())
		case "mean_gap":
			_ = s.Events > 1 && yield((s.LastEvent-s.FirstEvent).Seconds()/float64(s.Events-1))
		case "max_gap":
			_ = s.MaxGap >= 0 && yield(s.MaxGap.Seconds())
		case "duration":
			_ = took >= 0 && yield(took.Seconds())
		case "tokens_per_second":
			_ = s.Tokens > 0 && took > 0 && yield(float64(s.Tokens)/took.Seconds())
		case "output_tokens":
			_ = s.Tokens > 0 && yield(float64(s.Tokens))
		}
	}
}

// largest is what a histogram can hold: an hour in microseconds, or 3.6 million.
const largest = 3_600_000_000

func (m *Measure) record(k *Metric, x float64) {
	h := m.spreads[k.Name]
	if h == nil {
		h = hdrhistogram.New(1, largest, 3)
		m.spreads[k.Name] = h
	}
	_ = h.RecordValue(min(max(int64(math.Round(x*k.fine())), 0), largest)) // within its bounds
}

// Merge adds what another measurement for the same objectives took.
func (m *Measure) Merge(o *Measure) {
	for name, h := range o.spreads {
		if m.spreads[name] == nil {
			m.spreads[name] = hdrhistogram.New(1, largest, 3)
		}
		m.spreads[name].Merge(h)
	}
	for i, n := range o.broken {
		m.broken[i] += n
	}
	for outcome, n := range o.outcomes {
		m.outcomes[outcome] += n
	}
	m.total, m.good, m.tokens = m.total+o.total, m.good+o.good, m.tokens+o.tokens
	if m.begin < 0 || o.begin >= 0 && o.begin < m.begin {
		m.begin = o.begin
	}
	m.end = max(m.end, o.end)
}

// Streams is how many streams were measured, and Complete how many of them completed.
func (m *Measure) Streams() int  { return m.total }
func (m *Measure) Complete() int { return m.outcomes["complete"] }

// Good is how many streams completed and met the objectives by themselves.
func (m *Measure) Good() int { return m.good }

// Outcomes counts streams by outcome.
func (m *Measure) Outcomes() map[string]int { return m.outcomes }

// Seconds is the time from the first request to the last end.
func (m *Measure) Seconds() float64 { return max(0, (m.end - m.begin).Seconds()) }

// Figure is the value of a metric; of a spread, its quantile by nearest rank, to three
// digits. It is false where there is none.
func (m *Measure) Figure(name string, q float64) (float64, bool) {
	k, ok := find(name)
	if !ok {
		return 0, false
	}
	if k.Spread {
		h := m.spreads[k.Name]
		if h == nil || h.TotalCount() == 0 {
			return 0, false
		}
		if q <= 0 {
			return float64(h.Min()) / k.fine(), true
		}
		n := float64(h.TotalCount())
		return float64(h.ValueAtQuantile(100*nearest(q, n)/n)) / k.fine(), true
	}
	if k.Unit == Share {
		return float64(m.outcomes[k.Name]) / float64(max(1, m.total)), m.total > 0
	}
	n := float64(map[string]int{"throughput": m.Complete(), "goodput": m.good}[k.Name])
	if k.Name == "token_throughput" {
		if n = float64(m.tokens); n == 0 {
			return 0, false
		}
	}
	return n / m.Seconds(), m.Seconds() > 0
}

// nearest is the rank of a quantile among n values by nearest rank, from 1.
func nearest(q, n float64) float64 { return max(1, math.Ceil(q*n-1e-9)) }

// A Verdict on an objective.
type Verdict string

const (
	Met    Verdict = "met"
	Missed Verdict = "missed"
	TooFew Verdict = "too few" // streams to tell
)

// A Result is the answer to one objective.
type Result struct {
	Objective
	Verdict Verdict
	// Seen says that what was seen meets the objective, however few it was.
	Seen  bool
	Value float64 // NaN where there is none
	N     int     // values that it rests on
	Need  int     // values that would be enough; 0 where N is
}

// Counted reports whether the answer rests on single values, of streams or of gaps, and
// not on one figure of the whole load.
func (r *Result) Counted() bool { return r.Metric.Spread || r.Metric.Unit == Share }

// Judge answers for each objective.
func (m *Measure) Judge() []Result {
	var all []Result
	for i, o := range m.slo {
		all = append(all, m.judge(o, int(m.broken[i])))
	}
	return all
}

// Verdicts is the worst of results: missed, then too few, then met.
func Verdicts(rs []Result) Verdict {
	worst := Met
	for _, r := range rs {
		if r.Verdict == Missed || r.Verdict == TooFew && worst == Met {
			worst = r.Verdict
		}
	}
	return worst
}

// allowed is how many of n values may be beyond the bound: of a quantile those above its
// rank, or those below it where the bound is from below.
func (o Objective) allowed(n int) int {
	if !o.Metric.Spread {
		return int(o.slack()*float64(n) + 1e-9)
	}
	rank := int(nearest(o.Quantile, float64(n)))
	if o.Op.upper() {
		return n - rank
	}
	return rank - 1
}

// slack is the share of values that may be beyond the bound: those above a quantile where
// the bound is from above, and those below it where it is from below.
func (o Objective) slack() float64 {
	switch {
	case o.Metric.Unit == Share && o.Op.upper():
		return o.Bound
	case o.Metric.Unit == Share:
		return 1 - o.Bound
	case o.Op.upper():
		return 1 - o.Quantile
	}
	return o.Quantile
}

func (m *Measure) judge(o Objective, broken int) Result {
	r := Result{Objective: o, Value: math.NaN()}
	if x, ok := m.Figure(o.Metric.Name, o.Quantile); ok {
		r.Value = x
	}
	switch {
	case o.Metric.Spread:
		if h := m.spreads[o.Metric.Name]; h != nil {
			r.N = int(h.TotalCount())
		}
		return r.counted(broken)
	case o.Metric.Unit == Share:
		r.N = m.total
		n := m.outcomes[o.Metric.Name]
		if !o.Op.upper() {
			n = m.total - n
		}
		if o.Op == "<" || o.Op == ">" { // a share that is just the bound misses it
			if float64(n) >= o.slack()*float64(m.total)-1e-9 && o.slack() > 0 {
				n = max(n, o.allowed(m.total)+1)
			}
		}
		return r.counted(n)
	}
	r.N = m.total
	switch {
	case math.IsNaN(r.Value):
		r.Verdict = TooFew
	case o.Op.holds(r.Value, o.Bound):
		r.Verdict, r.Seen = Met, true
	default:
		r.Verdict = Missed
	}
	return r
}

// sure is the level at which few values that break a bound count as too many.
const sure = 0.05

// counted judges by how many of the values are beyond the bound. Where the values are too
// few for one of them to be allowed beyond it, none beyond it proves nothing yet, and some
// prove a miss only where chance would bring so many in less than 1 of 20 cases.
func (r Result) counted(broken int) Result {
	slack := r.slack()
	r.Seen = r.N > 0 && broken <= r.allowed(r.N)
	if need := int(math.Ceil(1/max(slack, 1e-9) - 1e-9)); slack > 0 && r.N < need {
		r.Need = need
	}
	switch {
	case r.N == 0, r.Need > 0 && r.Seen, r.Need > 0 && atLeast(r.N, broken, slack) >= sure:
		r.Verdict = TooFew
	case r.Seen:
		r.Verdict = Met
	default:
		r.Verdict = Missed
	}
	return r
}

// atLeast is the chance of k or more of n where each is of a share p: the upper tail of
// the binomial distribution.
func atLeast(n, k int, p float64) float64 {
	sum := 0.0
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	for i := 0; i < k; i++ {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return max(0, 1-sum)
}

// Worst orders results, the worst first.
func Worst(rs []Result) []Result {
	rank := map[Verdict]int{Missed: 0, TooFew: 1, Met: 2}
	out := slices.Clone(rs)
	slices.SortStableFunc(out, func(a, b Result) int { return cmp.Compare(rank[a.Verdict], rank[b.Verdict]) })
	return out
}
