package logline_test

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/logline"
)

// What servers log when the other side of a connection went away, in the words of
// their own, and what they log when they themselves failed.
func TestReacts(t *testing.T) {
	for line, want := range map[string]bool{
		"ConnectionResetError: Cannot write to closing transport":                      true, // aiohttp
		"ConnectionResetError: [Errno 104] Connection reset by peer":                   true,
		"ConnectionAbortedError: [Errno 103] Software caused connection abort":         true,
		"BrokenPipeError: [Errno 32] Broken pipe":                                      true,
		"tornado.iostream.StreamClosedError: Stream is closed":                         true,
		"starlette.requests.ClientDisconnect":                                          true,
		"asyncio.exceptions.CancelledError":                                            true,
		"Error [ERR_STREAM_PREMATURE_CLOSE]: Premature close":                          true, // Node
		"Error: write EPIPE":                                                           true,
		"Error: socket hang up":                                                        true,
		"Error [ERR_STREAM_DESTROYED]: Cannot call write after a stream was destroyed": true,
		"org.apache.catalina.connector.ClientAbortException: java.io.IOException":      true,
		"org.eclipse.jetty.io.EofException":                                            true,
		"Puma::ConnectionError: Connection error detected during write: Broken pipe":   true,
		"write tcp 127.0.0.1:80->127.0.0.1:5: write: broken pipe":                      true,
		"An existing connection was forcibly closed by the remote host":                true, // Windows
		"Error: aborted": true, // Node
		"DOMException [AbortError]: This operation was aborted":                                    true,
		"APIUserAbortError: Request was aborted.":                                                  true,
		"INFO: Request chatcmpl-17 aborted.":                                                       true, // vLLM
		"INFO: Aborted request chatcmpl-17":                                                        true,
		`msg="aborting completion request due to client closing the connection"`:                   true, // Ollama
		"reactor.netty.channel.AbortedException: Connection has been closed BEFORE send operation": true,
		"o.s.w.c.request.async.AsyncRequestNotUsableException: Response not usable":                true,
		"java.nio.channels.ClosedChannelException":                                                 true,
		"request 17 aborted: the quota is used up":                                                 false,
		"TimeoutError: The operation was aborted due to timeout":                                   false,
		"aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected":                   false,
		"httpx.RemoteProtocolError: Server disconnected without sending a response.":               false,
		"http.client.RemoteDisconnected: Remote end closed connection without response":            false,
		"redis.exceptions.ConnectionError: Connection closed by server.":                           false,
		"psycopg.errors.QueryCanceled: canceling statement due to statement timeout":               false,
		"RuntimeError: Session is closed":                                                          false,
		"ValueError: I/O operation on closed file":                                                 false,
		"httpx.StreamClosed: Attempted to read or stream content, but it has been closed":          false,
		"sqlalchemy.exc.ResourceClosedError: This result object is closed":                         false,
		"ZeroDivisionError: division by zero":                                                      false,
		"Error [ERR_STREAM_WRITE_AFTER_END]: write after end":                                      false, // the app's own order
		"java.lang.OutOfMemoryError: Java heap space":                                              false,
		"panic: runtime error: index out of range [3] with length 3":                               false,
	} {
		if got := logline.Reacts(line); got != want {
			t.Errorf("Reacts(%q) = %v, want %v", line, got, want)
		}
	}
}

// The frames tell whose connection broke, and whether a timer of the app gave up.
func TestTraceReacts(t *testing.T) {
	python := func(file, says string) string {
		return "Traceback (most recent call last):\n  File \"/srv/app.py\", line 9, in gen\n    step()\n  File \"" + file +
			"\", line 3, in read\n    go()\n" + says
	}
	const packages = "/usr/lib/python3/dist-packages/"
	reset := "ConnectionResetError: [Errno 104] Connection reset by peer"
	for name, tt := range map[string]struct {
		text string
		want bool
	}{
		"reset below a server":   {python(packages+"uvicorn/protocols/http/h11_impl.py", reset), true},
		"reset below httpx":      {python(packages+"httpcore/_backends/anyio.py", reset), false},
		"reset below redis":      {python(packages+"redis/asyncio/connection.py", reset), false},
		"cancelled within httpx": {python(packages+"httpcore/_backends/anyio.py", "asyncio.exceptions.CancelledError"), true},
		"the client's abort": {"DOMException [AbortError]: This operation was aborted\n" +
			"    at new DOMException (node:internal/per_context/domexception:53:5)", true},
		"the app's own timer": {"DOMException [AbortError]: This operation was aborted\n" +
			"    at AbortController.abort (node:internal/abort_controller:450:18)\n" +
			"    at Timeout._onTimeout (/srv/app.js:9:11)\n    at listOnTimeout (node:internal/timers:581:17)", false},
		"a timer that writes on": {"Error: write EPIPE\n    at Timeout._onTimeout (/srv/app.js:9:11)", true},
		"reset below a database": {"java.net.SocketException: Connection reset\n" +
			"\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:328)\n" +
			"\tat org.postgresql.core.PGStream.receive(PGStream.java:9)\n\tat com.acme.Chat.send(Chat.java:10)", false},
		"reset below a servlet": {"java.net.SocketException: Connection reset\n" +
			"\tat org.apache.catalina.connector.OutputBuffer.write(OutputBuffer.java:9)\n" +
			"\tat com.acme.Chat.send(Chat.java:10)", true},
	} {
		lines := strings.Split(tt.text, "\n")
		got := logline.Traces(len(lines), func(i int) string { return lines[i] })
		if len(got) != 1 || got[0].Reacts() != tt.want {
			t.Errorf("%s: %+v, want Reacts %v", name, got, tt.want)
		}
	}
}
