package reports

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Selection keeps the streams that a page shows of a record that is read in parts:
// the worst of each group, an even sample of the others, the examples of causes, and
// those at the edges of a part. Of a record of one part it keeps all. The zero value is
// ready to use.
type Selection struct {
	whole  []verdict.Scope // of the one part that there is
	scopes []selected
}

// Bounds on what is kept of a group of a scenario.
const (
	keptWorst = maxRows
	keptOther = 2 * maxRows
)

// A selected scenario has the streams that are kept of it.
type selected struct {
	scope verdict.Scope
	worst map[record.Group][]row
	rest  []row
}

// Add takes from a part, of so many of the run, what is to be shown of it.
func (x *Selection) Add(p *record.Part, parts int, scopes []verdict.Scope, report *verdict.Report) {
	if parts == 1 {
		x.whole = scopes
		return
	}
	for i := range scopes {
		s := &scopes[i]
		at := slices.IndexFunc(x.scopes, func(o selected) bool { return o.scope.Scenario.ID == s.Scenario.ID })
		if at < 0 {
			at = len(x.scopes)
			x.scopes = append(x.scopes, selected{scope: verdict.Scope{Scenario: s.Scenario}, worst: map[record.Group][]row{}})
		}
		x.scopes[at].add(p, s.Streams, report.Scenarios[i].Causes)
	}
}

func (x *selected) add(p *record.Part, rows []row, causes []verdict.Cause) {
	rows = pick(rows, func(r row) bool { return !p.Run.Guests[r.Seq] })
	if len(rows) == 0 {
		return
	}
	named := map[uint64]bool{}
	for _, c := range causes {
		for _, seq := range c.Streams {
			named[seq] = true
		}
	}
	last := slices.MaxFunc(rows, func(a, b row) int { return cmp.Compare(ended(a.Stream), ended(b.Stream)) })
	named[rows[0].Seq], named[last.Seq] = true, true
	byGroup := map[record.Group][]row{}
	for _, r := range rows {
		if named[r.Seq] {
			x.rest = append(x.rest, apart(r))
		}
		byGroup[r.Group] = append(byGroup[r.Group], r)
	}
	for _, g := range groupOrder {
		x.group(g, byGroup[g], p.Of)
	}
}

// group keeps what is to be shown of one group of a part.
func (x *selected) group(g record.Group, rows []row, parts int) {
	var bad, good []row
	for _, r := range rows {
		if badness(r.Grade) > 0 {
			bad = append(bad, r)
		} else {
			good = append(good, r)
		}
	}
	x.worst[g] = worstOf(slices.Concat(x.worst[g], worstOf(bad, keptWorst)), keptWorst)
	for i, r := range x.worst[g] {
		x.worst[g][i] = apart(r)
	}
	for _, r := range thinned(good, (keptOther+parts-1)/parts) {
		x.rest = append(x.rest, apart(r))
	}
}

// worstOf are the worst n of some streams.
func worstOf(rows []row, n int) []row {
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(badness(b.Grade), badness(a.Grade)) })
	return rows[:min(n, len(rows))]
}

// thinned are n of some streams, evenly over them.
func thinned(rows []row, n int) []row {
	if len(rows) <= n {
		return rows
	}
	out := make([]row, n)
	for i := range out {
		out[i] = rows[i*len(rows)/n]
	}
	return out
}

// apart is a row that keeps nothing of its part in memory.
func apart(r row) row {
	s := *r.Stream
	r.Stream = &s
	return r
}

// Input is what reporters read of a run whose facts are those of run.
func (x *Selection) Input(run *record.Run, report *verdict.Report) Input {
	if x.scopes == nil {
		return Input{Run: run, Report: report, Scopes: x.whole}
	}
	shown := *run
	shown.Streams = nil
	in := Input{Run: &shown, Report: report}
	for _, s := range x.scopes {
		for _, g := range groupOrder {
			s.rest = append(s.rest, s.worst[g]...)
		}
		slices.SortFunc(s.rest, func(a, b row) int { return cmp.Compare(a.Seq, b.Seq) })
		s.scope.Run = &shown
		s.scope.Streams = slices.CompactFunc(s.rest, func(a, b row) bool { return a.Seq == b.Seq })
		for _, r := range s.scope.Streams {
			shown.Streams = append(shown.Streams, *r.Stream)
		}
		in.Scopes = append(in.Scopes, s.scope)
	}
	return in
}
