package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A reading is all that a dialect says about one body.
type reading struct {
	events []Event
	Summary
}

// A listener is the sink that feeds a reader, as the tap does.
type listener struct {
	r      Reader
	events []Event
}

func (l *listener) Frame(f *Frame) { l.events = append(l.events, l.r.Read(f)) }

func listen(d Dialect, ask Ask, pieces ...string) reading {
	l := &listener{r: d.New(ask)}
	dec := d.Format.New(Limits{})
	for _, piece := range pieces {
		if err := dec.Push([]byte(piece), l); err != nil {
			break
		}
	}
	tail := bytes.Clone(Tail(dec))
	partial := dec.Close(l)
	if partial > 0 {
		Leave(d.Format, l.r, tail)
	}
	return reading{l.events, l.r.Close(partial)}
}

// read listens to body whole and in every split, and fails where they differ.
func read(t *testing.T, dialect string, ask Ask, body string) reading {
	t.Helper()
	d, ok := Lookup(dialect)
	if !ok {
		t.Fatalf("no dialect %q", dialect)
	}
	want := listen(d, ask, body)
	splits(body, func(pieces []string) {
		got := listen(d, ask, pieces...)
		if d.Format.Name == "text" { // a frame is what a push delivers
			got.events = want.events
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: %q\ngot  %+v\nwant %+v", dialect, pieces, got, want)
		}
	})
	return want
}

// kinds writes the kinds of events as letters: c m h T E.
func kinds(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteByte("cmhTE"[e.Kind])
	}
	return b.String()
}

// A dialectTest is one body and what must be said about it.
type dialectTest struct {
	name, body string
	kinds      string
	state      State
	why        string // part of Why
}

func (tt dialectTest) run(t *testing.T, dialect string, ask Ask) {
	t.Run(tt.name, func(t *testing.T) {
		got := read(t, dialect, ask, tt.body)
		if k := kinds(got.events); k != tt.kinds {
			t.Errorf("kinds = %s, want %s", k, tt.kinds)
		}
		if got.State != tt.state || !strings.Contains(got.Why, tt.why) {
			t.Errorf("state = %q because %q, want %q because %q", got.State, got.Why, tt.state, tt.why)
		}
		if n := strings.Count(tt.kinds, "T"); got.Terminals != n && dialect != "text" {
			t.Errorf("%d terminals, want %d", got.Terminals, n)
		}
		if n := strings.Count(tt.kinds, "E"); got.Errors != n {
			t.Errorf("%d errors, want %d", got.Errors, n)
		}
	})
}

