package logline

import (
	"regexp"
	"strings"
)

// A Reading is what a file was taken for.
type Reading struct {
	Kind Kind
	// Writer is the software, as its users call it: "gunicorn", "HAProxy". "" if
	// nothing tells.
	Writer string
	// Sure says that the content shows it, and not only the file's name.
	Sure bool
	// Raises says that such a log bears the exceptions that no code of the app
	// caught: its writer prints them by default.
	Raises bool
}

// String reads "the app's log (gunicorn)".
func (r Reading) String() string {
	what := map[Kind]string{
		App: "the app's log", Access: "an access log", Kubernetes: "Kubernetes objects",
		NoLog: "no log, but a configuration or a program",
		Proxy: "the log of something on the way", HAProxy: "HAProxy's log", Caddy: "Caddy's log", Envoy: "Envoy's access log",
		Traefik: "Traefik's access log", Varnish: "Varnish's log", NginxAccess: "nginx's access log",
		NginxError:   "nginx's error log",
		ApacheAccess: "Apache's access log", ApacheError: "Apache's error log", LighttpdAccess: "lighttpd's access log",
		LighttpdError: "lighttpd's error log",
	}[r.Kind]
	if r.Writer != "" && r.Kind.Product() == "" {
		what += " (" + r.Writer + ")"
	}
	return what
}

// A mark is a form of lines that one writer has.
type mark struct {
	kind   Kind
	writer string
	raises bool
	line   *regexp.Regexp
}

