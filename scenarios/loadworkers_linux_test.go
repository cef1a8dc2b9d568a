package scenarios_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// shared is a load of so many streams, through two faults that strike by condition, sent
// by n processes into dir.
func shared(streams, n int, dir string) harness.Options {
	return harness.Options{Dir: dir, Seed: 11, LoadWorkers: n, Load: harness.Load{Streams: streams, Ramp: time.Second},
		Scenarios: []harness.Scenario{{ID: "shared", Edge: stack.Edge{Form: stack.EdgeNone},
			Shape: harness.Shape{Events: 40, Gap: 100 * time.Millisecond}, When: harness.When{Events: 5},
			Fault: fault.Sequence{
				fault.Timed{Fault: fault.Latency(stack.EdgeLink, 50*time.Millisecond, 0), Hold: 500 * time.Millisecond},
				fault.Timed{Fault: fault.Stall(stack.EdgeLink, time.Second), When: harness.When{Events: 15},
					Hold: time.Second}}}}}
}

// fateOf is what must be the same of a stream, whoever sent it.
func fateOf(g verdict.Graded) string {
	return fmt.Sprint(g.Seq, " ", g.Group, " ", g.Nonce, " ", g.Status, " ", g.Contents, " ", g.Grade.Outcome, " ",
		g.Grade.Ending)
}

// TestLoadWorkers: one load, of which the origin breaks 20 streams, has the same streams,
// victims and outcomes however many processes send it.
func TestLoadWorkers(t *testing.T) {
	streams, processes := 100, []int{1, 3}
	if *nightly {
		streams, processes = 2000, []int{1, 2, 4}
	} else {
		t.Parallel()
	}
	var want []string
	for _, n := range processes {
		o := shared(streams, n, filepath.Join(t.TempDir(), "run"))
		o.Sabotage = harness.Sabotage{Names: []string{"silent-truncation", "cut-in-frame", "http-error"},
			Share: 20 / float64(streams)}
		began := cpu(t)
		report, err := scenarios.Execute(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		pastable(t, report)
		run, err := record.Open(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		bad := 0
		for _, g := range gradedOf(run) {
			if g.Group != record.Victim && g.Group != record.Control {
				continue
			}
			got = append(got, fateOf(g))
			if g.Grade.Outcome != verdict.Complete {
				bad++
			}
		}
		slices.Sort(got)
		for _, w := range run.Windows {
			got = append(got, fmt.Sprint(w.Fault.Name, w.Phase))
		}
		got = append(got, fmt.Sprint(report.Verdict))
		t.Logf("%d processes: %s, %d of %d streams bad, %.1f s of CPU and %.1f s of the workers'", n, report.Verdict, bad,
			streams, cpu(t).ours-began.ours, cpu(t).children-began.children)
		if want == nil {
			want = got
		}
		if bad != 20 || report.Verdict != verdict.Fail || !slices.Equal(got, want) {
			t.Errorf("%d processes: %s, %d bad\n%s", n, report.Verdict, bad, differing(got, want))
		}
		sums(t, report)
		if n > 1 && len(run.LoadWorkers) != n {
			t.Errorf("%d workers are in the record", len(run.LoadWorkers))
		}
		for _, w := range run.LoadWorkers {
			if bound, known := w.ClockBound(); w.State != record.LoadWorkerDone || !known || w.Pid == 0 {
				t.Errorf("%s: %+v", w.Name(), w)
			} else {
				t.Logf("%s: %d streams, clock within %v", w.Name(), w.Started, bound)
			}
		}
	}
}

// differing are the lines of a that b lacks, and of b that a lacks.
func differing(a, b []string) string {
	var all []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			all = append(all, "+ "+x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			all = append(all, "- "+x)
		}
	}
	return strings.Join(all[:min(len(all), 40)], "\n")
}

// sums checks that every stream has one outcome.
func sums(t *testing.T, r *verdict.Report) {
	t.Helper()
	sum := 0
	for _, n := range r.Outcomes {
		sum += n
	}
	if sum != r.Started || r.Started == 0 {
		t.Errorf("%d outcomes of %d streams", sum, r.Started)
	}
}

// A cpuTime is in seconds: of this process, and of those that it has waited for.
type cpuTime struct{ ours, children float64 }

func cpu(t *testing.T) cpuTime {
	t.Helper()
	used := func(who int) float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	}
	return cpuTime{used(syscall.RUSAGE_SELF), used(syscall.RUSAGE_CHILDREN)}
}

// TestKilledLoadWorker: whenever a load worker is killed, the run is not decided, and says
// which one it was; every stream has an outcome, and no process is left.
func TestKilledLoadWorker(t *testing.T) {
	times, streams := 1, 60
	if *nightly {
		times, streams = 10, 300
	} else {
		t.Parallel()
	}
	for i := range times {
		o := shared(streams, 3, filepath.Join(t.TempDir(), fmt.Sprint(i)))
		var pids []int
		started := time.Now()
		after := 500*time.Millisecond + rand.N(4*time.Second)
		o.StartLoadWorker = func() (harness.LoadWorker, error) {
			w, err := scenarios.StartLoadWorker()
			if pids = append(pids, w.Pid); len(pids) == 2 {
				go func() { // ends when the worker has begun its share, and a little later
					begun(o.Dir)
					time.Sleep(after)
					syscall.Kill(w.Pid, syscall.SIGKILL)
				}()
			}
			return w, err
		}
		report, err := scenarios.Execute(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		sums(t, report)
		pastable(t, report)
		run, err := record.Open(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		d := report.Scenarios[0].Decided()
		if report.Verdict != verdict.Inconclusive || d == nil || d.Name != "load workers" ||
			!strings.HasPrefix(d.Why, "load worker 2 of 3 was lost") {
			t.Errorf("killed %v after it began: %s, %+v", after, report.Verdict, d)
		}
		w := run.LoadWorkers[1]
		if w.State != record.LoadWorkerLost || w.Started != w.Ended+w.Unknown || w.Started > streams/3 ||
			!strings.Contains(w.Why, "killed") {
			t.Errorf("killed %v after it began: %+v", after, w)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, 0); err == nil {
				t.Errorf("process %d is left", pid)
			}
		}
		t.Logf("killed %v after it began: %d of its %d streams unknown (%v in all)", after, w.Unknown, w.Started,
			time.Since(started).Round(time.Second))
	}
}

// begun waits, at most a minute, until streams of the load are in the record of a run.
func begun(dir string) {
	for range 600 {
		if run, err := record.Open(dir); err == nil {
			for i := range run.Streams {
				if g := run.Streams[i].Group; g == record.Victim || g == record.Control {
					return
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "no stream of the load has begun in", dir)
}
