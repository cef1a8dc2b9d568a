package process

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// TestTwin leads a second edge to the origin of a probe, beside the first, and
// leaves nothing of it.
func TestTwin(t *testing.T) {
	for _, nginx := range []string{"", NoNginx} {
		dir := t.TempDir()
		o := New(Options{OriginCommand: []string{self(), "origin"}, GuardCommand: []string{self(), "guard"},
			NginxPath: nginx})
		if nginx == "" && findNginx("") == "" {
			t.Log("no nginx on this host: the Go edge alone is tried")
			continue
		}
		st, err := o.Open(t.Context(), stack.Spec{App: stack.App{Origin: &stack.Origin{}},
			Edge: stack.Edge{Form: stack.EdgeStreaming}, LogDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		twin, err := st.(stack.Twinner).Twin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.Get(twin.URL + "/x")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.Header.Get(origin.ProbeHeader) != "HTTP/1.1" {
			t.Errorf("the twin answers with %v, not as the origin of the probe", res.Header)
		}
		got, err := chain.Ask(t.Context(), strings.TrimPrefix(st.Hops()[0].URL, "http://"), "/healthz")
		if err != nil || got.Body != "ok" {
			t.Errorf("the first edge answers %q, %v", got.Body, err)
		}
		if err := errors.Join(twin.Close(t.Context()), st.Close(t.Context())); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, twinFolder)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the twin's folder is left: %v", err)
		}
	}
}

// TestLayersAreRead finds a process manager's flags in a command, and behind a
// wrapper that does not show them.
func TestLayersAreRead(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "gunicorn")
	// A program of that name that listens as it is told: nc would do, but not
	// everywhere is one.
	if err := os.Symlink(self(), script); err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string][]string{
		"said":    {script, "origin", "--listen", "127.0.0.1:{port}", "--grace", "1s"},
		"wrapped": {"sh", "-c", `a=guni; b=corn; exec "` + dir + `/$a$b" origin --listen 127.0.0.1:$PORT --grace 1s`},
	} {
		st, err := opener().Open(t.Context(), stack.Spec{App: stack.App{Command: command, Health: "/healthz"},
			Edge: stack.Edge{Form: stack.EdgeNone}, LogDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, l := range st.Layers() {
			if l.Name == "gunicorn" {
				found = l.Settings["timeout"]
			}
		}
		if found != "30" {
			t.Errorf("%s: gunicorn's timeout is read as %q, want its default of 30 in %+v", name, found, st.Layers())
		}
		if err := st.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
