package chain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
	"github.com/streamproof/streamproof/harness/stack/settings"
)

// reloadLimit bounds the end of the old workers' accepting.
const reloadLimit = 10 * time.Second

// An Edge is the reverse proxy of a chain.
type Edge interface {
	// Version is what the edge is and of which version: "nginx", "1.22.1".
	Version() (name, version string)
	// What reads "nginx 1.22.1, form streaming".
	What() string
	// Layer lists its timeouts and buffers.
	Layer() stack.Layer
	// Route puts the upstreams in place, also while streams are in flight, and returns
	// when new connections see them.
	Route(ctx context.Context, upstreams []nginxconf.Upstream) error
}

// An Nginx is an nginx with our configuration, generation after generation, or with
// the user's, which stays as it is. A machine makes it in three steps: [NewNginx],
// the part that reads [Nginx.Text], and [Nginx.Await].
type Nginx struct {
	spec *stack.Spec
	conf nginxconf.Config
	own  *UserConf
	name string // in events and errors
	part Part
	addr string // where it answers us, "host:port"
	put  func(ctx context.Context, text []byte) error

	mu      sync.Mutex // one reload at a time; guards what follows and conf
	version string
}

var _ Edge = (*Nginx)(nil)

// NewNginx is an nginx to be. Of conf the machine has set the paths and addresses;
// own takes its place where it is not nil.
func NewNginx(spec *stack.Spec, name string, conf nginxconf.Config, own *UserConf) *Nginx {
	if own != nil {
		own.Method = spec.Method
	}
	return &Nginx{spec: spec, name: name, conf: conf, own: own}
}

// Text renders the next generation of the configuration.
func (n *Nginx) Text(upstreams []nginxconf.Upstream) ([]byte, error) {
	if n.own != nil {
		return n.own.Text, nil
	}
	n.conf.Upstreams = upstreams
	n.conf.Generation++
	return n.conf.Render()
}

// Await returns when the part that was started answers at addr, "host:port". put
// writes a text to where the part reads its configuration.
func (n *Nginx) Await(ctx context.Context, part Part, addr string, put func(context.Context, []byte) error) error {
	n.part, n.addr, n.put = part, addr, put
	if err := n.await(ctx, n.spec.App.Start); err != nil {
		return err
	}
	Tell(n.spec, n.name, record.KindReady, part.Pid(), 0, "")
	return nil
}

// await waits until nginx answers, with the generation that was written last where
// the configuration is ours.
func (n *Nginx) await(ctx context.Context, limit time.Duration) error {
	return Await(ctx, n.name, n.part, limit, func(ctx context.Context) (err error) {
		var a Answer
		if n.own != nil {
			a, err = Knock(ctx, n.addr)
		} else if a, err = Ask(ctx, n.addr, nginxconf.ReadyPath); err == nil && a.Body != strconv.Itoa(n.conf.Generation) {
			err = fmt.Errorf("generation is %q, not yet %d", a.Body, n.conf.Generation)
		}
		if _, version, ok := strings.Cut(a.Header.Get("Server"), "/"); ok {
			n.version = version
		}
		return err
	})
}

// Route implements [Edge] with a reload: streams in flight stay with the old
// workers, which end when their last stream has. Of a user's configuration nginx
// resolves the names anew.
func (n *Nginx) Route(ctx context.Context, upstreams []nginxconf.Upstream) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.reload(ctx, upstreams); err != nil {
		return fmt.Errorf("reload %s: %w", n.name, err)
	}
	return nil
}

func (n *Nginx) reload(ctx context.Context, upstreams []nginxconf.Upstream) error {
	if n.own == nil {
		text, err := n.Text(upstreams)
		if err == nil {
			err = n.put(ctx, text)
		}
		if err != nil {
			return err
		}
	}
	old, err := n.workers(ctx)
	if err != nil {
		return err
	}
	if err := n.part.Signal(ctx, n.part.Pid(), syscall.SIGHUP); err != nil {
		return err
	}
	Tell(n.spec, n.name, record.KindReload, n.part.Pid(), int(syscall.SIGHUP),
		"SIGHUP, generation "+strconv.Itoa(n.conf.Generation))
	if err := n.await(ctx, reloadLimit); err != nil {
		return err
	}
	return n.awaitRetired(ctx, old)
}

// workers are the processes that take connections.
func (n *Nginx) workers(ctx context.Context) (pids []int, err error) {
	ps, err := n.part.Processes(ctx)
	for _, p := range ps {
		if strings.HasPrefix(p.Command, "nginx: worker process") && !strings.Contains(p.Command, "shutting down") {
			pids = append(pids, p.Pid)
		}
	}
	return pids, err
}

// awaitRetired waits until the old workers take no more connections: nginx lets
// them go on for 100 ms after the new ones have begun.
func (n *Nginx) awaitRetired(ctx context.Context, old []int) error {
	ctx, cancel := context.WithTimeout(ctx, reloadLimit)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("old workers %v still take connections: %w", old, ctx.Err())
		case <-time.After(pollPause): // at first a moment for the last accept
		}
		now, err := n.workers(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(old, func(pid int) bool { return slices.Contains(now, pid) }) {
			return nil
		}
	}
}

// Version implements [Edge].
func (n *Nginx) Version() (name, version string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return "nginx", n.version
}

// What implements [Edge].
func (n *Nginx) What() string {
	name, version := n.Version()
	if version != "" {
		name += " " + version
	}
	if n.own != nil {
		return name + ", " + n.own.Name
	}
	return name + ", form " + string(n.conf.Form)
}

// Layer implements [Edge]. What holds where the configuration is silent is
// included.
func (n *Nginx) Layer() stack.Layer {
	_, version := n.Version()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.own != nil {
		set := n.own.For(version, n.spec.Path)
		set["configuration"] = n.own.Name
		return stack.Layer{Name: "nginx", Settings: set}
	}
	set := n.conf.Settings()
	text, err := n.conf.Render()
	if err == nil {
		var c *settings.Conf
		if c, err = settings.Nginx("nginx.conf", text); err == nil {
			c.Method = n.spec.Method
			maps.Copy(set, c.For(version, n.spec.Path))
		}
	}
	if err != nil { // it runs, so that only our reading can be wrong
		set["unknown"] = err.Error()
	}
	return stack.Layer{Name: "nginx", Settings: set}
}
