package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// proof plays the same in streamproof and sums its report up.
func proof(ctx context.Context, opener stack.Opener, dir string) (string, error) {
	sc := scenarios.LaunderedKill()
	sc.Workers, sc.Fault = 1, fault.Crash{}
	sc.Shape.Events, sc.Shape.Gap, sc.When.Events = events, gap, events/2
	r, err := scenarios.Execute(ctx,
		harness.Options{Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: streams},
			Dir: dir, Seed: 1, Opener: opener, Tool: "demo"})
	if err != nil {
		return "", err
	}
	return sumUp(&r.Scenarios[0]), nil
}

func sumUp(s *verdict.ScenarioReport) string {
	var b strings.Builder
	for _, g := range s.Groups {
		if g.Group == record.Victim {
			fmt.Fprintf(&b, "%s  %d of %d streams silently truncated: status 200, a valid last chunk, and no end of the "+
				"answer.\n",
				strings.ToUpper(string(s.Verdict)), g.Outcomes[verdict.Truncated], g.Started)
		}
	}
	if len(s.Causes) == 0 {
		return b.String()
	}
	c := s.Causes[0]
	fmt.Fprintf(&b, "\ncause: %s (%s)\n", c.Cause, c.Confidence)
	for _, e := range c.Evidence {
		fmt.Fprintf(&b, "- %s\n", e)
	}
	fmt.Fprintf(&b, "\nfix: %s\n", c.Fix)
	return b.String()
}
