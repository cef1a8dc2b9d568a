package verdict

import (
	"iter"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/harness/stream"
)

// Objectives asks whether the streams under load met the user's service level objectives.
type Objectives struct{}

const objectivesMet = "objectives met"

func (Objectives) Check(s *Scope) Answer {
	o, err := slo.Parse(s.Scenario.Policy.SLO)
	if err != nil { // none, or those of a later version
		return Answer{}
	}
	return s.objectives(s.Measure(o))
}

// objectives answers for a measurement.
func (s *Scope) objectives(m *slo.Measure) Answer {
	rs := slo.Worst(m.Judge())
	var whys []fact
	need, missed := 0, slo.Met
	for _, r := range rs {
		if whys = append(whys, objectiveFact(&r)); r.Verdict == slo.TooFew {
			need = max(need, r.Need)
		}
		if r.Verdict == slo.Missed && (r.Metric.Unit == slo.Share || r.Metric.Unit == slo.Count) {
			missed = slo.Missed // no slow machine excuses it
		}
	}
	found := fact{Kind: FactObjectives, About: whys}
	switch slo.Verdicts(rs) {
	case slo.Met:
		return pass(objectivesMet, found)
	case slo.TooFew:
		to := next(NextMoreForP95)
		if need > 0 && m.Streams() > 0 {
			to.Kind = NextObjectives
		}
		return unsure(objectivesMet, to, found)
	}
	if x, ok := s.slowMachine(); ok && missed == slo.Met {
		return unsure(objectivesMet, next(NextQuiet), fact{Kind: FactBut, About: []fact{found, x.fact()}})
	}
	return fail(objectivesMet, found)
}

// objectiveFact is how one objective was met or missed.
func objectiveFact(r *slo.Result) fact {
	f := fact{Kind: FactObjectiveMissed, Name: r.Name(), Text: r.Say(r.Value), Place: string(r.Op) + " " +
		r.Say(r.Bound)}
	switch {
	case r.Verdict == slo.Met:
		f.Kind = FactObjectiveMet
	case r.Verdict == slo.Missed:
	case !r.Counted():
		f = fact{Kind: FactUnmeasured, Name: f.Name}
	case r.N == 0:
		f = fact{Kind: FactNoValue, Name: f.Name}
	default:
		of := "stream"
		if r.Metric.Name == "gap" {
			of = "gap"
		}
		f.Kind, f.Need, f.Counts = FactFewValues, r.Need, []record.Count{{Name: of, N: r.N}}
	}
	return f
}

// slowMachine reports whether the generator did not keep up, or the app was kept from
// running, while the streams were under load. That some were served all the same does not
// matter here: a quantile is about the slowest.
func (s *Scope) slowMachine() (Excuse, bool) {
	if !s.keptUp() {
		return Excuse{Generator: true}, true
	}
	at := s.loaded
	for i := range s.Streams {
		if g := &s.Streams[i]; underLoad(g.Group) {
			at.add(g)
		}
	}
	x, ok := s.Starved(at.from, at.to)
	return Excuse{Starved: &x}, ok
}

// A span is from the start of the first of some streams to the end of the last.
type span struct {
	from, to time.Duration
	any      bool
}

func (x *span) add(g *Graded) {
	if !x.any {
		x.from = startOf(g.Stream)
	}
	x.from, x.to, x.any = min(x.from, startOf(g.Stream)), max(x.to, g.End), true
}

// Measure takes the streams under load that no fault of ours was in the way of, and that
// we did not leave ourselves.
func (s *Scope) Measure(o slo.SLO) *slo.Measure {
	m := slo.New(o)
	for i := range s.Streams {
		if g := &s.Streams[i]; !s.guest(g) && !g.Struck && g.Grade.Outcome.counted() && underLoad(g.Group) {
			m.Add(measured(g))
		}
	}
	return m
}

func underLoad(g record.Group) bool {
	return g == record.Load || g == record.Control || g == record.Victim
}

func measured(g *Graded) *slo.Stream {
	out := &slo.Stream{Outcome: string(g.Grade.Outcome), First: -1, MaxGap: g.MaxGap, Begin: startOf(g.Stream),
		End:    max(g.End, startOf(g.Stream)),
		Events: g.Contents, FirstEvent: g.First, LastEvent: g.First, Gaps: contentGaps(g.Stream),
		Tokens: g.Content.Usage.Output}
	if t, ok := TTFE(g.Stream); ok {
		out.First = t
	}
	for gap := range out.Gaps {
		out.LastEvent += gap
	}
	return out
}

// contentGaps are the times between content events.
func contentGaps(s *record.Stream) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		last := record.Never
		for m := range s.Marks() {
			if m.Kind != stream.Content {
				continue
			}
			if last != record.Never && !yield(m.At-last) {
				return
			}
			last = m.At
		}
	}
}
