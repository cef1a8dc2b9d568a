package tap

import (
	"fmt"
	"testing"

	"github.com/streamproof/streamproof/harness/http1"
)

func headOf(w *words, lines ...string) map[string]string {
	h := newHead(w, false)
	d := http1.NewResponse(&h.Head, 1<<16)
	for _, l := range append([]string{"HTTP/1.1 200 OK"}, lines...) {
		d.Next([]byte(l + "\r\n"))
	}
	return h.kept()
}

// What names the server that answered is kept, whatever the field is called; what
// names the request, or may be a secret, is not.
func TestFieldsThatNameAServer(t *testing.T) {
	var w words
	got := headOf(&w, "X-Served-By: r2", "X-Pod: chat-7d9", "Server-Timing: host;desc=\"r2\", total;dur=12.5",
		"Set-Cookie: SERVERID=r2; path=/", "Set-Cookie: sessionid=0123456789; HttpOnly", "X-Api-Key: hush",
		"X-Auth-Token: hush", "X-Request-ID: abc", "X-Trace-Id: abc",
		"Cf-Ray: 8a1b2c3d4e5f-FRA", "X-Streamproof-Upstream: 127.0.0.1:1", "Date: today", "X-Long: "+fmt.Sprintf("%0100d", 1))
	want := map[string]string{"X-Served-By": "r2", "X-Pod": "chat-7d9", "Server-Timing": "host;desc=\"r2\", total",
		"Set-Cookie": "SERVERID=r2",
		"Cf-Ray":     "set", "X-Streamproof-Upstream": "127.0.0.1:1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}

// A field that has had more values than there are servers is dropped.
func TestFieldsWithManyValuesNameNoServer(t *testing.T) {
	var w words
	for i := range maxFewValues {
		if got := headOf(&w, fmt.Sprintf("X-Answer: %d", i)); got["X-Answer"] == "" {
			t.Fatalf("value %d was dropped", i)
		}
	}
	if got := headOf(&w, "X-Answer: more"); got["X-Answer"] != "" {
		t.Errorf("kept %v after %d values", got, maxFewValues)
	}
	if got := headOf(&w, "X-Answer: 3"); got["X-Answer"] != "" {
		t.Errorf("kept %v again", got)
	}
}

// A proxy may add a Server field of its own beside the app's (Caddy does).
func TestRepeatedFieldsAreJoined(t *testing.T) {
	var w words
	if got := headOf(&w, "Server: Caddy", "Server: uvicorn")["Server"]; got != "Caddy, uvicorn" {
		t.Errorf("Server is %q", got)
	}
}
