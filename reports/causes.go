package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A causeView is one card of the diagnosis.
type causeView struct {
	Rank       string // "cause", then "and" or "or": causes are ranked
	Anchor     string
	Cause      string
	Line       string // confidence, layer
	About      string // where the cause is described
	Confidence string
	Summary    string
	Explains   string
	Compared   []compared
	Evidence   []evidenceView
	RuledOut   []string
	Candidates []verdict.Candidate
	Fix        []part
	Next       *part // what to run or to do next
	Examples   []example

	// Where a cause stands at the top of the page:
	Scenarios []scenarioLink
	Above     string // in a scenario: the place at the top where the rest stands
}

// A scenarioLink leads to a scenario that a cause was found in.
type scenarioLink struct{ ID, Link, Count string }

// An example is a stream that a cause explains; it has a link where it is drawn.
type example struct {
	Seq  uint64
	Link string
}

// An evidenceView is one piece of evidence; a log line comes with its place and
// time.
type evidenceView struct{ Where, At, Text string }

// causes adds the causes of a scenario. The first and its rivals stand in full at
// the top of the page: here is only what is this scenario's own. Guesses are a
// folded list behind them.
func (b *builder) causes(out *section, s verdict.ScenarioReport, rows []row) {
	s.Causes, out.Note = blamed(s)
	var names []string
	for i, c := range s.Causes {
		v := b.cause(s, i, c, rows)
		if !further(s.Causes, i) {
			out.Causes = append(out.Causes, b.pointed(s.ID, c, v))
			continue
		}
		v.Compared = nil
		if sameEvidence(c, s.Causes[0]) {
			v.Evidence = nil // it stands above
		}
		out.Others, names = append(out.Others, v), append(names, v.Cause)
	}
	if len(names) > 0 {
		out.OthersLine = furtherLine(names)
	}
}

// pointed leaves in a cause what the top of the page does not say.
func (b *builder) pointed(id string, c verdict.Cause, v causeView) causeView {
	i := slices.IndexFunc(b.distinct, func(d distinct) bool { return d.Cause.Cause == c.Cause && d.Layer == c.Layer })
	if i < 0 {
		return v
	}
	d := &b.distinct[i]
	v.Above = topAnchor(i)
	v.About, v.Fix, v.Candidates = "", nil, nil
	if d.From == id || sameEvidence(d.Cause, c) {
		v.Summary, v.Evidence, v.RuledOut, v.Next = "", nil, nil, nil
	}
	return v
}

// sameEvidence reports whether two causes show the same, whatever holds it.
func sameEvidence(a, b verdict.Cause) bool {
	return slices.EqualFunc(a.Evidence, b.Evidence, func(x, y record.Evidence) bool { return x.String() == y.String() })
}

// topAnchor is where the i-th distinct cause stands at the top of the page.
func topAnchor(i int) string { return fmt.Sprintf("cause-%d", i+1) }

// topCauses are the distinct causes of the run as cards.
func (b *builder) topCauses(sections []*section) []causeView {
	var out []causeView
	for i, d := range b.distinct {
		v := causeView{
			Rank: map[string]string{"cause": "Cause", "or": "Or"}[d.Rank], Anchor: topAnchor(i), Cause: title(d.Cause.Cause),
			Line: causeLine(d.Cause), About: diagnose.Link(d.Cause.Cause), Confidence: d.Confidence, Summary: d.Summary,
			Explains: explained(d), RuledOut: d.RuledOut, Candidates: d.Candidates, Fix: parts(d.Fix), Next: nextStep(d.Settle),
		}
		for _, e := range d.Evidence {
			v.Evidence = append(v.Evidence, evidence(e))
		}
		for _, w := range d.Where {
			l := scenarioLink{ID: w.ID}
			if w.Count > 0 {
				l.Count = thousands(w.Count)
			}
			if at := slices.IndexFunc(sections, func(s *section) bool { return s.ID == w.ID }); at >= 0 {
				l.Link = "#" + sections[at].Anchor
			}
			v.Scenarios = append(v.Scenarios, l)
		}
		out = append(out, v)
	}
	return out
}

// explained reads "explains 14 streams"; the scenarios follow as links.
func explained(d distinct) string {
	if d.Total == 0 {
		return "found"
	}
	return "explains " + count(d.Total, "stream")
}

func nextStep(s string) *part {
	if s == "" {
		return nil
	}
	p := step(s)
	return &p
}

// rankOf is how the i-th cause stands to those before it: "or" where it may be in
// their place, "and" where it explains other streams.
func rankOf(causes []verdict.Cause, i int) string {
	c := causes[i]
	instead := c.Confidence == "possible" || slices.ContainsFunc(causes[:i], func(e verdict.Cause) bool {
		return len(e.Streams) > 0 && slices.Equal(e.Streams, c.Streams)
	})
	switch {
	case i == 0:
		return "cause"
	case instead:
		return "or"
	}
	return "and"
}

// brokenChecks reads "checks that failed: one check; another".
func brokenChecks(checks []string) string {
	return "checks that failed: " + strings.Join(labels(checks), "; ")
}

