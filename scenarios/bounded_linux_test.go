package scenarios_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// children lists the processes that this one has started and that still are.
// Where there is no /proc the list is empty.
func children(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err == nil { // a thread may have ended since
			pids = append(pids, strings.Fields(string(b))...)
		}
	}
	return pids
}

// bounded runs o, and fails where it takes longer than a patient reader would
// wait, or leaves a process behind.
func bounded(t *testing.T, o harness.Options) (*verdict.Report, error) {
	t.Helper()
	before := len(children(t))
	if o.Dir == "" {
		o.Dir = t.TempDir() + "/run"
	}
	o.Seed = 1
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	report, err := scenarios.Execute(ctx, o)
	if ctx.Err() != nil {
		t.Fatal("it did not end by itself")
	}
	if left := children(t); len(left) > before {
		t.Errorf("processes are left: %v", left)
	}
	if report != nil {
		pastable(t, report)
	}
	return report, err
}

// mute accepts connections and says nothing, until the test ends.
func mute(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	done := make(chan struct{})
	go func() { // ends when l is closed
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, c := range conns {
			c.Close()
		}
	})
	return "http://" + l.Addr().String()
}

// TestAppThatNeverAnswersFails: the run ends by itself, and nothing passes. An app
// of which no process is known may be silent for want of a core: where others had all
// of them it must not be accused. TestLimitsOfSilence has both on records.
func TestAppThatNeverAnswersFails(t *testing.T) {
	app := harness.App{URL: mute(t), Stream: harness.Stream{Dialect: "sse-generic", Terminal: "data == [DONE]"}}
	ids := []string{"control"}
	if *nightly {
		ids = append(ids, "stall")
	}
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			report, err := bounded(t, harness.Options{App: app, Scenarios: []harness.Scenario{scenario(t, id)},
				Load: harness.Load{Streams: 6}, Total: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			checkSum(t, report)
			if report.Verdict != verdict.Fail || report.Outcomes[verdict.Complete] != 0 {
				busy.Excuse(t, &report.Scenarios[0])
				t.Errorf("%s: %s", report.Verdict, report.Why)
			}
		})
	}
}

// TestFullDiskBreaksTheHarness: what was recorded before is judged, and the error
// says what went wrong. The second scenario is not played any more.
func TestFullDiskBreaksTheHarness(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=192k"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("something still uses the disk: %v", err)
		}
	})
	sc := cutAt(500)
	sc.Fault, sc.Policy.MinInBody = nil, 0
	sc.Shape = harness.Shape{Events: 1000, Gap: 2 * time.Millisecond}
	next := sc
	next.ID = "next"
	report, err := bounded(t, harness.Options{Scenarios: []harness.Scenario{sc, next}, Load: harness.Load{Streams: 40}, Dir: disk + "/run"})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v, want one that says the disk is full", err)
	}
	if report == nil || report.Verdict == verdict.Pass || report.Complete {
		t.Errorf("the record was torn off, and the report is %+v", report)
	}
	if report != nil && len(report.Scenarios) > 1 && report.Scenarios[1].Started > 0 {
		t.Error("the next scenario was played although nothing could be recorded")
	}
}
