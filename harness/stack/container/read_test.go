package container

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/stack/chain"
)

// Counters have the same names on both versions of cgroups.
func TestReadCounters(t *testing.T) {
	for name, c := range map[string]struct {
		proc  string
		files map[string]string
	}{
		"v1": {"8:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n", map[string]string{
			"memory/docker/abc/memory.oom_control":    "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
			"memory/docker/abc/memory.failcnt":        "17\n",
			"memory/docker/abc/memory.usage_in_bytes": "4096\n",
			"cpu/docker/abc/cpu.stat":                 "nr_periods 9\nnr_throttled 2\nthrottled_time 5000\n",
		}},
		"v2": {"0::/system.slice/docker-abc.scope\n", map[string]string{
			"system.slice/docker-abc.scope/memory.events":  "low 0\nhigh 0\nmax 17\noom 4\noom_kill 3\n",
			"system.slice/docker-abc.scope/memory.current": "4096\n",
			"system.slice/docker-abc.scope/cpu.stat":       "usage_usec 1\nnr_periods 9\nnr_throttled 2\nthrottled_usec 5\n",
		}},
	} {
		root := t.TempDir()
		for path, content := range c.files {
			full := filepath.Join(root, path)
			if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(content), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := readCounters(cgroupFolders(root, groupsOf(t, c.proc)))
		want := map[string]int64{oomKill: 3, failcnt: 17, memoryUsage: 4096, cpuPeriods: 9, cpuThrottled: 2, cpuWaited: 5000}
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	if _, err := readCounters(cgroupFolders(t.TempDir(), groupsOf(t, "0::/gone\n"))); err == nil {
		t.Error("no files, no error")
	}
}

// groupsOf reads the text of a /proc/PID/cgroup.
func groupsOf(t *testing.T, text string) []procfs.Cgroup {
	t.Helper()
	root := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(root, "7"), 0o755),
		os.WriteFile(filepath.Join(root, "7", "cgroup"), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	fs, err := procfs.NewFS(root)
	if err != nil {
		t.Fatal(err)
	}
	p, err := fs.Proc(7)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := p.Cgroups()
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// Roles follow the tree, past wrappers and beside a runtime's own helpers.
func TestRoles(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"gunicorn":   {"1 0 S gunicorn: master\n7 1 S gunicorn: worker\n8 1 R gunicorn: worker\n9 1 Z dead\n", "1=master 7=worker 8=worker"},
		"under init": {"1 0 S /sbin/docker-init -- app\n6 1 S app\n9 6 S app worker\n", "1=helper 6=master 9=worker"},
		"alone":      {"1 0 S /origin --listen\n", "1=master"},
		"uvicorn":    {"1 0 S python -m uvicorn\n7 1 S python -c from multiprocessing.resource_tracker import main\n8 1 S python spawn\n", "1=master 7=helper 8=worker"},
	} {
		var got []string
		ps := chain.ParseList(c.list)
		chain.Assign(1, ps)
		for _, p := range ps {
			got = append(got, text(p.Pid)+"="+p.Role)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// seenFromInside holds what we make out in a container against what the host shows.
func seenFromInside(t *testing.T, b *box) {
	outside, err := b.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inside, err := b.processesInside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pids := func(ps []chain.Process) (list []int) {
		for _, p := range ps {
			list = append(list, p.Pid, p.Parent)
		}
		slices.Sort(list)
		return list
	}
	if len(inside) < 3 || !slices.Equal(pids(outside), pids(inside)) {
		t.Errorf("outside %+v, inside %+v", outside, inside)
	}
	n, err := b.Counters(t.Context())
	in, ierr := b.countersInside(t.Context())
	if err != nil || ierr != nil || len(in) == 0 || len(n) < len(in) {
		t.Errorf("counters outside %v %v, inside %v %v", n, err, in, ierr)
	}
}

func TestReadCommand(t *testing.T) {
	got := readCommand("/usr/bin/python3 -m gunicorn main:app -k sync --timeout=3 --workers 2 --max-requests 4")
	for name, want := range map[string]string{"gunicorn.timeout": "3", "gunicorn.worker_class": "sync", "gunicorn.workers": "2",
		"gunicorn.max_requests": "4", "gunicorn.graceful_timeout": "30"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if got := readCommand("/origin --timeout 3"); len(got) != 1 {
		t.Errorf("settings of a server that we do not know: %v", got)
	}
}

// A build context leaves out what .dockerignore names, and nothing else: *.pyc is one
// at the top, as for the docker command.
func TestPack(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"Dockerfile", "app/main.py", "app/main.pyc", "top.pyc", ".git/config", "data/big", ".dockerignore"} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("*.pyc\n/data\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := recipe{folder: folder, dockerfile: "Dockerfile"}.pack()
	if err != nil {
		t.Fatal(err)
	}
	names := tarNames(t, files)
	if want := []string{".dockerignore", ".git/", ".git/config", "Dockerfile", "app/", "app/main.py", "app/main.pyc"}; !slices.Equal(names, want) {
		t.Errorf("packed %q, want %q", names, want)
	}
}

// Docker's stamp stays on the app's lines, but not before JSON.
func TestStamper(t *testing.T) {
	const stamp = "2026-11-25T08:23:19.123456789Z "
	for line, want := range map[string]string{"ERROR: x\n": stamp + "ERROR: x\n", "{\"t\":1}\n": "{\"t\":1}\n", "\n": stamp + "\n"} {
		var b bytes.Buffer
		n, err := (&stamper{out: &b, on: true}).Write([]byte(stamp + line))
		if b.String() != want || n != len(stamp+line) || err != nil {
			t.Errorf("%q: wrote %q, %d, %v", line, b.String(), n, err)
		}
	}
}

// The log of a container with a terminal has no frames, and lines that end as a terminal's.
func TestLogOfATerminal(t *testing.T) {
	for raw, want := range map[string]string{"one\r\ntwo\r\n": "one\ntwo\n", "a\rb\r\nrest": "a\rb\nrest", "": "",
		"\n\r\n": "\n\n"} {
		var out bytes.Buffer
		if err := (&box{form: form{tty: true}}).split(&out, &out, strings.NewReader(raw)); err != nil ||
			out.String() != want {
			t.Errorf("%q: %q, %v; want %q", raw, out.String(), err, want)
		}
	}
	if err := (&box{}).split(io.Discard, io.Discard, strings.NewReader("no frames at all")); err == nil {
		t.Error("one without a terminal must have frames")
	}
	torn := io.MultiReader(strings.NewReader("one\r\ntw"), iotest.ErrReader(io.ErrUnexpectedEOF))
	var out bytes.Buffer
	err := (&box{form: form{tty: true}}).split(&out, &out, torn)
	if !errors.Is(err, io.ErrUnexpectedEOF) || out.String() != "one\ntw" {
		t.Errorf("torn: %q, %v", out.String(), err)
	}
}
