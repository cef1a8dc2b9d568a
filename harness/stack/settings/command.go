package settings

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
)

// A server is a process manager whose flags we read.
type server struct {
	name     string
	flags    map[string]string // flag to setting
	defaults map[string]string
}

// servers in the order in which they are looked for: gunicorn runs uvicorn's
// workers, and its flags then count.
var servers = []server{
	{name: "gunicorn", // docs.gunicorn.org, settings
		flags: map[string]string{
			"--timeout": "timeout", "-t": "timeout", "--graceful-timeout": "graceful_timeout", "--keep-alive": "keepalive",
			"--max-requests": "max_requests", "--max-requests-jitter": "max_requests_jitter", "--worker-class": "worker_class",
			"-k": "worker_class", "--workers": "workers", "-w": "workers", "--threads": "threads", "--backlog": "backlog",
			"--worker-connections": "worker_connections", "--config": "config", "-c": "config",
		},
		defaults: map[string]string{"timeout": "30", "graceful_timeout": "30", "keepalive": "2", "worker_class": "sync",
			"workers": "1", "threads": "1", "max_requests": "0"}},
	{name: "uvicorn", // www.uvicorn.org, settings
		flags: map[string]string{
			"--timeout-keep-alive": "timeout_keep_alive", "--timeout-graceful-shutdown": "timeout_graceful_shutdown",
			"--limit-concurrency": "limit_concurrency", "--limit-max-requests": "limit_max_requests", "--workers": "workers",
			"--backlog": "backlog",
		},
		defaults: map[string]string{"timeout_keep_alive": "5", "timeout_graceful_shutdown": "none",
			"limit_concurrency":  "none",
			"limit_max_requests": "none", "workers": "1"}},
}

// A Place is where a command runs: what else it reads than its arguments. The zero
// value is one that we cannot look into.
type Place struct {
	Env  []string                          // NAME=value
	Read func(name string) ([]byte, error) // a file, relative to where the command runs
}

// Command reads the arguments of a process in a place that we cannot look into.
func Command(argv []string) (name string, set map[string]string) { return Place{}.Command(argv) }

// Command reads the arguments of a process. name is "gunicorn" or "uvicorn", ""
// where it is neither. gunicorn also obeys a file and its environment, in this
// order: its defaults, the file, GUNICORN_CMD_ARGS, the arguments. What the file
// sets in a way that only Python can work out is left out, and so are all
// defaults where the file cannot be read: they may be anything.
func (p Place) Command(argv []string) (name string, set map[string]string) {
	for _, s := range servers {
		at := slices.IndexFunc(argv, func(word string) bool { return path.Base(word) == s.name })
		if at < 0 {
			continue
		}
		given := s.read(argv[at+1:])
		set := maps.Clone(s.defaults)
		if s.name == "gunicorn" {
			env := s.read(Shell([]string{p.env("GUNICORN_CMD_ARGS")}))
			if n := p.env("WEB_CONCURRENCY"); n != "" {
				set["workers"] = n
			}
			p.configure(set, cmp.Or(given["config"], env["config"]))
			maps.Copy(set, env)
		}
		maps.Copy(set, given)
		return s.name, set
	}
	return "", nil
}

// read takes the settings out of arguments.
func (s *server) read(args []string) map[string]string {
	set := map[string]string{}
	for i, arg := range args {
		flag, value, joined := cutFlag(arg)
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		if setting := s.flags[flag]; setting != "" && value != "" {
			set[setting] = value
		}
	}
	return set
}

func (p Place) env(name string) string {
	value := ""
	for _, e := range p.Env {
		if n, v, ok := strings.Cut(e, "="); ok && n == name {
			value = v // the last one counts
		}
	}
	return value
}

// cutFlag parts "--timeout=3" and "-t3".
func cutFlag(word string) (flag, value string, joined bool) {
	if len(word) > 2 && word[0] == '-' && word[1] != '-' {
		return word[:2], word[2:], true
	}
	return strings.Cut(word, "=")
}
