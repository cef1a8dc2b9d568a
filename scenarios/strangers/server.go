//go:build linux

package strangers

import (
	"fmt"
	"strconv"
)

// A Server is an ordinary app under an app server.
type Server struct {
	Name, Language string
	Needs          []string // programs, or "python3:MODULE"
	// Log is the kind under which its log is given to streamproof.
	Log string
	// Launders says that it ends an answer whose producer raised like a whole one: a
	// fact of the software, see TestServersThatLaunder.
	Launders bool
	// FastCGI says that it speaks no HTTP: only some edges can stand before it.
	FastCGI bool
	argv    func(s *Spec, port int, dir string) []string
	// files are written into the folder of the stack.
	files func(s *Spec, port int, dir string) map[string]string
}

const python = "/usr/bin/python3"

// workers are the processes of a server that has a manager for them.
func (s *Spec) workers() string { return strconv.Itoa(max(s.Workers, 1)) }

// threads are the requests that a server with threads works on at a time.
func (s *Spec) threads() string {
	if s.Threads > 0 {
		return strconv.Itoa(s.Threads)
	}
	return "100"
}

func gunicorn(s *Spec, app string, port int, args ...string) []string {
	argv := []string{python, "-m", "gunicorn", app, "-b", fmt.Sprintf("127.0.0.1:%d", port), "-w", s.workers()}
	return append(append(argv, args...), s.Args...)
}

// Servers are all that the matrix knows.
var Servers = []*Server{
	{Name: "uvicorn", Language: "python", Needs: []string{"python3:fastapi", "python3:uvicorn"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string {
			argv := []string{python, "-m", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1", "--port", strconv.Itoa(port)}
			if s.Workers > 1 {
				argv = append(argv, "--workers", s.workers())
			}
			return append(argv, s.Args...)
		}},
	{Name: "gunicorn-sync", Language: "python", Needs: []string{"python3:flask", "python3:gunicorn"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string { return gunicorn(s, "flask_app:app", port) }},
	{Name: "gunicorn-gthread", Language: "python", Needs: []string{"python3:flask", "python3:gunicorn"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string {
			return gunicorn(s, "flask_app:app", port, "-k", "gthread", "--threads", s.threads(),
				"--keep-alive", "75") // longer than an edge keeps a connection: it would use one that is being closed
		}},
	{Name: "gunicorn-uvicorn", Language: "python",
		Needs: []string{"python3:fastapi", "python3:uvicorn", "python3:gunicorn"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string {
			return gunicorn(s, "fastapi_app:app", port, "-k", "uvicorn.workers.UvicornWorker")
		}},
	{Name: "hypercorn", Language: "python", Needs: []string{"python3:fastapi", "python3:hypercorn"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string {
			return append([]string{python, "-m", "hypercorn", "fastapi_app:app", "-b", fmt.Sprintf("127.0.0.1:%d", port)},
				s.Args...)
		}},
	{Name: "aiohttp", Language: "python", Needs: []string{"python3:aiohttp"}, Log: "app",
		argv: func(*Spec, int, string) []string { return []string{python, "aiohttp_app.py"} }},
	{Name: "tornado", Launders: true, Language: "python", Needs: []string{"python3:tornado"}, Log: "app",
		argv: func(*Spec, int, string) []string { return []string{python, "tornado_app.py"} }},
	{Name: "waitress", Language: "python", Needs: []string{"python3:django", "python3:waitress"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string {
			return []string{python, "-m", "waitress", "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--threads", s.threads(),
				"django_app:application"}
		}},
	{Name: "node", Language: "node", Needs: []string{"node"}, Log: "app",
		argv: func(*Spec, int, string) []string { return []string{"node", "server.js"} }},
	{Name: "jdk", Launders: true, Language: "java", Needs: []string{"java", "javac"}, Log: "app",
		argv: func(s *Spec, _ int, _ string) []string {
			return []string{"java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-cp", s.built.java, "Server"}
		}},
	{Name: "go", Language: "go", Needs: []string{"go"}, Log: "app",
		argv: func(s *Spec, _ int, _ string) []string { return []string{s.built.server} }},
	{Name: "php-fpm", Launders: true, Language: "php", Needs: []string{fpm()}, Log: "app", FastCGI: true, files: fpmFiles,
		argv: func(_ *Spec, _ int, dir string) []string {
			return []string{fpm(), "-F", "-R", "-y", dir + "/fpm.conf"}
		}},
	{Name: "puma", Language: "ruby", Needs: []string{"puma"}, Log: "app",
		argv: func(s *Spec, port int, _ string) []string {
			argv := []string{"puma", "-b", fmt.Sprintf("tcp://127.0.0.1:%d", port), "-t", "0:" + s.threads()}
			if s.Workers > 1 {
				argv = append(argv, "-w", s.workers())
			}
			return append(argv, "config.ru")
		}},
}

// fpmFiles are the pool of PHP-FPM as Debian ships it, with room for a load.
func fpmFiles(s *Spec, port int, dir string) map[string]string {
	children := max(s.Threads, 0)
	if children == 0 {
		children = 80
	}
	limit := ""
	if s.Terminate != "" {
		limit = "request_terminate_timeout = " + s.Terminate + "\n"
	}
	return map[string]string{"fpm.conf": fmt.Sprintf(`[global]
error_log = %[1]s/app.log
daemonize = no
[www]
user = root
group = root
listen = 127.0.0.1:%[2]d
clear_env = no
pm = ondemand
pm.max_children = %[3]d
php_admin_value[error_log] = %[1]s/app.log
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
%[4]s`, dir, port, children, limit)}
}
