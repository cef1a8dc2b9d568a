//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// mark is a variable that our processes and all that they start carry.
const mark = "STREAMPROOF_TEST_MARK="

// A child is a long run of the real program.
type child struct {
	*exec.Cmd
	dir            string
	mark           string
	stdout, stderr bytes.Buffer
	ended          chan struct{} // closed when it has; then ProcessState is set
}

// start begins a run that would last for minutes.
func start(t *testing.T, args ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(self), dir: filepath.Join(t.TempDir(), "run"),
		mark: fmt.Sprintf("%s%s-%d", mark, t.Name(), rand.Uint64()), ended: make(chan struct{})}
	// the name makes TestMain run main
	c.Args = append([]string{"streamproof", "run", "--seed", "5", "-o", c.dir}, args...)
	c.Env = append(os.Environ(), c.mark)
	c.Cmd.Stdout, c.Cmd.Stderr = &c.stdout, &c.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.Wait()
		close(c.ended)
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		<-c.ended
	})
	return c
}

// patience is as long as a machine may need that has hardly a moment for us: a fast one
// never waits for it.
const patience = 3 * time.Minute

// until polls.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// streaming waits until the record has streams in it.
func (c *child) streaming(t *testing.T) {
	until(t, "streams in the record of "+c.dir, func() bool {
		run, err := record.Open(c.dir)
		return err == nil && len(run.Streams) > 0
	})
}

// gone waits until nothing of the run is left, whatever its process group.
func (c *child) gone(t *testing.T) {
	t.Helper()
	until(t, "the end of all processes of the run", func() bool { return len(carrying(c.mark)) == 0 })
}

// carrying lists the processes whose environment holds mark.
func carrying(mark string) []string {
	var pids []string
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		if env, err := os.ReadFile(f); err == nil && bytes.Contains(env, []byte(mark+"\x00")) {
			pids = append(pids, strings.Split(f, "/")[2])
		}
	}
	return pids
}

// exit waits for the end, and returns the exit code: -1 after a signal.
func (c *child) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		t.Fatal("the run does not end")
	}
	return c.ProcessState.ExitCode()
}

func readVerdict(t *testing.T, dir string) (r verdict.Report) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "verdict.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// wholeSum requires that no stream is lost or counted twice.
func wholeSum(t *testing.T, r verdict.Report) {
	t.Helper()
	sum := 0
	for _, n := range r.Outcomes {
		sum += n
	}
	if sum != r.Started || r.Started == 0 {
		t.Errorf("outcomes sum up to %d, %d streams were started", sum, r.Started)
	}
}

func TestInterruptEndsWell(t *testing.T) {
	t.Parallel()
	c := start(t, "--scenario", "control", "--duration", "5m")
	c.streaming(t)
	c.Process.Signal(os.Interrupt)
	if code := c.exit(t); code != exitInconclusive {
		t.Errorf("exit code %d, want %d\n%s", code, exitInconclusive, &c.stderr)
	}
	if !strings.Contains(c.stderr.String(), "interrupted: ") {
		t.Errorf("no word on stderr:\n%s", &c.stderr)
	}
	if !strings.HasPrefix(c.stdout.String(), "INTERRUPTED: you stopped the run; 1 of 1 scenario had started") {
		t.Errorf("stdout does not begin with what happened:\n%s", &c.stdout)
	}
	if want := "report: " + filepath.Join(c.dir, "report.html") + "\n"; !strings.HasSuffix(c.stdout.String(), want) {
		t.Errorf("stdout does not end with %q:\n%s", want, &c.stdout)
	}
	r := readVerdict(t, c.dir)
	wholeSum(t, r)
	if r.Complete || r.Verdict == verdict.Pass || r.Outcomes[verdict.Cancelled] == 0 {
		t.Errorf("complete %v, verdict %s, outcomes %v; want an incomplete record with cancelled streams", r.Complete,
			r.Verdict, r.Outcomes)
	}
	c.gone(t)
}

// A terminal that closes ends a run as Ctrl-C does, and says so more than once.
func TestHangUpEndsWell(t *testing.T) {
	t.Parallel()
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("whoever started the test had SIGHUP ignored (nohup), and so has the program")
	}
	c := start(t, "--scenario", "control", "--duration", "5m")
	c.streaming(t)
	c.Process.Signal(syscall.SIGHUP)
	until(t, "word of the interrupt", func() bool {
		c.Process.Signal(syscall.SIGHUP)
		_, err := os.Stat(filepath.Join(c.dir, "verdict.json"))
		return err == nil
	})
	if code := c.exit(t); code != exitInconclusive {
		t.Errorf("exit code %d, want %d\n%s", code, exitInconclusive, &c.stderr)
	}
	wholeSum(t, readVerdict(t, c.dir))
	c.gone(t)
}

// A run whose output nobody reads any more goes on, writes its report and leaves nothing.
func TestOutputThatNobodyReads(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(self)
	cmd.Args = []string{"streamproof", "run", "--scenario", "control", "--streams", "4", "-o", dir}
	cmd.Env = append(os.Environ(), mark+t.Name())
	cmd.Stdout, cmd.Stderr = w, w
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code < 0 || code == exitBroken {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err != nil {
		t.Error(err)
	}
	until(t, "the end of all processes of the run", func() bool { return len(carrying(mark+t.Name())) == 0 })
}

func TestSecondInterruptKills(t *testing.T) {
	t.Parallel()
	c := start(t, "--scenario", "control", "--duration", "5m")
	c.streaming(t)
	deadline := time.After(60 * time.Second)
	for {
		select {
		case <-c.ended:
			c.gone(t)
			return
		case <-deadline:
			t.Fatal("still running after many interrupts")
		case <-time.After(5 * time.Millisecond):
			c.Process.Signal(os.Interrupt)
		}
	}
}

// What a SIGKILL leaves can be judged, and nothing outlives it.
func TestJudgeAfterKill(t *testing.T) {
	t.Parallel()
	for range 3 { // at moments that differ from one run of this test to the next
		c := start(t, "--scenario", "control,cut", "--duration", "5m")
		c.streaming(t)
		time.Sleep(rand.N(1500 * time.Millisecond))
		c.Process.Kill()
		c.exit(t)
		var out, errs strings.Builder
		code := run(t.Context(), []string{"judge", c.dir}, &out, &errs)
		if code != exitInconclusive && code != exitFail {
			t.Errorf("judge: exit code %d, want %d or %d\n%s", code, exitInconclusive, exitFail, errs.String())
		}
		r := readVerdict(t, c.dir)
		wholeSum(t, r)
		if r.Complete {
			t.Error("a record torn by SIGKILL is said to be complete")
		}
		c.gone(t)
	}
}
