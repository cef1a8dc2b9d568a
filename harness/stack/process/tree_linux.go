package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

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
		if _, alive := readStat(pid); !alive {
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
	names, _ := filepath.Glob("/proc/[0-9]*")
	children := make(map[int][]int, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name[len("/proc/"):])
		if err != nil {
			continue
		}
		if parent, alive := readStat(pid); alive {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}

// statFields are the fields of /proc/pid/stat from the third, the state, on: "pid
// (name) state ppid …". The name may hold spaces and parentheses of its own, see
// proc_pid_stat(5).
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

// readStat reports a process that is not there, or a zombie, as not alive.
func readStat(pid int) (parent int, alive bool) {
	fields := statFields(pid)
	if len(fields) < 2 || fields[0] == "Z" || fields[0] == "X" {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

// threadsOf reads the number of threads, field 20 of proc_pid_stat(5).
func threadsOf(pid int) (n int, ok bool) {
	const field = 20 - 3
	fields := statFields(pid)
	if len(fields) <= field {
		return 0, false
	}
	n, err := strconv.Atoi(fields[field])
	return n, err == nil
}

// commandLine is the start of the command line, or the name in brackets where
// there is none.
func commandLine(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	b = bytes.TrimRight(bytes.ReplaceAll(b, []byte{0}, []byte{' '}), " ")
	if len(b) == 0 {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return "[" + strings.TrimSpace(string(name)) + "]"
	}
	if len(b) > commandLimit {
		b = append(b[:commandLimit:commandLimit], "…"...)
	}
	return string(b)
}

// argumentsLimit bounds what is read of a command line, in bytes.
const argumentsLimit = 16 << 10

// arguments is the whole command line of a process.
func arguments(pid int) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.Split(strings.TrimRight(string(b[:min(len(b), argumentsLimit)]), "\x00"), "\x00")
}
