package process

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// commandLimit bounds what we keep of a command line, in bytes.
const commandLimit = 120

// descendants lists the living processes below root, nearest first, root left
// out. It reads all of /proc, since a process knows its parent and not its
// children.
func descendants(root int) []chain.Process {
	parents := readParents()
	var found []chain.Process
	for level := []int{root}; len(level) > 0; {
		var next []int
		for _, parent := range level {
			for _, pid := range parents[parent] {
				found = append(found, chain.Process{Host: pid,
					Process: stack.Process{Pid: pid, Parent: parent, Command: commandLine(pid)}})
				next = append(next, pid)
			}
		}
		level = next
	}
	return found
}

// family is descendants by the kernel's own lists of children, which cost a few
// files and not all of /proc. A list may lack a child whose sibling ends at the same
// time: it is for looking, not for sweeping.
func family(root int) (found []chain.Process, ok bool) {
	children, ok := stack.Children(root)
	for _, pid := range children {
		if !isAlive(pid) {
			continue
		}
		found = append(found, chain.Process{Host: pid, Process: stack.Process{Pid: pid, Parent: root,
			Command: commandLine(pid)}})
		below, _ := family(pid)
		found = append(found, below...)
	}
	return found, ok
}

// readParents maps each parent to its living children.
func readParents() map[int][]int {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	all, err := fs.AllProcs()
	if err != nil {
		return nil
	}
	slices.SortFunc(all, func(a, b procfs.Proc) int { return cmp.Compare(a.PID, b.PID) })
	children := make(map[int][]int, len(all))
	for _, p := range all {
		if s, alive := living(p); alive {
			children[s.PPID] = append(children[s.PPID], p.PID)
		}
	}
	return children
}

// processOf is the process of a number; ok is false where there is none.
func processOf(pid int) (p procfs.Proc, ok bool) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return p, false
	}
	p, err = fs.Proc(pid)
	return p, err == nil
}

// living reports a process that is not there, or a zombie, as not alive.
func living(p procfs.Proc) (procfs.ProcStat, bool) {
	s, err := p.Stat()
	return s, err == nil && s.State != "Z" && s.State != "X"
}

// isAlive is living by the number.
func isAlive(pid int) bool {
	p, ok := processOf(pid)
	if ok {
		_, ok = living(p)
	}
	return ok
}

// threadsOf is the number of threads.
func threadsOf(pid int) (n int, ok bool) {
	p, ok := processOf(pid)
	if !ok {
		return 0, false
	}
	s, err := p.Stat()
	return s.NumThreads, err == nil
}

// commandLine is the start of the command line, or the name in brackets where
// there is none.
func commandLine(pid int) string {
	p, ok := processOf(pid)
	if !ok {
		return "[]"
	}
	words, _ := p.CmdLine() // a process that has ended has none
	line := strings.TrimRight(strings.Join(words, " "), " ")
	if line == "" {
		name, _ := p.Comm()
		return "[" + name + "]"
	}
	if len(line) > commandLimit {
		line = line[:commandLimit] + "…"
	}
	return line
}

// argumentsLimit bounds what is read of a command line, in bytes.
const argumentsLimit = 16 << 10

// arguments is the whole command line of a process.
func arguments(pid int) []string {
	p, ok := processOf(pid)
	if !ok {
		return []string{""}
	}
	words, _ := p.CmdLine()
	left := argumentsLimit
	for i, w := range words {
		if left -= len(w) + 1; left < 0 {
			return words[:i]
		}
	}
	return words
}
