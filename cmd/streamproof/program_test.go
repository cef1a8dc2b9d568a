package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/harnesstest/installed"
)

// program is where the program is, for tests that start it: as users have it. With
// -nightly it is the test binary, with the race detector if that has it; by day only the
// interrupts and the script "run" are, and what a run does is under the detector in
// ./scenarios and in each package.
func program(t *testing.T) string {
	t.Helper()
	if *bynight.On {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(t.TempDir(), "streamproof") // the name makes TestMain run main
		if err := os.Symlink(self, link); err != nil {
			t.Fatal(err)
		}
		return link
	}
	path, err := installed.Program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tests are those of this package; what they built goes when they end.
type tests struct{ *testing.M }

func (m tests) Run() int {
	busy.Look()
	defer installed.Remove()
	defer busy.Tell()
	return m.M.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"streamproof": main})
}
