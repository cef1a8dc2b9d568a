package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/recognise"
)

// What init reads off an answer: the dialect, and for a generic one what tells its
// last event. Where the answer says neither, both stay open.
func TestDerive(t *testing.T) {
	const openai = `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n" +
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	for _, tt := range []struct {
		name, kind, body  string
		status            int
		cut               error
		dialect, terminal string
		err               string
	}{
		{"openai", "text/event-stream", openai + "data: [DONE]\n\n", 200, nil, "openai-chat", "", ""},
		{"openai without [DONE]", "text/event-stream; charset=utf-8", openai, 200, nil, "openai-chat", "", ""},
		{"ollama", "application/x-ndjson",
			`{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"a"},"done":false}` +
				"\n" +
				`{"model":"m","created_at":"2026-01-01T00:00:01Z","message":{"content":""},"done":true,` +
				`"done_reason":"stop"}` + "\n",
			200, nil, "ollama", "", ""},
		{"events with names", "text/event-stream", "data: {\"t\":\"a\"}\n\ndata: {\"t\":\"b\"}\n\nevent: done\ndata: {}\n\n",
			200, nil, "sse-generic", "event == done", ""},
		{"events that all look alike", "text/event-stream", "data: a\n\ndata: a\n\n", 200, nil, "", "",
			"nothing distinguishes the last event"},
		{"lines of JSON", "application/json", "{\"t\":\"a\"}\n{\"t\":\"b\"}\n{\"end\":true}\n", 200, nil, "ndjson-generic",
			"json .end", ""},
		{"text", "text/plain; charset=utf-8", "all of it", 200, nil, "text", "", ""},
		{"a page", "text/html", "<p>all of it", 200, nil, "", "", "does not know the format of the response (text/html), most like text"},
		{"not found", "application/json", `{"detail":"Not Found"}`, 404, nil, "", "", "status 404"},
		{"empty", "text/plain", "", 200, nil, "", "", "empty"},
		{"cut", "text/plain", "all of", 200, errors.New("unexpected EOF"), "", "", "broke off after 6 bytes"},
	} {
		var s config.Start
		look := play.Look{Status: tt.status, ContentType: tt.kind, Body: []byte(tt.body), Cut: tt.cut,
			Pieces: []play.Piece{{Upto: len(tt.body)}}}
		err := fillIn(recognise.Read([]play.Look{look}, ""), &s)
		if string(s.Dialect) != tt.dialect || !strings.HasPrefix(s.Terminal, tt.terminal) || (err == nil) != (tt.err == "") ||
			err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: dialect %q, terminal %q, %v", tt.name, s.Dialect, s.Terminal, err)
		}
	}
}

// An answer that does not tell which event is its last was an answer: the dialect stands in
// the file, and what would hold of the last event, to be checked.
func TestUnsettled(t *testing.T) {
	for _, tt := range []struct{ kind, body, dialect, terminal, says string }{
		{"application/x-ndjson", "{\"row\":1}\n{\"row\":2}\n{\"summary\":true,\"rows\":2}\n", "ndjson-generic",
			"json .summary == true", "so check that every answer ends with such an event"},
		{"text/event-stream", "data: a\n\ndata: a\n\n", "sse-generic", "", "say in the file under terminal: "},
		{"text/plain", "", "", "", "the dialect was not recognised"},
	} {
		var s config.Start
		look := play.Look{Status: 200, ContentType: tt.kind, Body: []byte(tt.body),
			Pieces: []play.Piece{{Upto: len(tt.body)}}}
		err := fillIn(recognise.Read([]play.Look{look}, ""), &s)
		if err == nil {
			t.Fatalf("%q is settled", tt.body)
		}
		says := unsettled(err, &s)
		if !strings.Contains(says, tt.says) || string(s.Dialect) != tt.dialect || s.Terminal != tt.terminal {
			t.Errorf("%q: dialect %q, terminal %q, %s", tt.body, s.Dialect, s.Terminal, says)
		}
	}
}
