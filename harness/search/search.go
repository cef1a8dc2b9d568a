// Package search finds the largest load, or the value of any other number, at which
// something still holds, although every single answer may be chance.
//
// It is the search of RFC 9971 (Multiple Loss Ratio Search) with trials of one length:
//
//  1. Values are tried from the easy end on, in a few large steps, until one does not hold.
//
//  2. Between the hardest value that holds and the easiest that does not the next one is
//     tried: where the trials themselves say that the edge is, else in the (geometric) middle.
//
//  3. Bounds that are near enough are tried again, until each has two of three trials for
//     it. One that is overturned is given up, and the search goes on.
//
//  4. Where trials near the edge disagree as chance has it, no number of them makes two near
//     bounds. The result is then the range in which they do, if it is narrow: every trial
//     on its easy side holds, and every one on its hard side does not.
//
// A trial that cannot tell counts for neither side. Two of them at one value end the range
// there: beyond it nothing is known, and nothing is said about it.
package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Range is where the edge is looked for.
type Range struct {
	From, To float64 // both above 0, From below To
	Whole    bool    // whole numbers alone
	Down     bool    // larger values are easier, as of a timeout: the least that holds is looked for
}

// Options say how to search.
type Options struct {
	Range
	Width  float64 // how near the bounds must be, relative to each other; 0 means 0.02
	Agree  int     // trials that must agree on a bound; 0 means 2
	Budget int     // trials at most; 0 means 12
}

// An Outcome is what one trial says.
type Outcome struct {
	Holds bool
	// Unknown says why the trial cannot tell; "" where it can.
	Unknown string
	Why     string
	// Aim is where this trial puts the edge, 0 where it has no idea. It is a place to try
	// next and decides nothing.
	Aim float64
}

// A Trial is one call of the probe.
type Trial struct {
	At float64
	Outcome
}

// An Edge says what was found.
type Edge string

const (
	Found     Edge = "found"          // Holds and Breaks are near each other, and confirmed
	Noisy     Edge = "noisy"          // trials between Holds and Breaks disagree, those on either side do not
	Wide      Edge = "wide"           // the trials ran out before they were
	AllHold   Edge = "all hold"       // the whole range does
	NoneHolds Edge = "none holds"     // not even its easy end
	Saturated Edge = "cannot be told" // beyond Holds trials could not tell
)

// A Result is what a search came to.
type Result struct {
	Edge Edge
	// Holds is the hardest value that holds, Breaks the easiest that does not, or that
	// cannot be told; NaN for none.
	Holds, Breaks float64
	Confirmed     bool   // each has its trials
	Why           string // of the last trial at Breaks
	Trials        []Trial
}

// Validate says what is wrong with a range.
func (r Range) Validate() error {
	switch {
	case !(r.From > 0) || !(r.To > 0) || math.IsInf(r.To, 0):
		return errors.New("both ends must be above 0")
	case r.From >= r.To:
		return fmt.Errorf("%g..%g has no edge in it: it must grow", r.From, r.To)
	}
	return nil
}

// A finder is one search under way.
type finder struct {
	Options
	probe  func(context.Context, float64) (Outcome, error)
	trials []Trial
}

// tally are the trials at one value.
type tally struct{ good, bad, unknown int }

// Find searches. probe is called for one value at a time; its error ends the search, with
// what is known until then.
func Find(ctx context.Context, o Options, probe func(ctx context.Context, x float64) (Outcome, error)) (Result, error) {
	if o.Width == 0 {
		o.Width = 0.02
	}
	if o.Agree == 0 {
		o.Agree = 2
	}
	if o.Budget == 0 {
		o.Budget = 12
	}
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	f := &finder{Options: o, probe: probe}
	var err error
	for err == nil && len(f.trials) < o.Budget {
		x, more := f.next()
		if !more {
			break
		}
		var out Outcome
		if out, err = probe(ctx, x); err == nil {
			f.trials = append(f.trials, Trial{x, out})
		}
	}
	return f.result(), err
}

// easy and hard are the ends of the range.
func (f *finder) easy() float64 {
	if f.Down {
		return f.To
	}
	return f.From
}

func (f *finder) hard() float64 {
	if f.Down {
		return f.From
	}
	return f.To
}

// harder reports whether a is harder than b.
func (f *finder) harder(a, b float64) bool { return (a > b) != f.Down && a != b }

