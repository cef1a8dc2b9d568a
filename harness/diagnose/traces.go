package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// A trace is a traceback in a log.
type trace struct {
	hit             // the line that names the exception
	first, last int // numbers of its lines
	logline.Trace
}

// cited is the line that names the exception, and where the app's own code raised
// it.
func (t trace) cited() record.Evidence {
	if t.Frame == "" {
		return t.hit.cited()
	}
	return t.remarked(fact{Kind: FactRaisedAt, Place: t.Frame})
}

// readTraces finds the tracebacks of a log. Those that only answer to a connection
// that somebody else closed are no death.
func (v *view) readTraces(l *record.Log) {
	for _, t := range logline.Traces(len(l.Lines), func(i int) string { return l.Lines[i].Text }) {
		says := l.Lines[t.Says]
		if says.At == record.Never {
			says.At, says.Within = l.Lines[t.First].At, l.Lines[t.First].Within
		}
		found := trace{hit{log: l, line: says, pid: pidOf(says.Text)}, l.Lines[t.First].N, l.Lines[t.Last].N, t}
		v.traces = append(v.traces, found)
		switch {
		case l.Kind != record.AppLog:
		case t.Fatal:
			v.tags[workerCrashed] = append(v.tags[workerCrashed], found.hit)
		case !t.Reacts():
			v.tags[traceback] = append(v.tags[traceback], found.hit)
		}
	}
}

// besides are lines between the word for an exception and its traceback.
const besides = 4

// traceOf is the traceback that belongs to a line: around it, or right below it.
func (v *view) traceOf(h hit) (trace, bool) {
	for _, t := range v.traces {
		if t.log == h.log && h.line.N <= t.last && between(h.log, h.line.N, t.first) <= besides {
			return t, true
		}
	}
	return trace{}, false
}

// between is how many lines of a log there are from one number to another: lines of other
// programs may stand between them.
func between(l *record.Log, from, to int) int {
	place := func(n int) int {
		i, _ := slices.BinarySearchFunc(l.Lines, n, func(x record.Line, n int) int { return cmp.Compare(x.N, n) })
		return i
	}
	return place(to) - place(from)
}

// citeTrace cites an exception by the line that names it.
func (v *view) citeTrace(h hit) record.Evidence {
	if t, ok := v.traceOf(h); ok {
		return t.cited()
	}
	return h.cited()
}

// Frames of a Python traceback: of servers that the exception reached, and of what ends
// the body properly before it raises on (starlette's BaseHTTPMiddleware since 0.46).
var (
	reachedServer = regexp.MustCompile(`File "[^"]*(?:gunicorn/workers/|uvicorn/protocols/http/|hypercorn/)`)
	endsBody      = regexp.MustCompile(`File "[^"]*starlette/middleware/base\.py"`)
)

// serverCuts reports whether an exception is known to have reached a server that closes
// the connection then, in the middle of the body: net/http says so of a panic, and
// frames of Python's servers stand in the traceback. Nothing in the app had swallowed
// it, so that a body which ended properly was ended by somebody else.
func (v *view) serverCuts(h hit) bool {
	if strings.Contains(h.line.Text, "http: panic serving") {
		return true
	}
	t, ok := v.traceOf(h)
	if !ok {
		return false
	}
	reached := false
	for _, line := range t.log.Lines[t.First : t.Last+1] {
		if endsBody.MatchString(line.Text) {
			return false
		}
		reached = reached || reachedServer.MatchString(line.Text)
	}
	return reached
}
