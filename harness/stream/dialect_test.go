package stream

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
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
	partial := dec.Close(l)
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

// The server side of the origin dialect, for tests.

const nonce = "n-1"

func originText(seq int) string { return fmt.Sprintf("wörd %d ", seq) }

func originObject(nonce string, seq int) string {
	return fmt.Sprintf(`{"seq":%d,"t":%d,"nonce":%q,"pid":42,"text":%q}`, seq, 1000+seq, nonce, originText(seq))
}

func originDone(n int, texts ...int) string {
	sum := crc32.New(castagnoli)
	for _, seq := range texts {
		sum.Write([]byte(originText(seq)))
	}
	return fmt.Sprintf(`{"t":2000,"nonce":%q,"pid":42,"events":%d,"crc32c":"%08x"}`, nonce, n, sum.Sum32())
}

func sseEvent(seq int) string {
	return fmt.Sprintf("id: %d\ndata: %s\n\n", seq, originObject(nonce, seq))
}

func sseEvents(seqs ...int) (body string) {
	for _, seq := range seqs {
		body += sseEvent(seq)
	}
	return body
}

func sseDone(n int, texts ...int) string {
	return "event: done\ndata: " + originDone(n, texts...) + "\n\n"
}

const (
	ssePing  = ": ping 1764057600000000000\n\n"
	sseError = "event: error\ndata: {\"t\":3,\"nonce\":\"n-1\",\"pid\":42,\"error\":\"model \\\"lost\\\"\"}\n\n"
	// gunicorn26 is what its sync worker writes into an open body (TAXONOMY A8).
	gunicorn26 = "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 141\r\n\r\n<html>\n</html>\n"
)

func TestOrigin(t *testing.T) {
	whole := sseEvents(1, 2, 3)
	done := sseDone(3, 1, 2, 3)
	foreign := "data: " + originObject("n-2", 3) + "\n\n"
	for _, tt := range []dialectTest{
		{"whole", sseEvent(1) + ssePing + sseEvents(2, 3) + done, "chccT", Complete, ""},
		{"no events, and said so", sseDone(0), "T", Complete, ""},
		{"no terminal", whole, "ccc", Prefix, "no terminal after 3 content events"},
		{"cut inside a frame", whole + "id: 4\ndata: {\"se", "ccc", CutFrame, "ends 16 bytes into a frame"},
		{"cut inside the terminal", whole + done[:30], "ccc", CutFrame, ""},
		{"empty", "", "", Empty, ""},
		{"heartbeats only", ssePing + ssePing, "hh", Empty, ""},
		{"in-band error", sseEvents(1, 2) + sseError, "ccE", Prefix, `model "lost"`},
		{"error then terminal", sseEvents(1, 2) + sseError + sseDone(2, 1, 2), "ccET", Prefix, "in-band error"},
		{"lost event", sseEvents(1, 3) + done, "ccT", Gap, "event 2 missing after 1"},
		{"lost events", sseEvents(1, 4, 5) + sseDone(5, 1, 4, 5), "cccT", Gap, "events 2 to 3 missing after 1"},
		{"first event lost", sseEvents(2, 3) + done, "ccT", Gap, "event 1 missing"},
		{"last event lost", sseEvents(1, 2) + sseDone(3, 1, 2), "ccT", Gap, "event 3 missing after 2, the terminal declares 3"},
		{"lost, then cut", sseEvents(1, 3) + "id: 4", "cc", Gap, "event 2"},
		{"duplicate", sseEvents(1, 2, 2, 3) + done, "ccccT", Duplicate, "event 2 came twice"},
		{"reordered", sseEvents(1, 3, 2) + done, "cccT", Reordered, "event 2 came after 3"},
		{"late, then twice", sseEvents(1, 3, 2, 2) + done, "ccccT", Duplicate, "event 2"},
		{"replayed from the start", sseEvents(1, 2, 1, 2, 3) + done, "cccccT", Duplicate, "event 1"},
		{"middle of a hole comes late", sseEvents(1, 5, 3), "ccc", Gap, "event 2 missing"},
		{"foreign", sseEvents(1, 2) + foreign + sseEvent(3) + done, "ccccT", Foreign, `nonce "n-2"`},
		{"foreign terminal", whole + strings.Replace(done, nonce, "n-9", 1), "cccT", Foreign, ""},
		{"checksum", whole + sseDone(3, 1, 2, 2), "cccT", Corrupt, "crc32c"},
		{"more events than declared", whole + sseDone(2, 1, 2, 3), "cccT", Corrupt, "3 events, the terminal declares 2"},
		{"terminal twice", whole + done + done, "cccTT", Complete, ""},
		{"event after terminal", sseEvents(1, 2) + sseDone(2, 1, 2) + sseEvent(3), "ccTc", Corrupt, "after the terminal"},
		{"heartbeat after terminal", whole + done + ssePing, "cccTh", Complete, ""},
		{"half a heartbeat after terminal", whole + done + ": pi", "cccT", Complete, "4 bytes of an unfinished frame"},
		{"garbage", sseEvent(1) + "data: {\"seq\":2,\"t\"1}\n\n", "cm", Corrupt, "not JSON"},
		{"no object", "data: 12\n\n", "m", Corrupt, "not the JSON"},
		{"no text", "data: {\"seq\":1,\"nonce\":\"n-1\"}\n\n", "m", Corrupt, "without seq or text"},
		{"terminal without checksum", whole + "event: done\ndata: {\"nonce\":\"n-1\",\"events\":3}\n\n", "cccm", Corrupt, "without events or crc32c"},
		{"not UTF-8", "data: {\"seq\":1,\"nonce\":\"n-1\",\"text\":\"\xff\"}\n\n", "m", Corrupt, "not UTF-8: byte 0xff"},
		{"second response", sseEvents(1, 2) + gunicorn26, "cch", Corrupt, "HTTP/1.1 500 Internal Server Error"},
		{"second response inside an event", sseEvents(1, 2) + sseEvent(3)[:20] + gunicorn26, "ccm", Corrupt, "a second HTTP response"},
		{"another event type", "event: info\ndata: {\"nonce\":\"n-1\"}\n\n" + whole + done, "mcccT", Complete, ""},
	} {
		tt.run(t, "origin", Ask{Nonce: nonce})
	}
}

