package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

const killFault = "SIGKILL to one worker process"

// faulty is a run with a fault of ours.
func faulty(edge string, p record.Policy) *synth.Builder {
	p.GapLimit, p.Faulty, p.Checks = gap, true, checks
	b := synth.New(record.Scenario{ID: "chaos", Edge: edge, Policy: p})
	b.Log(record.NginxError)
	return b
}

func chaos(g record.Group, sh synth.Shape) synth.Shape {
	sh.Scenario, sh.Group = "chaos", g
	return sh
}

func weKill(b *synth.Builder, pid int) {
	b.Happen(record.Event{At: sec, Source: record.FaultSource, Kind: record.KindKill, Subject: "app[0]", Pid: pid,
		Code: 9})
	b.Happen(record.Event{At: sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
		Pid: pid, Code: 9})
}

func causesOf(b *synth.Builder) []verdict.Cause { return toldOf(b) }

// The app is never blamed for what our fault did to its victims.
func TestInjectedFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func() *synth.Builder
		want  []string // all causes, in order; prefixes
	}{
		{"a stall that was lived through has no cause", func() *synth.Builder {
			b := faulty("streaming", record.Policy{})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Events: 120, HoldFrom: sec, HoldFor: gap + sec}))
			b.Add(10, chaos(record.Control, synth.Shape{Events: 120}))
			b.Fault(synth.Delay("stall of 4s on the edge link"), sec, 5*sec, v...)
			app(b)
			return b
		}, nil},
		{"a stall that never ended is ours", func() *synth.Builder {
			b := faulty("streaming", record.Policy{})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Events: 120, Keep: 20, End: synth.Silent(gap)}))
			b.Fault(synth.Delay("stall of 4s on the edge link"), sec, 5*sec, v...)
			app(b)
			return b
		}, []string{"injected fault: stall"}},
		{"strikes", func() *synth.Builder {
			b := faulty("streaming", record.Policy{Kills: true})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Keep: 5, End: synth.RST}))
			b.Add(10, chaos(record.Control, synth.Shape{}))
			for _, seq := range v {
				b.Happen(record.Event{At: 205 * ms, Source: record.RelaySource, Kind: record.KindStrike,
					Subject: string(stack.RST), Stream: seq, Value: 5, Text: "rst after 5 events"})
			}
			b.Fault(synth.Cut("rst after event 5 on the edge link"), 205*ms, 220*ms, v...)
			app(b)
			return b
		}, []string{"injected fault: rst after event 5"}},
		{"our own kill, chunked edge", func() *synth.Builder {
			b := faulty("streaming", record.Policy{Kills: true, Refuses: true, Recovery: sec})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Worker: 11, Events: 60, Keep: 19, End: synth.CutAt(sec)}))
			b.Add(10, chaos(record.Victim, synth.Shape{Worker: 12, Events: 60}))
			b.Add(3, chaos(record.Recovery, synth.Shape{Start: 1100 * ms, Keep: synth.KeepNone, End: synth.Status(502)}))
			b.Fault(synth.Cut(killFault), sec, 1200*ms, v...)
			weKill(b, 11)
			app(b)
			return b
		}, []string{"injected fault: SIGKILL"}},
		{"our own kill, laundered", func() *synth.Builder {
			b := faulty("default", record.Policy{Kills: true})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Worker: 11, Events: 60, Keep: 19, End: synth.CleanAt(sec)}))
			b.Add(10, chaos(record.Victim, synth.Shape{Worker: 12, Events: 60}))
			b.Fault(synth.Cut(killFault), sec, 1200*ms, v...)
			weKill(b, 11)
			app(b)
			return b
		}, []string{diagnose.LaunderedByEdge}},
		{"our own FIN upstream, laundered", func() *synth.Builder {
			b := faulty("default", record.Policy{Kills: true})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Keep: 5, End: synth.Clean}))
			for _, seq := range v {
				b.Happen(record.Event{At: 205 * ms, Source: record.RelaySource, Kind: record.KindStrike,
					Subject: string(stack.FIN), Stream: seq, Text: "fin after 5 events"})
			}
			b.Fault(synth.Cut("fin after event 5 on the upstream link"), 205*ms, 220*ms, v...)
			app(b)
			return b
		}, []string{diagnose.LaunderedByEdge}},
		{"a body that only the close ends", func() *synth.Builder {
			b := faulty("none", record.Policy{Kills: true})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Keep: 5, End: synth.ByClose}))
			b.Fault(synth.Cut("fin after event 5 on the edge link"), 205*ms, 220*ms, v...)
			app(b)
			return b
		}, []string{diagnose.EndsByClose}},
		{"the app's own sin beside our kill", func() *synth.Builder {
			b := faulty("streaming", record.Policy{Kills: true})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Worker: 11, Events: 60, Keep: 19, End: synth.CutAt(sec)}))
			b.Add(10, chaos(record.Victim, synth.Shape{Worker: 12, Events: 60, Keep: 30, End: synth.Clean}))
			b.Fault(synth.Cut(killFault), sec, 1200*ms, v...)
			weKill(b, 11)
			app(b)
			return b
		}, []string{diagnose.SilentTruncation, "injected fault: SIGKILL"}},
		{"an exception under latency", func() *synth.Builder {
			b := faulty("streaming", record.Policy{})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Keep: 10, End: synth.FIN}))
			b.Fault(synth.Delay("latency 300ms ± 50ms on the upstream link"), 200*ms, sec, v...)
			app(b, exceptions(10, endOfTen)...)
			return b
		}, []string{diagnose.AppError}},
		{"a drain whose window is too short", func() *synth.Builder {
			b := faulty("streaming", record.Policy{Refuses: true, Recovery: sec})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Events: 100, Keep: 50, End: synth.CutAt(3 * sec)}))
			b.Happen(record.Event{At: sec, Source: record.FaultSource, Kind: record.KindTerm, Subject: "app[0]"})
			b.Happen(record.Event{At: 3 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]", Pid: 11})
			b.Fault(synth.Drain("SIGTERM with 10s of grace, then a new start"), sec, 3*sec, v...)
			app(b)
			return b
		}, []string{diagnose.GraceTooShort}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := names(causesOf(tt.build()))
			ok := len(got) == len(tt.want)
			for i := range tt.want {
				ok = ok && strings.HasPrefix(got[i], tt.want[i])
			}
			if !ok {
				t.Errorf("causes = %q, want %q", got, tt.want)
			}
		})
	}
}

