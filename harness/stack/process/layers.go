package process

import (
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/settings"
)

// Layers implements [chain.Layered]: the grace that we give it, and what the command
// line of its process manager says.
func (r *replica) Layers() []stack.Layer {
	layers := []stack.Layer{{Name: "app", Settings: map[string]string{"grace after SIGTERM": r.spec.App.Grace.String()}}}
	if name, set := r.server(); name != "" {
		layers = append(layers, stack.Layer{Name: name, Settings: set})
	}
	return layers
}

// server finds the process manager in the command that we were given or, where
// that is a wrapper, in what it has started.
func (r *replica) server() (string, map[string]string) {
	place := settings.Place{Env: append(os.Environ(), r.spec.App.Env...), Read: func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(r.spec.App.Dir, name)
		}
		return os.ReadFile(name)
	}}
	name, set := place.Command(settings.Shell(r.spec.App.Command))
	if name != "" || r.spec.App.Origin != nil {
		return name, set
	}
	proc, err := r.running()
	if err != nil {
		return "", nil
	}
	for _, p := range proc.tree() {
		if name, set := place.Command(arguments(p.Pid)); name != "" {
			return name, set
		}
	}
	return "", nil
}
