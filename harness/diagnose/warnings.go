package diagnose

import (
	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// warnings lints the layers against the streams that the user expects, and takes
// back what the streams that came refute: a timer that a whole stream outlived
// cuts nobody, whatever it says. Where we injected a fault the silences are ours,
// and say nothing.
func warnings(s *verdict.Scope) []verdict.Warning {
	load := lint.LoadOf(s.Scenario)
	cut := false
	for i := range s.Streams {
		g := &s.Streams[i]
		cut = cut || isCut(g) && !g.Struck
		if g.Grade.Outcome != verdict.Complete || s.Scenario.Policy.Faulty {
			continue
		}
		load.Quiet = max(load.Quiet, g.MaxGap)
		// Before its head a stream may have waited in a queue, where no timer of
		// its own runs.
		if g.End != record.Never && g.Headers != record.Never {
			load.Lived = max(load.Lived, g.End-g.Headers)
		}
	}
	if cut { // by a timer, perhaps: which ones could have?
		load.Longest, load.Silence = max(load.Longest, load.Lived), max(load.Silence, load.Quiet)
	}
	return lint.Check(s.Scenario.Layers, s.Run.Plan.Limits, load)
}
