package container

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

const (
	nginxPort = 80
	nginxConf = "/etc/nginx/nginx.conf"
	nginxPart = "nginx"
)

// An edge is the nginx of the chain.
type edge struct {
	*chain.Nginx
	box  *box
	port int
}

// startEdge starts nginx, if the chain has one, and leads the edge link to it.
func (s *Stack) startEdge(ctx context.Context) error {
	if s.spec.Edge.Form == stack.EdgeNone && s.own == nil {
		l := s.living()[0].link
		return s.aimEdge(ctx, net.JoinHostPort(hostname(l.name), strconv.Itoa(l.port)),
			net.JoinHostPort(hostname(l.toxiproxy.aliases[0]), strconv.Itoa(controlPort)))
	}
	e, f, err := s.newEdge(&s.spec, nginxPart, s.Upstreams())
	if err != nil {
		return err
	}
	if e.box, err = s.begin(ctx, f); err != nil {
		return err
	}
	s.follow(e.box, stack.Log{Name: "nginx_access.log", Kind: record.NginxAccess},
		stack.Log{Name: "nginx_error.log", Kind: record.NginxError})
	if err := s.awaitEdge(ctx, e); err != nil {
		return err
	}
	s.Edge, s.EdgeAt = e.Nginx, func() chain.Entrance { return s.entrance(e.box, e.port) }
	target := net.JoinHostPort(nginxPart, strconv.Itoa(e.port))
	return s.aimEdge(ctx, target, target)
}

// aimEdge leads the edge link to its targets, where the chain has one.
func (s *Stack) aimEdge(ctx context.Context, main, control string) error {
	l, ok := s.EdgeLink.(*link)
	if !ok {
		return nil
	}
	return l.aim(ctx, main, control, s.spec.Toxics[stack.EdgeLink])
}

// newEdge is an nginx to be, and the form of its box. Only the user's configuration
// leaves it to the command line to stay in the foreground.
func (s *Stack) newEdge(spec *stack.Spec, name string, ups []nginxconf.Upstream) (*edge, form, error) {
	e := &edge{port: nginxPort, Nginx: chain.NewNginx(spec, name, nginxconf.Config{
		Edge: spec.Edge, Listen: strconv.Itoa(nginxPort),
		AccessLog: "/dev/stdout", ErrorLog: "/dev/stderr", Pid: "/tmp/nginx.pid", Temp: "/tmp"}, s.own)}
	f := form{part: name, image: s.images.Nginx, aliases: []string{hostname(name)}}
	text, err := e.Text(ups)
	f.files = map[string][]byte{nginxConf: text}
	switch {
	case s.own == nil:
		f.cmd = []string{"nginx", "-c", nginxConf}
	case s.own.Daemon():
		e.port, f.cmd = s.own.Port(), []string{"nginx"}
	default:
		e.port, f.cmd = s.own.Port(), []string{"nginx", "-g", "daemon off;"}
	}
	f.ports = []int{e.port}
	return e, f, err
}

func (s *Stack) awaitEdge(ctx context.Context, e *edge) error {
	return e.Await(ctx, e.box, s.route.dial(e.box, e.port), func(ctx context.Context, text []byte) error {
		return e.box.put(ctx, nginxConf, text)
	})
}

// put writes a file into the box.
func (b *box) put(ctx context.Context, path string, data []byte) error {
	if err := b.ctr.CopyToContainer(ctx, data, path, 0o644); err != nil {
		return fmt.Errorf("write %s in %s: %w", path, b.part, err)
	}
	return nil
}