// What the edge laundered is said with what really happened behind it.
func TestLaunderingSaysWhatHappenedBehind(t *testing.T) {
	b := faulty("default", record.Policy{Kills: true})
	v := b.Add(5, chaos(record.Victim, synth.Shape{Worker: 11, Events: 60, Keep: 19, End: synth.CleanAt(sec)}))
	b.Fault(synth.Cut(killFault), sec, 1200*ms, v...)
	weKill(b, 11)
	app(b)
	c := causesOf(b)[0]
	if !strings.Contains(c.Summary, "killed pid 11") || !slices.ContainsFunc(c.Evidence,
		func(e record.Evidence) bool { return strings.Contains(e.Text, "killed pid 11") }) {
		t.Errorf("cause does not say what happened behind the edge: %+v", c)
	}
	if c.Count != 5 || !slices.Equal(c.Streams, v) {
		t.Errorf("explains %d streams %v, want %v", c.Count, c.Streams, v)
	}
}

// Two causes in one run are both named, each with its own streams.
func TestMixedCauses(t *testing.T) {
	b := faulty("streaming", record.Policy{})
	truncated := b.Add(7, chaos(record.Load, synth.Shape{Keep: 10, End: synth.Clean}))
	raised := b.Add(4, chaos(record.Load, synth.Shape{Start: 10 * sec, Keep: 10, End: synth.FIN}))
	b.Add(20, chaos(record.Load, synth.Shape{}))
	app(b, exceptions(4, 10*sec+endOfTen)...)
	got := causesOf(b)
	want := map[string][]uint64{diagnose.SilentTruncation: truncated, diagnose.AppError: raised}
	if len(got) != len(want) {
		t.Fatalf("causes = %q", names(got))
	}
	for _, c := range got {
		if !slices.Equal(c.Streams, want[c.Cause]) {
			t.Errorf("%s explains %v, want %v", c.Cause, c.Streams, want[c.Cause])
		}
	}
}

// Containers number their processes alike: what we did to a process of one
// replica is no excuse for the streams of another.
func TestSamePidOnTwoReplicas(t *testing.T) {
	b := faulty("streaming", record.Policy{Kills: true})
	cut := synth.Shape{Worker: 11, Events: 60, Keep: 19, End: synth.CutAt(sec)}
	mine, its := b.Add(6, chaos(record.Victim, cut)), b.Add(6, chaos(record.Victim, cut))
	for i := range b.Run.Streams {
		s := &b.Run.Streams[i]
		s.Replica = "app[0]"
		if slices.Contains(its, s.Seq) {
			s.Replica = "app[1]"
		}
	}
	b.Fault(synth.Cut(killFault), sec, 1200*ms, mine...)
	weKill(b, 11) // of app[0]
	b.Happen(record.Event{At: sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[1]",
		Pid: 11, Code: 9})
	app(b)
	want := map[string][]uint64{diagnose.WorkerKilled: its, "injected fault: SIGKILL to one worker process": mine}
	got := causesOf(b)
	if len(got) != len(want) {
		t.Errorf("causes %q", names(got))
	}
	for _, c := range got {
		if !slices.Equal(c.Streams, want[c.Cause]) {
			t.Errorf("%s explains %v, want %v", c.Cause, c.Streams, want[c.Cause])
		}
	}
}
