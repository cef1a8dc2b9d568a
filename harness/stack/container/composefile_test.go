package container

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// folder writes files and returns where they lie.
func folder(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// formOf is the form of service web of compose.yml among the files, and of what it
// depends on. Nothing of it is built, so that there is no daemon.
func formOf(t *testing.T, texts map[string]string) (app form, file *composition) {
	t.Helper()
	file, err := readCompose(t.Context(), stack.Compose{File: filepath.Join(folder(t, texts), "compose.yml"), Service: "web"})
	if err != nil {
		t.Fatal(err)
	}
	s := file.Project.Services["web"]
	if app, err = (*daemon)(nil).service(t.Context(), file, &s); err != nil {
		t.Fatal(err)
	}
	return app, file
}

// TestComposeIsReadAsComposeDoes holds what becomes of a file to what the documentation
// of Compose says of it.
func TestComposeIsReadAsComposeDoes(t *testing.T) {
	t.Setenv("SP_SHELL", "from the shell")
	t.Setenv("SP_EMPTY", "")
	t.Setenv("SP_OVER", "shell")
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  func(f form) []string // what is wrong
	}{
		{".env beside the file", map[string]string{
			"compose.yml": "services: {web: {image: 'acme/web:${TAG}', environment: {A: '${SP_OVER}', B: '$${TAG}'}}}",
			".env":        "TAG=1.2\nSP_OVER=file\n"}, environment("acme/web:1.2", "A=shell", "B=${TAG}")},
		{"every form of a variable", map[string]string{
			"compose.yml": "services: {web: {image: a, environment: {A: '${NO_SP:-d}', B: '${SP_EMPTY-d}', C: '${SP_EMPTY:-d}', D: '${SP_SHELL:+yes}', E: '${NO_SP:+yes}', " +
				"F: '${NO_SP:-${NO_SP2:-in}}', G: '${SP_SHELL:?needed}', H: '${SP_EMPTY+set}'}}}"},
			environment("a", "A=d", "B=", "C=d", "D=yes", "E=", "F=in", "G=from the shell", "H=set")},
		{"names without a value", map[string]string{
			"compose.yml": "services: {web: {image: a, environment: [SP_SHELL, NO_SP, PLAIN=1]}}"}, environment("a", "PLAIN=1", "SP_SHELL=from the shell")},
		{"null for a value", map[string]string{
			"compose.yml": "services: {web: {image: a, environment: {SP_SHELL: , NO_SP: }}}"}, environment("a", "SP_SHELL=from the shell")},
		{"env files, in short and in long", map[string]string{
			"compose.yml": "services: {web: {image: a, env_file: [one.env, {path: two.env}, {path: absent.env, required: false}], environment: {C: here}}}",
			"one.env":     "# a comment\nA=\"hello there\"\nexport B=3\nC=file\n", "two.env": "B='4 5'\nD=$A and ${B}\n"},
			environment("a", "A=hello there", "B=4 5", "C=here", "D=hello there and 4 5")},
		{"extends, in one file and in another", map[string]string{
			"compose.yml": "services: {web: {extends: {file: base.yml, service: base}, environment: {B: two}}}",
			"base.yml":    "services: {root: {image: acme/base, command: [serve, --fast]}, base: {extends: root, environment: {A: one, B: one}}}"},
			environment("acme/base", "A=one", "B=two")},
		{"include", map[string]string{
			"compose.yml":   "include: [more/part.yml]\nservices: {web: {image: a, depends_on: [store]}}",
			"more/part.yml": "services: {store: {image: 'acme/store:${TAG}'}}", "more/.env": "TAG=9\n"}, environment("a")},
		{"anchors and merges", map[string]string{
			"compose.yml": "x-env: &env {A: '1', B: '1'}\nservices: {web: {image: a, environment: {<<: *env, B: '2'}}}"}, environment("a", "A=1", "B=2")},
		{"volumes, in short and in long", map[string]string{
			"compose.yml": "services: {web: {image: a, tmpfs: /t:size=1m, volumes: [./data:/a:ro, 'named:/b:ro,nocopy', /c, " +
				"{type: bind, source: ./data, target: /d, read_only: true, bind: {selinux: z, propagation: rslave}}, ./data:/g, " +
				"{type: tmpfs, target: /e, read_only: true, tmpfs: {size: 1024, mode: 0o1777}}, {type: volume, source: named, " +
				"target: /f}]}}\nvolumes: {named: {}}",
			"data/.keep": ""}, volumesAre},
		{"limits, in numbers and in words", map[string]string{
			"compose.yml": "services: {web: {image: a, mem_limit: 1073741824, cpus: '0.3', shm_size: 64m, deploy: {replicas: 2, resources: {limits: {memory: 1G, pids: 7, cpus: '0.3'}}}}}"},
			func(f form) (bad []string) {
				if f.memory != 1<<30 || f.cpus != 0.3 || f.pids != 7 || f.shm != 64<<20 {
					bad = append(bad, "limits")
				}
				return bad
			}},
		{"commands", map[string]string{
			"compose.yml": "services: {web: {image: a, entrypoint: sh -c, command: \"'exec serve  --name \\\"my app\\\"'\"}}"},
			func(f form) (bad []string) {
				if !slices.Equal(f.entrypoint, []string{"sh", "-c"}) || !slices.Equal(f.cmd, []string{`exec serve  --name "my app"`}) {
					bad = append(bad, strings.Join(append(f.entrypoint, f.cmd...), "|"))
				}
				return bad
			}},
		{"a command of the image", map[string]string{"compose.yml": "services: {web: {image: a, command: }}"},
			func(f form) (bad []string) {
				if f.cmd != nil {
					bad = append(bad, "a command")
				}
				return bad
			}},
		{"what Docker takes as it stands", map[string]string{
			"compose.yml": "services: {web: {image: a, init: true, read_only: true, cap_drop: [ALL], ulimits: {nofile: 65536, nproc: {soft: 1, hard: 2}}, " +
				"extra_hosts: ['host.docker.internal:host-gateway'], sysctls: {net.core.somaxconn: 1024}, stop_signal: SIGINT, hostname: me}}"},
			func(f form) (bad []string) {
				var h container.HostConfig
				f.host(&h)
				if h.Init == nil || !*h.Init || !h.ReadonlyRootfs || !slices.Equal(h.CapDrop, []string{"ALL"}) || h.Sysctls["net.core.somaxconn"] != "1024" {
					bad = append(bad, "host settings")
				}
				if len(h.Ulimits) != 2 || h.Ulimits[0].Soft != 65536 || h.Ulimits[0].Hard != 65536 || h.Ulimits[1].Hard != 2 {
					bad = append(bad, "ulimits")
				}
				if !slices.Equal(h.ExtraHosts, []string{"host.docker.internal:host-gateway"}) || f.stopSignal != "SIGINT" || f.hostname != "me" {
					bad = append(bad, "hosts or signal")
				}
				return bad
			}},
		{"configs and secrets", map[string]string{
			"compose.yml": "services: {web: {image: a, configs: [one], secrets: [{source: two, target: /etc/two}, three]}}\n" +
				"configs: {one: {content: hello}}\nsecrets: {two: {file: ./two.txt}, three: {environment: SP_SHELL}}",
			"two.txt": "2"},
			func(f form) (bad []string) {
				if string(f.files["/one"]) != "hello" || string(f.files["/run/secrets/three"]) != "from the shell" {
					bad = append(bad, "files")
				}
				if len(f.binds) != 1 || !strings.HasSuffix(f.binds[0], "/two.txt:/etc/two:ro") {
					bad = append(bad, f.binds...)
				}
				return bad
			}},
		{"tags that override", map[string]string{
			"compose.yml": "include: [{path: [base.yml, over.yml]}]\n", "base.yml": "services: {web: {image: a, ports: ['1:1'], command: [one]}}",
			"over.yml": "services: {web: {ports: !reset [], expose: ['8000'], command: !override [two]}}"},
			func(f form) (bad []string) {
				if !slices.Equal(f.cmd, []string{"two"}) {
					bad = append(bad, f.cmd...)
				}
				return bad
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, _ := formOf(t, tc.files)
			if bad := tc.want(f); len(bad) > 0 {
				t.Errorf("wrong: %q\n%+v", bad, f)
			}
		})
	}
}

