package fault

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

func TestMemoryKillIsConfirmedByTheKernel(t *testing.T) {
	served := func(pid string, end int) *record.Stream {
		s := arrivals(end, 100)
		s.Content.Worker = pid
		return s
	}
	const ms = time.Millisecond
	killed := record.Event{Source: record.FaultSource, Kind: record.KindOOMKill, Subject: "app[0]", Pid: 42, At: 400 * ms}
	instead := record.Event{Source: record.FaultSource, Kind: record.KindKill, Subject: "app[0]", Pid: 42, At: 300 * ms}
	counter := record.Event{Source: record.CgroupSource, Kind: record.KindCounter, Subject: "app[0]",
		Counter: record.OOMCounter,
		Value:   1, Text: "0 → 1", At: 300 * ms}
	early := counter
	early.At = 0
	second := counter
	second.Value, second.Text, second.At = 2, "1 → 2", 320*ms
	exit := func(pid int, at time.Duration) record.Event {
		return record.Event{Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]", Pid: pid, At: at}
	}
	late := func(pid string, end int) *record.Stream {
		s := served(pid, end)
		s.Send = 400 * ms
		return s
	}
	long := []*record.Stream{served("42", 310), served("7", 4700)}
	both := []*record.Stream{served("42", 310), served("7", 900)}
	for _, tc := range []struct {
		name    string
		fault   MemoryKill
		streams []*record.Stream
		events  []record.Event
		ok      bool
		victims int
	}{
		{"counter and streams agree", MemoryKill{}, both, []record.Event{counter, killed}, true, 1},
		{"Docker says so", MemoryKill{}, both, []record.Event{{Source: record.DockerSource, Kind: record.KindOOM,
			At: 300 * ms}, killed}, true, 1},
		{"all of the app", MemoryKill{Whole: true}, both, []record.Event{counter, killed}, true, 2},
		{"the kernel is silent", MemoryKill{}, both, []record.Event{killed}, false, 0},
		{"the kernel spoke before", MemoryKill{}, both, []record.Event{early, killed}, false, 0},
		{"it served nobody", MemoryKill{}, both[1:], []record.Event{counter, killed}, false, 0},
		{"its streams had ended", MemoryKill{}, []*record.Stream{served("42", 60)}, []record.Event{counter, killed}, false,
			0},
		{"SIGKILL in its place", MemoryKill{}, both, []record.Event{instead}, true, 1},
		{"a sibling went, too", MemoryKill{}, []*record.Stream{served("42", 310), served("7", 350)},
			[]record.Event{counter, killed, {Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
				Pid: 7, At: 380 * ms}}, true, 2},
		{"a sibling went late, and the kernel counts two", MemoryKill{}, long,
			[]record.Event{counter, second, killed, exit(42, 380*ms), exit(7, 4700*ms)}, true, 2},
		{"a sibling went late, and the kernel counts one", MemoryKill{}, long,
			[]record.Event{counter, killed, exit(42, 380*ms), exit(7, 4700*ms)}, true, 1},
		{"both went late", MemoryKill{}, long,
			[]record.Event{counter, killed, exit(42, 4600*ms), exit(7, 4700*ms)}, true, 2},
		{"two killed before, one now", MemoryKill{}, long,
			[]record.Event{{Source: record.CgroupSource, Kind: record.KindCounter, Subject: "app[0]", Counter: record.OOMCounter,
				Value: 2}, {Source: record.CgroupSource, Kind: record.KindCounter, Subject: "app[0]", Counter: record.OOMCounter,
				Value: 3, At: 300 * ms}, killed, exit(42, 380*ms), exit(7, 4700*ms)}, true, 1},
		{"the container ran out of memory long before", MemoryKill{}, []*record.Stream{late("42", 900),
			served("7", 950)}, []record.Event{{Source: record.DockerSource, Kind: record.KindOOM, Subject: "app[0]",
			At: 210 * ms}, counter, killed, exit(42, 910*ms)}, true, 1},
		{"its next life dies by itself", MemoryKill{Whole: true}, []*record.Stream{served("42", 310), late("42", 900)},
			[]record.Event{counter, instead, exit(42, 380*ms), exit(42, 900*ms)}, true, 1},
		{"nothing was killed", MemoryKill{}, both, []record.Event{counter}, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := tc.fault.Confirm(Seen{Streams: these(tc.streams...), Events: tc.events, Active: 200 * ms})
			if p.OK != tc.ok || p.OK && len(p.Victims) != tc.victims {
				t.Errorf("got %+v, want ok %v with %d victims", p, tc.ok, tc.victims)
			}
		})
	}
}

// Only a container has a limit to run into.
func TestMemoryKillPreparesContainers(t *testing.T) {
	for limits, want := range map[bool]int64{true: unlimited, false: 0} {
		spec := stack.Spec{LimitsMemory: limits}
		MemoryKill{}.Prepare(&spec)
		if spec.App.Memory != want || spec.App.Shm != 2*want {
			t.Errorf("limits %v: memory %d, shm %d", limits, spec.App.Memory, spec.App.Shm)
		}
	}
	spec := stack.Spec{LimitsMemory: true, App: stack.App{Memory: 100 << 20}}
	MemoryKill{}.Prepare(&spec)
	if spec.App.Memory != 100<<20 {
		t.Errorf("the user's limit became %d", spec.App.Memory)
	}
}
