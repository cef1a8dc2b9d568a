package harness

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stream"
)

// Both ways of asking say the same, whatever wraps it.
func TestSaid(t *testing.T) {
	const streamed = `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n: ping\n\n" +
		`data: {"choices":[{"delta":{"content":"a ä"}}]}` + "\n\n" + `data: {"choices":[{"delta":{"content":" b"}}]}` + "\n\ndata: [DONE]\n\n"
	for _, tc := range []struct{ dialect, sentinel, kind, body string }{
		{"openai-chat", "", "text/event-stream", streamed},
		{"openai-chat", "", "application/json", `{"choices":[{"message":{"role":"assistant","content":"a ä b"}}]}`},
		{"origin", "", "text/event-stream; charset=utf-8", "id: 1\ndata: {\"seq\":1,\"text\":\"a ä\"}\n\ndata: {\"seq\":2,\"text\":\" b\"}\n\nevent: done\ndata: {\"events\":2}\n\n"},
		{"origin", "", "application/json", `{"text":"a ä b"}`},
		{"ollama", "", "application/x-ndjson", "{\"message\":{\"content\":\"a ä\"}}\n{\"message\":{\"content\":\" b\"},\"done\":true}\n"},
		{"ollama", "", "application/json", `{"response":"a ä b","done":true}`},
		{"text", "\n[END]\n", "text/plain; charset=utf-8", "a ä b\n[END]\n"},
		{"text", "\n[END]\n", "text/plain", "a ä b"},
	} {
		d, ok := stream.Lookup(tc.dialect)
		if !ok {
			t.Fatalf("no dialect %s", tc.dialect)
		}
		p := &player{run: &run{dialect: d}}
		p.App.Stream.Sentinel = tc.sentinel
		if got := p.said(tc.kind, []byte(tc.body)); got != "a ä b" {
			t.Errorf("%s, %s: %q", tc.dialect, tc.kind, got)
		}
	}
}

func TestShapeFillsThePath(t *testing.T) {
	app := App{URL: "http://127.0.0.1:1", Stream: Stream{Path: "/chat?n={events}&gap={gap}&pause={pause}&at={pause_at}"}}
	if !app.shaped() {
		t.Error("a path with {gap} takes no shape")
	}
	if got, want := (Shape{}).fill(app.path()), "/chat?n=20&gap=50ms&pause=0s&at=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := Shape{Events: 3, Gap: 1e6, Pause: 3e9, PauseAt: 2}
	if got, want := s.fill(app.path()), "/chat?n=3&gap=1ms&pause=3s&at=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
