package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// portTries bounds new starts when someone else has taken our port.
const portTries = 3

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

	// changing serialises Start and Stop, which take as long as the app does. Who only
	// looks must not wait for it: the sampler of the machine would take our own lock for a
	// machine that gives it no turn.
	changing sync.Mutex
	begun    atomic.Pointer[process]     // the last one, healthy or not yet; nil once nothing of it is left
	proc     atomic.Pointer[process]     // begun, from when it was healthy
	watch    atomic.Pointer[chain.Watch] // of proc; nil where nothing can be seen
	// watching ends when the watcher of proc's workers has.
	watching sync.WaitGroup
}

func (c *Stack) newReplica(i int) *replica {
	r := &replica{spec: &c.spec, opt: c.opt, index: i, name: chain.ReplicaName(i),
		log: fmt.Sprintf("app.%d.log", i), port: c.spec.App.Port}
	if c.spec.Replicas == 1 && i == 0 {
		r.log = "app.log"
	}
	c.opening.Lock()
	defer c.opening.Unlock()
	c.opened = append(c.opened, r)
	return r
}

func (r *replica) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

func (r *replica) path() string { return filepath.Join(r.spec.LogDir, r.log) }

// tell sends an event about the replica.
func (r *replica) tell(kind record.EventKind, pid, code int, text string) {
	chain.Tell(r.spec, r.name, kind, pid, code, text)
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
		if err = r.Start(ctx); err == nil {
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

// Start implements [chain.App]. On error nothing of it is left.
func (r *replica) Start(ctx context.Context) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	if last := r.proc.Load(); last != nil {
		if last.running() {
			return nil
		}
		if !wait(ctx, last.gone, insist) { // it has crashed; its children hold the port
			return fmt.Errorf("start %s: what the last one started is still there", r.name)
		}
		r.watching.Wait()
	}
	if err := portFree(r.port); err != nil {
		return &stack.StartError{Subject: r.name, Cause: fmt.Errorf("port %d is taken%s: %w", r.port, owner(r.port), err)}
	}
	proc, err := startProcess(r.command(), r.exited)
	if err != nil {
		return &stack.StartError{Subject: r.name, Cause: err}
	}
	r.begun.Store(proc)
	r.tell(record.KindStart, proc.pid, 0, "")
	probe := func(ctx context.Context) error { return chain.Probe(ctx, r.addr(), r.spec.App.Health) }
	if err := chain.Await(ctx, r.name, proc, r.spec.App.Start, probe); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*insist)
		defer cancel()
		if stuck := proc.stop(stopping, proc.pid, sigTerm, 0); stuck != nil {
			return errors.Join(err, stuck)
		}
		r.begun.Store(nil)
		return err
	}
	r.proc.Store(proc)
	r.tell(record.KindReady, proc.pid, 0, "")
	r.startWatch(proc)
	return nil
}

// exited tells the end of the program.
func (r *replica) exited(pid int, s status) {
	r.tell(record.KindExit, pid, s.shell(), s.String())
}

func (r *replica) command() command {
	app := &r.spec.App
	port := strconv.Itoa(r.port)
	c := command{Guard: r.opt.GuardCommand, Name: r.name, Dir: app.Dir, Log: r.path(),
		Env: []string{"PORT=" + port, "STREAMPROOF_REPLICA=" + strconv.Itoa(r.index)}}
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

// running returns the process, or an error that says that there is none.
func (r *replica) running() (*process, error) {
	proc := r.proc.Load()
	if proc == nil || !proc.running() {
		return nil, fmt.Errorf("%s does not run", r.name)
	}
	return proc, nil
}

// close ends the replica with its link.
func (r *replica) close(ctx context.Context) error {
	var linkErr error
	if r.link != nil {
		linkErr = r.link.close(ctx)
	}
	if pid := r.Pid(); pid != 0 {
		r.tell(record.KindStop, pid, int(sigTerm), "SIGTERM, the stack is closed")
	}
	err := r.Stop(ctx, r.spec.App.Grace)
	if err == nil {
		r.giveBack()
	}
	return errors.Join(linkErr, err)
}

// Stop implements [chain.App]. Whatever the replica's first process leaves behind is
// killed, as a container's is.
func (r *replica) Stop(ctx context.Context, grace time.Duration) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	proc := r.proc.Load()
	if proc == nil {
		return nil
	}
	master := proc.pid
	if proc.running() {
		master = chain.Master(proc.pid, proc.tree())
	}
	if err := proc.stop(ctx, master, sigTerm, grace); err != nil {
		return err
	}
	r.watching.Wait()
	r.proc.Store(nil)
	r.begun.Store(nil)
	return nil
}
