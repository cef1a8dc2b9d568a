package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// injected explains what our own fault did to the streams in its way. The app is
// never blamed for it. Truncation is left to later rules: no fault of ours ends
// a body cleanly, so somebody laundered.
type injected struct{}

func (injected) match(v *view) []*finding {
	name, cuts := v.fault()
	if v.Active == record.Never || name == "" {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return v.didIt(g, cuts) })
	if len(gs) == 0 {
		return nil
	}
	confidence := likely
	if v.Confirmed {
		confidence = certain
	}
	f := found(InjectedFault+": "+name, layerNetwork, confidence, gs).
		tell(fact{Kind: FactOurFault, Took: v.Active, N: len(gs)}).
		see(v.windowLines()...).show(causesOfDeath(v.matchDeaths(gs, diedByStrike, diedByKill, diedByTerm), 4)...).
		not("the app", fact{Kind: NotUnexposed}).
		mend(fact{Kind: MendResume})
	f.Injected = true
	return one(f)
}

// fault names the scenario's fault and says whether it cuts connections.
func (v *view) fault() (name string, cuts bool) {
	for _, w := range v.Windows {
		if w.Phase == record.Active {
			name = w.Fault.Name
			cuts = cuts || w.Fault.Cuts()
		}
	}
	return name, cuts
}

// didIt reports whether the fault explains what became of g.
func (v *view) didIt(g *verdict.Graded, cuts bool) bool {
	switch g.Grade.Outcome {
	case verdict.Corrupt:
		return flipped(v, g)
	case verdict.Aborted:
		return cuts && g.Struck && v.timely(g)
	case verdict.Refused:
		return cuts && (g.Struck || v.afterwards(g))
	case verdict.FailedClean:
		return g.Grade.Ending == verdict.HTTPError && (g.Struck || v.afterwards(g))
	case verdict.Stalled:
		return g.Struck && v.overlaps(g)
	default:
		return false
	}
}

// timely reports whether the stream's end fits the fault: it names the stream,
// or it came at most a moment after a death that we caused.
func (v *view) timely(g *verdict.Graded) bool {
	ms := v.matchDeaths([]*verdict.Graded{g}, diedByStrike, diedByKill, diedByExit, diedByTerm)
	if len(ms) > 0 && ms[0].death.ours {
		return true
	}
	return len(v.matchDeaths([]*verdict.Graded{g}, diedByException)) == 0 && within(g.End, v.Active, v.healed())
}

// afterwards reports whether a stream came while the app may still recover.
func (v *view) afterwards(g *verdict.Graded) bool {
	grace := v.Scenario.Policy.Recovery
	return g.End != record.Never && g.End >= v.Active && startOf(g) <= v.healed()+grace && g.Group != record.Control
}

// overlaps reports whether the longest silence of g met the fault.
func (v *view) overlaps(g *verdict.Graded) bool {
	return g.MaxGapAt <= v.healed() && g.MaxGapAt+g.MaxGap >= v.Active
}

func (v *view) healed() time.Duration {
	if v.Healed == record.Never {
		return 1<<63 - 1 - time.Hour
	}
	return v.Healed
}

func within(t, from, to time.Duration) bool {
	return t >= from-deathBefore && t <= to+deathAfter
}

func (v *view) windowLines() []fact {
	windows := slices.Clone(v.Windows)
	slices.SortStableFunc(windows, func(a, b record.Window) int { return cmp.Compare(a.At, b.At) })
	var out []fact
	for _, w := range windows {
		if w.Phase != record.Armed {
			out = append(out, fact{Kind: FactWindow, Name: string(w.Phase), Took: w.At, Text: w.Why})
		}
	}
	return out
}
