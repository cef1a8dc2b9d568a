package verdict_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// others lets other programs take most of two cores from one time to another.
func others(from, to time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) {
		const over = 250 * ms
		for at := from + over; at <= to; at += over {
			b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: over, Known: true, Whole: true,
				Busy: 2 * over, OursRan: over / 5, AppRan: over / 2, AppWaited: over / 2})
		}
	}
}

// quiet lets the machine idle.
func quiet(from, to time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) {
		const over = 250 * ms
		for at := from + over; at <= to; at += over {
			b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: over, Known: true, Whole: true,
				Busy: over / 10, AppRan: over / 20})
		}
	}
}

// pressure lets a fault of ours press memory on a replica.
func pressure(replica string, from, to time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) {
		b.Happen(record.Event{At: from, Source: record.FaultSource, Kind: record.KindPressure, Subject: replica})
		b.Happen(record.Event{At: to, Source: record.FaultSource, Kind: record.KindRelief, Subject: replica})
	}
}

// oomKill has the counter of a replica rise, which was 1 before.
func oomKill(replica string, at time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) {
		for n, at := range []time.Duration{0, at} {
			b.Happen(record.Event{At: at, Source: record.CgroupSource, Kind: record.KindCounter, Subject: replica,
				Counter: record.OOMCounter, Value: int64(1 + n)})
		}
	}
}

func on(replica string, sh synth.Shape) synth.Shape {
	end := sh.End
	sh.End = func(s *record.Stream, last time.Duration) { end(s, last); s.Replica = replica }
	return sh
}

