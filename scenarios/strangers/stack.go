//go:build linux

package strangers

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed testdata/apps
var apps embed.FS

// startLimit is how long a stack may take until it answers.
const startLimit = 40 * time.Second

// A Spec is one stack: a server behind an edge, and what each was told.
type Spec struct {
	Server, Edge string
	App          map[string]string // variables of the app, see testdata/apps/script.py
	Workers      int
	Threads      int
	Args         []string // more arguments of the app server
	Terminate    string   // request_terminate_timeout of PHP-FPM
	Replicas     int
	BadReplica   bool // only the last replica has the app's BUG
	Options      EdgeOptions

	server *Server
	edge   *Edge
	built  *programs
}

// String names the stack as a table does.
func (s *Spec) String() string { return s.Server + " behind " + s.Edge }

// Lacks says what of the stack this machine has not, "" for nothing.
func (s *Spec) Lacks() string {
	return lacks(slices.Concat(ServerNamed(s.Server).Needs, EdgeNamed(s.Edge).Needs))
}

// A Stack is a running [Spec].
type Stack struct {
	Spec   *Spec
	URL    string            // of the edge, without a path
	Direct string            // of the app, "" where it speaks no HTTP
	Logs   map[string]string // kind → file
	Port   int               // that URL has

	dir string

	mu        sync.Mutex // guards processes
	processes []*process // the apps first
}

// Start runs a stack and waits until it answers through its edge.
func Start(ctx context.Context, spec Spec) (*Stack, error) {
	spec.server, spec.edge = ServerNamed(spec.Server), EdgeNamed(spec.Edge)
	built, err := build()
	if err != nil {
		return nil, err
	}
	spec.built = built
	dir, err := os.MkdirTemp("", "strangers-")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", &spec, err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the workers of a proxy may be somebody else
		return nil, fmt.Errorf("start %s: %w", &spec, err)
	}
	s := &Stack{Spec: &spec, Logs: map[string]string{}, dir: dir}
	live.Store(s, true)
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := s.start(ctx); err != nil {
		tail := s.tails()
		return nil, errors.Join(fmt.Errorf("start %s: %w\n%s", &spec, err, tail), s.Close())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	if err := s.copyApps(); err != nil {
		return err
	}
	var ports []int
	for i := range max(s.Spec.Replicas, 1) {
		p, err := s.startApp(i)
		if err != nil {
			return err
		}
		ports = append(ports, p)
	}
	s.Port = ports[0]
	if !s.Spec.server.FastCGI {
		s.Direct = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	}
	if s.Spec.edge.write != nil {
		if err := s.startEdge(ctx, ports); err != nil {
			return err
		}
	}
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", s.Port)
	for _, p := range ports[1:] {
		if err := s.answers(ctx, fmt.Sprintf("http://127.0.0.1:%d", p)); err != nil {
			return err
		}
	}
	return s.answers(ctx, s.URL)
}

func (s *Stack) startApp(i int) (int, error) {
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	env := []string{fmt.Sprintf("PORT=%d", port)}
	for k, v := range s.Spec.App {
		if k == "BUG" && s.Spec.BadReplica && i != max(s.Spec.Replicas, 1)-1 {
			continue
		}
		env = append(env, k+"="+v)
	}
	if s.Spec.server.files != nil {
		if err := s.write(s.Spec.server.files(s.Spec, port, s.dir)); err != nil {
			return 0, err
		}
	}
	s.Logs[s.Spec.server.Log] = filepath.Join(s.dir, "app.log")
	return port, s.run("app.log", env, s.Spec.server.argv(s.Spec, port, s.dir))
}

func (s *Stack) startEdge(ctx context.Context, ports []int) error {
	listen, err := freePort()
	if err != nil {
		return err
	}
	s.Port = listen
	files, commands := s.Spec.edge.write(s.Spec, &wiring{dir: s.dir, listen: listen, apps: ports})
	if err := s.write(files); err != nil {
		return err
	}
	if s.Direct != "" { // HAProxy and others would call an app that is not up yet dead
		if err := s.answers(ctx, s.Direct); err != nil {
			return err
		}
	}
	for i, c := range commands {
		if i > 0 { // what reads the edge's log needs the edge
			if err := s.answers(ctx, fmt.Sprintf("http://127.0.0.1:%d", listen)); err != nil {
				return err
			}
		}
		if err := s.run("edge.log", nil, c); err != nil {
			return err
		}
	}
	for kind, file := range s.Spec.edge.Logs {
		s.Logs[kind] = filepath.Join(s.dir, file)
	}
	return nil
}

