package container

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// helperEnv makes a test of this binary play the part of another process.
const helperEnv = "STREAMPROOF_DOCK_HELPER"

// helper is this test binary, running one test with more environment.
func helper(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), helperEnv+"=1"), env...)
	return cmd
}

// What has no living owner is swept; what has one, or one that we cannot judge,
// is spared until its time is over.
func TestOrphaned(t *testing.T) {
	me := self()
	now := time.Now()
	later := now.Add(time.Hour)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*owner)) owner { o := me; change(&o); return o }
	for name, c := range map[string]struct {
		owner owner
		until time.Time
		want  bool
	}{
		"ourselves":                {me, later, false},
		"ourselves, time over":     {me, now.Add(-time.Minute), true},
		"dead process":             {with(func(o *owner) { o.pid = dead.Process.Pid }), later, true},
		"our pid, used before us":  {with(func(o *owner) { o.start = "1" }), later, true},
		"before the last reboot":   {with(func(o *owner) { o.boot = "other" }), later, true},
		"another machine":          {with(func(o *owner) { o.host, o.boot, o.pid = "other pid:[1]", "other", 1<<22 }), later, false},
		"another container":        {with(func(o *owner) { o.host, o.pid = strings.Fields(me.host)[0]+" pid:[1]", 1<<22 }), later, false},
		"another machine, expired": {with(func(o *owner) { o.host = "other pid:[1]" }), now.Add(-time.Minute), true},
	} {
		if got := orphaned(c.owner.labels("id", "app[0]", c.until), me, now); got != c.want {
			t.Errorf("%s: orphaned = %t", name, got)
		}
	}
}

// After a SIGKILL the next start removes what was left, and spares a stack whose
// owner lives.
func TestSweepAfterKill(t *testing.T) {
	if os.Getenv(helperEnv) != "" {
		s, _ := open(t, originSpec())
		fmt.Printf("stack=%s\n", s.id)
		time.Sleep(time.Minute) // until we are killed
		return
	}
	mine, _ := open(t, originSpec())
	cmd := helper(t, "TestSweepAfterKill")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id := ""
	for lines := bufio.NewScanner(out); id == "" && lines.Scan(); {
		_, id, _ = strings.Cut(lines.Text(), "stack=")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed: its error is what we wanted
	if id == "" || len(leftOf(t, id)) == 0 {
		t.Fatalf("stack %q is gone already: nothing to prove", id)
	}
	gone, err := Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := leftOf(t, id); len(left) != 0 {
		t.Errorf("swept %v, still there %v", gone, left)
	}
	if len(leftOf(t, mine.id)) == 0 {
		t.Error("a stack whose owner lives was swept too")
	}
	if _, _, err := ask(t, hop(t, mine, "edge"), false, "/healthz", nil); err != nil {
		t.Errorf("the stack of the living owner: %v", err)
	}
}

// leavesNothing runs parts, which run side by side, and looks whether they have left
// containers or networks. The caller is no parallel test: nobody else has any.
func leavesNothing(t *testing.T, parts func(t *testing.T)) {
	t.Helper()
	before := stacks(t)
	t.Run("open", parts)
	if after := stacks(t); len(after) > len(before) {
		t.Errorf("left behind: %v", after)
	}
}

// Breaking off an opening at any moment leaves nothing behind.
func TestCancelledOpenLeavesNothing(t *testing.T) {
	requireDocker(t)
	leavesNothing(t, func(t *testing.T) {
		for _, after := range []time.Duration{50 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond} {
			t.Run(after.String(), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), after)
				defer cancel()
				spec := originSpec()
				spec.App.Health, spec.Edge.Form, spec.LogDir = "/never", stack.EdgeDefault, t.TempDir()
				if _, err := New(Options{}).Open(ctx, spec); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
	})
}

// So does a panic in whoever listens.
func TestPanicInOpenLeavesNothing(t *testing.T) {
	requireDocker(t)
	leavesNothing(t, func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		s := &Stack{id: newID(), owner: self(), until: time.Now().Add(time.Hour)}
		_, _ = s.guarded(t.Context(), func(ctx context.Context) error {
			if err := errors.Join(s.connect(ctx), s.makeNetwork(ctx)); err != nil {
				t.Fatal(err)
			}
			if len(leftOf(t, s.id)) == 0 {
				t.Error("nothing was made: nothing to prove")
			}
			panic("mid-opening")
		})
	})
}
