package diagnose

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// What rules found, in facts that package reports words, beside those of package
// verdict. The comment behind a kind tells its figures.
const (
	FactSlowPressed    record.FactKind = "slow under pressure" // N streams; About: the excuse
	FactSlowStarved    record.FactKind = "slow, starved"       // N streams; About: the excuse
	FactMisread        record.FactKind = "misread"             // N answers, read as Name; About: their form
	FactMostlyInPart   record.FactKind = "mostly in part"      // About: what one part says; N of Of parts do, of Need streams
	FactRuledOut       record.FactKind = "ruled out"           // Name; About: why
	FactStream         record.FactKind = "stream"              // Stream; About: its reason, or else Name, a verdict.Ending
	FactCollapsed      record.FactKind = "collapsed"           // N events of Stream; Times: written over, arrived within; Share: B; Need of Of neighbours together
	FactEdgeCompresses record.FactKind = "edge compresses"     //
	FactLiveAt         record.FactKind = "live at"             // N streams at hop Place; About: verdict.FactPacing
	FactJoinedByApp    record.FactKind = "joined by app"       // N of Of answers; Stream; About: how the first one came

	NextLogYields record.FactKind = "next: log yields"
)

// orFact is f where it is there.
func orFact(f record.Fact, fallback record.FactKind) record.Fact {
	if f.Kind != "" {
		return f
	}
	return record.Fact{Kind: fallback}
}

// brief writes a time for the reader, with three significant digits: "26 ms", "2.7 s".
func brief(d time.Duration) string {
	if d < time.Second {
		return three(float64(d)/float64(time.Millisecond)) + " ms"
	}
	return three(d.Seconds()) + " s"
}

func three(x float64) string {
	digits := 3
	if x > 0 {
		digits = min(max(2-int(math.Floor(math.Log10(x))), 0), 9)
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
