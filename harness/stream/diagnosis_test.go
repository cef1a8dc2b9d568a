package stream

import (
	"strings"
	"testing"
)

// What a diagnosis needs to tell a user's wrong guess from a broken server.
func TestLastEvent(t *testing.T) {
	never, err := ParseTerminal(`data == "never"`)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("é", 200)
	for _, tc := range []struct{ name, dialect, body, want string }{
		{"named", "sse-generic", "data: a\n\nevent: done\ndata: {}\n\n", "event: done, data: {}"},
		{"after a comment", "sse-generic", "data: last\n\n: ping\n\n", "last"},
		{"line", "ndjson-generic", "{\"a\":1}\n{\"type\":\"end\"}\n", `{"type":"end"}`},
		{"none", "sse-generic", "", ""},
		{"long, cut at a character", "sse-generic", "data: " + long + "\n\n", long[:maxLastEvent]},
	} {
		if got := read(t, tc.dialect, Ask{Terminal: never}, tc.body).LastEvent; got != tc.want {
			t.Errorf("%s: last event %q, want %q", tc.name, got, tc.want)
		}
	}
}

// A chat whose every choice has finished is over, with or without its sentinel.
func TestFinished(t *testing.T) {
	const open, over = `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n", `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	for body, want := range map[string]bool{open: false, open + over: true, open + over + "data: [DONE]\n\n": false} {
		if got := read(t, "openai-chat", Ask{}, body); got.Finished != want || got.State == Complete && got.Finished {
			t.Errorf("%q: %+v, want finished %v", body, got.Summary, want)
		}
	}
}

// Every dialect says what it can find out.
func TestDialectsSayWhatTheyProve(t *testing.T) {
	for _, d := range Dialects() {
		if d.Doc == "" || d.Proves == "" {
			t.Errorf("%s lacks its doc or what it proves", d.Name)
		}
	}
}