func TestOriginReadsStamps(t *testing.T) {
	got := read(t, "origin", Ask{Nonce: nonce}, sseEvent(1)+ssePing+sseDone(1, 1))
	want := []Event{{Content, 1, 1001}, {Heartbeat, -1, 0}, {Terminal, -1, 2000}}
	if fmt.Sprint(got.events) != fmt.Sprint(want) {
		t.Errorf("events = %v, want %v", got.events, want)
	}
	if got.Worker != "42" {
		t.Errorf("worker = %q, want 42", got.Worker)
	}
}

// Without a nonce told the first event sets it.
func TestOriginLearnsNonce(t *testing.T) {
	body := sseEvent(1) + "data: " + originObject("n-2", 2) + "\n\n"
	if got := read(t, "origin", Ask{}, body); got.State != Foreign {
		t.Errorf("state = %q, want foreign", got.State)
	}
}

// Escapes and another order of keys change nothing.
func TestOriginIsJSON(t *testing.T) {
	text := "w\\u00f6rd\\u0020" + "1 "
	body := `data: { "text" : "` + text + `", "pid":42, "nonc\u0065":"n-1", "x":{"y":[1,{}]}, "seq" : 1 }` + "\n\n"
	if got := read(t, "origin", Ask{Nonce: nonce}, body+sseDone(1, 1)); got.State != Complete {
		t.Errorf("state = %q because %q", got.State, got.Why)
	}
}

