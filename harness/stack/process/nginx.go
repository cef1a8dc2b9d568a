package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// Names of nginx's files in the log folder.
const (
	nginxConf      = "nginx.conf"
	nginxAccessLog = "nginx_access.log"
	nginxErrorLog  = "nginx_error.log"
	nginxOut       = "nginx.out"
	nginxFolder    = ".nginx" // temporary; removed by close
)

// nginxPart is what nginx is called in events and errors.
const nginxPart = "nginx"

// connsLimit is the most connections that one worker is given.
const connsLimit = 1 << 16

// An nginx is a running nginx.
type nginx struct {
	*chain.Nginx
	spec   *stack.Spec
	listen string // "127.0.0.1:port"
	proc   *process
}

// findNginx returns the binary, "" if there is none. Debian keeps it out of the
// PATH of ordinary users.
func findNginx(path string) string {
	if path == NoNginx {
		return ""
	}
	if path != "" {
		return path
	}
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	return ""
}

// startNginx starts nginx with a socket that listens already: nginx takes over
// the descriptors that its variable NGINX names, as it does when it replaces its
// own binary. So no port can be lost between choosing and binding it.
func startNginx(ctx context.Context, c *Stack, upstreams []nginxconf.Upstream) (*nginx, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for nginx: %w", err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listen for nginx: %w", err)
	}
	defer socket.Close()
	n := &nginx{spec: &c.spec, listen: l.Addr().String()}
	conf := nginxconf.Config{Edge: c.spec.Edge, Listen: n.listen, Host: c.remote.Host,
		AccessLog: n.file(nginxAccessLog), ErrorLog: n.file(nginxErrorLog),
		Pid: n.file(nginxFolder, "pid"), Temp: n.file(nginxFolder), Connections: connections()}
	if os.Geteuid() == 0 {
		conf.User = "root" // the default account could not spool into our folder
	}
	if err := os.MkdirAll(n.file(nginxFolder), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of nginx: %w", err)
	}
	n.Nginx = chain.NewNginx(n.spec, nginxPart, conf, nil)
	text, err := n.Text(upstreams)
	if err == nil {
		err = n.write(ctx, text)
	}
	if err != nil {
		return nil, err
	}
	n.proc, err = startProcess(command{Guard: c.opt.GuardCommand, Name: nginxPart,
		Log: n.file(nginxOut), Also: n.file(nginxErrorLog),
		Argv: []string{c.nginx, "-p", n.file(nginxFolder), "-c", n.file(nginxConf)},
		Env:  []string{"NGINX=3;"}, Sockets: []*os.File{socket}}, n.exited)
	if err != nil {
		return nil, fmt.Errorf("start nginx: %w", err)
	}
	n.tell(record.KindStart, n.proc.pid, 0, "")
	if err := n.Await(ctx, n.proc, n.listen, n.write); err != nil {
		n.close(ctx)
		return nil, err
	}
	return n, nil
}

// connections is worker_connections: as many as the limit on files allows.
func connections() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, connsLimit))
}

func (n *nginx) file(names ...string) string {
	return filepath.Join(append([]string{n.spec.LogDir}, names...)...)
}

func (n *nginx) tell(kind record.EventKind, pid, code int, text string) {
	chain.Tell(n.spec, nginxPart, kind, pid, code, text)
}

func (n *nginx) exited(pid int, s status) {
	n.tell(record.KindExit, pid, s.shell(), s.String())
}

// write puts a configuration to where nginx reads it.
func (n *nginx) write(_ context.Context, text []byte) error {
	if err := os.WriteFile(n.file(nginxConf), text, 0o644); err != nil {
		return fmt.Errorf("write nginx.conf: %w", err)
	}
	return nil
}

func (n *nginx) addr() string { return n.listen }

// close ends nginx at once: every stream is over, or is to end now.
func (n *nginx) close(ctx context.Context) error {
	if n.proc.running() {
		n.tell(record.KindStop, n.proc.pid, int(sigTerm), "SIGTERM")
	}
	err := n.proc.stop(ctx, n.proc.pid, sigTerm, n.spec.App.Grace)
	if err == nil {
		os.RemoveAll(n.file(nginxFolder))
	}
	return err
}
