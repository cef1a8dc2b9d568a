package chain

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// defaultGrace is that of [stack.App].
const defaultGrace = 10 * time.Second

// Prepare fills in the defaults of a spec, makes its log folder and refuses toxics
// that would do nothing. refuse says what this machine cannot run; it is called when
// the defaults stand and before anything is made.
func Prepare(spec *stack.Spec, refuse func() error) error {
	if spec.Now == nil {
		began := time.Now()
		spec.Now = func() time.Duration { return time.Since(began) }
	}
	if spec.Notify == nil {
		spec.Notify = func(stack.Event) {}
	}
	spec.Edge.Form = cmp.Or(spec.Edge.Form, stack.EdgeNone)
	spec.Path = cmp.Or(spec.Path, "/")
	spec.Replicas = max(spec.Replicas, 1)
	spec.App.Start = cmp.Or(spec.App.Start, stack.DefaultStart)
	spec.App.Grace = cmp.Or(spec.App.Grace, defaultGrace)
	if spec.App.Origin != nil {
		spec.App.Health = cmp.Or(spec.App.Health, "/healthz")
	}
	if err := refuse(); err != nil {
		return err
	}
	for _, toxics := range spec.Toxics {
		for _, t := range toxics {
			if err := t.Check(); err != nil {
				return err
			}
		}
	}
	if spec.LogDir == "" {
		return fmt.Errorf("open stack: no log folder is given")
	}
	dir, err := filepath.Abs(spec.LogDir)
	if err != nil {
		return fmt.Errorf("find log folder: %w", err)
	}
	spec.LogDir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make log folder: %w", err)
	}
	return nil
}
