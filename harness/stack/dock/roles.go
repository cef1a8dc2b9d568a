package dock

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// wrappers are programs that only start another one; helpers are what a runtime
// keeps beside its workers. Neither serves a stream.
var (
	wrappers = []string{"sh", "bash", "dash", "ash", "docker-init", "tini", "dumb-init", "env", "busybox"}
	helpers  = []string{"multiprocessing.resource_tracker", "multiprocessing.forkserver"}
)

// assign gives each process of a box its role: the master is the first below
// PID 1 that is no wrapper, its children are workers.
func assign(replica string, ps []proc) []stack.Process {
	master := findMaster(ps)
	var list []stack.Process
	for _, p := range ps {
		role := "helper"
		switch {
		case p.pid == master:
			role = "master"
		case p.parent == master && !isHelper(p):
			role = "worker"
		}
		list = append(list, stack.Process{Replica: replica, Pid: p.pid, Parent: p.parent, Role: role, Command: p.command})
	}
	return list
}

func findMaster(ps []proc) int {
	root := 1
	for {
		self := slices.IndexFunc(ps, func(p proc) bool { return p.pid == root })
		child := slices.IndexFunc(ps, func(p proc) bool { return p.parent == root && !isHelper(p) })
		if self < 0 || child < 0 || !isWrapper(ps[self]) {
			return root
		}
		root = ps[child].pid
	}
}

func isWrapper(p proc) bool {
	name, _, _ := strings.Cut(p.command, " ")
	return slices.Contains(wrappers, filepath.Base(name))
}

func isHelper(p proc) bool {
	return slices.ContainsFunc(helpers, func(h string) bool { return strings.Contains(p.command, h) })
}
