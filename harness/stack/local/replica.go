package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

const (
	defaultStart = 30 * time.Second
	defaultGrace = 10 * time.Second
	// healthPause lies between two questions whether the app is up.
	healthPause = 25 * time.Millisecond
	// portTries bounds new starts when someone else has taken our port.
	portTries = 3
)

// A replica is one instance of an app that we start.
type replica struct {
	spec  *stack.Spec
	opt   Options
	index int    // among all replicas of the stack, in the order of their start
	name  string // "app[0]"
	log   string // file name
	port  int
	given bool  // we chose the port and have to give it back
	link  *link // its upstream link; nil without an edge

	mu    sync.Mutex // guards what follows
	proc  *process
	watch *chain.Watch // of proc; nil where nothing can be seen
	// watching ends when the watcher of proc's workers has.
	watching sync.WaitGroup
}

func (c *Stack) newReplica() *replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.next
	c.next++
	r := &replica{spec: &c.spec, opt: c.opt, index: i, name: fmt.Sprintf("app[%d]", i), log: fmt.Sprintf("app.%d.log", i)}
	if c.spec.Replicas == 1 && i == 0 {
		r.log = "app.log"
	}
	r.port = c.spec.App.Port
	c.logs = append(c.logs, stack.Log{Name: r.log, Kind: string(record.AppLog)})
	return r
}

func (r *replica) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

func (r *replica) path() string { return filepath.Join(r.spec.LogDir, r.log) }

// tell sends an event about the replica.
func (r *replica) tell(kind record.EventKind, pid, code int, text string) {
	r.spec.Notify(stack.Event{At: r.spec.Now(), Source: record.ProcessSource, Kind: kind, Subject: r.name,
		Pid: pid, Code: code, Text: text})
}

// open starts the replica for the first time. A port that we chose may be taken
// by someone else between the choice and the app's bind; then we choose again.
func (r *replica) open(ctx context.Context) (err error) {
	for range portTries {
		if r.spec.App.Port == 0 {
			if r.port, err = givePort(); err != nil {
				return err
			}
			r.given = true
		}
		if err = r.start(ctx); err == nil {
			return nil
		}
		var early *stack.StartError
		stolen := r.given && errors.As(err, &early) && portFree(r.port) != nil
		r.giveBack()
		if !stolen {
			return err
		}
	}
	return err
}

func (r *replica) giveBack() {
	if r.given {
		r.given = false
		returnPort(r.port)
	}
}

// start starts the program and waits until it is healthy. On error nothing of
// it is left.
func (r *replica) start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc != nil {
		if r.proc.running() {
			return nil
		}
		if !wait(ctx, r.proc.gone, insist) { // it has crashed; its children hold the port
			return fmt.Errorf("start %s: what the last one started is still there", r.name)
		}
		r.watching.Wait()
	}
	if err := portFree(r.port); err != nil {
		return &stack.StartError{Subject: r.name, Cause: fmt.Errorf("port %d is taken%s: %w", r.port, owner(r.port), err)}
	}
	logged := sizeOf(r.path())
	proc, err := startProcess(r.command(), r.exited)
	if err != nil {
		return &stack.StartError{Subject: r.name, Cause: err}
	}
	r.tell(record.KindStart, proc.Pid, 0, "")
	if err := r.awaitHealth(ctx, proc); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*insist)
		defer cancel()
		lines := tail(r.path(), logged)
		return &stack.StartError{Subject: r.name, Cause: errors.Join(err, proc.stop(stopping, proc.Pid, sigTerm, 0)), Tail: lines}
	}
	r.proc = proc
	r.tell(record.KindReady, proc.Pid, 0, "")
	r.startWatch(proc)
	return nil
}

// exited tells the end of the program. Code follows the shell: 128 and the
// number of the signal.
func (r *replica) exited(pid int, s status) {
	code := s.Code
	if s.Signal != 0 {
		code = 128 + s.Signal
	}
	r.tell(record.KindExit, pid, code, s.String())
}

func (r *replica) command() command {
	app := &r.spec.App
	port := strconv.Itoa(r.port)
	c := command{Guard: r.opt.GuardCommand, Name: r.name, Dir: app.Dir, Log: r.path(), Env: []string{"PORT=" + port, "STREAMPROOF_REPLICA=" + strconv.Itoa(r.index)}}
	if o := app.Origin; o != nil {
		c.Argv = append(c.Argv, r.opt.OriginCommand...)
		c.Argv = append(c.Argv, "--listen", r.addr(), "--workers", strconv.Itoa(max(o.Workers, 1)))
		c.Argv = append(c.Argv, o.Args...)
	}
	for _, arg := range app.Command {
		c.Argv = append(c.Argv, strings.ReplaceAll(arg, "{port}", port))
	}
	c.Env = append(c.Env, app.Env...)
	return c
}

// awaitHealth waits until the app answers, ends, or has had its time.
func (r *replica) awaitHealth(ctx context.Context, proc *process) error {
	limit := r.spec.App.Start
	if limit == 0 {
		limit = defaultStart
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error // of a question that had its time
	for {
		err := r.probe(bounded)
		if err == nil && proc.running() {
			return nil
		}
		if bounded.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-proc.exited:
			return fmt.Errorf("it ended before it was healthy (it must stay in the foreground): %v", proc.ended)
		case <-bounded.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("not healthy after %v: %w", limit, last)
		case <-time.After(healthPause):
		}
	}
}

// probe asks once whether the app is up.
func (r *replica) probe(ctx context.Context) error {
	path := r.spec.App.Health
	if path == "" && r.spec.App.Origin != nil {
		path = "/healthz"
	}
	if path == "" {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", r.addr())
		if err == nil {
			conn.Close()
		}
		return err
	}
	_, err := get(ctx, "http://"+r.addr()+"/"+strings.TrimPrefix(path, "/"))
	return err
}

// running returns the process, or an error that says that there is none.
func (r *replica) running() (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc == nil || !r.proc.running() {
		return nil, fmt.Errorf("%s does not run", r.name)
	}
	return r.proc, nil
}

// watched is the watch of the running process, nil where there is none.
func (r *replica) watched() *chain.Watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc == nil || !r.proc.running() {
		return nil
	}
	return r.watch
}

// stop ends the replica; one that does not run is left alone.
func (r *replica) stop(ctx context.Context, grace time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc == nil {
		return nil
	}
	master := r.proc.Pid
	if r.proc.running() {
		master = chain.Master(r.proc.Pid, r.proc.tree())
		r.tell(record.KindStop, master, int(sigTerm), fmt.Sprintf("SIGTERM, grace %v", grace))
	}
	if err := r.proc.stop(ctx, master, sigTerm, grace); err != nil {
		return err
	}
	r.watching.Wait()
	r.proc = nil
	return nil
}

func (r *replica) grace() time.Duration {
	if g := r.spec.App.Grace; g != 0 {
		return g
	}
	return defaultGrace
}
