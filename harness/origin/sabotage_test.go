package origin

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// sabotageQuery asks for eight events; sabotages strike at the fourth.
const sabotageQuery = "events=8&gap=2ms&delay=150ms&heartbeat=60ms&sabotage="

// seen is what a raw client must see of each sabotage.
var seen = map[string]struct {
	where, ending string
	seqs          string
	done, errs    int
	partial       bool
	further       func(g got) string // "" if all is as it should be
}{
	"silent-truncation":    {where: "end", ending: "fin", seqs: "1 2 3"},
	"cut-in-frame":         {where: "end", ending: "fin", seqs: "1 2 3", partial: true},
	"in-band-error":        {where: "end", ending: "fin", seqs: "1 2 3", errs: 1},
	"error-then-terminal":  {where: "end", ending: "fin", seqs: "1 2 3", errs: 1, done: 1},
	"stall":                {where: "between chunks", ending: "open", seqs: "1 2 3"},
	"buffering":            {where: "end", ending: "fin", seqs: all, done: 1, further: stampsApart},
	"no-accel-header":      {where: "end", ending: "fin", seqs: all, done: 1, further: noAccel},
	"lost-event":           {where: "end", ending: "fin", seqs: "1 2 3 5 6 7 8", done: 1},
	"duplicated-event":     {where: "end", ending: "fin", seqs: "1 2 3 4 4 5 6 7 8", done: 1},
	"reordered-events":     {where: "end", ending: "fin", seqs: "1 2 3 5 4 6 7 8", done: 1},
	"foreign-event":        {where: "end", ending: "fin", seqs: all, done: 1, further: oneForeign},
	"corrupt-byte":         {where: "end", ending: "fin", seqs: all, done: 1, further: sumDiffers},
	"open-socket":          {where: "between chunks", ending: "open", seqs: all},
	"linger":               {where: "between chunks", ending: "open", seqs: all, done: 1},
	"terminal-twice":       {where: "end", ending: "fin", seqs: all, done: 2},
	"no-heartbeat":         {where: "end", ending: "fin", seqs: all, done: 1, further: silence},
	"slow-first-event":     {where: "end", ending: "fin", seqs: all, done: 1, further: beatsFirst},
	"leak":                 {where: "end", ending: "fin", seqs: all, done: 1},
	"http-error":           {where: "end", ending: "fin"},
	"no-headers":           {where: "before headers", ending: "fin"},
	"rst":                  {where: "between chunks", ending: "rst", seqs: "1 2 3"},
	"incomplete-body":      {where: "between chunks", ending: "fin", seqs: "1 2 3"},
	"cut-in-chunk":         {where: "in chunk", ending: "fin", seqs: "1 2 3", partial: true},
	"cut-in-chunk-header":  {where: "in chunk header", ending: "fin", seqs: "1 2 3"},
	"cut-before-last-crlf": {where: "before last CRLF", ending: "fin", seqs: all, done: 1},
	"rst-after-terminal":   {where: "between chunks", ending: "rst", seqs: all, done: 1},
	"garbage-framing":      {where: "garbage: xyzzy\x00\xff this is no chunk", ending: "fin", seqs: "1 2 3"},
	"spliced-response":     {where: "garbage: HTTP/1.1 500 Internal Server Error", ending: "fin", seqs: "1 2 3"},
	"short-length":         {where: "in body", ending: "fin", seqs: "1 2 3"},
	"long-length":          {where: "after end", ending: "fin", seqs: "1 2 3 4"},
	"close-delimited":      {where: "until eof", ending: "fin", seqs: "1 2 3"},
}

const all = "1 2 3 4 5 6 7 8"

func TestSabotages(t *testing.T) {
	_, addr := start(t, Options{})
	for _, s := range Sabotages {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			want, known := seen[s.Name]
			if !known {
				t.Fatal("no test says what a client must see of it")
			}
			g := ask(t, addr, "n-"+s.Name, sabotageQuery+s.Name)
			if g.where != want.where || g.ending != want.ending {
				t.Errorf("stopped %q, ended %s; want %q, %s", g.where, g.ending, want.where, want.ending)
			}
			if g.seqs() != want.seqs {
				t.Errorf("events %s; want %s", g.seqs(), want.seqs)
			}
			if d, e := len(g.named("done")), len(g.named("error")); d != want.done || e != want.errs {
				t.Errorf("%d terminals, %d errors; want %d, %d", d, e, want.done, want.errs)
			}
			if partial := len(g.named("partial")) > 0; partial != want.partial {
				t.Errorf("cut inside a frame: %v, want %v", partial, want.partial)
			}
			if g.header != nil && g.header.Get("X-Streamproof-Sabotaged") != s.Name {
				t.Error("not marked as sabotaged")
			}
			if want.further != nil {
				if why := want.further(g); why != "" {
					t.Error(why)
				}
			}
		})
	}
}

