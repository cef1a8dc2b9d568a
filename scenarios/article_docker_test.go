package scenarios_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
)

// TestArticleMemory is the fifth cause, which takes a container with a memory limit
// and the kernel: an index of its own for every request, and one for all.
func TestArticleMemory(t *testing.T) {
	needDocker(t)
	if !*nightly {
		t.Skip("builds an image: make nightly runs it")
	}
	for _, tt := range []struct{ module, cause, says string }{
		{"memory_broken", diagnose.MemoryKillAll, "memory"},
		{"memory_fixed", "", ""},
	} {
		t.Run(tt.module, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(articleDir)); err != nil {
				t.Fatal(err)
			}
			dockerfile := fmt.Sprintf("FROM streamproof/fastapi:dev\nCOPY *.py /article/\nWORKDIR /article\nENTRYPOINT []\n"+
				"CMD [\"python3\", \"-m\", \"uvicorn\", \"%s:app\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\"]\n", tt.module)
			if err := os.WriteFile(dir+"/Dockerfile", []byte(dockerfile), 0o644); err != nil {
				t.Fatal(err)
			}
			r, out := front(t, dir, "app: {build: ., port: 8000, memory: 256MiB}\nstream: {path: /chat, dialect: text}\nscenarios: [control]\n", "run")
			advice{cause: tt.cause, says: tt.says}.judge(t, r, out)
		})
	}
}
