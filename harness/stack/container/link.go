package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/relay"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// Ports in the containers of a link. The main lane of an upstream link listens
// where the app would, so that a user's own nginx.conf finds it there.
const (
	toxiproxyAPI = 8474
	relayAPI     = 8475
	controlPort  = 8476
	edgePort     = 8000
)

// RelayImage runs harness/relay, see docker/relay.
const RelayImage = "streamproof/relay:dev"

// callLimit bounds a call of a control API whose caller set no deadline: adding
// a toxic to a link that is backed up blocks for ever (toxiproxy#558).
const callLimit = 5 * time.Second

// names of the two proxies in a link's toxiproxy.
const (
	mainLane    = "main"
	controlLane = "control"
)

// A link is one stretch of the chain, with a toxiproxy of its own: a control
// call that blocks holds up no other link.
//
//	main:    ─▶ [relay ─▶] toxiproxy ─▶ target
//	control: ────────────▶ toxiproxy ─▶ target
//
// The relay stands on the client's side, because toxiproxy turns a RST into a
// FIN.
type link struct {
	name      string
	port      int // of the main lane
	toxiproxy *box
	relay     *box // nil where the stack does not strike
	s         *Stack
}

var _ chain.Link = (*link)(nil)

// A striker is the relay of a link.
type striker struct{ *link }

var _ stack.Striker = striker{}

// openLink starts the containers of a link. Where it leads is told later, by
// aim: the target may not be there yet.
func (s *Stack) openLink(ctx context.Context, name string, port int, aliases []string) (*link, error) {
	l := &link{name: name, port: port, s: s}
	inner, outer := hostname(name), hostname(name)+"-toxiproxy"
	toxi := form{part: name + " toxiproxy", image: s.images.Toxiproxy, aliases: slices.Concat(aliases, []string{inner}),
		ports: []int{port, controlPort, toxiproxyAPI}}
	idle := s.spec.Idle(name)
	if !s.spec.Strikes && idle == 0 {
		b, err := s.begin(ctx, toxi)
		l.toxiproxy = b
		return l, err
	}
	rel := form{part: name + " relay", image: s.images.Relay, aliases: toxi.aliases, ports: []int{port, relayAPI},
		cmd: []string{"-name", name, "-listen", ":" + strconv.Itoa(port), "-target", outer + ":" + strconv.Itoa(port),
			"-control", ":" + strconv.Itoa(relayAPI), "-life", time.Until(s.until).Round(time.Second).String()}}
	if idle > 0 {
		rel.cmd = append(rel.cmd, "-idle", idle.String())
	}
	toxi.aliases = []string{outer}
	boxes, err := s.beginAll(ctx, toxi, rel)
	l.toxiproxy, l.relay = boxes[0], boxes[1]
	return l, err
}

// aim makes both lanes lead to a target, "host:port" each, and attaches what
// toxics must be there before the first connection.
func (l *link) aim(ctx context.Context, main, control string, toxics []stack.Toxic) error {
	if err := awaitAnswer(ctx, l.s.route.dial(l.toxiproxy, toxiproxyAPI), "/version"); err != nil {
		return fmt.Errorf("set up link %s: %w", l.name, err)
	}
	for _, lane := range []struct {
		name, target string
		port         int
	}{{mainLane, main, l.port}, {controlLane, control, controlPort}} {
		body := map[string]any{"name": lane.name, "listen": "0.0.0.0:" + strconv.Itoa(lane.port), "upstream": lane.target,
			"enabled": true}
		if err := l.call(ctx, http.MethodPost, "/proxies", body); err != nil {
			return fmt.Errorf("set up link %s: %w", l.name, err)
		}
	}
	for _, t := range toxics {
		if err := l.Add(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// entrance is the box at which the main lane begins.
func (l *link) entrance() *box {
	if l.relay != nil {
		return l.relay
	}
	return l.toxiproxy
}

// Striker implements [chain.Link].
func (l *link) Striker() stack.Striker {
	if l.relay == nil {
		return nil
	}
	return striker{l}
}

// Main implements [chain.Link].
func (l *link) Main() chain.Entrance { return l.s.entrance(l.entrance(), l.port) }

// Control implements [chain.Link].
func (l *link) Control() chain.Entrance { return l.s.entrance(l.toxiproxy, controlPort) }

func (l *link) Name() string { return l.name }

// Add implements [stack.Link].
func (l *link) Add(ctx context.Context, t stack.Toxic) error {
	if err := t.Check(); err != nil {
		return err
	}
	body := map[string]any{"name": t.Name, "type": t.Type, "stream": t.Direction, "toxicity": 1, "attributes": t.Attr}
	if err := l.call(ctx, http.MethodPost, "/proxies/"+mainLane+"/toxics", body); err != nil {
		return fmt.Errorf("add toxic %s to link %s: %w", t.Name, l.name, err)
	}
	return nil
}

// Remove implements [stack.Link].
func (l *link) Remove(ctx context.Context, name string) error {
	err := l.call(ctx, http.MethodDelete, "/proxies/"+mainLane+"/toxics/"+url.PathEscape(name), nil)
	if status := (*statusError)(nil); errors.As(err, &status) && status.code == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove toxic %s from link %s: %w", name, l.name, err)
	}
	return nil
}

// SetUp implements [stack.Link]. Both parts close their listeners, so that the
// kernel itself refuses what comes.
func (l *link) SetUp(ctx context.Context, up bool) error {
	state := map[bool]string{true: "/resume", false: "/pause"}[up]
	var errs []error
	if l.relay != nil {
		errs = append(errs, l.callRelay(ctx, state))
	}
	errs = append(errs, l.call(ctx, http.MethodPost, "/proxies/"+mainLane, map[string]any{"enabled": up}))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("set link %s up=%t: %w", l.name, up, err)
	}
	return nil
}

func (l *link) call(ctx context.Context, method, path string, body any) error {
	return call(ctx, method, "http://"+l.s.route.dial(l.toxiproxy, toxiproxyAPI)+path, body)
}

func (l *link) callRelay(ctx context.Context, path string) error {
	return call(ctx, http.MethodPost, "http://"+l.s.route.dial(l.relay, relayAPI)+path, nil)
}

func (l striker) client() relay.Client {
	return relay.Client{URL: "http://" + l.s.route.dial(l.relay, relayAPI), HTTP: chain.Client}
}

// Arm implements [stack.Striker].
func (l striker) Arm(ctx context.Context, strikes ...stack.Strike) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := l.client().Arm(ctx, strikes...); err != nil {
		return fmt.Errorf("arm link %s: %w", l.name, err)
	}
	return nil
}

// Ledger implements [stack.Striker]. The relay's clock is Unix time; both stand
// on the kernel's.
func (l striker) Ledger(ctx context.Context) ([]stack.Struck, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	lines, err := l.client().Ledger(ctx)
	if err != nil {
		return nil, fmt.Errorf("read ledger of link %s: %w", l.name, err)
	}
	for i := range lines {
		lines[i].At = l.s.at(time.Unix(0, int64(lines[i].At)))
	}
	return lines, nil
}

// A statusError is an API's refusal.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

func call(ctx context.Context, method, to string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(data))
	if err != nil {
		return err
	}
	res, err := chain.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if res.StatusCode/100 != 2 {
		return &statusError{res.StatusCode, res.Status + ": " + oneLine(string(text))}
	}
	return err
}