func environment(image string, want ...string) func(form) []string {
	return func(f form) (bad []string) {
		if f.image != image {
			bad = append(bad, f.image)
		}
		if !slices.Equal(f.env, want) {
			bad = append(bad, f.env...)
		}
		return bad
	}
}

// handed is what a form hands to Docker.
func handed(f form) (c container.Config, h container.HostConfig) {
	c.Labels = map[string]string{label: "ours"}
	f.config(&c, time.Hour)
	f.host(&h)
	return c, h
}

// Keys that Docker has, too, come to it as they stand.
func TestComposeHandsOn(t *testing.T) {
	f, file := formOf(t, map[string]string{"compose.yml": "services: {web: {image: a, dns: [10.0.0.1, '::1'], " +
		"dns_search: a.example, dns_opt: ['ndots:2'], " +
		"domainname: b.example, labels: {x: y, io.github.streamproof.stack: theirs}, annotations: {p: q}, mem_limit: 1g, " +
		"mem_reservation: 512m, " +
		"cpu_shares: 512, cpuset: 0-1, devices: ['/dev/null', '/dev/zero:/dev/nothing:r'], device_cgroup_rules: ['c 1:3 " +
		"mr'], " +
		"depends_on: {db: {condition: service_healthy}}}, db: {image: b, healthcheck: {test: 'true', start_interval: " +
		"100ms}, " +
		"deploy: {resources: {reservations: {memory: 64m}}}}}"})
	c, h := handed(f)
	got := strings.TrimSpace(fmt.Sprintln(h.DNS, h.DNSSearch, h.DNSOptions, c.Domainname, h.Annotations,
		h.MemoryReservation, h.CPUShares,
		h.CpusetCpus, h.Devices, h.DeviceCgroupRules))
	if got != "[10.0.0.1 ::1] [a.example] [ndots:2] b.example map[p:q] 536870912 512 0-1 "+
		"[{/dev/null /dev/null rwm} {/dev/zero /dev/nothing r}] [c 1:3 mr]" {
		t.Error(got)
	}
	if want := map[string]string{"x": "y", label: "ours"}; !maps.Equal(c.Labels, want) {
		t.Errorf("labels %v", c.Labels)
	}
	f.memory = 256 << 20 // by app.memory
	if _, h := handed(f); h.MemoryReservation != 256<<20 {
		t.Errorf("%d are reserved of less", h.MemoryReservation)
	}
	db := file.Project.Services["db"]
	helper, err := (*daemon)(nil).service(t.Context(), file, &db)
	if err != nil {
		t.Fatal(err)
	}
	if _, h := handed(helper); h.MemoryReservation != 64<<20 || helper.health.StartInterval != 100*time.Millisecond {
		t.Errorf("of the helper: %d, %+v", h.MemoryReservation, helper.health)
	}
	if _, h := handed(form{}); h.MemoryReservation != 0 || h.DNS != nil || h.Mounts != nil {
		t.Errorf("of nothing: %+v", h)
	}
}

