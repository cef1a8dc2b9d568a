package local

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

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

// nginxLimit bounds a start or a reload of nginx.
const nginxLimit = 10 * time.Second

// connsLimit is the most connections that one worker is given.
const connsLimit = 1 << 16

// An nginx is a running nginx with its configuration.
type nginx struct {
	spec *stack.Spec
	conf nginxconf.Config
	path string
	proc *process
	// version of the binary: it decides what holds where the configuration is
	// silent.
	version string
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

// nginxVersion asks the binary: "nginx version: nginx/1.22.1".
func nginxVersion(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, nginxLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-v").CombinedOutput()
	if _, version, ok := strings.Cut(strings.TrimSpace(string(out)), "nginx/"); ok && err == nil {
		return version
	}
	return "of unknown version"
}

// startNginx starts nginx with a socket that listens already: nginx takes over
// the descriptors that its variable NGINX names, as it does when it replaces its
// own binary. So no port can be lost between choosing and binding it.
func startNginx(ctx context.Context, c *Stack, upstreams []nginxconf.Upstream) (*nginx, error) {
	n := &nginx{spec: &c.spec, path: c.nginx, version: nginxVersion(ctx, c.nginx)}
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
	n.conf = nginxconf.Config{Edge: c.spec.Edge, Listen: l.Addr().String(), Host: c.remote.Host,
		AccessLog: n.file(nginxAccessLog), ErrorLog: n.file(nginxErrorLog),
		Pid: n.file(nginxFolder, "pid"), Temp: n.file(nginxFolder), Connections: connections()}
	if os.Geteuid() == 0 {
		n.conf.User = "root" // the default account could not spool into our folder
	}
	if err := os.MkdirAll(n.file(nginxFolder), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of nginx: %w", err)
	}
	if err := n.write(upstreams); err != nil {
		return nil, err
	}
	n.proc, err = startProcess(command{Guard: c.opt.GuardCommand, Name: "nginx", Log: n.file(nginxOut), Also: n.file(nginxErrorLog),
		Argv: []string{n.path, "-p", n.file(nginxFolder), "-c", n.file(nginxConf)},
		Env:  []string{"NGINX=3;"}, Sockets: []*os.File{socket}}, n.exited)
	if err != nil {
		return nil, fmt.Errorf("start nginx: %w", err)
	}
	n.tell(record.KindStart, n.proc.Pid, 0, "")
	if err := n.await(ctx); err != nil {
		n.close(ctx)
		return nil, err
	}
	n.tell(record.KindReady, n.proc.Pid, 0, "")
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
	n.spec.Notify(stack.Event{At: n.spec.Now(), Source: record.ProcessSource, Kind: kind, Subject: "nginx",
		Pid: pid, Code: code, Text: text})
}

func (n *nginx) exited(pid int, s status) {
	code := s.Code
	if s.Signal != 0 {
		code = 128 + s.Signal
	}
	n.tell(record.KindExit, pid, code, s.String())
}

// write renders the next generation of the configuration.
func (n *nginx) write(upstreams []nginxconf.Upstream) error {
	n.conf.Upstreams = upstreams
	n.conf.Generation++
	b, err := n.conf.Render()
	if err != nil {
		return err
	}
	if err := os.WriteFile(n.file(nginxConf), b, 0o644); err != nil {
		return fmt.Errorf("write nginx.conf: %w", err)
	}
	return nil
}

// await returns when nginx answers with the generation that was written last.
func (n *nginx) await(ctx context.Context) error {
	return chain.Await(ctx, "nginx", n.proc, nginxLimit, func(ctx context.Context) error {
		got, err := chain.Ask(ctx, n.addr(), nginxconf.ReadyPath)
		if err == nil && got.Body != strconv.Itoa(n.conf.Generation) {
			return fmt.Errorf("generation is %q, not yet %d", got.Body, n.conf.Generation)
		}
		return err
	})
}

func (n *nginx) addr() string { return n.conf.Listen }

func (n *nginx) what() string { return "nginx, form " + string(n.conf.Form) }

// route reloads nginx. Streams in flight stay with the old workers, which end
// when their last stream has.
func (n *nginx) route(ctx context.Context, upstreams []nginxconf.Upstream) error {
	if err := n.write(upstreams); err != nil {
		return err
	}
	old, _ := stack.Children(n.proc.Pid)
	if err := n.proc.signal(n.proc.Pid, syscall.SIGHUP); err != nil {
		return err
	}
	n.tell(record.KindReload, n.proc.Pid, int(syscall.SIGHUP), "SIGHUP, generation "+strconv.Itoa(n.conf.Generation))
	if err := n.await(ctx); err != nil {
		return err
	}
	return n.awaitRetired(ctx, old)
}

// awaitRetired waits until the old workers take no more connections: nginx lets
// them go on for 100 ms after the new ones have begun.
func (n *nginx) awaitRetired(ctx context.Context, old []int) error {
	ctx, cancel := context.WithTimeout(ctx, nginxLimit)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("reload nginx: old workers %v still take connections: %w", old, ctx.Err())
		case <-time.After(5 * time.Millisecond): // and a moment for the last accept
		}
		if old = slices.DeleteFunc(old, retired); len(old) == 0 {
			return nil
		}
	}
}

// close ends nginx at once: every stream is over, or is to end now.
func (n *nginx) close(ctx context.Context) error {
	if n.proc.running() {
		n.tell(record.KindStop, n.proc.Pid, int(sigTerm), "SIGTERM")
	}
	err := n.proc.stop(ctx, n.proc.Pid, sigTerm, n.spec.App.Grace)
	if err == nil {
		os.RemoveAll(n.file(nginxFolder))
	}
	return err
}
