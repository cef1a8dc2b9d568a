package busy

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	// watching is set in the environment of the process that watches.
	watching = "STREAMPROOF_TEST_WATCHES_MACHINE"
	// nap is how long it sleeps, and late how much after that it must wake up for it to
	// be noted: a busy scheduler lets a process that has slept run within a few
	// milliseconds.
	nap, late = 20 * time.Millisecond, 50 * time.Millisecond
	// A run is kept open by pauses that take this share of a window of time.
	window, share = 4 * time.Second, 0.25
)

// paused are the pauses since [Look].
var paused pauses

// pauses are the times in which the watching process was not woken.
type pauses struct {
	sync.Mutex
	list []pause
}

type pause struct {
	until time.Time
	took  time.Duration
}

// The watching process is the test program once more, which gets no further than here.
func init() {
	if os.Getenv(watching) != "" {
		watchAsleep(os.Stdin, os.Stdout)
		os.Exit(0)
	}
}

// watchAsleep writes a line for each time that it was woken late, in milliseconds since
// 1970 and for how long, until in ends.
func watchAsleep(in io.Reader, out io.Writer) {
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(over)
	}()
	for {
		from := time.Now()
		select {
		case <-over:
			return
		case <-time.After(nap):
		}
		if d := time.Since(from) - nap; d >= late {
			fmt.Fprintln(out, time.Now().UnixMilli(), d.Milliseconds())
		}
	}
}

// follow starts the watching process and notes what it says. Where it cannot be started
// nothing is noted, and nothing excused.
func (l *pauses) follow() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), watching+"=1")
	if _, err = cmd.StdinPipe(); err != nil { // it ends when this process does
		return
	}
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return
	}
	l.read(out)
	_ = cmd.Wait()
}

// read notes what a watching process says.
func (l *pauses) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var until, took int64
		if n, _ := fmt.Sscan(lines.Text(), &until, &took); n == 2 {
			l.Lock()
			l.list = append(l.list, pause{time.UnixMilli(until), time.Duration(took) * time.Millisecond})
			l.Unlock()
		}
	}
}

// during reports whether pauses may have kept a run open that took so long and has just ended.
func (l *pauses) during(last time.Duration) bool {
	l.Lock()
	defer l.Unlock()
	from := time.Now().Add(-last - window)
	for i, first := range l.list {
		var sum time.Duration
		for _, x := range l.list[i:] {
			if x.until.Sub(first.until) < window {
				sum += x.took
			}
		}
		if first.until.After(from) && sum >= time.Duration(share*float64(window)) {
			return true
		}
	}
	return false
}
