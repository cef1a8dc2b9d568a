package stream

import (
	"slices"
	"strings"
	"testing"
)

func expr(t *testing.T, s string) *Matcher {
	t.Helper()
	if s == "" {
		return nil
	}
	m, err := ParseTerminal(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What keeps a connection warm is a heartbeat in every dialect, and no progress.
func TestHeartbeats(t *testing.T) {
	sse := []string{"data:\n\n", "data: \n\n", "data\n\n", "id: 7\nretry: 900\ndata: \n\n", "data: \"\"\n\n", ": warm\n\n",
		"event: ping\ndata: {}\n\n", "event: ping\ndata:\n\n", "event: keep-alive\ndata: \"\"\n\n", "event: Heartbeat\ndata: 12\n\n"}
	lines := []string{"\n", "\r\n", "\"\"\n"}
	for dialect, beats := range map[string][]string{"sse-generic": sse, "openai-chat": sse, "origin": sse, "ndjson-generic": lines, "ollama": lines, "origin-ndjson": lines} {
		for _, beat := range beats {
			got := read(t, dialect, Ask{Terminal: expr(t, "data == END")}, beat+beat)
			if k := kinds(got.events); k != "hh" || got.State != Empty {
				t.Errorf("%s: %q: kinds %s, state %q (%s), want heartbeats only", dialect, beat, k, got.State, got.Why)
			}
		}
	}
	for _, beat := range []string{`{"type":"ping"}`, `{"type":"keepalive","t":3}`, `{"event":"heartbeat"}`} {
		if got := read(t, "ndjson-generic", Ask{Terminal: expr(t, "json .done == true")}, beat+"\n"); kinds(got.events) != "h" {
			t.Errorf("%s: %s, want a heartbeat", beat, kinds(got.events))
		}
	}
	// An empty event that the user calls the end is one.
	if got := read(t, "sse-generic", Ask{Terminal: expr(t, "event == bye")}, "data: x\n\nevent: bye\ndata:\n\n"); kinds(got.events) != "cT" || got.State != Complete {
		t.Errorf("%s %q, want a terminal", kinds(got.events), got.State)
	}
}

func chatChunk(choice string) string {
	return `data: {"object":"chat.completion.chunk","choices":[` + choice + "]}\n\n"
}

// The reason beside the sentinel decides what the sentinel is worth.
func TestReasons(t *testing.T) {
	word := chatChunk(`{"index":0,"delta":{"content":"moss"}}`)
	for reason, fails := range map[string]bool{
		"stop": false, "length": false, "tool_calls": false, "function_call": false, "content_filter": false, "eos_token": false,
		"end_turn": false, "MAX_TOKENS": false, "SAFETY": false, "COMPLETE": false, "model_context_window_exceeded": false, "brand_new_reason": false,
		"abort": true, "error": true, "ERROR": true, "insufficient_system_resource": true, "MALFORMED_FUNCTION_CALL": true,
		"cancelled": true, "upstream_timeout": true, "generation_failed": true,
	} {
		body := word + chatChunk(`{"index":0,"delta":{},"finish_reason":"`+reason+`"}`) + "data: [DONE]\n\n"
		generic := read(t, "sse-generic", Ask{Terminal: expr(t, "data == [DONE]")}, body)
		for dialect, got := range map[string]reading{"openai-chat": read(t, "openai-chat", Ask{}, body), "sse-generic": generic} {
			if got.Failing != fails || (got.Errors > 0) != fails || got.Reason != reason {
				t.Errorf("%s: %s: failing %v, %d errors, reason %q", dialect, reason, got.Failing, got.Errors, got.Reason)
			}
			if fails && !strings.Contains(got.ErrorText, reason) || !fails && got.State != Complete {
				t.Errorf("%s: %s: error text %q, state %q", dialect, reason, got.ErrorText, got.State)
			}
		}
	}
	for _, tt := range []struct{ name, dialect, terminal, body, kinds string }{
		{"in the last word", "openai-chat", "", word + chatChunk(`{"index":0,"delta":{"content":"x"},"finish_reason":"abort"}`) + "data: [DONE]\n\n", "ccT"},
		{"one choice of two", "openai-chat", "", word + chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"abort"}`) + "data: [DONE]\n\n", "cET"},
		{"Ollama", "ollama", "", `{"model":"m","response":"a","done":false}` + "\n" + `{"model":"m","response":"","done":true,"done_reason":"error"}` + "\n", "cE"},
		{"Gemini", "sse-generic", "json .candidates[0].finishReason exists", `data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}` + "\n\n" + `data: {"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}` + "\n\n", "cE"},
		{"Cohere", "ndjson-generic", "json .is_finished == true", `{"text":"a","is_finished":false}` + "\n" + `{"is_finished":true,"finish_reason":"ERROR"}` + "\n", "cE"},
	} {
		got := read(t, tt.dialect, Ask{Terminal: expr(t, tt.terminal)}, tt.body)
		if kinds(got.events) != tt.kinds || got.Errors != 1 || !got.Failing {
			t.Errorf("%s: kinds %s, errors %d, failing %v", tt.name, kinds(got.events), got.Errors, got.Failing)
		}
	}
}

// Failures that an event says, and those that only a step of the work had.
func TestFailures(t *testing.T) {
	const step = "event: step\ndata: {\"n\":1}\n\n"
	for _, tt := range []struct {
		name, terminal, failure, body string
		errors                        int
		text                          string
		state                         State
	}{
		{"response.failed", "event == response.completed", "", step + "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"x\",\"message\":\"the mill stopped\"}}}\n\n", 1, "the mill stopped", Prefix},
		{"named by a terminal", "event == response.failed", "", step + "event: response.failed\ndata: {\"response\":{\"error\":{\"message\":\"the mill stopped\"}}}\n\n", 1, "the mill stopped", Prefix},
		{"cancelled response", "json .type == response.completed", "", "data: {\"type\":\"response.done\",\"response\":{\"status\":\"cancelled\"}}\n\n", 1, "cancelled", Prefix},
		{"null errors beside content", "json .type == response.completed", "", "data: {\"type\":\"response.created\",\"response\":{\"error\":null}}\n\ndata: {\"type\":\"response.completed\",\"error\":null}\n\n", 0, "", Complete},
		{"last word sounds like a failure", "event == run_done", "", step + "event: run_failed\ndata: {\"message\":\"no flour\"}\n\n", 1, "no flour", Prefix},
		{"in camel case", "json .type == runCompleted", "", "data: {\"type\":\"step\"}\n\ndata: {\"type\":\"runAborted\",\"detail\":\"by the operator\"}\n\n", 1, "by the operator", Prefix},
		{"short, by the API's own word", "event == response.completed", "", step + "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"error\":null}}\n\n", 0, "", Complete},
		{"a step that failed and was tried again", "event == run_done", "", step + "event: step_failed\ndata: {\"n\":2}\n\n" + step + "event: run_done\ndata: {}\n\n", 0, "", Complete},
		{"a failed step, then a cut", "event == run_done", "", step + "event: step_failed\ndata: {\"n\":2}\n\n" + step, 0, "", Prefix},
		{"a word that only contains one", "event == done", "", "event: terror\ndata: 1\n\n", 0, "", Prefix},
		{"the user's own", "event == done", "json .code in (17, 18)", step + "data: {\"code\":17,\"message\":\"drought\"}\n\nevent: done\ndata: {}\n\n", 1, "drought", Prefix},
		{"the user's own, not met", "event == done", "json .code in (17, 18)", "data: {\"code\":0}\n\nevent: done\ndata: {}\n\n", 0, "", Complete},
	} {
		got := read(t, "sse-generic", Ask{Terminal: expr(t, tt.terminal), Failure: expr(t, tt.failure)}, tt.body)
		if got.Errors != tt.errors || got.ErrorText != tt.text && !strings.Contains(got.ErrorText, tt.text) || got.State != tt.state {
			t.Errorf("%s: %d errors, text %q, state %q (%s)", tt.name, got.Errors, got.ErrorText, got.State, got.Why)
		}
	}
	for dialect, body := range map[string]string{
		"openai-chat":    chatChunk(`{"index":0,"delta":{"content":"a"}}`) + "data: {\"warning\":\"quota\",\"message\":\"out of corn\"}\n\ndata: [DONE]\n\n",
		"ollama":         "{\"message\":{\"content\":\"a\"}}\n{\"warning\":\"quota\",\"message\":\"out of corn\"}\n",
		"ndjson-generic": "{\"a\":1}\n{\"warning\":\"quota\",\"message\":\"out of corn\"}\n",
	} {
		if got := read(t, dialect, Ask{Terminal: expr(t, "json .done == true"), Failure: expr(t, "json .warning == quota")}, body); got.Errors != 1 || got.ErrorText != "out of corn" {
			t.Errorf("%s: %d errors, text %q", dialect, got.Errors, got.ErrorText)
		}
	}
}

// A terminal that others follow proves nothing; the same terminal twice is the
// server's doing.
func TestEarlyTerminal(t *testing.T) {
	const a, b, c = "data: {\"n\":1,\"usage\":{\"t\":1}}\n\n", "data: {\"n\":2,\"usage\":{\"t\":2}}\n\n", "data: {\"n\":3,\"usage\":{\"t\":3},\"last\":true}\n\n"
	for _, tt := range []struct {
		name, terminal, body string
		early                int
		ends                 []string
	}{
		{"every event", "json .usage exists", a + b + c, 1, []string{"json .last == true"}},
		{"a middle one", "json .n == 2", a + b + c, 2, []string{"json .last == true"}},
		{"the last", "json .last == true", a + b + c, 0, nil},
		{"the last, twice", "json .last == true", a + b + c + c, 0, nil},
		{"the last, then a heartbeat", "json .last == true", a + b + c + ": ping\n\ndata:\n\n", 0, nil},
		{"never", "json .n == 9", a + b + c, 0, []string{"json .last == true"}},
	} {
		got := read(t, "sse-generic", Ask{Terminal: expr(t, tt.terminal)}, tt.body)
		if got.Early != tt.early || !slices.Equal(got.Ends, tt.ends) {
			t.Errorf("%s: early %d, ends %q; want %d, %q", tt.name, got.Early, got.Ends, tt.early, tt.ends)
		}
	}
}

// Only expressions that match the last event and no other are offered, and never
// one that names a failure.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name, dialect, body string
		want                []string
	}{
		{"event name", "sse-generic", "event: token\ndata: a\n\nevent: token\ndata: b\n\nevent: finish\ndata: {}\n\n", []string{"event == finish"}},
		{"name and type", "sse-generic", "event: d\ndata: {\"type\":\"d\"}\n\nevent: s\ndata: {\"type\":\"s\"}\n\n", []string{"event == s", "json .type == s"}},
		{"sentinel", "sse-generic", "data: a\n\ndata: b\n\ndata: [EOS]\n\n", []string{"data == [EOS]"}},
		{"a sentinel that came before", "sse-generic", "data: a\n\ndata: [EOS]\n\ndata: b\n\ndata: [EOS]\n\n", nil},
		{"a failure", "sse-generic", "event: token\ndata: a\n\nevent: response.failed\ndata: {}\n\n", nil},
		{"a type that is a failure", "ndjson-generic", "{\"type\":\"token\"}\n{\"type\":\"run_cancelled\"}\n", nil},
		{"done", "ndjson-generic", "{\"t\":\"a\",\"done\":false}\n{\"t\":\"b\",\"done\":true}\n", []string{"json .done == true"}},
		{"finish_reason", "sse-generic", chatChunk(`{"index":0,"delta":{"content":"a"},"finish_reason":null}`) + chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"}`), []string{"json .choices[0].finish_reason exists"}},
		{"usage behind the finish", "sse-generic", chatChunk(`{"index":0,"delta":{"content":"a"}}`) + chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"}`) + "data: {\"choices\":[],\"usage\":{\"n\":2}}\n\n", []string{"json .usage exists"}},
		{"one event only", "sse-generic", "event: finish\ndata: {}\n\n", nil},
		{"tokens alone", "sse-generic", "data: a\n\ndata: b\n\n", nil},
		{"more names than are kept", "sse-generic", manyNames(), nil},
	} {
		got := read(t, tt.dialect, Ask{Terminal: expr(t, "data == never")}, tt.body)
		if !slices.Equal(got.Ends, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got.Ends, tt.want)
		}
	}
}

func manyNames() string {
	var b strings.Builder
	for c := 'a'; c <= 'z'; c++ {
		b.WriteString("event: " + string(c) + "\ndata: x\n\n")
	}
	return b.String()
}

// A provider without [DONE] is read by the event that says that it is over, with
// an account of the tokens behind it or not.
func TestOpenAITerminal(t *testing.T) {
	word, stop := chatChunk(`{"index":0,"delta":{"content":"a"}}`), chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"}`)
	const usage = "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n"
	for _, tt := range []dialectTest{
		{"finish", word + stop, "cT", Complete, ""},
		{"usage after it", word + stop + usage, "cTm", Complete, ""},
		{"[DONE] all the same", word + stop + "data: [DONE]\n\n", "cTm", Complete, ""},
		{"cut before", word + word, "cc", Prefix, "no terminal"},
		{"two choices", word + chatChunk(`{"index":1,"delta":{"content":"b"}}`) + stop + chatChunk(`{"index":1,"delta":{},"finish_reason":"length"}`), "ccmT", Complete, ""},
		{"given up", word + chatChunk(`{"index":0,"delta":{},"finish_reason":"abort"}`), "cE", Prefix, "abort"},
		{"content behind it", word + stop + word, "cTc", Corrupt, "after the terminal"},
	} {
		tt.run(t, "openai-chat", Ask{Terminal: expr(t, "json .choices[0].finish_reason exists")})
	}
}

// What frameworks do to all events alike has a name, and what no parser took is
// kept.
func TestFaults(t *testing.T) {
	word, stop := chatChunk(`{"index":0,"delta":{"content":"a"}}`), chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"}`)
	const done = "data: [DONE]\n\n"
	twice := strings.ReplaceAll(word+stop+done, "data: ", "data: data: ")
	joined := strings.ReplaceAll(word+stop+done, "\n\n", "\n")
	for _, tt := range []struct {
		name, dialect, body string
		state               State
		fault               Fault
		left                string
	}{
		{"prefix twice", "openai-chat", twice, Corrupt, PrefixTwice, "data: {"},
		{"prefix twice", "sse-generic", twice, Corrupt, PrefixTwice, ""},
		{"one text that begins so", "sse-generic", "data: data: is plural\n\ndata: [DONE]\n\n", Complete, "", ""},
		{"joined", "openai-chat", joined + "\n", Corrupt, Joined, "[DONE]"},
		{"joined", "sse-generic", joined + "\n", Corrupt, Joined, ""},
		{"joined, no blank line at all", "openai-chat", joined, CutFrame, Joined, "data: {"},
		{"the terminal lacks its blank line", "openai-chat", word + stop + "data: [DONE]\n", CutFrame, TerminalOpen, "data: [DONE]"},
		{"the terminal lacks its line end", "openai-chat", word + stop + "data: [DONE]", CutFrame, TerminalOpen, "data: [DONE]"},
		{"some event lacks its blank line", "openai-chat", word + word[:20], CutFrame, "", word[:20]},
		{"an error that is no event", "openai-chat", word + "{\"error\":\n {\"message\":\"no wood\"}}\n\n", Prefix, "", "no wood"},
		{"a plain text error", "sse-generic", "data: a\n\nInternal Server Error", CutFrame, "", "Internal Server Error"},
		{"not JSON", "ollama", "{\"message\":{\"content\":\"a\"}}\nupstream is gone\n", Corrupt, NotJSON, "upstream is gone"},
		{"a line without its end", "ndjson-generic", "{\"a\":1}\n\"END\"", CutFrame, TerminalOpen, "END"},
		{"whole", "openai-chat", word + stop + done, Complete, "", ""},
	} {
		terminal := "data == [DONE]"
		if tt.dialect == "ndjson-generic" {
			terminal = `data == '"END"'`
		}
		got := read(t, tt.dialect, Ask{Terminal: expr(t, terminal)}, tt.body)
		if tt.dialect == "openai-chat" {
			got = read(t, tt.dialect, Ask{}, tt.body)
		}
		if got.State != tt.state || got.Fault != tt.fault || !strings.Contains(got.Leftover, tt.left) {
			t.Errorf("%s, %s: state %q (%s), fault %q, left over %q", tt.name, tt.dialect, got.State, got.Why, got.Fault, got.Leftover)
		}
	}
	long := read(t, "openai-chat", Ask{}, strings.Repeat("data: "+strings.Repeat("ö", 300)+"\n\n", 4)).Leftover
	if len(long) > MaxLeftover || len(long) < MaxLeftover/2 || strings.Contains(long, "\uFFFD") {
		t.Errorf("%d bytes left over: %q", len(long), long)
	}
}

// A character that two pieces shared leaves marks that a text does not write by
// itself.
func TestSplitCharacters(t *testing.T) {
	chat := func(texts ...string) string {
		var b strings.Builder
		for _, s := range texts {
			b.WriteString(chatChunk(`{"index":0,"delta":{"content":"` + s + `"}}`))
		}
		return b.String() + chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"}`) + "data: [DONE]\n\n"
	}
	for _, tt := range []struct {
		name, body      string
		replaced, split int
	}{
		{"none", chat("grün", `a\\b`, "x"), 0, 0},
		{"one by itself, as a text may write it", chat("the mark \uFFFD is U+FFFD", "x"), 1, 0},
		{"two in a row", chat("gr\uFFFD\uFFFDn"), 1, 1},
		{"across a border", chat("gr\uFFFD", "\uFFFDn"), 2, 1},
		{"across a border, escaped", chat(`gr\ufffd`, `\uFFFDn`), 2, 1},
		{"at both sides of an event between", chat("gr\uFFFD", "a", "\uFFFDn"), 2, 0},
	} {
		got := read(t, "openai-chat", Ask{}, tt.body)
		if got.Replaced != tt.replaced || got.Split != tt.split || got.State != Complete {
			t.Errorf("%s: replaced %d, split %d, state %q", tt.name, got.Replaced, got.Split, got.State)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, tt := range []struct {
		media, start string
		want         Form
	}{
		{"text/event-stream", "data: {\"choices\":[", FormOpenAI},
		{"text/event-stream; charset=utf-8", "event: message_start\ndata: {", FormAnthropic},
		{"", "event: response.created\ndata: {}", FormResponses},
		{"", "data: {\"candidates\":[]}", FormGemini},
		{"", "data: {\"type\":\"start\",\"messageId\":\"1\"}", FormVercelParts},
		{"", ": hello\n\ndata: x", FormSSE},
		{"text/plain", "0:\"Hi\"\n0:\"Ho\"\n", FormVercelLines},
		{"text/plain", "f:{\"messageId\":\"m\"}\n", FormVercelLines},
		{"text/plain", "12: the number of apostles", FormUnknown},
		{"application/vnd.amazon.eventstream", "\x00\x00", FormAWS},
		{"application/grpc-web+proto", "\x00", FormGRPC},
		{"multipart/x-mixed-replace; boundary=a", "--a", FormMultipart},
		{"audio/mpeg", "ID3", FormMedia},
		{"application/x-ndjson", "{\"a\":1}", FormNDJSON},
		{"", "{\"a\":1}\n{\"a\":2}\n", FormNDJSON},
		{"", "{\"model\":\"m\",\"created_at\":\"x\",\"done\":false}\n", FormOllama},
		{"application/json", "{\"error\":{\"message\":\"x\"}}", FormJSON},
		{"application/json", "{\n  \"detail\": \"x\"\n}", FormJSON},
		{"text/html", "<!DOCTYPE html>", FormHTML},
		{"", "<html>", FormHTML},
		{"text/plain", "once upon a time", FormUnknown},
	} {
		if got := Recognise(tt.media, []byte(tt.start)); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.media, tt.start, got, tt.want)
		}
	}
	// Text that is a stream of events by its media type as well is no plain text.
	for _, tt := range []struct {
		media, text string
		want        Form
	}{
		{"text/plain", "0:\"Hi\"\n0:\"Ho\"\n", FormVercelLines},
		{"text/plain", "0:\"Hi\" said he\n", FormUnknown},
		{"text/event-stream", "data: {\"choices\":[]}\n\n", FormOpenAI},
		{"text/plain", "data: is plural\n", FormUnknown},
		{"application/x-ndjson", "{\"a\":1}\n", FormNDJSON},
		{"text/plain", "{\"a\":1}\n{\"a\":2}\n", FormUnknown},
		{"text/plain", "once upon a time", FormUnknown},
	} {
		if got := read(t, "text", Ask{}, tt.text).Form.Confirmed(tt.media); got != tt.want {
			t.Errorf("%s %q read as text: %q, want %q", tt.media, tt.text, got, tt.want)
		}
		if got := read(t, "text", Ask{Length: 99}, tt.text).Form; got != FormUnknown {
			t.Errorf("%q with a declared length: %q, want none", tt.text, got)
		}
	}
	for _, f := range []Form{FormOpenAI, FormAnthropic, FormResponses, FormGemini, FormVercelParts, FormOllama, FormNDJSON, FormSSE} {
		name, terminal := f.ReadBy()
		d, ok := Lookup(name)
		if !ok || !d.Reads(f) {
			t.Errorf("%s: %q does not read it", f, name)
		}
		if _, err := ParseTerminal(terminal); terminal != "" && err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	// A stream of another API that happens to be JSON over SSE.
	other := strings.Repeat("data: {\"token\":\"a\"}\n\n", 4)
	if got := read(t, "openai-chat", Ask{}, other); got.Form != FormSSE {
		t.Errorf("form %q, want that of server-sent events", got.Form)
	}
	if got := read(t, "ollama", Ask{}, strings.Repeat("{\"token\":\"a\"}\n", 4)); got.Form != FormNDJSON {
		t.Errorf("form %q, want that of NDJSON", got.Form)
	}
	if got := read(t, "openai-chat", Ask{}, "data: {\"detail\":\"gone\"}\n\n"); got.Form != FormUnknown {
		t.Errorf("form %q of one strange event: it may as well be a failure", got.Form)
	}
}

// Reading what an event says beside its content does not allocate.
func TestRemarksDoNotAllocate(t *testing.T) {
	for _, dialect := range []string{"sse-generic", "openai-chat"} {
		d, _ := Lookup(dialect)
		r := d.New(Ask{Terminal: expr(t, "event == done"), Failure: expr(t, "json .code exists")})
		frames := []Frame{
			{Name: []byte("delta"), Data: []byte(`{"type":"delta","choices":[{"index":0,"delta":{"content":"gr\u00fcn \ufffd"},"finish_reason":null}],"usage":null}`)},
			{Name: []byte("ping"), Data: []byte(`{}`)},
			{Data: []byte("")},
		}
		for i := range frames {
			r.Read(&frames[i])
		}
		if n := testing.AllocsPerRun(100, func() {
			for i := range frames {
				r.Read(&frames[i])
			}
		}); n > 0 && !raceDetector {
			t.Errorf("%s: %v allocations per event", dialect, n)
		}
	}
}
