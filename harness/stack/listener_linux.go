package stack

import (
	"fmt"
	"net/netip"
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
		if slices.ContainsFunc(held, func(to string) bool { return sockets[to].IsValid() }) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// Listening is where processes listen on this machine, each address once.
func Listening(pids []int) (at []netip.AddrPort) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	sockets := listening(fs, anyPort)
	for _, pid := range pids {
		p, err := fs.Proc(pid)
		if err != nil {
			continue // it has ended
		}
		held, _ := p.FileDescriptorTargets()
		for _, to := range held {
			if addr, ok := sockets[to]; ok && !slices.Contains(at, addr) {
				at = append(at, addr)
			}
		}
	}
	return at
}

const anyPort = 0

// listening are the sockets that listen on a port, as the links of /proc/PID/fd name them,
// and their addresses.
func listening(proc procfs.FS, port int) map[string]netip.AddrPort {
	sockets := map[string]netip.AddrPort{}
	//lint:ignore SA1019 the table is read a few times a run, and netlink needs another library for it
	for _, table := range []func() (procfs.NetTCP, error){proc.NetTCP, proc.NetTCP6} {
		lines, err := table()
		if err != nil {
			continue
		}
		for _, l := range lines {
			if l.St == tcpListen && (port == anyPort || l.LocalPort == uint64(port)) {
				addr, _ := netip.AddrFromSlice(l.LocalAddr)
				sockets["socket:["+strconv.FormatUint(l.Inode, 10)+"]"] = netip.AddrPortFrom(addr, uint16(l.LocalPort))
			}
		}
	}
	return sockets
}