func (f *finder) at(x float64) (t tally) {
	for _, one := range f.trials {
		switch {
		case one.At != x:
		case one.Unknown != "":
			t.unknown++
		case one.Holds:
			t.good++
		default:
			t.bad++
		}
	}
	return t
}

// blind says that trials cannot tell, open that it is not known yet which way they lean.
func (t tally) blind() bool { return t.unknown >= 2 && t.good+t.bad == 0 }
func (t tally) open() bool {
	return !t.blind() && t.good == t.bad && t.good+t.bad+t.unknown > 0
}

// untold reports whether more trials could not tell than broke.
func (t tally) untold() bool { return t.blind() || t.unknown > t.bad }

// settled reports whether enough trials agree.
func (t tally) settled(agree int) bool {
	return t.blind() || max(t.good, t.bad) >= agree && t.good != t.bad
}

// bounds are the easiest value that does not hold and the hardest easier one that does;
// NaN for none. Of trials that contradict each other over the range the easier break
// counts: a load that broke once below is no load to promise.
func (f *finder) bounds() (holds, breaks float64) {
	holds, breaks = math.NaN(), math.NaN()
	for _, t := range f.trials {
		if s := f.at(t.At); (s.blind() || s.bad > s.good || s.open()) && (math.IsNaN(breaks) || f.harder(breaks, t.At)) {
			breaks = t.At
		}
	}
	for _, t := range f.trials {
		s := f.at(t.At)
		if s.good > s.bad && (math.IsNaN(breaks) || f.harder(breaks, t.At)) && (math.IsNaN(holds) || f.harder(t.At, holds)) {
			holds = t.At
		}
	}
	return holds, breaks
}

// steps is in how many steps the range is crossed.
const steps = 4

// next is the value to try next; false where all is known.
func (f *finder) next() (float64, bool) {
	holds, breaks := f.bounds()
	switch {
	case len(f.trials) == 0:
		return f.easy(), true
	case !math.IsNaN(breaks) && f.at(breaks).open():
		return breaks, true
	case math.IsNaN(holds): // not even the easy end
		if f.at(f.easy()) == (tally{}) {
			return f.easy(), true
		}
		return f.easy(), !f.at(f.easy()).settled(f.Agree)
	case math.IsNaN(breaks):
		if holds == f.hard() {
			return holds, !f.at(holds).settled(f.Agree)
		}
		return f.further(holds), true
	}
	need := f.missing(holds) + f.missing(breaks)
	if f.near(holds, breaks) || f.Budget-len(f.trials) <= need {
		switch {
		case f.missing(breaks) > 0:
			return breaks, true
		case f.missing(holds) > 0:
			return holds, true
		case f.near(holds, breaks):
			return 0, false
		}
	}
	return f.between(holds, breaks)
}

// missing is how many trials a bound still needs at least.
func (f *finder) missing(x float64) int {
	t := f.at(x)
	if t.settled(f.Agree) {
		return 0
	}
	return f.Agree - max(t.good, t.bad)
}

func (f *finder) near(a, b float64) bool {
	lo, hi := min(a, b), max(a, b)
	return hi/lo <= 1+f.Width+1e-9 || f.Whole && hi-lo <= 1
}

// further is one step beyond a value that holds.
func (f *finder) further(x float64) float64 {
	step := max(math.Pow(f.To/f.From, 1.0/steps), 1+f.Width)
	least := 0.0 // of whole numbers, a step smaller than one would round to none
	if f.Whole {
		least = 1
	}
	if f.Down {
		return f.round(max(min(x/step, x-least), f.From))
	}
	y := max(x*step, x+least)
	if y*math.Sqrt(step) > f.To { // no small step at the end
		y = f.To
	}
	return f.round(min(y, f.To))
}

func (f *finder) round(x float64) float64 {
	if f.Whole {
		x = math.Round(x)
	}
	return min(max(x, f.From), f.To)
}

