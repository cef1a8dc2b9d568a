// Package arrivals says when the streams of an open load start.
//
//  1. A [Process] says how regular the arrivals are: constant, poisson, gamma(CV), or
//     burst(N). [Parse] reads one.
//  2. [Stage]s say how the rate moves, as k6's ramping-arrival-rate does: linearly, from
//     one target to the next.
//  3. [Schedule] draws the times: arrivals of a process with one arrival per unit of
//     time, mapped through the inverse of the load's cumulative rate. Such a change of
//     time turns a Poisson process of rate 1 into one whose rate follows the stages
//     (Çinlar, Introduction to Stochastic Processes, 1975, section 4.7).
//
// All is pure: the same seed gives the same times.
package arrivals

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// A Kind is how arrivals follow each other.
type Kind string

const (
	Constant Kind = "constant" // at equal distances
	Poisson  Kind = "poisson"  // independent of each other: exponential distances
	Gamma    Kind = "gamma"    // gamma-distributed distances: CV above 1 is burstier than Poisson, below 1 steadier
	Burst    Kind = "burst"    // several at a time, at equal distances
	Trace    Kind = "trace"    // at the times of a file
)

// Kinds lists the kinds as users write them.
var Kinds = []string{"constant", "poisson", "gamma(CV)", "burst(N)", "trace"}

// A Process is a kind with its parameter. The zero Process is constant.
type Process struct {
	Kind Kind
	CV   float64 // of gamma: the coefficient of variation of the distances, above 0
	Size int     // of burst: arrivals at a time, at least 1
}

// Own reports whether p is anything but constant.
func (p Process) Own() bool { return p.Kind != "" && p.Kind != Constant }

// String is p as [Parse] reads it; "" for the zero Process.
func (p Process) String() string {
	switch p.Kind {
	case Gamma:
		return fmt.Sprintf("gamma(%g)", p.CV)
	case Burst:
		return fmt.Sprintf("burst(%d)", p.Size)
	}
	return string(p.Kind)
}

// A ParseError is a text that names no process.
type ParseError struct{ Problem, Fix string }

func (e *ParseError) Error() string { return e.Problem + "; " + e.Fix }

// Parse reads "constant", "poisson", "gamma(2.5)", "burst(10)" or "trace". The error is a
// *[ParseError].
func Parse(s string) (Process, error) {
	name, rest, has := strings.Cut(strings.TrimSpace(s), "(")
	arg, closed := strings.CutSuffix(rest, ")")
	if has != closed {
		return Process{}, &ParseError{fmt.Sprintf("arrivals %q have an open bracket", s), "write gamma(2) or burst(10)"}
	}
	p := Process{Kind: Kind(strings.TrimSpace(name))}
	var err error
	switch p.Kind {
	case Constant, Poisson, Trace:
		if has {
			return Process{}, &ParseError{fmt.Sprintf("%s takes no number, and %q has one", p.Kind, s),
				"write " + string(p.Kind)}
		}
	case Gamma:
		if p.CV, err = strconv.ParseFloat(arg, 64); err != nil || !(p.CV >= 0.05 && p.CV <= 20) {
			return Process{}, &ParseError{fmt.Sprintf("%q has no coefficient of variation from 0.05 to 20", s), "write gamma(2)"}
		}
	case Burst:
		if p.Size, err = strconv.Atoi(arg); err != nil || p.Size < 1 || p.Size > 1e6 {
			return Process{}, &ParseError{fmt.Sprintf("%q has no number of arrivals at a time", s), "write burst(10)"}
		}
	default:
		return Process{}, &ParseError{fmt.Sprintf("unknown arrivals %q", s), "known are " + strings.Join(Kinds, ", ")}
	}
	return p, nil
}

// A Stage moves the load linearly to a target.
type Stage struct {
	Duration time.Duration `yaml:"duration"`
	Target   Target        `yaml:"target" value:"target"` // at the end of the stage
}

// A Target is a number of streams at a time, or a rate of new streams per second.
type Target struct {
	Value float64
	Rate  bool
}

