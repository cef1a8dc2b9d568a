package diagnose

import (
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// selfInflicted (D6) comes first: what we did ourselves accuses nobody.
type selfInflicted struct{}

func (selfInflicted) match(v *view) []*finding {
	var fs []*finding
	if gs := v.take(stillReceiving(v)); len(gs) > 0 {
		fs = append(fs, found(SelfInflicted, layerHarness, certain, gs).
			say("our own total limit%s ended %d streams that were still receiving", limitText(v, "total"), len(gs)).
			see("the last content of each came within the gap limit of its end", tightest(gs)).
			not("stalled", "content was flowing when we hung up").
			mend("raise the total limit above the longest stream: --total-limit 10m, or limits.total in the file"))
	}
	if gs := v.take(outOfResources); len(gs) > 0 {
		fs = append(fs, found(SelfInflicted, layerHarness, certain, gs).
			say("this machine ran out of descriptors or ports for %d streams", len(gs)).
			see("error: "+gs[0].Wire.Err).
			mend("ulimit -n 65536, or a lower number of streams"))
	}
	if gs := v.take(func(g *verdict.Graded) bool { return g.Grade.Ending == verdict.TooLarge }); len(gs) > 0 {
		fs = append(fs, found(TooMuch, layerApp, likely, gs).
			say("%d streams sent more than our limit on %s", len(gs), gs[0].Limit).
			see(reason(gs[0])).
			mend("bound the size of one event; or raise our limit if such answers are right"))
	}
	return fs
}

func stillReceiving(v *view) func(*verdict.Graded) bool {
	patience := v.Scenario.Policy.GapLimit / 2
	return func(g *verdict.Graded) bool {
		if g.Limit != record.TotalLimit || g.Grade.Outcome != verdict.Stalled || v.feed(g) {
			return false
		}
		last := lastContent(g)
		return last != record.Never && g.End-last < max(patience, minSilence)
	}
}

func outOfResources(g *verdict.Graded) bool {
	return strings.Contains(g.Wire.Err, "too many open files") ||
		strings.Contains(g.Wire.Err, "cannot assign requested address")
}

func limitText(v *view, name string) string {
	if l := v.Run.Plan.Limits[name]; l != "" {
		return " of " + l
	}
	return ""
}
