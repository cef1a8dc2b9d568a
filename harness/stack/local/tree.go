package local

import (
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// Roles of a process in its replica.
const (
	roleMaster = "master" // what a process manager would signal
	roleWorker = "worker" // a child of the master: it serves streams
	roleHelper = "helper" // serves none: a wrapper, or a runtime's own process
)

// wrappers are programs that only start another one.
var wrappers = []string{"sh", "bash", "dash", "zsh", "ash", "busybox", "tini", "dumb-init", "env", "sudo", "timeout"}

// helpers mark processes that a runtime keeps beside its workers. Killing one
// interrupts no stream, so none may be picked as a victim.
var helpers = []string{"multiprocessing.resource_tracker", "multiprocessing.semaphore_tracker", "multiprocessing.forkserver"}

// assign gives each process of a tree its role. The master is the first process
// below root that is not a mere wrapper: for `sh -c "gunicorn …"` it is
// gunicorn and not the shell.
func assign(root int, ps []stack.Process) []stack.Process {
	master := findMaster(root, ps)
	for i := range ps {
		switch p := &ps[i]; {
		case p.Pid == master:
			p.Role = roleMaster
		case p.Parent == master && !isHelper(*p):
			p.Role = roleWorker
		default:
			p.Role = roleHelper
		}
	}
	return ps
}

func findMaster(root int, ps []stack.Process) int {
	for {
		self := slices.IndexFunc(ps, func(p stack.Process) bool { return p.Pid == root })
		only := slices.IndexFunc(ps, func(p stack.Process) bool { return p.Parent == root && !isHelper(p) })
		if self < 0 || only < 0 || !isWrapper(ps[self]) {
			return root
		}
		root = ps[only].Pid
	}
}

func isWrapper(p stack.Process) bool {
	name, _, _ := strings.Cut(p.Command, " ")
	return slices.Contains(wrappers, name[strings.LastIndexByte(name, '/')+1:])
}

func isHelper(p stack.Process) bool {
	return slices.ContainsFunc(helpers, func(h string) bool { return strings.Contains(p.Command, h) })
}
