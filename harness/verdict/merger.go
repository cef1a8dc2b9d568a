package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/slo"
)

// A Merger puts the judgements on the parts of a run together, see [record.Parts].
// Where a scenario is judged in one part, that judgement stands. Where it was cut:
//
//   - what is counted is added up, and percentiles are those of all streams: the times
//     of each are kept, and nothing else of it;
//   - a rule that streams break is broken where one part breaks it, and the answer
//     counts the streams of all parts;
//   - what must have been seen once passes where one part has seen it;
//   - what is compared between streams (with a stream alone, with one another) is
//     compared within a part, and the answer says in which.
type Merger struct {
	run    *record.Run
	order  []string
	wholes map[string]*joint
}

// NewMerger begins the judgement on a run whose facts are those of run.
func NewMerger(run *record.Run) *Merger { return &Merger{run: run, wholes: map[string]*joint{}} }

// Add adds the judgement on one scenario of a part.
func (m *Merger) Add(p *record.Part, s *Scope, r ScenarioReport) {
	w := m.wholes[s.Scenario.ID]
	if w == nil {
		w = &joint{run: m.run, report: r, of: p.Of, groups: map[record.Group]*groupTimes{}}
		m.wholes[s.Scenario.ID], m.order = w, append(m.order, s.Scenario.ID)
		if p.Of > 1 {
			w.report = ScenarioReport{ID: r.ID, Title: r.Title, Parts: p.Of, Outcomes: zeroOutcomes(), Flags: map[Flag]int{}}
		}
	}
	if p.Of > 1 {
		w.add(p, s, r)
	}
}

// Report is the judgement on the run. Causes and warnings are left out where a
// scenario was cut.
func (m *Merger) Report() *Report {
	r := newReport(m.run)
	for _, id := range m.order {
		w := m.wholes[id]
		if w.of > 1 {
			w.close()
		}
		r.add(m.run, w.report)
	}
	return r.closed()
}

// A joint is a scenario whose parts are put together.
type joint struct {
	run    *record.Run
	report ScenarioReport
	of     int
	scope  Scope // the last part's, without its streams

	groups        map[record.Group]*groupTimes
	measure       *slo.Measure // nil where no objectives are set
	lags          []time.Duration
	late, toJudge int
	loaded        span // from the first stream under load to the last
	paced         int  // streams that the load itself asked for
	talks         talks
	checks        []*partAnswers
	doubts        []Doubt // that repeat no check
}

// A groupTimes is a group of streams, and the times of its complete ones.
type groupTimes struct {
	report GroupReport
	times
}

// times are those of complete streams.
type times struct{ ttfe, gaps, took []time.Duration }

// add keeps the times of a stream, if it is complete.
func (t *times) add(g *Graded) {
	if g.Grade.Outcome != Complete {
		return
	}
	t.gaps = append(t.gaps, g.MaxGap)
	if d, ok := TTFE(g.Stream); ok {
		t.ttfe = append(t.ttfe, d)
	}
	if d, ok := DurationOf(g.Stream); ok {
		t.took = append(t.took, d)
	}
}

func (w *joint) add(p *record.Part, s *Scope, r ScenarioReport) {
	for i := range s.Streams {
		if g := &s.Streams[i]; !s.guest(g) {
			w.stream(g)
		}
	}
	after := 0 // the check before, in their order
	for _, c := range r.Checks {
		after = w.check(after, p, c, r.Doubts)
	}
	for _, d := range r.Doubts {
		if d.Cause == "" && !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == d.About }) {
			w.doubt(d)
		}
	}
	if o, err := slo.Parse(s.Scenario.Policy.SLO); err == nil {
		if w.measure == nil {
			w.measure = slo.New(o)
		}
		w.measure.Merge(s.Measure(o))
	}
	w.replicas(r.Replicas)
	w.clients(r.Clients)
	if w.report.Edge == nil {
		w.report.Edge = r.Edge
	}
	// Nothing of the part's streams may stay.
	w.scope = Scope{Run: w.run, Scenario: s.Scenario, Notes: s.Notes, Active: s.Active, Healed: s.Healed, Over: s.Over}
}

