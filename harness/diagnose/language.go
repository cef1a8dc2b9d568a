package diagnose

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Language is what the app is written in, as far as its words betray it.
type Language string

// Languages that there are fixes for, and the one of an app that says nothing of its own.
const (
	Python      Language = "Python"
	Golang      Language = "Go"
	Node        Language = "Node"
	Java        Language = "Java"
	PHP         Language = "PHP"
	Ruby        Language = "Ruby"
	AnyLanguage Language = ""
)

// Languages lists those that there are fixes for.
var Languages = []Language{Python, Golang, Node, Java, PHP, Ruby}

// marks of a language: in the app's log first, since a traceback cannot lie; then
// in the fields of a response, then in the process that listens and in the
// command that starts the app.
var languageMarks = []struct {
	language Language
	log      string
	fields   *regexp.Regexp // Server or X-Powered-By
	process  *regexp.Regexp
	command  *regexp.Regexp
}{
	{Golang, "panic serving", nil, nil, regexp.MustCompile(`\bgo run\b|\.go\b`)},
	{Golang, "goroutine ", nil, nil, nil},
	{Python, "Traceback (most recent call last)",
		regexp.MustCompile(`(?i)uvicorn|gunicorn|hypercorn|daphne|granian|waitress|werkzeug|python|tornado|aiohttp|CherryPy`),
		regexp.MustCompile(`^(?:python[0-9.]*|uvicorn|gunicorn.*|hypercorn|granian)$`),
		regexp.MustCompile(`\b(?:python[0-9.]*|uvicorn|gunicorn|hypercorn|granian|waitress-serve|flask|fastapi)\b|\.py\b`)},
	{Java, "Exception in thread \"",
		regexp.MustCompile(`(?i)jetty|coyote|tomcat|undertow|netty|helidon|wildfly|jboss|servlet`),
		regexp.MustCompile(`^java$`), regexp.MustCompile(`\bjava\b|\.jar\b|\bgradlew?\b|\bmvnw?\b`)},
	{Java, "\tat java.", nil, nil, nil},
	{PHP, "PHP Fatal error", regexp.MustCompile(`(?i)\bphp(?:/|$)|frankenphp|swoole|roadrunner`),
		regexp.MustCompile(`^php(?:-fpm)?[0-9.]*$`), regexp.MustCompile(`\bphp(?:-fpm)?[0-9.]*\b|\.php\b|\bfrankenphp\b`)},
	{PHP, "PHP Warning", nil, nil, nil},
	{PHP, "[pool ", nil, nil, nil}, // PHP-FPM
	{Ruby, ".rb:", regexp.MustCompile(`(?i)\bpuma\b|passenger|webrick|\bthin\b|unicorn|falcon|ruby`),
		regexp.MustCompile(`^(?:ruby[0-9.]*|puma.*|unicorn.*|falcon)$`),
		regexp.MustCompile(`\b(?:ruby|puma|rackup|rails|unicorn|falcon|bundle)\b|\.r[bu]\b`)},
	{Node, "node:internal", regexp.MustCompile(`(?i)express|next\.js|nuxt|\bnode`),
		regexp.MustCompile(`^(?:node|bun|deno)$`),
		regexp.MustCompile(`\b(?:node|npm|npx|bun|deno|tsx)\b|\.[mc]?js\b|\.ts\b`)},
	{Node, "processTicksAndRejections", nil, nil, nil},
}

// languageOf looks for the marks.
func languageOf(v *view) Language {
	for _, m := range languageMarks {
		if v.appWrote(m.log) {
			return m.language
		}
	}
	words := v.appFields()
	for _, m := range languageMarks {
		if m.fields != nil && m.fields.MatchString(words) {
			return m.language
		}
	}
	process := v.appProcess()
	for _, m := range languageMarks {
		if m.process != nil && m.process.MatchString(process) {
			return m.language
		}
	}
	for _, m := range languageMarks {
		if !v.Run.Attached() && m.command != nil && m.command.MatchString(v.Run.Plan.App.Name) {
			return m.language
		}
	}
	return AnyLanguage
}

// appFields are what responses say of the software behind them.
func (v *view) appFields() string {
	words := map[string]bool{}
	for i := range v.Streams {
		h := v.Streams[i].Header
		for _, name := range []string{"Server", "X-Powered-By"} {
			if h[name] != "" {
				words[h[name]] = true
			}
		}
		if h["X-Runtime"] != "" { // Rails
			words["ruby"] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(words)), "\n")
}

// appProcess is the process that listens where the app itself is asked.
func (v *view) appProcess() string {
	for _, h := range v.Run.Hops {
		if h.Name == appHop && h.Scenario == v.Scenario.ID && h.Process != "" {
			return h.Process
		}
	}
	return ""
}

// appWrote reports whether any line of the app's log contains text.
func (v *view) appWrote(text string) bool {
	for _, l := range v.logs["app"] {
		for _, line := range l.Lines {
			if strings.Contains(line.Text, text) {
				return true
			}
		}
	}
	return false
}

// serverField is the Server field of the first response that has one.
func (v *view) serverField() string {
	for i := range v.Streams {
		if s := v.Streams[i].Header["Server"]; s != "" {
			return s
		}
	}
	return ""
}
