package container

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A chat is what one stream of the FastAPI app came to.
type chat struct {
	res    *http.Response
	body   string
	err    error
	tokens int
	whole  bool // [DONE] came
	took   time.Duration
}

func (c chat) cut() bool { return c.err != nil && !c.whole }

func chatWith(t *testing.T, s *Stack, query string, header map[string]string) (c chat) {
	t.Helper()
	began := time.Now()
	c.res, c.body, c.err = ask(t, hop(t, s, "app"), false, "/chat?gap=20ms&"+query, header)
	c.took = time.Since(began)
	c.tokens = strings.Count(c.body, `"streamproof"`)
	c.whole = strings.HasSuffix(c.body, "data: [DONE]\n\n")
	return c
}

// logOf reads the app's log as it stands.
func logOf(t *testing.T, s *Stack) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.spec.LogDir, "app.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func awaitLog(t *testing.T, s *Stack, want string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(logOf(t, s), want); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log lacks %q:\n%s", want, logOf(t, s))
		}
	}
}

// The fixed app streams the same text that it gives at once, in both formats.
func TestFastAPIFixed(t *testing.T) {
	bynight.Only(t, "scenarios has TestFixedAppOnDocker")
	t.Parallel()
	s, _ := open(t, stack.Spec{App: fastapi(), Omit: edgeLink})
	c := chatWith(t, s, "events=12", nil)
	if c.err != nil || !c.whole || c.tokens != 12 {
		t.Fatalf("stream: %v, %d tokens\n%s", c.err, c.tokens, c.body)
	}
	var streamed strings.Builder
	for line := range strings.Lines(c.body) {
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &chunk) == nil && len(chunk.Choices) > 0 {
			streamed.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	var whole struct {
		Choices []struct{ Message struct{ Content string } }
	}
	once := chatWith(t, s, "events=12&stream=false", nil)
	if err := json.Unmarshal([]byte(once.body), &whole); err != nil || len(whole.Choices) != 1 || whole.Choices[0].Message.Content != streamed.String() {
		t.Errorf("at once: %v %q, streamed: %q", err, once.body, streamed.String())
	}
	_, body, err := ask(t, hop(t, s, "app"), false, "/text?events=12&gap=1ms", nil)
	if err != nil || body != streamed.String()+"\n[END]\n" {
		t.Errorf("text: %v %q", err, body)
	}
	ping := chatWith(t, s, "events=2&pause=2500ms&pause_at=1", nil)
	if strings.Count(ping.body, ": ping ") != 2 {
		t.Errorf("a pause of 2.5 s with heartbeats: %q", ping.body)
	}
	if n := produced(t, s, false); n >= 200 {
		t.Errorf("produced all %d events after the client had left", n)
	}
}

// produced leaves a stream of 200 events early and returns how many were made.
func produced(t *testing.T, s *Stack, toTheEnd bool) int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, hop(t, s, "app").URL+"/chat?events=200&gap=20ms", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(stack.NonceHeader, "leaver")
	res, err := chain.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(res.Body, make([]byte, 600))
	cancel()
	res.Body.Close()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var l struct {
			Produced      int
			Done, Stopped bool
		}
		_, body, err := ask(t, hop(t, s, "app"), false, "/ledger?nonce=leaver", nil)
		if err == nil && json.Unmarshal([]byte(body), &l) == nil && l.Stopped {
			if l.Done != toTheEnd {
				t.Errorf("ledger: %s", body)
			}
			return l.Produced
		}
	}
	t.Fatal("the stream neither ended nor stopped")
	return 0
}

