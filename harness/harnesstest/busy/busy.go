// Package busy says whether other programs have the cores of this machine, and what a
// test may make of that.
//
// On such a machine streams are slow through no fault of ours or of the app's, and a
// verdict is then rightly inconclusive. A test on real stacks can decide as little as
// the program: it is skipped, and counted.
//
// The program's own word is not enough for that, or a program that always said so
// would pass. The machine is looked at before the first test: nothing of ours runs
// then. Beside the tests a process of its own only sleeps, and notes when nobody woke
// it: it wants no core, so that load of ours does not hold it up, but only a machine that
// pauses. Where neither saw anything, whatever stays open is an error.
package busy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
)

// before reports what [Look] saw before the first test.
var before bool

// Look looks at the machine before the first test, and has it watched from then on until
// this process ends.
func Look() {
	before = othersAreBusy()
	go paused.follow()
}

// Before reports whether other programs had the machine before the first test.
func Before() bool { return before }

// undecided are the tests that could decide nothing for it.
var undecided struct {
	sync.Mutex
	names []string
}

// Undecided notes a test that could not decide all that it is for.
func Undecided(t testing.TB) {
	undecided.Lock()
	defer undecided.Unlock()
	undecided.names = append(undecided.names, t.Name())
}

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

// Excuse skips a test whose run stayed open for want of a core, where other programs had
// them before the tests began, or the machine paused meanwhile. It is called where
// the run is not as it must be, right after it, and excuses neither an accusation nor a
// pass.
func Excuse(t *testing.T, s *verdict.ScenarioReport) {
	t.Helper()
	if !forTheMachine(s) || !before && !paused.during(runTime(s)) {
		return
	}
	Undecided(t)
	t.Skipf("this machine was busy with something else, and the run is open: %s", s.Why)
}

// runTime is how long the run of a scenario took, by its report.
func runTime(s *verdict.ScenarioReport) time.Duration {
	if s.Took == nil {
		return time.Minute
	}
	return time.Duration(*s.Took * float64(time.Second))
}

// ExcuseFolders does it if that is so of all that did not pass in the runs whose folders
// are somewhere in dir.
func ExcuseFolders(t *testing.T, dir string) {
	t.Helper()
	var open []*verdict.ScenarioReport
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "verdict.json" {
			return err
		}
		var report verdict.Report
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &report)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for i := range report.Scenarios {
			if s := &report.Scenarios[i]; s.Verdict != verdict.Pass {
				open = append(open, s)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	other := func(s *verdict.ScenarioReport) bool { return !forTheMachine(s) }
	if len(open) > 0 && !slices.ContainsFunc(open, other) {
		Excuse(t, open[0])
	}
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

// Tell prints a line that .ci/test shows.
func Tell() {
	undecided.Lock()
	defer undecided.Unlock()
	if names := undecided.names; len(names) > 0 {
		fmt.Printf("undecided: %d tests, since something else kept this machine busy: %s\n", len(names),
			strings.Join(names, ", "))
	}
}
