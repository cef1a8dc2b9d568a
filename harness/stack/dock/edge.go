package dock

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

const (
	nginxPort = 80
	nginxConf = "/etc/nginx/nginx.conf"
	// reloadLimit bounds the end of the old workers' accepting.
	reloadLimit = 10 * time.Second
)

// An edge is the nginx of the chain.
type edge struct {
	box     *box
	port    int
	version string    // "nginx 1.22.1"
	own     *userConf // the user's configuration; nil where it is ours

	mu         sync.Mutex // guards generation
	generation int
}

// startEdge starts nginx, if the chain has one, and leads the edge link to it.
func (s *Stack) startEdge(ctx context.Context) error {
	if s.spec.Edge.Form == stack.EdgeNone && s.own == nil {
		l := s.replicas[0].link
		return s.aimEdge(ctx, net.JoinHostPort(hostname(l.name), strconv.Itoa(l.port)),
			net.JoinHostPort(hostname(l.toxiproxy.aliases[0]), strconv.Itoa(controlPort)))
	}
	s.edge = &edge{port: nginxPort}
	f, err := s.edge.form(s, s.config(0))
	if err != nil {
		return err
	}
	if s.edge.box, err = s.begin(ctx, f); err != nil {
		return err
	}
	s.follow(s.edge.box, stack.Log{Name: "nginx_access.log", Kind: "nginx_access"}, stack.Log{Name: "nginx_error.log", Kind: "nginx_error"})
	if err := s.awaitEdge(ctx, s.edge); err != nil {
		return err
	}
	target := net.JoinHostPort("nginx", strconv.Itoa(s.edge.port))
	return s.aimEdge(ctx, target, target)
}

// aimEdge leads the edge link to its targets, where the chain has one.
func (s *Stack) aimEdge(ctx context.Context, main, control string) error {
	if s.edgeLink == nil {
		return nil
	}
	return s.edgeLink.aim(ctx, main, control, s.spec.Toxics[stack.EdgeLink])
}

// form is nginx with our configuration c or the user's. Only the user's leaves it
// to the command line to stay in the foreground.
func (e *edge) form(s *Stack, c nginxconf.Config) (form, error) {
	f := form{part: "nginx", image: s.images.Nginx, aliases: []string{"nginx"}, files: map[string][]byte{}}
	if e.own = s.own; e.own != nil {
		e.port = e.own.Port()
		f.files[nginxConf] = e.own.text
		f.cmd = []string{"nginx"}
		if !e.own.Daemon() {
			f.cmd = append(f.cmd, "-g", "daemon off;")
		}
	} else {
		data, err := c.Render()
		if err != nil {
			return f, err
		}
		f.files[nginxConf] = data
		f.cmd = []string{"nginx", "-c", nginxConf}
	}
	f.ports = []int{e.port}
	return f, nil
}

// config is our nginx.conf for the replicas that the chain has now.
func (s *Stack) config(generation int) nginxconf.Config {
	c := nginxconf.Config{Edge: s.spec.Edge, Listen: strconv.Itoa(nginxPort), Generation: generation,
		AccessLog: "/dev/stdout", ErrorLog: "/dev/stderr", Pid: "/tmp/nginx.pid", Temp: "/tmp"}
	for _, r := range s.living() {
		c.Upstreams = append(c.Upstreams, nginxconf.Upstream{Main: r.link.entrance().inside(r.link.port),
			Control: r.link.toxiproxy.inside(controlPort)})
	}
	return c
}

// awaitEdge waits until nginx answers, with the generation that it was given
// where the configuration is ours.
func (s *Stack) awaitEdge(ctx context.Context, e *edge) error {
	return chain.Await(ctx, e.box.part, e.box, s.spec.App.Start, func(ctx context.Context) (err error) {
		server, generation := "", strconv.Itoa(e.generation)
		addr := s.route.dial(e.box, e.port)
		if e.own != nil {
			server, err = knock(ctx, addr)
		} else {
			var a chain.Answer
			if a, err = chain.Ask(ctx, addr, nginxconf.ReadyPath); err == nil {
				server = a.Header.Get("Server")
				if a.Body != generation {
					err = fmt.Errorf("generation is %q, not yet %s", a.Body, generation)
				}
			}
		}
		if server != "" {
			e.version = strings.Replace(server, "/", " ", 1)
		}
		return err
	})
}

// Reload implements [stack.Reloader].
func (s *Stack) Reload(ctx context.Context) error {
	if s.edge == nil {
		return &stack.Unable{What: "reload the edge", Why: "this chain has none"}
	}
	return s.reconfigure(ctx)
}

// reconfigure gives nginx the replicas of now and has it read them. A user's
// configuration stays as it is: nginx resolves the app's name again, which then
// stands for all links.
func (s *Stack) reconfigure(ctx context.Context) error {
	e := s.edge
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.own == nil {
		e.generation++
		data, err := s.config(e.generation).Render()
		if err != nil {
			return err
		}
		if err := e.box.put(ctx, nginxConf, data); err != nil {
			return err
		}
	}
	old, err := e.workers(ctx)
	if err != nil {
		return fmt.Errorf("reload nginx: %w", err)
	}
	if _, err := s.d.ContainerKill(ctx, e.box.id, client.ContainerKillOptions{Signal: "HUP"}); err != nil {
		return fmt.Errorf("reload nginx: %w", err)
	}
	if err := s.awaitEdge(ctx, e); err != nil {
		return fmt.Errorf("reload nginx: %w", err)
	}
	if err := e.awaitRetired(ctx, old); err != nil {
		return fmt.Errorf("reload nginx: %w", err)
	}
	s.tell(stack.Event{At: s.spec.Now(), Source: record.ProcessSource, Kind: record.KindReload, Subject: "nginx", Pid: 1})
	return nil
}

// workers are the pids of nginx's workers that take connections.
func (e *edge) workers(ctx context.Context) (pids []int, err error) {
	ps, err := e.box.processes(ctx)
	for _, p := range ps {
		if strings.HasPrefix(p.Command, "nginx: worker process") && !strings.Contains(p.Command, "shutting down") {
			pids = append(pids, p.Pid)
		}
	}
	return pids, err
}

// awaitRetired waits until the old workers take no more connections: nginx lets
// them go on for 100 ms after the new ones have begun.
func (e *edge) awaitRetired(ctx context.Context, old []int) error {
	ctx, cancel := context.WithTimeout(ctx, reloadLimit)
	defer cancel()
	for {
		now, err := e.workers(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(old, func(pid int) bool { return slices.Contains(now, pid) }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("old workers %v still take connections: %w", old, ctx.Err())
		case <-time.After(pollPause):
		}
	}
}

// put writes a file into the box.
func (b *box) put(ctx context.Context, path string, data []byte) error {
	if err := b.ctr.CopyToContainer(ctx, data, path, 0o644); err != nil {
		return fmt.Errorf("write %s in %s: %w", path, b.part, err)
	}
	return nil
}
