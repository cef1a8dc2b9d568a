package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// socketsEnv tells a guard how many listening sockets the guarded program
// inherits.
const socketsEnv = "STREAMPROOF_GUARD_SOCKETS"

// guardDash separates the guard's own command from the guarded one.
const guardDash = "--"

// File descriptors of a guard, after the standard three.
const (
	lifeFD   = 3 // read end; end of file means that the harness is gone
	reportFD = 4 // "start PID", "fail TEXT", "exit CODE SIGNAL", a line each
	socketFD = 5 // first of the listening sockets
)

// sweepPause lies between two sweeps; a process that is dying needs a moment.
const sweepPause = 10 * time.Millisecond

// sweepLimit is how long a guard goes on killing before it gives up: only a
// process that hangs in the kernel lives through it.
const sweepLimit = 10 * time.Second

// GuardMain is the whole of a guard process: the binary that [Options.GuardCommand]
// names calls it before it does anything else, and exits with what it returns.
func GuardMain() int {
	sockets := os.Getenv(socketsEnv)
	os.Unsetenv(socketsEnv)
	dash := slices.Index(os.Args, guardDash)
	if dash < 0 {
		fmt.Fprintln(os.Stderr, "streamproof guard: started by hand; it has nothing to guard")
		return 64 // EX_USAGE
	}
	return guard(os.Args[dash+1:], sockets)
}

// guard runs argv and outlives it just long enough to leave nothing behind:
//
//	harness ──life pipe──▶ guard ──▶ app ──▶ workers …
//	        ◀──report────
//
// SIGKILL gives the harness no chance to clean up, and a process group is not
// enough: a program may leave its group. So the guard is the reaper of all its
// descendants (PR_SET_CHILD_SUBREAPER) and ends them all when the life pipe
// closes, or when the app's first process has exited: as the kernel does with a
// container whose PID 1 is gone.
func guard(argv []string, sockets string) int {
	// Pdeathsig is sent when the *thread* that forked ends, so that one must
	// last as long as we do.
	runtime.LockOSThread()
	n, _ := strconv.Atoi(sockets)
	report := os.NewFile(reportFD, "report")
	for fd := lifeFD; fd < socketFD+n; fd++ {
		syscall.CloseOnExec(fd)
	}
	adoptOrphans()
	pid, err := launch(argv, n)
	if err != nil {
		fmt.Fprintln(report, "fail", err)
		return 1
	}
	fmt.Fprintln(report, "start", pid)
	var over atomic.Bool
	go func() {
		awaitEnd(lifeFD)
		over.Store(true)
		sweep(pid)
	}()
	return reap(pid, report, &over)
}

// launch starts argv in a process group of its own. A guarded nginx takes its
// listening sockets from us: they are its descriptors 3 and up.
func launch(argv []string, sockets int) (pid int, err error) {
	if len(argv) == 0 {
		return 0, errors.New("no command")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, err
	}
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	files := []uintptr{uintptr(null), 1, 2}
	for i := range sockets {
		// Handing a socket over has made it blocking, and nginx takes an inherited
		// one as it is: of two workers on a reload, the one that loses the race for a
		// connection would hang in accept(2), with all its streams.
		if err := syscall.SetNonblock(socketFD+i, true); err != nil {
			return 0, fmt.Errorf("prepare listening socket: %w", err)
		}
		files = append(files, uintptr(socketFD+i))
	}
	pid, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: os.Environ(), Files: files, Sys: childAttr()})
	if err != nil {
		return 0, fmt.Errorf("run %s: %w", argv[0], err)
	}
	return pid, nil
}

// reap collects every descendant that ends, reports the end of the first, and
// returns when none is left.
func reap(pid int, report *os.File, over *atomic.Bool) int {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil { // ECHILD: all gone
			return 0
		}
		if got != pid {
			continue
		}
		code, signal := 0, 0
		if status.Signaled() {
			signal = int(status.Signal())
		} else {
			code = status.ExitStatus()
		}
		fmt.Fprintln(report, "exit", code, signal)
		if !over.Swap(true) {
			go sweep(pid)
		}
	}
}

// sweep kills the group and every descendant until none is left, which reap
// sees before we do. It ends the guard when something will not die.
func sweep(pid int) {
	for began := time.Now(); time.Since(began) < sweepLimit; time.Sleep(sweepPause) {
		syscall.Kill(-pid, syscall.SIGKILL)
		for _, p := range descendants(os.Getpid()) {
			syscall.Kill(p.Pid, syscall.SIGKILL)
		}
	}
	var stuck []string
	for _, p := range descendants(os.Getpid()) {
		stuck = append(stuck, fmt.Sprintf("pid %d (%s)", p.Pid, p.Command))
	}
	fmt.Fprintln(os.Stderr, "streamproof guard: would not die:", strings.Join(stuck, ", "))
	os.Exit(1)
}

// awaitEnd returns when the writers of a pipe are gone.
func awaitEnd(fd int) {
	var b [16]byte
	for {
		n, err := syscall.Read(fd, b[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
	}
}
