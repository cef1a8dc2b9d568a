package container

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/stack"
)

const composeText = `
services:
  api:
    image: streamproof/fastapi:${SP_TEST_TAG:-dev}
    command: python3 serve.py
    environment: {WORKERS: 1, GREETING: "a $$ and ${SP_TEST_NONE-none}"}
    ports: ["127.0.0.1:8080:8000/tcp"]
    depends_on: {cache: {condition: service_healthy}, setup: {condition: service_completed_successfully}}
    deploy: {resources: {limits: {memory: 200M, cpus: "1.5", pids: 100}}}
    volumes: ["./data:/data:ro", "state:/var/lib/state"]
    shm_size: 32mb
  cache:
    image: busybox:1.35.0
    command: ["sh", "-c", "sleep 0.5; touch /tmp/ready; sleep 600"]
    healthcheck: {test: ["CMD", "test", "-f", "/tmp/ready"], interval: 1s}
    depends_on: [base]
  setup:
    image: busybox:1.35.0
    command: ["true"]
  base:
    image: busybox:1.35.0
    command: sleep 600
volumes: {state: {}}
`

const ownConf = `
events {}
http {
    access_log /dev/stdout;
    upstream chat { server api:8000; }
    server {
        listen 8081;
        location / {
            proxy_pass http://chat;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 17s;
        }
    }
}
`

