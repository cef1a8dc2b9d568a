package reports

import (
	"cmp"
	"fmt"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfCauses are the sentences of what package diagnose found.
var saidOfCauses = map[record.FactKind]sentence{
	diagnose.FactSlowPressed: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s slow or silent: %s, and the kernel holds up every process of a container at its limit", count(f.N, "stream"), were(f.N), inside(f, 0))
	},
	diagnose.FactSlowStarved: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s slow or silent while %s: the app may not be at fault", count(f.N, "stream"), were(f.N), inside(f, 0))
	},
	diagnose.FactMisread: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s %s, and %s read as %s: what they hold is not judged", count(f.N, "answer"), are(f.N), inside(f, 0), were(f.N), f.Name)
	},
	diagnose.FactMostlyInPart: func(f *record.Fact) string {
		return fmt.Sprintf("%s (in the part of the run with most of them; %d of %d parts show it, in %s)", inside(f, 0), f.N, f.Of, count(f.Need, "stream"))
	},
	diagnose.FactRuledOut: func(f *record.Fact) string { return f.Name + ": " + inside(f, 0) },
	diagnose.FactStream: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s", f.Stream, cmp.Or(inside(f, 0), f.Name))
	},
	diagnose.FactCollapsed: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s written over %s arrived within %s (B = %.2f; %d of %d neighbours together)",
			f.Stream, count(f.N, "event"), timeAt(f, 0), timeAt(f, 1), f.Share, f.Need, f.Of)
	},
	diagnose.FactEdgeCompresses: plain("the edge is set up to compress"),
	diagnose.FactLiveAt: func(f *record.Fact) string {
		return fmt.Sprintf("entered at %s, all events of %s arrive one by one%s", f.Place, count(f.N, "stream"), after(": ", inside(f, 0)))
	},
	diagnose.FactJoinedByApp: func(f *record.Fact) string {
		return fmt.Sprintf("asked directly, the app sent %s in one piece (stream %d: %s): it joins the events, or the answer was ready at once",
			nOf(f, "answer"), f.Stream, inside(f, 0))
	},
	diagnose.NextLogYields: plain("log when each event is yielded, and compare with the time of the first byte"),
}