func (s *Stack) run(log string, env, argv []string) error {
	p, err := startProcess(s.dir, log, env, argv)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes = append(s.processes, p)
	return nil
}

// all are the processes so far; Close may come while a stack still starts.
func (s *Stack) all() []*process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.processes)
}

func (s *Stack) write(files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyApps puts the sources where the servers run.
func (s *Stack) copyApps() error {
	from, err := fs.Sub(apps, "testdata/apps")
	if err != nil {
		return err
	}
	return os.CopyFS(s.dir, from)
}

// answers waits until a URL says that it is well.
func (s *Stack) answers(ctx context.Context, url string) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	err := until(ctx, func() bool {
		if slices.ContainsFunc(s.all(), (*process).over) {
			return true
		}
		r, err := client.Get(url + "/health")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	for _, p := range s.all() {
		if p.over() {
			return fmt.Errorf("%s ended", p.name)
		}
	}
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", url, err)
	}
	return nil
}

// App is the process of the first app; its children are what a manager started.
func (s *Stack) App() int { return s.all()[0].cmd.Process.Pid }

// Close ends all processes, the edge first, and says what is left of them.
func (s *Stack) Close() error {
	defer live.Delete(s)
	var wait sync.WaitGroup
	for _, p := range slices.Backward(s.all()) {
		wait.Go(p.close)
	}
	wait.Wait()
	var left []string
	for range 50 {
		if left = leaked(s.dir); len(left) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(left) > 0 {
		return fmt.Errorf("close %s: still running: %s", s.Spec, strings.Join(left, "; "))
	}
	return os.RemoveAll(s.dir)
}

// live are the stacks that have not been closed.
var live sync.Map

// CloseAll closes whatever still runs, for a test that is interrupted.
func CloseAll() {
	var wait sync.WaitGroup
	live.Range(func(s, _ any) bool {
		wait.Go(func() { s.(*Stack).Close() })
		return true
	})
	wait.Wait()
}

// tails are the last words of all logs, for an error.
func (s *Stack) tails() string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.log"))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if len(text) > 1500 {
			text = text[len(text)-1500:]
		}
		fmt.Fprintf(&b, "%s: %s\n", filepath.Base(f), text)
	}
	return b.String()
}

// KeepLogs copies logs and configuration beside a run, for whoever reads it.
func (s *Stack) KeepLogs(to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("keep logs: %w", err)
	}
	for _, pattern := range []string{"*.log", "*.conf", "*.cfg", "*.vcl", "Caddyfile"} {
		files, _ := filepath.Glob(filepath.Join(s.dir, pattern))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err == nil {
				err = os.WriteFile(filepath.Join(to, filepath.Base(f)), text, 0o644)
			}
			if err != nil {
				return fmt.Errorf("keep logs: %w", err)
			}
		}
	}
	return nil
}

// programs are what has to be compiled, once for all stacks.
type programs struct{ dir, server, proxy, java, streamproof string }

// build compiles the Go and Java apps and streamproof itself.
var build = sync.OnceValues(func() (*programs, error) {
	dir, err := os.MkdirTemp("", "strangers-built-")
	if err != nil {
		return nil, fmt.Errorf("build apps: %w", err)
	}
	p := &programs{dir: dir, server: dir + "/server", proxy: dir + "/proxy", java: dir, streamproof: dir + "/streamproof"}
	from, err := fs.Sub(apps, "testdata/apps")
	if err == nil {
		err = os.CopyFS(dir+"/src", from)
	}
	if err != nil {
		return nil, fmt.Errorf("build apps: %w", err)
	}
	commands := [][]string{
		{"go", "build", "-o", p.server, dir + "/src/server/main.go"},
		{"go", "build", "-o", p.proxy, dir + "/src/proxy/main.go"},
		{"go", "build", "-o", p.streamproof, "github.com/streamproof/streamproof/cmd/streamproof"},
	}
	if lacks([]string{"javac"}) == "" {
		commands = append(commands, []string{"javac", "-d", dir, dir + "/src/Server.java"})
	}
	for _, c := range commands {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build apps: %s: %w\n%s", strings.Join(c, " "), err, out)
		}
	}
	return p, nil
})

// Cleanup removes what was built; a TestMain calls it last.
func Cleanup() {
	if p, err := build(); err == nil {
		os.RemoveAll(p.dir)
	}
}

// kinds are the logs of a stack in order.
func (s *Stack) kinds() []string { return slices.Sorted(maps.Keys(s.Logs)) }
