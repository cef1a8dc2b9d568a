package container

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A watcher tells what happens to the containers. Its goroutines end with end.
type watcher struct {
	s      *Stack
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex      // guards the rest
	lives  map[string]life // by the container's ID
	logs   []logSource
	argv   string // of the app's master
}

// begin follows Docker's events of this stack.
func (w *watcher) begin(s *Stack) error {
	w.s, w.lives = s, map[string]life{}
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
	at, was := time.Unix(0, m.TimeNano), w.life(m.Actor.ID)
	ended := at
	e := stack.Event{At: w.s.at(at), Source: record.DockerSource, Kind: record.EventKind(m.Action),
		Subject: attr[labelPart], Pid: 1}
	var state *container.State
	switch m.Action {
	case events.ActionKill:
		e.Code, _ = strconv.Atoi(attr["signal"])
		e.Text = "signal " + attr["signal"] + " sent through Docker"
		if !was.ended.IsZero() { // told after the end that it brought
			e.At = w.s.at(was.ended)
		}
	case events.ActionDie:
		e.Code, _ = strconv.Atoi(attr["exitCode"])
		e.Text = exitText(e.Code)
		state = w.stateOf(w.ctx, m.Actor.ID)
		if end, ok := endedAt(state, was.began, was.killed, at); ok {
			ended = end
		}
		e.At = w.s.at(ended)
	case events.ActionOOM:
		e.Text = "the cgroup ran out of memory"
	}
	w.s.tell(e)
	defer w.live(m, at, ended) // once all of it is told
	if !strings.HasPrefix(e.Subject, "app[") {
		return
	}
	switch m.Action {
	case events.ActionDie:
		w.s.tell(stack.Event{At: e.At, Source: record.ProcessSource, Kind: record.KindExit, Subject: e.Subject,
			Pid: 1, Code: e.Code, Text: e.Text})
		if state != nil && state.OOMKilled {
			w.s.tell(stack.Event{At: e.At, Source: record.DockerSource, Kind: record.KindOOMKilled, Subject: e.Subject,
				Pid: 1, Code: e.Code, Text: "State.OOMKilled=true after " + exitText(e.Code)})
		}
	case events.ActionStart:
		w.s.tell(stack.Event{At: e.At, Source: record.ProcessSource, Kind: record.KindStart, Subject: e.Subject, Pid: 1})
		if r, _ := w.s.find(e.Subject); r != nil {
			_ = r.box.refresh(w.ctx) // new ports; one that has already died again has none
		}
	}
}

// live notes what an event says of its container's life, which ended at a time of its own.
func (w *watcher) live(m events.Message, at, ended time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.lives[m.Actor.ID]
	switch m.Action {
	case events.ActionStart:
		l = life{began: at, again: !l.began.IsZero()}
	case events.ActionKill:
		l.killed = at
	case events.ActionOOM:
		l.oom = at
	case events.ActionDie:
		l.ended = ended
	}
	w.lives[m.Actor.ID] = l
}

func (w *watcher) life(id string) life {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lives[id]
}

// stateOf is a container's state; nil where Docker does not tell.
func (w *watcher) stateOf(ctx context.Context, id string) *container.State {
	c, err := w.s.d.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil
	}
	return c.Container.State
}

// endedAt is when a container ended of which Docker told at the time told. Docker tells
// once it has cleared up, which takes seconds on a slow disk; the state has the time at
// which its process was reaped (FinishedAt). began is its last start and killed the last
// signal to it, zero where they are not known: Docker tells of a signal when it has sent it,
// and nothing ends before what ended it. False where the state is of another life.
func endedAt(s *container.State, began, killed, told time.Time) (time.Time, bool) {
	if s == nil {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, s.FinishedAt)
	if err != nil || !at.After(began) || at.After(told) || told.Sub(at) >= clearsUp {
		return time.Time{}, false
	}
	if killed.After(at) && killed.Sub(told) < signalTold {
		at = killed
	}
	return at, true
}

// signalTold is how long after the end Docker may say that it sent the signal which brought it:
// it takes the time of both when it tells of them, each on a thread of its own.
const signalTold = 100 * time.Millisecond

// clearsUp is how long Docker may take between the end of a container and telling of it.
const clearsUp = time.Minute

// processes begins to watch the workers and counters of a replica, once.
func (w *watcher) processes(r *replica) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.watch != nil {
		return
	}
	r.watch = chain.NewWatch(&w.s.spec, r.name, func() (chain.View, bool) { return r.see(w.ctx) })
	ps, err := r.box.Processes(w.ctx)
	if err != nil {
		return // neither the host nor the container lets us see
	}
	chain.Assign(1, ps)
	for _, p := range ps {
		if p.Role == stack.RoleMaster {
			w.argv = p.Command
		}
	}
	w.all.Go(func() { r.watch.Follow(w.ctx.Done()) })
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

// harm are the counters whose every change is told.
var harm = []string{oomKill, failcnt, cpuThrottled}

// see reads the host's files. Where those are not ours nothing is seen, since asking
// in the container again and again would be a load of its own.
func (r *replica) see(ctx context.Context) (v chain.View, ok bool) {
	folders, err := r.box.cgroups()
	if err != nil {
		return v, false
	}
	ps, err := hostProcesses(folders)
	if err != nil {
		return v, false
	}
	if len(ps) > 0 {
		r.visible.Store(true)
	}
	n, err := readCounters(folders)
	maps.DeleteFunc(n, func(name string, _ int64) bool { return !slices.Contains(harm, name) })
	return chain.View{Life: r.box.hostPid(), Root: 1, Processes: ps, Counters: n}, err == nil && ctx.Err() == nil
}

func text(v any) string { return strings.TrimSpace(fmt.Sprint(v)) }
