package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

const sigTerm = syscall.SIGTERM

// insist is kept back from every deadline, so that what does not stop by itself can
// still be killed.
const insist = 2 * time.Second

// reaping is how long what was killed may take to be gone: on a busy machine the
// kernel frees a process, and the guard gets its turn to reap it, seconds later.
const reaping = 10 * time.Second

// A command is a program to be run under a guard.
type command struct {
	Guard   []string // [Options.GuardCommand]
	Name    string   // for messages and events: "app[0]"
	Argv    []string
	Env     []string // added to our own
	Dir     string
	Log     string     // path; stdout and stderr are appended to it as they are
	Also    string     // path of a log that it writes itself; "" for none
	Sockets []*os.File // listening sockets that it inherits
}

// A status is how a process ended.
type status struct {
	Code, Signal int
}

// shell is the status as a shell has it: 128 and the number of the signal.
func (s status) shell() int {
	if s.Signal != 0 {
		return 128 + s.Signal
	}
	return s.Code
}

func (s status) String() string {
	if s.Signal != 0 {
		return fmt.Sprintf("killed by signal %d (%v)", s.Signal, syscall.Signal(s.Signal))
	}
	return fmt.Sprintf("exit code %d", s.Code)
}

// A process is a program under its guard. It starts with [launchGuarded] and
// has ended, with all that it started, when gone is closed.
type process struct {
	command
	pid    int // of the program; also its process group
	guard  *exec.Cmd
	life   *os.File      // closing it makes the guard end everything
	exited chan struct{} // the program itself has ended
	gone   chan struct{} // nothing of it is left
	ended  status        // valid after exited
	hangUp sync.Once
	logged map[string]int64 // how long its logs were before
}

// startProcess runs c. onExit is called, once, from a goroutine that ends
// with the process.
func startProcess(c command, onExit func(pid int, s status)) (*process, error) {
	if c.Dir != "" { // its absence would be told as that of the guard's binary
		if _, err := os.Stat(c.Dir); err != nil {
			return nil, fmt.Errorf("enter folder: %w", err)
		}
	}
	logged := map[string]int64{c.Log: sizeOf(c.Log), c.Also: sizeOf(c.Also)}
	out, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", c.Name, err)
	}
	defer out.Close()
	lifeR, life, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	defer lifeR.Close()
	report, reportW, err := os.Pipe()
	if err != nil {
		life.Close()
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	defer reportW.Close()
	p := &process{command: c, logged: logged, life: life, exited: make(chan struct{}), gone: make(chan struct{})}
	p.guard = exec.Command(c.Guard[0], slices.Concat(c.Guard[1:], []string{guardDash}, c.Argv)...)
	p.guard.Env = append(append(os.Environ(), c.Env...), socketsEnv+"="+strconv.Itoa(len(c.Sockets)))
	p.guard.Dir, p.guard.Stdout, p.guard.Stderr = c.Dir, out, out
	p.guard.ExtraFiles = append([]*os.File{lifeR, reportW}, c.Sockets...)
	// A group of its own: Ctrl-C at the terminal is for us to handle.
	p.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	forking.Lock()
	err = p.guard.Start()
	forking.Unlock()
	if err != nil {
		life.Close()
		report.Close()
		return nil, fmt.Errorf("start guard of %s: %w", c.Name, err)
	}
	lines := bufio.NewReader(report)
	if err := p.awaitStart(lines); err != nil {
		p.endLife()
		p.guard.Wait()
		report.Close()
		return nil, err
	}
	go p.follow(report, lines, onExit)
	return p, nil
}

// awaitStart reads the guard's first line. It needs no deadline of its own: a
// guard forks, or fails to, and says so at once.
func (p *process) awaitStart(lines *bufio.Reader) error {
	line, err := lines.ReadString('\n')
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case word == "start":
		p.pid, err = strconv.Atoi(rest)
		return err
	case word == "fail":
		return errors.New(rest)
	}
	return fmt.Errorf("guard ended before it started anything: %w", err)
}

