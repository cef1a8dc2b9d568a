package local

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

// owner names the process that listens on a port: " by pid 12 (nginx …)". It is
// empty where that cannot be seen.
func owner(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		inode := listeningInode(table, port)
		if inode == "" {
			continue
		}
		fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && to == "socket:["+inode+"]" {
				pid := strings.Split(fd, "/")[2]
				name, _ := os.ReadFile("/proc/" + pid + "/comm")
				return fmt.Sprintf(" by pid %s (%s)", pid, strings.TrimSpace(string(name)))
			}
		}
	}
	return ""
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