func composeFixture(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "compose.yml")
	if err := os.WriteFile(path, []byte(composeText), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A service of a compose file becomes a form with its limits, and what it
// depends on comes first.
func TestComposePlan(t *testing.T) {
	requireDocker(t)
	path := composeFixture(t)
	d, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	spec := stack.Spec{App: stack.App{Compose: stack.Compose{File: path, Service: "api"}, Env: []string{"EXTRA=1"}}}
	p, err := d.plan(t.Context(), &spec, Images{})
	if err != nil {
		t.Fatal(err)
	}
	f := p.form
	if f.image != "streamproof/fastapi:dev" || p.port != 8000 || f.memory != 200<<20 || f.cpus != 1.5 || f.pids != 100 || f.shm != 32<<20 {
		t.Errorf("form: %+v, port %d", f, p.port)
	}
	if !slices.Equal(f.env, []string{"PORT=8000", "GREETING=a $ and none", "WORKERS=1", "EXTRA=1"}) {
		t.Errorf("environment: %q", f.env)
	}
	if want := filepath.Join(filepath.Dir(path), "data") + ":/data:ro"; !slices.Equal(f.binds, []string{want}) ||
		len(f.mounts) != 1 || f.mounts[0].Source != "state" ||
		f.mounts[0].Target != "/var/lib/state" || len(p.volumes) != 1 || p.volumes[0].name != "state" {
		t.Errorf("binds: %q, mounts %+v, volumes %+v", f.binds, f.mounts, p.volumes)
	}
	if len(p.helpers) != 3 || p.helpers[0].part != "helper base" || p.helpers[1].part != "helper cache" || p.helpers[2].part != "helper setup" || len(p.needs) != 2 {
		t.Errorf("helpers: %+v", p.helpers)
	}
}

const sharingText = `
services:
  api:
    image: streamproof/fastapi:dev
    command: python3 serve.py
    environment: {WORKERS: 1}
    expose: ["8000"]
    depends_on: {setup: {condition: service_completed_successfully}, flaky: {condition: service_healthy}}
    volumes: ["state:/state:ro", "tmp:/scratch", "/own"]
    tty: true
    stdin_open: true
    labels: {team: chat}
    dns: 10.0.0.1
    dns_search: chat.example
    mem_limit: 300m
    mem_reservation: 250m
    stop_grace_period: 0s
  setup:
    image: busybox:1.35.0
    command: ["sh", "-c", "echo ready >/state/word"]
    volumes: ["state:/state"]
  flaky:
    image: busybox:1.35.0
    command: ["sh", "-c", "test -f /state/once || { touch /state/once; exit 1; }; touch /state/again; sleep 600"]
    healthcheck: {test: ["CMD", "test", "-f", "/state/again"], interval: 1s, start_interval: 100ms, retries: 30}
    restart: on-failure
    volumes: [{type: volume, source: state, target: /state}]
volumes:
  state: {labels: {kept: "no"}}
  tmp: {driver: local, driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m"}}
`

// Services share the volumes that have a name, replicas as well, a helper is started again
// as its file says, and nothing of it is left.
func TestComposeSharesVolumes(t *testing.T) {
	t.Parallel()
	file := write(t, "compose.yml", sharingText)
	s, _ := open(t, stack.Spec{App: stack.App{Compose: stack.Compose{File: file, Service: "api"}, Health: "/healthz"},
		Omit: edgeLink, Replicas: 2})
	rs := s.living()
	for _, r := range rs {
		if out, err := r.exec(t.Context(), "cat", "/state/word"); err != nil || strings.TrimSpace(out) != "ready" {
			t.Errorf("%s reads %q, %v", r.name, out, err)
		}
		if out, err := r.exec(t.Context(), "sh", "-c", "echo x >/state/mine"); err == nil {
			t.Errorf("%s writes where it may read only: %q", r.name, out)
		}
	}
	if _, err := rs[0].exec(t.Context(), "sh", "-c", "echo hello >/scratch/word && echo mine >/own/word"); err != nil {
		t.Error(err)
	}
	if out, err := rs[1].exec(t.Context(), "sh", "-c",
		"cat /scratch/word; df -k /scratch | tail -1; ls /own"); err != nil ||
		!strings.HasPrefix(out, "hello\ntmpfs") || !strings.Contains(out, " 1024 ") || strings.Contains(out, "word\n") {
		t.Errorf("the other replica sees %q, %v", out, err)
	}
	if tail := strings.Join(rs[0].Tail(t.Context()), "\n"); !strings.Contains(tail, "[INFO]") || strings.Contains(tail,
		"\r") {
		t.Errorf("log of a terminal: %q", tail)
	}
	c, err := rs[0].inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h := c.HostConfig; c.Config.Labels["team"] != "chat" || c.Config.Labels[label] != s.id || len(h.DNS) != 1 ||
		!slices.Equal(h.DNSSearch, []string{"chat.example"}) || h.MemoryReservation != 250<<20 {
		t.Errorf("labels %v, host %+v", c.Config.Labels, h)
	}
	if err := errors.Join(s.Squeeze(t.Context(), rs[0].name, 200<<20), s.Squeeze(t.Context(), rs[0].name, 0)); err != nil {
		t.Errorf("a limit below what is reserved: %v", err)
	}
	began := time.Now()
	if err := s.Stop(t.Context(), rs[0].name, 0); err != nil || time.Since(began) > 8*time.Second {
		t.Errorf("a stop without grace took %v: %v", time.Since(began), err)
	}
}

// The user's own service runs behind the user's own nginx.conf, which finds the
// links under the service's name: every replica is used, and faults bite.
func TestComposeBehindOwnNginxConf(t *testing.T) {
	t.Parallel()
	s, _ := open(t, stack.Spec{App: stack.App{Compose: stack.Compose{File: composeFixture(t), Service: "api"}, Health: "/healthz"},
		Edge: stack.Edge{NginxConf: write(t, "nginx.conf", ownConf)}, Replicas: 2})
	if _, body, err := ask(t, hop(t, s, "edge"), false, "/chat?events=3&gap=1ms", nil); err != nil || !strings.HasSuffix(body, "[DONE]\n\n") {
		t.Errorf("through the chain: %v %q", err, body)
	}
	if v := s.Versions()["nginx"]; !strings.HasPrefix(v, "1.") {
		t.Errorf("version of the user's nginx: %q", v)
	}
	var nginx, app stack.Layer
	for _, l := range s.Layers() {
		switch l.Name {
		case "nginx":
			nginx = l
		case "app":
			app = l
		}
	}
	if nginx.Settings["proxy_read_timeout"] != "17s" || app.Settings["container.memory"] != "200 MiB" || app.Settings["gunicorn.timeout"] != "30" {
		t.Errorf("layers: %v %v", nginx, app)
	}
	for _, l := range s.Links()[1:] {
		if err := l.Add(t.Context(), stack.Latency(600*time.Millisecond, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		began := time.Now()
		res, body, err := ask(t, hop(t, s, "edge"), false, "/healthz", nil)
		if err != nil || body != "ok" || time.Since(began) < 600*time.Millisecond {
			t.Errorf("the fault did not bite: %+v %q %v after %v", res, body, err, time.Since(began))
		}
	}
}

// A folder with a Dockerfile is built, under the same name every time.
func TestBuildFolder(t *testing.T) {
	t.Parallel()
	requireDocker(t)
	folder := t.TempDir()
	dockerfile := "FROM streamproof/origin:dev\nENV X=1\nENTRYPOINT [\"/origin\", \"--listen\", \"0.0.0.0:8000\"]\n"
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	name := recipe{folder: folder, dockerfile: "Dockerfile"}.name()
	t.Cleanup(func() { removeImage(t, name) })
	s, _ := open(t, stack.Spec{App: stack.App{Build: folder, Health: "/healthz"}, Omit: edgeLink})
	if s.plan.form.image != name {
		t.Errorf("built %s, want %s", s.plan.form.image, name)
	}
	if _, body, err := ask(t, hop(t, s, "app"), false, "/healthz", nil); err != nil || body != "ok" {
		t.Errorf("%v %q", err, body)
	}
	closeStack(t, s)
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("FROM streamproof/origin:dev\nRUN exit 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{}).Open(t.Context(), stack.Spec{App: stack.App{Build: folder}, LogDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "exit 3") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a build that fails: %v", err)
	}
}

func removeImage(t *testing.T, name string) {
	d, err := connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
		t.Error(err)
	}
}
