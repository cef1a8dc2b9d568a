package verdict

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// quarter is a sample of 250 ms on two cores; shares are of all the machine can
// do.
func quarter(busy, steal, ours, app float64, whole bool) record.MachineSample {
	const over = 250 * time.Millisecond
	cpu := func(share float64) time.Duration { return time.Duration(2 * share * float64(over)) }
	return record.MachineSample{Over: over, Known: true, Busy: cpu(busy), Steal: cpu(steal), OursRan: cpu(ours),
		AppRan: cpu(app), AppWaited: over / 2, Whole: whole}
}

func samples(from time.Duration, list ...record.MachineSample) []record.MachineSample {
	for i := range list {
		from += list[i].Over
		list[i].At = from
	}
	return list
}

func TestStarved(t *testing.T) {
	late := quarter(0.2, 0, 0.1, 0.1, true)
	late.Late = 100 * time.Millisecond
	held := quarter(0.5, 0, 0.1, 0.1, true)
	held.Throttled = 80 * time.Millisecond
	sated := quarter(1, 0, 0.1, 0.4, true)
	sated.AppWaited = 10 * time.Millisecond
	asleep := quarter(1, 0, 0.1, 0.001, true)
	// Measured beside eight compilers: load 34 on two cores.
	crowded := quarter(1, 0, 0.1, 0.015, true)
	crowded.AppWaited = 220 * time.Millisecond
	woken := quarter(1, 0, 0.1, 0.015, true)
	woken.AppWaited = 160 * time.Millisecond
	ticking := quarter(1, 0, 0.1, 0.001, true)
	ticking.AppWaited = 230 * time.Millisecond
	disk := func(waited, app time.Duration, bytes, apps int64) record.MachineSample {
		m := quarter(0.2, 0, 0.1, 0.1, true)
		m.DiskWait, m.AppOnDisk, m.DiskBytes, m.AppDiskBytes = waited, app, bytes, apps
		return m
	}
	const whole = 250 * time.Millisecond
	for _, tc := range []struct {
		name   string
		sample record.MachineSample
		by     Thief // "" where nobody starves
	}{
		{"idle", quarter(0.3, 0, 0.1, 0.2, true), ""},
		{"the app takes all", quarter(1, 0, 0.2, 0.78, true), ""},
		{"others run on an idle machine", quarter(0.8, 0, 0.1, 0.1, true), ""},
		{"others take a half", quarter(1, 0, 0.1, 0.4, true), OtherPrograms},
		{"others take a half, and the app wants no more", sated, ""},
		{"others take all, and the app sleeps", asleep, ""},
		{"others, and the app is not known", quarter(1, 0, 0.1, 0.1, false), ""},
		{"others stand before the app in a long queue", crowded, OtherPrograms},
		{"others stand before an app that sleeps between", woken, ""},
		{"others stand before an app whose clock only ticks", ticking, ""},
		{"other machines", quarter(0.5, 0.45, 0.1, 0.4, true), OtherMachines},
		{"we do", quarter(1, 0, 0.6, 0.3, true), LoadGenerator},
		{"a quota", held, CPUQuota},
		{"nobody woke us", late, NobodyWokeUs},
		{"a disk that others use", disk(whole*9/10, whole, 64<<20, 4<<10), BusyDisk},
		{"a disk that moves nothing", disk(whole, whole, 0, 0), BusyDisk},
		{"a disk that the app itself keeps busy", disk(whole*9/10, whole, 64<<20, 60<<20), ""},
		{"a disk that others use, and the app does not", disk(whole*9/10, 0, 64<<20, 0), ""},
		{"a disk that is busy now and then", disk(whole/3, whole, 64<<20, 0), ""},
	} {
		run := &record.Run{Plan: record.Plan{Host: record.Host{CPUs: 2}}, Machine: samples(time.Second, tc.sample, tc.sample),
			Streams: []record.Stream{{End: 5 * time.Second}}}
		s := Scope{Run: run, Scenario: &record.Scenario{}}
		x, ok := s.Starved(1100*time.Millisecond, 1400*time.Millisecond)
		if ok != (tc.by != "") || ok && x.By != tc.by {
			t.Errorf("%s: %v %v, want %q", tc.name, ok, x, tc.by)
		}
		if ok && x.fact().Share <= 0 {
			t.Errorf("%s: %v has no figure", tc.name, x)
		}
		if _, ok := s.Starved(10*time.Second, 11*time.Second); ok {
			t.Errorf("%s: starved at a time that nobody looked at", tc.name)
		}
	}
}

// A thread that gets no core for seconds runs nothing, and the kernel counts its wait when
// that is over.
func TestStarvedAtAStretch(t *testing.T) {
	for _, tc := range []struct {
		name  string
		busy  float64
		held  time.Duration
		whole bool
		by    Thief
	}{
		{"all of the silence", 1, 5100 * time.Millisecond, true, OtherPrograms},
		{"all of it, of a process behind a URL", 1, 5100 * time.Millisecond, false, OtherPrograms},
		{"most of it", 1, 3 * time.Second, true, OtherPrograms},
		{"a part of it", 1, 2 * time.Second, true, ""},
		{"a part of it, behind a URL", 1, 2 * time.Second, false, ""},
		{"cores were idle", 0.8, 5 * time.Second, true, ""},
		{"a third of it, twice", 1, -1700 * time.Millisecond, true, OtherPrograms},
		{"a fifth of it, twice", 1, -time.Second, true, ""},
	} {
		m := quarter(tc.busy, 0, 0.1, 0.0001, tc.whole)
		m.AppWaited = 0
		list := []record.MachineSample{m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m}
		list[20].AppHeld, list[20].AppWaited = max(tc.held, -tc.held), m.Over
		if tc.held < 0 {
			list[10].AppHeld = -tc.held
		}
		s := Scope{Scenario: &record.Scenario{}, Run: &record.Run{Plan: record.Plan{Host: record.Host{CPUs: 2}},
			Machine: samples(time.Second, list...), Streams: []record.Stream{{End: 10 * time.Second}}}}
		if x, ok := s.Starved(time.Second, 6*time.Second); ok != (tc.by != "") || ok && x.By != tc.by {
			t.Errorf("%s: %v %v, want %q", tc.name, ok, x, tc.by)
		}
	}
}

// Where the app's processes are not known, what others take is measured while no
// stream is open.
func TestStarvedByOthersBesideAnUnknownApp(t *testing.T) {
	busy := quarter(1, 0, 0.1, 0, false)
	stream := record.Stream{Send: 2 * time.Second, End: 3 * time.Second}
	for _, tc := range []struct {
		name string
		idle record.MachineSample
		ok   bool
	}{
		{"others ran before", quarter(0.5, 0, 0.1, 0, false), true},
		{"nobody ran before", quarter(0.1, 0, 0.1, 0, false), false},
	} {
		run := &record.Run{Plan: record.Plan{Host: record.Host{CPUs: 2}}, Streams: []record.Stream{stream},
			Machine: append(samples(time.Second, tc.idle), samples(2*time.Second, busy, busy)...)}
		s := Scope{Run: run, Scenario: &record.Scenario{}}
		if x, ok := s.Starved(2*time.Second, 2500*time.Millisecond); ok != tc.ok {
			t.Errorf("%s: %v %v", tc.name, ok, x)
		}
	}
}
