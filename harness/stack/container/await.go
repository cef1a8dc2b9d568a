package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

const (
	// pollPause lies between two questions to a container.
	pollPause = 20 * time.Millisecond
	// hopeless is how many processes the kernel may kill for memory before we
	// stop waiting: a master that goes on replacing its workers.
	hopeless = 3
)

// Ended implements [chain.Part]: why a container that was to come up will not. One
// whose master goes on replacing workers that the kernel kills has ended, too.
func (b *box) Ended(ctx context.Context) error {
	c, err := b.inspect(ctx)
	if err != nil {
		return err
	}
	switch {
	case c.State.OOMKilled && !c.State.Running:
		return fmt.Errorf("the kernel killed it for memory: the limit of %s is too small to start", bytesText(b.memory))
	case !c.State.Running && c.State.Error != "":
		return errors.New(oneLine(c.State.Error))
	case !c.State.Running:
		return fmt.Errorf("it ended before it was healthy, %s (it must stay in the foreground)", exitText(c.State.ExitCode))
	}
	if n, err := b.Counters(ctx); err == nil && n[oomKill] >= hopeless {
		return fmt.Errorf("the kernel killed %d of its processes for memory: the limit of %s is too small to start",
			n[oomKill], bytesText(b.memory))
	}
	return nil
}

// Hint implements [chain.Hinter].
func (b *box) Hint(ctx context.Context, last error) string { return b.listening(last) + b.tight(ctx) }

// tight says so where the box's memory is at its limit: below what an app needs
// to start, the kernel may for minutes throw out the program's own pages and
// read them again before it kills anybody.
func (b *box) tight(ctx context.Context) string {
	n, err := b.Counters(ctx)
	if err != nil || b.memory == 0 || n[memoryUsage] < b.memory*9/10 {
		return ""
	}
	return fmt.Sprintf("; its memory stays at the limit of %s, which may be too small to start", bytesText(b.memory))
}

// exitText reads an exit code as the shell does.
func exitText(code int) string {
	if code > 128 {
		return fmt.Sprintf("killed by signal %d (%v)", code-128, syscall.Signal(code-128))
	}
	return fmt.Sprintf("exit code %d", code)
}

func bytesText(n int64) string {
	if n == 0 {
		return "the machine"
	}
	return strconv.FormatInt(n>>20, 10) + " MiB"
}

// listening says where the box does listen, for an app whose port is refused.
func (b *box) listening(err error) string {
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return ""
	}
	ports := listeners(b.hostPid())
	if len(ports) == 0 {
		return ""
	}
	return fmt.Sprintf("; it listens on %s: is its port set right?", strings.Join(ports, ", "))
}

// tcpListen is the state of a listening socket in proc_net(5).
const tcpListen = 0x0A

// dockerResolver answers the names of a network of Docker in each of its containers.
var dockerResolver = net.IPv4(127, 0, 0, 11)

// listeners reads the listening TCP sockets of a network namespace, by one of its
// processes (proc_net(5)): "127.0.0.1:8000 (…)", or the port alone.
func listeners(pid int) []string {
	fs, err := procfs.NewFS(fmt.Sprintf("/proc/%d", pid)) // whose net is that of its namespace
	if err != nil {
		return nil
	}
	var found []string
	//lint:ignore SA1019 netlink, which is advised, sees only the network namespace that we are in
	for _, table := range []func() (procfs.NetTCP, error){fs.NetTCP, fs.NetTCP6} {
		lines, err := table()
		if err != nil {
			continue // a kernel without IPv6
		}
		for _, l := range lines {
			if l.St != tcpListen || l.LocalAddr.Equal(dockerResolver) {
				continue
			}
			text := strconv.FormatUint(l.LocalPort, 10)
			if l.LocalAddr.IsLoopback() {
				text = net.JoinHostPort(l.LocalAddr.String(), text) + " (which no other container reaches)"
			}
			if !slices.Contains(found, text) {
				found = append(found, text)
			}
		}
	}
	return found
}