// Every broken form of the app breaks in its own way, and in no other.
func TestFastAPIBroken(t *testing.T) {
	t.Parallel()
	const memory = 128 << 20
	for name, c := range map[string]struct {
		env   []string
		check func(*testing.T, *Stack)
	}{
		"closed-resource": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); !c.cut() || c.tokens != 0 {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
			awaitLog(t, s, "IndexClosedError: index is closed")
		}},
		"raise-mid-stream": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); !c.cut() || c.tokens != 5 {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
			awaitLog(t, s, "Exception in ASGI application")
		}},
		"swallow": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); c.err != nil || c.whole || c.tokens != 5 {
				t.Errorf("%d tokens, whole %t, %v", c.tokens, c.whole, c.err)
			}
		}},
		"middleware-launder": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); c.err != nil || c.whole || c.tokens != 5 {
				t.Errorf("%d tokens, whole %t, %v", c.tokens, c.whole, c.err)
			}
			awaitLog(t, s, "Exception in ASGI application")
		}},
		"middleware-join": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); !c.whole || c.res.ContentLength != int64(len(c.body)) {
				t.Errorf("length %d of %d, %v", c.res.ContentLength, len(c.body), c.err)
			}
		}},
		"app-gzip": {nil, func(t *testing.T, s *Stack) {
			c := chatWith(t, s, "events=8", map[string]string{"Accept-Encoding": "gzip"})
			z, err := gzip.NewReader(strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if plain, err := io.ReadAll(z); err != nil || !strings.HasSuffix(string(plain), "[DONE]\n\n") {
				t.Errorf("%v %q", err, plain)
			}
		}},
		"sync-worker": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=400", nil); !c.cut() {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
			awaitLog(t, s, "WORKER TIMEOUT")
		}},
		"blocked-loop": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); !c.cut() || c.tokens != 5 && c.tokens != 4 {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
			awaitLog(t, s, "WORKER TIMEOUT")
		}},
		// It blocks in the second stream of a process.
		"blocked-loop-short": {[]string{"WORKERS=1"}, func(t *testing.T, s *Stack) {
			for _, least := range []time.Duration{0, 2 * time.Second} {
				if c := chatWith(t, s, "events=8", nil); !c.whole || c.took < least {
					t.Errorf("whole %t after %v, want %v at least, %v", c.whole, c.took, least, c.err)
				}
			}
		}},
		"sync-generator": {[]string{"WORKERS=1"}, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); !c.whole {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
		}},
		"silent-pause": {nil, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=8", nil); !c.whole || c.took < 4*time.Second || strings.Contains(c.body, ": ping") {
				t.Errorf("whole %t after %v", c.whole, c.took)
			}
		}},
		"max-requests": {[]string{"WORKERS=1", "MAX_REQUESTS=2"}, func(t *testing.T, s *Stack) {
			// uvicorn counts answers that are finished: others recycle the worker
			// under a stream that still goes on.
			long := make(chan chat, 1)
			go func() { long <- chatWith(t, s, "events=400", map[string]string{stack.NonceHeader: "long"}) }()
			awaitLog(t, s, "event request=long")
			for range 2 {
				chatWith(t, s, "events=1", nil)
			}
			awaitLog(t, s, "Shutting down")
			if c := <-long; !c.cut() {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
		}},
		"memory-hog": {[]string{"BREAK_BYTES=16777216"}, func(t *testing.T, s *Stack) {
			if c := chatWith(t, s, "events=100", nil); !c.cut() {
				t.Errorf("%d tokens, %v", c.tokens, c.err)
			}
			if n, err := s.Counters(t.Context(), "app[0]"); err != nil || n[oomKill] == 0 {
				t.Errorf("counters %v, %v", n, err)
			}
		}},
		"ignore-disconnect": {nil, func(t *testing.T, s *Stack) {
			if n := produced(t, s, true); n != 200 {
				t.Errorf("produced %d of 200 events", n)
			}
		}},
	} {
		if !*nightly && name != "raise-mid-stream" && name != "memory-hog" {
			continue // make nightly has them: make test plays no scenario with them either
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := fastapi(append(c.env, "BREAK="+name)...)
			if name == "memory-hog" {
				app.Memory = memory
			}
			s, _ := open(t, stack.Spec{App: app, Omit: edgeLink})
			c.check(t, s)
		})
	}
}
