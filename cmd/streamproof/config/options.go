package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Options are the harness's options as far as the file gives them: all but the
// scenarios, which are still names.
func (f *File) Options() harness.Options {
	return harness.Options{
		App:        f.app(),
		Load:       f.Load.options(),
		Seed:       f.Seed,
		Strict:     f.Strict,
		GapLimit:   time.Duration(f.Limits.Gap),
		FirstLimit: time.Duration(f.Limits.FirstEvent), ProgressLimit: time.Duration(f.Limits.Progress),
		Total:      time.Duration(f.Limits.Total),
		Thresholds: f.Thresholds.options(),
		AllowHosts: f.AllowHosts,
	}
}

func (f *File) app() harness.App {
	a := &f.App
	return harness.App{
		Image: a.Image, Build: f.beside(a.Build), Compose: stack.Compose{File: f.beside(a.Compose), Service: a.Service},
		Command: a.Command, URL: a.URL, Direct: a.Direct, Port: int(a.Port), Health: a.Health,
		Start: time.Duration(a.Start), Grace: time.Duration(a.Grace), Env: assignments(a.Env), Dir: f.dir(),
		Replicas: int(a.Replicas), Workers: int(a.Workers), Memory: int64(a.Memory), CPUs: a.CPUs,
		Pids: int64(a.Pids), Shm: int64(a.Shm), Ledger: a.Ledger,
		Edge: f.edge(f.Edge),
		Logs: f.logs(), Stream: f.stream(), TLS: f.tls(),
	}
}

func (f *File) stream() harness.Stream {
	s := f.Stream.options()
	s.Spec = f.spec()
	return s
}

func (f *File) tls() harness.TLS {
	t := f.TLS
	return harness.TLS{Insecure: t.Insecure, CACert: f.beside(t.CACert), Cert: f.beside(t.Cert), Key: f.beside(t.Key), ServerName: t.SNI}
}

// PromptsFile is the path of the file of prompts, "" for none.
func (f *File) PromptsFile() string { return f.beside(f.Stream.Prompts) }

func (f *File) edge(e Edge) stack.Edge {
	return stack.Edge{Form: stack.EdgeForm(e.Form), ReadTimeout: time.Duration(e.ReadTimeout), NginxConf: f.beside(e.NginxConf)}
}

func (s *Stream) options() harness.Stream {
	return harness.Stream{Path: s.Path, Method: s.Method, Headers: s.Headers, Body: s.Body, Dialect: string(s.Dialect),
		Terminal: s.Terminal, Error: s.Error,
		Endless: harness.Endless{For: time.Duration(s.Endless.For), Events: int(s.Endless.Events)}, Sentinel: s.Sentinel, Length: int64(s.Length), SHA256: s.SHA256,
		PlainPath: s.PlainPath, PlainBody: s.PlainBody, Order: s.Order, Owner: s.Owner, NoFollow: s.NoFollow, Longest: time.Duration(s.Longest), Silence: time.Duration(s.Silence)}
}

func (l Load) options() harness.Load {
	return harness.Load{Streams: int(l.Streams), Total: int(l.Total), Rate: float64(l.Rate), Ramp: time.Duration(l.Ramp), Duration: time.Duration(l.Duration)}
}

func (t Thresholds) options() record.Thresholds {
	return record.Thresholds{FirstEvent: time.Duration(t.FirstEvent), MaxGap: time.Duration(t.MaxGap), Total: time.Duration(t.Total), Slowdown: float64(t.Slowdown)}
}

// beside makes a path of the file relative to its folder.
func (f *File) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.Path), path)
}

// dir is where a command runs: beside the file unless it says otherwise.
func (f *File) dir() string {
	if f.App.Dir == "" && len(f.App.Command) > 0 {
		return filepath.Dir(f.Path)
	}
	return f.beside(f.App.Dir)
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

func assignments(env map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
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
