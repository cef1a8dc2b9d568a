package stream

import "testing"

// What servers write beside the examples of their documentation.
func TestWaysToEnd(t *testing.T) {
	const (
		word = `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n"
		stop = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
		two  = `data: {"choices":[{"index":1,"delta":{"content":"b"}}]}` + "\n\n"
	)
	for _, tt := range []struct {
		name, dialect, body string
		state               State
	}{
		{"no space before [DONE]", "openai-chat", word + stop + "data:[DONE]\n\n", Complete},
		{"a space behind [DONE]", "openai-chat", word + stop + "data: [DONE] \n\n", Complete},
		{"two spaces before [DONE]", "openai-chat", word + stop + "data:  [DONE]\r\n\r\n", Complete},
		{"[DONE] without its blank line", "openai-chat", word + stop + "data: [DONE]\n", CutFrame},
		{"[DONE] without any line end", "openai-chat", word + stop + "data: [DONE]", CutFrame},
		{"one of two choices has finished", "openai-chat", word + two + stop + "data: [DONE]\n\n", Prefix},
		{"filtered", "openai-chat", word + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` +
			"\n\ndata: [DONE]\n\n", Complete},
		{"an empty finish reason is none", "openai-chat",
			`data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}]}` + "\n\ndata: [DONE]\n\n", Prefix},
		{"a usage of no choice after the finish", "openai-chat", word + stop +
			`data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}` + "\n\ndata: [DONE]\n\n", Complete},
		{"an array with a byte order mark", "gemini", byteOrderMark +
			`[{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP","index":0}]}]`, Complete},
		{"an array, cut before its finish reason", "gemini",
			`[{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0}]}`, Prefix},
		{"an array, cut in an element", "gemini", `[{"candidates":[{"content":{"parts":[{"te`, CutFrame},
		{"a batch with what is no message in it", "mcp", "data: [{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}, 7]\n\n", Corrupt},
		{"an array of another API", "openai-chat", "data: [{\"choices\":[]}]\n\ndata: [DONE]\n\n", Corrupt},
		{"lines with a byte order mark", "ollama", byteOrderMark + `{"response":"a","done":false}` + "\r\n" +
			`{"response":"","done":true,"done_reason":"stop"}`, Complete},
		{"lines of white space between", "ollama", `{"response":"a","done":false}` + "\n  \n" +
			`                              ` + "\n" + `{"response":"","done":true,"done_reason":"stop"}` + "\n", Complete},
		{"parts with a byte order mark", "vercel-ui", byteOrderMark + "0:\"a\"\nd:{\"finishReason\":\"stop\"}\n", Complete},
	} {
		if got := read(t, tt.dialect, Ask{}, tt.body); got.State != tt.state {
			t.Errorf("%s: %q (%s), want %q", tt.name, got.State, got.Why, tt.state)
		}
	}
}

// A batch of answers is one terminal, and as one failed.
func TestBatch(t *testing.T) {
	d, _ := Lookup("mcp")
	for _, c := range conversations(t) {
		if c.dialect != "mcp" || c.name != "batch-of-two" && c.name != "batch-failed" {
			continue
		}
		got := listen(d, Ask{}, c.body)
		want := [3]int{1, 0, 0}
		if c.name == "batch-failed" {
			want = [3]int{0, 1, 0}
		}
		if n := [3]int{got.Terminals, got.Errors, got.AfterTerminal}; n != want {
			t.Errorf("%s: terminals, errors and events after them are %v, want %v", c.name, n, want)
		}
	}
	batch := "event: message\r\ndata: [{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}]\r\n\r\n"
	if g := Identify("text/event-stream", []byte(batch))[0]; g.Dialect != "mcp" || !g.Certain {
		t.Errorf("recognised as %+v", g)
	}
	sink, dec := &mute{d.New(Ask{})}, d.Format.New(Limits{})
	if n := testing.AllocsPerRun(100, func() {
		if err := dec.Push([]byte(batch), sink); err != nil {
			t.Error(err)
		}
	}); n >= 2 && !raceDetector { // one is the copy of the text above
		t.Errorf("%v allocations per batch", n)
	}
}
