package verdict

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// The app, the load generator and everything else share one machine. What the
// app could not do because the machine gave it no CPU is not its failure:
//
//	all cores   |█████ app ████|░░ streamproof ░░|▒▒ others ▒▒|  idle 0
//	                                              └ taken from the app
//
// A machine with idle cores starves nobody, whoever else runs, but one whose disk has
// no time for the app.

// A Thief is who kept a CPU from the app.
type Thief string

const (
	OtherMachines Thief = "other virtual machines" // steal, proc_stat(5)
	OtherPrograms Thief = "other programs"
	LoadGenerator Thief = "streamproof"
	CPUQuota      Thief = "the app's CPU quota"
	NobodyWokeUs  Thief = "the scheduler" // where the kernel keeps no counters
	BusyDisk      Thief = "a disk that something else kept busy"
)

// A Starvation says that something kept the app from running.
type Starvation struct {
	By Thief
	// Share is the part that By took of what all cores could do, or, for a quota, a disk
	// and the scheduler, the part of the time in which the app could not run.
	Share float64
	// Busy is how busy the cores were, from 0 to 1.
	Busy float64
	// Waits is the part of the time in which a thread of the app waited for a core.
	Waits    float64
	From, To time.Duration
}

func (x Starvation) fact() fact {
	return fact{Kind: FactStarved, Name: string(x.By), Share: x.Share, About: []fact{{Kind: FactBusy, Share: x.Busy}}}
}

const (
	// saturated is how busy the cores must be for anybody to have to wait.
	saturated = 0.9
	// taken is the share of the CPU that makes a difference to those who wait: with
	// less than that the app had three quarters of the machine to itself.
	taken = 0.25
	// greedy is the same for the load generator, which always takes its part.
	greedy = 0.5
	// waits is the share of the time that a thread of a hungry app must have waited
	// for a core, and works what the app must have run beside that.
	waits, works = 0.5, 0.1
	// runnable is the share of the time that a thread which found hardly a moment to
	// sleep ran or waited for a core; among so many others that each gets a core for a
	// hundredth of the time it works no more than that.
	runnable, crowded = 0.75, 0.01
	// asleep is the share of a time in which nothing of ours ran.
	asleep = 0.25
)

// Starved reports whether the machine kept the app from running between two
// times, and who did. Where less than half of that time was measured it says no.
func (s *Scope) Starved(from, to time.Duration) (Starvation, bool) {
	var sum record.MachineSample
	var whole time.Duration
	for _, m := range s.Run.Machine {
		if m.At-m.Over < to && m.At > from {
			add(&sum, m)
			if m.Whole {
				whole += m.Over
			}
		}
	}
	sum.Whole = sum.Over > 0 && whole >= sum.Over/2 // the stack may have been closed by the last
	if n := len(s.Run.Machine); n > 0 {
		to = min(to, max(s.Run.Machine[n-1].At, from))
	}
	if sum.Over == 0 || sum.Over < (to-from)/2 {
		return Starvation{}, false
	}
	x := Starvation{From: from, To: to}
	over := sum.Over.Seconds()
	cpu := over * float64(max(1, s.Run.Plan.Host.CPUs))
	held := s.held(from, to).Seconds() / max(to-from, 1).Seconds()
	x.Busy, x.Waits = (sum.Busy+sum.Steal).Seconds()/cpu, max(sum.AppWaited.Seconds()/over, held)
	sum.Whole = sum.Whole || s.listens() && sum.AppRan+sum.AppWaited > 0 || held >= waits
	others := s.others(&sum)
	if sum.Whole && held < waits && !hungry(&sum) {
		others, sum.OursRan = 0, 0
	}
	for _, c := range []struct {
		by          Thief
		share, most float64
		idle        bool // counts also where cores were idle
	}{
		{CPUQuota, sum.Throttled.Seconds() / over, taken, true},
		{NobodyWokeUs, sum.Late.Seconds() / over, asleep, true},
		{BusyDisk, onDisk(&sum).Seconds() / over, waits, true},
		{OtherMachines, sum.Steal.Seconds() / cpu, taken, false},
		{OtherPrograms, others.Seconds() / cpu, taken, false},
		{LoadGenerator, sum.OursRan.Seconds() / cpu, greedy, false},
	} {
		if c.share >= c.most && (c.idle || x.Busy >= saturated) {
			x.By, x.Share = c.by, c.share
			return x, true
		}
	}
	return x, false
}

