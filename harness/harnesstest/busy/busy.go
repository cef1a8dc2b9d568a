package scenarios_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
)

// On a machine whose cores other programs have, streams are slow through nobody's
// fault of ours or of the app's, and a verdict is then rightly inconclusive. A test on
// real stacks can decide as little as the program: it is skipped, and counted.
//
// The program's own word is not enough for that, or a program that always said so
// would pass. The machine is looked at before the first test: nothing of ours runs
// then. Where it is quiet, whatever stays open is an error.

// busyBefore reports what [othersAreBusy] saw before the first test.
var busyBefore bool

// undecided counts the tests that were skipped for it.
var undecided atomic.Int64

// othersAreBusy reports whether less than a quarter of the machine is idle while
// nothing of ours runs, by the counters of the kernel (proc_stat(5)). It takes half a
// second. Where there are no such counters it says no.
func othersAreBusy() bool {
	all, idle := jiffies()
	time.Sleep(500 * time.Millisecond)
	after, still := jiffies()
	return after > all && 4*(still-idle) < after-all
}

// jiffies are those of all cores since the start, and those without work.
func jiffies() (all, idle int) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(first)
	for i, f := range fields[min(1, len(fields)):] {
		n, _ := strconv.Atoi(f)
		all += n
		if i == 3 || i == 4 { // idle, iowait
			idle += n
		}
	}
	return all, idle
}

// excuse skips a test whose run stayed open for want of a core, where other programs had
// them before the tests began. It is called where the run is not as it must be, and
// excuses neither an accusation nor a pass.
func excuse(t *testing.T, s *verdict.ScenarioReport) {
	t.Helper()
	if !busyBefore || !forTheMachine(s) {
		return
	}
	undecided.Add(1)
	t.Skipf("other programs keep this machine busy, and the run is open: %s", s.Why)
}

// forTheMachine reports whether s stayed open, or could not name a cause, since this
// machine was busy.
func forTheMachine(s *verdict.ScenarioReport) bool {
	if s.Verdict == verdict.Fail {
		return len(s.Causes) > 0 && s.Causes[0].Cause == diagnose.BusyMachine
	}
	return s.Verdict == verdict.Inconclusive && slices.ContainsFunc(s.Checks, func(c verdict.Check) bool {
		return c.Verdict == verdict.Inconclusive && (c.Name == "generator kept up" || strings.Contains(c.Why, "machine"))
	})
}

// tellUndecided prints a line that .ci/test shows.
func tellUndecided() {
	if n := undecided.Load(); n > 0 {
		fmt.Printf("undecided: %d tests, since other programs kept this machine busy\n", n)
	}
}

// TestExcuse: nothing is excused on a quiet machine, and no pass and no accusation on
// any.
func TestExcuse(t *testing.T) {
	open := verdict.Check{Name: "x", Verdict: verdict.Inconclusive, Why: "other programs took 98 % of the CPU while the machine was 100 % busy"}
	blamed := []verdict.Cause{{Cause: diagnose.BusyMachine}}
	for _, tt := range []struct {
		name string
		s    verdict.ScenarioReport
		want bool
	}{
		{"open for the machine", verdict.ScenarioReport{Verdict: verdict.Inconclusive, Checks: []verdict.Check{open}}, true},
		{"open for something else", verdict.ScenarioReport{Verdict: verdict.Inconclusive, Checks: []verdict.Check{{Verdict: verdict.Inconclusive}}}, false},
		{"failed, and the machine is named first", verdict.ScenarioReport{Verdict: verdict.Fail, Causes: blamed}, true},
		{"failed, and the app is named first", verdict.ScenarioReport{Verdict: verdict.Fail, Causes: append([]verdict.Cause{{}}, blamed...)}, false},
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
