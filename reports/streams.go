package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// worstShown bounds the table of the worst streams of a scenario.
const worstShown = 8

// A streamView is one stream in the table of the worst.
type streamView struct {
	Seq                                         uint64
	Link                                        string
	Class, Outcome, Group                       string
	Ending, Content, Events, First, Gap, Server string
	Nonce, Why, Flags                           string
}

// worst lists the worst streams that did not complete, or that bear a flag.
func (b *builder) worst(s verdict.ScenarioReport, rows []row) (shown []streamView, left int) {
	bad := pick(rows, func(r row) bool {
		return r.Grade.Outcome != verdict.Complete && r.Grade.Outcome != verdict.Cancelled || len(r.Grade.Flags) > 0
	})
	slices.SortStableFunc(bad, func(x, y row) int { return cmp.Compare(badness(y.Grade), badness(x.Grade)) })
	if len(bad) > worstShown {
		left = max(len(bad), s.Started-s.Outcomes[verdict.Complete]-s.Outcomes[verdict.Cancelled]) - worstShown
		bad = bad[:worstShown]
	}
	for _, r := range bad {
		shown = append(shown, viewStream(r))
	}
	return shown, left
}

func viewStream(r row) streamView {
	var flags []string
	for _, f := range r.Grade.Flags {
		flags = append(flags, string(f))
	}
	return streamView{
		Seq: r.Seq, Link: fmt.Sprintf("#l%d", r.Seq),
		Class: class(r.Grade.Outcome), Outcome: label(r.Grade.Outcome), Group: line(string(r.Group)),
		Ending: string(r.Grade.Ending), Content: string(r.Grade.Content), Events: thousands(r.Contents),
		First: short(firstEvent(r.Stream)), Gap: short(longestGap(r.Stream)), Server: line(server(r)),
		Nonce: bound(line(r.Nonce), 40), Why: bound(line(cmp.Or(Reason(r.Grade), r.Content.Why)), 200),
		Flags: strings.Join(flags, ", "),
	}
}

// server says who served a stream, as far as is known.
func server(r row) string {
	if r.Content.Worker == "" {
		return r.Replica
	}
	return "worker " + r.Process()
}

// A groupView is one line of the table of groups.
type groupView struct {
	Group, Doc, Started string
	Bar                 bar
	TTFE, Gap, Duration quantilesView
	Rate                string // complete streams per second
	Tokens              string // output tokens per second, as the server counts them; "" where it does not
}

// A quantilesView is a distribution in words. What N samples cannot carry is a
// dash: p99 of six streams would be their maximum under another name.
type quantilesView struct{ N, P50, P95, P99, Max string }

func groupViews(groups []verdict.GroupReport, rows []row) []groupView {
	var out []groupView
	for _, g := range groups {
		out = append(out, groupView{
			Group: string(g.Group), Doc: groupName(g.Group), Started: thousands(g.Started), Bar: barOf(g.Outcomes),
			TTFE: quantiles(g.TTFE), Gap: quantiles(g.Gap), Duration: quantiles(g.Duration),
			Rate: rate(g, rows, g.Outcomes[verdict.Complete]), Tokens: tokens(g, rows),
		})
	}
	return out
}

// tokens is the rate of output tokens that the server tells of complete streams; ""
// where it tells nothing of them, or where not all of them are at hand.
func tokens(g verdict.GroupReport, rows []row) string {
	n, sum := 0, 0
	for _, r := range rows {
		if r.Group == g.Group && r.Grade.Outcome == verdict.Complete {
			n, sum = n+1, sum+int(r.Content.Usage.Output)
		}
	}
	if sum == 0 || n < g.Outcomes[verdict.Complete] {
		return ""
	}
	return rate(g, rows, sum)
}

// rate is how many of something the complete streams of a group brought in a
// second, from the first request of the group to its last end; a dash below two
// streams.
func rate(g verdict.GroupReport, rows []row, sum int) string {
	n, from, to := g.Outcomes[verdict.Complete], record.Never, record.Never
	for _, r := range rows {
		if r.Group != g.Group || r.Send < 0 || r.End < 0 {
			continue
		}
		if from < 0 || r.Send < from {
			from = r.Send
		}
		to = max(to, r.End)
	}
	if n < 2 || to <= from {
		return "–"
	}
	return three(float64(sum) / (to - from).Seconds())
}

func quantiles(q *verdict.Quantiles) quantilesView {
	if q == nil || q.N == 0 {
		return quantilesView{"0", "–", "–", "–", "–"}
	}
	text := func(p *float64) string {
		if p == nil {
			return "–"
		}
		return short(seconds(*p))
	}
	return quantilesView{thousands(q.N), text(q.P50), text(q.P95), text(q.P99), short(seconds(q.Max))}
}
