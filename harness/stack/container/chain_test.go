package container

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/stack"
)

// A stream passes every hop of a chain, on both lanes, by the published port and by the
// container's address, and every part's log is filed. TestChain has the replicas.
func TestChainCarriesStreams(t *testing.T) {
	t.Parallel()
	logs := t.TempDir()
	s, _ := open(t, stack.Spec{App: fastapi(), Edge: stack.Edge{Form: stack.EdgeStreaming}, LogDir: logs})
	var names []string
	for _, h := range s.Hops() {
		names = append(names, h.Name)
		published := h
		published.Dial, published.DialControl = "", ""
		for _, way := range []stack.Hop{h, published} {
			for _, control := range []bool{false, true} {
				res, body, err := ask(t, way, control, "/chat?events=5&gap=1ms", map[string]string{stack.NonceHeader: "n-" + h.Name})
				if err != nil || res.StatusCode != http.StatusOK || !strings.HasSuffix(body, "data: [DONE]\n\n") {
					t.Errorf("%s (control %t, %q): %v %q", h.Name, control, way.Dial, err, body)
				}
			}
		}
	}
	if got := strings.Join(names, " "); got != "edge nginx upstream app" {
		t.Errorf("hops: %s", got)
	}
	closeStack(t, s)
	for name, want := range map[string]string{"nginx_access.log": "n-edge", "app.log": "Application startup complete",
		"edge-toxiproxy.log": "Starting Toxiproxy", "upstream-0-toxiproxy.log": "Starting Toxiproxy"} {
		data, err := os.ReadFile(filepath.Join(logs, name))
		if err != nil || !bytes.Contains(data, []byte(want)) {
			t.Errorf("%s lacks %q: %v\n%s", name, want, err, data)
		}
	}
	if len(s.Logs()) != 5 {
		t.Errorf("logs: %v", s.Logs())
	}
}

// The smallest chain is the app behind its link. Its processes and counters are the
// same seen from this machine and from inside of the container, and what it lacks is
// said, not done by halves.
func TestSmallestChain(t *testing.T) {
	t.Parallel()
	s, _ := open(t, originSpec())
	var names []string
	for _, h := range s.Hops() {
		names = append(names, h.Name)
		res, body, err := ask(t, h, false, "/stream?events=3&gap=1ms", nil)
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body, "event: done") {
			t.Errorf("%s: %v %q", h.Name, err, body)
		}
	}
	if got := strings.Join(names, " "); got != "edge app" || len(s.Links()) != 1 || s.Links()[0].Name() != "upstream[0]" {
		t.Errorf("hops are %s, want edge app; links %v", got, s.Links())
	}
	t.Run("seen from inside", func(t *testing.T) { seenFromInside(t, s.living()[0].box) })
	var unable *stack.Unable
	if err := s.FillMemory(t.Context(), "app[0]", 1<<20); !errors.As(err, &unable) {
		t.Errorf("fill without a limit: %v", err)
	}
}

// A toxic that toxiproxy would ignore never reaches it.
func TestLinkRefusesAToxicThatDoesNothing(t *testing.T) {
	l := &link{name: "edge"}
	err := l.Add(t.Context(), stack.Toxic{Name: "x", Type: "latency", Direction: stack.Downstream, Attr: map[string]any{"delay": 5}})
	if err == nil || !strings.Contains(err.Error(), "latency") {
		t.Errorf("error: %v", err)
	}
}

// A strike ends its victim after exactly k events, with what was asked for, and the
// ledger tells it on the run's clock.
func TestStrikesHitTheirStream(t *testing.T) {
	bynight.Only(t, "TestChain/strikes hit their stream")
	t.Parallel()
	spec := originSpec()
	spec.Strikes = true
	s, _ := open(t, spec)
	l := s.Links()[0]
	striker, ok := l.(stack.Striker)
	if !ok {
		t.Fatalf("%s cannot strike", l.Name())
	}
	for i, action := range []stack.Action{stack.RST, stack.FIN} {
		victim := uint64(7 + i)
		before := s.spec.Now()
		if err := striker.Arm(t.Context(), stack.Strike{Stream: victim, After: 3, Action: action}); err != nil {
			t.Fatal(err)
		}
		_, body, err := ask(t, hop(t, s, "edge"), false, "/stream?events=8&gap=20ms", map[string]string{stack.StreamHeader: text(victim)})
		if n := strings.Count(body, "\n\n"); err == nil || n != 3 {
			t.Errorf("%s: the victim got %d events and the error %v", action, n, err)
		}
		if s.route.direct && (action == stack.RST) != errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s came as %v", action, err)
		}
		_, body, err = ask(t, hop(t, s, "edge"), false, "/stream?events=8&gap=1ms", map[string]string{stack.StreamHeader: "1"})
		if err != nil || !strings.Contains(body, "event: done") {
			t.Errorf("%s: a bystander got %v %q", action, err, body)
		}
		lines, err := striker.Ledger(t.Context())
		if err != nil || len(lines) != i+1 || lines[i].Stream != victim || lines[i].Passed != 3 {
			t.Fatalf("%s: ledger %+v, %v", action, lines, err)
		}
		if at := lines[i].At; at < before || at > s.spec.Now() {
			t.Errorf("%s: struck at %v, outside of %v and now", action, at, before)
		}
	}
}