// follow waits for the end of the program and then of its guard.
func (p *process) follow(report *os.File, lines *bufio.Reader, onExit func(pid int, s status)) {
	defer report.Close()
	line, _ := lines.ReadString('\n')
	if _, err := fmt.Sscanf(line, "exit %d %d", &p.ended.Code, &p.ended.Signal); err != nil {
		p.ended.Signal = int(syscall.SIGKILL) // with its guard
	}
	if onExit != nil {
		onExit(p.pid, p.ended)
	}
	close(p.exited)
	p.guard.Wait()
	p.endLife()
	close(p.gone)
}

// endLife tells the guard to kill all that is left.
func (p *process) endLife() { p.hangUp.Do(func() { p.life.Close() }) }

// running reports whether the program itself still runs.
func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Pid implements [chain.Part].
func (p *process) Pid() int { return p.pid }

// Signal implements [chain.Part]. It refuses a pid that is no longer part of it,
// since the number may be somebody else's by now.
func (p *process) Signal(_ context.Context, pid int, sig syscall.Signal) error {
	if !slices.ContainsFunc(p.tree(), func(q chain.Process) bool { return q.Pid == pid }) {
		return fmt.Errorf("signal pid %d: it is not part of %s any more", pid, p.Name)
	}
	return p.signal(pid, sig)
}

// Processes implements [chain.Part].
func (p *process) Processes(context.Context) ([]chain.Process, error) { return p.tree(), nil }

// Ended implements [chain.Part].
func (p *process) Ended(context.Context) error {
	if p.running() {
		return nil
	}
	return fmt.Errorf("it ended before it was healthy (it must stay in the foreground): %v", p.ended)
}

// Hint implements [chain.Hinter]: where the program does listen, if its port is refused.
func (p *process) Hint(_ context.Context, last error) string {
	if !errors.Is(last, syscall.ECONNREFUSED) {
		return ""
	}
	var pids []int
	for _, q := range p.tree() {
		pids = append(pids, q.Pid)
	}
	var at []string
	for _, addr := range stack.Listening(pids) {
		text := strconv.Itoa(int(addr.Port()))
		if ip := addr.Addr().Unmap(); !ip.IsUnspecified() {
			text = netip.AddrPortFrom(ip, addr.Port()).String()
		}
		if !slices.Contains(at, text) {
			at = append(at, text)
		}
	}
	if len(at) == 0 {
		return ""
	}
	return fmt.Sprintf("; it listens on %s: have it listen on 127.0.0.1 at {port}, which its command and $PORT give",
		strings.Join(at, ", "))
}

// Tail implements [chain.Part].
func (p *process) Tail(context.Context) (lines []string) {
	for _, path := range []string{p.Log, p.Also} {
		lines = append(lines, tail(path, p.logged[path])...)
	}
	return lines
}

// signal sends sig to the program, and only to it. Pids are reused, but not
// before the guard has reaped this one, after which running is false.
func (p *process) signal(pid int, sig syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("signal %s: it has ended: %v", p.Name, p.ended)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("send signal %d to pid %d of %s: %w", sig, pid, p.Name, err)
	}
	return nil
}

// stop asks with sig, insists with SIGKILL when grace or ctx is about to run
// out, and returns when nothing is left. Its error names what would not go.
func (p *process) stop(ctx context.Context, pid int, sig syscall.Signal, grace time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok {
		grace = min(grace, time.Until(deadline)-insist)
	}
	if grace > 0 && p.signal(pid, sig) == nil {
		p.thaw()
		wait(ctx, p.exited, grace)
	}
	p.endLife()
	if wait(context.WithoutCancel(ctx), p.gone, reaping) {
		return nil
	}
	return fmt.Errorf("stop %s: pid %d and what it started would not go: still there %v after SIGKILL", p.Name, p.pid,
		reaping)
}

// thaw lets a paused process see the signal that it was sent.
func (p *process) thaw() { syscall.Kill(-p.pid, syscall.SIGCONT) }

// wait waits for c to close, but not beyond d or ctx.
func wait(ctx context.Context, c <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case <-c:
		return true
	default:
		return false
	}
}