// marks, the more telling first: a line counts for the first one that it bears.
var marks = []mark{
	{HAProxy, "HAProxy", false, haproxyHTTP},
	{HAProxy, "HAProxy", false, haproxyTCP},
	{HAProxy, "HAProxy", false,
		regexp.MustCompile(`\bhaproxy\[\d+\]|^\[(?:NOTICE|WARNING|ALERT)\] +(?:\d{3}/\d{6} )?\(\d+\) : |^<\d+>\w{3} [ ` +
			`\d]\d \S+ haproxy`)},
	{Envoy, "Envoy", false, envoyText},
	{Envoy, "Envoy", false, regexp.MustCompile(`^\{.*"response_flags"`)},
	{Caddy, "Caddy", false,
		regexp.MustCompile(`^\{"level":"[a-z]+","ts":[0-9."T:Z-]+,(?:"logger":"(?:http|admin|tls|caddy)|"msg":"(?:using|` +
			`serving|autosaved|shutdown|exiting|redirected))`)},
	{Caddy, "Caddy", false,
		regexp.MustCompile(`"logger":"http\.(?:log\.(?:access|error)|handlers\.)|"msg":"handled request"`)},
	{Traefik, "Traefik", false, regexp.MustCompile(`^\{.*"(?:DownstreamStatus|RouterName)"`)},
	{Traefik, "Traefik", false, regexp.MustCompile(`" \d{3} \d+ "[^"]*" "[^"]*" \d+ "[^"]*" "[^"]*" \d+ms$`)},
	{NginxError, "nginx", false,
		regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] ` +
			`\d+#\d+: `)},
	{ApacheError, "Apache", false,
		regexp.MustCompile(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[[a-z_0-9]*:[a-z0-9]+\]|` +
			`\bAH\d{5}: `)},
	{LighttpdError, "lighttpd", false,
		regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: \([a-z_]+\.c\.\d+\) |^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: ` +
			`(?:server\.c|mod_|gw_backend)`)},
	{Varnish, "Varnish", false,
		regexp.MustCompile(`^(?:\*+ *<< (?:Request|BeReq|Session) +>>|-+ +(?:Begin|FetchError|BereqURL|VCL_call|` +
			`BereqHeader|ReqHeader|Timestamp|BackendOpen|BackendClose|ReqURL|RespStatus|BerespStatus|Debug|Error|Fetch_Body|` +
			`Storage|End|Link) )`)},
	{Proxy, "Go's reverse proxy", false, regexp.MustCompile(`httputil: ReverseProxy |http: proxy error: `)},
	{NginxAccess, "nginx", false, regexp.MustCompile(`^\d{10}\.\d{3} \S+ \d{3} \d+\.\d{3} \d+ .*"$`)},

	{App, "hypercorn", true,
		regexp.MustCompile(`^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] (?:Running on|Error in ASGI)`)},
	{App, "gunicorn", true, regexp.MustCompile(`^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] `)},
	{App, "uvicorn", true, regexp.MustCompile(`^(?:INFO|WARNING|ERROR|CRITICAL|DEBUG): {2,5}\S`)},
	{App, "PHP-FPM", true,
		regexp.MustCompile(`^\[\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Za-z_/]+)?\] {1,2}(?:NOTICE|WARNING|` +
			`ERROR|ALERT|DEBUG|PHP |\[pool )|^script_filename = |^(?:PHP )?(?:Fatal error|Warning|Notice): `)},
	{App, "Puma", true,
		regexp.MustCompile(`^(?:\[\d+\] )?(?:Puma starting|\* (?:Puma version|Listening on|Min threads|Environment|PID)|- ` +
			`(?:Gracefully stopping|Goodbye))|(?:Rack app \(.*|[+-]\d{4} (?:Read|Write|Error[^#]*)): #<[A-Z]`)},
	{App, "Passenger", true,
		regexp.MustCompile(`^\[ [NWEIC] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d|^App \d+ (?:output|stderr|stdout): `)},
	{App, "Ruby", true, regexp.MustCompile(`^[DIWEFA], \[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+ #\d+\]`)},
	{App, "Node.js", true,
		regexp.MustCompile(`^\s+at (?:async )?\S.* ?\(?(?:node:|file:|/)\S+:\d+:\d+\)?|^Node\.js v\d+|^node:internal/|` +
			`^\(node:\d+\)`)},
	{App, "pino", false, regexp.MustCompile(`^\{"level":[1-6]0,"time":\d{13},"pid":\d+`)},
	{App, "JVM", true,
		regexp.MustCompile(`^\s+at [\w.$/]+\.[\w$<>]+\([\w.$]+(?::\d+)?\)|^Exception in thread "|^Caused by: [\w.]+|` +
			`^(?:SEVERE|WARNING|INFO|FINE): |^[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M `)},
	{App, "logback", true,
		regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d[.,]\d{3} +(?:\[[^\]]+\] +(?:TRACE|DEBUG|INFO|WARN|` +
			`ERROR)|(?:TRACE|DEBUG|INFO|WARN|ERROR) +(?:\[|\d+ ---))`)},
	{App, "Go", true,
		regexp.MustCompile(`^goroutine \d+ \[|^panic: |http: panic serving|^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? ` +
			`(?:[\w/.-]+\.go:\d+: )?\S`)},
	{App, "slog", false,
		regexp.MustCompile(`^time="?\d{4}-\d\d-\d\dT\S+ level=\w+ |^\{"time":"[^"]+","level":"[A-Z]+","msg":`)},
	{App, "zap", false, regexp.MustCompile(`^\{"level":"(?:debug|info|warn|error|dpanic|panic|fatal)","ts":`)},
	{App, "klog", false, regexp.MustCompile(`^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ \S+\.go:\d+\]`)},
	{App, "Python", true,
		regexp.MustCompile(`^Traceback \(most recent call last\):|^  File "[^"]+", line \d+|^\d{4}-\d\d-\d\d ` +
			`\d\d:\d\d:\d\d,\d{3} |^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:|^\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}`)},
	{App, "Node.js", false, regexp.MustCompile(`^\{"(?:level|message)":"[^"]+","(?:level|message)":`)}, // winston
	{Access, "", false, regexp.MustCompile(`^\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "`)},
}

// How many lines are looked at, and the least part of those that bear a mark at
// all that one kind must have.
const (
	lookAt   = 400
	majority = 0.5
)

// Recognise says what a file is by some of its lines, and by its name where the
// lines leave that open. Nothing is known of an empty file but its name.
func Recognise(name string, lines []string) Reading {
	if kubernetes(lines) {
		return Reading{Kind: Kubernetes, Sure: true}
	}
	votes, first := map[int]int{}, -1
	total, other := 0, 0
	for _, line := range lines[:min(lookAt, len(lines))] {
		if strings.TrimSpace(line) == "" {
			continue
		}
		total++
		i := markOf(line)
		if i < 0 {
			other++
			continue
		}
		votes[i]++
		if first < 0 {
			first = i
		}
	}
	if len(votes) == 0 && total > 0 && configuration(lines) {
		return Reading{Kind: NoLog, Sure: true}
	}
	byName := nameKind(name)
	if len(votes) == 0 {
		return Reading{Kind: byName}
	}
	return settle(votes, byName)
}

