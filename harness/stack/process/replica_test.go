package process

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

func openError(t *testing.T, spec stack.Spec) error {
	t.Helper()
	spec.LogDir = t.TempDir()
	s, err := opener().Open(t.Context(), spec)
	if err == nil {
		s.Close(t.Context())
		t.Fatal("Open succeeded")
	}
	return err
}

func TestStartErrorsSayWhy(t *testing.T) {
	t.Parallel() // one app takes 8 s to be given up
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	spare := free.Addr().(*net.TCPAddr).Port
	tests := []struct {
		name string
		app  stack.App
		want []string
		tail string
	}{
		{"exits at once", stack.App{Command: []string{"sh", "-c", "echo one; echo two >&2; exit 3"}},
			[]string{"start app[0]", "ended before it was healthy", "exit code 3"}, "one|two"},
		{"killed", stack.App{Command: []string{"sh", "-c", "echo dying; kill -9 $$"}},
			[]string{"killed by signal 9"}, "dying"},
		{"never healthy", stack.App{Command: []string{"sh", "-c", "echo waiting; exec sleep 600"},
			Start: 300 * time.Millisecond},
			[]string{"not healthy after 300ms", "refused"}, "waiting"},
		{"answers 404", stack.App{Command: []string{"python3", "-m", "http.server", "--bind", "127.0.0.1", "{port}"},
			Health: "/nope", Start: 8 * time.Second},
			[]string{"not healthy after 8s", "404"}, ""},
		{"other port", stack.App{Command: []string{"python3", "-m", "http.server", "--bind", "0.0.0.0", fmt.Sprint(spare)},
			Start: 8 * time.Second}, []string{"refused", fmt.Sprintf("it listens on %d: ", spare)}, ""},
		{"other address", stack.App{Command: []string{"python3", "-m", "http.server", "--bind", "::1", "{port}"},
			Start: 8 * time.Second}, []string{"refused", "it listens on [::1]:"}, ""},
		{"no such program", stack.App{Command: []string{"no-such-program"}}, []string{"no-such-program", "not found"}, ""},
		{"no such folder", stack.App{Command: []string{"sh"}, Dir: "/no/such/folder"}, []string{"/no/such/folder"}, ""},
		{"port taken", stack.App{Command: []string{"sleep", "600"}, Port: port},
			[]string{fmt.Sprintf("port %d is taken by pid", port), "process.test"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := openError(t, stack.Spec{App: tt.app})
			var start *stack.StartError
			if !errors.As(err, &start) {
				t.Fatalf("Open = %v, want a StartError", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Open = %q, want %q in it", err, want)
				}
			}
			if got := strings.Join(start.Tail, "|"); tt.tail != "" && got != tt.tail {
				t.Errorf("tail is %q, want %q", got, tt.tail)
			}
		})
	}
}

// What the machine or this stack cannot do is told apart from what is broken.
func TestUnable(t *testing.T) {
	command := stack.App{Command: []string{"sleep", "600"}}
	tests := map[string]stack.Spec{
		"container": {App: stack.App{Image: "acme/chat"}},
		"memory":    {App: stack.App{Command: command.Command, Memory: 1 << 20}},
		"replicas":  {App: stack.App{URL: "http://127.0.0.1:1"}, Replicas: 2},
		"https":     {App: stack.App{URL: "https://127.0.0.1:1"}, Edge: stack.Edge{Form: stack.EdgeStreaming}},
		"conf":      {App: command, Edge: stack.Edge{NginxConf: "nginx.conf"}},
	}
	for name, spec := range tests {
		var unable *stack.Unable
		if err := openError(t, spec); !errors.As(err, &unable) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Open = %v, want an Unable that says so", name, err)
		}
	}
}

// The command gets its port in every way that is promised, its folder, its
// environment, and a log that keeps its lines.
func TestCommandGetsWhatItNeeds(t *testing.T) {
	dir := t.TempDir()
	script := `echo "$PORT {port} $GREETING $(pwd)"; exec python3 -m http.server --bind 127.0.0.1 $PORT`
	r := open(t, stack.Spec{App: stack.App{Command: []string{"sh", "-c", script}, Dir: dir, Env: []string{"GREETING=hi"},
		Health: "/"}, Replicas: 2})
	for i, rep := range r.Replicas() {
		port := strings.TrimPrefix(rep.URL, "http://127.0.0.1:")
		want := fmt.Sprintf("%s %s hi %s\n", port, port, dir)
		if got := r.log(t, fmt.Sprintf("app.%d.log", i)); !strings.HasPrefix(got, want) {
			t.Errorf("log of %s begins with %q, want %q", rep.Name, got, want)
		}
	}
	ps, err := r.Processes(t.Context())
	if err != nil || len(ps) != 2 || ps[0].Role != "master" || !strings.Contains(ps[0].Command, "http.server") {
		t.Errorf("Processes() = %+v, %v", ps, err)
	}
}

// A grace that is too short ends with SIGKILL, and the exit says so.
func TestStopInsistsAfterGrace(t *testing.T) {
	r := open(t, stack.Spec{App: stack.App{Command: []string{"sh", "-c", stubborn}}})
	if err := r.Stop(t.Context(), "app[0]", 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if e := r.diary.await(t, record.KindExit, "app[0]", 0); e.Code != 128+9 || !strings.Contains(e.Text, "signal 9") {
		t.Errorf("exit is %+v, want 137 and signal 9", e)
	}
}

// Whoever only looks does not wait for a replica that takes its time to stop: the sampler
// of the machine would blame the wait on the scheduler.
func TestLookingDoesNotWaitForStop(t *testing.T) {
	r := open(t, stack.Spec{App: stack.App{Command: []string{"sh", "-c", stubborn}}})
	app := r.all()[0]
	pid, stopped := app.Pid(), make(chan error, 1)
	go func() { stopped <- r.Stop(t.Context(), "app[0]", 3*time.Second) }()
	for app.changing.TryLock() { // until the stop has begun
		app.changing.Unlock()
		time.Sleep(time.Millisecond)
	}
	pids, during, watch := r.HostPids(), app.Pid(), app.Watch()
	select {
	case err := <-stopped:
		t.Errorf("looking waited for the stop (%v)", err)
	default:
		if len(pids) != 1 || during != pid {
			t.Errorf("HostPids() = %v, Pid() = %d during the stop of pid %d", pids, during, pid)
		}
		if _, seen := stack.Children(pid); seen && watch == nil {
			t.Error("nobody watches the replica during its stop")
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	}
	if pids := r.HostPids(); len(pids) != 0 || app.Pid() != 0 {
		t.Errorf("HostPids() = %v, Pid() = %d after the stop", pids, app.Pid())
	}
}
