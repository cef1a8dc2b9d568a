package machine

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"
)

func clock() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// What we burn is ours, what a child burns is the app's.
func TestSampleTellsWhoRan(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the counters are Linux's")
	}
	child := exec.Command("sh", "-c", "while :; do :; done")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	app := Below([]int{os.Getpid()})[1:]
	if !slices.Contains(app, child.Process.Pid) {
		t.Fatalf("children %v lack %d", app, child.Process.Pid)
	}
	s := New(clock(), app)
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
	}
	m := s.Sample(app, true, 0)
	if !m.Known || !m.Whole || m.Over < 300*time.Millisecond {
		t.Fatalf("%+v", m)
	}
	if m.AppRan == 0 || m.OursRan == 0 {
		t.Errorf("app ran %v, we ran %v: neither was idle", m.AppRan, m.OursRan)
	}
	if sum := m.OursRan + m.AppRan; m.Busy < sum/2 {
		t.Errorf("busy %v, of which ours and the app's are %v", m.Busy, sum)
	}
}

func TestGrown(t *testing.T) {
	const ms = time.Millisecond
	was := map[int]use{1: {10 * ms, 5 * ms}, 2: {100 * ms, 0}}
	now := map[int]use{1: {30 * ms, 25 * ms}, 2: {20 * ms, 3 * ms}, 3: {time.Hour, time.Hour}}
	ran, waited := grown(was, now, 50*ms)
	if ran != 20*ms+20*ms+50*ms || waited != 50*ms {
		t.Errorf("ran %v, waited %v", ran, waited)
	}
}