func labels(checks []string) []string {
	var out []string
	for _, c := range checks {
		out = append(out, checkLabel(c))
	}
	return out
}

// furtherLine reads "2 further possible causes: one, two".
func furtherLine(names []string) string {
	return count(len(names), "further possible cause") + ": " + strings.Join(names, ", ")
}

func (b *builder) cause(s verdict.ScenarioReport, i int, c verdict.Cause, rows []row) causeView {
	v := causeView{
		Rank: "Cause", Anchor: b.anchor(s.ID, "cause", strconv.Itoa(i+1)), Cause: title(c.Cause),
		Line: causeLine(c), About: diagnose.Link(c.Cause), Confidence: c.Confidence, Summary: c.Summary,
		RuledOut: c.RuledOut, Candidates: c.Candidates, Fix: parts(c.Fix), Next: nextStep(c.Settle),
		Compared: compare(c, rows),
	}
	if i > 0 {
		v.Rank = map[string]string{"and": "And", "or": "Or"}[rankOf(s.Causes, i)]
	}
	for _, earlier := range s.Causes[:i] {
		if slices.Equal(earlier.Streams, c.Streams) {
			v.Compared = nil // the same streams stand beside the same control above
		}
	}
	if c.Count > 0 {
		v.Explains = "explains " + count(c.Count, "stream")
		if len(c.Checks) > 0 {
			v.Explains += " · " + brokenChecks(c.Checks)
		}
	}
	for _, e := range c.Evidence {
		v.Evidence = append(v.Evidence, evidence(e))
	}
	for _, seq := range c.Streams {
		e := example{Seq: seq}
		if slices.ContainsFunc(rows, func(r row) bool { return r.Seq == seq }) {
			e.Link = fmt.Sprintf("#l%d", seq)
		}
		v.Examples = append(v.Examples, e)
	}
	return v
}

func evidence(e record.Evidence) evidenceView {
	if e.Log == "" {
		return evidenceView{Text: e.Text}
	}
	v := evidenceView{Where: fmt.Sprintf("%s:%d", e.Log, e.Line), Text: e.Text + e.Remark}
	if e.At >= 0 {
		v.At = stamp(e.At)
	}
	return v
}

// A compared is a line of the small table that sets the streams of a cause beside
// those that nothing happened to: the difference is the evidence.
type compared struct {
	Who, N, Whole, Ending, Events, First, Gap string
	Struck                                    bool
}

// compare puts the examples of a cause above the control group and the baseline.
func compare(c verdict.Cause, rows []row) []compared {
	struck := pick(rows, func(r row) bool { return slices.Contains(c.Streams, r.Seq) })
	if len(struck) == 0 {
		return nil
	}
	line := summed(fmt.Sprintf("explained (%d of %s)", len(struck), thousands(max(c.Count, len(struck)))), struck)
	line.Struck = true
	out := []compared{line}
	for _, other := range []struct {
		who   string
		group record.Group
	}{{"control", record.Control}, {"before the fault", record.Baseline}} {
		rest := pick(rows, func(r row) bool { return r.Group == other.group && !slices.Contains(c.Streams, r.Seq) })
		if len(rest) > 0 {
			out = append(out, summed(other.who, rest))
		}
	}
	if len(out) == 1 { // no group of its own: those that came through
		well := pick(rows, func(r row) bool { return r.Grade.Outcome == verdict.Complete })
		if len(well) > 0 {
			out = append(out, summed("complete ones", well))
		}
	}
	return out
}

func pick(rows []row, want func(row) bool) []row {
	var out []row
	for _, r := range rows {
		if want(r) {
			out = append(out, r)
		}
	}
	return out
}

func summed(who string, rows []row) compared {
	endings := map[string]int{}
	var first, gap []time.Duration
	var events []int
	whole := 0
	for _, r := range rows {
		endings[string(r.Grade.Ending)]++
		events = append(events, r.Contents)
		if d := firstEvent(r.Stream); d >= 0 {
			first = append(first, d)
		}
		if d := longestGap(r.Stream); d >= 0 {
			gap = append(gap, d)
		}
		if r.Grade.Outcome == verdict.Complete {
			whole++
		}
	}
	slices.Sort(events)
	return compared{
		Who: who, N: thousands(len(rows)), Whole: fmt.Sprintf("%d %%", whole*100/len(rows)),
		Ending: commonest(endings, len(rows)), Events: fmt.Sprint(events[len(events)/2]),
		First: medianText(first), Gap: medianText(gap),
	}
}

func medianText(d []time.Duration) string {
	if len(d) == 0 {
		return "–"
	}
	slices.Sort(d)
	return short(median(d))
}

// commonest reads "RST in body (8 of 10)".
func commonest(n map[string]int, total int) string {
	best := ""
	for _, k := range sortedKeys(n) {
		if n[k] > n[best] {
			best = k
		}
	}
	if n[best] == total {
		return best
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%d of %d)", best, n[best], total))
}
