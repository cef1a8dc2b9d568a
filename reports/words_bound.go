package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// proven reads "20 of 20: fewer than 14 % of streams fail, at 95 % confidence; 300 would prove
// 1 %". It is empty where nothing is.
func proven(p *verdict.Bound) string {
	if p == nil {
		return ""
	}
	s := fmt.Sprintf("%d of %d: fewer than %s %% of streams fail, at %.0f %% confidence", p.Streams-p.Failed, p.Streams,
		percentUp(p.Below), p.Confidence*100)
	if p.Below > 0.01 && p.Failed == 0 {
		s += fmt.Sprintf("; %d would prove 1 %%", (p.Percent+9)/10*10)
	}
	return s
}

// percentUp rounds a share up, to whole percents or two digits: what is claimed holds.
func percentUp(share float64) string {
	p := share * 100
	unit := 1.0
	if p < 1 {
		unit = math.Pow(10, math.Floor(math.Log10(p))-1)
	}
	return exactly(math.Ceil(p/unit-1e-9) * unit)
}

// exactly writes x with three significant digits, however small it is, and never an
// exponent.
func exactly(x float64) string {
	digits := 3
	if a := math.Abs(x); a > 0 {
		digits = min(max(2-int(math.Floor(math.Log10(a))), 0), 9)
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// produced sets the answers that the app finished beside those that clients got. It
// tells an answer that was lost on the way from one that was never made.
func produced(f *record.Fact) string {
	finished := fmt.Sprintf("the app finished %s of %s", thousands(f.N), count(f.Of, "answer"))
	if lost := f.N - f.Need; lost > 0 {
		return fmt.Sprintf("%s, but clients received only %s complete: %s %s lost on the way (%s)", finished,
			thousands(f.Need), thousands(lost), were(lost), f.Text)
	}
	return fmt.Sprintf("%s: it never finished %s of these (%s)", finished, thousands(f.Of-f.N), f.Text)
}

// production is the same of what a cause knows.
func production(p *verdict.Production) string {
	f := p.Fact()
	return Say(&f)
}
