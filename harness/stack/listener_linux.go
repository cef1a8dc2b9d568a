package stack

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// tcpListen is TCP_LISTEN, the state of a listening socket (include/net/tcp_states.h of
// Linux).
const tcpListen = 0x0A

// Listener finds the process that listens on a port of this machine, the first of
// several: 0 and "" where that cannot be seen.
func Listener(port int) (pid int, name string) {
	pids := Listeners(port)
	if len(pids) == 0 {
		return 0, ""
	}
	comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pids[0]))
	return pids[0], strings.TrimSpace(string(comm))
}

// Listeners are all processes that hold a listening socket of a port, those first that
// are oldest: a master and its workers, and each worker that has a socket of its own
// (SO_REUSEPORT).
func Listeners(port int) (pids []int) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	sockets := listening(proc, port)
	if len(sockets) == 0 {
		return nil
	}
	all, _ := proc.AllProcs()
	for _, p := range all {
		held, _ := p.FileDescriptorTargets() // those of other users cannot be read
		if slices.ContainsFunc(held, func(to string) bool { return sockets[to] }) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// listening are the sockets that listen on a port, as the links of /proc/PID/fd name them.
func listening(proc procfs.FS, port int) map[string]bool {
	sockets := map[string]bool{}
	//lint:ignore SA1019 the table is read a few times a run, and netlink needs another library for it
	for _, table := range []func() (procfs.NetTCP, error){proc.NetTCP, proc.NetTCP6} {
		lines, err := table()
		if err != nil {
			continue
		}
		for _, l := range lines {
			if l.St == tcpListen && l.LocalPort == uint64(port) {
				sockets["socket:["+strconv.FormatUint(l.Inode, 10)+"]"] = true
			}
		}
	}
	return sockets
}
