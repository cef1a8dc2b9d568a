package verdict

import (
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// Harness asks whether we ourselves failed.
type Harness struct{}

func (Harness) Check(s *Scope) Answer {
	return s.noted(record.NoteHarness, broken, "the harness failed")
}

const broken = "harness"

// Able asks whether the stack had what the scenario needs.
type Able struct{}

func (Able) Check(s *Scope) Answer {
	return s.noted(record.NoteUnable, able, "not possible here")
}

const able = "stack able"

// Unable reports whether the stack could not play the scenario.
func (r *ScenarioReport) Unable() bool {
	return slices.ContainsFunc(r.Checks, Check.Unable)
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
func (s *Scope) noted(kind record.NoteKind, name, what string) Answer {
	for _, n := range s.Notes {
		if n.Kind == kind {
			return unsure(name, orElse(n.Settle, "see the run's notes"), "%s: %s", what, n.Text).obliges()
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
			return s.inapplicable("scenario applies", orElse(n.Settle, "see the run's notes"), "%s", n.Text)
		}
	}
	return Answer{}
}

const recordWhole = "record whole"

// cutShort reports whether c says that the run broke or ended early.
func (c Check) cutShort() bool {
	return c.Verdict == Inconclusive && (c.Name == broken || c.Name == recordWhole)
}

// Whole asks whether the scenario was allowed to run to its end and to write
// down all of it.
type Whole struct{}

func (Whole) Check(s *Scope) Answer {
	const name = recordWhole
	if s.Over {
		return pass(name, "the scenario ran to its end").obliges()
	}
	why := "the run was interrupted"
	if !s.Run.Interrupted {
		why = "the record ends before the run does"
		if s.Run.Torn > 0 {
			why += fmt.Sprintf(" (%d bytes at its end are torn)", s.Run.Torn)
		}
	}
	return unsure(name, orElse(s.Run.Plan.Repro, "run it again"), "%s, after %d streams", why, len(s.Streams)).obliges()
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
		return unsure(name, "send more streams, or let them run to their end",
			"need >= %d judged streams, saw %d of %d started", need, n, of).obliges()
	}
	return pass(name, "%d of %d streams", n, of).obliges()
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
		return unsure(name, "declare how the answer ends: a sentinel, its length or its SHA-256; or set stream.plain_path, "+
			"or send Content-Length",
			"%d complete streams have no proof that they are complete: plain text whose end nothing declares%s", n,
			anew(ref, s)).obliges()
	case ref == nil || ref.Alike == 0 && !ref.Plain || s.measured() == 0:
		return Answer{}
	case ref.Plain:
		return pass(name, "%d streams were held against the answer in one piece (%d bytes)", s.measured(),
			ref.Bytes).obliges()
	}
	return pass(name, "%d streams were held against the app's own answer (%d bytes, alike %d of %d times when asked "+
		"directly before the load); "+
		"an end that the app cuts off every time would not show", s.measured(), ref.Bytes, ref.Alike, ref.Asked).obliges()
}

// proofDoubts says once in a run, with the scenario that asked for it, what a
// comparison with the app's own answers cannot show.
func (s *Scope) proofDoubts() []Doubt {
	asked := slices.ContainsFunc(s.Run.References, func(r record.Reference) bool { return r.Scenario == s.Scenario.ID })
	ref := s.learned()
	if !asked || ref.Plain || ref.Alike == 0 || s.measured() == 0 {
		return nil
	}
	return []Doubt{{About: "completeness", Settle: "set stream.plain_path, or declare a sentinel, a length or a SHA-256",
		Why: fmt.Sprintf("nothing declares how the text ends: a stream counts as complete that is equal to what the app "+
			"answered when asked directly before the load "+
			"(%d bytes, alike %d of %d times), so an end that the app cuts off every time would not show", ref.Bytes, ref.Alike,
			ref.Asked)}}
}

// anew says why streams could not be held against a reference.
func anew(ref *record.Reference, s *Scope) string {
	switch {
	case ref == nil:
		return ""
	case ref.Err != "" && ref.Alike == 0:
		return "; asked directly before the load the app did not answer either: " + ref.Err
	case ref.Alike == 0:
		return fmt.Sprintf(", and the app answers each time anew (asked directly %d times before the load)", ref.Asked)
	}
	for i := range s.Streams {
		if c := &s.Streams[i].Content; c.Differs {
			return fmt.Sprintf(", and they say something else than the app's answers before the load (%d bytes, alike %d of "+
				"%d times)", ref.Bytes, ref.Alike, ref.Asked)
		}
	}
	return ""
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
