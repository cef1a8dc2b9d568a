package container

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/stack"
)

// write makes a file in a new folder.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Whatever cannot come up is said in one line that names the reason, and leaves
// nothing behind.
func TestOpenSaysWhyNot(t *testing.T) {
	requireDocker(t)
	streaming := stack.Edge{Form: stack.EdgeStreaming}
	sleeper := fastapi()
	sleeper.Image, sleeper.Health, sleeper.Start = "busybox:1.35.0", "/healthz", 2*time.Second
	origin := originSpec().App
	unhealthy, wrongPort := origin, origin
	unhealthy.Health, unhealthy.Start = "/none", 3*time.Second
	wrongPort.Port, wrongPort.Start = 9000, 3*time.Second
	wrongPort.Origin = &stack.Origin{Args: []string{"--listen", "0.0.0.0:8000"}}
	tight := fastapi("WORKERS=2")
	tight.Memory, tight.Start = 8<<20, 6*time.Second
	compose := write(t, "compose.yml", "services:\n  api: {image: streamproof/fastapi:dev}\n  db: {image: 'busybox:1.35.0'}\n")
	failing := write(t, "compose.yml", "services:\n  api: {image: streamproof/fastapi:dev, depends_on: {setup: {condition: service_completed_successfully}}}\n"+
		"  setup: {image: 'busybox:1.35.0', command: [sh, -c, 'echo no database; exit 3']}\n")
	ailing := write(t, "compose.yml", "services:\n  api: {image: streamproof/fastapi:dev, depends_on: {db: {condition: service_healthy}}}\n"+
		"  db: {image: 'busybox:1.35.0', command: [sleep, '600'], healthcheck: {test: [CMD, 'false'], interval: 1s, timeout: 1s, retries: 1}}\n")
	absent := write(t, "compose.yml", "services:\n  api: {image: 'busybox:1.35.0', command: [uvicorn, app]}\n")
	cases := map[string]struct {
		spec stack.Spec
		want []string
		tail bool
	}{
		"command":      {stack.Spec{App: stack.App{Command: []string{"x"}}}, []string{"run a command", "containers only"}, false},
		"url":          {stack.Spec{App: stack.App{URL: "http://127.0.0.1:1"}}, []string{"attach"}, false},
		"no app":       {stack.Spec{}, []string{"one of origin, image, build and compose"}, false},
		"no image":     {stack.Spec{App: stack.App{Image: "streamproof/none:1"}}, []string{"streamproof/none:1", "make images"}, false},
		"no folder":    {stack.Spec{App: stack.App{Build: "testdata/none"}}, []string{"testdata/none", "no such file"}, false},
		"dies":         {stack.Spec{App: sleeper, Edge: streaming}, []string{"app[0]", "ended before it was healthy", "exit code 0"}, false},
		"unhealthy":    {stack.Spec{App: unhealthy}, []string{"not healthy after 3s", "status 404"}, true},
		"wrong port":   {stack.Spec{App: wrongPort}, []string{"refused", "it listens on 8000"}, true},
		"tight":        {stack.Spec{App: tight}, []string{"memory", "limit of 8 MiB", "too small to start"}, false},
		"bad setting":  {stack.Spec{App: fastapi("BREAK=nonsense")}, []string{"ended before it was healthy"}, true},
		"no service":   {stack.Spec{App: stack.App{Compose: stack.Compose{File: compose, Service: "web"}}}, []string{`no service "web"`, "api, db"}, false},
		"setup fails":  {stack.Spec{App: stack.App{Compose: stack.Compose{File: failing, Service: "api"}}}, []string{"helper setup", "exit code 3"}, true},
		"never well":   {stack.Spec{App: stack.App{Compose: stack.Compose{File: ailing, Service: "api"}}}, []string{"helper db", "not healthy after 2s"}, false},
		"no program":   {stack.Spec{App: stack.App{Compose: stack.Compose{File: absent, Service: "api"}}}, []string{`start app[0]: exec: "uvicorn": executable file not found in $PATH`}, false},
		"no compose":   {stack.Spec{App: stack.App{Compose: stack.Compose{File: "none.yml", Service: "web"}}}, []string{"none.yml", "no such file"}, false},
		"torn conf":    {stack.Spec{App: origin, Edge: stack.Edge{NginxConf: write(t, "nginx.conf", "events {}\nhttp { server { listen 80;\n")}}, []string{"nginx.conf", "}"}, false},
		"unknown word": {stack.Spec{App: origin, Edge: stack.Edge{NginxConf: write(t, "nginx.conf", "events {}\nhttp {\n  proxy_bufering off;\n}\n")}}, []string{"proxy_bufering", "nginx.conf:3"}, true},
		"bad toxic":    {stack.Spec{App: origin, Toxics: map[string][]stack.Toxic{stack.EdgeLink: {{Name: "x", Type: "y", Direction: stack.Upstream}}}}, []string{"unknown type"}, false},
	}
	leavesNothing(t, func(t *testing.T) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // they mostly wait
				c.spec.LogDir, c.spec.Omit = t.TempDir(), edgeLink
				st, err := New(Options{}).Open(t.Context(), c.spec)
				if err == nil {
					closeStack(t, st.(*Stack))
					t.Fatal("opened")
				}
				for _, w := range c.want {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("error lacks %q: %v", w, err)
					}
				}
				for _, noise := range []string{"shim", "OCI", "runc", "daemon", "container app[0]"} {
					if strings.Contains(err.Error(), noise) {
						t.Errorf("error names %s: %v", noise, err)
					}
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("more than one line: %v", err)
				}
				var start *stack.StartError
				if c.tail && (!errors.As(err, &start) || len(start.Tail) == 0) {
					t.Errorf("no last log lines: %#v", err)
				}
			})
		}
	})
}

// stacks lists all containers and networks of this process.
func stacks(t *testing.T) []string {
	t.Helper()
	d, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var ids []string
	_, err = d.sweep(t.Context(), func(l map[string]string) bool {
		if l[labelPid] == text(os.Getpid()) {
			ids = append(ids, l[label]+" "+l[labelPart])
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// A daemon that is not there is told at once, as an Absent. (DOCKER_HOST alone
// would not do: testcontainers-go goes on to the usual socket.)
func TestNoDocker(t *testing.T) {
	_, err := connect(t.Context(), client.WithHost("unix://"+filepath.Join(t.TempDir(), "none.sock")))
	var absent *Absent
	if !errors.As(err, &absent) || !strings.HasPrefix(err.Error(), "reach docker: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error: %v", err)
	}
}

// An image of which no registry knows is refused after one try, with what was
// tried.
func TestImageThatCannotBePulled(t *testing.T) {
	requireDocker(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // a registry that hangs up
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	defer l.Close()
	app := stack.App{Image: l.Addr().String() + "/acme/chat:1"}
	_, err = New(Options{}).Open(t.Context(), stack.Spec{App: app, LogDir: t.TempDir()})
	var missing *ImageError
	if !errors.As(err, &missing) || len(missing.Tried) != 2 || !strings.Contains(err.Error(), "pull failed") {
		t.Errorf("error: %v", err)
	}
}
