package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// appHop is the innermost place at which the chain can be entered.
const appHop = "app"

// minDirect is how many streams of the direct arm make a reference.
const minDirect = 3

// directSpan returns how long the content of a complete stream took when it was
// asked of the app directly, in this run: the emission span of an app that
// stamps nothing. 0 where too few streams say.
func directSpan(run *record.Run) time.Duration {
	var spans []time.Duration
	for i := range run.Streams {
		s := &run.Streams[i]
		if s.Hop == appHop && s.EmitFirst == 0 && s.Contents > minApart && s.Last > s.First && s.First != record.Never {
			spans = append(spans, s.Last-s.First)
		}
	}
	if len(spans) < minDirect {
		return 0
	}
	slices.Sort(spans)
	return spans[len(spans)/2]
}

// flagAgainst sets Buffered on a stream without stamps whose content took less
// than half the time that it takes without the chain.
func flagAgainst(direct time.Duration, s *record.Stream, g *Grade) {
	if direct < minSpan || s.EmitFirst != 0 || s.Hop == appHop || g.Outcome != Complete || s.Contents <= minApart {
		return
	}
	b := Buffering{Arrival: s.Last - s.First, Emission: direct}
	if b.Buffered() {
		g.Flags = append(g.Flags, Buffered)
	}
}
