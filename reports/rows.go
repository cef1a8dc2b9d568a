package reports

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Bounds on the rows of swim lanes.
const (
	maxRows      = 300  // in one scenario
	maxRowsInAll = 1200 // in one report: keeps it small enough to be mailed
	minRows      = 40   // a scenario keeps at least these
	minGroupRows = 12   // a group keeps at least these: a victim says little without its control
)

// A row is a stream with its grade.
type row = verdict.Graded

// streams returns the graded streams of a scenario, group by group, the worst of
// each first.
func (b *builder) streams(id string) []row {
	rows := slices.Clone(b.byScenario[id])
	slices.SortStableFunc(rows, func(x, y row) int {
		return cmp.Or(
			cmp.Compare(groupRank(x.Group), groupRank(y.Group)),
			cmp.Compare(badness(y.Grade), badness(x.Grade)),
			cmp.Compare(began(x.Stream), began(y.Stream)),
		)
	})
	return rows
}

var groupOrder = []record.Group{record.Victim, record.Control, record.Load, record.Recovery, record.Browser,
	record.Baseline, record.Solo, record.Probe}

func groupRank(g record.Group) int {
	if i := slices.Index(groupOrder, g); i >= 0 {
		return i
	}
	return len(groupOrder)
}

// badness orders grades by outcome, then by the number of flags.
func badness(g verdict.Grade) int {
	i := slices.Index(verdict.Outcomes, g.Outcome)
	if i < 0 {
		i = len(verdict.Outcomes)
	}
	return i<<8 + min(len(g.Flags), 255)
}

// A rowBudget says how many rows each scenario may draw.
type rowBudget struct{ of map[string]int }

// shareRows deals out the rows of a report: scenarios that did not pass take
// first.
func shareRows(b *builder, worstFirst []verdict.ScenarioReport) *rowBudget {
	r := &rowBudget{of: map[string]int{}}
	left := maxRowsInAll
	for _, s := range worstFirst {
		n := min(len(b.byScenario[s.ID]), maxRows, max(left, minRows))
		r.of[s.ID] = n
		left -= n
	}
	return r
}

// restShare is the part of the rows of a cut group, one in so many, that goes to
// what is not among its worst: 100 equal failures say less than 75 beside 25
// streams that came through.
const restShare = 4

// thin cuts rows to n: the worst, and an even sample of the rest.
func thin(rows []row, n int) []row {
	if n >= len(rows) {
		return rows
	}
	worst := n - n/restShare
	out, rest := slices.Clone(rows[:worst]), rows[worst:]
	for i := range n - worst {
		out = append(out, rest[i*len(rest)/(n-worst)])
	}
	return out
}

// A groupRows is the part of a group that is drawn.
type groupRows struct {
	group record.Group
	rows  []row
	total int
}

// sample cuts rows, which are ordered by group, to n in all: small groups stay
// whole, large ones give in proportion, all keep their worst.
func sample(rows []row, n int) []groupRows {
	var groups []groupRows
	for len(rows) > 0 {
		end := slices.IndexFunc(rows, func(r row) bool { return r.Group != rows[0].Group })
		if end < 0 {
			end = len(rows)
		}
		groups = append(groups, groupRows{rows[0].Group, rows[:end], end})
		rows = rows[end:]
	}
	total, spare := 0, n
	for _, g := range groups {
		total += g.total
		spare -= min(g.total, minGroupRows)
	}
	if total <= n {
		return groups
	}
	for i := range groups {
		g := &groups[i]
		keep := min(g.total, minGroupRows)
		keep += max(spare, 0) * (g.total - keep) / max(total-len(groups)*minGroupRows, 1)
		g.rows = thin(g.rows, min(keep, g.total))
	}
	return groups
}