// hungry reports whether the app wanted more of the CPU than it got. One that only
// wakes up now and then waits some milliseconds each time, which adds up on a busy
// machine and delays nothing by more than that: it runs next to nothing. One that
// has work to do runs whenever it is let, and where it stands in a long queue for that,
// it never sleeps.
//
//	hungry   waits ━━━━━━╸run╺━━━━━━━╸run╺━━━━━
//	crowded  waits ━━━━━━━━━━━━━━━╸r╺━━━━━━━━━━━━━━━━╸r
//	woken    sleeps ─── waits ━╸r ─── sleeps ─── waits ━╸r ──
//
// One that was not let run at all has run nothing either (see held), and whoever let it
// wait is not the app, even where we do not know all of its processes: those would share
// the cores with it.
func hungry(m *record.MachineSample) bool {
	over, waited, ran := m.Over.Seconds(), m.AppWaited.Seconds(), m.AppRan.Seconds()
	return waited >= waits*over && ran >= works*waited || waited+ran >= runnable*over && ran >= crowded*waited &&
		waited >= waits*over
}

// held is how much of a time threads of the app waited for a core at stretches that were
// longer than a look. The kernel tells of a wait when it ends, which may be later.
//
//	waits    ├────────┤run ├───────────┤run
//	         from                          to
func (s *Scope) held(from, to time.Duration) (sum time.Duration) {
	end := to // of what is not counted yet: looks are in the order of their ends
	for _, m := range slices.Backward(s.Run.Machine) {
		if m.AppHeld <= m.Over {
			continue // AppWaited has it
		}
		begin := max(m.At-m.AppHeld, from)
		if last := min(m.At, end); last > begin {
			sum += last - begin
			end = begin
		}
	}
	return sum
}

func add(sum *record.MachineSample, m record.MachineSample) {
	sum.Over += m.Over
	sum.Late += m.Late
	sum.Busy += m.Busy
	sum.Steal += m.Steal
	sum.OursRan += m.OursRan
	sum.AppRan += m.AppRan
	sum.AppWaited += m.AppWaited
	sum.Throttled += m.Throttled
	sum.DiskWait += m.DiskWait
	sum.AppOnDisk += m.AppOnDisk
	sum.DiskBytes += m.DiskBytes
	sum.AppDiskBytes += m.AppDiskBytes
}

// onDisk is how long the app waited for a disk through no fault of its own: one that
// moved most of the bytes itself has only itself to wait for.
func onDisk(m *record.MachineSample) time.Duration {
	if 2*m.AppDiskBytes > m.DiskBytes {
		return 0
	}
	return min(m.DiskWait, m.AppOnDisk)
}

// others is the CPU time of programs that are neither ours nor the app's. Where
// the app's processes are not all known it is what others took while no stream
// was open, which the app did not need.
func (s *Scope) others(sum *record.MachineSample) time.Duration {
	rest := max(sum.Busy-sum.OursRan-sum.AppRan, 0)
	if sum.Whole {
		return rest
	}
	var idle record.MachineSample
	if s.open == nil {
		s.open = openTimes(s.Run)
	}
	open := s.open
	for _, m := range s.Run.Machine {
		for len(open) > 0 && open[0].to <= m.At-m.Over {
			open = open[1:]
		}
		if m.Known && (len(open) == 0 || open[0].from >= m.At) {
			add(&idle, m)
		}
	}
	if idle.Over == 0 {
		return 0
	}
	share := max(idle.Busy-idle.OursRan, 0).Seconds() / idle.Over.Seconds()
	return min(rest, time.Duration(share*float64(sum.Over)))
}

type interval struct{ from, to time.Duration }

// openTimes are the times at which any stream was open, in order and apart.
func openTimes(run *record.Run) []interval {
	var all []interval
	for _, x := range run.Elsewhere {
		all = append(all, interval{x.From, x.To})
	}
	for i := range run.Streams {
		st := &run.Streams[i]
		to := st.End
		if to == record.Never {
			to = math.MaxInt64
		}
		all = append(all, interval{startOf(st), to})
	}
	slices.SortFunc(all, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	var apart []interval
	for _, x := range all {
		if n := len(apart); n > 0 && x.from <= apart[n-1].to {
			apart[n-1].to = max(apart[n-1].to, x.to)
			continue
		}
		apart = append(apart, x)
	}
	return apart
}

// listens reports whether what listens at the URL that we attached to is the app
// itself.
func (s *Scope) listens() bool {
	return slices.ContainsFunc(s.Run.Hops, func(h record.Hop) bool {
		return h.Scenario == s.Scenario.ID && record.ServesApps(h.Process)
	})
}