// String is "50" or "20/s".
func (t Target) String() string {
	if t.Rate {
		return fmt.Sprintf("%g/s", t.Value)
	}
	return fmt.Sprintf("%g", t.Value)
}

// Unlike is the first stage that cannot follow the one before it, and why; "" for none.
func Unlike(stages []Stage) (int, string) {
	for i, s := range stages {
		if s.Target.Rate != stages[0].Target.Rate {
			return i, fmt.Sprintf("target %s cannot follow %s: one is streams per second, the other streams at a time", s.Target,
				stages[i-1].Target)
		}
	}
	return 0, ""
}

// Length is how long stages take.
func Length(stages []Stage) (d time.Duration) {
	for _, s := range stages {
		d += s.Duration
	}
	return d
}

// Peak is the largest target, start included.
func Peak(start float64, stages []Stage) float64 {
	for _, s := range stages {
		start = max(start, s.Target.Value)
	}
	return start
}

// At is the target at a time since the stages began.
func At(start float64, stages []Stage, t time.Duration) float64 {
	for _, s := range stages {
		if t < s.Duration {
			return start + (s.Target.Value-start)*float64(t)/float64(s.Duration)
		}
		t, start = t-s.Duration, s.Target.Value
	}
	return start
}

// Most bounds a schedule: eight bytes an arrival are kept for the whole wave.
const Most = 10_000_000

// Expected is how many arrivals stages bring on average, from a rate at the start.
func Expected(start float64, stages []Stage) (n float64) {
	for _, s := range stages {
		n += (start + s.Target.Value) / 2 * s.Duration.Seconds()
		start = s.Target.Value
	}
	return n
}

// Schedule draws the arrivals of p under stages, as times since the load began, in
// order. total ends it after so many; 0 is no bound but the stages' end.
func Schedule(p Process, start float64, stages []Stage, total int, seed uint64) []time.Duration {
	next := p.unit(rand.New(rand.NewPCG(seed, 0x61727269)))
	clock := clock{from: start, stages: stages}
	var out []time.Duration
	for total == 0 || len(out) < total {
		at, ok := clock.at(next())
		if !ok || len(out) == Most {
			break
		}
		out = append(out, at)
	}
	return out
}

// unit yields the arrivals of a process with one arrival per unit of time on average.
func (p Process) unit(r *rand.Rand) func() float64 {
	n, sum := -1, 0.0
	return func() float64 {
		n++
		switch p.Kind {
		case Poisson:
			sum += r.ExpFloat64()
			return sum
		case Gamma:
			shape := 1 / (p.CV * p.CV)
			sum += gamma(r, shape) / shape
			return sum
		case Burst:
			return float64(n / p.Size * p.Size)
		}
		return float64(n)
	}
}

// gamma draws from the gamma distribution of a shape and scale 1: Marsaglia and Tsang,
// A simple method for generating gamma variables, ACM TOMS 26 (2000).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 { // their section 6
		return gamma(r, shape+1) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := 1 - r.Float64()
		if math.Log(u) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// A clock finds the time at which the cumulative rate of stages reaches a value; values
// must not fall.
type clock struct {
	from   float64 // rate at the begin of stages[0]
	stages []Stage // what is left of them
	passed float64 // seconds of the stages that are over
	gone   float64 // arrivals of them
}

func (c *clock) at(u float64) (time.Duration, bool) {
	for len(c.stages) > 0 {
		s := c.stages[0]
		length := s.Duration.Seconds()
		all := (c.from + s.Target.Value) / 2 * length
		if want := u - c.gone; want < all-1e-9 {
			return time.Duration((c.passed + crossing(want, c.from, (s.Target.Value-c.from)/length)) * float64(time.Second)),
				true
		}
		c.gone, c.passed, c.from, c.stages = c.gone+all, c.passed+length, s.Target.Value, c.stages[1:]
	}
	return 0, false
}

// crossing is when rate·t + slope·t²/2 reaches n, in the form that does not cancel.
func crossing(n, rate, slope float64) float64 {
	if n <= 0 {
		return 0
	}
	return 2 * n / (rate + math.Sqrt(max(0, rate*rate+2*slope*n)))
}
