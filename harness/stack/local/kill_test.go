package local

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// stubborn is a program that ignores SIGTERM, and whose child has left its
// process group and its parent: only a reaper of orphans finds it.
const stubborn = `trap '' TERM; (setsid sleep 987 &) ; setsid sleep 986 & sleep 985 & exec python3 -m http.server --bind 127.0.0.1 {port}`

// playVictim opens a stack as the harness does, prints the pids of all that it
// started, and waits to be killed.
func playVictim() int {
	spec := stack.Spec{LogDir: os.Args[2], App: stack.App{Command: []string{"sh", "-c", stubborn}}}
	if findNginx("") != "" {
		spec.Edge.Form = stack.EdgeStreaming
	}
	s, err := opener().Open(context.Background(), spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close(context.Background())
	json.NewEncoder(os.Stdout).Encode(descendants(os.Getpid()))
	io.Copy(io.Discard, os.Stdin)
	return 0
}

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
			_, alive := readStat(p.Pid)
			return !alive || commandLine(p.Pid) != p.Command
		})
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("still there: %+v", left)
}

// Close takes the stubborn one down too, within its context.
func TestCloseInsists(t *testing.T) {
	s, err := opener().Open(t.Context(), stack.Spec{LogDir: t.TempDir(), App: stack.App{Command: []string{"sh", "-c", stubborn}}})
	if err != nil {
		t.Fatal(err)
	}
	ps := s.(*chain).replicas[0].proc.tree()
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
