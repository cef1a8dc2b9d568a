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

	"github.com/streamproof/streamproof/harness/stack"
)

// A stream passes every hop of a chain with two replicas, on both lanes, by the
// published port and by the container's address.
func TestChainCarriesStreams(t *testing.T) {
	t.Parallel()
	logs := t.TempDir()
	s, _ := open(t, stack.Spec{App: fastapi(), Edge: stack.Edge{Form: stack.EdgeStreaming}, Replicas: 2, LogDir: logs})
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
	replicas := map[string]bool{}
	for _, r := range s.Replicas() {
		replicas[r.Addr] = true
	}
	seen := map[string]bool{}
	for range 4 {
		for _, lane := range []string{"", stack.ControlLane} {
			res, _, err := ask(t, hop(t, s, "edge"), false, "/healthz", map[string]string{stack.LaneHeader: lane})
			if err != nil {
				t.Fatal(err)
			}
			seen[res.Header.Get(stack.ReplicaHeader)] = true
		}
	}
	if len(seen) != 2 || len(replicas) != 2 {
		t.Errorf("replicas are %v, the edge named %v", replicas, seen)
	}
	for addr := range seen {
		if !replicas[addr] {
			t.Errorf("the edge named %q, which is none of %v", addr, replicas)
		}
	}
	closeStack(t, s)
	for name, want := range map[string]string{"nginx_access.log": "n-edge", "app.0.log": "Application startup complete", "app.1.log": "request=", "edge-toxiproxy.log": "Starting Toxiproxy"} {
		data, err := os.ReadFile(filepath.Join(logs, name))
		if err != nil || !bytes.Contains(data, []byte(want)) {
			t.Errorf("%s lacks %q: %v\n%s", name, want, err, data)
		}
	}
	if len(s.Logs()) < 6 {
		t.Errorf("logs: %v", s.Logs())
	}
}

// Nothing will be done to the edge link: the chain begins with nginx, or with the
// link of the only replica.
func TestEdgeLinkIsLeftOut(t *testing.T) {
	t.Parallel()
	for form, want := range map[stack.EdgeForm]string{stack.EdgeStreaming: "edge upstream app", stack.EdgeNone: "edge app"} {
		s, _ := open(t, stack.Spec{App: fastapi(), Edge: stack.Edge{Form: form}, Omit: []string{stack.EdgeLink, stack.UpstreamLink}})
		var names []string
		for _, h := range s.Hops() {
			names = append(names, h.Name)
			res, body, err := ask(t, h, false, "/chat?events=3&gap=10ms", nil)
			if err != nil || res.StatusCode != http.StatusOK || !strings.HasSuffix(body, "data: [DONE]\n\n") {
				t.Errorf("%s: %v %q", h.Name, err, body)
			}
		}
		if got := strings.Join(names, " "); got != want || len(s.Links()) != 1 || s.Links()[0].Name() != "upstream[0]" {
			t.Errorf("%s: hops are %s, want %s; links %v", form, got, want, s.Links())
		}
		closeStack(t, s)
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

// A strike resets its victim after exactly k events, on either link, and the
// ledger tells it on the run's clock.
func TestStrikesHitTheirStream(t *testing.T) {
	t.Parallel()
	s, _ := open(t, stack.Spec{App: fastapi(), Edge: stack.Edge{Form: stack.EdgeStreaming}, Strikes: true})
	for i, l := range s.Links() {
		striker, ok := l.(stack.Striker)
		if !ok {
			t.Fatalf("%s cannot strike", l.Name())
		}
		victim := uint64(7 + i)
		before := s.spec.Now()
		action := []stack.Action{stack.RST, stack.FIN}[i]
		if err := striker.Arm(t.Context(), stack.Strike{Stream: victim, After: 3, Action: action}); err != nil {
			t.Fatal(err)
		}
		// The first event is the role's, so that the third has the second token.
		_, body, err := ask(t, hop(t, s, "edge"), false, "/chat?events=8&gap=20ms", map[string]string{stack.StreamHeader: text(victim)})
		if n := strings.Count(body, "\n\n"); err == nil || n != 3 {
			t.Errorf("%s: the victim got %d events and the error %v", l.Name(), n, err)
		}
		if action == stack.RST && s.route.direct && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: a RST came as %v", l.Name(), err)
		}
		_, body, err = ask(t, hop(t, s, "edge"), false, "/chat?events=8&gap=1ms", map[string]string{stack.StreamHeader: "1"})
		if err != nil || !strings.HasSuffix(body, "[DONE]\n\n") {
			t.Errorf("%s: a bystander got %v %q", l.Name(), err, body)
		}
		lines, err := striker.Ledger(t.Context())
		if err != nil || len(lines) != 1 || lines[0].Stream != victim || lines[0].Passed != 3 {
			t.Fatalf("%s: ledger %+v, %v", l.Name(), lines, err)
		}
		if at := lines[0].At; at < before || at > s.spec.Now() {
			t.Errorf("%s: struck at %v, outside of %v and now", l.Name(), at, before)
		}
	}
}
