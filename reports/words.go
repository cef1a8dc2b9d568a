package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/verdict"
)

// shout is a verdict as it stands in a headline.
func shout(v verdict.Verdict) string {
	switch v {
	case verdict.Pass, verdict.Fail, verdict.Flaky:
		return strings.ToUpper(string(v))
	case verdict.NotApplicable:
		return "NOT APPLICABLE"
	default:
		return "INCONCLUSIVE"
	}
}

// headline is one short sentence for the whole run. The reasons in full stand
// once, with the checks.
func headline(in Input) string {
	all := in.scenarios()
	var bad []verdict.ScenarioReport
	for _, s := range all {
		if v := s.Counts(); v == in.Report.Verdict && v != verdict.Pass {
			bad = append(bad, s)
		}
	}
	switch {
	case len(bad) > 0 && in.Report.Verdict == verdict.Fail:
		return which(bad, len(all), "failed") + sins(bad, len(all))
	case len(bad) > 0 && in.Report.Verdict == verdict.Flaky:
		return which(bad, len(all), plural.Is(len(bad))+" flaky")
	case len(bad) > 0:
		return which(bad, len(all), "could not be judged")
	case in.Report.Why != "":
		return in.Report.Why
	case in.Report.Verdict == verdict.Pass:
		return fmt.Sprintf("%s passed, %s", count(len(all), "scenario"), count(in.Report.Started, "stream"))
	}
	return "the run could not be judged"
}

// which reads "control failed", "2 of 8 scenarios failed: cut, stall".
func which(bad []verdict.ScenarioReport, all int, what string) string {
	if all == 1 {
		return bad[0].ID + " " + what
	}
	var ids []string
	for _, s := range bad {
		ids = append(ids, s.ID)
	}
	return fmt.Sprintf("%d of %s %s: %s", len(bad), count(all, "scenario"), what, strings.Join(ids, ", "))
}

// sins reads "; 12 of 40 streams truncated, 3 stalled": the outcomes that no
// scenario allows. It is empty where the failure is another.
func sins(bad []verdict.ScenarioReport, all int) string {
	n, started := map[verdict.Outcome]int{}, 0
	for _, s := range bad {
		started += s.Started
		for _, o := range []verdict.Outcome{verdict.Truncated, verdict.Stalled, verdict.Corrupt} {
			if s.Outcomes[o] > 0 {
				n[o] += s.Outcomes[o]
			}
		}
	}
	if len(n) == 0 {
		return ""
	}
	var parts []string
	of := " of " + count(started, "stream")
	for _, o := range outcomesIn(n) {
		parts = append(parts, thousands(n[o])+of+" "+label(o))
		of = ""
	}
	mark := "; "
	if all == 1 {
		mark = ": "
	}
	return mark + strings.Join(parts, ", ")
}

// meaning says what a verdict means to someone who has never seen one.
func meaning(r *verdict.Report) string {
	switch r.Verdict {
	case verdict.Pass:
		well := "completed or failed cleanly"
		if r.Outcomes[verdict.Aborted]+r.Outcomes[verdict.Refused]+r.Outcomes[verdict.Cancelled] > 0 {
			well = "completed, failed cleanly, or was cut by us where the scenario says so"
		}
		return "Every stream " + well + ", and every scenario that applies proved that it tested something."
	case verdict.Flaky:
		return "Nothing failed each time, but at least one scenario failed and passed when it ran again."
	case verdict.Fail:
		return "Some streams broke in a way that a client cannot handle, or a check failed."
	default:
		return "Nothing is known to be broken, but at least one scenario proved too little to be called a pass."
	}
}

// outcomeDocs explains outcomes in plain words.
var outcomeDocs = map[verdict.Outcome]string{
	verdict.Complete:    "complete response, with its proof of completeness",
	verdict.FailedClean: "the server said that it failed",
	verdict.Cancelled:   "we hung up",
	verdict.Unread:      "in a format that streamproof does not read",
	verdict.Refused:     "no response headers ever came",
	verdict.Aborted:     "cut, but every client can tell",
	verdict.Stalled:     "open but silent past the limit",
	verdict.Truncated:   "looks like a success, but the end is missing",
	verdict.Corrupt:     "bytes, order or ownership wrong",
}

// label is an outcome as a person reads it.
func label(o verdict.Outcome) string {
	if o == verdict.FailedClean {
		return "failed cleanly"
	}
	return string(o)
}

// outcomesIn lists the outcomes that occur, best first, those unknown to us
// last.
func outcomesIn(n map[verdict.Outcome]int) []verdict.Outcome {
	var out, odd []verdict.Outcome
	for _, o := range verdict.Outcomes {
		if n[o] > 0 {
			out = append(out, o)
		}
	}
	for o := range n {
		if n[o] > 0 && !slices.Contains(verdict.Outcomes, o) {
			odd = append(odd, o)
		}
	}
	slices.Sort(odd)
	return append(out, odd...)
}

// tally reads "38 complete, 12 truncated".
func tally(n map[verdict.Outcome]int) string {
	var parts []string
	for _, o := range outcomesIn(n) {
		parts = append(parts, thousands(n[o])+" "+label(o))
	}
	if len(parts) == 0 {
		return "no streams"
	}
	return strings.Join(parts, ", ")
}

// count reads "1 stream", "1,200 streams".
func count(n int, noun string) string { return plural.Of(n, noun) }

// bytesOf is an exact size, by which people search.
func bytesOf(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// thousands writes n with a comma every three digits.
func thousands(n int) string { return plural.Thousands(n) }

// short writes a duration with three digits and its unit: "1.23 s", "410 ms".
func short(d time.Duration) string {
	switch {
	case d < 0:
		return "–"
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return three(float64(d)/1e3) + " µs"
	case d < time.Second:
		return three(float64(d)/1e6) + " ms"
	case d < 10*time.Minute:
		return three(d.Seconds()) + " s"
	}
	return d.Round(time.Second).String()
}

// three writes x with three significant digits and no trailing zeros.
func three(x float64) string {
	prec := 2
	switch {
	case x >= 99.95:
		prec = 0
	case x >= 9.995:
		prec = 1
	}
	s := strconv.FormatFloat(x, 'f', prec, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// seconds turns the seconds of a verdict into a Duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// causeLine reads "likely · edge".
func causeLine(c verdict.Cause) string {
	parts := []string{}
	for _, p := range []string{c.Confidence, c.Layer} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " · ")
}
