package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// Harness asks whether we ourselves failed.
type Harness struct{}

func (Harness) Check(s *Scope) Answer {
	return s.noted(record.NoteHarness, broken, FactHarness)
}

const broken = "harness"

// Able asks whether the stack had what the scenario needs.
type Able struct{}

func (Able) Check(s *Scope) Answer {
	return s.noted(record.NoteUnable, able, FactUnable)
}

const able = "stack able"

// Unable reports whether the stack could not play the scenario. What streams did wrong
// before that was known stands.
func (r *ScenarioReport) Unable() bool {
	return r.Verdict == Inconclusive && slices.ContainsFunc(r.Checks, Check.Unable)
}

// Unable reports whether c says that the stack could not play its scenario: all
// other checks that are open then follow from it.
func (c Check) Unable() bool { return c.Name == able && c.Verdict == Inconclusive }

// Unbegun reports whether the scenario ended before its first stream, by a
// failure of ours or for want of a stack: whatever else is open follows from
// that.
func (r *ScenarioReport) Unbegun() bool {
	return r.Unable() || r.Started == 0 && slices.ContainsFunc(r.Checks, Check.broke)
}

// Prevents reports whether c can be why a scenario never began.
func (c Check) Prevents() bool { return c.Unable() || c.broke() }

func (c Check) broke() bool { return c.Name == broken && c.Verdict == Inconclusive }

// noted turns the first note of a kind into a doubt.
func (s *Scope) noted(kind record.NoteKind, name string, what record.FactKind) Answer {
	for _, n := range s.Notes {
		if n.Kind == kind {
			return unsure(name, nextOr(n.Settle, NextNotes), fact{Kind: what, Text: n.Text}).obliges()
		}
	}
	return Answer{}
}

// Applies asks whether the app has what the scenario is about. It arises where
// the harness met an app that has not.
type Applies struct{}

func (Applies) Check(s *Scope) Answer {
	for _, n := range s.Notes {
		if n.Kind == record.NoteInapplicable {
			return s.inapplicable("scenario applies", nextOr(n.Settle, NextNotes), record.Quoted(n.Text))
		}
	}
	return Answer{}
}

const recordWhole = "record whole"

// cutShort reports whether c says that the run broke or ended early.
func (c Check) cutShort() bool {
	return c.Verdict == Inconclusive && (c.Name == broken || c.Name == recordWhole || c.Name == loadWorkers)
}

// standsAlone reports whether c is a doubt that follows from nothing that the app has
// not got: the run broke, streams broke a rule, or some have no outcome.
func (c Check) standsAlone() bool {
	if c.Verdict != Inconclusive {
		return false
	}
	switch c.Name {
	case endWell, untouched:
		return c.Fact.Kind != FactUnending
	case sumsUp:
		return true
	}
	return c.cutShort()
}

// Whole asks whether the scenario was allowed to run to its end and to write
// down all of it.
type Whole struct{}

func (Whole) Check(s *Scope) Answer {
	const name = recordWhole
	if s.Over {
		return pass(name, next(FactOver)).obliges()
	}
	why := fact{Kind: FactInterrupted, N: len(s.Streams)}
	if !s.Run.Interrupted {
		why.Kind, why.Bytes = FactTorn, int64(s.Run.Torn)
	}
	return unsure(name, fact{Kind: NextAgain, Text: s.Run.Plan.Repro}, why).obliges()
}

// Enough asks whether there were streams to judge.
type Enough struct{}

func (Enough) Check(s *Scope) Answer {
	n := 0
	for i := range s.Streams {
		if s.Streams[i].toJudge() {
			n++
		}
	}
	return s.enough(n, len(s.Streams))
}

// toJudge reports whether g is a stream of the load that is judged.
func (g *Graded) toJudge() bool { return g.Grade.Outcome.counted() && !g.Group.Alone() }

// enough answers for so many judged streams of so many.
func (s *Scope) enough(n, of int) Answer {
	const name = "streams to judge"
	need := max(1, s.Scenario.Policy.MinStreams)
	if n < need {
		return unsure(name, next(NextMoreStreams), fact{Kind: FactFew, N: n, Of: of, Need: need}).obliges()
	}
	return pass(name, fact{Kind: FactEnough, N: n, Of: of}).obliges()
}

// Provable asks whether the streams that count as complete could have been
// found out if they were not.
type Provable struct{}

func (Provable) Check(s *Scope) Answer {
	const name = "completeness provable"
	n := s.flagged(Unprovable)
	if s.loose.disproved() { // then Terminal has said why
		return Answer{}
	}
	ref := s.learned()
	switch {
	case n > 0:
		return unsure(name, next(NextDeclareEnd), fact{Kind: FactUnproved, N: n, About: about(anew(ref, s))}).obliges()
	case ref == nil || ref.Alike == 0 && !ref.Plain || s.measured() == 0:
		return Answer{}
	case ref.Plain:
		return pass(name, fact{Kind: FactAgainstPlain, N: s.measured(), Bytes: int64(ref.Bytes)}).obliges()
	}
	return pass(name, fact{Kind: FactAgainst, N: s.measured(), About: []fact{learnedFrom(ref, FactLearned)}}).obliges()
}

// proofDoubts says once in a run, with the scenario that asked for it, what a
// comparison with the app's own answers cannot show.
func (s *Scope) proofDoubts() []Doubt {
	asked := slices.ContainsFunc(s.Run.References, func(r record.Reference) bool { return r.Scenario == s.Scenario.ID })
	ref := s.learned()
	if !asked || ref.Plain || ref.Alike == 0 || s.measured() == 0 {
		return nil
	}
	return []Doubt{doubtOn("completeness", learnedFrom(ref, FactLearned), next(NextDeclareProof))}
}

// learnedFrom is what is known of a reference.
func learnedFrom(ref *record.Reference, k record.FactKind) fact {
	return fact{Kind: k, Bytes: int64(ref.Bytes), N: ref.Alike, Of: ref.Asked}
}

// anew says why streams could not be held against a reference.
func anew(ref *record.Reference, s *Scope) *fact {
	switch {
	case ref == nil:
		return nil
	case ref.Err != "" && ref.Alike == 0:
		return &fact{Kind: FactNoAnswer, Text: ref.Err}
	case ref.Alike == 0:
		return &fact{Kind: FactAnew, N: ref.Asked}
	}
	for i := range s.Streams {
		if c := &s.Streams[i].Content; c.Differs {
			f := learnedFrom(ref, FactDiffers)
			return &f
		}
	}
	return nil
}

// learned is what texts were held against in this scenario or, where it asks the
// same, in an earlier one; nil for nothing.
func (s *Scope) learned() *record.Reference {
	var last *record.Reference
	for i := range s.Run.References {
		if last = &s.Run.References[i]; last.Scenario == s.Scenario.ID {
			break
		}
	}
	return last
}

// measured counts the whole streams that were held against a reference.
func (s *Scope) measured() (n int) {
	for i := range s.Streams {
		if g := &s.Streams[i]; g.Content.Measured > 0 && !g.Content.Differs && g.Grade.Outcome == Complete {
			n++
		}
	}
	return n
}

func (s *Scope) flagged(f Flag) int {
	n := 0
	for i := range s.Streams {
		if s.Streams[i].Grade.Has(f) {
			n++
		}
	}
	return n
}