// stampsApart wants stamps that were taken when the events were due.
func stampsApart(g got) string {
	if d := time.Duration(g.events[7].T - g.events[0].T); d < 10*time.Millisecond {
		return fmt.Sprintf("emitted within %v, want 14ms", d)
	}
	return ""
}

func noAccel(g got) string {
	if h := g.header.Get("X-Accel-Buffering"); h != "" {
		return "X-Accel-Buffering: " + h
	}
	return ""
}

func oneForeign(g got) string {
	for _, f := range g.events {
		if own := f.Nonce == "n-foreign-event"; own == (f.Seq == 4) {
			return fmt.Sprintf("event %d has nonce %q", f.Seq, f.Nonce)
		}
	}
	return ""
}

func sumDiffers(g got) string {
	if done := g.named("done"); done[0].CRC32C == g.sum() {
		return "the checksum holds"
	}
	return ""
}

func silence(g got) string {
	if d := time.Duration(g.events[3].T - g.events[2].T); d < 100*time.Millisecond || g.heartbeats() > 0 {
		return fmt.Sprintf("pause of %v with %d heartbeats, want 150ms with none", d, g.heartbeats())
	}
	return ""
}

func beatsFirst(g got) string {
	if !g.frames[0].comment {
		return "no heartbeat before the first event"
	}
	return ""
}

// Buffered events leave the server in one burst, whatever their stamps say.
func TestBufferingReleasesAtTheEnd(t *testing.T) {
	_, addr := start(t, Options{})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte("GET /stream?events=5&gap=60ms&heartbeat=20ms&sabotage=buffering HTTP/1.1\r\nHost: o\r\n" +
		"X-Request-ID: n\r\n\r\n"))
	buf := make([]byte, 64<<10)
	n, err := conn.Read(buf)
	if err != nil || strings.Contains(string(buf[:n]), "data:") {
		t.Fatalf("first read: %v, %q; want the head alone", err, buf[:n])
	}
	first := time.Now().UnixNano()
	if n, err = conn.Read(buf); err != nil {
		t.Fatal(err)
	}
	events := strings.Count(string(buf[:n]), "data: {")
	if events != 6 { // terminal included
		t.Errorf("%d events in the burst, want 6", events)
	}
	if waited := time.Duration(time.Now().UnixNano() - first); waited < 150*time.Millisecond {
		t.Errorf("burst came %v after the head, want 240ms", waited)
	}
}

func TestLeakGoesOn(t *testing.T) {
	s, addr := start(t, Options{})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("GET /stream?events=10&gap=5ms&sabotage=leak HTTP/1.1\r\nHost: o\r\nX-Request-ID: leak\r\n\r\n"))
	eventually(t, "events", func() bool { return ledger(t, addr, "leak").Produced > 2 })
	conn.Close()
	eventually(t, "events beyond the answer", func() bool { return ledger(t, addr, "leak").Produced > 15 })
	if ledger(t, addr, "leak").Stopped {
		t.Error("stopped, want it to go on")
	}
	if err := s.drain(patience); err != nil { // a leak must not outlive the server
		t.Error(err)
	}
}

// In all formats a sabotage does what it says, as far as the format can show it.
func TestSabotagesInOtherFormats(t *testing.T) {
	_, addr := start(t, Options{})
	for _, format := range []string{"ndjson", "text", "openai-chat", "ollama"} {
		honest := ask(t, addr, "n", "events=8&gap=0&format="+format)
		for _, name := range []string{"silent-truncation", "lost-event", "duplicated-event", "terminal-twice",
			"corrupt-byte"} {
			g := ask(t, addr, "n", "events=8&gap=0&format="+format+"&sabotage="+name)
			if g.where != "end" || slices.Equal(g.body, honest.body) {
				t.Errorf("%s, %s: stopped %s with the honest body", format, name, g.where)
			}
		}
	}
}

func TestShareStrikesByNonce(t *testing.T) {
	a := DefaultAnswer
	a.Sabotage, a.Gap, a.Events = "silent-truncation", 0, 4
	_, addr := start(t, Options{Answer: a, Share: 0.3})
	struck := 0
	const n = 200
	for i := range n {
		nonce := fmt.Sprintf("nonce-%d", i)
		g := ask(t, addr, nonce, "")
		broken := g.header.Get("X-Streamproof-Sabotaged") != ""
		if broken != (share(nonce) < 0.3) || broken == (len(g.named("done")) == 1) {
			t.Fatalf("%s: marked %v, share %.2f, %d terminals", nonce, broken, share(nonce), len(g.named("done")))
		}
		if broken {
			struck++
		}
	}
	if struck < n/6 || struck > n/2 {
		t.Errorf("%d of %d struck, want about 30 %%", struck, n)
	}
}
