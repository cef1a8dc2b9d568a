package reports

import (
	"fmt"

	comparing "github.com/streamproof/streamproof/harness/compare"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfComparisons are the sentences of what stands beside the figures of a comparison.
var saidOfComparisons = map[record.FactKind]sentence{
	comparing.FactOnly:     func(f *record.Fact) string { return f.Name + " is in " + f.Place + " alone" },
	comparing.FactCutShort: func(f *record.Fact) string { return f.Name + " was cut short" },
	comparing.FactMachines: func(f *record.Fact) string {
		return fmt.Sprintf("different machines: %s, and %s", f.Name, f.Text)
	},
	comparing.FactNowhere: func(f *record.Fact) string {
		if f.N == 0 {
			return f.Name + " does not say which machine it ran on"
		}
		return fmt.Sprintf("%s and %s do not say which machine they ran on", f.Name, count(f.N, "other run"))
	},
	comparing.FactLoads: func(f *record.Fact) string {
		return fmt.Sprintf("different loads: %s, and %s", f.Name, f.Text)
	},
	comparing.FactBlocks: func(f *record.Fact) string {
		return fmt.Sprintf("%d and %d blocks of time, %d are needed on each side: a longer load has more", f.N, f.Of, f.Need)
	},
	comparing.FactAtBest: func(f *record.Fact) string {
		return fmt.Sprintf("in the better quarter of the time it is %+.0f %%, so it may be the machine", 100*f.Share)
	},
	comparing.FactMissing: func(f *record.Fact) string { return "a figure that was not measured in " + f.Name },
	comparing.FactPerhaps: func(f *record.Fact) string { return perhaps(f, "%") },
	comparing.FactPoints:  func(f *record.Fact) string { return perhaps(f, "points") },
	comparing.FactUnsteady: func(f *record.Fact) string {
		return fmt.Sprintf("in runs as unsteady as these, less than %.3g%s does not count", f.Share, f.Text)
	},
	comparing.FactMoreRuns: func(f *record.Fact) string { return count(f.N, "more run") + " of each would do" },
}

// perhaps is what a change may be that could not be told from none.
func perhaps(f *record.Fact, unit string) string {
	return fmt.Sprintf("the change may be anything from %+.1f to %+.1f %s",
		100*f.About[0].Share, 100*f.About[1].Share, unit)
}