// settle chooses the kind with the most votes; within it, the writer.
func settle(votes map[int]int, byName Kind) Reading {
	kinds, all := map[Kind]int{}, 0
	for i, n := range votes {
		kinds[marks[i].kind] += n
		all += n
	}
	best, writer := Kind(""), -1
	for i := range marks { // in order, so that a tie is decided alike each time
		k := marks[i].kind
		if votes[i] == 0 {
			continue
		}
		if best == "" || kinds[k] > kinds[best] {
			best, writer = k, i
		} else if k == best && (k != App && votes[i] > votes[writer]) {
			writer = i // of apps the server tells more than its tracebacks
		}
	}
	r := Reading{Kind: best, Writer: marks[writer].writer, Sure: true}
	for i := range marks {
		r.Raises = r.Raises || votes[i] > 0 && marks[i].kind == best && marks[i].raises
	}
	if best == Access || kinds[Access] > 0 && best == App && kinds[Access] > kinds[App] {
		return Reading{Kind: commonFormat(byName), Sure: false}
	}
	return r
}

// commonFormat is whose log in the common format a file is: many servers write
// exactly the same, so that only the name can tell.
func commonFormat(byName Kind) Kind {
	switch byName {
	case NginxAccess, NginxError:
		return NginxAccess
	case ApacheAccess, ApacheError:
		return ApacheAccess
	case LighttpdAccess, LighttpdError:
		return LighttpdAccess
	case HAProxy, Caddy, Envoy, Traefik, Varnish, App:
		return byName
	}
	return Access
}

func markOf(line string) int {
	line = strings.TrimPrefix(line, "\ufeff")
	if i := strings.Index(line, "  | "); i > 0 && i < 40 && !strings.ContainsAny(line[:i], "\"[{") { // docker compose logs
		line = line[i+4:]
	}
	for i := range marks {
		if marks[i].line.MatchString(line) {
			return i
		}
	}
	return -1
}

// nameKind guesses by the path of a file.
func nameKind(name string) Kind {
	name = strings.ToLower(name)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(name, p) {
				return true
			}
		}
		return false
	}
	access := has("access", "ncsa", "requests")
	switch {
	case has("haproxy"):
		return HAProxy
	case has("caddy"):
		return Caddy
	case has("envoy", "istio"):
		return Envoy
	case has("traefik"):
		return Traefik
	case has("varnish"):
		return Varnish
	case has("lighttpd"):
		return either(access, LighttpdAccess, LighttpdError)
	case has("apache", "httpd"):
		return either(access, ApacheAccess, ApacheError)
	case has("gunicorn", "uvicorn", "hypercorn", "fpm", "php", "puma", "passenger", "node", "java", "tomcat", "jetty",
		"app", "worker"):
		return App
	case has("nginx", "openresty"):
		return either(access, NginxAccess, NginxError)
	case has("toxiproxy", "relay", "proxy"):
		return Proxy
	case access:
		return Access
	}
	return App
}

func either(first bool, a, b Kind) Kind {
	if first {
		return a
	}
	return b
}

// Words that stand in configurations and in no log.
var configured = regexp.MustCompile(`^\s*(?:(?:proxy_pass|proxy_buffering|proxy_http_version|proxy_read_timeout|` +
	`worker_processes|worker_connections|error_log|access_log|server_name|listen|location|upstream|events|http|server|` +
	`include|user|pid)\b.*[;{]\s*(?:#.*)?$|\}\s*$|#|</?(?:VirtualHost|Directory|Location|IfModule|Proxy)\b|(?:ProxyPass|` +
	`ServerName|DocumentRoot|LoadModule|ErrorLog|CustomLog|Listen)\s|(?:frontend|backend|defaults|global|` +
	`listen)\b\s*\S*\s*$|\s+(?:bind|mode|timeout|option|balance|default_backend|server|maxconn)\s+\S|(?:apiVersion|kind|` +
	`metadata|spec|services|version|static_resources|admin|image|containers):|(?:import|from) \w[\w.]*(?: import .*)?$|` +
	`def \w+\(|class \w+|#!|\[[\w.-]+\]\s*$|[\w.-]+\s*=\s*\S+\s*$|(?:const|let|var|function|package|func) \w|` +
	`reverse_proxy\s|"[\w-]+": )`)

// configuration reports whether the lines are those of a configuration or a
// program: no stamp anywhere, and mostly what stands in such files.
func configuration(lines []string) bool {
	n, conf := 0, 0
	for _, line := range lines[:min(lookAt, len(lines))] {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if _, ok := Stamp(line); ok {
			return false
		}
		n++
		if configured.MatchString(line) {
			conf++
		}
	}
	return n >= 3 && 2*conf > n
}
