package dock

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// watchPause lies between two looks at processes and counters: an event that is
// read from them is that much late at most.
const watchPause = 100 * time.Millisecond

// A watcher tells what happens to the containers. Its goroutines end with end.
type watcher struct {
	s      *Stack
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu      sync.Mutex // guards the rest
	started map[*replica]*looker
	logs    []logSource
	argv    string // of the app's master
}

// begin follows Docker's events of this stack.
func (w *watcher) begin(s *Stack) error {
	w.s, w.started = s, map[*replica]*looker{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	filters := make(client.Filters).Add("label", label+"="+s.id).Add("type", string(events.ContainerEventType))
	res := s.d.Events(w.ctx, client.EventsListOptions{Filters: filters, Since: strconv.FormatInt(time.Now().Unix(), 10)})
	w.all.Go(func() {
		for {
			select {
			case m := <-res.Messages:
				w.event(m)
			case err := <-res.Err: // also of our own end
				if w.ctx.Err() == nil {
					s.tell(stack.Event{At: s.spec.Now(), Source: record.DockerSource, Kind: record.KindLost,
						Text: "events: " + oneLine(err.Error())})
				}
				return
			}
		}
	})
	return nil
}

// end stops all watching. What Docker tells of our own clearing is no news.
func (w *watcher) end() {
	if w.cancel != nil {
		w.cancel()
	}
	w.all.Wait()
}

// hangUp is the signal of a reload, which is told as that.
const hangUp = "1"

// told are the events that a diagnosis needs.
var told = []events.Action{events.ActionStart, events.ActionKill, events.ActionDie, events.ActionOOM, events.ActionStop,
	events.ActionPause, events.ActionUnPause, events.ActionRestart}

// event passes on one of Docker's events, at the time that Docker gave it. The
// end of a container is also told as the exit of its PID 1, in the words of the
// local stack.
func (w *watcher) event(m events.Message) {
	if !slices.Contains(told, m.Action) || m.Action == events.ActionKill && m.Actor.Attributes["signal"] == hangUp {
		return
	}
	attr := m.Actor.Attributes
	if slices.Contains(twinParts, attr[labelPart]) {
		return
	}
	e := stack.Event{At: w.s.at(time.Unix(0, m.TimeNano)), Source: record.DockerSource,
		Kind: record.EventKind(m.Action), Subject: attr[labelPart], Pid: 1}
	switch m.Action {
	case events.ActionKill:
		e.Code, _ = strconv.Atoi(attr["signal"])
		e.Text = "signal " + attr["signal"] + " sent through Docker"
	case events.ActionDie:
		e.Code, _ = strconv.Atoi(attr["exitCode"])
		e.Text = exitText(e.Code)
	case events.ActionOOM:
		e.Text = "the cgroup ran out of memory"
	}
	w.s.tell(e)
	if !strings.HasPrefix(e.Subject, "app[") {
		return
	}
	switch m.Action {
	case events.ActionDie:
		w.s.tell(stack.Event{At: e.At, Source: record.ProcessSource, Kind: record.KindExit, Subject: e.Subject,
			Pid: 1, Code: e.Code, Text: e.Text})
		w.died(m.Actor.ID, e)
	case events.ActionStart:
		w.s.tell(stack.Event{At: e.At, Source: record.ProcessSource, Kind: record.KindStart, Subject: e.Subject, Pid: 1})
		if r, _ := w.s.find(e.Subject); r != nil {
			_ = r.app.refresh(w.ctx) // new ports; one that has already died again has none
		}
	}
}

// died adds what only the container's state knows.
func (w *watcher) died(id string, e stack.Event) {
	c, err := w.s.d.ContainerInspect(w.ctx, id, client.ContainerInspectOptions{})
	if err == nil && c.Container.State != nil && c.Container.State.OOMKilled {
		w.s.tell(stack.Event{At: e.At, Source: record.DockerSource, Kind: record.KindOOMKilled, Subject: e.Subject,
			Pid: 1, Code: e.Code,
			Text: "State.OOMKilled=true after " + exitText(e.Code)})
	}
}

// processes begins to watch the workers and counters of a replica, once.
func (w *watcher) processes(r *replica) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started[r] != nil {
		return
	}
	w.started[r] = &looker{}
	ps, err := r.app.processes(w.ctx)
	if err != nil {
		return // neither the host nor the container lets us see
	}
	chain.Assign(1, ps)
	for _, p := range ps {
		if p.Role == "master" {
			w.argv = p.Command
		}
	}
	l := w.started[r]
	w.all.Go(func() { w.follow(r, l) })
}

