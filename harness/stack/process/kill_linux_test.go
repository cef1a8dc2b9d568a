package process

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A harness that is killed with SIGKILL leaves no process behind: not the app,
// not nginx and its worker, not a grandchild that has hidden.
func TestSIGKILLOfTheHarnessLeavesNothing(t *testing.T) {
	cmd := exec.Command(self(), "victim", t.TempDir())
	stdin, err := cmd.StdinPipe() // kept open: the victim must not end by itself
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ps []stack.Process
	if err == nil {
		err = json.Unmarshal(line, &ps)
	}
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	if err != nil {
		t.Fatalf("victim: %v", err)
	}
	if len(ps) < 5 { // guard, server, three sleepers
		t.Errorf("victim had started %+v, too few for this test to mean anything", ps)
	}
	wantGone(t, ps)
}

// wantGone waits until none of the processes is left.
func wantGone(t *testing.T, ps []stack.Process) {
	t.Helper()
	var left []stack.Process
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		left = slices.DeleteFunc(slices.Clone(ps), func(p stack.Process) bool {
			return !isAlive(p.Pid) || commandLine(p.Pid) != p.Command
		})
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("still there: %+v", left)
}

// Close takes the stubborn one down too, within its context.
func TestCloseInsists(t *testing.T) {
	t.Parallel()
	s, err := opener().Open(t.Context(),
		stack.Spec{LogDir: t.TempDir(), App: stack.App{Command: []string{"sh", "-c", stubborn}}})
	if err != nil {
		t.Fatal(err)
	}
	ps, err := s.(*Stack).Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*insist)
	defer cancel()
	began := time.Now()
	if err := s.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("Close took %v with a context of %v", took, 2*insist)
	}
	wantGone(t, ps)
}

// A replica that has crashed, and left a child that holds its port, starts again.
func TestStartAfterACrash(t *testing.T) {
	r := open(t, stack.Spec{App: stack.App{Origin: &stack.Origin{Workers: 2}}})
	ps, err := r.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Signal(t.Context(), ps[0], int(syscall.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	if e := r.diary.await(t, record.KindExit, "app[0]", ps[0].Pid); e.Code != 137 {
		t.Errorf("exit is %+v, want code 137", e)
	}
	if err := r.Start(t.Context(), "app[0]"); err != nil {
		t.Fatal(err)
	}
	wantGone(t, ps)
	if a := stream(t.Context(), request{url: r.hop(t, "app").URL, id: 1, events: 2}); !a.done {
		t.Errorf("stream after the new start: %v", a)
	}
}

// slowApp streams for ever, a line at a time.
const slowApp = `
import time
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    while True:
        yield b"tick\n"
        time.sleep(0.01)
`

// The tree of a real process manager, started by a shell: the manager is the
// master, its workers are workers, and none of them outlives a Stop.
func TestTreeOfGunicorn(t *testing.T) {
	gunicorn, err := exec.LookPath("gunicorn")
	if err != nil {
		t.Skip("no gunicorn on this host: roles are tested on our origin and on scripted trees only")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "slow.py"), []byte(slowApp), 0o644); err != nil {
		t.Fatal(err)
	}
	script := gunicorn + " --workers 2 --bind 127.0.0.1:{port} slow:app; echo over"
	r := open(t, stack.Spec{App: stack.App{Command: []string{"sh", "-c", script}, Dir: dir}})
	var ps []stack.Process
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		if ps, err = r.Processes(t.Context()); err != nil || len(ps) == 4 {
			break // shell, master, two workers
		}
	}
	roles := map[string]int{}
	for _, p := range ps {
		roles[p.Role]++
	}
	if roles["master"] != 1 || roles["worker"] != 2 || roles["helper"] != 1 {
		t.Fatalf("Processes() = %+v, %v", ps, err)
	}
	if err := r.Stop(t.Context(), "app[0]", patience); err != nil {
		t.Fatal(err)
	}
	if log := r.log(t, "app.log"); !strings.Contains(log, "Handling signal: term") || !strings.HasSuffix(log, "over\n") {
		t.Errorf("gunicorn was not asked, or its shell did not live to see it end:\n%s", log)
	}
	wantGone(t, ps)
}
