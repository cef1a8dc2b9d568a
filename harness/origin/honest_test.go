package origin

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
)

// asOrigin makes the test binary the origin.
const asOrigin = "STREAMPROOF_TEST_AS_ORIGIN"

// TestMain is also the origin's main, for the tests that need real processes.
func TestMain(m *testing.M) {
	if os.Getenv(asOrigin) != "" {
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestHonestStream(t *testing.T) {
	_, addr := start(t, Options{})
	g := ask(t, addr, "n-1", "events=7&gap=1ms&size=40")
	if g.status != 200 || g.where != "end" || g.ending != "fin" {
		t.Fatalf("status %d, stopped %s, ended %s; want 200, end, fin", g.status, g.where, g.ending)
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8",
		"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Streamproof-Sabotaged": ""} {
		if h := g.header.Get(name); h != want {
			t.Errorf("%s: %q, want %q", name, h, want)
		}
	}
	if g.seqs() != "1 2 3 4 5 6 7" {
		t.Errorf("events %s", g.seqs())
	}
	last := int64(0)
	for _, f := range g.events {
		if len(f.Text) != 40 || !utf8.ValidString(f.Text) {
			t.Errorf("text %q has %d bytes, want 40 of UTF-8", f.Text, len(f.Text))
		}
		if f.Nonce != "n-1" || f.Pid != os.Getpid() || f.T <= last {
			t.Errorf("event %+v: wrong nonce or pid, or stamp not after %d", f.object, last)
		}
		last = f.T
	}
	done := g.named("done")
	if len(done) != 1 || done[0].Events != 7 || done[0].CRC32C != g.sum() || done[0].T < last {
		t.Errorf("terminal %+v, want one with 7 events and crc32c %s", done, g.sum())
	}
}

func TestStampIsTheTimeOfTheWrite(t *testing.T) {
	_, addr := start(t, Options{})
	before := time.Now().UnixNano()
	g := ask(t, addr, "n", "events=5&gap=20ms")
	after := time.Now().UnixNano()
	for i, f := range g.events {
		if f.T < before || f.T > after {
			t.Errorf("event %d stamped %d, outside of the request %d to %d", f.Seq, f.T, before, after)
		}
		if i > 0 && f.T-g.events[i-1].T < (10*time.Millisecond).Nanoseconds() {
			t.Errorf("event %d only %v after the one before, want about 20ms", f.Seq, time.Duration(f.T-g.events[i-1].T))
		}
	}
}

func TestSameNonceSameText(t *testing.T) {
	_, addr := start(t, Options{})
	a, b, c := ask(t, addr, "a", "gap=0"), ask(t, addr, "a", "gap=1ms"), ask(t, addr, "b", "gap=0")
	if a.sum() != b.sum() {
		t.Error("one nonce gave two texts")
	}
	if a.sum() == c.sum() {
		t.Error("two nonces gave the same text")
	}
}

func TestHeartbeatsInSilence(t *testing.T) {
	_, addr := start(t, Options{})
	g := ask(t, addr, "n", "events=4&gap=1ms&pause=300ms&pause_at=2&heartbeat=50ms")
	if n := g.heartbeats(); n < 2 || n > 6 {
		t.Errorf("%d heartbeats in 300ms of silence, want about 5", n)
	}
	if g = ask(t, addr, "n", "events=4&gap=1ms&pause=150ms&heartbeat=0"); g.heartbeats() != 0 {
		t.Error("heartbeats although none were asked for")
	}
}

func TestHTTP10IsCloseDelimited(t *testing.T) {
	_, addr := start(t, Options{})
	g := askAs(t, addr, "GET /stream?events=3&gap=0 HTTP/1.0\r\nX-Request-ID: n\r\n\r\n")
	if g.where != "until eof" || g.ending != "fin" || len(g.named("done")) != 1 {
		t.Errorf("stopped %s, ended %s, %d terminals", g.where, g.ending, len(g.named("done")))
	}
	if h := g.header.Get("Transfer-Encoding"); h != "" {
		t.Errorf("Transfer-Encoding %q to an HTTP/1.0 client", h)
	}
}

func TestPostBodyIsRead(t *testing.T) {
	_, addr := start(t, Options{})
	body := strings.Repeat("x", 300_000) // left unread, it would turn FIN into RST
	g := askAs(t, addr, "POST /stream?events=3&gap=1ms HTTP/1.1\r\nHost: o\r\nContent-Length: 300000\r\n\r\n"+body)
	if g.status != 200 || g.where != "end" || g.ending != "fin" {
		t.Errorf("status %d, stopped %s, ended %s", g.status, g.where, g.ending)
	}
	if len(g.events) == 0 || !strings.HasPrefix(g.events[0].Nonce, "origin-") {
		t.Errorf("no nonce was made up: %+v", g.events)
	}
}

func TestWholeAnswerIsTheSameText(t *testing.T) {
	_, addr := start(t, Options{})
	g := ask(t, addr, "n", "events=5&gap=0&format=text")
	streamed, found := strings.CutSuffix(string(g.body), Sentinel)
	if !found {
		t.Fatalf("no sentinel in %q", g.body)
	}
	g = askAs(t, addr, "GET /stream?events=5&gap=0&format=text&stream=false HTTP/1.1\r\nHost: o\r\nConnection: close\r\n"+
		"X-Request-ID: n\r\n\r\n")
	if string(g.body) != streamed || g.where != "end" {
		t.Errorf("in one piece %q, streamed %q", g.body, streamed)
	}
}

func TestClientGoneStopsProduction(t *testing.T) {
	_, addr := start(t, Options{})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("GET /stream?events=100000&gap=5ms HTTP/1.1\r\nHost: o\r\nX-Request-ID: gone\r\n\r\n"))
	buf := make([]byte, 1024)
	if _, err := conn.Read(buf); err != nil {
		t.Fatal(err)
	}
	eventually(t, "events", func() bool { return ledger(t, addr, "gone").Produced > 3 })
	left := time.Now().UnixNano()
	conn.Close()
	eventually(t, "stop", func() bool { return ledger(t, addr, "gone").Stopped })
	e := ledger(t, addr, "gone")
	if e.Done || e.Produced == 100000 || e.StopUnix < left {
		t.Errorf("account %+v, want one that stopped after %d", e, left)
	}
	if again := ledger(t, addr, "gone"); again != e {
		t.Errorf("account went on: %+v then %+v", e, again)
	}
}

func TestBadRequests(t *testing.T) {
	_, addr := start(t, Options{})
	for query, want := range map[string]string{
		"evnets=3":            `unknown parameter "evnets"`,
		"events=0":            "events is 0",
		"gap=fast":            "gap",
		"format=xml":          "known: ndjson, ollama",
		"sabotage=unheard-of": "known: silent-truncation",
		"events=3&at=4":       "at must be 0 to 3",
		"size=99999999":       "size is 99999999",
	} {
		g := ask(t, addr, "n", query)
		if g.status != 400 || !strings.Contains(string(g.body), want) {
			t.Errorf("%s: status %d, %q; want 400 with %q", query, g.status, g.body, want)
		}
	}
}