// command is what the app's master was started with, as settings.
func (w *watcher) command() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.argv == "" {
		return nil
	}
	return readCommand(w.argv)
}

// A looker compares what a replica is with what it was at the last look.
type looker struct {
	mu      sync.Mutex
	last    view
	threads stack.Threads
}

// follow looks until the watcher ends. It reads the host's files; where those are
// not ours it does not look at all, since asking in the container ten times a
// second would be a load of its own.
func (w *watcher) follow(r *replica, l *looker) {
	for {
		w.look(r, l)
		select {
		case <-w.ctx.Done():
			return
		case <-time.After(watchPause):
		}
	}
}

func (w *watcher) look(r *replica, l *looker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, ok := see(w.ctx, r)
	if !ok {
		return
	}
	w.compare(r, l.last, now)
	for _, e := range l.threads.Look(w.s.spec.Now(), r.name, now.threads) {
		w.s.tell(e)
	}
	l.last = now
}

// Settle implements [stack.Settler]: the counters of a kill rise before its
// streams end, and a run may be over within the pause between two looks.
func (s *Stack) Settle(context.Context) {
	s.watch.mu.Lock()
	all := maps.Clone(s.watch.started)
	s.watch.mu.Unlock()
	for r, l := range all {
		s.watch.look(r, l)
	}
}

// A view is what a replica looks like at one time.
type view struct {
	pid      int // of PID 1 on the host: another one means a restart
	workers  map[int]stack.Process
	counters map[string]int64
	threads  map[int]int // of those that serve, by pid
}

func see(ctx context.Context, r *replica) (v view, ok bool) {
	folders, err := r.app.cgroups()
	if err != nil {
		return v, false
	}
	ps, err := hostProcesses(folders)
	if err != nil {
		return v, false
	}
	v = view{pid: r.app.hostPid(), workers: map[int]stack.Process{}, threads: map[int]int{}}
	chain.Assign(1, ps)
	for _, p := range ps {
		switch p.Role {
		case "worker":
			v.workers[p.Pid] = p.Process
			v.threads[p.Pid] = p.Threads
		case "master": // which serves where it has no workers
			v.threads[p.Pid] = p.Threads
		}
	}
	v.counters, err = readCounters(folders)
	return v, err == nil && ctx.Err() == nil
}

// compare tells workers that came and went, and counters that stand for harm:
// their first reading, and every change.
func (w *watcher) compare(r *replica, was, now view) {
	at := w.s.spec.Now()
	if was.pid != now.pid {
		was = view{} // a new container: all its workers are new, all counters start at 0
	}
	for _, pid := range slices.Sorted(maps.Keys(was.workers)) {
		if _, ok := now.workers[pid]; !ok {
			w.s.tell(stack.Event{At: at, Source: record.ProcessSource, Kind: record.KindExit, Subject: r.name,
				Role: record.WorkerRole, Pid: pid, Text: "worker gone"})
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(now.workers)) {
		if _, ok := was.workers[pid]; !ok {
			w.s.tell(stack.Event{At: at, Source: record.ProcessSource, Kind: record.KindStart, Subject: r.name,
				Role: record.WorkerRole, Pid: pid, Text: "worker " + now.workers[pid].Command})
		}
	}
	for _, name := range []string{oomKill, failcnt, cpuThrottled} {
		if n, ok := now.counters[name]; ok && (was.counters == nil || n != was.counters[name]) {
			w.s.tell(stack.Event{At: at, Source: record.CgroupSource, Kind: record.KindCounter,
				Subject: r.name, Counter: name, Value: n,
				Text: fmt.Sprintf("%d → %d", was.counters[name], n)})
		}
	}
}

func text(v any) string { return strings.TrimSpace(fmt.Sprint(v)) }
