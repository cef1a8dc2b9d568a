package reports

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A section is one scenario of the page.
type section struct {
	ID, Anchor, Title string
	Doc               string
	Facts             []fact // what was done
	Verdict           verdictView
	Why, Brief        string
	unable            bool // could not be played
	Unfolded          bool // green is short, red is complete
	Started           string
	Bar               bar
	Flags             []flagView
	OpenChecks        []checkView // those of them with more to say than the top of the page
	Checks            []checkView
	Asked             string // how many checks
	Causes            []causeView
	Others            []causeView // folded behind the first
	OthersLine        string
	Note              string // what our own fault did
	AskedFor          string // where every stream was refused by its status
	Doubts            []doubtView
	Lanes             lanesView
	Figures           []figureView
	FigureNotes       []string
	Groups            []groupView
	Tokens            bool // a group tells its tokens
	Worst             []streamView
	WorstLeft         int
	Layers            layersView
	Hops              []hopView
	HopColumns        []string
	Replicas          []replicaView
	Clients           string // those that asked again
	Sessions          string // what became of them
	Turns             []turnView
	Warnings          []verdict.Warning
	Attempts          []attemptView
	Quarantine        string
}

type checkView struct {
	Verdict   verdictView
	Name, Why string
	Label     string // Name, as a person reads it
	Kind      string // "check" or "obligation"
	Next      *part  // what to run or to do next
	Anchor    string
}

// A doubtView qualifies the result of a scenario.
type doubtView struct {
	About, Why string
	Next       *part
}

type flagView struct {
	Name string
	N    string
}

func (b *builder) section(s verdict.ScenarioReport) *section {
	plan := b.plan(s.ID)
	out := &section{
		ID: s.ID, Anchor: b.anchor(s.ID), Title: cmp.Or(s.Title, plan.Title), Doc: plan.Doc,
		Verdict: viewOf(s.Verdict), Why: s.Why, Brief: brief(s), unable: s.Unable(),
		Unfolded: rank(s.Verdict) < rank(verdict.Pass) || s.Counts() == verdict.Fail,
		Started:  thousands(s.Started), Bar: barOf(s.Outcomes),
		Facts: b.done(s, plan), Layers: layersOf(b.run().Plan, plan),
		Hops: hopViews(s.Hops), HopColumns: hopColumns, Warnings: s.Warnings,
		Replicas: replicaViews(s.Replicas), Clients: clientsLine(s.Clients),
		Sessions: sessionsLine(s.Sessions), Turns: turnViews(s.Sessions),
		Attempts: attemptViews(&s), Quarantine: quarantineNote(&s),
	}
	for _, f := range sortedKeys(s.Flags) {
		if s.Flags[f] > 0 {
			out.Flags = append(out.Flags, flagView{string(f), thousands(s.Flags[f])})
		}
	}
	settle, rest := doubts(s)
	for _, d := range rest {
		out.Doubts = append(out.Doubts, doubtView{About: d.About, Why: d.Why, Next: nextStep(d.Settle)})
	}
	for _, c := range s.Checks {
		v := checkView{Verdict: viewOf(c.Verdict), Name: c.Name, Label: checkLabel(c.Name), Why: c.Why, Kind: "check",
			Next: nextStep(settle[c.Name]), Anchor: b.anchor(s.ID, c.Name)}
		if c.Obligation {
			v.Kind = "obligation"
		}
		out.Checks = append(out.Checks, v)
	}
	out.Asked = count(len(out.Checks), "check")
	if n := len(open(s.Checks)); n > 0 {
		out.Asked += fmt.Sprintf(", %d of them did not pass", n)
	}
	out.OpenChecks = openViews(s, out.Checks)
	rows := b.streams(s.ID)
	out.Lanes = b.lanes(s, rows)
	out.Worst, out.WorstLeft = b.worst(s, rows)
	b.causes(out, s, rows)
	out.AskedFor = askedFor(b.Input, s)
	out.Figures, out.FigureNotes = figures(rows)
	if n := s.Started; n > len(rows) && len(out.Figures) > 0 {
		out.FigureNotes = []string{fmt.Sprintf("drawn from %s of %s, evenly spread", thousands(len(rows)),
			count(n, "stream"))}
	}
	out.Groups = groupViews(s.Groups, rows)
	out.Tokens = slices.ContainsFunc(out.Groups, func(g groupView) bool { return g.Tokens != "" })
	return out
}

// openViews is [telling] for checks that have their anchors.
func openViews(s verdict.ScenarioReport, all []checkView) []checkView {
	var bad []checkView
	for _, c := range telling(s) {
		same := func(v checkView) bool { return v.Name == c.Name && v.Why == c.Why && v.Verdict == viewOf(c.Verdict) }
		if i := slices.IndexFunc(all, same); i >= 0 {
			bad = append(bad, all[i])
		}
	}
	return bad
}

// done says what the scenario did, in facts.
func (b *builder) done(s verdict.ScenarioReport, p record.Scenario) []fact {
	facts := []fact{{"fault", p.Fault}, {"edge", p.Edge}, {"load", loadLine(p.Load)}}
	for _, w := range b.run().Waves {
		if w.Scenario == s.ID && w.InBodyAtFault >= 0 && w.Asked > 0 {
			facts = append(facts,
				fact{"mid-response when the fault took effect", fmt.Sprintf("%d of %d (%s)", w.InBodyAtFault, w.Started, w.Group)})
		}
	}
	if s.Recovery != nil {
		facts = append(facts, fact{"recovered after", short(seconds(*s.Recovery))})
	}
	g := s.Generator
	if g.Clock != "" || g.LagP99 > 0 {
		kept := "kept up: no late start"
		if g.LateStarts > 0 {
			kept = count(g.LateStarts, "late start")
		}
		facts = append(facts, fact{"generator", fmt.Sprintf("%s, read lag p99 %s", kept, short(seconds(g.LagP99)))})
		facts = append(facts, fact{"clock", g.Clock})
	}
	if s.Parts > 1 {
		facts = append(facts,
			fact{"judged in",
				fmt.Sprintf("%d parts, one after the other: so many streams are not compared with one another at once", s.Parts)})
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// loadLine reads "50 concurrent streams, ramp 2 s, for 30 s".
func loadLine(l record.LoadPlan) string {
	var parts []string
	of := "stream"
	if l.Turns > 0 {
		of = "session"
	}
	if l.Streams > 0 {
		parts = append(parts, count(l.Streams, "concurrent "+of))
	}
	if l.Rate > 0 {
		parts = append(parts, three(l.Rate)+" "+of+"s/s")
	}
	if l.Turns > 0 {
		parts = append(parts, "up to "+count(l.Turns, "turn"))
	}
	if l.ThinkMost > 0 {
		think := "think time " + short(l.ThinkLeast)
		if l.ThinkMost > l.ThinkLeast {
			think += " to " + short(l.ThinkMost)
		}
		parts = append(parts, think)
	}
	if l.Arrivals != "" {
		parts = append(parts, l.Arrivals+" arrivals")
	}
	if l.Prompts != "" {
		parts = append(parts, "requests of "+filepath.Base(l.Prompts))
	}
	if n := len(l.Stages); n > 0 {
		parts = append(parts, count(n, "stage"))
	}
	if l.Ramp > 0 {
		parts = append(parts, "ramp "+short(l.Ramp))
	}
	if l.Duration > 0 {
		parts = append(parts, "for "+short(l.Duration))
	}
	return strings.Join(parts, ", ")
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
