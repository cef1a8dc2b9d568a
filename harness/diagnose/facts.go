package diagnose

import "github.com/streamproof/streamproof/harness/record"

// fact is short for what rules find.
type fact = record.Fact

// What rules found, in facts that package reports words, beside those of package
// verdict. The comment at a kind tells its figures.
const (
	FactSlowPressed    record.FactKind = "slow under pressure" // N streams; About: the excuse
	FactSlowStarved    record.FactKind = "slow, starved"       // N streams; About: the excuse
	FactMisread        record.FactKind = "misread"             // N answers, read as Name; About: their form
	FactMostlyInPart   record.FactKind = "mostly in part"      // About: what one part says; N of Of parts do; Need streams
	FactRuledOut       record.FactKind = "ruled out"           // Name; About: why
	FactStream         record.FactKind = "stream"              // Stream; About: its reason, or else Name, a verdict.Ending
	FactEdgeCompresses record.FactKind = "edge compresses"     //
	FactLiveAt         record.FactKind = "live at"             // N streams at hop Place; About: verdict.FactPacing
	FactJoinedByApp    record.FactKind = "joined by app"       // N of Of answers; Stream; About: how the first one came

	// N events of Stream; Times: written over, arrived within; Share: B; Need of Of neighbours together
	FactCollapsed record.FactKind = "collapsed"

	NextLogYields record.FactKind = "next: log yields"
)

// orFact is f where it is there.
func orFact(f record.Fact, fallback record.FactKind) record.Fact {
	if f.Kind != "" {
		return f
	}
	return record.Fact{Kind: fallback}
}
