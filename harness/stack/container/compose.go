package container

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

	"github.com/streamproof/streamproof/harness/stack"
)

// compose plans the app as a service of a compose file, and what that service
// depends on as helpers. How services are wired is our business: the chain replaces it.
func (d *daemon) compose(ctx context.Context, c stack.Compose, p *plan) error {
	file, err := readCompose(ctx, c)
	if err != nil {
		return err
	}
	p.what = "service " + c.Service + " of " + filepath.Base(c.File)
	app := file.Project.Services[c.Service]
	p.names = append(p.names, file.names(&app)...)
	if p.form, err = d.service(ctx, file, &app); err != nil {
		return err
	}
	if p.port == 0 {
		p.port = listens(&app)
	}
	p.needs = needs(&app, file.order)
	for _, name := range file.order {
		service := file.Project.Services[name]
		f, err := d.service(ctx, file, &service)
		if err != nil {
			return err
		}
		if err := d.ensureImage(ctx, f.image); err != nil {
			return err
		}
		f.part, f.aliases = "helper "+name, file.names(&service)
		f.restart = restartOf(&service)
		p.helpers = append(p.helpers, dependency{name: name, form: f, needs: needs(&service, file.order)})
	}
	p.volumes = file.volumes(p)
	return nil
}

// A volume is one that the services of a plan share under a name.
type volume struct {
	name            string // in the file
	labels, options map[string]string
}

// volumes are those that the app and its helpers mount by a name.
func (f *composition) volumes(p *plan) (list []volume) {
	mounts := slices.Clone(p.form.mounts)
	for _, h := range p.helpers {
		mounts = append(mounts, h.mounts...)
	}
	there := map[string]bool{}
	for _, m := range mounts {
		there[m.Source] = m.Source != ""
	}
	delete(there, "")
	for _, name := range slices.Sorted(maps.Keys(there)) {
		v := f.Project.Volumes[name]
		list = append(list, volume{name: name, labels: v.Labels, options: v.DriverOpts})
	}
	return list
}

// stopGrace is what a compose file leaves its service between SIGTERM and SIGKILL, which
// may be nothing; false where it does not say, or cannot be read, which is somebody else's
// to say.
func stopGrace(ctx context.Context, c stack.Compose) (time.Duration, bool) {
	if c == (stack.Compose{}) {
		return 0, false
	}
	file, err := readCompose(ctx, c)
	if err != nil {
		return 0, false
	}
	grace := file.Project.Services[c.Service].StopGracePeriod
	return lasts(grace), grace != nil
}

// names are those by which the others find a service.
func (f *composition) names(s *types.ServiceConfig) []string {
	names := []string{s.Name}
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(s.ContainerName)
	add(s.Hostname)
	for _, network := range slices.Sorted(maps.Keys(s.Networks)) {
		if n := s.Networks[network]; n != nil {
			for _, alias := range n.Aliases {
				add(alias)
			}
		}
	}
	for _, other := range append(slices.Clone(f.order), f.service) { // "db:database" is the other's word for it
		for _, link := range f.Project.Services[other].Links {
			if name, alias, ok := strings.Cut(link, ":"); ok && name == s.Name {
				add(alias)
			}
		}
	}
	return names
}

