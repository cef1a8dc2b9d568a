package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// byHand are the readers that data have replaced.
var byHand = map[string]func(Ask) Reader{"openai-chat": newOpenAI, "ollama": newOllama}

// pieces are frames as these APIs send them, and as broken servers do.
var pieces = map[string][]string{
	"openai-chat": {
		": ping\n\n", "data:\n\n", "event: ping\ndata: {}\n\n", "data: [DONE]\n\n", "data: [DONE] \n\n",
		chatChunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`),
		chatChunk(`{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}`),
		chatChunk(`{"index":0,"delta":{"content":"gr\u00fc\ufffd\ufffd"}}`),
		chatChunk(`{"index":1,"delta":{"content":"Ho"},"finish_reason":null}`),
		chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"}`),
		chatChunk(`{"index":1,"delta":{"content":"x"},"finish_reason":"length"}`),
		chatChunk(`{"index":0,"delta":{},"finish_reason":"abort"}`),
		chatChunk(`{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"error"}`),
		chatChunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}`),
		chatChunk(`{"index":0,"delta":{"reasoning_content":"hm"}}`), chatChunk(`{"index":0,"delta":{"refusal":"no"}}`),
		chatChunk(`{"index":0,"delta":null,"text":"old"}`), chatChunk(`{"index":0,"message":{"role":"a","content":"b"}}`),
		chatChunk(`{"index":999,"delta":{}}`), chatChunk(`{"index":-1,"delta":{"content":"a"}}`), chatChunk(`{"index":"0","delta":{"content":[]}}`),
		chatChunk(`null`), chatChunk(``), "data: {\"choices\":null}\n\n", "data: {\"choices\":{}}\n\n",
		`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}` + "\n\n",
		`data: {"error":{"message":"overloaded","code":503}}` + "\n\n", `data: {"error":"gone","choices":[]}` + "\n\n", `data: {"error":null}` + "\n\n",
		`data: {"object":"error","message":"gone"}` + "\n\n", "event: error\ndata: {\"detail\":\"x\"}\n\n",
		"data: <html>\n\n", "data: {\"choices\":[}\n\n", "data: \xff\n\n", "data: [1]\n\n", "data: {}\n\n", "{\"error\":1}\n\n",
		`data: {"choices":[{"index":0,"delta":{"content":"a"}}],"streamproof":{"seq":1,"t":5,"nonce":"n","pid":42}}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"content":"a"}}],"streamproof":{"seq":2,"t":6,"nonce":"other","pid":42}}` + "\n\n",
		"data: {\"token\":\"a\"}\n\n", gunicorn26, "data: {\"choices\":[]}\ndata: {\"choices\":[]}\n\n", "data: data: {\"choices\":[]}\n\n",
		`data: {"code":17,"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n",
	},
	"ollama": {
		"\n", "\"\"\n", "{}\n", "[]\n", "nonsense\n", "{\"done\":tr\n", "\xff\n", "{\"error\":\"gone\"}\n", "{\"error\":null,\"done\":false}\n",
		`{"model":"m","created_at":"2026-11-25T08:00:00.25Z","message":{"role":"assistant","content":"Hi"},"done":false}` + "\n",
		`{"model":"m","created_at":"2026-11-25T08:00:00.5Z","response":"Hi","done":false}` + "\n",
		`{"model":"m","created_at":"noon","response":"","thinking":"hm","done":false}` + "\n",
		`{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f"}}]},"done":false}` + "\n",
		`{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":3,"prompt_eval_count":9}` + "\n",
		`{"response":"","done":true,"done_reason":"error"}` + "\n", `{"response":"","done_reason":"stop"}` + "\n",
		`{"message":"x","done":false}` + "\n", `{"token":"a"}` + "\n", `{"code":17}` + "\n", "HTTP/1.1 500 x\r\n",
	},
}

// without is a summary without what the readers by hand did not tell, and with the
// words of the engine.
func without(s Summary) Summary {
	s.Reasoning, s.Tools, s.Refusals, s.Usage = 0, 0, 0, Usage{}
	return s
}

// The data say of any body what the readers by hand said.
func TestDataAgainstHand(t *testing.T) {
	r, bodies := rand.New(rand.NewPCG(12, 1)), 4_000
	if raceDetector {
		bodies = 500
	}
	for dialect, frames := range pieces {
		for range bodies {
			agree(t, dialect, someBody(r, frames), differentialAsk(t, r))
			if t.Failed() {
				return
			}
		}
	}
}

