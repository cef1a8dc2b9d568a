package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/machine"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A world is a machine on which a build runs: it stands still now and then, and all
// streams that are open then stand still with it.
type world struct {
	every   time.Duration // between two stalls, in the mean; 0 for none
	long    time.Duration // of a stall, in the mean
	uneven  float64       // σ of the logarithm of how many stalls a run has
	phases  bool          // stalls come in phases of some seconds
	watched bool          // the machine's counters tell of them
}

type stall struct{ from, to time.Duration }

func exponential(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean))
}

// stalls are those of one run.
func (w world) stalls(r *rand.Rand, until time.Duration) (all []stall) {
	if w.every == 0 {
		return nil
	}
	mean := time.Duration(float64(w.every) * math.Exp(w.uneven*r.NormFloat64()))
	calm, change := false, time.Duration(0)
	for at := exponential(r, mean); at < until; at += exponential(r, mean) {
		for w.phases && at > change {
			calm, change = !calm, change+exponential(r, 3*time.Second)
		}
		if !calm {
			all = append(all, stall{at, at + exponential(r, w.long)})
			at = all[len(all)-1].to
		}
	}
	return all
}

// looks are what the machine watcher has seen of stalls.
func (w world) looks(stalls []stall, until time.Duration) (all []record.MachineSample) {
	for at := machine.Every; at < until; at += machine.Every {
		m := record.MachineSample{At: at, Over: machine.Every, Known: true, AppWaited: time.Millisecond}
		for _, s := range stalls {
			if in := min(at, s.to) - max(at-machine.Every, s.from); w.watched && in > 0 {
				m.AppWaited += in
			}
		}
		all = append(all, m)
	}
	return all
}

// A pattern is how a build streams: 10 events, for clients that each ask anew as soon as
// their stream has ended.
type pattern struct {
	gap     time.Duration
	cut     float64 // share of streams that end early
	clients int
	streams int
}

// play makes the row of one run.
func (p pattern) play(w world, r *rand.Rand) history.Row {
	const until = 30 * time.Second
	b := synth.New()
	stalls := w.stalls(r, until)
	b.Run.Machine = w.looks(stalls, until)
	luck := math.Exp(0.02 * r.NormFloat64()) // of a run
	free := make([]time.Duration, p.clients)
	for i := range free {
		free[i] = time.Duration(i) * 100 * time.Microsecond
	}
	for i := range p.streams {
		slices.Sort(free)
		s := synth.Shape{Seq: uint64(i + 1), Start: free[0], Events: 1, Mute: true}.Stream()
		at, late := make([]time.Duration, 10), time.Duration(0)
		for k := range at {
			at[k] = 20*time.Millisecond + time.Duration(k)*time.Duration(luck*float64(p.gap)) + late
			at[k] += exponential(r, 300*time.Microsecond)
			for _, x := range stalls {
				if now := s.Send + at[k]; now >= x.from && now < x.to {
					at[k], late = at[k]+x.to-now, late+x.to-now
				}
			}
		}
		slices.Sort(at)
		synth.Arrive(&s, at, 100, false)
		s.MaxGap = at[0]
		for k := range len(at) - 1 {
			s.MaxGap = max(s.MaxGap, at[k+1]-at[k])
		}
		if r.Float64() < p.cut {
			s.TerminalAt, s.Content.Terminals, s.Content.State = record.Never, 0, stream.Prefix
			synth.Clean(&s, s.Last)
		}
		free[0] = s.End + exponential(r, time.Millisecond)
		b.Run.Streams = append(b.Run.Streams, s)
	}
	var c history.Collector
	scopes := verdict.Scopes(&b.Run)
	c.Add(scopes)
	row := c.Row(&b.Run, &verdict.Report{Complete: true, Scenarios: []verdict.ScenarioReport{{ID: "control",
		Verdict: verdict.Pass, Started: p.streams}}})
	return row
}

func (p pattern) side(w world, r *rand.Rand, runs int) Side {
	s := Side{Name: fmt.Sprint(p.gap)}
	for range runs {
		s.Rows = append(s.Rows, p.play(w, r))
	}
	return s
}

// Streams of one run share the stalls of their machine. Over 20 pairs of equal builds at
// most one is called worse in any figure, however the machines of the two runs differ; and
// of 20 that are slower by a fifth, or cut 2 % of their streams, at least 19 are, where the
// machine is not so busy that nothing can be told.
func TestStallsAreNobodysFault(t *testing.T) {
	t.Parallel()
	old, large := pattern{50 * time.Millisecond, 0, 40, 400}, pattern{50 * time.Millisecond, 0, 100, 1000}
	slow, cuts := old, large // 2 % of 1,000 streams are 20
	slow.gap, cuts.cut = 60*time.Millisecond, 0.02
	quiet := world{}
	few := world{every: 4 * time.Second, long: 60 * time.Millisecond, watched: true}
	many := world{every: 400 * time.Millisecond, long: 40 * time.Millisecond, uneven: 1}
	for name, c := range map[string]struct {
		a, b  world
		power bool
	}{
		"quiet":                  {quiet, quiet, true},
		"few stalls":             {few, few, true},
		"few, and nobody looked": {world{every: few.every, long: few.long}, world{every: few.every, long: few.long}, true},
		"many":                   {many, many, false},
		"many, watched":          {quiet, world{many.every, many.long, 1, false, true}, false},
		"in phases":              {few, world{200 * time.Millisecond, 40 * time.Millisecond, 1, true, false}, false},
		"the second run alone":   {quiet, world{every: 800 * time.Millisecond, long: 50 * time.Millisecond}, false},
		"the first run alone":    {world{every: 800 * time.Millisecond, long: 50 * time.Millisecond}, quiet, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worse, better, slower, cut := 0, 0, 0, 0
			for pair := range uint64(20) {
				r := rand.New(rand.NewPCG(pair, 7))
				says := func(before Side, p pattern, change Change) int {
					return min(1, Compare(before, p.side(c.b, r, 1), Options{}).Count(change))
				}
				before := old.side(c.a, r, 1)
				after := Compare(before, old.side(c.b, r, 1), Options{})
				worse, better = worse+min(1, after.Count(Worse)), better+min(1, after.Count(Better))
				slower += says(before, slow, Worse)
				if c.power {
					cut += says(large.side(c.a, r, 1), cuts, Worse)
				}
			}
			t.Logf("equal: worse %d, better %d; slower: worse %d; cut: worse %d of 20", worse, better, slower, cut)
			if worse > 1 || better > 1 || c.power && (slower < 19 || cut < 19) {
				t.Error("too many wrong, or too few right")
			}
		})
	}
}
