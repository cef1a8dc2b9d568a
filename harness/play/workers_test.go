package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/fleet"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/memory"
	"github.com/streamproof/streamproof/harness/traceparent"
	"github.com/streamproof/streamproof/harness/verdict"
)

// byWorkers has the load sent by n workers in this process. born is told of the
// connection of each; nil is fine.
func byWorkers(n int, born func(i int, c io.Closer)) func(p *playing) {
	return byWorkersOver(n, born, func(c net.Conn) net.Conn { return c })
}

// byWorkersOver is byWorkers whose streams go over what wrap makes of their connections.
func byWorkersOver(n int, born func(i int, c io.Closer), wrap func(net.Conn) net.Conn) func(p *playing) {
	return func(p *playing) {
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := p.memory.DialContext(ctx, network, addr)
			if err == nil {
				c = wrap(c)
			}
			return c, err
		}
		started := 0
		p.options.LoadWorkers = n
		p.options.StartLoadWorker = func() (harness.LoadWorker, error) {
			ours, theirs := net.Pipe()
			ended := make(chan struct{})
			go func() { // ends with the connection
				defer close(ended)
				w := fleet.Worker{Version: fleet.Version(), Dial: dial}
				if err := w.Serve(p.t.Context(), theirs); err != nil {
					p.t.Error(err)
				}
			}()
			if born != nil {
				born(started, ours)
			}
			started++
			return harness.LoadWorker{Conn: &waited{ours, ended}}, nil
		}
	}
}

// A waited connection is closed when its other end has gone.
type waited struct {
	net.Conn
	ended chan struct{}
}

func (w *waited) Close() error {
	err := w.Conn.Close()
	<-w.ended
	return err
}

// came is what must be the same of a run, whoever sends its load.
func (p *playing) came() string {
	var all []string
	for _, s := range p.run.Streams {
		all = append(all, fmt.Sprintf("%03d %s %s %s %s %d %s %s", s.Seq, s.Group, s.Nonce, s.Hop, s.Replica, s.Contents,
			s.Content.State, s.Limit))
	}
	slices.Sort(all)
	for _, w := range p.run.Windows {
		all = append(all, fmt.Sprint(w.Fault.Name, " ", w.Phase, " ", slices.Sorted(slices.Values(w.Victims))))
	}
	for _, w := range p.run.Waves {
		all = append(all, fmt.Sprint(w.Group, " ", w.Hop, " ", w.Asked, w.Started, w.LateStarts, w.InBodyAtFault, w.Solo))
	}
	r := verdict.Judge(p.run)
	return strings.Join(append(all, fmt.Sprint(r.Verdict, r.Started, r.Outcomes)), "\n")
}

