package container

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// workers lists the n worker processes of a stack, once they are all there: an
// app is healthy as soon as its first one is.
func workers(t *testing.T, s *Stack, n int) []stack.Process {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		ps, err := s.Processes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ps = slices.DeleteFunc(ps, func(p stack.Process) bool { return p.Role != "worker" })
		if len(ps) == n {
			return ps
		}
		if time.Now().After(end) {
			t.Fatalf("workers: %+v, want %d", ps, n)
		}
	}
}

// A killed worker is one process of the container: the master replaces it, the
// container lives on, and nothing looks like a memory kill.
func TestKillAWorker(t *testing.T) {
	bynight.Only(t, "TestChain/a killed worker")
	t.Parallel()
	s, d := open(t, stack.Spec{App: fastapi("WORKERS=2"), Omit: edgeLink})
	ws := workers(t, s, 2)
	if !strings.Contains(ws[0].Command, "gunicorn") {
		t.Fatalf("workers: %+v", ws)
	}
	victim := ws[0]
	if err := s.Signal(t.Context(), victim, int(syscall.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	exit := d.find(t, "the worker's exit", func(e stack.Event) bool {
		return e.Kind == record.KindExit &&
			e.Pid == victim.Pid
	})
	born := d.find(t, "a new worker", func(e stack.Event) bool {
		return e.Kind == record.KindStart &&
			e.At >= exit.At && e.Pid > 1
	})
	if born.Pid <= victim.Pid || born.Subject != "app[0]" {
		t.Errorf("new worker: %+v", born)
	}
	for _, e := range d.all() {
		if e.Source == record.DockerSource && (e.Kind == record.KindDie || e.Kind == record.KindOOM) ||
			e.Of(oomKill) && e.Value > 0 {
			t.Errorf("event %+v after a mere kill", e)
		}
	}
	if err := s.Signal(t.Context(), stack.Process{Replica: "app[0]", Pid: victim.Pid}, 9); err == nil {
		t.Error("signalling a dead process is no error")
	}
}

// The worker that is blamed is the one that the kernel takes, and a memory kill
// is proved by the counter and told apart from a SIGKILL by it.
func TestMemoryKillOfAWorker(t *testing.T) {
	bynight.Only(t, "scenarios has TestCausesOnDocker/memory, worker and TestFixedAppOnDocker/memory-kill")
	t.Parallel()
	app := fastapi("WORKERS=2")
	app.Memory, app.Shm = 160<<20, 256<<20
	s, d := open(t, stack.Spec{App: app, Omit: edgeLink})
	before, err := s.Counters(t.Context(), "app[0]")
	if err != nil {
		t.Fatal(err)
	}
	victim := workers(t, s, 2)[1]
	if err := s.Blame(t.Context(), victim); err != nil {
		t.Fatal(err)
	}
	if err := s.FillMemory(t.Context(), "app[0]", 256<<20); err != nil {
		t.Fatal(err)
	}
	after, err := s.Counters(t.Context(), "app[0]")
	// The script that presses is in the container, too, and may be met after the worker.
	if err != nil || after[oomKill] <= before[oomKill] {
		t.Errorf("oom_kill %d, then %d: %v", before[oomKill], after[oomKill], err)
	}
	d.find(t, "the blamed worker's exit", func(e stack.Event) bool {
		return e.Kind == record.KindExit &&
			e.Pid == victim.Pid
	})
	d.find(t, "the counter", func(e stack.Event) bool {
		return e.Source == record.CgroupSource && e.Of(oomKill) && e.Value > before[oomKill]
	})
	d.find(t, "Docker's oom", func(e stack.Event) bool {
		return e.Source == record.DockerSource &&
			e.Kind == record.KindOOM
	})
	for _, e := range d.all() {
		if e.Kind == record.KindDie {
			t.Errorf("the container died too: %+v", e)
		}
	}
}

// With the app as PID 1 a memory kill takes the container, Docker starts it
// again, and the chain works as before.
func TestMemoryKillOfTheContainer(t *testing.T) {
	bynight.Only(t, "scenarios has TestCausesOnDocker/memory, container")
	t.Parallel()
	app := fastapi("SERVER=uvicorn")
	app.Memory, app.Shm = 128<<20, 256<<20
	s, d := open(t, stack.Spec{App: app, Omit: edgeLink})
	if err := s.FillMemory(t.Context(), "app[0]", 256<<20); err != nil {
		t.Fatal(err)
	}
	die := d.find(t, "die", func(e stack.Event) bool {
		return e.Source == record.DockerSource &&
			e.Kind == record.KindDie
	})
	oom := d.find(t, "oom", func(e stack.Event) bool {
		return e.Source == record.DockerSource &&
			e.Kind == record.KindOOM
	})
	if die.Code != 137 || oom.At > die.At {
		t.Errorf("oom %+v, die %+v", oom, die)
	}
	d.find(t, "OOMKilled", func(e stack.Event) bool { return e.Kind == record.KindOOMKilled })
	d.find(t, "a new start", func(e stack.Event) bool {
		return e.Kind == record.KindStart && e.Source == record.DockerSource && e.At > die.At
	})
	for _, e := range d.all() {
		if e.Kind == record.KindKill {
			t.Errorf("somebody killed it: %+v", e)
		}
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if _, body, err := ask(t, hop(t, s, "edge"), false, "/chat?events=2&gap=1ms", nil); err == nil && strings.HasSuffix(body, "[DONE]\n\n") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the chain did not recover")
		}
	}
	if _, body, err := ask(t, hop(t, s, "app"), false, "/healthz", nil); err != nil || body != "ok" {
		t.Errorf("the app hop has not followed the restart: %v %q", err, body)
	}
}

// A stop that runs out of grace ends with the same 137 as a memory kill; the
// events tell them apart.
func TestStopRunsOutOfGrace(t *testing.T) {
	t.Parallel()
	s, d := open(t, stack.Spec{App: fastapi("SERVER=uvicorn"), Omit: edgeLink})
	streaming := make(chan error, 1)
	go func() {
		_, _, err := ask(t, hop(t, s, "app"), false, "/chat?events=400&gap=50ms", nil)
		streaming <- err
	}()
	d.find(t, "the app", func(e stack.Event) bool { return e.Kind == record.KindReady })
	time.Sleep(200 * time.Millisecond) // the stream is in its body; uvicorn waits for it without bound
	if err := s.Stop(t.Context(), "app[0]", 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := <-streaming; err == nil {
		t.Error("the stream outlived its app")
	}
	said := func(kind record.EventKind, code int) func(stack.Event) bool {
		return func(e stack.Event) bool { return e.Source == record.DockerSource && e.Kind == kind && e.Code == code }
	}
	d.find(t, "SIGKILL", said(record.KindKill, 9)) // Docker may tell of it after the end that it brought
	die := d.find(t, "die", said(record.KindDie, 137))
	var kills []int
	for _, e := range d.all() {
		if e.Source == record.DockerSource && e.Kind == record.KindKill && e.At <= die.At {
			kills = append(kills, e.Code)
		}
		if e.Kind == record.KindOOM || e.Kind == record.KindOOMKilled || e.Of(oomKill) &&
			e.Value > 0 {
			t.Errorf("looks like a memory kill: %+v", e)
		}
	}
	if die.Code != 137 || !slices.Equal(kills, []int{15, 9}) {
		t.Errorf("die %+v after kills %v", die, kills)
	}
	if err := s.Start(t.Context(), "app[0]"); err != nil {
		t.Fatal(err)
	}
	if _, body, err := ask(t, hop(t, s, "edge"), false, "/healthz", nil); err != nil || body != "ok" {
		t.Errorf("after the start: %v %q", err, body)
	}
}
