package diagnose

import (
	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/verdict"
)

// warnings lints the layers against the streams that were expected and those that
// came. Where we injected a fault the silences are ours, and say nothing.
func warnings(s *verdict.Scope) []verdict.Warning {
	load := lint.LoadOf(s.Scenario)
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Grade.Outcome != verdict.Complete || s.Scenario.Policy.Faulty {
			continue
		}
		load.Silence = max(load.Silence, g.MaxGap)
		if d, ok := verdict.DurationOf(g.Stream); ok {
			load.Longest = max(load.Longest, d)
		}
	}
	return lint.Check(s.Scenario.Layers, s.Run.Plan.Limits, load)
}
