package machine

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
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

// A look that took long is late for as long as we did not run: not where we were busy
// ourselves, and not where it came early.
func TestKept(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name             string
		over, ours, want time.Duration
	}{
		{"in time", Every, 5 * ms, 0},
		{"early", 20 * ms, ms, 0},
		{"woken in time, and then not run", 1450 * ms, 6 * ms, 1200 * ms},
		{"we needed the time ourselves", 1450 * ms, 1400 * ms, 50 * ms},
		{"on more than one core", 1450 * ms, 2800 * ms, 0},
	} {
		if got := kept(record.MachineSample{Over: c.over, OursRan: c.ours}); got != c.want {
			t.Errorf("%s: kept for %v, want %v", c.name, got, c.want)
		}
	}
}

func TestGrown(t *testing.T) {
	const ms = time.Millisecond
	was := map[int]use{1: {10 * ms, 5 * ms, 1}, 2: {100 * ms, 0, 1}}
	now := map[int]use{1: {30 * ms, 25 * ms, 2}, 2: {20 * ms, 3 * ms, 2}, 3: {time.Hour, time.Hour, 1}}
	ran, waited := grown(was, now, 50*ms)
	if ran != 20*ms+20*ms+50*ms || waited != 50*ms {
		t.Errorf("ran %v, waited %v", ran, waited)
	}
}

// A disk that somebody waits for is looked at more closely, and only then; what the app
// may not be asked is no evidence.
func TestDiskUse(t *testing.T) {
	const ms = time.Millisecond
	was := disk{waited: 10 * ms, moved: 1000, app: map[int]int64{1: 100, 2: 50}}
	for name, tc := range map[string]struct {
		now    disk
		waits  bool
		asked  bool
		onDisk time.Duration
		bytes  int64
	}{
		"quiet":                 {disk{20 * ms, 5000, map[int]int64{1: 100}}, true, false, 0, 0},
		"pressed, and it waits": {disk{110 * ms, 5000, map[int]int64{1: 300, 2: 60, 3: 7}}, true, true, 200 * ms, 217},
		"pressed, and it runs":  {disk{110 * ms, 5000, map[int]int64{1: 100}}, false, true, 0, 0},
		"it may not be asked":   {disk{110 * ms, 5000, nil}, true, false, 0, 0},
	} {
		m := record.MachineSample{Over: 200 * ms}
		asked := false
		tc.now.use(was, &m, func() bool { asked = true; return tc.waits })
		if asked != tc.asked || m.AppOnDisk != tc.onDisk || m.AppDiskBytes != tc.bytes || m.DiskBytes != 4000 {
			t.Errorf("%s: asked %v, %+v", name, asked, m)
		}
	}
}

// A wait is counted when it ends, all of it at once.
func TestHeld(t *testing.T) {
	const ms = time.Millisecond
	was := map[int]use{1: {5 * ms, 2640 * ms, 61}, 2: {100 * ms, 0, 9}}
	for name, tc := range map[string]struct {
		now  map[int]use
		want time.Duration
	}{
		"nothing yet":                       {map[int]use{1: {5 * ms, 2640 * ms, 61}}, 0},
		"one wait, longer than the sample":  {map[int]use{1: {5 * ms, 3618 * ms, 62}}, 978 * ms},
		"it ran on, and waited a bit again": {map[int]use{1: {6 * ms, 3648 * ms, 65}}, 758 * ms},
		"many short waits":                  {map[int]use{1: {6 * ms, 2880 * ms, 85}}, 10 * ms},
		"the number of another thread":      {map[int]use{2: {ms, time.Hour, 10}}, 0},
		"a thread never seen before":        {map[int]use{3: {ms, time.Hour, 1}}, 0},
	} {
		if got := held(was, tc.now, Every); got != tc.want {
			t.Errorf("%s: held for %v, want %v", name, got, tc.want)
		}
	}
}

// A wait that goes on is seen, too, from the moment at which the thread was ready to run.
func TestHolds(t *testing.T) {
	cores := time.Duration(runtime.NumCPU())
	look := func(s *Sampler, at time.Duration, busy time.Duration, now use, isReady bool) time.Duration {
		m := record.MachineSample{Over: Every, Busy: busy * Every / 100 * cores}
		app := map[int]use{1: now}
		got := s.holds(&m, at, app, func(int) bool { return isReady })
		s.was.app = app
		return got
	}
	stands, runs := use{5, 5, 1}, use{6, 900, 2}
	s := &Sampler{was: counters{app: map[int]use{1: stands}}}
	for i, tc := range []struct {
		name  string
		busy  time.Duration // percent
		now   use
		ready bool
		want  time.Duration
	}{
		{"cores are idle", 50, stands, true, 0},
		{"it sleeps", 100, stands, false, 0},
		{"it is seen to wait", 100, stands, true, 0},
		{"it still waits", 100, stands, true, Every},
		{"and has not run since", 100, stands, false, 2 * Every},
		{"it ran", 100, runs, true, 0},
		{"it waits again", 100, runs, true, 0},
		{"and still", 100, runs, true, Every},
		{"cores are idle again", 50, runs, true, 0},
		{"another queue", 100, runs, true, 0},
	} {
		if got := look(s, time.Duration(i)*Every, tc.busy, tc.now, tc.ready); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