// between is a value between two bounds that has not been tried.
func (f *finder) between(holds, breaks float64) (float64, bool) {
	inside := func(x float64) bool {
		return f.harder(x, holds) && f.harder(breaks, x) && f.at(x) == (tally{})
	}
	var try []float64
	for i := len(f.trials) - 1; i >= 0; i-- {
		t := f.trials[i]
		if t.Aim > 0 && t.At == breaks {
			// On the edge as it is seen, then just beyond it, to have it between two bounds.
			beyond, before := t.Aim*(1+f.Width), t.Aim/(1+f.Width)
			if f.Whole {
				beyond, before = max(math.Floor(beyond), t.Aim+1), min(math.Ceil(before), t.Aim-1)
			}
			if f.Down {
				beyond, before = before, beyond
			}
			try = append(try, t.Aim, beyond, before)
			break
		}
	}
	// The aim of an earlier break holds, too, once the edge as it is seen has held.
	for i := len(f.trials) - 1; i >= 0; i-- {
		if t := f.trials[i]; t.Aim > 0 {
			try = append(try, t.Aim, t.Aim*(1+f.Width), t.Aim/(1+f.Width))
		}
	}
	try = append(try, math.Sqrt(holds*breaks))
	for _, x := range try {
		if x = f.round(x); inside(x) {
			return x, true
		}
	}
	if f.Whole { // the middle may round to a bound
		for _, x := range []float64{min(holds, breaks) + 1, max(holds, breaks) - 1} {
			if inside(x) {
				return x, true
			}
		}
	}
	return 0, false
}

func (f *finder) result() Result {
	holds, breaks := f.bounds()
	r := Result{Holds: holds, Breaks: breaks, Trials: f.trials, Edge: Wide}
	settled := func(x float64) bool { return f.at(x).settled(f.Agree) }
	switch {
	case math.IsNaN(breaks) && !math.IsNaN(holds) && holds == f.hard():
		r.Edge, r.Confirmed = AllHold, settled(holds)
	case math.IsNaN(breaks):
	case math.IsNaN(holds) && breaks == f.easy():
		// Where trials of the easy end cannot tell, or disagree, it is not known to break.
		switch t := f.at(breaks); {
		case t.untold():
			r.Edge = Saturated
		case t.bad > t.good:
			r.Edge, r.Confirmed = NoneHolds, settled(breaks)
		}
	case f.at(breaks).untold():
		r.Edge = Saturated
	case !math.IsNaN(holds):
		if r.Confirmed = settled(holds) && settled(breaks); r.Confirmed && f.near(holds, breaks) {
			r.Edge = Found
		}
	}
	if easy, hard, ok := f.disputed(); ok && r.Edge == Wide {
		r.Edge, r.Holds, r.Breaks, r.Confirmed = Noisy, easy, hard, true
	}
	for _, t := range f.trials {
		if t.At == r.Breaks && !t.Holds {
			r.Why = t.Unknown + t.Why
		}
	}
	return r
}

// narrow is how far apart, relative to each other, the ends of a range may be in which
// trials disagree: its middle is then within 10 % of the edge.
const narrow = 0.2

// disputed is the range in which trials disagree: easy is the hardest value up to which all
// of them hold, hard the easiest from which on none does. It is false where they do not
// disagree, where the range is not [narrow], or where fewer trials than must agree on a
// bound were made as near as that outside of either end.
func (f *finder) disputed() (easy, hard float64, ok bool) {
	easy, hard = math.NaN(), math.NaN()
	for _, t := range f.trials {
		if t.Unknown != "" {
			return easy, hard, false
		}
		beyond := func(o Trial) bool { return o.At == t.At || f.harder(o.At, t.At) }
		within := func(o Trial) bool { return o.At == t.At || f.harder(t.At, o.At) }
		if all(f.trials, func(o Trial) bool { return !within(o) || o.Holds }) && (math.IsNaN(easy) || f.harder(t.At, easy)) {
			easy = t.At
		}
		if all(f.trials, func(o Trial) bool { return !beyond(o) || !o.Holds }) && (math.IsNaN(hard) || f.harder(hard, t.At)) {
			hard = t.At
		}
	}
	if math.IsNaN(easy) || math.IsNaN(hard) || ratio(easy, hard) > 1+narrow {
		return easy, hard, false
	}
	before, between, behind := 0, 0, 0
	for _, t := range f.trials {
		switch {
		case f.harder(t.At, easy) && f.harder(hard, t.At):
			between++
		case t.Holds && ratio(t.At, easy) <= 1+narrow:
			before++
		case !t.Holds && ratio(t.At, hard) <= 1+narrow:
			behind++
		}
	}
	return easy, hard, between > 0 && before >= f.Agree && behind >= f.Agree
}

func all(trials []Trial, is func(Trial) bool) bool {
	return !slices.ContainsFunc(trials, func(t Trial) bool { return !is(t) })
}

// ratio is how many times the smaller of two is the larger one.
func ratio(a, b float64) float64 { return max(a, b) / min(a, b) }
