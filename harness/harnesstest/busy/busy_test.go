package busy

import (
	"fmt"
	"strings"
	"testing"
	"time"

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

// TestPauses: a machine that pauses for a quarter of some seconds keeps runs of that time
// open, and no others.
func TestPauses(t *testing.T) {
	now := time.Now()
	said := func(pairs ...time.Duration) *pauses {
		var b strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			fmt.Fprintln(&b, now.Add(-pairs[i]).UnixMilli(), pairs[i+1].Milliseconds())
		}
		l := &pauses{}
		l.read(strings.NewReader(b.String()))
		return l
	}
	const s, ms = time.Second, time.Millisecond
	for name, tt := range map[string]struct {
		log  *pauses
		want bool
	}{
		"never":          {said(), false},
		"once, for long": {said(5*s, 1*s), true},
		"often":          {said(5*s, 400*ms, 4*s, 300*ms, 3*s, 300*ms), true},
		"seldom":         {said(9*s, 400*ms, 5*s, 300*ms, 1*s, 300*ms), false},
		"for moments":    {said(5*s, 60*ms, 4*s, 60*ms), false},
		"before the run": {said(60*s, 2*s), false},
	} {
		if got := tt.log.during(10 * s); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
