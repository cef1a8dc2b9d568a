package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/streamproof/streamproof/harness/harnesstest/busy"
)

// asUsersHaveIt builds the program once, as users have it: without the race detector,
// with which each of the thousand processes that the tests here start takes three times
// as long to begin. It returns where it is.
//
// It is built like the releases that TestInstall builds, whose dependencies it shares.
// What a run does is under the detector in ./scenarios and in each package; by day the
// interrupts and the script "run" are the test binary too, and with -nightly everything is.
var asUsersHaveIt = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "streamproof-test-")
	if err != nil {
		return "", err
	}
	programDir = dir
	program := filepath.Join(dir, "streamproof")
	if *nightly {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		return program, os.Symlink(self, program) // the name makes TestMain run main
	}
	if out, err := exec.Command("go", "build", "-trimpath", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

// programDir is the folder of the program, or "".
var programDir string

// program is where the program is, for tests that start it.
func program(t *testing.T) string {
	t.Helper()
	path, err := asUsersHaveIt()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tests are those of this package; what they built goes when they end.
type tests struct{ *testing.M }

func (m tests) Run() int {
	busy.Look()
	defer func() {
		busy.Tell()
		if programDir != "" {
			os.RemoveAll(programDir)
		}
	}()
	return m.M.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"streamproof": main})
}
