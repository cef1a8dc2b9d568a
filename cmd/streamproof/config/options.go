package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness"
)

// Options are the harness's options as far as the file gives them: all but the
// scenarios, which are still names.
func (f *File) Options() harness.Options {
	return harness.Options{
		App:  f.app(),
		Load: f.Load, LoadWorkers: f.LoadWorkers, Fleet: f.Fleet,
		Seed:       f.Seed,
		Strict:     f.Strict,
		GapLimit:   time.Duration(f.Limits.Gap),
		FirstLimit: time.Duration(f.Limits.FirstEvent), ProgressLimit: time.Duration(f.Limits.Progress),
		Total:      time.Duration(f.Limits.Total),
		Thresholds: f.Thresholds,
		AllowHosts: f.AllowHosts,
		SLO:        f.SLO,
	}
}

func (f *File) app() harness.App {
	a := f.App
	a.Edge, a.Logs, a.Stream, a.TLS = f.Edge, f.logs(), f.Stream.Stream, f.TLS.TLS
	a.Stream.Spec = f.spec()
	if a.Dir == "" && len(a.Command) > 0 {
		a.Dir = filepath.Dir(f.Path) // a command runs beside the file unless it says otherwise
	}
	return a
}

// PromptsFile is the path of the file of prompts, "" for none.
func (f *File) PromptsFile() string { return f.Stream.Prompts }

// beside makes a path of the file relative to its folder.
func (f *File) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.Path), path)
}

func (f *File) logs() []harness.LogFile {
	var logs []harness.LogFile
	for _, kind := range slices.Sorted(maps.Keys(f.Logs)) {
		for _, path := range f.Logs[kind] {
			logs = append(logs, harness.LogFile{Kind: kind, Path: f.beside(path)})
		}
	}
	return logs
}

// Locate moves an error to the place in the file that path names, such as
// "load.streams" or "scenarios[1]". Where the file has no such place, the
// nearest section around it is shown.
func (f *File) Locate(path, problem, fix string) error {
	for at := path; at != ""; at = parent(at) {
		p, err := yaml.PathString("$." + at)
		if err != nil {
			continue
		}
		if n, err := p.FilterFile(f.root); err == nil && n != nil {
			return f.at(n.GetToken(), problem, fix)
		}
	}
	return &Error{UsageError: harness.UsageError{Place: fmt.Sprintf("%s: %s", f.name(), path), Problem: problem, Fix: fix}}
}

func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
