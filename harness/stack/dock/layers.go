package dock

import (
	"maps"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// Layers implements [stack.Stack].
func (s *Stack) Layers() []stack.Layer {
	list := s.spec.Balancer()
	list = append(list, stack.Layer{Name: "toxiproxy edge", Settings: toxicSettings(s.spec.Toxics[stack.EdgeLink])})
	if s.edge != nil {
		list = append(list, stack.Layer{Name: "nginx", Settings: maps.Clone(s.edge.settings)})
	}
	list = append(list, stack.Layer{Name: "toxiproxy upstream", Settings: toxicSettings(s.spec.Toxics[stack.UpstreamLink])},
		stack.Layer{Name: "app", Settings: s.appSettings()})
	return list
}

func toxicSettings(toxics []stack.Toxic) map[string]string {
	set := map[string]string{"reset from behind it": "passed on as FIN"}
	for _, t := range toxics {
		for key, value := range t.Attr {
			set[t.Type+"."+key] = text(value)
		}
	}
	return set
}

// appSettings are the container's limits and what its command line says of
// timeouts.
func (s *Stack) appSettings() map[string]string {
	f := &s.plan.form
	set := map[string]string{"grace after SIGTERM": s.spec.App.Grace.String()}
	if f.memory > 0 {
		set["container.memory"] = bytesText(f.memory)
	}
	if f.cpus > 0 {
		set["container.cpus"] = text(f.cpus)
	}
	if f.pids > 0 {
		set["container.pids"] = text(f.pids)
	}
	maps.Copy(set, s.watch.command())
	return set
}

// serverFlags are the options of gunicorn and uvicorn that bear on streams, long
// and short.
var serverFlags = map[string]string{
	"--timeout": "timeout", "-t": "timeout", "--graceful-timeout": "graceful_timeout", "--keep-alive": "keepalive",
	"--max-requests": "max_requests", "--max-requests-jitter": "max_requests_jitter", "--worker-class": "worker_class",
	"-k": "worker_class", "--workers": "workers", "-w": "workers", "--threads": "threads",
	"--timeout-keep-alive": "timeout_keep_alive", "--timeout-graceful-shutdown": "timeout_graceful_shutdown",
	"--limit-concurrency": "limit_concurrency", "--limit-max-requests": "limit_max_requests", "--backlog": "backlog",
}

// gunicornDefaults hold where its command line is silent.
var gunicornDefaults = map[string]string{"timeout": "30", "graceful_timeout": "30", "worker_class": "sync", "workers": "1", "max_requests": "0"}

// readCommand reads a command line, also one that a file of settings may
// overrule: it is what it says, and the report calls it that.
func readCommand(command string) map[string]string {
	words := strings.Fields(command)
	set := map[string]string{"command": command}
	prefix := ""
	for _, server := range []string{"gunicorn", "uvicorn"} {
		if prefix == "" && slices.ContainsFunc(words, func(w string) bool { return w == server || strings.HasSuffix(w, "/"+server) }) {
			prefix = server
		}
	}
	if prefix == "" {
		return set
	}
	if prefix == "gunicorn" {
		for name, value := range gunicornDefaults {
			set[prefix+"."+name] = value
		}
	}
	for i, w := range words {
		flag, value, joined := strings.Cut(w, "=")
		name, known := serverFlags[flag]
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		if known && value != "" {
			set[prefix+"."+name] = value
		}
	}
	return set
}
