// Package shrink makes a run that failed smaller, for as long as it still fails: fewer
// scenarios, fewer faults, fewer streams, less time. What is left is what a developer
// starts on their desk.
//
//  1. [Failure] says what must happen again: checks of one scenario that failed, the
//     outcomes of streams and the causes that were found. Another failure that comes up
//     on the way is not taken for it.
//  2. [Whole] lists what the run consists of: parts that can be left out ([Part]: other
//     scenarios, single faults of a combined one, the ways of the clients, the shape of
//     the load) and numbers that can be less ([Number]: streams, duration, events).
//  3. [Find] plays the whole again: a run that does not fail twice of three times is not
//     made smaller. Then it lowers the number of streams, since all that follows is
//     cheaper then, leaves out parts by ddmin (Zeller and Hildebrandt 2002), and lowers
//     the other numbers; once more from the start, until nothing goes away.
//  4. [GoTest] writes what is left as a test of Go.
//
// A candidate is played until [Task.Agree] of [Task.Of] runs have failed, or no longer
// can. Runs that cannot tell (inconclusive ones) count for nothing, so that a fault which
// finds no stream to strike is no smaller failure.
package shrink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Failure is what must happen again.
type Failure struct {
	Scenario string
	Checks   []string          // that failed
	Outcomes []verdict.Outcome // of its streams, other than complete and cancelled
	Causes   []string          // that were found
}

// FailureOf is the failure of a scenario; false where it did not fail. "" is the first
// scenario that did.
func FailureOf(r *verdict.Report, id string) (Failure, bool) {
	for _, s := range r.Scenarios {
		if s.Verdict != verdict.Fail || id != "" && s.ID != id {
			continue
		}
		f := Failure{Scenario: s.ID}
		for _, c := range s.Checks {
			if c.Verdict == verdict.Fail {
				f.Checks = append(f.Checks, c.Name)
			}
		}
		for _, o := range verdict.Outcomes {
			if s.Outcomes[o] > 0 && o != verdict.Complete && o != verdict.Cancelled {
				f.Outcomes = append(f.Outcomes, o)
			}
		}
		for _, c := range s.Causes {
			f.Causes = append(f.Causes, c.Cause)
		}
		return f, true
	}
	return Failure{}, false
}

// Again reports whether r shows the failure again: its scenario fails by one of the
// same checks, and by one of the same causes. Where either of them found no cause, one
// of the same outcomes has to do.
func (f Failure) Again(r *verdict.Report) bool {
	g, failed := FailureOf(r, f.Scenario)
	switch {
	case !failed || !meet(f.Checks, g.Checks):
		return false
	case len(f.Causes) > 0 && len(g.Causes) > 0:
		return meet(f.Causes, g.Causes)
	case len(f.Outcomes) > 0:
		return meet(f.Outcomes, g.Outcomes)
	}
	return true
}

