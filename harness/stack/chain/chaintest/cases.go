package chaintest

import (
	"cmp"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

var (
	streaming = stack.Edge{Form: stack.EdgeStreaming}
	none      = stack.Edge{Form: stack.EdgeNone}
	edgeLink  = []string{stack.EdgeLink}
)

var cases = []struct {
	name  string
	spec  stack.Spec
	check func(*testing.T, *Rig)
}{
	{"hops", stack.Spec{Edge: streaming, Replicas: 2}, hops},
	{"links left out", stack.Spec{Edge: streaming, Omit: edgeLink}, leftOut},
	{"no edge", stack.Spec{Edge: none}, noEdge},
	{"links are faulted on the main lane alone", stack.Spec{Edge: streaming}, mainLane},
	{"strikes hit their stream", stack.Spec{Edge: streaming, Strikes: true}, strikes},
	{"a killed worker", stack.Spec{Edge: none, Omit: edgeLink}, killedWorker},
	{"a stop lets streams finish", stack.Spec{Edge: none, Omit: edgeLink}, stopped},
	{"a pause freezes", stack.Spec{Edge: none, Omit: edgeLink}, paused},
	{"reloads and scaling keep streams", stack.Spec{Edge: streaming, Omit: edgeLink}, scaled},
	{"a second edge", stack.Spec{Edge: stack.Edge{Form: stack.EdgeDefault}, Omit: edgeLink}, twin},
}

// hops: every hop carries a stream on both lanes, the edge names the replicas as
// they are called, and the logs are whole after Close.
func hops(t *testing.T, r *Rig) {
	names := ""
	for _, h := range r.Hops() {
		names += h.Name + " "
		for _, control := range []bool{false, true} {
			if a := r.send(t, request{hop: h, control: control, events: 3}); !a.whole(3) {
				t.Errorf("hop %s (%s), control %v: %v", h.Name, h.What, control, a)
			}
		}
	}
	if want := "edge nginx upstream app "; names != want {
		t.Errorf("hops are %s, want %s", names, want)
	}
	served := map[string]int{}
	for i := range 8 {
		served[r.send(t, request{hop: r.hop(t, "edge"), behind: i >= 4, events: 1}).replica]++
	}
	for _, rep := range r.Replicas() {
		if served[rep.Addr]+served[rep.Control] == 0 {
			t.Errorf("%s at %s is none of %v", rep.Name, rep.Addr, served)
		}
	}
	if v := r.Versions()[r.Edge]; v == "" || r.hop(t, "nginx").What != r.Edge+" "+v+", form streaming" {
		t.Errorf("%s is of version %q, the hop %q", r.Edge, v, r.hop(t, "nginx").What)
	}
	layers := map[string]map[string]string{}
	for _, l := range r.Layers() {
		layers[l.Name] = l.Settings
	}
	edge := layers[r.Edge]
	if cmp.Or(edge["proxy_buffering"], edge["buffering"]) != "off" || layers["app"]["grace after SIGTERM"] != "10s" ||
		r.Edge == "nginx" && edge["proxy_next_upstream"] == "" {
		t.Errorf("layers are %v", layers)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	kinds := map[record.LogKind]int{}
	for _, l := range r.Logs() {
		if _, err := os.Stat(filepath.Join(r.Dir, l.Name)); err != nil {
			t.Errorf("log %s: %v", l.Name, err)
		}
		kinds[l.Kind]++
	}
	if r.Mute != (len(kinds) == 0) ||
		!r.Mute && (kinds[record.NginxAccess] != 1 || kinds[record.NginxError] != 1 || kinds[record.AppLog] != 2) {
		t.Errorf("logs are %v", r.Logs())
	}
}

// leftOut: without its link the edge begins the chain.
func leftOut(t *testing.T, r *Rig) {
	names := ""
	for _, h := range r.Hops() {
		names += h.Name + " "
		if a := r.send(t, request{hop: h, events: 2}); !a.whole(2) {
			t.Errorf("hop %s: %v", h.Name, a)
		}
	}
	if names != "edge upstream app " || len(r.Links()) != 1 || r.Links()[0].Name() != "upstream[0]" {
		t.Errorf("hops are %s, links %v", names, r.Links())
	}
}

// noEdge: what needs an edge is said to be not possible here.
func noEdge(t *testing.T, r *Rig) {
	_, scale := r.Stack.(stack.Scaler).AddReplica(t.Context())
	_, probe := r.Stack.(stack.Twinner).Twin(t.Context())
	for _, err := range []error{scale, probe, r.Stack.(stack.Reloader).Reload(t.Context())} {
		if !errors.As(err, new(*stack.Unable)) {
			t.Errorf("error %v, want that there is no edge", err)
		}
	}
	if a := r.send(t, request{hop: r.hop(t, "edge"), events: 2}); !a.whole(2) {
		t.Errorf("stream: %v", a)
	}
}

// mainLane: a toxic stalls the main lane of its link alone and loses nothing; a link
// that is down refuses, and comes back.
func mainLane(t *testing.T, r *Rig) {
	edge := r.hop(t, "edge")
	for _, l := range r.Links() {
		var main atomic.Int64
		victim := r.start(t, request{hop: edge, events: 100, gap: 10 * time.Millisecond,
			on: func(n int) { main.Store(int64(n)) }})
		if err := l.Add(t.Context(), stack.Stall()); err != nil {
			t.Fatal(err)
		}
		control := request{hop: edge, control: l.Name() == stack.EdgeLink, behind: l.Name() != stack.EdgeLink,
			events: 130, gap: 10 * time.Millisecond}
		if a := r.send(t, control); !a.whole(130) { // for longer than the victim would take
			t.Errorf("%s: control stream during the stall: %v", l.Name(), a)
		}
		if n := main.Load(); n >= 100 {
			t.Errorf("%s: the victim got all %d events during the stall", l.Name(), n)
		}
		for range 2 { // removing twice is no error
			if err := l.Remove(t.Context(), stack.Stall().Name); err != nil {
				t.Fatal(err)
			}
		}
		if a := <-victim; !a.whole(100) {
			t.Errorf("%s: victim after the stall: %v", l.Name(), a)
		}
	}
	link := r.Links()[0]
	if err := link.SetUp(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if a := r.send(t, request{hop: edge, events: 1}); a.err == nil {
		t.Errorf("a stream through a link that is down: %v", a)
	}
	if err := link.SetUp(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if a := r.send(t, request{hop: edge, events: 2}); !a.whole(2) {
		t.Errorf("a stream through a link that is up again: %v", a)
	}
}

// strikes: each link cuts its victim behind exactly its event, and nobody else.
func strikes(t *testing.T, r *Rig) {
	const after, events = 5, 12
	edge := r.hop(t, "edge")
	for i, l := range r.Links() {
		striker, ok := l.(stack.Striker)
		if !ok {
			t.Fatalf("%s cannot strike", l.Name())
		}
		victim := uint64(7 + 10*i)
		if err := striker.Arm(t.Context(), stack.Strike{Stream: victim, After: after, Action: stack.RST}); err != nil {
			t.Fatal(err)
		}
		beside := r.start(t, request{hop: edge, id: victim + 1, events: events, gap: 10 * time.Millisecond})
		a := r.send(t, request{hop: edge, id: victim, events: events, gap: 10 * time.Millisecond})
		if a.events != after || a.err == nil {
			t.Errorf("%s: the victim got %v, want %d events and an error", l.Name(), a, after)
		}
		if a := <-beside; !a.whole(events) {
			t.Errorf("%s: a stream beside the victim: %v", l.Name(), a)
		}
		lines, err := striker.Ledger(t.Context())
		if err != nil || len(lines) != 1 || lines[0].Stream != victim || lines[0].Passed != after || lines[0].Err != "" {
			t.Errorf("%s: ledger %+v, %v", l.Name(), lines, err)
		}
	}
}

// killedWorker: the end of a worker and its successor are told as a worker's, and
// not as the end of the replica, which lives.
func killedWorker(t *testing.T, r *Rig) {
	killer := r.Stack.(stack.Killer)
	ps, err := killer.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var workers []stack.Process
	masters := 0
	for _, p := range ps {
		switch p.Role {
		case stack.RoleMaster:
			masters++
		case stack.RoleWorker:
			workers = append(workers, p)
		}
	}
	if masters != 1 || len(workers) != 2 {
		t.Fatalf("processes are %+v, want a master and two workers", ps)
	}
	const worker = "app[0] worker"
	for _, w := range workers {
		r.await(t, record.KindStart, worker, func(e stack.Event) bool { return e.Pid == w.Pid })
	}
	victim := workers[0]
	if err := killer.Signal(t.Context(), victim, int(syscall.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	exit := r.await(t, record.KindExit, worker, func(e stack.Event) bool { return e.Pid == victim.Pid })
	kill := r.await(t, record.KindKill, "app[0]", func(e stack.Event) bool {
		return e.Pid == victim.Pid && e.Code == int(syscall.SIGKILL)
	})
	born := r.await(t, record.KindStart, worker, func(e stack.Event) bool {
		return !slices.ContainsFunc(ps, func(p stack.Process) bool { return p.Pid == e.Pid })
	})
	if kill.At > exit.At || exit.At > born.At {
		t.Errorf("killed at %v, gone at %v, another one at %v", kill.At, exit.At, born.At)
	}
	ends := r.told(func(e stack.Event) bool { return e.Kind == record.KindExit && e.Who() == "app[0]" })
	if len(ends) != 0 {
		t.Errorf("the replica ended: %+v", ends)
	}
	if err := killer.Signal(t.Context(), victim, 0); err == nil {
		t.Error("a pid that is gone was signalled")
	}
	if a := r.send(t, request{hop: r.hop(t, "app"), events: 2}); !a.whole(2) {
		t.Errorf("stream after the kill: %v", a)
	}
}

// stopped: streams in flight finish within the grace, new ones are refused, and the
// replica comes back; all of it is told.
func stopped(t *testing.T, r *Rig) {
	stopper := r.Stack.(stack.Stopper)
	flight := r.start(t, request{hop: r.hop(t, "app"), events: 60, gap: 10 * time.Millisecond})
	if err := stopper.Stop(t.Context(), "app[0]", patience); err != nil {
		t.Fatal(err)
	}
	if a := <-flight; !a.whole(60) {
		t.Errorf("stream in flight: %v", a)
	}
	if a := r.send(t, request{hop: r.hop(t, "app"), events: 1}); a.err == nil {
		t.Errorf("a stream to a stopped replica: %v", a)
	}
	exit := r.await(t, record.KindExit, "app[0]", func(stack.Event) bool { return true })
	if exit.Code != 0 {
		t.Errorf("exit is %+v, want code 0", exit)
	}
	for range 2 { // starting what runs does nothing
		if err := stopper.Start(t.Context(), "app[0]"); err != nil {
			t.Fatal(err)
		}
	}
	if a := r.send(t, request{hop: r.hop(t, "app"), events: 2}); !a.whole(2) {
		t.Errorf("stream after the new start: %v", a)
	}
	r.await(t, record.KindStart, "app[0]", func(e stack.Event) bool { return e.At >= exit.At })
	r.await(t, record.KindReady, "app[0]", func(e stack.Event) bool { return e.At >= exit.At })
	var kinds []string
	for _, e := range r.told(func(e stack.Event) bool { return e.Source == record.ProcessSource && e.Who() == "app[0]" }) {
		if kind := string(e.Kind); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if got, want := strings.Join(kinds, " "), "start ready stop exit"; got != want {
		t.Errorf("the replica's events are %q, want %q", got, want)
	}
}

// paused: nothing arrives while the replica is frozen, and nothing is lost.
func paused(t *testing.T, r *Rig) {
	pauser := r.Stack.(stack.Pauser)
	var got atomic.Int64
	const events = 1000 // five seconds of them: an engine takes its time to freeze what it runs
	flight := r.start(t, request{hop: r.hop(t, "app"), events: events, gap: 5 * time.Millisecond,
		on: func(n int) { got.Store(int64(n)) }})
	if err := pauser.Pause(t.Context(), "app[0]"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // what was on its way arrives
	frozen := got.Load()
	time.Sleep(500 * time.Millisecond) // a hundred events' time
	if n := got.Load(); n != frozen || n == events {
		t.Errorf("%d events came from a frozen replica, %d of %d in all", n-frozen, n, events)
	}
	for range 2 { // thawing twice is no error
		if err := pauser.Unpause(t.Context(), "app[0]"); err != nil {
			t.Fatal(err)
		}
	}
	if a := <-flight; !a.whole(events) {
		t.Errorf("stream after the pause: %v", a)
	}
}

// scaled: reloads, a replica that joins and one that leaves cut nobody's stream.
func scaled(t *testing.T, r *Rig) {
	edge := r.hop(t, "edge")
	flights := []<-chan answer{r.start(t, request{hop: edge, events: 200, gap: 10 * time.Millisecond})}
	if err := r.Stack.(stack.Reloader).Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.await(t, record.KindReload, "nginx", func(stack.Event) bool { return true })
	flights = append(flights, r.start(t, request{hop: edge, events: 200, gap: 10 * time.Millisecond}))
	scaler := r.Stack.(stack.Scaler)
	added, err := scaler.AddReplica(t.Context())
	if err != nil || added.Name != "app[1]" {
		t.Fatalf("AddReplica() = %+v, %v", added, err)
	}
	if err := scaler.RemoveReplica(t.Context(), "app[0]"); err != nil {
		t.Fatal(err)
	}
	for i, flight := range flights {
		if a := <-flight; !a.whole(200) {
			t.Errorf("stream %d in flight: %v", i, a)
		}
	}
	for range 4 {
		if a := r.send(t, request{hop: edge, events: 1}); a.replica != added.Addr || !a.whole(1) {
			t.Errorf("a stream went to %s, want %s: %v", a.replica, added.Addr, a)
		}
	}
	if err := scaler.RemoveReplica(t.Context(), "app[1]"); err == nil {
		t.Error("the last replica was removed")
	}
	if rs := r.Replicas(); len(rs) != 1 || rs[0] != added {
		t.Errorf("replicas are %+v, want %+v", rs, added)
	}
}

// twin: a second edge leads to the origin of a probe beside the first, and tells
// nothing.
func twin(t *testing.T, r *Rig) {
	before := len(r.told(func(stack.Event) bool { return true }))
	twin, err := r.Stack.(stack.Twinner).Twin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, twin.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.transport("").RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Header.Get(origin.ProbeHeader) != r.Asks {
		t.Errorf("the second edge answers with %v, not as the origin of the probe", res.Header)
	}
	if !strings.HasPrefix(twin.What, r.Edge+" ") || !strings.HasSuffix(twin.What, ", form default") {
		t.Errorf("it is called %q", twin.What)
	}
	if a := r.send(t, request{hop: r.hop(t, "edge"), events: 2}); !a.whole(2) {
		t.Errorf("stream through the first edge: %v", a)
	}
	if err := twin.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if now := r.told(func(stack.Event) bool { return true }); len(now) != before {
		t.Errorf("told: %+v", now[before:])
	}
}