// Helpers are started again as their file says, where deploy comes before restart.
func TestComposeRestarts(t *testing.T) {
	for says, want := range map[string]string{
		"":                        "{ 0}",
		"restart: 'no'":           "{no 0}",
		"restart: always":         "{always 0}",
		"restart: unless-stopped": "{unless-stopped 0}",
		"restart: on-failure":     "{on-failure 0}",
		"restart: on-failure:3":   "{on-failure 3}",
		"deploy: {restart_policy: {condition: any, max_attempts: 3}}":                         "{always 0}",
		"deploy: {restart_policy: {condition: none}}, restart: always":                        "{no 0}",
		"deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}, restart: always": "{on-failure 2}",
	} {
		_, file := formOf(t, map[string]string{"compose.yml": "services: {web: {image: a, depends_on: [db]}, db: {image: " +
			"b, " + says + "}}"})
		db := file.Project.Services["db"]
		if got := fmt.Sprint(restartOf(&db)); got != want {
			t.Errorf("%q: %s, want %s", says, got, want)
		}
		if _, h := handed(form{restart: restartOf(&db)}); fmt.Sprint(h.RestartPolicy) != want {
			t.Errorf("%q: Docker is told %v", says, h.RestartPolicy)
		}
	}
}

func volumesAre(f form) (bad []string) {
	for _, end := range []string{"/data:/a:ro", "/data:/d:ro,z,rslave", "/data:/g"} {
		if !slices.ContainsFunc(f.binds, func(b string) bool { return filepath.IsAbs(b) && strings.HasSuffix(b, end) }) {
			bad = append(bad, "no bind "+end)
		}
	}
	want := []mount.Mount{{Type: mount.TypeVolume, Source: "named", Target: "/b", ReadOnly: true,
		VolumeOptions: &mount.VolumeOptions{NoCopy: true}}, {Type: mount.TypeVolume, Target: "/c"},
		{Type: mount.TypeVolume, Source: "named", Target: "/f"}}
	for i := range f.mounts {
		if o := f.mounts[i].VolumeOptions; o != nil && reflect.DeepEqual(*o, mount.VolumeOptions{}) {
			f.mounts[i].VolumeOptions = nil // which asks for as much
		}
	}
	if !reflect.DeepEqual(f.mounts, want) {
		bad = append(bad, fmt.Sprintf("%+v", f.mounts))
	}
	if want := map[string]string{"/t": "size=1m", "/e": "ro,size=1024,mode=1777"}; !maps.Equal(f.tmpfs, want) {
		bad = append(bad, "tmpfs")
	}
	return bad
}