// Silence is the app's only where nothing else explains it.
func TestSilenceThatIsNotTheApps(t *testing.T) {
	stalled := synth.Shape{Keep: 3, End: synth.Silent(limit)}
	ask(t, verdict.Must{},
		question{"on a quiet machine", add(5, stalled), verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"while others took the CPU", func(b *synth.Builder) { b.Add(5, stalled); others(0, time.Minute)(b) },
			verdict.Inconclusive, "but, silence about=[broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"others had gone before it", func(b *synth.Builder) { b.Add(5, stalled); others(0, 250*ms)(b); quiet(250*ms, time.Minute)(b) }, verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"while we pressed memory on it", func(b *synth.Builder) { b.Add(5, on("app[0]", stalled)); pressure("app[0]", 0, sec)(b) },
			verdict.Inconclusive, "but, silence about=[broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"while we pressed memory on another", func(b *synth.Builder) { b.Add(5, on("app[1]", stalled)); pressure("app[0]", 0, sec)(b) },
			verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"some while we pressed, some elsewhere", func(b *synth.Builder) {
			b.Add(3, on("app[0]", stalled))
			b.Add(2, on("app[1]", stalled))
			pressure("app[0]", 0, sec)(b)
		}, verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"a cut, whoever took the CPU", func(b *synth.Builder) { b.Add(5, cleanEnd); others(0, time.Minute)(b) },
			verdict.Fail, "truncated"},
	)
	timedOut := synth.Shape{Keep: 3, End: synth.CutAt(5 * sec)}
	gateway := synth.Shape{Keep: synth.KeepNone, First: 2 * sec, End: synth.Status(504)}
	of := func(worker string, sh synth.Shape) synth.Shape {
		end := sh.End
		sh.End = func(s *record.Stream, last time.Duration) { end(s, last); s.Content.Worker = worker }
		return sh
	}
	ask(t, verdict.Must{},
		question{"cut by an idle timer", add(5, timedOut), verdict.Fail,
			"broke a rule n=5 of=5 stream=1 counts=[{aborted 5}]"},
		question{"cut by an idle timer, while others took the CPU", func(b *synth.Builder) { b.Add(5, timedOut); others(0, time.Minute)(b) },
			verdict.Inconclusive, "other programs"},
		question{"cut by an idle timer, while the same process served others", func(b *synth.Builder) {
			b.Add(5, of("7", timedOut))
			b.Add(5, of("7", synth.Shape{Events: 120, End: synth.Whole}))
			others(0, time.Minute)(b)
		}, verdict.Fail, "broke a rule n=5 of=10 stream=1 counts=[{aborted 5}]"},
		question{"cut by an idle timer, while another process served others", func(b *synth.Builder) {
			b.Add(5, of("7", timedOut))
			b.Add(5, of("8", synth.Shape{Events: 120, End: synth.Whole}))
			others(0, time.Minute)(b)
		}, verdict.Inconclusive, "other programs"},
		question{"cut as the kernel killed for memory, while others took the CPU", func(b *synth.Builder) {
			b.Add(5, on("app[0]", timedOut))
			others(0, time.Minute)(b)
			oomKill("app[0]", 5*sec)(b)
		}, verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{aborted 5}]"},
		question{"cut long before the kernel killed for memory", func(b *synth.Builder) {
			b.Add(5, on("app[0]", timedOut))
			others(0, time.Minute)(b)
			oomKill("app[0]", 20*sec)(b)
		}, verdict.Inconclusive, "other programs"},
		question{"cut as the kernel killed another replica", func(b *synth.Builder) {
			b.Add(5, on("app[0]", timedOut))
			others(0, time.Minute)(b)
			oomKill("app[1]", 5*sec)(b)
		}, verdict.Inconclusive, "other programs"},
		question{"cut as the kernel killed for the memory that we pressed", func(b *synth.Builder) {
			b.Add(5, on("app[0]", timedOut))
			pressure("app[0]", 0, 6*sec)(b)
			oomKill("app[0]", 5*sec)(b)
		}, verdict.Inconclusive, "pressed"},
		question{"one cut at once, too", func(b *synth.Builder) { b.Add(5, timedOut); b.Add(1, cleanEnd); others(0, time.Minute)(b) },
			verdict.Fail, "broke a rule n=6 of=6 stream=1 counts=[{truncated 1} {aborted 5}]"})
	ask(t, verdict.Untouched{},
		question{"a gateway waited in vain", add(5, gateway), verdict.Fail,
			"broke a rule n=5 of=5 stream=1 counts=[{failed_clean 5}]"},
		question{"a gateway waited in vain, while others took the CPU", func(b *synth.Builder) { b.Add(5, gateway); others(0, time.Minute)(b) },
			verdict.Inconclusive, "other programs"},
		question{"an error of the app's, while others took the CPU", func(b *synth.Builder) {
			b.Add(5, synth.Shape{Keep: synth.KeepNone, End: synth.Status(500)})
			others(0, time.Minute)(b)
		}, verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{failed_clean 5}]"})
	base := stalled
	base.Group = record.Baseline
	ask(t, verdict.Baseline{},
		question{"before the fault, on a busy machine", func(b *synth.Builder) { b.Add(5, base); others(0, time.Minute)(b) },
			verdict.Inconclusive, "other programs"},
		question{"before the fault", add(5, base), verdict.Fail,
			"broke before the fault about=[broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"})
	headless := synth.Shape{Keep: synth.KeepNone, End: func(s *record.Stream, last time.Duration) {
		synth.NoListener(s, last)
		s.Wire.Where, s.Limit, s.End = record.BeforeHeaders, record.HeadersLimit, s.Send+limit
	}}
	ask(t, verdict.Must{},
		question{"no head in time", add(5, headless), verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{refused 5}]"},
		question{"no head in time, on a busy machine", func(b *synth.Builder) { b.Add(5, headless); others(0, time.Minute)(b) }, verdict.Inconclusive, "other programs"})
	left := synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}
	leaks := func(b *synth.Builder) {
		b.Add(1, left)
		b.Ledger(record.Ledger{Stream: 1, LeftAt: sec, StopAt: 4 * sec})
	}
	ask(t, verdict.FlagCheck{Flag: verdict.Leaked},
		question{"noticed late", leaks, verdict.Fail, "broke, no count n=1 of=1 stream=1"},
		// It produces meanwhile, so that it has its share of the CPU.
		question{"noticed late on a busy machine", func(b *synth.Builder) { leaks(b); others(0, time.Minute)(b) },
			verdict.Fail, "broke, no count n=1 of=1 stream=1"})
	gappy := synth.Shape{Gap: 4 * sec, Events: 5}
	ask(t, verdict.FlagCheck{Flag: verdict.Gappy},
		question{"long gaps", add(5, gappy), verdict.Fail, "broke, no count n=5 of=5 stream=1 about=[silent for took=4s]"},
		question{"long gaps on a busy machine", func(b *synth.Builder) { b.Add(5, gappy); others(0, time.Minute)(b) },
			verdict.Inconclusive, "other programs"},
		question{"long gaps on a busy machine, beside others that had none", func(b *synth.Builder) {
			b.Add(5, gappy)
			b.Add(5, synth.Shape{Events: 500})
			others(0, time.Minute)(b)
		}, verdict.Fail, "broke, no count n=5 of=10 stream=1 about=[silent for took=4s]"},
		question{"long gaps on a busy machine, after others had ended", func(b *synth.Builder) {
			b.Add(5, gappy)
			b.Add(5, synth.Shape{Events: 30})
			others(0, time.Minute)(b)
		}, verdict.Inconclusive, "other programs"},
		question{"no gap on a busy machine", func(b *synth.Builder) { b.Add(5, synth.Shape{}); others(0, time.Minute)(b) },
			verdict.Pass, "judged n=5"})
}

