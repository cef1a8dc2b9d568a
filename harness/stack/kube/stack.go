package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/scratch"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A Stack is a workload with a way to it.
type Stack struct {
	opener *Opener
	client *client
	app    stack.Kubernetes
	spec   stack.Spec
	view
	opened time.Duration

	around  around
	pods    *pods
	route   *route
	watcher watcher
	logs    *logs
	forward *forwarder
	link    *link // nil where it is left out

	inside, dialInside string // where the Service is for what runs in the cluster, see [stack.Hop]

	once   sync.Once
	broken chan struct{} // closed when the API server is away
	why    error         // what it was; read after broken

	scaling sync.Mutex // guards number
	number  int        // of replicas that are wanted now

	closing  sync.Mutex      // makes Close wait for Close
	own      int             // number of replicas that the user has set
	scaled   bool            // it is another one now
	folder   *scratch.Folder // lives while it is, see [loan]
	cordoned string          // the node that takes no pods because of us; "" for none
	pardon   string          // the script that takes back the last [Stack.Blame]
	closed   bool
}

var (
	_ stack.Stack   = (*Stack)(nil)
	_ stack.Killer  = (*Stack)(nil)
	_ stack.Crasher = (*Stack)(nil)
	_ stack.Stopper = (*Stack)(nil)
	_ stack.Scaler  = (*Stack)(nil)
	_ stack.Roller  = (*Stack)(nil)

	_ stack.NodeDrainer = (*Stack)(nil)

	_ stack.Filler  = (*Stack)(nil)
	_ stack.Blamer  = (*Stack)(nil)
	_ stack.Pauser  = (*Stack)(nil)
	_ stack.Settler = (*Stack)(nil)
)

// start brings the way up, from the workload outwards.
func (s *Stack) start(ctx context.Context) (err error) {
	s.opened = s.spec.Now()
	if s.view, err = s.opener.look(ctx, s.spec.App.Port); err != nil {
		return err
	}
	s.around.look(ctx, s.client, &s.app, &s.work)
	s.pods, s.route = newPods(s), &route{port: s.port, slices: map[string]object{}}
	s.logs = newLogs(s)
	if err := s.watcher.begin(ctx, s); err != nil {
		return err
	}
	if err := s.enough(ctx); err != nil {
		return err
	}
	s.lookInside()
	if s.forward, err = forward(s.client, s.route, s.lost); err != nil {
		return err
	}
	if !s.spec.LeftOut(stack.EdgeLink) {
		if s.link, err = newLink(s.forward.addr(), &s.spec); err != nil {
			return err
		}
	}
	return s.healthy(ctx)
}

// lost says that the API server is away: what streams show since then is not the app's
// doing.
func (s *Stack) lost(err error) {
	s.once.Do(func() {
		at := s.spec.Now()
		s.why = fmt.Errorf("the way through the API server at %s broke off at %v: %w; all streams take it, and what "+
			"they show since then says nothing about the app", s.client.base.Host, at.Round(time.Millisecond), err)
		s.spec.Notify(stack.Event{At: at, Source: record.KubernetesSource, Kind: record.KindLost,
			Text: oneLine(err.Error())})
		close(s.broken)
	})
}

// cause is why the stack is broken, nil while it is not.
func (s *Stack) cause() error {
	select {
	case <-s.broken:
		return s.why
	default:
		return nil
	}
}

// original is the annotation that keeps the user's own number of replicas, and says whose
// doing another number is: "2 3 host /folder". Earlier versions wrote the first word alone.
const original = "streamproof.io/replicas"

// A loan is what that annotation says.
type loan struct {
	own, set int    // replicas: the user's own number, and ours
	parent   string // of the run; "" where the number alone is known
}

// loanOf reads the annotation of a workload; false where there is none.
func loanOf(work *object) (l loan, ok bool) {
	text := work.Metadata.Annotations[original]
	own, rest, _ := strings.Cut(text, " ")
	set, parent, _ := strings.Cut(rest, " ")
	var err error
	if l.own, err = strconv.Atoi(own); err != nil {
		return l, false
	}
	if l.set, err = strconv.Atoi(set); err != nil {
		l.set = wanted(work)
	}
	l.parent = parent
	return l, true
}

// lives reports whether the run may live that has set the number.
func (l loan) lives() bool { return l.parent != "" && lives(l.parent) }

// lives reports whether the run may live whose parent is named so, see [Stack.parent].
func lives(parent string) bool {
	scratch.Sweep() // a run that was killed has left its folder
	return !ended(parent)
}

func (l loan) String() string { return fmt.Sprintf("%d %d %s", l.own, l.set, l.parent) }

// wanted is how many pods the workload is to have.
func wanted(work *object) int {
	if work.Spec.Replicas == nil {
		return 1
	}
	return *work.Spec.Replicas
}

