package play

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/machine"
	"github.com/streamproof/streamproof/harness/stack"
)

// A watcher records what the machine does beside the run, on a goroutine that
// close ends.
type watcher struct {
	run  *run
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex  // guards stack
	stack stack.Stack // of the scenario that is being played; nil between two

	ours     []int         // processes of the load workers; guarded by mu
	attached []int         // processes that listen where the user's URLs lead
	quota    time.Duration // what a CPU quota had kept from the app at the last look
}

func watchMachine(r *run) *watcher {
	w := &watcher{run: r, stop: make(chan struct{}), done: make(chan struct{}), attached: listeners(&r.App)}
	go w.loop()
	return w
}

func (w *watcher) loop() {
	defer close(w.done)
	app, _ := w.app()
	s := machine.New(w.run.now, app)
	for due := time.Now().Add(machine.Every); ; {
		select {
		case <-w.stop:
			return
		case <-time.After(time.Until(due)):
		}
		late := time.Since(due)
		app, st := w.app()
		s.Also(w.workers())
		m := s.Sample(app, w.run.App.URL == "" || w.run.App.Direct != "", late)
		m.Throttled = w.throttled(st)
		w.run.rec.Machine(m)
		due = time.Now().Add(machine.Every)
	}
}

// app lists the processes of the system under test: what we started, here or in
// containers, or what listens where we attach.
func (w *watcher) app() ([]int, stack.Stack) {
	w.mu.Lock()
	st := w.stack
	w.mu.Unlock()
	roots := slices.Clone(w.attached)
	if h, ok := st.(stack.Hosted); ok {
		roots = append(roots, h.HostPids()...)
	}
	return machine.Below(roots), st
}

// also says which processes send load beside our own.
func (w *watcher) also(pids []int) {
	w.mu.Lock()
	w.ours = pids
	w.mu.Unlock()
}

func (w *watcher) workers() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ours
}

// throttled is how long a CPU quota of ours has kept the replicas from running
// since the last look.
func (w *watcher) throttled(st stack.Stack) time.Duration {
	c, ok := st.(stack.Counter)
	if !ok || w.run.App.CPUs == 0 {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), machine.Every)
	defer cancel()
	var sum time.Duration
	for _, r := range st.Replicas() {
		if n, err := c.Counters(ctx, r.Name); err == nil {
			sum += time.Duration(n[stack.ThrottledCounter])
		}
	}
	grown := max(sum-w.quota, 0)
	w.quota = sum
	return grown
}

// on says which stack is being played on; nil for none.
func (w *watcher) on(st stack.Stack) {
	w.mu.Lock()
	w.stack = st
	w.mu.Unlock()
}

func (w *watcher) close() {
	close(w.stop)
	<-w.done
}

// listeners are the processes behind the URLs that the user gave, where they are
// on this machine.
func listeners(a *harness.App) (pids []int) {
	for _, raw := range []string{a.URL, a.Direct} {
		if port, ok := localPort(raw); ok {
			pids = append(pids, stack.Listeners(port)...)
		}
	}
	return pids
}
