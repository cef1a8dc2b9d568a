package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInstall gets the program in both ways that the README names, from this checkout
// in place of a release: go install into a folder, and as a tool of another module.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program in another module")
	}
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	tool := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		// Nothing is fetched: what this module needs lies on this machine already.
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off",
			"GITHUB_ACTIONS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	const module = "github.com/streamproof/streamproof"
	tool("go", "mod", "init", "example.com/chat")
	// The sums of what we need are those of this module: go would look for them outside.
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644); err != nil {
		t.Fatal(err)
	}
	tool("go", "mod", "edit", "-replace="+module+"="+root)
	tool("go", "get", "-tool", module+"/cmd/streamproof")
	says := regexp.MustCompile(`^streamproof \S+.*, go1\.\d+`)
	if out := tool("go", "tool", "streamproof", "version"); !says.MatchString(out) {
		t.Errorf("as a tool: %s", out)
	}
	tool("go", "install", module+"/cmd/streamproof")
	if out := tool(filepath.Join(bin, "streamproof"), "version"); !says.MatchString(out) {
		t.Errorf("installed: %s", out)
	}
}
