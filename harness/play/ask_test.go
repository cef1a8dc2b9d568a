package play

import (
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stream"
)

// Both ways of asking say the same, whatever wraps it.
func TestSaid(t *testing.T) {
	const streamed = `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n: ping\n\n" +
		`data: {"choices":[{"delta":{"content":"a ä"}}]}` + "\n\n" + `data: {"choices":[{"delta":{"content":" b"}}]}` +
		"\n\ndata: [DONE]\n\n"
	for _, tc := range []struct{ dialect, sentinel, kind, body string }{
		{"openai-chat", "", "text/event-stream", streamed},
		{"openai-chat", "", "application/json", `{"choices":[{"message":{"role":"assistant","content":"a ä b"}}]}`},
		{"origin", "", "text/event-stream; charset=utf-8", "id: 1\ndata: {\"seq\":1,\"text\":\"a ä\"}\n\n" +
			"data: {\"seq\":2,\"text\":\" b\"}\n\nevent: done\ndata: {\"events\":2}\n\n"},
		{"origin", "", "application/json", `{"text":"a ä b"}`},
		{"ollama", "", "application/x-ndjson",
			"{\"message\":{\"content\":\"a ä\"}}\n{\"message\":{\"content\":\" b\"},\"done\":true}\n"},
		{"ollama", "", "application/json", `{"response":"a ä b","done":true}`},
		{"text", "\n[END]\n", "text/plain; charset=utf-8", "a ä b\n[END]\n"},
		{"text", "\n[END]\n", "text/plain", "a ä b"},
	} {
		d, ok := stream.Lookup(tc.dialect)
		if !ok {
			t.Fatalf("no dialect %s", tc.dialect)
		}
		p := asker{Plan: &harness.Plan{Dialect: d}}
		p.App.Stream.Sentinel = tc.sentinel
		if got := p.said(tc.kind, []byte(tc.body)); got != "a ä b" {
			t.Errorf("%s, %s: %q", tc.dialect, tc.kind, got)
		}
	}
}
