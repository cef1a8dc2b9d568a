package stream

import (
	"strings"
	"testing"
)

// A hearer reads an answer as a client with sessions does.
type hearer struct {
	r Reader
	s *Speech
}

func (l *hearer) Frame(f *Frame) { l.s.Add(f, l.r.Read(f)) }

// heard is what the answer says, read in pieces of a size.
func heard(t *testing.T, dialect, body string, ask Ask, size int) (string, bool) {
	t.Helper()
	d, ok := Lookup(dialect)
	if !ok {
		t.Fatalf("no dialect %s", dialect)
	}
	l := &hearer{d.Reader(ask), d.Speech(ask)}
	dec := d.Format.New(Limits{Frame: 4 << 20})
	for rest := body; rest != ""; {
		n := min(size, len(rest))
		if err := dec.Push([]byte(rest[:n]), l); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	dec.Close(l)
	return l.s.Text()
}

func TestSpeechOfEachDialect(t *testing.T) {
	sse := func(lines ...string) string { return "data: " + strings.Join(lines, "\n\ndata: ") + "\n\n" }
	for _, tt := range []struct{ dialect, body, want string }{
		{"openai-chat", sse(`{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
			`{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}`, `{"choices":[{"index":0,"delta":{"content":"a\n\"b\" "}}]}`,
			`{"choices":[{"index":1,"delta":{"content":"OTHER"}}]}`, `{"choices":[{"delta":{"content":"\u00e9\ud83d\ude00"}}]}`,
			`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "[DONE]"), "a\n\"b\" é😀"},
		{"openai-chat", sse(`{"choices":[{"index":0,"text":"old "}]}`, `{"choices":[{"index":0,"text":"way"}]}`), "old way"},
		{"vllm", sse(`{"choices":[{"index":0,"delta":{"content":"like"}}]}`), "like"},
		{"openai-responses", sse(`{"type":"response.output_text.delta","delta":"one "}`,
			`{"type":"response.reasoning_text.delta","delta":"hm"}`, `{"type":"response.output_text.delta","delta":"two"}`,
			`{"type":"response.output_text.done","text":"one two"}`), "one two"},
		{"anthropic-messages", sse(`{"type":"content_block_start","content_block":{"type":"text","text":""}}`,
			`{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}`,
			`{"type":"content_block_delta","delta":{"type":"text_delta","text":"x "}}`,
			`{"type":"content_block_delta","delta":{"type":"text_delta","text":"y"}}`), "x y"},
		{"gemini", sse(`{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}`,
			`{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"}]}}]}`,
			`{"candidates":[{"index":1,"content":{"parts":[{"text":"c"}]}}]}`), "ab"},
		{"mistral", sse(`{"choices":[{"index":0,"delta":{"content":"a"}}]}`,
			`{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"b"}]}}]}`), "ab"},
		{"cohere", sse(`{"type":"content-delta","delta":{"message":{"content":{"text":"hi"}}}}`), "hi"},
		{"ollama", "{\"message\":{\"content\":\"a\"}}\n{\"message\":{\"content\":\"b\"},\"done\":true}\n", "ab"},
		{"ollama", "{\"response\":\"a\"}\n{\"response\":\"\",\"done\":true}\n", "a"},
		{"vercel-ui", sse(`{"type":"text-delta","id":"1","delta":"a"}`, `{"type":"reasoning-delta","delta":"hm"}`, "[DONE]"), "a"},
		{"vercel-ui", "0:\"a\"\n0:\"b\"\ng:\"hm\"\nd:{\"finishReason\":\"stop\"}\n", "ab"},
		{"ag-ui", sse(`{"type":"TEXT_MESSAGE_CONTENT","messageId":"1","delta":"a"}`, `{"type":"TOOL_CALL_ARGS","delta":"b"}`), "a"},
		{"langserve", "event: data\ndata: \"a\"\n\nevent: data\ndata: {\"content\":\"b\",\"type\":\"AIMessageChunk\"}\n\nevent: end\n\n", "ab"},
		{"mcp", sse(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a"}]}}`), "a"},
		{"origin", "data: {\"seq\":1,\"text\":\"a\"}\n\ndata: {\"seq\":2,\"text\":\"b\"}\n\n", "ab"},
		{"sse-generic", ": beat\n\n" + sse("a", " b") + "event: ping\ndata: x\n\n", "a b"},
		{"ndjson-generic", "{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n{\"a\":2}"},
		{"text", "as it is\n", "as it is\n"},
	} {
		for _, size := range []int{1 << 20, 1} {
			if got, cut := heard(t, tt.dialect, tt.body, Ask{}, size); got != tt.want || cut {
				t.Errorf("%s in pieces of %d: %q, want %q", tt.dialect, size, got, tt.want)
			}
		}
	}
	for _, ask := range []Ask{{Sentinel: "<end>"}, {Length: 12}} {
		want := map[bool]string{true: "so much", false: "so much<end>"}[ask.Sentinel != ""]
		for _, size := range []int{1, 7, 9, 100} {
			if got, _ := heard(t, "text", "so much<end>", ask, size); got != want {
				t.Errorf("text in pieces of %d: %q, want %q", size, got, want)
			}
		}
	}
}

// TestSpeechIsBounded: a long answer is cut between characters, and that is said.
func TestSpeechIsBounded(t *testing.T) {
	long := strings.Repeat("é", MaxSpeech/2)
	got, cut := heard(t, "text", "x"+long, Ask{}, 1000)
	if !cut || got != "x"+long[:len(long)-2] {
		t.Errorf("%d bytes, cut %v", len(got), cut)
	}
	if got, cut := heard(t, "text", long, Ask{}, 1000); cut || got != long {
		t.Errorf("an answer of just the bound: %d bytes, cut %v", len(got), cut)
	}
}

// TestSpeechOfOwnDialect: the key text is checked, and taken over by like.
func TestSpeechOfOwnDialect(t *testing.T) {
	base := Spec{Name: "kiln", Format: []string{"ndjson"}, Content: []string{".piece"}, Terminal: []string{"json .done == true"}}
	d, err := base.Compile()
	if err != nil || d.Says() {
		t.Fatalf("a dialect without text says %v, %v", d.Says(), err)
	}
	if own, err := (Spec{Name: "mine", Like: "openai-chat"}).Compile(); err != nil || !own.Says() {
		t.Errorf("like openai-chat: says %v, %v", own.Says(), err)
	}
	for text, want := range map[string]string{".piece when json .kind == note": "", "piece": `"piece" is no path`,
		".a.*": "a text has one place", ".": "", ".a when json": "column 13", ".[x": "column"} {
		s := base
		s.Text = []string{text}
		d, err := s.Compile()
		if want == "" && (err != nil || !d.Says()) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
