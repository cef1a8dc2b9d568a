package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/container"
	"github.com/streamproof/streamproof/scenarios"
)

// nosuch is what the Docker stack says of an image that cannot be had.
var nosuch = &container.ImageError{Image: "acme/nosuch:ci",
	Tried: []string{"not on this machine", "pull failed: no such host"}}

// A failing opener opens so many stacks, and then none.
type failing struct {
	stack.Opener
	good, asked int
}

func (f *failing) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	if f.asked++; f.asked > f.good {
		return nil, nosuch
	}
	return f.Opener.Open(ctx, spec)
}

// A stack that cannot be opened ends the run at once: one line where nothing
// began, and otherwise one reason for each scenario that did not begin, without
// what merely follows from it.
func TestUnopened(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		good        int
		want, lacks []string
	}{
		"the first": {0, nil, []string{"\n"}},
		"a later one": {1, []string{"itself failed: get image acme/nosuch:ci: not on this machine; pull failed: no such host",
			"the run ended in cut", "report: "},
			[]string{"judged streams", "longer streams", "see the run's notes", "the fault never struck"}},
	} {
		t.Run(name, func(t *testing.T) {
			local, err := scenarios.Opener(harness.App{})
			if err != nil {
				t.Fatal(err)
			}
			all := scenarios.All()
			o := harness.Options{Dir: filepath.Join(t.TempDir(), "run"), Seed: 1, Load: harness.Load{Streams: 3},
				Opener: &failing{Opener: local, good: tt.good}}
			for _, id := range []string{"control", "cut", "latency"} {
				o.Scenarios = append(o.Scenarios, all[slices.IndexFunc(all, func(s harness.Scenario) bool { return s.ID == id })])
			}
			report, err := scenarios.Execute(t.Context(), o)
			if asked := o.Opener.(*failing).asked; asked != tt.good+1 {
				t.Errorf("%d stacks were asked for after the first that could not be had", asked-tt.good-1)
			}
			var out strings.Builder
			in := &input{from: &config.File{}, runFlags: runFlags{noColor: true}}
			if err = in.finish(t.Context(), &out, &out, o, report, err); !errors.Is(err, nosuch) {
				t.Errorf("error: %v", err)
			}
			text := strings.Join(strings.Fields(out.String()), " ")
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("lacks %q", w)
				}
			}
			for _, w := range tt.lacks {
				if strings.Contains(out.String(), w) || strings.Contains(text, w) {
					t.Errorf("says %q", w)
				}
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}
