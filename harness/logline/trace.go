package logline

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Trace is a traceback that was found among lines.
type Trace struct {
	First, Last int    // indices of its lines
	Says        int    // index of the line that names the exception
	Exception   string // "ValueError: boom", class and message
	Frame       string // the innermost frame of the app's own code: "main.py:12 in gen"
	Language    string // "Python", "Java", "Node", "Go", "Ruby", "PHP"
	Asked       bool   // below the app's own code stands a client of HTTP or of a database
	Timer       bool   // a timer of the app called the code that raised
	Fatal       bool   // the runtime wrote it, and ended the process
}

var (
	pyHead  = regexp.MustCompile(`Traceback \(most recent call last\):`)
	pyFrame = regexp.MustCompile(`^\s*[|>]?\s*File "([^"]+)", line (\d+)(?:, in (\S+))?`)
	pySays  = regexp.MustCompile(`^\s*(?:\|\s*)?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|` +
		`Timeout|Closed|Cancelled|Group|Failure|Disconnect\w*|StopIteration|[a-z]\w*)?(?::\s.*)?)$`)
	pyChain  = regexp.MustCompile(`^(?:During handling of the above exception|The above exception was the direct cause)`)
	javaHead = regexp.MustCompile(`(?:^|[\s:"])((?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable|Abort|` +
		`Timeout|[A-Za-z$]*)(?::\s.*)?)$`)
	javaAt   = regexp.MustCompile(`^\s+at ([\w.$/@]+)\.([\w$<>]+)\(([\w.$ -]+(?::\d+)?)\)`)
	javaBy   = regexp.MustCompile(`^Caused by: (.+)$`)
	nodeHead = regexp.MustCompile(`((?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?(?::\s.*)?)$`)
	nodeAt   = regexp.MustCompile(`^\s+at (?:(.+?) \()?((?:file://|node:|/|[A-Za-z]:\\|\w+/)?[^()\s]+:\d+):\d+\)?$`)
	goPanic  = regexp.MustCompile(`(?:panic: |panic serving [^:]+:\d+: |fatal error: )(.*)$`)
	goFunc   = regexp.MustCompile(`^([\w./*()-]+)\(.*\)$`)
	goFile   = regexp.MustCompile(`^\t(\S+\.go:\d+)`)
	rbHead   = regexp.MustCompile(`(?:^|\s)(\S+\.rb:\d+):in [` + "`" + `']([^']+)': (.*\((\w[\w:]*)\))`)
	rbRack   = regexp.MustCompile(`#<((?:[A-Z]\w*::)*[A-Z]\w*): (.*)>$`)
	rails    = regexp.MustCompile(`^((?:[A-Z]\w*::)*[A-Z]\w*) \((.*)\):\s*$`)
	rbAt     = regexp.MustCompile(`^\s+(?:from )?(?:\d+: )?(\S+\.r[bu]:\d+):in [` + "`" +
		`']([^']+)'|^(\S+\.r[bu]:\d+):in [` + "`" + `']([^']+)'`)
	phpHead = regexp.MustCompile(`(?:PHP )?(?:Fatal|Parse|Recoverable fatal) error: +(?:Uncaught )?(.*?)(?: in ` +
		`(\S+?\.php)(?: on line |:)(\d+))?"?$`)
	phpStack = regexp.MustCompile(`^(?:PHP )?(?:Stack trace:|#\d+ |  thrown in )`)
	phpStamp = regexp.MustCompile(`^\[[^\]]*\] (?:WARNING: \[pool \S+\] child \d+ said into std(?:err|out): "(?:NOTICE: ` +
		`PHP message: )?)?`)
)

// Traces finds the tracebacks among lines, in order. n is how many there are,
// line gives the i-th.
func Traces(n int, line func(int) string) []Trace {
	var out []Trace
	bare := make([]string, n)
	for i := range n {
		bare[i] = unprefixed(line(i))
	}
	line = func(i int) string { return bare[i] }
	for i := 0; i < n; {
		t, ok := traceAt(i, n, line)
		if !ok {
			i++
			continue
		}
		t.Fatal = fatal(t, n, line)
		out = append(out, t)
		i = t.Last + 1
	}
	return out
}

var (
	goDies   = regexp.MustCompile(`^(?:panic|fatal error): `)
	goStack  = regexp.MustCompile(`^goroutine \d+ .*\[`)
	goCaught = regexp.MustCompile(`^runtime/debug\.(?:Print)?Stack\(`) // which code asks for that recovered
	nodeDies = regexp.MustCompile(`^Node\.js v\d`)
)