// TestLoadWorkersSendTheSame: the streams, the victims, the life of the fault and the
// verdict of a load are the same, whether one process sends it or several.
func TestLoadWorkersSendTheSame(t *testing.T) {
	load := harness.Load{Streams: 20}
	broken := one(harness.Scenario{Shape: perSecond(5)}, load)
	broken.Sabotage = harness.Sabotage{Names: []string{"silent-truncation", "http-error"}}
	for name, o := range map[string]harness.Options{
		"no fault": one(harness.Scenario{Shape: perSecond(5)}, load),
		"stall": one(harness.Scenario{Shape: perSecond(10), Fault: fault.Stall(stack.EdgeLink, 5*sec), When: three,
			Hold: 5 * sec}, load),
		"two faults": one(harness.Scenario{Shape: perSecond(20), When: three, Fault: fault.Sequence{
			fault.Timed{Fault: fault.Latency(stack.UpstreamLink, 2*sec, 0), Hold: 4 * sec},
			fault.Timed{Fault: fault.Stall(stack.EdgeLink, 5*sec), When: harness.When{Events: 9}, Hold: 5 * sec}}}, load),
		"strikes": one(harness.Scenario{Shape: perSecond(5), Fault: fault.Strike{Link: stack.UpstreamLink, After: 2,
			Action: stack.FIN}, Policy: record.Policy{Kills: true, Recovery: 5 * sec}}, load),
		"broken": broken,
		"peel":   one(harness.Scenario{Shape: perSecond(5), Peel: true}, load),
		"open":   one(harness.Scenario{Shape: perSecond(3)}, harness.Load{Rate: 4, Duration: 5 * sec}),
		"hanging up": one(harness.Scenario{Shape: perSecond(5),
			Client: harness.Client{Abort: harness.Abort{AfterEvents: 2}}}, load),
		"reconnecting": one(harness.Scenario{Shape: perSecond(5), Fault: fault.Strike{Link: stack.UpstreamLink, After: 2,
			Action: stack.FIN}, Client: harness.Client{Reconnect: harness.Reconnect{Times: 1}}}, load),
	} {
		t.Run(name, func(t *testing.T) {
			var want string
			perform(t, o, func(p *playing) { want = p.came() })
			for _, n := range []int{2, 4} {
				perform(t, o, func(p *playing) {
					if got := p.came(); p.err != nil || got != want {
						t.Errorf("%d workers: %v\n%s\none process:\n%s", n, p.err, got, want)
					}
					for _, w := range p.run.LoadWorkers {
						if w.State != record.LoadWorkerDone {
							t.Errorf("%s: %+v", w.Name(), w)
						}
					}
					if len(p.run.LoadWorkers)%n > 0 || len(p.run.LoadWorkers) == 0 {
						t.Errorf("%d workers are in the record", len(p.run.LoadWorkers))
					}
				}, byWorkers(n, nil))
			}
		})
	}
}

// A said connection keeps what was written to it.
type said struct {
	net.Conn
	mu   *sync.Mutex // guards text
	text *strings.Builder
}

func (s said) Write(b []byte) (int, error) {
	s.mu.Lock()
	s.text.Write(b)
	s.mu.Unlock()
	return s.Conn.Write(b)
}

// TestLoadWorkersSendTraces: the requests of load workers carry the traces for which
// spans are exported after the run, and none where nobody asks for them.
func TestLoadWorkersSendTraces(t *testing.T) {
	for _, asked := range []bool{true, false} {
		o := one(harness.Scenario{Shape: perSecond(5)}, harness.Load{Streams: 8})
		o.Trace = asked
		var mu sync.Mutex
		var text strings.Builder
		perform(t, o, func(p *playing) {
			if p.err != nil || len(p.run.LoadWorkers) != 2 {
				t.Fatalf("%d workers, %v", len(p.run.LoadWorkers), p.err)
			}
			sent := 0
			for _, s := range p.run.Streams {
				if strings.Contains(text.String(), traceparent.Of(p.run.Plan.Started, s.Nonce, s.Seq)) {
					sent++
				}
			}
			if want := map[bool]int{true: 8}[asked]; sent != want {
				t.Errorf("asked for traces: %v; %d requests of the workers carry them", asked, sent)
			}
			if !asked && strings.Contains(strings.ToLower(text.String()), "traceparent") {
				t.Error("requests carry a trace that nobody asked for")
			}
		}, byWorkersOver(2, nil, func(c net.Conn) net.Conn { return said{c, &mu, &text} }))
	}
}

// TestLostLoadWorker: the run is not decided and names the worker, every stream has an
// outcome, and scenarios that were over before keep their verdict.
func TestLostLoadWorker(t *testing.T) {
	o := harness.Options{Load: harness.Load{Streams: 20}, Scenarios: []harness.Scenario{
		{ID: "before", Shape: perSecond(5)}, {ID: "during", Shape: perSecond(20)}, {ID: "behind", Shape: perSecond(5)}}}
	for _, at := range []time.Duration{12 * sec, 40 * sec} { // the first is in the solo stream of the second scenario
		perform(t, o, func(p *playing) {
			r := verdict.Judge(p.run)
			if p.err != nil || r.Verdict != verdict.Inconclusive || r.Scenarios[0].Verdict != verdict.Pass {
				t.Fatalf("%v: %s", p.err, r.Verdict)
			}
			for _, sc := range r.Scenarios[1:] {
				sum := 0
				for _, n := range sc.Outcomes {
					sum += n
				}
				d := sc.Decided()
				if sc.Verdict != verdict.Inconclusive || sum != sc.Started || d.Name != "load workers" ||
					d.Fact.About[0].Name != "load worker 2 of 3" {
					t.Errorf("%s: %s, %d of %d streams: %+v", sc.ID, sc.Verdict, sum, sc.Started, d)
				}
			}
			for _, w := range p.run.LoadWorkers {
				if w.Started != w.Ended+w.Unknown {
					t.Errorf("%+v", w)
				}
			}
		}, byWorkers(3, func(i int, c io.Closer) {
			if i == 1 {
				time.AfterFunc(at, func() { c.Close() })
			}
		}))
	}
}

