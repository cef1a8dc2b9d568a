package chain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// A watch tells what is new at each look, and nothing twice. Workers and counters of
// a new start are all new.
func TestWatch(t *testing.T) {
	p := func(pid, parent int, command string) Process {
		return Process{Process: stack.Process{Pid: pid, Parent: parent, Command: command}}
	}
	view := func(life int, oom int64, workers ...int) View {
		v := View{Life: life, Root: 1, Processes: []Process{p(1, 0, "master")}, Counters: map[string]int64{"oom_kill": oom}}
		for _, pid := range workers {
			v.Processes = append(v.Processes, p(pid, 1, "serve"))
		}
		return v
	}
	steps := []struct {
		view View // of life 0: nothing is seen
		want string
	}{
		{view(7, 0, 2, 3), "start 2, start 3, counter 0"},
		{view(7, 0, 2, 3), ""},
		{view(7, 1, 3), "exit 2, counter 1"},
		{View{}, ""},
		{view(7, 1, 3, 4), "start 4"},
		{view(8, 0, 3), "start 3, counter 0"},
	}
	var told []string
	var now View
	spec := stack.Spec{Now: func() time.Duration { return 0 }, Notify: func(e stack.Event) {
		n := e.Value
		if e.Counter == "" {
			n = int64(e.Pid)
		}
		told = append(told, fmt.Sprint(e.Kind, " ", n))
		if want := map[string]string{"oom_kill": "app[0]", "": "app[0] worker"}[e.Counter]; e.Who() != want {
			t.Errorf("told %+v of %s, want %s", e, e.Who(), want)
		}
	}}
	now = steps[0].view
	w := NewWatch(&spec, "app[0]", func() (View, bool) {
		v := now
		v.Processes = slices.Clone(now.Processes)
		return v, v.Life != 0
	})
	for i, step := range steps {
		if now = step.view; i > 0 {
			w.Look()
		}
		if got := strings.Join(told, ", "); got != step.want {
			t.Errorf("look %d told %q, want %q", i, got, step.want)
		}
		told = nil
	}
}

// A resource tracker is no worker, and its end is no news.
func TestWatchTellsNoHelper(t *testing.T) {
	spec := stack.Spec{Now: func() time.Duration { return 0 }, Notify: func(e stack.Event) { t.Errorf("told: %+v", e) }}
	tracker := Process{Process: stack.Process{Pid: 2, Parent: 1,
		Command: "python3 -c from multiprocessing.resource_tracker import main"}}
	ps := []Process{{Process: stack.Process{Pid: 1, Command: "uvicorn"}}, tracker}
	w := NewWatch(&spec, "app[0]", func() (View, bool) { return View{Life: 7, Root: 1, Processes: ps}, true })
	ps = ps[:1]
	w.Look()
}
