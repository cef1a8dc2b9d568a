package stack

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

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

// Listeners are all processes that hold the listening socket of a port: a master
// and its workers, too.
func Listeners(port int) (pids []int) {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		inode := listeningInode(table, port)
		if inode == "" {
			continue
		}
		fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err != nil || to != "socket:["+inode+"]" {
				continue
			}
			pid, _ := strconv.Atoi(strings.Split(fd, "/")[2]) // digits by the pattern
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// listeningInode finds the socket in a table of proc_pid_net_tcp(5): "sl
// local_address rem_address st … inode", addresses as hex ip:port.
func listeningInode(table string, port int) string {
	f, err := os.Open(table)
	if err != nil {
		return ""
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && fields[3] == tcpListen && strings.HasSuffix(fields[1], suffix) {
			return fields[9]
		}
	}
	return ""
}