// What a file says that is wrong, or that we do not carry over, is refused by its name
// in one line.
func TestComposeRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want string
	}{
		"a variable that is needed": {"services: {web: {image: a, environment: {A: '${NO_SP:?set NO_SP in .env}'}}}", "set NO_SP in .env"},
		"an env file":               {"services: {web: {image: a, env_file: absent.env}}", "absent.env"},
		"an unknown key":            {"services: {web: {image: a, comand: x}}", "comand"},
		"limits that differ":        {"services: {web: {image: a, cpus: '1.5', deploy: {resources: {limits: {cpus: '1'}}}}}", "cpus"},
		"a device": {"services: {web: {image: a, devices: [vendor.com/class=one]}}",
			"services.web.devices[0].source: "},
		"the host's network": {"services: {web: {image: a, network_mode: host}}", "services.web.network_mode: "},
		"a hook":             {"services: {web: {image: a, post_start: [{command: x}]}}", "services.web.post_start: "},
		"a dependency's key": {"services: {web: {image: a, depends_on: [db]}, db: {image: b, pid: host}}",
			"services.db.pid: "},
		"a build with a secret": {"services: {web: {build: {context: ., secrets: [x]}}}\nsecrets: {x: {file: y}}",
			"services.web.build.secrets: "},
		"a volume of an image": {"services: {web: {image: a, volumes: [{type: image, source: b, target: /b}]}}",
			`volumes of type "image"`},
		"a circle": {"services: {web: {image: a, depends_on: [db]}, db: {image: b, depends_on: [web]}}",
			"web"},
		"a dependency of nobody":  {"services: {web: {image: a, depends_on: [gone]}}", "gone"},
		"an extension of nothing": {"services: {web: {extends: {file: absent.yml, service: x}}}", "absent.yml"},
		"an include of nothing":   {"include: [absent.yml]\nservices: {web: {image: a}}", "absent.yml"},
		"neither image nor build": {"services: {web: {command: x}}", "web"},
		"a secret without its file": {"services: {web: {image: a, secrets: [x]}}\nsecrets: {x: {file: y}}",
			"services.web: secret x: "},
		"torn": {"services: [", ""},
	} {
		path := write(t, "compose.yml", tc.text)
		_, err := CheckCompose(t.Context(), stack.Compose{File: path, Service: "web"})
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "read "+path+": ") {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

// A service of no account may have what it likes.
func TestComposeScreensOnlyWhatRuns(t *testing.T) {
	path := write(t, "compose.yml", "services: {web: {image: a, restart: always, logging: {driver: none}, labels: {x: y}, x-own: 1}, gpu: {image: b, devices: [/dev/null], env_file: absent.env}}")
	if _, err := CheckCompose(t.Context(), stack.Compose{File: path, Service: "web"}); err != nil {
		t.Error(err)
	}
	if names, err := Services(path); err != nil || !slices.Equal(names, []string{"gpu", "web"}) {
		t.Errorf("services %q, %v", names, err)
	}
}

// Variables that are not set are blank, as for Compose, and said.
func TestComposeWarns(t *testing.T) {
	path := write(t, "compose.yml", "services: {web: {image: a, environment: {A: '${NO_SP}'}}}")
	warnings, err := CheckCompose(t.Context(), stack.Compose{File: path, Service: "web"})
	if err != nil || len(warnings) != 1 || !warnings[0].Is(record.FactQuoted) || !strings.Contains(warnings[0].Text,
		"NO_SP") {
		t.Errorf("warnings %v, %v", warnings, err)
	}
}

// Profiles decide what an optional dependency is, and conditions are kept.
func TestComposeDependsOn(t *testing.T) {
	const text = `
services:
  web:
    image: a
    container_name: front
    links: ["db:database"]
    networks: {inner: {aliases: [www]}}
    ports: ["127.0.0.1:80:8000"]
    stop_grace_period: 1m30s
    depends_on:
      db: {condition: service_healthy}
      setup: {condition: service_completed_successfully, required: false}
      debug: {condition: service_started, required: false}
  db: {image: b, healthcheck: {test: ["CMD-SHELL", "true"], interval: 2s, retries: 4, start_period: 1m}}
  setup: {image: c, depends_on: [db]}
  debug: {image: d, profiles: [debug]}
networks: {inner: {}}
`
	path := write(t, "compose.yml", text)
	c := stack.Compose{File: path, Service: "web"}
	file, err := readCompose(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	web, db := file.Project.Services["web"], file.Project.Services["db"]
	if want := []need{{"db", "service_healthy", true}, {"setup", "service_completed_successfully", false}}; !slices.Equal(needs(&web, file.order), want) || !slices.Equal(file.order, []string{"db", "setup"}) {
		t.Errorf("order %q, needs %+v", file.order, needs(&web, file.order))
	}
	if names := file.names(&web); !slices.Equal(names, []string{"web", "front", "www"}) || !slices.Equal(file.names(&db), []string{"db", "database"}) {
		t.Errorf("names %q and %q", names, file.names(&db))
	}
	if h := checkOf(&db); h == nil || h.Interval != 2*time.Second || h.Retries != 4 || h.StartPeriod != time.Minute || !slices.Equal(h.Test, []string{"CMD-SHELL", "true"}) {
		t.Errorf("health check %+v", h)
	}
	if grace, ok := stopGrace(t.Context(), c); listens(&web) != 8000 || grace != 90*time.Second || !ok {
		t.Errorf("port %d, grace %v", listens(&web), grace)
	}
	t.Setenv("COMPOSE_PROFILES", "debug")
	if file, err = readCompose(t.Context(), c); err != nil || !slices.Contains(file.order, "debug") {
		t.Errorf("with the profile: %v", err)
	}
}

// What is sent to be built is what the docker command sends.
func TestBuildContext(t *testing.T) {
	dir := folder(t, map[string]string{
		".dockerignore": "# what is not sent\n*\n!src\nsrc/**/*.tmp\n!src/keep.tmp\n",
		"Dockerfile":    "FROM x", "README.md": "", "src/a.py": "", "src/deep/b.tmp": "", "src/deep/c.py": "", "src/keep.tmp": "", ".git/HEAD": "",
	})
	for name, tc := range map[string]struct {
		r    recipe
		want []string
	}{
		"a file":   {recipe{folder: dir, dockerfile: "Dockerfile"}, []string{".dockerignore", "Dockerfile", "src/", "src/a.py", "src/deep/", "src/deep/c.py", "src/keep.tmp"}},
		"its text": {recipe{folder: dir, inline: "FROM y\n"}, []string{".dockerignore", inlineFile, "src/", "src/a.py", "src/deep/", "src/deep/c.py", "src/keep.tmp"}},
	} {
		files, err := tc.r.pack()
		if err != nil {
			t.Fatal(err)
		}
		got := tarNames(t, files)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if _, err := (recipe{folder: folder(t, map[string]string{".dockerignore": "[a"})}).pack(); err == nil {
		t.Error("a pattern that is none is taken")
	}
}

// tarNames lists what is in an archive, sorted.
func tarNames(t *testing.T, r io.ReadCloser) (names []string) {
	t.Helper()
	defer r.Close()
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		names = append(names, h.Name)
	}
}