// stream counts one stream.
func (w *joint) stream(g *Graded) {
	r := &w.report
	r.Started++
	r.Outcomes[g.Grade.Outcome]++
	for _, f := range g.Grade.Flags {
		r.Flags[f]++
	}
	w.lags = append(w.lags, g.Lag)
	if g.Late {
		w.late++
	}
	if g.toJudge() {
		w.toJudge++
	}
	if paced(g.Stream) {
		w.paced++
	}
	if underLoad(g.Group) {
		w.loaded.add(g)
	}
	w.talks.add(g)
	of := w.groups[g.Group]
	if of == nil {
		of = &groupTimes{report: GroupReport{Group: g.Group, Outcomes: zeroOutcomes()}}
		w.groups[g.Group] = of
	}
	of.add(g)
}

func (of *groupTimes) add(g *Graded) {
	of.report.Started++
	of.report.Outcomes[g.Grade.Outcome]++
	of.times.add(g)
}

// doubt keeps a doubt, once for what it is about.
func (w *joint) doubt(d Doubt) {
	if !slices.ContainsFunc(w.doubts, func(o Doubt) bool { return o.About == d.About && o.Next.Same(d.Next) }) {
		w.doubts = append(w.doubts, d)
	}
}

func (w *joint) replicas(rs []ReplicaReport) {
	for _, r := range rs {
		i := slices.IndexFunc(w.report.Replicas, func(o ReplicaReport) bool { return o.Name == r.Name })
		if i < 0 {
			w.report.Replicas = append(w.report.Replicas, r)
			continue
		}
		o := &w.report.Replicas[i]
		o.Started, o.Struck, o.Apart = o.Started+r.Started, o.Struck+r.Struck, cmp.Or(o.Apart, r.Apart)
		for outcome, n := range r.Outcomes {
			o.Outcomes[outcome] += n
		}
	}
}

func (w *joint) clients(r *ClientsReport) {
	switch sum := w.report.Clients; {
	case r == nil:
	case sum == nil:
		w.report.Clients = r
	default:
		sum.Clients, sum.Again = sum.Clients+r.Clients, sum.Again+r.Again
		sum.Whole, sum.Doubled = sum.Whole+r.Whole, sum.Doubled+r.Doubled
	}
}

// close finishes the report when all parts are in it.
func (w *joint) close() {
	r, s := &w.report, &w.scope
	s.Waves = ofScenario(w.run.Waves, s.Scenario.ID)
	slices.Sort(w.lags)
	lag := Quantile(w.lags, 0.99)
	r.Generator, r.Sessions = s.generatorWith(w.late, lag), w.talks.report()
	s.whole(r.Generator.LateStarts, w.paced, lag, w.loaded)
	for _, name := range groupOrder {
		of := w.groups[name]
		if of == nil {
			continue
		}
		of.report.TTFE, of.report.Gap, of.report.Duration = QuantilesOf(of.ttfe), QuantilesOf(of.gaps), QuantilesOf(of.took)
		r.Groups = append(r.Groups, of.report)
	}
	w.replace(s.sumsTo(r.Started, r.Started), s.enough(w.toJudge, r.Started), LoadReached{}.Check(s),
		s.keptUpWith(r.Generator.LateStarts, w.paced, lag))
	if w.measure != nil {
		w.replace(s.objectives(w.measure))
	}
	if bounds := s.Scenario.Policy.Thresholds; bounds != (record.Thresholds{}) {
		w.replacePassed(s.p95(firstInTime, bounds.FirstEvent,
			w.underLoad(func(of *groupTimes) []time.Duration { return of.ttfe })),
			s.p95(answerInTime, bounds.Total, w.underLoad(func(of *groupTimes) []time.Duration { return of.took })),
			s.longest(w.underLoad(func(of *groupTimes) []time.Duration { return of.gaps })))
	}
	w.answer()
}

// underLoad are times of all groups that were under load, sorted.
func (w *joint) underLoad(times func(*groupTimes) []time.Duration) (all []time.Duration) {
	for name, of := range w.groups {
		if !name.Alone() {
			all = append(all, times(of)...)
		}
	}
	slices.Sort(all)
	return all
}

func ofScenario(waves []record.Wave, id string) []record.Wave {
	return slices.DeleteFunc(slices.Clone(waves), func(w record.Wave) bool { return w.Scenario != id })
}

// answer sums the answers up, as judgeScope does for a scenario that is not cut.
func (w *joint) answer() {
	r := &w.report
	r.Verdict, r.Checks, r.Causes = Pass, []Check{}, []Cause{}
	for _, c := range w.checks {
		a := c.answer(w.of)
		r.answer(a)
	}
	r.Doubts = append(r.Doubts, w.doubts...)
	slices.SortFunc(r.Replicas, byName)
	r.setAside()
	if r.Verdict == Pass {
		r.Bound = r.bound(w.scope.Scenario.Policy.Faulty)
	}
}

