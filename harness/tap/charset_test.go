package tap_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// A text is in the charset that its server declares; events are UTF-8.
func TestDeclaredCharset(t *testing.T) {
	text, _ := stream.Lookup("text")
	events, terminal := generic(t)
	for _, c := range []struct {
		name, media, body string
		dialect           *stream.Dialect
		ask               stream.Ask
		want              stream.State
	}{
		{"Latin-1", "text/plain; charset=ISO-8859-1", "caf\xe9[END]", &text, stream.Ask{Sentinel: "[END]"}, stream.Complete},
		{"ends in a letter above ASCII", "text/plain; charset=ISO-8859-1", "caf\xe9", &text, stream.Ask{Length: 4},
			stream.Complete},
		{"UTF-16", "text/plain; charset=UTF-16", "h\x00i\x00!\x00", &text, stream.Ask{Sentinel: "!"}, stream.Complete},
		{"none declared", "text/plain", "caf\xe9[END]", &text, stream.Ask{Sentinel: "[END]"}, stream.Corrupt},
		{"events", "text/event-stream; charset=ISO-8859-1", "data: caf\xe9\n\n" + done, events, terminal, stream.Corrupt},
	} {
		s := serve(t, always(say("HTTP/1.1 200 OK\r\nContent-Type: "+c.media+"\r\n\r\n"+c.body), fin))
		got := newRig(t, tap.Options{}).get(tap.Job{URL: "http://" + s.Addr, Dialect: c.dialect, Ask: c.ask})
		if got.Content.State != c.want || got.Partial != 0 {
			t.Errorf("%s: %q (%s), partial %d; want %q", c.name, got.Content.State, got.Content.Why, got.Partial, c.want)
		}
	}
}
