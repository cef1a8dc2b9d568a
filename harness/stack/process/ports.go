package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/stack"
)

// Ports that we give to commands lie below the range from which the kernel
// takes the local ends of outgoing connections: there, a load of some thousand
// streams could take the port between our probe and the app's bind.
const (
	lowestPort   = 20000
	portAttempts = 200
)

var given struct {
	sync.Mutex // guards ports
	ports      map[int]bool
}

// givePort finds a free port for a program that has to bind it by itself.
// returnPort gives it back.
func givePort() (int, error) {
	given.Lock()
	defer given.Unlock()
	if given.ports == nil {
		given.ports = make(map[int]bool)
	}
	highest := ephemeralFrom()
	for range portAttempts {
		port := lowestPort + rand.IntN(highest-lowestPort)
		if !given.ports[port] && tryPort(port) == nil {
			given.ports[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port between %d and %d: none in %d attempts", lowestPort, highest, portAttempts)
}

func returnPort(port int) {
	given.Lock()
	delete(given.ports, port)
	given.Unlock()
}

// forking keeps our forks and our probes of ports apart: a child has a copy of
// the probe's socket until it executes its program, and for that moment the port
// looks taken, to us or to the app.
var forking sync.RWMutex

// portFree tries to bind the port on all addresses, as an app may, and on
// loopback alone. A port that is taken is tried again for a moment, since forks
// of others cannot be kept apart.
func portFree(port int) (err error) {
	for range 5 {
		if err = tryPort(port); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

func tryPort(port int) error {
	forking.RLock()
	defer forking.RUnlock()
	for _, host := range []string{"", "127.0.0.1"} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

// ephemeralFrom is the lowest port of outgoing connections; 32768 is the
// kernel's own default.
func ephemeralFrom() int {
	if fs, err := procfs.NewDefaultFS(); err == nil {
		ports, err := fs.SysctlInts("net.ipv4.ip_local_port_range")
		if err == nil && len(ports) == 2 && ports[0] > lowestPort+portAttempts {
			return ports[0]
		}
	}
	return 32768
}

// owner names the process that listens on a port: " by pid 12 (nginx)". It is
// empty where that cannot be seen.
func owner(port int) string {
	pid, name := stack.Listener(port)
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" by pid %d (%s)", pid, name)
}