// byName orders replicas; those that no replica answered come last.
func byName(a, b ReplicaReport) int {
	switch {
	case a.Name == b.Name:
		return 0
	case a.Name == "", b.Name != "" && a.Name > b.Name:
		return 1
	}
	return -1
}

// A partAnswers is what the parts of a scenario answered to one question.
type partAnswers struct {
	name string
	of   map[Verdict]*partAnswer
	said *fact  // by the first part
	vary bool   // another part says something else
	sum  *tally // nil where an answer does not count
	seen int    // parts that answered
	all  []uint64
}

// A partAnswer is the first answer with one verdict.
type partAnswer struct {
	Answer
	part, parts int // the first one, and how many
}

// check takes the answer of a part, behind the one at after, and returns its place.
func (w *joint) check(after int, p *record.Part, c Check, doubts []Doubt) int {
	at := slices.IndexFunc(w.checks, func(x *partAnswers) bool { return x.name == c.Name })
	if at < 0 {
		at = min(after, len(w.checks))
		w.checks = slices.Insert(w.checks, at, &partAnswers{name: c.Name, of: map[Verdict]*partAnswer{}})
	}
	x := w.checks[at]
	x.add(p, c, doubts)
	return at + 1
}

func (x *partAnswers) add(p *record.Part, c Check, doubts []Doubt) {
	if x.seen++; x.seen == 1 && c.sum != nil {
		x.sum = &tally{n: map[Outcome]int{}, outcomes: map[Outcome]int{}}
	}
	if c.sum == nil {
		x.sum = nil
	}
	x.sum.add(c.sum)
	if x.seen == 1 {
		x.said = c.Fact
	}
	x.vary = x.vary || !c.Fact.Same(x.said)
	x.all = append(x.all, c.breakers...)
	if of := x.of[c.Verdict]; of != nil {
		of.parts++
		return
	}
	a := partAnswer{Answer: Answer{Check: c}, part: p.N, parts: 1}
	if i := slices.IndexFunc(doubts, func(d Doubt) bool { return d.About == c.Name && d.Fact == c.Fact }); i >= 0 {
		a.Next = doubts[i].Next
	}
	a.breakers = nil
	x.of[c.Verdict] = &a
}

// add adds the counts of another part.
func (t *tally) add(o *tally) {
	if t == nil || o == nil {
		return
	}
	if t.total == 0 {
		t.first, t.why = o.first, o.why
	}
	t.judged, t.total = t.judged+o.judged, t.total+o.total
	for outcome, n := range o.n {
		t.n[outcome] += n
	}
	for outcome, n := range o.outcomes {
		t.outcomes[outcome] += n
	}
}

// answer is that of all parts.
func (x *partAnswers) answer(of int) Answer {
	order := []Verdict{Fail, Inconclusive, Pass, NotApplicable}
	if pass := x.of[Pass]; pass != nil && pass.either && x.of[Fail] == nil {
		order = []Verdict{Pass}
	}
	var a *partAnswer
	for _, v := range order {
		if a = x.of[v]; a != nil {
			break
		}
	}
	switch {
	case x.sum != nil && a.Verdict != Inconclusive:
		f := x.sum.as(a.Fact.Kind)
		a.Fact = &f
	case x.vary && a.Verdict == Pass && a.parts == x.seen:
		a.Fact = &fact{Kind: FactAllParts, Of: of, About: []fact{*a.Fact}}
	case x.vary:
		a.Fact = &fact{Kind: FactOnePart, N: a.part, Of: of, Need: a.parts, About: []fact{*a.Fact}}
	}
	a.breakers = x.all
	return a.Answer
}

// replace puts the answers of the whole scenario in the place of its parts'.
func (w *joint) replace(as ...Answer) {
	for _, a := range as {
		i := slices.IndexFunc(w.checks, func(x *partAnswers) bool { return x.name == a.Name })
		if a.Verdict != "" && i >= 0 {
			w.checks[i] = &partAnswers{name: a.Name, of: map[Verdict]*partAnswer{a.Verdict: {Answer: a}}}
		}
	}
}

// replacePassed is replace for answers that are sure only where they are good: why a
// time is over its bound is known to the parts.
func (w *joint) replacePassed(as ...Answer) {
	w.replace(slices.DeleteFunc(as, func(a Answer) bool { return a.Verdict != Pass })...)
}
