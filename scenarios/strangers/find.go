//go:build linux

package strangers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// fpm is the newest PHP-FPM of this machine: Debian names it by its version.
var fpm = sync.OnceValue(func() string {
	all, _ := filepath.Glob("/usr/sbin/php-fpm*")
	if len(all) == 0 {
		return "php-fpm"
	}
	return all[len(all)-1]
})

// lacks is what of needs this machine has not.
func lacks(needs []string) string {
	for _, n := range needs {
		if why, _ := found.LoadOrStore(n, look(n)); why != "" {
			return why.(string)
		}
	}
	return ""
}

var found sync.Map // what was looked for → why it lacks, "" if it does not

func look(need string) string {
	if module, ok := strings.CutPrefix(need, "python3:"); ok {
		if exec.Command(python, "-c", "import "+module).Run() != nil {
			return "no Python module " + module
		}
		return ""
	}
	if _, err := exec.LookPath(need); err == nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join("/usr/sbin", need)); err == nil {
		return ""
	}
	return "no program " + need
}

// program finds what no user has in the path.
func program(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	return filepath.Join("/usr/sbin", name)
}

// ServerNamed and EdgeNamed look one up.
func ServerNamed(name string) *Server {
	return Servers[mustIndex(name, slices.IndexFunc(Servers, func(s *Server) bool { return s.Name == name }))]
}

func EdgeNamed(name string) *Edge {
	return Edges[mustIndex(name, slices.IndexFunc(Edges, func(e *Edge) bool { return e.Name == name }))]
}

func mustIndex(name string, i int) int {
	if i < 0 {
		panic(fmt.Sprintf("no stranger %q", name)) // a mistake in the matrix itself
	}
	return i
}