// While a replica is down by our hand, or waits for its platform to start it, it
// cannot answer.
func TestPlatformsTimeIsNotTheApps(t *testing.T) {
	refuses := policy(func(p *record.Policy) { p.Refuses, p.Faulty, p.Recovery = true, true, 2*sec },
		fault(100*ms, 200*ms))
	late := synth.Shape{Group: record.Recovery, Start: 8 * sec, Keep: synth.KeepNone, End: synth.NoListener}
	fine := synth.Shape{Group: record.Recovery, Start: 9 * sec}
	happen := func(source record.EventSource, kind record.EventKind, at time.Duration) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Happen(record.Event{At: at, Source: source, Kind: kind, Subject: "app[0]", Pid: 1})
		}
	}
	all := func(more ...func(*synth.Builder)) func(*synth.Builder) {
		return func(b *synth.Builder) {
			refuses(b)
			for _, m := range more {
				m(b)
			}
		}
	}
	term, start := happen(record.FaultSource, record.KindTerm, 100*ms), happen(record.DockerSource, record.KindStart,
		7500*ms)
	ask(t, verdict.Must{},
		question{"refused while Docker started it", all(add(3, late), term, start), verdict.Pass,
			"outcomes n=3 counts=[{refused 3}]"},
		question{"refused long after it was started", all(add(3, late), term,
			happen(record.DockerSource, record.KindStart, 3*sec)), verdict.Fail, "refused"},
		question{"refused, and nobody stopped it", all(add(3, late), start), verdict.Fail, "refused"})
	ask(t, verdict.Recovery{},
		question{"Docker took its time", all(add(3, late), add(3, fine), term, start), verdict.Pass,
			"recovered took=1.5005s bound=2s times=[7.4s]"},
		question{"the app took its time", all(add(3, late), add(3, fine), term,
			happen(record.DockerSource, record.KindStart, sec)), verdict.Fail, "recovered took=8.0005s bound=2s times=[900ms]"},
		question{"on a busy machine", all(add(3, late), add(3, fine), term,
			happen(record.DockerSource, record.KindStart, sec), others(0, 20*sec)), verdict.Inconclusive, "other programs"})
}

// TestSilenceBesideABusyDisk: an app that waits for a disk which others keep busy is not
// slow by itself, and one that keeps it busy, or does not wait for it, is.
// Streams that end with the way to a cluster are nobody's; those that were cut before are.
func TestWayToTheCluster(t *testing.T) {
	lost := func(at time.Duration) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Add(5, synth.Shape{Events: 100, Keep: 50, End: synth.CutAt(3 * sec)})
			b.Happen(record.Event{At: at, Source: record.KubernetesSource, Kind: record.KindLost})
		}
	}
	ask(t, verdict.Must{}, question{"it breaks off", lost(3 * sec), verdict.Inconclusive, "way lost"},
		question{"it breaks off later", lost(6 * sec), verdict.Fail, "n=5 of=5"})
}

func TestSilenceBesideABusyDisk(t *testing.T) {
	disk := func(app time.Duration, apps int64) func(*synth.Builder) {
		return func(b *synth.Builder) {
			const over = 250 * ms
			for at := over; at <= time.Minute; at += over {
				b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: over, Known: true, Whole: true,
					Busy:   over / 10,
					AppRan: over / 50, DiskWait: over * 9 / 10, AppOnDisk: app, DiskBytes: 20 << 20, AppDiskBytes: apps})
			}
		}
	}
	gappy := synth.Shape{Gap: 4 * sec, Events: 5}
	beside := func(sh synth.Shape, disk func(*synth.Builder)) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Add(5, sh); disk(b) }
	}
	ask(t, verdict.FlagCheck{Flag: verdict.Gappy},
		question{"in time", beside(synth.Shape{}, disk(250*ms, 0)), verdict.Pass, "judged n=5"},
		question{"others keep it busy", beside(gappy, disk(250*ms, 8<<10)), verdict.Inconclusive,
			`but about=[broke, no count n=5 of=5 stream=1 about=[silent for took=4s] starved share=0.9 name="a disk that ` +
				`something else kept busy" about=[busy`},
		question{"the app itself keeps it busy", beside(gappy, disk(250*ms, 19<<20)), verdict.Fail,
			"broke, no count n=5 of=5 stream=1 about=[silent for took=4s]"},
		question{"others keep it busy, and the app does not wait for it", beside(gappy, disk(0, 0)), verdict.Fail,
			"broke, no count n=5 of=5 stream=1 about=[silent for took=4s]"})
}