// service turns one service into a form.
func (d *daemon) service(ctx context.Context, file *composition, s *types.ServiceConfig) (f form, err error) {
	f = form{image: s.Image, entrypoint: s.Entrypoint, cmd: s.Command, dir: s.WorkingDir, user: s.User,
		hostname: s.Hostname, domain: s.DomainName, labels: s.Labels,
		stopSignal: s.StopSignal, tty: s.Tty, stdin: s.StdinOpen, health: checkOf(s), files: map[string][]byte{}}
	if d != nil && !sameMachine(s.Platform, d.os, d.arch) {
		return f, &Refused{Key: "services." + s.Name + ".platform",
			Why: fmt.Sprintf("Docker runs on %s/%s here, and %s is asked for", d.os, d.arch, s.Platform),
			Fix: "take it out for this test, or point DOCKER_HOST at a Docker of that platform"}
	}
	if s.Build != nil {
		if f.image, err = d.build(ctx, recipeOf(s.Build)); err != nil {
			return f, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if value := s.Environment[name]; value != nil {
			f.env = append(f.env, name+"="+*value)
		}
	}
	if err = f.mount(s); err == nil {
		err = f.hand(file, s)
	}
	if err != nil {
		return f, fmt.Errorf("read service %s: %w", s.Name, err)
	}
	f.limit(s)
	f.tune = func(h *container.HostConfig) { tune(h, s) }
	return f, nil
}

// recipeOf is what an image is built from.
func recipeOf(b *types.BuildConfig) recipe {
	r := recipe{folder: b.Context, dockerfile: b.Dockerfile, inline: b.DockerfileInline, target: b.Target, args: b.Args,
		network: b.Network, shm: int64(b.ShmSize)}
	r.hosts = slices.Sorted(slices.Values(b.ExtraHosts.AsList(":")))
	return r
}

// mount carries volumes over. A named one is that of this stack ([Stack.makeVolumes]), and
// goes with it: a test must not find what the last one left.
func (f *form) mount(s *types.ServiceConfig) error {
	for _, v := range s.Volumes {
		switch v.Type {
		case types.VolumeTypeBind:
			if _, err := os.Stat(v.Source); err != nil && v.Bind != nil && !bool(v.Bind.CreateHostPath) {
				return err
			}
			f.binds = append(f.binds, bindOf(&v))
		case types.VolumeTypeVolume:
			m := mount.Mount{Type: mount.TypeVolume, Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly}
			if v.Volume != nil {
				m.VolumeOptions = &mount.VolumeOptions{NoCopy: v.Volume.NoCopy, Labels: v.Volume.Labels}
			}
			f.mounts = append(f.mounts, m)
		case types.VolumeTypeTmpfs:
			options := []string{}
			if v.ReadOnly {
				options = append(options, "ro")
			}
			if v.Tmpfs != nil && v.Tmpfs.Size > 0 {
				options = append(options, "size="+strconv.FormatInt(int64(v.Tmpfs.Size), 10))
			}
			if v.Tmpfs != nil && v.Tmpfs.Mode > 0 {
				options = append(options, fmt.Sprintf("mode=%o", v.Tmpfs.Mode))
			}
			f.temporary(v.Target, strings.Join(options, ","))
		}
	}
	for _, t := range s.Tmpfs {
		target, options, _ := strings.Cut(t, ":")
		f.temporary(target, options)
	}
	return nil
}

// bindOf is a folder of this machine as Docker reads it: "/srv/data:/data:ro,rslave".
func bindOf(v *types.ServiceVolumeConfig) string {
	var options []string
	if v.ReadOnly {
		options = append(options, "ro")
	}
	if v.Bind != nil {
		for _, option := range []string{v.Bind.SELinux, v.Bind.Propagation} {
			if option != "" {
				options = append(options, option)
			}
		}
	}
	bind := v.Source + ":" + v.Target
	if len(options) > 0 {
		bind += ":" + strings.Join(options, ",")
	}
	return bind
}

func (f *form) temporary(target, options string) {
	if f.tmpfs == nil {
		f.tmpfs = map[string]string{}
	}
	f.tmpfs[target] = options
}

// hand carries configs and secrets over, which are files in the container
// (compose-spec, 08-configs and 09-secrets).
func (f *form) hand(file *composition, s *types.ServiceConfig) error {
	for _, c := range s.Configs {
		at := cmp.Or(c.Target, "/"+c.Source)
		if !path.IsAbs(at) {
			at = "/" + at
		}
		if err := f.handOne("config "+c.Source, at, types.FileObjectConfig(file.Project.Configs[c.Source]),
			file); err != nil {
			return err
		}
	}
	for _, c := range s.Secrets {
		at := cmp.Or(c.Target, c.Source)
		if !path.IsAbs(at) {
			at = "/run/secrets/" + at
		}
		if err := f.handOne("secret "+c.Source, at, types.FileObjectConfig(file.Project.Secrets[c.Source]),
			file); err != nil {
			return err
		}
	}
	return nil
}

func (f *form) handOne(what, at string, c types.FileObjectConfig, file *composition) error {
	switch {
	case c.File != "":
		if _, err := os.Stat(c.File); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		f.binds = append(f.binds, c.File+":"+at+":ro")
	case c.Content != "":
		f.files[at] = []byte(c.Content)
	case c.Environment != "":
		value, ok := file.Project.Environment[c.Environment]
		if !ok {
			return fmt.Errorf("%s: %s is not set in the environment", what, c.Environment)
		}
		f.files[at] = []byte(value)
	default:
		return fmt.Errorf("%s: streamproof carries over only those of a file, a content or an environment variable", what)
	}
	return nil
}

// limit reads both of compose's ways to say limits.
func (f *form) limit(s *types.ServiceConfig) {
	f.memory, f.shm, f.pids, f.cpus = int64(s.MemLimit), int64(s.ShmSize), s.PidsLimit, decimal(s.CPUS)
	f.reserved = int64(s.MemReservation)
	if s.Deploy == nil {
		return
	}
	if least := s.Deploy.Resources.Reservations; least != nil {
		f.reserved = cmp.Or(int64(least.MemoryBytes), f.reserved)
	}
	if s.Deploy.Resources.Limits == nil {
		return
	}
	most := s.Deploy.Resources.Limits
	f.memory, f.pids, f.cpus = cmp.Or(int64(most.MemoryBytes), f.memory), cmp.Or(most.Pids, f.pids),
		cmp.Or(decimal(float32(most.NanoCPUs)), f.cpus)
}

// decimal is a number with the digits that its file has: 0.3 and not 0.30000001192.
func decimal(n float32) float64 {
	exact, _ := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', -1, 32), 64)
	return exact
}

// tune carries over what Docker takes as it stands.
func tune(h *container.HostConfig, s *types.ServiceConfig) {
	h.Init, h.ReadonlyRootfs, h.Privileged = s.Init, s.ReadOnly, s.Privileged
	h.CapAdd, h.CapDrop, h.SecurityOpt, h.GroupAdd, h.Sysctls = s.CapAdd, s.CapDrop, s.SecurityOpt, s.GroupAdd, s.Sysctls
	h.ExtraHosts = append(slices.Clone(h.ExtraHosts), s.ExtraHosts.AsList(":")...)
	slices.Sort(h.ExtraHosts)
	h.Annotations, h.DNSOptions, h.DNSSearch = s.Annotations, s.DNSOpts, s.DNSSearch
	for _, server := range s.DNS {
		if addr, err := netip.ParseAddr(server); err == nil { // the screening has seen to that
			h.DNS = append(h.DNS, addr)
		}
	}
	h.CPUShares, h.CpusetCpus, h.DeviceCgroupRules = s.CPUShares, s.CPUSet, s.DeviceCgroupRules
	for _, d := range s.Devices {
		h.Devices = append(h.Devices, container.DeviceMapping{PathOnHost: d.Source,
			PathInContainer: cmp.Or(d.Target, d.Source), CgroupPermissions: cmp.Or(d.Permissions, "rwm")})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
		l := s.Ulimits[name]
		h.Ulimits = append(h.Ulimits, &container.Ulimit{Name: name, Soft: int64(cmp.Or(l.Soft, l.Single)),
			Hard: int64(cmp.Or(l.Hard, l.Single))})
	}
}

// restartOf is how Docker is to start a service again that has ended. deploy comes first,
// as for Compose. Docker also starts it again when its life is over (see config): where we
// were killed, it is the next [Sweep] that ends it.
func restartOf(s *types.ServiceConfig) (p container.RestartPolicy) {
	name, times, _ := strings.Cut(s.Restart, ":")
	p.MaximumRetryCount, _ = strconv.Atoi(times)
	if s.Deploy != nil && s.Deploy.RestartPolicy != nil {
		name, p.MaximumRetryCount = s.Deploy.RestartPolicy.Condition, 0
		if most := s.Deploy.RestartPolicy.MaxAttempts; most != nil {
			p.MaximumRetryCount = int(*most)
		}
	}
	p.Name = container.RestartPolicyMode(name)
	switch name {
	case "any":
		p.Name = container.RestartPolicyAlways
	case "none":
		p.Name = container.RestartPolicyDisabled
	}
	if p.Name != container.RestartPolicyOnFailure {
		p.MaximumRetryCount = 0 // Docker counts failures only
	}
	return p
}

// listens is where the service listens: the first that it publishes or exposes.
func listens(s *types.ServiceConfig) int {
	for _, p := range s.Ports {
		if p.Target > 0 && (p.Protocol == "" || p.Protocol == "tcp") {
			return int(p.Target)
		}
	}
	for _, p := range s.Expose {
		first, _, _ := strings.Cut(p, "/")
		if n, err := strconv.Atoi(first); err == nil {
			return n
		}
	}
	return 0
}

// sameMachine reports whether a platform of a compose file is the engine's: "linux/amd64",
// "linux/arm64/v8". A part that it leaves out is as it is.
func sameMachine(platform, os, arch string) bool {
	parts := strings.Split(strings.ToLower(platform), "/")
	if len(parts) == 1 && parts[0] != os { // "arm64"
		parts = []string{os, parts[0]}
	}
	other := map[string]string{"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
	same := func(a, b string) bool { return cmp.Or(other[a], a) == cmp.Or(other[b], b) }
	return platform == "" || same(parts[0], os) && (len(parts) == 1 || same(parts[1], arch))
}
