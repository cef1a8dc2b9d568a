package reports

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A hopView is one line of a peeled chain.
type hopView struct {
	Hop, What, Streams, Outcomes string
	TTFE, Gap, Held, Ending      string
	Wrong                        bool
	Why                          string
}

// hopColumns head the table of hops, in the order of [hopView.cells].
var hopColumns = []string{"entry point", "what it is", "streams", "outcomes", "first event p50", "longest silence p50",
	"pacing", "ending"}

func hopViews(hops []verdict.HopReport) []hopView {
	var out []hopView
	for _, h := range hops {
		v := hopView{Hop: h.Name(), What: h.What, Streams: thousands(h.Started), Outcomes: tally(h.Outcomes),
			TTFE: quantiles(h.TTFE).P50, Gap: quantiles(h.Gap).P50, Held: pacing(h), Ending: h.Ending, Wrong: h.Wrong,
			Why: h.Why}
		out = append(out, v)
	}
	return out
}

// inOnePiece reports whether several events arrived together where nothing says that they
// were held back: the app may have sent them so.
func inOnePiece(h verdict.HopReport) bool {
	return h.Pacing != nil && h.Pacing.Instants == 1 && h.Pacing.Events > 1 && h.Buffered == 0
}

func allInOnePiece(hops []verdict.HopReport) bool {
	return !slices.ContainsFunc(hops, func(h verdict.HopReport) bool { return !inOnePiece(h) })
}

// pacing says how content arrives at a hop: "live", "in one piece", or "held back: 8 of 8,
// 160 events at 9 instants".
func pacing(h verdict.HopReport) string {
	switch p := h.Pacing; {
	case h.Buffered > 0 && p != nil:
		return fmt.Sprintf("held back: %d of %d, %s", h.Buffered, h.Started, at(p))
	case h.Buffered > 0:
		return fmt.Sprintf("held back: %d of %d", h.Buffered, h.Started)
	case p == nil:
		return "no content"
	case inOnePiece(h):
		return "in one piece"
	case h.Squeezed != "":
		return "live; held back for browsers (" + h.Squeezed + ")"
	}
	return "live"
}

// at reads "160 events at 9 instants", or "all at once".
func at(p *verdict.PacingReport) string {
	if p.Instants == 1 {
		return "all at once"
	}
	return count(p.Events, "event") + " at " + count(p.Instants, "instant")
}

func (v hopView) cells() []string {
	return []string{v.Hop, v.What, v.Streams, v.Outcomes, v.TTFE, v.Gap, v.Held, v.Ending}
}

// firstWrong is where a chain goes wrong; nil where it does nowhere.
func firstWrong(hops []hopView) *hopView {
	i := slices.IndexFunc(hops, func(h hopView) bool { return h.Wrong })
	if i < 0 {
		return nil
	}
	return &hops[i]
}

// hops writes the table, with a mark before the hops that make it worse.
func (t *text) hops(s verdict.ScenarioReport) {
	views := hopViews(s.Hops)
	if len(views) == 0 {
		return
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "\t"+strings.Join(hopColumns, "\t"))
	for _, v := range views {
		mark := ""
		if v.Wrong {
			mark = "✗"
		}
		fmt.Fprintln(tw, mark+"\t"+strings.Join(v.cells(), "\t"))
	}
	tw.Flush()
	for i, line := range slices.Collect(strings.Lines(b.String())) {
		if i > 0 && views[i-1].Wrong { // the first is the head of the table
			line = t.red.Render(strings.TrimRight(line, "\n")) + "\n"
		}
		t.WriteString(line)
	}
	for _, v := range views {
		if v.Wrong {
			t.para("✗ ", fmt.Sprintf("%s: %s", v.Hop, v.Why))
		}
	}
}

func (m *markdown) hops(s verdict.ScenarioReport) {
	if len(s.Hops) == 0 {
		return
	}
	fmt.Fprintf(m, "| %s |\n|%s\n", strings.Join(hopColumns, " | "), strings.Repeat("---|", len(hopColumns)))
	for _, v := range hopViews(s.Hops) {
		cells := v.cells()
		for i := range cells {
			cells[i] = md(cells[i])
		}
		if v.Wrong {
			cells[0] = "❌ **" + cells[0] + "**"
		}
		fmt.Fprintf(m, "| %s |\n", strings.Join(cells, " | "))
	}
	if h := firstWrong(hopViews(s.Hops)); h != nil {
		fmt.Fprintf(m, "\nThe problem appears at **%s**: %s\n", md(h.Hop), md(h.Why))
	}
	m.WriteString("\n")
}