// enough has the workload run with as many pods as the scenario asks for, and waits until
// all are ready. One whose number an earlier run did not give back gets it back first.
func (s *Stack) enough(ctx context.Context) error {
	if c, ok := cordonOf(&s.work); ok {
		if err := s.uncordon(ctx, c.node); err != nil {
			return err
		}
	}
	if l, ok := loanOf(&s.work); ok {
		s.scaled, s.own = true, l.own
		s.set(l.set)
		if err := s.giveBack(ctx); err != nil {
			return err
		}
	}
	s.own = wanted(&s.work)
	s.set(s.own)
	if s.own == 0 {
		return s.notUp(nil, errors.New("it is scaled to 0 replicas"))
	}
	want := max(s.own, s.spec.Replicas)
	if want != s.own {
		if err := s.scale(ctx, want); err != nil {
			return err
		}
	}
	limit := s.spec.App.Start + s.grace()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.pods.await(bounded, func() bool { return s.pods.settled(want) })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return s.notUp(s.stuck(ctx), fmt.Errorf("not ready after %v", limit))
	}
	return err
}

// notUp is the app's own failure to be there.
func (s *Stack) notUp(why []string, cause error) error {
	if len(why) > 0 {
		cause = fmt.Errorf("%w: %s", cause, why[0])
	}
	kind, name := s.app.Workload()
	return &stack.StartError{Subject: kind + " " + name, Cause: cause, Tail: why}
}

// healthy waits until the app answers through the Service.
func (s *Stack) healthy(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.spec.App.Start)
	defer cancel()
	var last error
	for {
		if last = s.probe(bounded); last == nil {
			return nil
		}
		select {
		case <-s.broken:
			return s.cause()
		case <-bounded.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			kind, name := s.app.Workload()
			return &stack.StartError{Subject: kind + " " + name, Cause: fmt.Errorf("service %s is not healthy after %v: %w",
				s.app.Service, s.spec.App.Start, last)}
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// probe asks the app by its health path; without one it is healthy where its Service has
// ready pods, which their readiness probes say.
func (s *Stack) probe(ctx context.Context) error {
	if t, ok := s.route.pick(); !ok || !t.ready {
		return errors.New("it has no ready endpoint")
	}
	if s.spec.App.Health == "" {
		return nil
	}
	return chain.Probe(ctx, s.forward.addr(), s.spec.App.Health)
}

// Hops implements [stack.Stack].
func (s *Stack) Hops() []stack.Hop {
	app := "http://" + s.forward.addr()
	hop := stack.Hop{Name: "app", What: "service " + s.app.Service + " of Kubernetes", URL: app, Control: app}
	hop.Inside, hop.DialInside = s.inside, s.dialInside
	if s.link == nil {
		edge := hop
		edge.Name = "edge"
		return []stack.Hop{edge, hop}
	}
	return []stack.Hop{{Name: "edge", What: "relay", URL: "http://" + s.link.relay.Addr(), Control: app}, hop}
}

// lookInside finds where the Service is for what runs in the cluster: by its name, and by
// its address, which needs no DNS. One without an address has a name that leads to its pods,
// and they listen on a port of their own.
func (s *Stack) lookInside() {
	host, number := s.app.Service+"."+s.client.namespace+".svc", strconv.Itoa(s.servicePort)
	switch to, ok := s.route.any(); {
	case s.address != "":
		s.dialInside = net.JoinHostPort(s.address, number)
	case !ok:
		return
	default:
		number = strconv.Itoa(to.port)
	}
	s.inside = "http://" + net.JoinHostPort(host, number)
}

// Links implements [stack.Stack].
func (s *Stack) Links() []stack.Link {
	if s.link == nil {
		return nil
	}
	if s.link.strikes {
		return []stack.Link{strikingLink{s.link, s.link.relay}}
	}
	return []stack.Link{s.link}
}

// Replicas implements [stack.Stack]: they are the pods that new streams may go to.
func (s *Stack) Replicas() (list []stack.Replica) {
	for _, p := range s.pods.living() {
		r := stack.Replica{Name: p.replica, URL: "http://" + s.forward.addr()}
		if t, ok := s.route.of(p.Metadata.Name); ok {
			r.Addr = t.Addr()
		}
		list = append(list, r)
	}
	return list
}

// Logs implements [stack.Stack].
func (s *Stack) Logs() []stack.Log {
	return append([]stack.Log{{Name: clusterLog, Kind: record.KubernetesLog}}, s.logs.files()...)
}

// Versions implements [stack.Stack].
func (s *Stack) Versions() map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	var v struct{ GitVersion string }
	if err := s.client.ask(ctx, "GET", "version", "", nil, &v); err != nil || v.GitVersion == "" {
		return nil
	}
	return map[string]string{"kubernetes": strings.TrimPrefix(v.GitVersion, "v")}
}

// Settle implements [stack.Settler]: the kubelet tells of an end up to a second late.
func (s *Stack) Settle(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.broken:
	case <-time.After(settleWait):
	}
}

const settleWait = 1200 * time.Millisecond

// Close implements [stack.Stack].
func (s *Stack) Close(ctx context.Context) error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	var errs []error
	if s.link != nil {
		errs = append(errs, s.link.relay.Close())
	}
	if s.forward != nil {
		errs = append(errs, s.forward.close())
	}
	if s.scaled {
		errs = append(errs, s.giveBack(ctx))
	}
	if s.cordoned != "" {
		errs = append(errs, s.uncordon(ctx, s.cordoned))
	}
	if s.folder != nil {
		errs = append(errs, s.folder.Remove())
	}
	if s.logs != nil {
		errs = append(errs, s.logs.close())
	}
	errs = append(errs, s.watcher.end(), s.cause())
	s.closed = true
	return errors.Join(errs...)
}
