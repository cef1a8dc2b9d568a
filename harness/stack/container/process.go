package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/moby/moby/client"
	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// Blame makes a process the one that the kernel kills when its container runs
// out of memory (oom_score_adj, proc(5)). Without it the kernel takes the
// biggest.
func (s *Stack) Blame(ctx context.Context, p stack.Process) error {
	r, err := s.find(p.Replica)
	if err != nil {
		return err
	}
	ps, err := r.box.Processes(ctx)
	if err != nil {
		return fmt.Errorf("blame pid %d of %s: %w", p.Pid, p.Replica, err)
	}
	i := slices.IndexFunc(ps, func(q chain.Process) bool { return q.Pid == p.Pid })
	if i < 0 {
		return fmt.Errorf("blame pid %d of %s: no such process", p.Pid, p.Replica)
	}
	return reach(ctx, fmt.Sprintf("blame pid %d of %s", p.Pid, p.Replica), ps[i].Host, func(host int) error {
		return os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", host), []byte("1000"), 0)
	}, func() error {
		_, err := r.box.exec(ctx, "sh", "-c", fmt.Sprintf("echo 1000 >/proc/%d/oom_score_adj", p.Pid))
		return err
	})
}

// reach does something to a process by its number on the host, with outside, or through
// its container, with inside: where that number is not known (0), and where the process is
// not ours. Those of a Docker that runs as root are root's, and a user of the group docker
// sees them but may not touch them. What neither way can do is a [*stack.Unable].
func reach(ctx context.Context, what string, host int, outside func(host int) error, inside func() error) error {
	if host != 0 {
		err := outside(host)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrPermission):
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	err := inside()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	return &stack.Unable{What: what, Why: "the process is not ours to touch, and asking in the container failed: " +
		oneLine(err.Error())}
}

// Pid implements [chain.Part].
func (b *box) Pid() int { return 1 }

// Signal implements [chain.Part]. It kills by the host's numbering where we see it and may,
// which needs no tool in the container; else PID 1 gets it from the daemon, which
// then tells it as an event, and another one by kill in the container.
func (b *box) Signal(ctx context.Context, pid int, sig syscall.Signal) error {
	ps, err := b.Processes(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ps, func(p chain.Process) bool { return p.Pid == pid })
	if i < 0 {
		return errors.New("no such process")
	}
	what := fmt.Sprintf("send signal %d to pid %d of %s", int(sig), pid, b.part)
	return reach(ctx, what, ps[i].Host, func(host int) error { return syscall.Kill(host, sig) }, func() error {
		number := strconv.Itoa(int(sig))
		if pid == b.Pid() {
			_, err := b.d.ContainerKill(ctx, b.id, client.ContainerKillOptions{Signal: number})
			return err
		}
		_, err := b.exec(ctx, "kill", "-"+number, strconv.Itoa(pid))
		return err
	})
}

// Processes implements [chain.Part]. It lists the box's processes by the host's process table where it is
// ours to see, and by asking in the container where not.
func (b *box) Processes(ctx context.Context) ([]chain.Process, error) {
	if folders, err := b.cgroups(); err == nil {
		return hostProcesses(folders)
	}
	return b.processesInside(ctx)
}

// hostProcesses reads the members of a cgroup.
func hostProcesses(folders map[string]string) ([]chain.Process, error) {
	folder, ok := folders["memory"]
	if !ok {
		folder = folders[""]
	}
	data, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var ps []chain.Process
	byHost := map[int]int{}
	for word := range strings.FieldsSeq(string(data)) {
		host, err := strconv.Atoi(word)
		if err != nil {
			continue
		}
		if p, ok := readProc(host); ok {
			ps = append(ps, p)
			byHost[host] = p.Pid
		}
	}
	for i := range ps {
		ps[i].Parent = byHost[ps[i].Parent] // 0 for one whose parent is outside
	}
	return ps, nil
}

// hostProcess is a process of the host as its /proc shows it.
func hostProcess(pid int) (procfs.Proc, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return procfs.Proc{}, err
	}
	return fs.Proc(pid)
}

// readProc reads a process by its number on the host. NSpid of proc_pid_status(5) ends
// with the number in the innermost namespace. Zombies do not count: they serve nobody.
func readProc(host int) (p chain.Process, ok bool) {
	proc, err := hostProcess(host)
	if err != nil {
		return p, false
	}
	stat, err := proc.Stat()
	if err != nil || stat.State == "Z" || stat.State == "X" {
		return p, false
	}
	status, err := proc.NewStatus()
	if err != nil || len(status.NSpids) == 0 {
		return p, false
	}
	p.Host, p.Parent, p.Threads = host, stat.PPID, stat.NumThreads
	p.Pid = int(status.NSpids[len(status.NSpids)-1])
	cmd, _ := proc.CmdLine() // a process that has ended has none
	p.Command = commandLine(strings.Join(cmd, " "), stat.Comm)
	return p, p.Pid != 0
}

func commandLine(raw, name string) string {
	if text := strings.TrimSpace(strings.ReplaceAll(raw, "\x00", " ")); text != "" {
		return text
	}
	return name
}

func (b *box) processesInside(ctx context.Context) ([]chain.Process, error) {
	out, err := b.exec(ctx, "sh", "-c", chain.ListScript)
	if err != nil {
		return nil, &stack.Unable{What: "see the processes of " + b.part,
			Why: "the daemon's are not ours to see, and asking in the container failed: " + err.Error()}
	}
	return chain.ParseList(out), nil
}
