package diagnose

import (
	"regexp"
	"strings"
)

// A language is what the app is written in, as far as its words betray it.
type language string

const (
	python  language = "Python"
	golang  language = "Go"
	node    language = "Node"
	unknown language = ""
)

// marks of a language: in the app's log first, since a traceback cannot lie; then
// in the response's Server field, then in the command that starts the app.
var languageMarks = []struct {
	language language
	log      string
	server   *regexp.Regexp
	command  *regexp.Regexp
}{
	{golang, "panic serving", nil, regexp.MustCompile(`\bgo run\b|\.go\b`)},
	{golang, "goroutine ", nil, nil},
	{python, "Traceback (most recent call last)", regexp.MustCompile(`(?i)uvicorn|gunicorn|hypercorn|daphne|granian|waitress|werkzeug|python|tornado`),
		regexp.MustCompile(`\b(?:python[0-9.]*|uvicorn|gunicorn|hypercorn|flask|fastapi)\b|\.py\b`)},
	{node, "node:internal", nil, regexp.MustCompile(`\b(?:node|npm|npx|bun|deno|tsx)\b|\.[mc]?js\b|\.ts\b`)},
	{node, "processTicksAndRejections", nil, nil},
}

// languageOf looks for the marks.
func languageOf(v *view) language {
	for _, m := range languageMarks {
		if v.appWrote(m.log) {
			return m.language
		}
	}
	server := v.serverField()
	for _, m := range languageMarks {
		if m.server != nil && m.server.MatchString(server) {
			return m.language
		}
	}
	for _, m := range languageMarks {
		if !attached(v.Run) && m.command != nil && m.command.MatchString(v.Run.Plan.App) {
			return m.language
		}
	}
	return unknown
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

// A fix is what to do in each language.
type fix map[language]string

// fix is what to do in the app's language, or in all where it is not known.
func (v *view) fix(f fix) string {
	if s, ok := f[languageOf(v)]; ok {
		return s
	}
	var lines []string
	for _, l := range []language{python, golang, node} {
		if f[l] != "" {
			lines = append(lines, string(l)+": "+f[l])
		}
	}
	return strings.Join(lines, "\n")
}

var (
	fixRaised = fix{
		python: "catch inside the generator, send the dialect's error event and end properly: except Exception as e: yield error_event(e); return",
		golang: "return errors instead of panicking in the handler; once the head is out, write the dialect's error event and return: defer func() { if p := recover(); p != nil { writeErrorEvent(w, p) } }()",
		node:   "await the whole stream inside try/catch; in catch, once the head is out: res.write(errorEvent(e)); res.end()",
	}
	fixBlocked = fix{
		python: "move the blocking call off the loop: await run_in_threadpool(f), or an async client",
		golang: "look for a lock that all handlers wait for, or GOMAXPROCS used up: go tool pprof .../debug/pprof/goroutine",
		node:   "move the blocking call off the loop: a worker_threads Worker, the async form of the call (no *Sync functions)",
	}
	fixNoShutdown = fix{
		python: "run the app under a server that drains: exec uvicorn main:app --timeout-graceful-shutdown 120 (or gunicorn --graceful-timeout 120), without a shell in between and without signal handlers of your own",
		golang: "ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM); defer stop(); go srv.ListenAndServe(); <-ctx.Done(); srv.Shutdown(timeout) with a timeout above the longest stream",
		node:   "process.on('SIGTERM', () => server.close(() => process.exit(0))): open streams end by themselves, new ones go elsewhere",
	}
	fixGrace = fix{
		python: "give the app longer than the longest stream: gunicorn --graceful-timeout 120, uvicorn --timeout-graceful-shutdown 120, docker stop -t 130",
		golang: "give http.Server.Shutdown a context that lasts longer than the longest stream, and the process the same: docker stop -t 130, terminationGracePeriodSeconds: 130",
		node:   "wait for server.close before process.exit, for longer than the longest stream; and give the process the same: docker stop -t 130, terminationGracePeriodSeconds: 130",
	}
	fixLeak = fix{
		python: "stop when the client leaves: async def gen(): ... if await request.is_disconnected(): return; cancel the call to the model; no proxy_ignore_client_abort, no proxy_cache on streams",
		golang: "stop when the client leaves: pass r.Context() to the model's call and select on its Done; no proxy_ignore_client_abort, no proxy_cache on streams",
		node:   "stop when the client leaves: res.on('close', () => controller.abort()); no proxy_ignore_client_abort, no proxy_cache on streams",
	}
	fixStall = fix{
		python: "bound the wait for the model or the queue: asyncio.timeout(30), and send an error event when it fires",
		golang: "bound the wait for the model or the queue: context.WithTimeout(r.Context(), 30*time.Second), and send an error event when it fires",
		node:   "bound the wait for the model or the queue: AbortSignal.timeout(30_000), and send an error event when it fires",
	}
	fixResources = fix{
		python: "open the resource inside the generator (or at startup), not in a `with` around StreamingResponse; FastAPI >= 0.118 for yield dependencies",
		golang: "close what the stream reads after its last write: no defer in a function that returns before the goroutine that writes",
		node:   "close what the stream reads in its 'close' event, not when the handler returns",
	}
	fixFlush = fix{
		python: "yield each event by itself; no middleware that reads the whole body, no GZipMiddleware on streams",
		golang: "call Flush after every event: http.NewResponseController(w).Flush(); no http.TimeoutHandler, no writer that hides Flush",
		node:   "res.write each event by itself and res.flush() behind compression(); no body that is collected first",
	}
	fixSwallowed = fix{
		python: "replace BaseHTTPMiddleware (@app.middleware(\"http\")) by a pure ASGI middleware, or catch in the generator and send an error event",
		golang: "in a recovering middleware, panic(http.ErrAbortHandler) once the head is out, or write an error event: a return ends the body cleanly",
		node:   "on an error after the head: res.destroy(err), or write an error event; res.end() ends the body cleanly",
	}
)