func differentialAsk(t *testing.T, r *rand.Rand) Ask {
	ask := Ask{Nonce: "n"}
	if r.IntN(4) == 0 {
		ask.Failure = expr(t, "json .code in (17, 18)")
	}
	if r.IntN(4) == 0 {
		ask.Terminal = expr(t, "json .choices[0].finish_reason exists")
	}
	return ask
}

// someBody is a row of frames, now and then cut, or with bytes changed.
func someBody(r *rand.Rand, frames []string) string {
	var b strings.Builder
	for range 1 + r.IntN(8) {
		b.WriteString(frames[r.IntN(len(frames))])
	}
	body := []byte(b.String())
	if r.IntN(3) == 0 {
		body = body[:r.IntN(len(body)+1)]
	}
	if r.IntN(3) == 0 && len(body) > 0 {
		body[r.IntN(len(body))] = "{}[]\":,\\ax0\n\x80"[r.IntN(13)]
	}
	return string(body)
}

func agree(t *testing.T, dialect, body string, ask Ask) {
	t.Helper()
	d, _ := Lookup(dialect)
	if dialect == "ollama" {
		ask.Terminal = nil // its reader by hand took none
	}
	got := listen(d, ask, body)
	d.New = byHand[dialect]
	want := listen(d, ask, body)
	first := true
	for i := range got.events {
		got.events[i].Part, got.events[i].Last = Answer, false
		// By hand an event that was the first content and the end was an end only.
		if first && got.events[i].Kind == Content && i < len(want.events) && want.events[i].Kind == Terminal {
			got.events[i].Kind = Terminal
		}
		first = first && got.events[i].Kind != Content
	}
	got.Summary = without(got.Summary)
	got.Why, want.Why = early(got.Why), early(want.Why)
	if got.Form != want.Form && dialect == "openai-chat" { // by hand a member choices was enough to be of this API
		want.Form, want.Why = got.Form, got.Why
	}
	if got.State == Corrupt && want.State == Corrupt { // an event that does not parse may begin with a reason or a label
		got.Reason, want.Reason, got.Worker, want.Worker = "", "", "", ""
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%s: %q\ndata %+v\nhand %+v", dialect, body, got, want)
	}
}

// early leaves out what had not finished at the terminal: by hand it was looked for
// at the end of the body only.
func early(why string) string {
	if head, _, found := strings.Cut(why, "too early: "); found {
		return head
	}
	return why
}

func FuzzDataAgainstHand(f *testing.F) {
	r := rand.New(rand.NewPCG(12, 2))
	for _, frames := range pieces {
		f.Add([]byte(someBody(r, frames)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for dialect := range byHand {
			agree(t, dialect, string(bytes.Clone(body)), Ask{Nonce: "n"})
		}
	})
}

// The throughput of data against that of the readers by hand. Read the ratio of
// ns/op within one run.
func BenchmarkDataAgainstHand(b *testing.B) {
	for dialect, data := range measured {
		d, _ := Lookup(dialect)
		f := &Frame{Data: []byte(data)}
		for name, make := range map[string]func(Ask) Reader{"data": d.New, "hand": byHand[dialect]} {
			b.Run(dialect+"/"+name, func(b *testing.B) {
				r := make(Ask{})
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					r.Read(f)
				}
			})
		}
	}
}

// measured are events as the APIs send them.
var measured = map[string]string{
	"openai-chat": `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764057600,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}]}`,
	"ollama":      `{"model":"m","created_at":"2026-11-25T08:00:00.25Z","message":{"role":"assistant","content":"Hi"},"done":false}`,
}

// BenchmarkDataShare is the throughput of data as a share of that by hand: both take
// turns, and the least time of each counts, since other work on the machine only adds.
func BenchmarkDataShare(b *testing.B) {
	for dialect, data := range measured {
		b.Run(dialect, func(b *testing.B) {
			d, _ := Lookup(dialect)
			f := &Frame{Data: []byte(data)}
			least := [2]time.Duration{1 << 62, 1 << 62}
			readers := [2]Reader{d.New(Ask{}), byHand[dialect](Ask{})}
			for b.Loop() {
				for i, r := range readers {
					from := time.Now()
					for range 2000 {
						r.Read(f)
					}
					least[i] = min(least[i], time.Since(from))
				}
			}
			b.ReportMetric(float64(least[0].Nanoseconds())/2000, "data-ns/event")
			b.ReportMetric(float64(least[1].Nanoseconds())/2000, "hand-ns/event")
			b.ReportMetric(float64(least[1])/float64(least[0]), "share")
		})
	}
}
