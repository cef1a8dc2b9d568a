package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInstall gets the program as the README says, from a proxy that has this checkout
// as its newest release: every command of "Install", as it stands there, and as a tool
// of another module.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds the whole program, as a release does; make test runs it")
	}
	t.Parallel()
	m, dir := newMachine(t), t.TempDir()
	shell := func(line string) string {
		t.Helper()
		cmd := exec.Command("bash", "-eu", "-c", line)
		cmd.Dir = dir
		cmd.Env = append(m.env, "PATH="+filepath.Join(m.home, "go", "bin")+string(os.PathListSeparator)+m.path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, install, _ := strings.Cut(string(page), "\n## Install\n")
	install, _, _ = strings.Cut(install, "\n## ")
	commands := regexp.MustCompile(`(?m)^go install .*|`+"`(go get -tool [^`]*)`").FindAllStringSubmatch(install, -1)
	if len(commands) != 2 {
		t.Fatalf("the README installs in %d ways, this test knows 2: %q", len(commands), commands)
	}
	says := regexp.MustCompile(`^streamproof ` + released + `, go1\.\d+`)
	shell(commands[0][0])
	if out := shell("streamproof version"); !says.MatchString(out) {
		t.Errorf("installed: %s", out)
	}
	shell("go mod init example.com/chat")
	shell(commands[1][1])
	// What "go tool streamproof" builds and runs. That itself knows no -trimpath, and so
	// would compile every dependency anew in each new home.
	shell("rm \"$HOME/go/bin/streamproof\" && go install tool")
	if out := shell("streamproof version"); !says.MatchString(out) {
		t.Errorf("as a tool: %s", out)
	}
}
