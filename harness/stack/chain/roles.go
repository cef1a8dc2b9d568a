package chain

import (
	"path"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// A Process is a process of a part, as its machine sees it.
type Process struct {
	stack.Process
	Host    int // its number on this host; 0 where it cannot be seen
	Threads int // 0 where they are not counted
}

// wrappers are programs that only start another one.
var wrappers = []string{"sh", "bash", "dash", "zsh", "ash", "busybox",
	"tini", "docker-init", "dumb-init", "env", "sudo", "timeout"}

// helpers mark processes that a runtime keeps beside its workers. Killing one
// interrupts no stream, so none may be picked as a victim.
var helpers = []string{"multiprocessing.resource_tracker", "multiprocessing.semaphore_tracker",
	"multiprocessing.forkserver"}

// Assign gives each process of a tree its role, in place. The master is the first
// process below root that is not a mere wrapper: for `sh -c "gunicorn …"` it is
// gunicorn and not the shell. Its children are the workers.
func Assign(root int, ps []Process) {
	master := Master(root, ps)
	for i := range ps {
		switch p := &ps[i]; {
		case p.Pid == master:
			p.Role = stack.RoleMaster
		case p.Parent == master && !isHelper(*p):
			p.Role = stack.RoleWorker
		default:
			p.Role = stack.RoleHelper
		}
	}
}

// Master finds the process that a process manager would signal: see [Assign].
func Master(root int, ps []Process) int {
	for {
		self := slices.IndexFunc(ps, func(p Process) bool { return p.Pid == root })
		only := slices.IndexFunc(ps, func(p Process) bool { return p.Parent == root && !isHelper(p) })
		if self < 0 || only < 0 || !isWrapper(ps[self]) {
			return root
		}
		root = ps[only].Pid
	}
}

func isWrapper(p Process) bool {
	name, _, _ := strings.Cut(p.Command, " ")
	return slices.Contains(wrappers, path.Base(name))
}

func isHelper(p Process) bool {
	return slices.ContainsFunc(helpers, func(h string) bool { return strings.Contains(p.Command, h) })
}
