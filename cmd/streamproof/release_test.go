package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const ourModule = "github.com/streamproof/streamproof"

// released is the version under which the tests find this checkout.
const released = "v0.1.0"

// A machine is what a job of CI begins with: a home with nothing in it, Go, the tools of
// the system, and a module proxy that has this checkout as a release. What the release
// needs comes from the module cache of the real machine: nothing is fetched.
type machine struct {
	home string
	path string
	env  []string // without PATH
}

func newMachine(t *testing.T) machine {
	t.Helper()
	if err := wholeGraph(); err != nil {
		t.Fatal(err)
	}
	proxy := moduleProxy(t)
	real := strings.Split(strings.TrimSpace(tooled(t, "go", "env", "GOROOT", "GOCACHE", "GOMODCACHE")), "\n")
	m := machine{home: t.TempDir()}
	m.path = strings.Join([]string{filepath.Join(real[0], "bin"), "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin",
		"/usr/sbin", "/sbin"}, string(os.PathListSeparator))
	m.env = []string{"HOME=" + m.home, "CI=true", "LANG=C.UTF-8", "GOMODCACHE=" + modCache(t, real[2]), "GOCACHE=" + real[1],
		"GOPROXY=file://" + proxy, "GOSUMDB=off", "GOTOOLCHAIN=local", "GOMAXPROCS=" + os.Getenv("GOMAXPROCS"),
		"GOFLAGS=" + strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath -modcacherw")}
	m.compile(t)
	return m
}

// compiling is done by one machine at a time: two would compile the same packages, each
// for itself, and the second finds them in the cache.
var compiling sync.Mutex

// compile has the release's packages compiled.
func (m machine) compile(t *testing.T) {
	t.Helper()
	compiling.Lock()
	defer compiling.Unlock()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "install", ourModule+"/cmd/streamproof@"+released)
	cmd.Dir, cmd.Env = dir, append(m.env, "PATH="+m.path, "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile the release: %v\n%s", err, out)
	}
}

// wholeGraph gets into the real module cache what another module that needs ours reads of
// it, which is more than ours itself needs: the go.mod file of each version in the graph.
var wholeGraph = sync.OnceValue(func() error {
	graph := exec.Command("go", "mod", "graph")
	graph.Dir = "../.."
	var said bytes.Buffer
	graph.Stderr = &said
	if err := graph.Run(); err != nil {
		return fmt.Errorf("go mod graph: %w: %s", err, said.Bytes())
	}
	return nil
})

// moduleProxy is a folder that go reads as a proxy of modules (go.dev/ref/mod, GOPROXY
// protocol), with one module: the files of this checkout that git keeps or would.
var moduleZip = sync.OnceValues(func() ([]byte, error) {
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = "../.."
	names, err := list.Output()
	if err != nil {
		return nil, err
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join("../..", name)); err == nil && info.Mode().IsRegular() {
			files = append(files, fileOf(name))
		}
	}
	var b bytes.Buffer
	err = zip.Create(&b, module.Version{Path: ourModule, Version: released}, files)
	return b.Bytes(), err
})

// fileOf is a file of the checkout.
type fileOf string

func (f fileOf) Path() string                 { return string(f) }
func (f fileOf) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join("../..", string(f))) }
func (f fileOf) Open() (io.ReadCloser, error) { return os.Open(filepath.Join("../..", string(f))) }

func moduleProxy(t *testing.T) string {
	t.Helper()
	packed, err := moduleZip()
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := filepath.Join(dir, ourModule, "@v")
	info := `{"Version":"` + released + `","Time":"` + time.Now().UTC().Format(time.RFC3339) + `"}`
	for name, text := range map[string][]byte{"list": []byte(released + "\n"), released + ".info": []byte(info),
		released + ".mod": mod, released + ".zip": packed} {
		putFile(t, filepath.Join(at, name), text)
	}
	return dir
}

// modCache is a module cache of links into the real one, in which only the folders that
// get this module are its own.
func modCache(t *testing.T, real string) string {
	t.Helper()
	dir := t.TempDir()
	own := map[string]bool{"": true, "cache": true, "cache/download": true, "cache/download/github.com": true,
		"github.com": true}
	var into func(rel string)
	into = func(rel string) {
		entries, err := os.ReadDir(filepath.Join(real, rel))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, rel), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			switch sub := filepath.Join(rel, e.Name()); {
			case own[sub]:
				into(sub)
			case e.Name() == "streamproof" || e.Name() == "lock":
			default:
				if err := os.Symlink(filepath.Join(real, sub), filepath.Join(dir, sub)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	into("")
	return dir
}

func putFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// tooled is what a program of this machine prints.
func tooled(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
	}
	return string(out)
}

// The folder that goreleaser builds in is ignored by git: Go marks a build beside files
// that git does not know as modified, and a release would say of itself that it is dirty.
func TestReleasesAreClean(t *testing.T) {
	config, err := os.ReadFile(filepath.FromSlash("../../.github/goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := "dist"
	for line := range strings.Lines(string(config)) {
		if named, ok := strings.CutPrefix(line, "dist:"); ok {
			dir = strings.TrimSpace(named)
		}
	}
	ignored, err := os.ReadFile("../../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	if want := "/" + dir + "/\n"; !strings.Contains("\n"+string(ignored), "\n"+want) {
		t.Errorf(".gitignore has no line %q", want)
	}
}
