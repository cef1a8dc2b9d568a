package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A warningView is a warning with the scenarios that it is about.
type warningView struct {
	verdict.Warning
	Scenarios []string
}

// warningViews collects the warnings of all scenarios, each once: most of them
// are about the app, whatever is done to it.
func warningViews(in Input) []warningView {
	var all []warningView
	for _, s := range in.Report.Scenarios {
		for _, w := range s.Warnings {
			i := slices.IndexFunc(all, func(v warningView) bool {
				return v.Layer == w.Layer && v.Setting == w.Setting && v.Fix == w.Fix
			})
			if i < 0 {
				i = len(all)
				all = append(all, warningView{Warning: w})
			}
			all[i].Scenarios = append(all[i].Scenarios, s.ID)
		}
	}
	return all
}

// Where names the scenarios; empty where it is all of them.
func (v warningView) where(in Input) string {
	if len(v.Scenarios) == len(in.Report.Scenarios) {
		return ""
	}
	return " (" + strings.Join(v.Scenarios, ", ") + ")"
}

func (t *text) warnings() {
	for _, w := range warningViews(t.Input) {
		t.item(t.yellow.Render("warning: "+w.Layer+" "+w.Setting), w.Why+w.where(t.Input))
		t.para("    fix: ", w.Fix)
	}
}

func (m *markdown) warnings() {
	for _, w := range warningViews(m.Input) {
		fmt.Fprintf(m, "- ⚠️ %s: %s%s; fix: %s\n", code(w.Layer+" "+w.Setting), md(w.Why), md(w.where(m.Input)), md(w.Fix))
	}
}
