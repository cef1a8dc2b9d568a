package diagnose

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/verdict"
)

// appHop is the hop at which only the app itself is asked.
const appHop = "app"

// A direct is what became of streams, in this run, that were asked of the app
// itself: what happens there is no edge's doing.
type direct struct {
	clean, cut int // streams without a terminal that ended properly, or not
}

// directOf looks at the streams of all scenarios.
func directOf(s *verdict.Scope) direct {
	var d direct
	for i := range s.Run.Streams {
		st := &s.Run.Streams[i]
		if st.Hop != appHop || st.Content.Terminals > 0 {
			continue
		}
		switch verdict.GradeStream(st, s.Scenario.Policy).Outcome {
		case verdict.Truncated:
			d.clean++
		case verdict.Aborted:
			d.cut++
		}
	}
	return d
}

// alike says that the app ends its streams in the same way without an edge.
func (d direct) alike() string {
	if d.clean == 0 {
		return ""
	}
	return fmt.Sprintf("asked directly, %d streams ended in the same clean way", d.clean)
}

// differs says that the same streams are cut where no edge stands.
func (d direct) differs() string {
	if d.clean > 0 || d.cut == 0 {
		return ""
	}
	return fmt.Sprintf("asked directly, %d streams were visibly cut", d.cut)
}