func TestOriginLines(t *testing.T) {
	line := func(kind, object string) string { return `{"type":"` + kind + `",` + object[1:] + "\n" }
	one, two := line("event", originObject(nonce, 1)), line("event", originObject(nonce, 2))
	ping := `{"type":"ping","t":5,"nonce":"n-1","pid":42}` + "\n"
	done := line("done", originDone(2, 1, 2))
	for _, tt := range []dialectTest{
		{"whole", one + ping + two + done, "chcT", Complete, ""},
		{"no terminal", one + two, "cc", Prefix, "no terminal"},
		{"no LF at the end", one + two + strings.TrimSpace(done), "ccT", Complete, ""},
		{"cut", one + two[:9], "c", CutFrame, ""},
		{"gap", one + line("event", originObject(nonce, 3)), "cc", Gap, "event 2"},
		{"error", one + `{"type":"error","t":5,"nonce":"n-1","pid":42,"error":"lost"}` + "\n", "cE", Prefix, "lost"},
		{"second response", one + gunicorn26, "cmmmmhmm", Corrupt, "HTTP/1.1 500"},
	} {
		tt.run(t, "origin-ndjson", Ask{Nonce: nonce})
	}
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
		{"named error", "event: error\ndata: {\"detail\":\"x\"}\n\n", "E", Prefix, "detail"},
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
		{"sse-generic", "event == end", dialectTest{"empty data", "data\n\n", "m", Prefix, ""}},
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

func TestTextDialect(t *testing.T) {
	const body = "grüße 🙂\n"
	digest := func(s string) string { return fmt.Sprintf("%X", sha256.Sum256([]byte(s))) }
	end := Ask{Sentinel: "\n[END]\n"}
	tests := []struct {
		name      string
		ask       Ask
		body      string
		state     State
		terminals int
		why       string
	}{
		{"sentinel", end, body + "\n[END]\n", Complete, 1, ""},
		{"sentinel twice", end, body + "\n[END]\n\n[END]\n", Complete, 2, ""},
		{"sentinel in the middle", end, "a\n[END]\nb", Prefix, 0, "does not end with the sentinel"},
		{"sentinel cut", end, body + "\n[EN", Prefix, 0, "does not end"},
		{"cut inside a character", end, "gr\xc3", CutFrame, 0, "1 bytes into"},
		{"empty", end, "", Empty, 0, ""},
		{"length", Ask{Length: int64(len(body))}, body, Complete, 1, ""},
		{"too short", Ask{Length: 99}, body, Prefix, 0, "bytes of the 99 declared"},
		{"too long", Ask{Length: 3}, body, Corrupt, 0, "of the 3 declared"},
		{"digest", Ask{SHA256: digest(body)}, body, Complete, 1, ""},
		{"digest of bytes that are no UTF-8", Ask{SHA256: digest("\xff\xc3")}, "\xff\xc3", Complete, 1, ""},
		{"digest does not hold", Ask{SHA256: digest(body)}, body[:4], Prefix, 0, "cut or altered"},
		{"whole but altered", Ask{SHA256: digest(body), Length: int64(len(body))}, "G" + body[1:], Corrupt, 0, "sha256 does not hold"},
		{"nothing declared", Ask{}, body, Prefix, 0, "nothing can prove"},
		{"not UTF-8", end, "ab\xffcd\n[END]\n", Corrupt, 1, "byte 2: not UTF-8"},
		{"broken character", end, "ab\xf0\x9fcd\n[END]\n", Corrupt, 1, "byte 2: not UTF-8"},
		{"second response", end, "text " + gunicorn26, Corrupt, 0, "byte 5: a second HTTP response"},
		{"second response after a false start", end, "HTTP/HTTP/1.1 5HTTP/1.0 502 Bad\r\nServer: x\r\n", Corrupt, 0, "byte 15:"},
		{"talk of HTTP", end, "It says HTTP/1.1 200 OK.\r\n Fine: so it does.\n[END]\n", Complete, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, "text", tt.ask, tt.body)
			if got.State != tt.state || got.Terminals != tt.terminals || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %+v, want %q, %d terminals, because %q", got.Summary, tt.state, tt.terminals, tt.why)
			}
			if got.Unprovable != (tt.ask == Ask{}) {
				t.Errorf("unprovable = %t", got.Unprovable)
			}
		})
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