func TestOpenAIChat(t *testing.T) {
	chunk := func(choices string) string {
		return `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[` + choices + "]}\n\n"
	}
	role := chunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`)
	word := chunk(`{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}`)
	tool := chunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]},"finish_reason":null}`)
	stop := chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`)
	second := chunk(`{"index":1,"delta":{"content":"Ho"},"finish_reason":null}`)
	usage := `data: {"id":"x","choices":[],"usage":{"total_tokens":3}}` + "\n\n"
	failed := `data: {"error":{"message":"overloaded","type":"server_error","code":503}}` + "\n\n"
	const end = "data: [DONE]\n\n"
	for _, tt := range []dialectTest{
		{"whole", role + word + word + stop + usage + end, "mccmmT", Complete, ""},
		{"short by max_tokens", word + chunk(`{"index":0,"delta":{},"finish_reason":"length"}`) + end, "cmT", Complete, ""},
		{"finish in the last word", chunk(`{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}`) + end, "cT", Complete, ""},
		{"tool call", role + tool + stop + end, "mcmT", Complete, ""},
		{"reasoning", chunk(`{"index":0,"delta":{"reasoning_content":"hm"}}`) + stop + end, "cmT", Complete, ""},
		{"older completions", chunk(`{"index":0,"text":"Hi","finish_reason":null}`) + chunk(`{"index":0,"text":"","finish_reason":"stop"}`) + end, "cmT", Complete, ""},
		{"heartbeat", ": OPENROUTER PROCESSING\n\n" + word + stop + end, "hcmT", Complete, ""},
		{"null error", strings.Replace(word, "{", `{"error":null,`, 1) + stop + end, "cmT", Complete, ""},
		{"no [DONE]", word + stop, "cm", Prefix, "no [DONE]"},
		{"no finish_reason", word + end, "cT", Prefix, "choice 0 has no finish_reason"},
		{"second choice unfinished", word + second + stop + end, "ccmT", Prefix, "choice 1 has no finish_reason"},
		{"[DONE] alone", end, "T", Prefix, "no choice at all"},
		{"error", word + failed, "cE", Prefix, "overloaded"},
		{"vLLM: error, then [DONE]", word + failed + end, "cET", Prefix, "overloaded"},
		{"older vLLM error", `data: {"object":"error","message":"gone"}` + "\n\n", "E", Prefix, "gone"},
		{"named error", "event: error\ndata: {\"detail\":\"x\"}\n\n", "E", Prefix, "in-band error: x"},
		{"cut inside a frame", word + word[:30], "c", CutFrame, ""},
		{"garbage", word + "data: {\"choices\":[}\n\n", "cm", Corrupt, "not JSON"},
		{"HTML page", "data: <html>\n\n", "m", Corrupt, "not JSON"},
		{"wild index", chunk(`{"index":999,"delta":{}}`), "m", Corrupt, "index 999"},
		{"content after [DONE]", word + stop + end + word, "cmTc", Corrupt, "after the terminal"},
		{"second response", word + gunicorn26, "ch", Corrupt, "HTTP/1.1 500"},
	} {
		tt.run(t, "openai-chat", Ask{})
	}
}

func TestOpenAILabels(t *testing.T) {
	chunk := func(seq int, nonce string) string {
		return fmt.Sprintf(`data: {"choices":[{"index":0,"delta":{"content":"a"}}],"streamproof":{"seq":%d,"t":%d,"nonce":%q,"pid":42}}`+"\n\n", seq, 1000*seq, nonce)
	}
	const end = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	for _, tt := range []struct {
		name, body string
		state      State
	}{
		{"whole", chunk(1, "n") + chunk(2, "n") + end, Complete},
		{"gap", chunk(1, "n") + chunk(3, "n") + end, Gap},
		{"twice", chunk(1, "n") + chunk(1, "n") + end, Duplicate},
		{"foreign", chunk(1, "n") + chunk(1, "other") + end, Foreign},
		{"not an object", strings.Replace(chunk(1, "n"), `"streamproof":{`, `"streamproof":3,"x":{`, 1) + end, Complete},
	} {
		if got := read(t, "openai-chat", Ask{Nonce: "n"}, tt.body); got.State != tt.state {
			t.Errorf("%s: state %q (%s), want %q", tt.name, got.State, got.Why, tt.state)
		}
	}
	got := read(t, "openai-chat", Ask{Nonce: "n"}, chunk(1, "n")+chunk(2, "n")+end)
	if got.Worker != "42" || got.events[1].Seq != 2 || got.events[1].Emit != 2000 || got.events[2].Emit != 0 {
		t.Errorf("worker %q, events %+v", got.Worker, got.events)
	}
}

func TestOllama(t *testing.T) {
	const (
		word     = `{"model":"m","created_at":"2026-11-25T08:00:00.25Z","message":{"role":"assistant","content":"Hi"},"done":false}` + "\n"
		generate = `{"model":"m","created_at":"2026-11-25T08:00:00.5Z","response":"Hi","done":false}` + "\n"
		done     = `{"model":"m","created_at":"2026-11-25T08:00:01Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}` + "\n"
	)
	for _, tt := range []dialectTest{
		{"chat", word + word + done, "ccT", Complete, ""},
		{"generate", generate + done, "cT", Complete, ""},
		{"thinking", `{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}` + "\n" + done, "cT", Complete, ""},
		{"role only", `{"message":{"role":"assistant","content":""},"done":false}` + "\n" + done, "mT", Complete, ""},
		{"no terminal", word, "c", Prefix, "no terminal"},
		{"error", word + `{"error":"unexpected EOF"}` + "\n", "cE", Prefix, "unexpected EOF"},
		{"cut", word + done[:40], "c", CutFrame, ""},
		{"garbage", "nonsense\n", "m", Corrupt, "not JSON"},
		{"second response", word + gunicorn26, "cmmmmhmm", Corrupt, "HTTP/1.1 500"},
	} {
		tt.run(t, "ollama", Ask{})
	}
	got := read(t, "ollama", Ask{}, word+generate)
	if d := got.events[1].Emit - got.events[0].Emit; d != 250e6 {
		t.Errorf("created_at stamps are %d ns apart, want 250 ms", d)
	}
}

func TestGeneric(t *testing.T) {
	for _, tt := range []struct {
		dialect, terminal string
		dialectTest
	}{
		{"sse-generic", "data == [DONE]", dialectTest{"whole", "data: a\n\ndata: [DONE]\n\n", "cT", Complete, ""}},
		{"sse-generic", "event == end", dialectTest{"named", "data: a\n\nevent: end\ndata\n\n", "cT", Complete, ""}},
		{"sse-generic", "event == end", dialectTest{"no terminal", "data: a\n\n", "c", Prefix, "no terminal"}},
		{"sse-generic", "event == end", dialectTest{"ping and error", "event: ping\ndata: {}\n\nevent: error\ndata: gone\n\n", "hE", Prefix, "gone"}},
		{"sse-generic", "event == end", dialectTest{"error in JSON", "data: {\"type\":\"error\",\"message\":\"gone\"}\n\n", "E", Prefix, "gone"}},
		{"sse-generic", "event == end", dialectTest{"no error", "data: {\"error\":false,\"type\":\"x\"}\n\n", "c", Prefix, ""}},
		{"sse-generic", "event == end", dialectTest{"empty data", "data\n\n", "h", Empty, ""}},
		{"sse-generic", "event == end", dialectTest{"second response", "data: a\n\n" + gunicorn26, "ch", Corrupt, "HTTP/1.1 500"}},
		{"sse-generic", "event == end", dialectTest{"talk of HTTP", "data: say HTTP/1.1 500 Oops\n\n", "c", Prefix, ""}},
		{"sse-generic", "event == end", dialectTest{"not UTF-8", "data: \xff\n\n", "m", Corrupt, "not UTF-8"}},
		{"ndjson-generic", "json .done == true", dialectTest{"whole", "{\"a\":1}\n{\"done\":true}\n", "cT", Complete, ""}},
		{"ndjson-generic", "json .done == true", dialectTest{"garbage", "{\"a\":1}\noops\n", "cm", Corrupt, "not JSON"}},
		{"ndjson-generic", "json .done == true", dialectTest{"heartbeat", "\n{\"a\":1}\n", "hc", Prefix, ""}},
		{"ndjson-generic", "json .done == true", dialectTest{"error", "{\"error\":{\"message\":\"gone\"}}\n", "E", Prefix, "gone"}},
	} {
		m, err := ParseTerminal(tt.terminal)
		if err != nil {
			t.Fatal(err)
		}
		tt.run(t, tt.dialect, Ask{Terminal: m})
	}
	for _, dialect := range []string{"sse-generic", "ndjson-generic"} {
		got := read(t, dialect, Ask{}, "data: {}\n\n{}\n")
		if !got.Unprovable || got.State == Complete {
			t.Errorf("%s without a terminal expression: unprovable = %t, state = %q", dialect, got.Unprovable, got.State)
		}
	}
}

func TestErrorTextIsClipped(t *testing.T) {
	long := strings.Repeat("ü", 300)
	got := read(t, "ollama", Ask{}, `{"error":"x`+long+"\"}\n")
	if want := "x" + strings.Repeat("ü", 99); got.ErrorText != want {
		t.Errorf("error text has %d bytes: %q", len(got.ErrorText), got.ErrorText)
	}
}

// A hostile server cannot make a sequence remember more than its bound.
func TestSequenceIsBounded(t *testing.T) {
	var s sequence
	for n := int64(2); n < 10_000; n += 2 {
		s.add(n)
	}
	if len(s.holes) > maxHoles {
		t.Errorf("%d holes remembered, bound is %d", len(s.holes), maxHoles)
	}
	if state, why := s.fault(); state != Gap {
		t.Errorf("fault = %q because %q, want a gap", state, why)
	}
	for n := int64(1); n < 10_000; n += 2 {
		s.add(n)
	}
	if state, _ := s.fault(); state != Gap {
		t.Errorf("fault = %q: holes that were not remembered must not count as filled", state)
	}
}

func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Dialects() {
		if seen[d.Name] || d.Doc == "" || d.New == nil || d.Format.New == nil {
			t.Errorf("dialect %+v is incomplete or registered twice", d)
		}
		seen[d.Name] = true
		if got, ok := Lookup(d.Name); !ok || got.Name != d.Name {
			t.Errorf("Lookup(%q) = %v, %t", d.Name, got.Name, ok)
		}
	}
	if _, ok := Lookup("sse"); ok {
		t.Error(`Lookup("sse") found a dialect`)
	}
}

func FuzzDialects(f *testing.F) {
	f.Add([]byte(sseEvents(1, 3, 2)+ssePing+sseError+sseDone(3, 1, 2, 3)), uint64(1))
	f.Add([]byte(sseEvents(1)+gunicorn26), uint64(2))
	f.Add([]byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"), uint64(3))
	f.Add([]byte("{\"type\":\"event\",\"seq\":1,\"nonce\":\"n-1\",\"text\":\"\\ud83d\\ude42\"}\n{\"done\":true}"), uint64(4))
	f.Add([]byte("gr\xc3\xbc\xf0\x9f\x99HTTP/1.1 500 x\r\nA: b\n[END]\n"), uint64(5))
	terminal, err := ParseTerminal("data == [DONE] or json .done == true")
	if err != nil {
		f.Fatal(err)
	}
	ask := Ask{Nonce: nonce, Terminal: terminal, Sentinel: "\n[END]\n"}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		pieces := cut(string(body), rand.New(rand.NewPCG(seed, 0)))
		for _, d := range Dialects() {
			want, got := listen(d, ask, string(body)), listen(d, ask, pieces...)
			if d.Format.Name == "text" {
				got.events = want.events
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %q\ngot  %+v\nwant %+v", d.Name, pieces, got, want)
			}
		}
	})
}
