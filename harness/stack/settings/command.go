package settings

import (
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
		defaults: map[string]string{"timeout_keep_alive": "5", "timeout_graceful_shutdown": "none", "limit_concurrency": "none",
			"limit_max_requests": "none", "workers": "1"}},
}

// Command reads the arguments of a process. name is "gunicorn" or "uvicorn", ""
// where it is neither. What a configuration file or the environment may add to a
// command line is not seen: "config" names the file.
func Command(argv []string) (name string, set map[string]string) {
	for _, s := range servers {
		at := slices.IndexFunc(argv, func(word string) bool { return path.Base(word) == s.name })
		if at < 0 {
			continue
		}
		set := maps.Clone(s.defaults)
		for i := at + 1; i < len(argv); i++ {
			flag, value, joined := cutFlag(argv[i])
			if !joined && i+1 < len(argv) {
				value = argv[i+1]
			}
			if setting := s.flags[flag]; setting != "" && value != "" {
				set[setting] = value
			}
		}
		return s.name, set
	}
	return "", nil
}

// cutFlag parts "--timeout=3" and "-t3".
func cutFlag(word string) (flag, value string, joined bool) {
	if len(word) > 2 && word[0] == '-' && word[1] != '-' {
		return word[:2], word[2:], true
	}
	return strings.Cut(word, "=")
}

// Shell parts a command line that is one string, as in `sh -c "gunicorn …"`,
// into words. Quotes are dropped; nothing is expanded.
func Shell(argv []string) []string {
	var words []string
	for _, a := range argv {
		for w := range strings.FieldsSeq(a) {
			words = append(words, strings.Trim(w, `"'`))
		}
	}
	return words
}
