package verdict

import (
	"slices"

	"fmt"

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
func (s *Scope) noted(kind, name, what string) Answer {
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
	const name = "streams to judge"
	need := max(1, s.Scenario.Policy.MinStreams)
	n := 0
	for i := range s.Streams {
		if s.Streams[i].Grade.Outcome.counted() && !s.Streams[i].Group.Alone() {
			n++
		}
	}
	if n < need {
		return unsure(name, "send more streams, or let them run to their end",
			"need >= %d judged streams, saw %d of %d started", need, n, len(s.Streams)).obliges()
	}
	return pass(name, "%d of %d streams", n, len(s.Streams)).obliges()
}

// Provable asks whether the streams that count as complete could have been
// found out if they were not.
type Provable struct{}

func (Provable) Check(s *Scope) Answer {
	const name = "completeness provable"
	n := s.flagged(Unprovable)
	if n == 0 || s.loose.disproved() { // then Terminal has said why
		return Answer{}
	}
	return unsure(name, "declare how the answer ends: a sentinel, its length or its SHA-256; or send Content-Length",
		"%d complete streams bear no proof that they are whole: plain text whose end nothing declares", n).obliges()
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
