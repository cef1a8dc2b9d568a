package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
)

// topFacts are the figures beside the verdict.
func topFacts(in Input) []fact {
	p := in.run().Plan
	facts := []fact{{"streams", thousands(in.Report.Started)}, {"scenarios", thousands(len(in.scenarios()))}}
	if d := in.lasted(); d > 0 {
		facts = append(facts, fact{"took", short(d)})
	}
	if s := suiteLine(in); s != "" {
		facts = append(facts, fact{"chosen", s})
	}
	if app := p.App.String(); app != "" {
		facts = append(facts, fact{"app", app})
	}
	if at := in.Report.StartedAt; !at.IsZero() {
		facts = append(facts, fact{"when", at.UTC().Format("2 Jan 2006 15:04 UTC")})
	}
	return facts
}

func planFacts(in Input) []fact {
	p := in.run().Plan
	strict := "MUST"
	if p.Strict {
		strict = "strict"
	}
	facts := []fact{
		{"app", p.App.String()}, {"stack", p.Stack}, {"dialect", p.Dialect}, {"it proves", proves(&p)}, {"policy", strict},
		{"sabotage", p.Sabotage},
		{"seed", fmt.Sprint(in.Report.Seed)}, {"streamproof", cmp.Or(in.Report.Tool, p.Tool)},
		{"host", strings.TrimSpace(fmt.Sprintf("%s/%s, %s, %s", p.Host.OS, p.Host.Arch, count(p.Host.CPUs, "CPU"),
			p.Host.Go))},
		{"clock", string(p.Host.Clock)},
	}
	for _, h := range in.run().Hops {
		f := fact{"hop " + h.Name, h.What}
		if h.What != "" && !slices.Contains(facts, f) {
			facts = append(facts, f)
		}
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// proves says what a dialect can and cannot find out, for no check can say what
// it does not see.
func proves(p *record.Plan) string {
	d, _ := p.ReadAs()
	says, r := d.Proves, p.Request
	if r.Order != "" {
		says += "; by the numbers at " + r.Order +
			": lost, repeated and reordered events between the first and the last number"
	}
	if r.Owner != "" {
		says += "; by the ID at " + r.Owner + ": content of other streams"
	}
	return says
}

// request shows what was sent. The plan holds no secrets: values from the
// environment stand there by their names.
func request(r record.Request) string {
	if r.URL == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", cmp.Or(r.Method, "GET"), r.URL)
	for _, k := range sortedKeys(r.Headers) {
		fmt.Fprintf(&b, "%s: %s\n", k, r.Headers[k])
	}
	if r.Body != "" {
		fmt.Fprintf(&b, "\n%s\n", r.Body)
	}
	return b.String()
}

func notes(run *record.Run) []noteView {
	var out []noteView
	for _, n := range run.Notes {
		out = append(out, noteView{At: short(max(n.At, 0)), Scenario: n.Scenario, Kind: string(n.Kind), Text: n.Text,
			Next: nextStep(n.Settle)})
	}
	return out
}
