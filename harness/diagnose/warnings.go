package diagnose

import (
	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// warnings lints the layers against the streams that were expected and those that
// came. Where we injected a fault the silences are ours, and say nothing.
func warnings(s *verdict.Scope) []verdict.Warning {
	load := lint.LoadOf(s.Scenario)
	whole := true
	for i := range s.Streams {
		g := &s.Streams[i]
		whole = whole && g.Grade.Outcome == verdict.Complete
		if g.Grade.Outcome != verdict.Complete || s.Scenario.Policy.Faulty {
			continue
		}
		load.Silence = max(load.Silence, g.MaxGap)
		// Before its head a stream may have waited in a queue, where no timer of
		// its own runs.
		if g.End != record.Never && g.Headers != record.Never && g.End-g.Headers >= load.Longest {
			load.Longest, load.Lived = g.End-g.Headers, true
		}
	}
	load.Lived = load.Lived && whole
	return lint.Check(s.Scenario.Layers, s.Run.Plan.Limits, load)
}
