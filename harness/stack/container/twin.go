package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// Parts of a twin. They tell no events, and are in no list but the label's, by
// which Close finds what a probe left that was broken off.
const (
	twinPart        = "second nginx"
	probeOriginPart = "probe origin"
)

var twinParts = []string{twinPart, probeOriginPart}

// Twin implements [stack.Twinner]: the same image on the same form of
// configuration, without the limits of one scenario, and the origin of the probe
// in a container beside it. No link is between them, since toxiproxy makes a FIN
// of every RST.
//
//	probe ─▶ second nginx ─▶ probe origin
func (s *Stack) Twin(ctx context.Context) (stack.Twin, error) {
	if s.Edge == nil {
		return stack.Twin{}, &stack.Unable{What: "start a second edge", Why: "this stack has none"}
	}
	if err := s.leadable(); err != nil {
		return stack.Twin{}, err
	}
	if err := s.d.ensureImage(ctx, s.images.Relay); err != nil {
		return stack.Twin{}, err
	}
	var boxes [2]*box
	end := func(ctx context.Context) error {
		var g errgroup.Group
		for _, b := range boxes {
			g.Go(func() error { return b.remove(ctx) })
		}
		return g.Wait()
	}
	e, err := s.startTwin(ctx, &boxes)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
		defer cancel()
		return stack.Twin{}, errors.Join(err, end(ctx))
	}
	return stack.Twin{URL: "http://" + s.route.dial(e.box, e.port), What: e.What(), Close: end}, nil
}

// startTwin starts the origin and then nginx, which looks for its upstream as it
// starts, and for a name that is not there yet outside.
func (s *Stack) startTwin(ctx context.Context, boxes *[2]*box) (e *edge, err error) {
	start := func(i int, f form) (*box, error) {
		ctx, cancel := uninterrupted(ctx)
		defer cancel()
		if boxes[i], err = s.start(ctx, f); err != nil {
			return boxes[i], fmt.Errorf("start %s: %w", f.part, err)
		}
		return boxes[i], nil
	}
	port := s.plan.port // where a user's nginx.conf looks for the app
	origin, err := start(0, form{part: probeOriginPart, image: s.images.Relay, ports: []int{port},
		cmd: []string{"-probe", "-listen", ":" + strconv.Itoa(port), "-life",
			time.Until(s.until).Round(time.Second).String()}})
	if err != nil {
		return nil, err
	}
	spec, to := s.spec, origin.inside(port)
	spec.Edge, spec.Notify = stack.Edge{Form: s.spec.Edge.Form}, func(stack.Event) {}
	e, f, err := s.newEdge(&spec, twinPart, []nginxconf.Upstream{{Main: to, Control: to}})
	if err != nil {
		return nil, err
	}
	for _, name := range s.plan.names {
		f.hosts = append(f.hosts, name+":"+origin.address())
	}
	if e.box, err = start(1, f); err != nil {
		return nil, err
	}
	err = chain.Await(ctx, origin.part, origin, probeLimit, func(ctx context.Context) error {
		_, err := chain.Knock(ctx, s.route.dial(origin, port))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w; is %s older than this program? `make images` builds it again", err, s.images.Relay)
	}
	return e, s.awaitEdge(ctx, e)
}

// leadable says why a user's nginx.conf cannot be led to the origin of a probe:
// that works for the names of the app, as nginx finds them when it starts.
func (s *Stack) leadable() error {
	if s.own == nil {
		return nil
	}
	cannot := func(why string, args ...any) error {
		return &stack.Unable{What: "probe " + s.own.Name, Why: fmt.Sprintf(why, args...)}
	}
	ups := s.own.Upstreams(s.spec.Path)
	if why := s.own.Unknown(s.spec.Path); why != "" {
		return cannot("%s", why)
	}
	if len(ups) == 0 {
		return cannot("it passes nothing on from %s", s.spec.Path)
	}
	for _, up := range ups {
		words := strings.Fields(up)
		host, port, err := net.SplitHostPort(words[0])
		if err != nil {
			host, port = words[0], strconv.Itoa(nginxPort)
		}
		switch {
		case s.own.Anew(s.spec.Path), strings.Contains(up, "$"), slices.Contains(words, "resolve"):
			return cannot("it looks up %s anew for each request", words[0])
		case !slices.Contains(s.plan.names, host), port != strconv.Itoa(s.plan.port):
			return cannot("it passes %s on to %s, which is not the app (%s, port %d)", s.spec.Path, words[0],
				strings.Join(s.plan.names, " or "), s.plan.port)
		}
	}
	return nil
}
