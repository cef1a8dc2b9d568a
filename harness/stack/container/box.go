package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

// A form is what a box is made from.
type form struct {
	part       string // "app[0]": in labels, events and messages
	image      string
	entrypoint []string
	cmd        []string
	env        []string
	dir, user  string
	aliases    []string // names in the stack's network
	hosts      []string // "name:address", before the names of the network
	ports      []int    // published on loopback
	files      map[string][]byte
	binds      []string // folders of this machine
	memory     int64    // bytes; swap is off, so that the limit is the limit
	shm        int64
	pids       int64
	cpus       float64

	// What only services of a compose file have.
	hostname, domain string
	stopSignal       string
	tty, stdin       bool
	labels           map[string]string
	mounts           []mount.Mount // volumes: those with a source are the stack's, others go with the box
	reserved         int64         // bytes
	restart          container.RestartPolicy
	tmpfs            map[string]string // folder to options
	health           *container.HealthConfig
	tune             func(*container.HostConfig)
}

// A box is a container of ours.
type box struct {
	form
	d   *daemon
	ctr *testcontainers.DockerContainer
	id  string
	net string // name of the stack's network

	mu    sync.Mutex // guards what a restart changes
	pid   int        // of PID 1, as the daemon's machine sees it
	ip    string
	ports map[int]string // container port to published port
}

// start makes a container and starts it. A box that comes with an error must
// still be removed.
func (s *Stack) start(ctx context.Context, f form) (*box, error) {
	b := &box{form: f, d: s.d, net: s.net.Name}
	opts := []testcontainers.ContainerCustomizer{
		testcontainers.CustomizeRequestOption(func(req *testcontainers.GenericContainerRequest) error {
			req.Logger = tclog.NewNoopLogger()
			return nil
		}),
		tcnetwork.WithNetwork(f.aliases, s.net),
		testcontainers.WithLabels(s.owner.labels(s.id, f.part, s.until)),
		testcontainers.WithExposedPorts(f.exposed()...),
		testcontainers.WithConfigModifier(func(c *container.Config) { f.config(c, time.Until(s.until)) }),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) { f.host(h); s.share(h) }),
	}
	if f.entrypoint != nil {
		opts = append(opts, testcontainers.WithEntrypoint(f.entrypoint...))
	}
	if f.cmd != nil {
		opts = append(opts, testcontainers.WithCmd(f.cmd...))
	}
	for path, data := range f.files {
		opts = append(opts, testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: bytes.NewReader(data), ContainerFilePath: path, FileMode: 0o644}))
	}
	ctr, err := testcontainers.Run(ctx, f.image, opts...)
	if ctr != nil {
		b.ctr, b.id = ctr, ctr.GetContainerID() // also beside an error
	}
	if err != nil {
		return b, errors.New(plain(err))
	}
	return b, b.refresh(ctx)
}

func (f form) exposed() []string {
	var list []string
	for _, p := range f.ports {
		list = append(list, strconv.Itoa(p)+"/tcp")
	}
	return list
}

// config sets what belongs to the image. The health check is our maximum
// lifetime: nobody asks for the health, but after that long the daemon runs it,
// and it ends the container that everybody forgot. An image without a shell has
// no such end, and waits for the next [Sweep].
func (f form) config(c *container.Config, life time.Duration) {
	c.Env = append(c.Env, f.env...)
	c.WorkingDir, c.User = f.dir, f.user
	c.Hostname, c.Domainname, c.StopSignal, c.Tty, c.OpenStdin = f.hostname, f.domain, f.stopSignal, f.tty, f.stdin
	c.Labels = joined(f.labels, c.Labels)
	c.Healthcheck = &container.HealthConfig{Test: []string{"CMD-SHELL", "kill -TERM 1"}, Interval: max(life, time.Minute),
		Timeout: 10 * time.Second, Retries: 1}
}

// host sets limits and where ports are published: on loopback, for nobody else.
func (f form) host(h *container.HostConfig) {
	h.PortBindings = network.PortMap{}
	for _, p := range f.ports {
		if port, ok := network.PortFrom(uint16(p), network.TCP); ok {
			h.PortBindings[port] = []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: "0"}}
		}
	}
	h.Binds, h.ExtraHosts, h.Mounts = f.binds, f.hosts, slices.Clone(f.mounts)
	h.Memory, h.MemorySwap, h.MemoryReservation = f.memory, f.memory, f.reserved
	if f.memory > 0 {
		h.MemoryReservation = min(f.reserved, f.memory) // which may be that of app.memory
	}
	h.RestartPolicy = f.restart
	h.ShmSize = f.shm
	h.NanoCPUs = int64(f.cpus * 1e9)
	if f.pids > 0 {
		h.PidsLimit = &f.pids
	}
	h.Tmpfs = f.tmpfs
	if f.tune != nil {
		f.tune(h)
	}
	h.LogConfig = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "64m", "max-file": "2"}}
}

// joined are the labels of a file and ours, which come first.
func joined(theirs, ours map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, theirs)
	maps.Copy(all, ours)
	return all
}

// refresh reads where the box can be reached: a restart gives it new ports, and
// perhaps a new address.
func (b *box) refresh(ctx context.Context) error {
	c, err := b.inspect(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pid = c.State.Pid
	b.ports = map[int]string{}
	if end := c.NetworkSettings.Networks[b.net]; end != nil && end.IPAddress.IsValid() {
		b.ip = end.IPAddress.String()
	}
	for port, at := range c.NetworkSettings.Ports {
		if len(at) > 0 {
			b.ports[int(port.Num())] = at[0].HostPort
		}
	}
	for _, p := range b.form.ports {
		if b.ports[p] == "" && c.State.Running {
			return fmt.Errorf("port %d of %s is not published", p, b.part)
		}
	}
	return nil
}

func (b *box) inspect(ctx context.Context) (*container.InspectResponse, error) {
	r, err := b.d.ContainerInspect(ctx, b.id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fmt.Errorf("inspect container %s: %w", b.part, err)
	}
	if r.Container.State == nil || r.Container.NetworkSettings == nil {
		return nil, fmt.Errorf("inspect container %s: the answer has no state", b.part)
	}
	return &r.Container, nil
}

// inside is the address in the stack's network, with a port.
func (b *box) inside(port int) string { return net.JoinHostPort(b.address(), strconv.Itoa(port)) }

func (b *box) address() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ip
}

func (b *box) published(port int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ports[port]
}

// hostPid is PID 1 of the box as the daemon's machine numbers it.
func (b *box) hostPid() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pid
}

// remove kills the box and takes it away with its volumes.
func (b *box) remove(ctx context.Context) error {
	if b == nil || b.id == "" {
		return nil
	}
	_, err := b.d.ContainerRemove(ctx, b.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !harmless(err) {
		return fmt.Errorf("remove container %s: %w", b.part, err)
	}
	return nil
}

// plain cuts the stutter of nested messages: "create container: container
// create: Error response from daemon: …", and the names of those that handed it on.
func plain(err error) string {
	text := oneLine(err.Error())
	for _, noise := range []string{"Error response from daemon: ", "generic container: ", "create container: ",
		"start container: ", "container create: ", "container start: ", "failed to create task for container: ",
		"failed to create shim task: ", "OCI runtime create failed: ", "runc create failed: ",
		"unable to start container process: ", "error during container init: "} {
		text = strings.ReplaceAll(text, noise, "")
	}
	text = strings.TrimSuffix(text, ": unknown") // the class of an error that runc gives none
	return text
}