// fatal reports whether the process ended with a trace: Go's runtime wrote it, and not code
// that recovered; or Node's, which puts its version below.
func fatal(t Trace, n int, line func(int) string) bool {
	switch t.Language {
	case "Go":
		stack := false
		for j := t.First; goDies.MatchString(line(t.First)) && j <= t.Last; j++ {
			if goCaught.MatchString(line(j)) {
				return false
			}
			stack = stack || goStack.MatchString(line(j))
		}
		return stack
	case "Node":
		for j := t.Last + 1; j < min(n, t.Last+belowNode); j++ {
			if nodeDies.MatchString(line(j)) {
				return true
			}
		}
	}
	return false
}

// belowNode bounds the lines between a trace of Node and its version: fields of the error
// may stand there.
const belowNode = 8

// prefix is what collectors of logs put before each line: docker compose, kubectl,
// container runtimes, journald, and Ruby's logger.
var prefix = regexp.MustCompile(`^(?:[\w.-]{1,60} +\| |\[pod/\S+\] |` +
	`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?|` +
	`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:]+\[\d+\]: |` +
	`[DIWEF], \[\S+ #\d+\] +[A-Z]+ -- [^:]*: (?:\[[\w-]+\] )?)`)

// unprefixed is a line as its program wrote it.
func unprefixed(s string) string {
	if strings.HasPrefix(s, `{"log":"`) { // docker's files
		var m struct{ Log string }
		if json.Unmarshal([]byte(s), &m) == nil {
			s = strings.TrimSuffix(m.Log, "\n")
		}
	}
	for range 2 {
		s = s[len(prefix.FindString(s)):]
	}
	return s
}

// mild are levels below that of an error, in words and as pino has them.
var mild = regexp.MustCompile(`(?i)"(?:level|severity|levelname|log\.level)"\s*:\s*(?:"(?:trace|debug|info|notice|` +
	`warn|warning)"|[1-4]0\b)`)

// jsonTrace finds a traceback in one of the fields of a line of JSON. Where the level is
// below that of an error, the app went on.
func jsonTrace(i int, s string) (Trace, bool) {
	var fields any
	if !strings.Contains(s, `\n`) || mild.MatchString(s) || json.Unmarshal([]byte(s), &fields) != nil {
		return Trace{}, false
	}
	t, ok := traceIn(fields)
	t.First, t.Last, t.Says = i, i, i
	return t, ok
}

// traceIn finds a traceback in the texts of some JSON.
func traceIn(x any) (Trace, bool) {
	switch x := x.(type) {
	case string:
		lines := strings.Split(x, "\n")
		for i := range lines {
			if t, ok := traceAt(i, len(lines), func(i int) string { return lines[i] }); ok {
				return t, true
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if t, ok := traceIn(x[k]); ok {
				return t, true
			}
		}
	}
	return Trace{}, false
}

// Traced reports whether a line looks as if it had a traceback in it, whether Traces
// can read that or not.
func Traced(line string) bool { return traced.MatchString(line) }

var traced = regexp.MustCompile(`Traceback \(most recent call last\)|` +
	`"(?:stack|stack_trace|stacktrace|traceback|exc_info|exception)"\s*:\s*"[^"]*\\n`)

func traceAt(i, n int, line func(int) string) (Trace, bool) {
	s := line(i)
	switch {
	case strings.HasPrefix(s, "{"):
		return jsonTrace(i, s)
	case pyHead.MatchString(s):
		return pythonTrace(i, n, line)
	case phpHead.MatchString(s):
		return phpTrace(i, n, line), true
	case goPanic.MatchString(s):
		return goTrace(i, n, line)
	case rbHead.MatchString(s), rbRack.MatchString(s):
		return rubyTrace(i, n, line), true
	case rails.MatchString(s) && framed(i+1, n, line):
		return rubyTrace(i, n, line), true
	case i+1 < n && javaHead.MatchString(s) && javaAt.MatchString(line(i+1)):
		return javaTrace(i, n, line), true
	case i+1 < n && nodeHead.MatchString(s) && nodeAt.MatchString(line(i+1)):
		return nodeTrace(i, n, line), true
	}
	return Trace{}, false
}

// longest bounds a traceback, in lines.
const longest = 400

// pythonTrace goes to the last exception of a chain: that one left the code.
func pythonTrace(i, n int, line func(int) string) (Trace, bool) {
	t := Trace{First: i, Last: i, Says: -1, Language: "Python"}
	inside := false // below a File line: the code, and its markers
	frame, asked := "", false
	for j := i + 1; j < min(n, i+longest); j++ {
		s := line(j)
		switch m := pyFrame.FindStringSubmatch(s); {
		case m != nil:
			inside = true
			asked = !own(m[1]) && (asked || clients.MatchString(m[1]))
			if own(m[1]) {
				frame = base(m[1]) + ":" + m[2]
				if m[3] != "" {
					frame += " in " + m[3]
				}
			}
		case pyHead.MatchString(s):
			if t.Says >= 0 && !pyChain.MatchString(line(j-1)) && !pyChain.MatchString(line(j-2)) && !grouped(s) {
				return t, true // another one
			}
			if t.Says < 0 || !grouped(s) {
				t.Says, t.Frame, frame, asked = -1, "", "", false
			}
		case strings.TrimSpace(s) == "", pyChain.MatchString(s):
			if t.Says >= 0 && !chained(j, n, line) {
				return t, true
			}
		case inside && (strings.HasPrefix(s, "    ") || strings.HasPrefix(s, "  |     ")):
		case t.Says < 0 && pySays.MatchString(s):
			t.Says, t.Exception = j, strings.TrimLeft(strings.TrimSpace(s), "| ")
			t.Frame, t.Asked, inside = frame, asked, false
		case strings.HasPrefix(s, "  "), strings.HasPrefix(strings.TrimSpace(s), "+-"):
		default:
			if t.Says >= 0 {
				return t, true
			}
			return t, false
		}
		t.Last = j
	}
	return t, t.Says >= 0
}

// grouped reports whether a line is inside of an exception group.
func grouped(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "|") || strings.HasPrefix(s, "+")
}

