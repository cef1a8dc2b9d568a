package busy

import (
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestExcuse: nothing is excused on a quiet machine, and no pass and no accusation on
// any.
func TestExcuse(t *testing.T) {
	open := verdict.Check{Name: "x", Verdict: verdict.Inconclusive,
		Why: "other programs took 98 % of the CPU while the machine was 100 % busy"}
	blamed := []verdict.Cause{{Cause: diagnose.BusyMachine}}
	for _, tt := range []struct {
		name string
		s    verdict.ScenarioReport
		want bool
	}{
		{"open for the machine", verdict.ScenarioReport{Verdict: verdict.Inconclusive, Checks: []verdict.Check{open}}, true},
		{"open for something else", verdict.ScenarioReport{Verdict: verdict.Inconclusive,
			Checks: []verdict.Check{{Verdict: verdict.Inconclusive}}}, false},
		{"failed, and the machine is named first", verdict.ScenarioReport{Verdict: verdict.Fail, Causes: blamed}, true},
		{"failed, and the app is named first", verdict.ScenarioReport{Verdict: verdict.Fail,
			Causes: append([]verdict.Cause{{}}, blamed...)}, false},
		{"failed", verdict.ScenarioReport{Verdict: verdict.Fail, Checks: []verdict.Check{open}}, false},
		{"passed", verdict.ScenarioReport{Verdict: verdict.Pass, Checks: []verdict.Check{open}, Causes: blamed}, false},
	} {
		if got := forTheMachine(&tt.s); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
	if all, idle := jiffies(); idle > all {
		t.Errorf("%d of %d jiffies idle", idle, all)
	}
}
