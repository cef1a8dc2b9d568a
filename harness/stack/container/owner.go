package container

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Labels of everything that we make. They name the owner well enough to know
// whether it lives: a process ID alone is reused, across reboots and containers.
const (
	label      = "io.github.streamproof.stack" // the stack's ID
	labelPid   = "io.github.streamproof.pid"
	labelStart = "io.github.streamproof.start" // of the process, in clock ticks since boot
	labelBoot  = "io.github.streamproof.boot"  // of the host
	labelHost  = "io.github.streamproof.host"  // host name and PID namespace
	labelUntil = "io.github.streamproof.until" // Unix seconds after which nobody needs it
	labelPart  = "io.github.streamproof.part"  // "nginx", "app[0]"
)

// An owner is the process that a stack belongs to.
type owner struct {
	pid               int
	start, boot, host string
}

// self is this process.
func self() owner {
	name, _ := os.Hostname()
	space, _ := os.Readlink("/proc/self/ns/pid")
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return owner{pid: os.Getpid(), start: startOf(os.Getpid()), boot: strings.TrimSpace(string(boot)),
		host: name + " " + space}
}

// labels are for one part of one stack.
func (o owner) labels(id, part string, until time.Time) map[string]string {
	return map[string]string{label: id, labelPid: strconv.Itoa(o.pid), labelStart: o.start, labelBoot: o.boot,
		labelHost: o.host, labelUntil: strconv.FormatInt(until.Unix(), 10), labelPart: part}
}

// orphaned reports whether what bears these labels has no living owner. An owner
// that we cannot judge, on another machine or in another container, keeps its
// own until its time is over.
func orphaned(labels map[string]string, me owner, now time.Time) bool {
	if until, err := strconv.ParseInt(labels[labelUntil], 10, 64); err == nil && now.Unix() > until {
		return true
	}
	if host, _, _ := strings.Cut(me.host, " "); !strings.HasPrefix(labels[labelHost], host+" ") {
		return false
	}
	if labels[labelBoot] != me.boot {
		return true
	}
	if labels[labelHost] != me.host {
		return false
	}
	pid, err := strconv.Atoi(labels[labelPid])
	if err != nil {
		return true
	}
	return !alive(pid, labels[labelStart])
}

// alive reports whether the process that started then still runs.
func alive(pid int, start string) bool {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	now := startOf(pid)
	return now == start
}

// startOf is when a process started, in clock ticks since the machine began
// (proc_pid_stat(5), field 22), "" where there is none or the process is a zombie: one
// that is dead but not yet collected.
func startOf(pid int) string {
	p, err := hostProcess(pid)
	if err != nil {
		return ""
	}
	s, err := p.Stat()
	if err != nil || s.State == "Z" || s.State == "X" {
		return ""
	}
	return strconv.FormatUint(s.Starttime, 10)
}

// newID names a stack.
func newID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Sweep removes the containers, networks and volumes whose owner is gone, as
// after a SIGKILL, and returns what it removed. It spares what belongs to a
// living process. [Opener.Open] begins with it.
func Sweep(ctx context.Context) ([]string, error) {
	d, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.sweep(ctx, func(labels map[string]string) bool { return orphaned(labels, self(), time.Now()) })
}

// sweep removes what bears our label and is unwanted, containers first: they
// hold the others.
func (d *daemon) sweep(ctx context.Context, unwanted func(map[string]string) bool) (gone []string, err error) {
	ours := make(client.Filters).Add("label", label)
	cs, err := d.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var errs []error
	took := func(kind, name string, err error) {
		if err == nil {
			gone = append(gone, kind+" "+name)
		} else if !harmless(err) {
			errs = append(errs, fmt.Errorf("remove %s %s: %w", kind, name, err))
		}
	}
	for _, c := range cs.Items {
		if unwanted(c.Labels) {
			_, err := d.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			took("container", c.Labels[labelPart]+" "+short(c.ID), err)
		}
	}
	ns, err := d.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return gone, errors.Join(append(errs, fmt.Errorf("list networks: %w", err))...)
	}
	for _, n := range ns.Items {
		if unwanted(n.Labels) {
			_, err := d.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			took("network", n.Name, err)
		}
	}
	vs, err := d.VolumeList(ctx, client.VolumeListOptions{Filters: ours})
	if err != nil {
		return gone, errors.Join(append(errs, fmt.Errorf("list volumes: %w", err))...)
	}
	for _, v := range vs.Items {
		if unwanted(v.Labels) {
			_, err := d.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
			took("volume", v.Name, err)
		}
	}
	return gone, errors.Join(errs...)
}

// harmless is an error of two sweepers that met: the other one took it.
func harmless(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) && strings.Contains(err.Error(), "already in progress")
}

func short(id string) string { return id[:min(len(id), 12)] }
