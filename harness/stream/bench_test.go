package stream

import (
	"fmt"
	"strings"
	"testing"
)

// A counter is the cheapest sink.
type counter struct{ frames, bytes int }

func (c *counter) Frame(f *Frame) {
	c.frames++
	c.bytes += len(f.Data)
}

// events returns about 64 KiB of events, the buffer of one read, each 100 bytes.
func hundredByteEvents() []byte {
	const head, tail = "data: ", "\n\n"
	event := head + strings.Repeat("x", 100-len(head)-len(tail)) + tail
	return []byte(strings.Repeat(event, 64<<10/len(event)))
}

func benchmarkFormat(b *testing.B, f Format, body []byte, push int) {
	d := f.New(Limits{})
	var sink counter
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		for p := body; len(p) > 0; p = p[min(push, len(p)):] {
			if err := d.Push(p[:min(push, len(p))], &sink); err != nil {
				b.Fatal(err)
			}
		}
	}
	if sink.frames == 0 {
		b.Fatal("no frames")
	}
}

func BenchmarkSSE(b *testing.B) {
	body := hundredByteEvents()
	b.Run("reads=64KiB", func(b *testing.B) { benchmarkFormat(b, SSE, body, len(body)) })
	b.Run("reads=event", func(b *testing.B) { benchmarkFormat(b, SSE, body, 100) })
	b.Run("reads=77", func(b *testing.B) { benchmarkFormat(b, SSE, body, 77) })
	crlf := []byte(strings.ReplaceAll(string(body), "\n", "\r\n"))
	b.Run("crlf", func(b *testing.B) { benchmarkFormat(b, SSE, crlf, len(crlf)) })
}

func BenchmarkNDJSON(b *testing.B) {
	body := []byte(strings.Repeat(`{"a":"`+strings.Repeat("x", 91)+"\"}\n", 650))
	benchmarkFormat(b, NDJSON, body, len(body))
}

func BenchmarkOrigin(b *testing.B) {
	d, _ := Lookup("origin")
	r := d.New(Ask{Nonce: "0123456789abcdef"}).(*originReader)
	f := &Frame{Data: []byte(`{"seq":1,"t":1764057600000000000,"nonce":"0123456789abcdef","pid":4242,"text":"` + strings.Repeat("x", 32) + `"}`)}
	b.SetBytes(int64(len(f.Data)))
	b.ReportAllocs()
	for b.Loop() {
		r.seq.max = 0 // the same event again
		r.Read(f)
	}
	if s := r.Close(0); s.State != Prefix {
		b.Fatal(s)
	}
}

// BenchmarkDialects reads a content event of each dialect that is data.
func BenchmarkDialects(b *testing.B) {
	for _, c := range conversations(b) {
		d, _ := Lookup(c.dialect)
		if c.name != "complete" || d.NeedsTerminal || d.Format.Name == Text.Name {
			continue
		}
		b.Run(c.dialect, func(b *testing.B) {
			head, event := middle(c)
			sink, dec := &mute{d.New(Ask{})}, d.Format.New(Limits{})
			if dec.Push([]byte(head), sink) != nil {
				b.Fatal("over the limit")
			}
			p := []byte(event)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				if dec.Push(p, sink) != nil {
					b.Fatal("over the limit")
				}
			}
		})
	}
}

// No event of a sound stream allocates, in any dialect, however reads cut it.
func TestEventsDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("under -race sync.Pool drops buffers at random")
	}
	terminal, err := ParseTerminal("json .done == true")
	if err != nil {
		t.Fatal(err)
	}
	ask := Ask{Nonce: nonce, Terminal: terminal, Sentinel: "\n[END]\n"}
	bodies := map[string]string{
		"origin":         ssePing + "data: " + originObject(nonce, 1) + "\n\n",
		"origin-ndjson":  `{"type":"event",` + originObject(nonce, 1)[1:] + "\n",
		"openai-chat":    `data: {"choices":[{"index":0,"delta":{"content":"\u00fc"},"finish_reason":null}]}` + "\n\n",
		"ollama":         `{"created_at":"2026-11-25T08:00:00Z","message":{"role":"assistant","content":"x"},"done":false}` + "\n",
		"sse-generic":    "id: 12\nevent: x\ndata: {\"a\":1}\ndata: \n\n",
		"ndjson-generic": `{"a":[1,2,{"b":"c"}],"done":false}` + "\n",
		"text":           "grüße, world",
	}
	heads := map[string]string{}
	for _, c := range conversations(t) {
		if c.name == "complete" && bodies[c.dialect] == "" {
			heads[c.dialect], bodies[c.dialect] = middle(c)
		}
	}
	for _, d := range Dialects() {
		body := bodies[d.Name]
		if body == "" {
			t.Fatalf("no event of %s", d.Name)
		}
		for _, cutAt := range []int{len(body), len(body) / 2} {
			t.Run(fmt.Sprintf("%s/%d", d.Name, cutAt), func(t *testing.T) {
				first, rest := []byte(body[:cutAt]), []byte(body[cutAt:])
				sink := &mute{d.New(ask)}
				dec := d.Format.New(Limits{})
				if dec.Push([]byte(heads[d.Name]), sink) != nil {
					t.Fatal("over the limit")
				}
				run := func() {
					if dec.Push(first, sink) != nil || dec.Push(rest, sink) != nil {
						t.Error("over the limit")
					}
				}
				// A garbage collection may empty the pool of buffers: less than one
				// allocation an event is none of ours.
				if n := testing.AllocsPerRun(200, run); n >= 1 {
					t.Errorf("%v allocations per event", n)
				}
			})
		}
	}
}

// middle is a content event of a conversation, and what comes before it.
func middle(c conversation) (head, event string) {
	d, _ := Lookup(c.dialect)
	var cam camera
	d.Format.New(Limits{}).Push([]byte(c.body), &cam)
	at := max(0, c.first-1)
	if at == len(cam.shots)-1 {
		at = 0
	}
	from := int(cam.shots[at].Offset)
	to := len(c.body)
	if at+1 < len(cam.shots) {
		to = int(cam.shots[at+1].Offset)
	}
	return c.body[:from], c.body[from:to]
}

type mute struct{ r Reader }

func (m *mute) Frame(f *Frame) { m.r.Read(f) }