// chained reports whether another exception follows that the one before caused.
func chained(j, n int, line func(int) string) bool {
	for k := j; k < min(n, j+4); k++ {
		if pyChain.MatchString(line(k)) || k > j && pyHead.MatchString(line(k)) {
			return true
		}
	}
	return false
}

// elsewhere are folders of code that is not the app's own.
var elsewhere = []string{"site-packages/", "dist-packages/", "/lib/python", "node_modules/", "node:", "<frozen",
	"/gems/", "/usr/lib/ruby", "/vendor/",
	"/usr/local/go/", "/go/pkg/mod/", "/usr/share/", "/usr/lib/go", "net/http/server.go", "runtime/"}

// clients are folders of Python's clients of HTTP and of databases.
var clients = regexp.MustCompile(`(?:aiohttp/(?:client|connector)|httpx/|httpcore/|requests/|urllib3/|` +
	`http/client\.py|redis/|asyncpg/|psycopg|pymysql/|aiomysql/|motor/|pymongo/|grpc/(?:aio/)?_(?:call|channel)|` +
	`botocore/|openai/|anthropic/)`)

func own(file string) bool {
	for _, e := range elsewhere {
		if strings.Contains(file, e) {
			return false
		}
	}
	return true
}

func base(file string) string { return file[strings.LastIndexByte(file, '/')+1:] }

// javaLibraries are packages that are no app's.
var javaLibraries = regexp.MustCompile(`^(?:java\.|javax\.|jakarta\.|jdk\.|sun\.|com\.sun\.|java\.base/|` +
	`jdk\.httpserver/|org\.springframework\.|org\.apache\.|org\.eclipse\.jetty|io\.netty|reactor\.|kotlin|io\.undertow)`)

// javaClients are packages of clients of HTTP and of databases.
var javaClients = regexp.MustCompile(`^(?:okhttp3\.|org\.apache\.(?:http|hc\.client5)|com\.mysql\.|org\.postgresql\.|` +
	`io\.lettuce\.|redis\.clients\.|com\.mongodb\.|reactor\.netty\.http\.client\.|` +
	`(?:java\.net\.http/)?jdk\.internal\.net\.http\.)`)

