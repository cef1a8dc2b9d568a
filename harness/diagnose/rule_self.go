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
			tell(fact{Kind: FactOurLimit, N: len(gs), About: []fact{limitText(v, "total")}}).
			see(fact{Kind: FactWithinGap}, tightest(gs)).
			not("stalled", fact{Kind: NotSilentAtLimit}).
			mend(fact{Kind: MendTotalLimit}))
	}
	if gs := v.take(v.Lost); len(gs) > 0 {
		fs = append(fs, found(SelfInflicted, layerHarness, certain, gs).
			tell(fact{Kind: FactClusterLost, N: len(gs)}).see(tightest(gs)).
			mend(fact{Kind: MendCluster}))
	}
	if gs := v.take(outOfResources); len(gs) > 0 {
		fs = append(fs, found(SelfInflicted, layerHarness, certain, gs).
			tell(fact{Kind: FactNoDescriptors, N: len(gs)}).
			see(fact{Kind: FactError, Text: gs[0].Wire.Err}).
			mend(fact{Kind: MendDescriptors}))
	}
	if gs := v.take(func(g *verdict.Graded) bool { return g.Grade.Ending == verdict.TooLarge }); len(gs) > 0 {
		fs = append(fs, found(TooMuch, layerApp, likely, gs).
			tell(fact{Kind: FactTooMuch, N: len(gs), Name: string(gs[0].Limit)}).
			see(reason(gs[0])).
			mend(fact{Kind: MendEventSize}))
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

// limitText is one of our limits, where the plan tells.
func limitText(v *view, name string) fact {
	if l := v.Run.Plan.Limits[name]; l != "" {
		return fact{Kind: FactLimit, Name: l}
	}
	return fact{}
}
