package logline_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness/logline"
)

// What servers log when the other side of a connection went away, in the words of
// their own, and what they log when they themselves failed.
func TestReacts(t *testing.T) {
	for line, want := range map[string]bool{
		"ConnectionResetError: Cannot write to closing transport":                         true, // aiohttp
		"ConnectionResetError: [Errno 104] Connection reset by peer":                      true,
		"ConnectionAbortedError: [Errno 103] Software caused connection abort":            true,
		"BrokenPipeError: [Errno 32] Broken pipe":                                         true,
		"tornado.iostream.StreamClosedError: Stream is closed":                            true,
		"starlette.requests.ClientDisconnect":                                             true,
		"asyncio.exceptions.CancelledError":                                               true,
		"Error [ERR_STREAM_PREMATURE_CLOSE]: Premature close":                             true, // Node
		"Error: write EPIPE":                                                              true,
		"Error: socket hang up":                                                           true,
		"Error [ERR_STREAM_DESTROYED]: Cannot call write after a stream was destroyed":    true,
		"org.apache.catalina.connector.ClientAbortException: java.io.IOException":         true,
		"org.eclipse.jetty.io.EofException":                                               true,
		"Puma::ConnectionError: Connection error detected during write: Broken pipe":      true,
		"write tcp 127.0.0.1:80->127.0.0.1:5: write: broken pipe":                         true,
		"An existing connection was forcibly closed by the remote host":                   true, // Windows
		"RuntimeError: Session is closed":                                                 false,
		"ValueError: I/O operation on closed file":                                        false,
		"httpx.StreamClosed: Attempted to read or stream content, but it has been closed": false,
		"sqlalchemy.exc.ResourceClosedError: This result object is closed":                false,
		"ZeroDivisionError: division by zero":                                             false,
		"Error [ERR_STREAM_WRITE_AFTER_END]: write after end":                             false, // the app's own order
		"java.lang.OutOfMemoryError: Java heap space":                                     false,
		"panic: runtime error: index out of range [3] with length 3":                      false,
	} {
		if got := logline.Reacts(line); got != want {
			t.Errorf("Reacts(%q) = %v, want %v", line, got, want)
		}
	}
}
