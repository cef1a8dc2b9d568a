package scenarios_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/scenarios"
)

// TestEveryScenarioHasItsTrial keeps the table whole, and prints what runs where:
// make trials shows it.
func TestEveryScenarioHasItsTrial(t *testing.T) {
	var list strings.Builder
	seen := map[string]bool{}
	for _, s := range scenarios.All() {
		seen[s.ID] = true
		i := slices.IndexFunc(trials, func(tr trial) bool { return tr.id == s.ID })
		if i < 0 {
			t.Errorf("%s has no trial", s.ID)
			continue
		}
		trials[i].print(&list)
	}
	tried := map[string]bool{}
	for _, tr := range trials {
		if tried[tr.id] || !seen[tr.id] {
			t.Errorf("%s has two trials, or is not in the catalogue", tr.id)
		}
		tried[tr.id] = true
		for _, name := range strings.Fields(tr.memory + " " + tr.real) {
			if !slices.Contains(strings.Fields(everyPlay), name) {
				t.Errorf("%s has a play %q, which is none", tr.id, name)
			}
		}
	}
	t.Logf("what runs where: kept must pass, broken must fail its check, disarmed must leave its obligation open\n%s", &list)
}

// print writes a line for each place and time of day at which the trial is played.
func (tr *trial) print(list *strings.Builder) {
	for _, place := range []struct {
		when, where string
		played      func(play string) bool
	}{
		{"make test", "memory", tr.inMemory},
		{"make test", tr.where(), func(play string) bool { return tr.onReal(play) || tr.inSuite(play) }},
		{"make nightly", tr.where(), func(string) bool { return true }},
	} {
		var these []string
		for _, p := range plays {
			if place.played(p.name) {
				these = append(these, p.name)
			}
		}
		if len(these) > 0 {
			fmt.Fprintf(list, "%-24s %-12s %-6s %-22s broken: %s; disarmed: %s\n", tr.id, place.when, place.where,
				strings.Join(these, ", "), tr.check, tr.doubt)
		}
	}
}