// TestLoadWorkersThatCannotStart leave a run that says so, and none behind.
func TestLoadWorkersThatCannotStart(t *testing.T) {
	o := one(harness.Scenario{Shape: perSecond(5)}, harness.Load{Streams: 4})
	perform(t, o, func(p *playing) {
		if p.err == nil || !strings.Contains(p.err.Error(), "no more processes") || len(p.run.Streams) > 0 {
			t.Errorf("%v, %d streams", p.err, len(p.run.Streams))
		}
	}, byWorkers(3, nil), func(p *playing) {
		n, start := 0, p.options.StartLoadWorker
		p.options.StartLoadWorker = func() (harness.LoadWorker, error) {
			if n++; n == 3 {
				return harness.LoadWorker{}, fmt.Errorf("no more processes")
			}
			return start()
		}
	})
}

// TestPodsThatAFleetLeft: they are a warning, beside which every other error stays one.
func TestPodsThatAFleetLeft(t *testing.T) {
	var warned []verdict.Warning
	other := errors.New("another")
	left := &harness.PodsLeft{Context: "c", Namespace: "shop", Job: "j", N: 2}
	r := &run{Plan: &harness.Plan{Options: harness.Options{Warn: func(_ string, w verdict.Warning) { warned = append(warned, w) }}}}
	if err := r.unlessLeft(errors.Join(other, errors.Join(left, nil))); !errors.Is(err, other) || errors.Is(err, left) {
		t.Errorf("got %v", err)
	}
	if err := r.unlessLeft(left); err != nil {
		t.Errorf("got %v", err)
	}
	if len(warned) != 2 || !warned[0].Fact.Is(verdict.FactPodsLeft) || warned[0].Fact.N != 2 || warned[0].Mend.Name != "j" {
		t.Errorf("warned of %+v", warned)
	}
	left.Err = other
	if r.unlessLeft(left); len(warned) != 3 || warned[2].Fact.Text != "another" {
		t.Errorf("warned of %+v", warned)
	}
	r.Warn = nil
	if err := r.unlessLeft(left); !errors.Is(err, left) {
		t.Errorf("nobody is told, and it is %v", err)
	}
	if err := r.unlessLeft(nil); err != nil {
		t.Errorf("nothing is %v", err)
	}
}

// A podFleet is a fleet whose pods are workers of this process.
type podFleet struct {
	start  func() (harness.LoadWorker, error)
	n      int
	closed bool
}

func (f *podFleet) Check(context.Context) error { return nil }

