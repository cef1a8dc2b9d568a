package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
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

// listeners reads the listening TCP sockets of a network namespace, by one of
// its processes (proc_net(5)): "0.0.0.0:8000" style, port alone if for all.
func listeners(pid int) []string {
	var found []string
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) < 4 || f[3] != "0A" { // TCP_LISTEN
				continue
			}
			addr, hex, _ := strings.Cut(f[1], ":")
			port, err := strconv.ParseUint(hex, 16, 16)
			if err != nil || addr == "0B00007F" { // 127.0.0.11: Docker's own resolver
				continue
			}
			text := strconv.FormatUint(port, 10)
			if addr == "0100007F" {
				text = "127.0.0.1:" + text + " (which no other container reaches)"
			}
			if !slices.Contains(found, text) {
				found = append(found, text)
			}
		}
	}
	return found
}
