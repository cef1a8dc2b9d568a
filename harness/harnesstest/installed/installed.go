// Package installed has the program as users have it, for tests that start it: without the
// race detector, with which a process takes three times as long to begin.
package installed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// variable of the environment names a program that is there already, as for the tests of
// .ci/test.
const variable = "STREAMPROOF_INSTALLED"

var dir string

// Program builds ./cmd/streamproof on the first call, like a release, and returns where
// it is. [Remove] takes it away.
var Program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	var err error
	if dir, err = os.MkdirTemp("", "streamproof-installed-"); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "streamproof")
	const command = "github.com/streamproof/streamproof/cmd/streamproof"
	if out, err := exec.Command("go", "build", "-trimpath", "-o", path, command).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return path, nil
})

// Remove takes away what [Program] built.
func Remove() {
	if dir != "" {
		os.RemoveAll(dir)
	}
}
