package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// partEnv makes a test binary run its argument, as the program does.
const partEnv = "STREAMPROOF_BENCH_PART"

// part is this program again, in a process of its own.
func part(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	c := exec.CommandContext(ctx, self, args...)
	c.Env = append(os.Environ(), partEnv+"=1")
	c.Stderr = os.Stderr
	return c
}

// A cost is what a process needed, from start to exit.
type cost struct {
	CPU  time.Duration // user and system
	Peak int           // highest resident set, KiB
}

// sampleEvery is how often the peak is read: a process takes its last reading
// along when it ends.
const sampleEvery = 20 * time.Millisecond

// meter runs a process to its end. The error is that of the run; a process that
// exits with another code than 0 has its costs too.
func meter(c *exec.Cmd, stdout io.Writer) (k cost, err error) {
	c.Stdout = stdout
	if err := c.Start(); err != nil {
		return k, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }() // awaited below
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case err = <-ended:
			k.CPU = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
			return k, err
		case <-tick.C:
			k.Peak = max(k.Peak, peakOf(c.Process.Pid))
		}
	}
}

// output is meter for a process whose output is wanted when it has ended.
func output(c *exec.Cmd) (out []byte, k cost, err error) {
	var stdout bytes.Buffer
	k, err = meter(c, &stdout)
	return stdout.Bytes(), k, err
}

// peakOf is the process's VmHWM in KiB, 0 once it has ended.
func peakOf(pid int) int {
	b, err := readProc(strconv.Itoa(pid), "status")
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b), "VmHWM:")
	if !ok {
		return 0 // a zombie has no memory
	}
	kib, _ := strconv.Atoi(strings.Fields(rest)[0])
	return kib
}

func readProc(path ...string) ([]byte, error) {
	return os.ReadFile(filepath.Join(append([]string{"/proc"}, path...)...))
}

// exitOf is the exit code that err tells of; ok is false for other errors.
func exitOf(err error) (code int, ok bool) {
	if err == nil {
		return 0, true
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), true
	}
	return 0, false
}

// verdictOf names the verdict that an exit code of streamproof tells.
func verdictOf(code int) string { return []string{"pass", "fail", "inconclusive"}[code] }
