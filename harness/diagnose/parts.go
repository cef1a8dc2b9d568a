package diagnose

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// ReportParts is [Report] for a record that is read in parts, one in memory at a time:
// of a finished part stays what it came to. It calls each with the scopes that each
// part is about, in their order, and what it came to; neither must be kept.
func ReportParts(parts *record.Parts, each func(*record.Part, []verdict.Scope, *verdict.Report)) (*verdict.Report,
	error) {
	m := verdict.NewMerger(parts.Run)
	joints := map[string]*joint{}
	for p, err := range parts.All() {
		if err != nil {
			return nil, err
		}
		scopes := verdict.ScopesOf(p)
		r := ReportScopes(p.Run, scopes)
		each(p, scopes, r)
		if parts.Len() == 1 {
			return r, nil
		}
		for i := range scopes {
			m.Add(p, &scopes[i], r.Scenarios[i])
			if p.Of > 1 {
				id := scopes[i].Scenario.ID
				if joints[id] == nil {
					joints[id] = &joint{of: p.Of}
				}
				joints[id].add(&r.Scenarios[i])
			}
		}
	}
	r := m.Report()
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if j := joints[s.ID]; j != nil {
			s.Causes = rank(j.close(), s.Checks)
			s.Warnings = j.warnings
			s.Doubts = append(s.Doubts, doubts(s.Causes)...)
		}
	}
	return r, nil
}

// A joint is what the parts of one scenario were explained by.
type joint struct {
	of       int
	causes   []jointCause
	warnings []verdict.Warning
}

// A jointCause is a cause as the part tells it in which it explains most streams.
type jointCause struct {
	verdict.Cause
	most, parts int
}

func (j *joint) add(s *verdict.ScenarioReport) {
	for _, c := range s.Causes {
		c.Checks = nil
		i := slices.IndexFunc(j.causes, func(o jointCause) bool {
			return o.Cause.Cause == c.Cause && o.Layer == c.Layer && o.Injected == c.Injected
		})
		if i < 0 {
			j.causes = append(j.causes, jointCause{c, c.Count, 1})
			continue
		}
		o := &j.causes[i]
		all, parts := append(o.All, c.All...), o.parts+1
		if surer(c, o.Cause) || !surer(o.Cause, c) && c.Count > o.most {
			o.Cause, o.most = c, c.Count
		}
		o.All, o.parts = all, parts
	}
	for _, w := range s.Warnings {
		if !slices.ContainsFunc(j.warnings, w.Same) {
			j.warnings = append(j.warnings, w)
		}
	}
}

// surer reports whether a is more certain than b.
func surer(a, b verdict.Cause) bool { return confidence(a) < confidence(b) }

func confidence(c verdict.Cause) int {
	return slices.Index([]string{certain, likely, possible}, c.Confidence)
}

// close are the causes of all parts, in the order in which those of one are.
func (j *joint) close() []verdict.Cause {
	causes := []verdict.Cause{}
	slices.SortStableFunc(j.causes, func(a, b jointCause) int {
		return cmp.Or(cmp.Compare(standing(a.Cause), standing(b.Cause)), cmp.Compare(len(b.All), len(a.All)))
	})
	for _, o := range j.causes {
		c := o.Cause
		slices.Sort(c.All)
		c.All = slices.Compact(c.All) // a stream that is a guest elsewhere is explained there too
		c.Count = len(c.All)
		if o.parts > 1 {
			c.Fact = &fact{Kind: FactMostlyInPart, N: o.parts, Of: j.of, Need: c.Count, About: []fact{*c.Fact}}
		}
		causes = append(causes, c)
	}
	return causes
}

// standing is [finding.rank] of a cause.
func standing(c verdict.Cause) int { return (&finding{Cause: c}).rank() }
