package container

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A composition is a service of a compose file, with what it depends on, as Compose
// itself reads it: .env, variables, include, extends, profiles and all.
type composition struct {
	*types.Project
	service  string
	order    []string // what the service depends on, deepest first
	warnings []record.Fact
}

// CheckCompose reads a compose file and refuses what a service of it has that is not
// carried over: the error is a [*Refused]. The warnings are Compose's own, such as of
// variables that are not set, and those of keys that are left out.
func CheckCompose(ctx context.Context, c stack.Compose) (warnings []record.Fact, err error) {
	file, err := readCompose(ctx, c)
	if err != nil {
		return nil, err
	}
	return file.warnings, nil
}

// Services lists the services of a compose file, sorted, also those of profiles that
// are not active.
func Services(path string) ([]string, error) {
	project, _, err := loadCompose(context.Background(), path, cli.WithoutEnvironmentResolution,
		cli.WithConsistency(false))
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(project.AllServices())), nil
}

// readCompose reads a service and what it depends on.
func readCompose(ctx context.Context, c stack.Compose) (*composition, error) {
	names, err := Services(c.File)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, c.Service) {
		return nil, fmt.Errorf("read %s: no service %q (it has %s)", c.File, c.Service, strings.Join(names, ", "))
	}
	project, warnings, err := loadCompose(ctx, c.File, cli.WithSelectedServices(c.Service))
	if err != nil {
		return nil, err
	}
	f := &composition{Project: project, service: c.Service}
	for _, line := range warnings {
		f.warnings = append(f.warnings, record.Quoted(line))
	}
	if f.order, err = f.dependencies(c.Service, nil); err == nil {
		err = f.screen()
	}
	if err == nil {
		err = f.files()
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.File, err)
	}
	return f, nil
}

// composing is held while a file is read: its reader warns through a logger that all
// of the program share.
var composing sync.Mutex

// loadCompose reads a file as `docker compose -f FILE` does.
func loadCompose(ctx context.Context, path string, more ...cli.ProjectOptionsFn) (p *types.Project, warnings []string,
	err error) {
	options, err := composeOptions(path, more...)
	if err != nil {
		return nil, nil, err
	}
	composing.Lock()
	defer composing.Unlock()
	heard := &hearer{}
	log := logrus.StandardLogger()
	out, hooks := log.Out, log.ReplaceHooks(logrus.LevelHooks{logrus.WarnLevel: {heard}})
	log.SetOutput(io.Discard)
	defer func() { log.SetOutput(out); log.ReplaceHooks(hooks) }()
	if p, err = options.LoadProject(ctx); err != nil {
		return nil, nil, composeError(path, err)
	}
	return p, heard.lines, nil
}

func composeOptions(path string, more ...cli.ProjectOptionsFn) (*cli.ProjectOptions, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read compose file: %w", err)
	}
	// The order counts: .env lies beside the file, the environment goes before it, and
	// both may say which profiles are active.
	fns := append([]cli.ProjectOptionsFn{cli.WithWorkingDirectory(filepath.Dir(abs)), cli.WithOsEnv, cli.WithEnvFiles(),
		cli.WithDotEnv,
		cli.WithDefaultProfiles(), cli.WithResolvedPaths(true), cli.WithDiscardEnvFile}, more...)
	options, err := cli.NewProjectOptions([]string{abs}, fns...)
	if err != nil {
		return nil, composeError(path, err)
	}
	return options, nil
}

// composeError is the reader's message in one line. It often names the file already.
func composeError(path string, err error) error {
	return &composeFault{path: path, cause: err}
}

type composeFault struct {
	path  string
	cause error
}

func (e *composeFault) Error() string {
	text := oneLine(e.cause.Error())
	if abs, err := filepath.Abs(e.path); err == nil {
		text = strings.TrimPrefix(text, abs+": ")
		text = strings.ReplaceAll(text, filepath.Dir(abs)+string(filepath.Separator), "")
	}
	return "read " + e.path + ": " + strings.TrimPrefix(text, "validating "+filepath.Base(e.path)+": ")
}

func (e *composeFault) Unwrap() error { return e.cause }

// A hearer keeps what the reader warns of.
type hearer struct{ lines []string }

// Levels implements [logrus.Hook].
func (h *hearer) Levels() []logrus.Level { return []logrus.Level{logrus.WarnLevel} }

// Fire implements [logrus.Hook].
func (h *hearer) Fire(e *logrus.Entry) error {
	if line := oneLine(e.Message); !slices.Contains(h.lines, line) {
		h.lines = append(h.lines, line)
	}
	return nil
}

// dependencies lists what a service depends on, deepest first.
func (f *composition) dependencies(name string, path []string) (order []string, err error) {
	if slices.Contains(path, name) {
		return nil, fmt.Errorf("service %s depends on itself by way of %s", name, strings.Join(path, ", "))
	}
	for _, dep := range slices.Sorted(maps.Keys(f.Project.Services[name].DependsOn)) {
		if _, ok := f.Project.Services[dep]; !ok {
			if !f.Project.Services[name].DependsOn[dep].Required {
				continue
			}
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

// files looks for the files of this machine that services are given.
func (f *composition) files() error {
	for _, name := range append(slices.Clone(f.order), f.service) {
		service, given := f.Project.Services[name], form{files: map[string][]byte{}}
		err := given.mount(&service)
		if err == nil {
			err = given.hand(f, &service)
		}
		if err != nil {
			return fmt.Errorf("services.%s: %w", name, err)
		}
	}
	return nil
}
