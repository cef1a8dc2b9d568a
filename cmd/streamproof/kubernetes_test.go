//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWithoutKubernetes builds the program without the client of Kubernetes: what asks for
// a cluster is refused in one line, and all else is there. It tells what the client adds.
func TestWithoutKubernetes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it links the whole program twice; make test runs it")
	}
	t.Parallel()
	dir := t.TempDir()
	sizes := map[string]int64{}
	for _, tag := range []string{"", "nokubernetes"} {
		path := filepath.Join(dir, "streamproof"+tag)
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-tags", tag, "-o", path, ".")
		out, err := build.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes[tag] = info.Size()
	}
	const most = 15 << 20 // what the client may add
	growth := sizes[""] - sizes["nokubernetes"]
	t.Logf("%.1f MiB, of which the client of Kubernetes is %.1f", float64(sizes[""])/(1<<20), float64(growth)/(1<<20))
	if growth <= 0 || growth > most {
		t.Errorf("the client of Kubernetes adds %d bytes, want at most %d", growth, most)
	}
	file := filepath.Join(dir, "streamproof.yaml")
	const text = "app: {kubernetes: {deployment: chat, service: chat}}\nstream: {dialect: openai-chat}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := invoke(t, filepath.Join(dir, "streamproofnokubernetes"), dir, "", "run", "-f", "streamproof.yaml")
	if code != exitUsage || !strings.Contains(out, "built without Kubernetes; build it without the tag nokubernetes") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