func (f *podFleet) Start(context.Context) (all []harness.LoadWorker, err error) {
	for range f.n {
		w, err := f.start()
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

func (f *podFleet) Manifests() (string, error) { return "", nil }

func (f *podFleet) Close(context.Context) error {
	f.closed = true
	return nil
}

// An inside opener's stacks have an address of their own for who sends from within.
type insideOpener struct {
	*memory.Opener
	real string // what that address stands for
}

func (o *insideOpener) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	st, err := o.Opener.Open(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &insideStack{st, o}, nil
}

type insideStack struct {
	stack.Stack
	opener *insideOpener
}

const insideAddress = "10.96.0.7:80"

func (s *insideStack) Hops() []stack.Hop {
	hops := s.Stack.Hops()
	for i := range hops {
		s.opener.real = authority(hops[i].URL)
		hops[i].Inside, hops[i].DialInside = "http://chat.shop.svc:80", insideAddress
	}
	return hops
}

func (s *insideStack) Layers() []stack.Layer {
	return append(s.Stack.Layers(), stack.Layer{Name: record.ForwardLayer})
}

// TestByReplica: where streams do not say which replica served them, no scenario is judged
// that allows cuts on one replica alone, or asks whether one served.
func TestByReplica(t *testing.T) {
	apart := harness.When{Streams: 3, Replica: "app[1]"}
	for name, tc := range map[string]struct {
		sc   harness.Scenario
		want bool
	}{
		"load alone":         {harness.Scenario{}, false},
		"a deploy":           {harness.Scenario{Fault: fault.Drain{}, Policy: record.Policy{Refuses: true}}, false},
		"a crash":            {harness.Scenario{Fault: fault.Crash{}, Policy: record.Policy{Kills: true}}, true},
		"one more":           {harness.Scenario{Fault: fault.ScaleOut{}}, true},
		"one more, later":    {harness.Scenario{Fault: fault.Sequence{fault.Drain{}, fault.ScaleOut{}}}, true},
		"a replica is named": {harness.Scenario{Fault: fault.Drain{}, When: apart}, true},
		"in a part":          {harness.Scenario{Fault: fault.Sequence{fault.Timed{Fault: fault.Drain{}, When: apart}}}, true},
	} {
		if got := byReplica(&tc.sc); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestFleetSendsFromInside: pods beside an app in their cluster send the load, and the
// stream that it is compared with, to the app's own address there. What is sent while they
// send, and what measures the recovery, goes by the way that this machine has.
func TestFleetSendsFromInside(t *testing.T) {
	o := one(harness.Scenario{Shape: perSecond(5)}, harness.Load{Streams: 12})
	o.App = harness.App{Kubernetes: stack.Kubernetes{Deployment: "chat", Service: "chat"},
		Stream: harness.Stream{Dialect: "origin", Path: "/stream"}}
	o.Fleet.Kubernetes.Workers = 3
	var mu sync.Mutex
	dialed := map[string]int{}
	pods := &podFleet{n: 3}
	perform(t, o, func(p *playing) {
		if p.err != nil || !pods.closed {
			t.Fatal(p.err, pods.closed)
		}
		r := verdict.Judge(p.run)
		for _, s := range p.run.Streams {
			if s.Replica != "" {
				t.Errorf("stream %d says it was served by %s, which nobody saw", s.Seq, s.Replica)
			}
		}
		if r.Verdict != verdict.Pass || len(p.group(record.Load)) != 12 || len(p.group(record.Solo)) != 1 {
			t.Errorf("%s: %s, %d streams", r.Verdict, r.Why, len(p.run.Streams))
		}
		if len(dialed) != 1 || dialed[insideAddress] < 13 {
			t.Errorf("workers dialed %v", dialed)
		}
		for _, h := range p.run.Hops {
			if h.URL != "http://chat.shop.svc:80" {
				t.Errorf("hop %+v", h)
			}
		}
		for _, l := range p.run.Plan.Scenarios[0].Layers {
			if l.Name == record.ForwardLayer {
				t.Error("the load is said to come by the port-forward")
			}
		}
	}, func(p *playing) {
		inside := &insideOpener{Opener: p.memory}
		p.opener = inside
		p.options.LoadFleet = pods
		pods.start = func() (harness.LoadWorker, error) {
			ours, theirs := net.Pipe()
			ended := make(chan struct{})
			w := fleet.Worker{Version: fleet.Version(), Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				mu.Lock()
				dialed[addr]++
				mu.Unlock()
				return p.memory.DialContext(ctx, network, inside.real)
			}}
			go func() { // ends with the connection
				defer close(ended)
				if err := w.Serve(p.t.Context(), theirs); err != nil {
					p.t.Error(err)
				}
			}()
			return harness.LoadWorker{Conn: &waited{ours, ended}}, nil
		}
	})
}