func meet[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// A Task says what to make smaller, and how.
type Task struct {
	Options harness.Options // of the run that failed
	Failure Failure
	// Play plays one candidate and judges it. A [*harness.UsageError] says that there is
	// no such run, which is no failure of it.
	Play func(ctx context.Context, o harness.Options) (*verdict.Report, error)
	// Agree of Of runs must fail; 0 means 2 of 3.
	Agree, Of int
	Budget    int         // runs at most; 0 means 100
	Told      func(Trial) // of each candidate; nil for nobody
}

// A Trial is a candidate and its runs.
type Trial struct {
	Size   Size
	Left   []Part // out
	Runs   int
	Failed int  // of them: as the whole did
	Other  int  // failed in another way
	None   bool // there is no such run
	Fails  bool
	// Known is whether all runs were played that decide it; false where the budget ended.
	Known bool
}

// A Result is the smallest run that still fails.
type Result struct {
	Options       harness.Options
	Before, After Size
	Left          []Part // left out
	Trials        []Trial
	Runs          int
	// Whole is the whole run, played again. Where it does not fail, nothing was made
	// smaller.
	Whole Trial
	// Smallest is what is left; the runs of it that failed say how sure it is.
	Smallest Trial
	Spent    bool // the runs ran out before it was certain that no part can go
}

// Width is how near a time must be to one at which nothing fails, relative to it.
const Width = 0.25

// errSpent ends the search where no run is left.
var errSpent = errors.New("no run is left")

// A finder is one search under way.
type finder struct {
	Task
	whole *Whole
	now   Case // the smallest case that failed
	known map[string]Trial
	res   Result
}

// Find makes a run smaller. The error is that of Play, or of ctx; what was found until
// then stands in the result.
func Find(ctx context.Context, t Task) (Result, error) {
	if t.Of == 0 {
		t.Agree, t.Of = 2, 3
	}
	if t.Budget == 0 {
		t.Budget = 100
	}
	whole := NewWhole(t.Options, t.Failure.Scenario)
	f := &finder{Task: t, whole: whole, now: whole.Case(), known: map[string]Trial{}}
	f.res.Before = whole.sizeOf(whole.Build(f.now))
	fails, err := f.fails(ctx, f.now)
	f.res.Whole = f.known[f.now.key()]
	if err == nil && fails {
		err = f.shrink(ctx)
	}
	f.res.Spent = errors.Is(err, errSpent)
	if f.res.Spent {
		err = nil
	}
	f.res.Options, f.res.Left = whole.Build(f.now), whole.left(f.now)
	f.res.After, f.res.Smallest = whole.sizeOf(f.res.Options), f.known[f.now.key()]
	return f.res, err
}

// shrink goes through numbers and parts until a round changes nothing. The first round
// begins with the numbers of streams.
func (f *finder) shrink(ctx context.Context) error {
	for {
		before := f.now.key()
		if err := f.numbers(ctx, true); err != nil {
			return err
		}
		if err := f.parts(ctx); err != nil {
			return err
		}
		if err := f.numbers(ctx, false); err != nil {
			return err
		}
		if f.now.key() == before {
			return nil
		}
	}
}

// numbers lowers those that count streams, or all others.
func (f *finder) numbers(ctx context.Context, streams bool) error {
	for i, n := range f.whole.Numbers {
		if n.Streams != streams || f.now.Values[i] <= n.Least || !f.whole.matters(f.now, i) {
			continue
		}
		_, err := least(n.Least, f.now.Values[i], n.Whole, Width, func(x float64) (bool, error) {
			return f.try(ctx, f.now.with(i, x))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// parts leaves out what can be.
func (f *finder) parts(ctx context.Context) error {
	here := f.now
	var in []int
	for i, kept := range here.Kept {
		if kept {
			in = append(in, i)
		}
	}
	_, err := ddmin(len(in), func(kept []int) (bool, error) {
		c := here
		c.Kept = make([]bool, len(here.Kept))
		for _, k := range kept {
			c.Kept[in[k]] = true
		}
		return f.try(ctx, c)
	})
	return err
}

// try tests a candidate, and stays at it where it fails.
func (f *finder) try(ctx context.Context, c Case) (bool, error) {
	fails, err := f.fails(ctx, c)
	if err == nil && fails {
		f.now = c
	}
	return fails, err
}

// fails plays a candidate until it is known whether it fails.
func (f *finder) fails(ctx context.Context, c Case) (bool, error) {
	if t, ok := f.known[c.key()]; ok {
		return t.Fails, nil
	}
	o := f.whole.Build(c)
	t := Trial{Size: f.whole.sizeOf(o), Left: f.whole.left(c)}
	var err error
	for !t.None && t.Failed < f.Agree && t.Failed+f.Of-t.Runs >= f.Agree && err == nil {
		if f.res.Runs >= f.Budget {
			err = errSpent
			break
		}
		err = f.play(ctx, o, &t)
	}
	t.Fails, t.Known = t.Failed >= f.Agree, err == nil
	if t.Known || t.Runs > 0 {
		f.res.Trials = append(f.res.Trials, t)
		f.known[c.key()] = t
		if f.Told != nil {
			f.Told(t)
		}
	}
	return t.Fails, err
}

func (f *finder) play(ctx context.Context, o harness.Options, t *Trial) error {
	report, err := f.Play(ctx, o)
	var none *harness.UsageError
	switch {
	case errors.As(err, &none): // there is no such run
		t.None = true
		return nil
	case err != nil:
		return fmt.Errorf("run a smaller run: %w", err)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	f.res.Runs++
	t.Runs++
	if f.Failure.Again(report) {
		t.Failed++
	} else if _, failed := FailureOf(report, f.Failure.Scenario); failed {
		t.Other++
	}
	return nil
}

// A Size is how large a run is.
type Size struct {
	Scenarios int           `json:"scenarios"`
	Faults    int           `json:"faults"`
	Streams   int           `json:"streams"`            // at a time, or in all of an open load (200 at most)
	Duration  time.Duration `json:"duration,omitempty"` // of the load; 0 where each stream is sent once
	Events    int           `json:"events,omitempty"`   // of a stream of the scenario that failed; 0 where the app decides
}
