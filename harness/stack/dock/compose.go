package dock

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness/stack"
)

// A composeFile is the part of a compose file that says what a service is made
// of. How its services are wired is our business: the chain replaces it.
type composeFile struct {
	Services map[string]composeService `yaml:"services"`
}

type composeService struct {
	Image       string       `yaml:"image"`
	Build       composeBuild `yaml:"build"`
	Command     words        `yaml:"command"`
	Entrypoint  words        `yaml:"entrypoint"`
	Environment pairs        `yaml:"environment"`
	EnvFile     words        `yaml:"env_file"`
	Ports       []any        `yaml:"ports"`
	Expose      []any        `yaml:"expose"`
	WorkingDir  string       `yaml:"working_dir"`
	User        string       `yaml:"user"`
	Volumes     []any        `yaml:"volumes"`
	DependsOn   any          `yaml:"depends_on"`
	MemLimit    string       `yaml:"mem_limit"`
	CPUs        float64      `yaml:"cpus"`
	PidsLimit   int64        `yaml:"pids_limit"`
	ShmSize     string       `yaml:"shm_size"`
	Deploy      struct {
		Resources struct {
			Limits struct {
				Memory string `yaml:"memory"`
				CPUs   string `yaml:"cpus"`
				Pids   int64  `yaml:"pids"`
			} `yaml:"limits"`
		} `yaml:"resources"`
	} `yaml:"deploy"`
}

// compose plans the app as a service of a compose file, and what that service
// depends on as helpers.
func (d *daemon) compose(ctx context.Context, c stack.Compose, p *plan) error {
	file, err := readCompose(c.File)
	if err != nil {
		return err
	}
	service, ok := file.Services[c.Service]
	if !ok {
		return fmt.Errorf("read %s: no service %q (it has %s)", c.File, c.Service, strings.Join(slices.Sorted(maps.Keys(file.Services)), ", "))
	}
	folder := filepath.Dir(c.File)
	p.what = "service " + c.Service + " of " + filepath.Base(c.File)
	p.names = append(p.names, c.Service)
	if p.form, err = d.service(ctx, folder, c.Service, &service); err != nil {
		return err
	}
	if p.port == 0 {
		p.port = service.port()
	}
	order, err := file.dependencies(c.Service, nil)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.File, err)
	}
	for _, name := range order {
		helper := file.Services[name]
		f, err := d.service(ctx, folder, name, &helper)
		if err != nil {
			return err
		}
		if err := d.ensureImage(ctx, f.image); err != nil {
			return err
		}
		f.part, f.aliases = "helper "+name, []string{name}
		p.helpers = append(p.helpers, f)
	}
	return nil
}

// Services lists the services of a compose file, sorted.
func Services(path string) ([]string, error) {
	file, err := readCompose(path)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(file.Services)), nil
}

func readCompose(path string) (*composeFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read compose file: %w", err)
	}
	var file composeFile
	if err := yaml.Unmarshal([]byte(interpolate(string(data), os.LookupEnv)), &file); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("read %s: %s", path, first)
	}
	return &file, nil
}

// service turns one service into a form.
func (d *daemon) service(ctx context.Context, folder, name string, c *composeService) (f form, err error) {
	f = form{image: c.Image, entrypoint: c.Entrypoint, cmd: c.Command, dir: c.WorkingDir, user: c.User}
	if f.image == "" && c.Build.Context == "" {
		return f, fmt.Errorf("read service %s: it has neither image nor build", name)
	}
	if c.Build.Context != "" {
		f.image, err = d.build(ctx, recipe{folder: filepath.Join(folder, c.Build.Context), dockerfile: c.Build.Dockerfile,
			target: c.Build.Target, args: c.Build.Args.pointers()})
		if err != nil {
			return f, err
		}
	}
	for _, path := range c.EnvFile {
		lines, err := readEnvFile(filepath.Join(folder, path))
		if err != nil {
			return f, fmt.Errorf("read service %s: %w", name, err)
		}
		f.env = append(f.env, lines...)
	}
	f.env = append(f.env, c.Environment.list()...)
	if f.binds, f.volumes, err = binds(folder, c.Volumes); err != nil {
		return f, fmt.Errorf("read service %s: %w", name, err)
	}
	return f, c.limits(name, &f)
}

// limits reads both of compose's ways to say them.
func (c *composeService) limits(name string, f *form) (err error) {
	lim := c.Deploy.Resources.Limits
	for _, size := range []struct {
		text string
		to   *int64
	}{{c.MemLimit, &f.memory}, {lim.Memory, &f.memory}, {c.ShmSize, &f.shm}} {
		if size.text == "" {
			continue
		}
		if *size.to, err = parseSize(size.text); err != nil {
			return fmt.Errorf("read service %s: %w", name, err)
		}
	}
	f.cpus, f.pids = c.CPUs, max(c.PidsLimit, lim.Pids)
	if lim.CPUs != "" {
		if f.cpus, err = strconv.ParseFloat(lim.CPUs, 64); err != nil {
			return fmt.Errorf("read service %s: cpus: %w", name, err)
		}
	}
	return nil
}

// port is where the service listens: the first that it publishes or exposes.
func (c *composeService) port() int {
	for _, entry := range slices.Concat(c.Ports, c.Expose) {
		if m, ok := entry.(map[string]any); ok {
			entry = m["target"]
		}
		s := fmt.Sprint(entry)
		s, _, _ = strings.Cut(s[strings.LastIndexByte(s, ':')+1:], "/")
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
	}
	return 0
}

// dependencies lists what a service depends on, deepest first.
func (f *composeFile) dependencies(name string, path []string) (order []string, err error) {
	if slices.Contains(path, name) {
		return nil, fmt.Errorf("service %s depends on itself by way of %s", name, strings.Join(path, ", "))
	}
	for _, dep := range dependsOn(f.Services[name].DependsOn) {
		if _, ok := f.Services[dep]; !ok {
			return nil, fmt.Errorf("service %s depends on %s, which is not there", name, dep)
		}
		below, err := f.dependencies(dep, append(path, name))
		if err != nil {
			return nil, err
		}
		for _, d := range append(below, dep) {
			if !slices.Contains(order, d) {
				order = append(order, d)
			}
		}
	}
	return order, nil
}

func dependsOn(v any) (names []string) {
	switch v := v.(type) {
	case []any:
		for _, n := range v {
			names = append(names, fmt.Sprint(n))
		}
	case map[string]any:
		names = slices.Sorted(maps.Keys(v))
	}
	return names
}