func javaTrace(i, n int, line func(int) string) Trace {
	t := Trace{First: i, Last: i, Says: i, Exception: strings.TrimSpace(javaHead.FindStringSubmatch(line(i))[1]),
		Language: "Java"}
	for j := i + 1; j < min(n, i+longest); j++ {
		s := line(j)
		if m := javaAt.FindStringSubmatch(s); m != nil {
			t.Asked = t.Asked || t.Frame == "" && javaClients.MatchString(m[1])
			if t.Frame == "" && !javaLibraries.MatchString(m[1]) {
				t.Frame = m[3] + " in " + m[1][strings.LastIndexByte(m[1], '.')+1:] + "." + m[2]
			}
		} else if javaBy.MatchString(s) {
			t.Says, t.Exception, t.Frame, t.Asked = j, javaBy.FindStringSubmatch(s)[1], "", false
		} else if !strings.HasPrefix(strings.TrimSpace(s), "... ") &&
			!strings.HasPrefix(strings.TrimSpace(s), "Suppressed:") {
			return t
		}
		t.Last = j
	}
	return t
}

func nodeTrace(i, n int, line func(int) string) Trace {
	t := Trace{First: i, Last: i, Says: i, Exception: nodeHead.FindStringSubmatch(line(i))[1], Language: "Node"}
	for j := i + 1; j < min(n, i+longest); j++ {
		m := nodeAt.FindStringSubmatch(line(j))
		if m == nil {
			break
		}
		t.Timer = t.Timer || timers.MatchString(m[0])
		if t.Frame == "" && own(m[2]) {
			t.Frame = base(m[2])
			if m[1] != "" {
				t.Frame += " in " + m[1]
			}
		}
		t.Last = j
	}
	return t
}

// timers are frames of Node's timers.
var timers = regexp.MustCompile(`\blistOnTimeout\b|\bTimeout\.`)

func goTrace(i, n int, line func(int) string) (Trace, bool) {
	t := Trace{First: i, Last: i, Says: i,
		Exception: strings.TrimSpace(line(i)[strings.Index(line(i), goPanic.FindString(line(i))):]), Language: "Go"}
	name := ""
	for j := i + 1; j < min(n, i+longest); j++ {
		s := line(j)
		switch m := goFile.FindStringSubmatch(s); {
		case m != nil:
			if t.Frame == "" && name != "" && own(m[1]) && !strings.HasPrefix(name, "panic") &&
				!strings.HasPrefix(name, "net/http.") {
				t.Frame = base(m[1]) + " in " + name[strings.LastIndexByte(name, '/')+1:]
			}
		case goFunc.MatchString(s):
			name = goFunc.FindStringSubmatch(s)[1]
		case strings.HasPrefix(s, "goroutine "), strings.HasPrefix(s, "created by "), strings.TrimSpace(s) == "",
			strings.HasPrefix(s, "[signal "), strings.HasPrefix(s, "\t"), strings.HasPrefix(s, "panic("),
			strings.HasPrefix(s, "exit status"):
		default:
			return t, true
		}
		t.Last = j
	}
	return t, true
}

// framed reports whether a frame of Ruby's stands below Rails's head, and an empty line.
func framed(i, n int, line func(int) string) bool {
	for i < n && strings.TrimSpace(line(i)) == "" {
		i++
	}
	return i < n && rbAt.MatchString(line(i))
}

func rubyTrace(i, n int, line func(int) string) Trace {
	t := Trace{First: i, Last: i, Says: i, Language: "Ruby"}
	if m := rbHead.FindStringSubmatch(line(i)); m != nil {
		t.Exception = m[3]
		if own(m[1]) {
			t.Frame = base(m[1]) + " in " + m[2]
		}
	} else {
		m := rbRack.FindStringSubmatch(line(i))
		if m == nil {
			m = rails.FindStringSubmatch(line(i))
		}
		t.Exception = m[1] + ": " + m[2]
	}
	for j := i + 1; j < min(n, i+longest); j++ {
		m := rbAt.FindStringSubmatch(line(j))
		if m == nil && t.Last == i && strings.TrimSpace(line(j)) == "" {
			continue
		}
		if m == nil {
			break
		}
		file, in := m[1]+m[3], m[2]+m[4]
		if t.Frame == "" && own(file) {
			t.Frame = base(file) + " in " + in
		}
		t.Last = j
	}
	return t
}

func phpTrace(i, n int, line func(int) string) Trace {
	m := phpHead.FindStringSubmatch(line(i))
	t := Trace{First: i, Last: i, Says: i, Exception: m[1], Language: "PHP"}
	if m[2] != "" {
		t.Frame = base(m[2]) + ":" + m[3]
	}
	for j := i + 1; j < min(n, i+longest); j++ {
		if !phpStack.MatchString(phpStamp.ReplaceAllString(line(j), "")) {
			break
		}
		t.Last = j
	}
	return t
}
