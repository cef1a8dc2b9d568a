package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

var originApp = stack.App{Origin: &stack.Origin{}}

// Every hop of every form of chain carries a whole stream, on both lanes.
func TestEveryHopCarriesAStream(t *testing.T) {
	needNginx(t)
	for _, form := range []stack.EdgeForm{stack.EdgeNone, stack.EdgeStreaming, stack.EdgeDefault, stack.EdgeGzip} {
		for _, strikes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s strikes=%v", form, strikes), func(t *testing.T) {
				r := open(t, stack.Spec{App: originApp, Edge: stack.Edge{Form: form}, Strikes: strikes})
				names := ""
				for _, h := range r.Hops() {
					names += h.Name + " "
					for _, url := range []string{h.URL, h.Control} {
						if a := stream(t.Context(), request{url: url, id: 1, events: 3}); !a.done || a.events != 3 || a.err != nil {
							t.Errorf("hop %s (%s): %v", h.Name, h.What, a)
						}
					}
				}
				want := "edge nginx upstream app "
				if form == stack.EdgeNone {
					want = "edge app "
				}
				if names != want {
					t.Errorf("hops are %s, want %s", names, want)
				}
				if _, ok := r.Links()[0].(stack.Striker); ok != strikes {
					t.Errorf("edge link strikes: %v, want %v", ok, strikes)
				}
			})
		}
	}
}

// A link to which nothing will be done is left out: whoever would enter it meets
// what stands behind it. One with a toxic or a limit of its own stays.
func TestLinksToWhichNothingIsDoneAreLeftOut(t *testing.T) {
	needNginx(t)
	both := []string{stack.EdgeLink, stack.UpstreamLink}
	toxics := map[string][]stack.Toxic{stack.UpstreamLink: {stack.Latency(time.Millisecond, 0)}}
	for _, tc := range []struct {
		name        string
		spec        stack.Spec
		hops, links string
	}{
		{"no edge", stack.Spec{Omit: both}, "edge app ", ""},
		{"an edge", stack.Spec{Edge: stack.Edge{Form: stack.EdgeStreaming}, Omit: both}, "edge app ", ""},
		{"two replicas", stack.Spec{Edge: stack.Edge{Form: stack.EdgeStreaming}, Omit: both, Replicas: 2}, "edge app ", ""},
		{"the outer one", stack.Spec{Edge: stack.Edge{Form: stack.EdgeStreaming}, Omit: both[1:]}, "edge nginx app ",
			"edge "},
		{"a toxic", stack.Spec{Edge: stack.Edge{Form: stack.EdgeStreaming}, Omit: both, Toxics: toxics}, "edge upstream app ",
			"upstream[0] "},
		{"an idle limit", stack.Spec{Edge: stack.Edge{Form: stack.EdgeStreaming, IdleTimeout: time.Minute}, Omit: both},
			"edge nginx app ", "edge "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.spec.App = originApp
			r := open(t, tc.spec)
			hops, links := "", ""
			for _, h := range r.Hops() {
				hops += h.Name + " "
				for _, url := range []string{h.URL, h.Control} {
					if a := stream(t.Context(), request{url: url, id: 1, events: 3}); !a.done || a.events != 3 || a.err != nil {
						t.Errorf("hop %s (%s): %v", h.Name, h.What, a)
					}
				}
			}
			for _, l := range r.Links() {
				links += l.Name() + " "
			}
			if hops != tc.hops || links != tc.links {
				t.Errorf("hops %slinks %swant %slinks %s", hops, links, tc.hops, tc.links)
			}
		})
	}
}

// toxiproxy stands only in a link with a toxic that the relay cannot do, and then with
// a version and a layer; no part of a link stands in the control lane.
func TestToxiproxyStandsOnlyWhereTheRelayCannotDoIt(t *testing.T) {
	slow := stack.Toxic{Name: "slow", Type: "slow_close", Direction: stack.Downstream, Attr: map[string]any{"delay": 1}}
	for _, tc := range []struct {
		name   string
		toxics []stack.Toxic
		toxic  bool
	}{{"none", nil, false}, {"latency", []stack.Toxic{stack.Latency(time.Millisecond, 0)}, false},
		{"slow close", []stack.Toxic{slow}, true}} {
		r := open(t, stack.Spec{App: originApp, Edge: stack.Edge{Form: stack.EdgeNone}, Strikes: true,
			Toxics: map[string][]stack.Toxic{stack.EdgeLink: tc.toxics}})
		edge, app := r.hop(t, "edge"), r.hop(t, "app")
		if toxic := strings.HasPrefix(edge.What, "relay and toxiproxy"); toxic != tc.toxic || !toxic && edge.What != "relay" {
			t.Errorf("%s: the edge link is made of %q", tc.name, edge.What)
		}
		if edge.Control != app.URL {
			t.Errorf("%s: the control lane is %s, want the app's own %s", tc.name, edge.Control, app.URL)
		}
		_, version := r.Versions()["toxiproxy"]
		if layer := len(r.Layers()) > 0 && r.Layers()[0].Name == "toxiproxy"; layer != tc.toxic || version != tc.toxic {
			t.Errorf("%s: toxiproxy among layers %v, among versions %v, want %v", tc.name, layer, version, tc.toxic)
		}
		l := r.Links()[0]
		if err := l.Add(t.Context(), stack.Latency(time.Millisecond, 0)); err != nil {
			t.Errorf("%s: adding latency: %v", tc.name, err)
		}
		later := stack.Toxic{Name: "later", Type: "limit_data", Direction: stack.Downstream,
			Attr: map[string]any{"bytes": 1 << 30}}
		err := l.Add(t.Context(), later)
		if cannot := (*stack.Unable)(nil); errors.As(err, &cannot) == tc.toxic || (err == nil) != tc.toxic {
			t.Errorf("%s: adding a toxic of toxiproxy's: %v", tc.name, err)
		}
		strike := stack.Strike{Stream: 1, After: 2, Action: stack.RST}
		if err := l.(stack.Striker).Arm(t.Context(), strike); err != nil {
			t.Fatal(err)
		}
		if a := stream(t.Context(), request{url: edge.URL, id: 1, events: 5}); a.events != 2 ||
			!errors.Is(a.err, syscall.ECONNRESET) {
			t.Errorf("%s: %v, want a reset after 2 events", tc.name, a)
		}
		if a := stream(t.Context(), request{url: edge.Control, id: 1, events: 3}); !a.done {
			t.Errorf("%s: on the control lane: %v", tc.name, a)
		}
	}
}

// The replica header joins with Replica.Addr on both lanes, both replicas get
// streams, and the access log knows the nonce.
func TestReplicaHeaderAndAccessLogJoin(t *testing.T) {
	needNginx(t)
	r := open(t, stack.Spec{App: originApp, Edge: stack.Edge{Form: stack.EdgeStreaming}, Replicas: 2})
	served := map[string]int{}
	for i := range 8 {
		a := stream(t.Context(), request{url: r.hop(t, "edge").URL, id: i, ctrl: i >= 4, events: 1})
		served[a.header.Get(stack.ReplicaHeader)]++
	}
	for _, rep := range r.Replicas() {
		if served[rep.Addr] != 4 {
			t.Errorf("%s at %s served %d of 8 streams, want 4: %v", rep.Name, rep.Addr, served[rep.Addr], served)
		}
	}
	if err := r.Close(t.Context()); err != nil { // logs are whole after Close
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(r.log(t, "nginx_access.log")), "\n")
	if len(lines) != 8 {
		t.Fatalf("access log has %d lines, want 8 (our own probes left out):\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for i, line := range lines {
		if f := strings.Fields(line); f[1] != fmt.Sprintf("nonce-%d", i) || f[2] != "200" || !strings.Contains(line, `"OK"`) {
			t.Errorf("access log line %d is %q", i, line)
		}
	}
	for _, log := range r.Logs() {
		if _, err := os.Stat(r.dir + "/" + log.Name); err != nil {
			t.Errorf("log %s: %v", log.Name, err)
		}
	}
}

// A link that is cut ends its streams, refuses new ones, and comes back at the
// same address; controls go on.
func TestSetUp(t *testing.T) {
	for _, strikes := range []bool{false, true} {
		t.Run(fmt.Sprintf("strikes=%v", strikes), func(t *testing.T) {
			r := open(t, stack.Spec{App: originApp, Strikes: strikes})
			l, edge := r.Links()[0], r.hop(t, "edge")
			var all sync.WaitGroup
			var victim, control answer
			begun := make(chan struct{}, 2)
			tell := func(n int) {
				if n == 2 {
					begun <- struct{}{}
				}
			}
			all.Go(func() {
				victim = stream(t.Context(), request{url: edge.URL, id: 1, events: 1000, gap: 5 * time.Millisecond, on: tell})
			})
			all.Go(func() {
				control = stream(t.Context(), request{url: edge.Control, id: 2, events: 100, gap: 5 * time.Millisecond, on: tell})
			})
			<-begun
			<-begun
			if err := l.SetUp(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			if a := stream(t.Context(), request{url: edge.URL, id: 3, events: 1}); a.err == nil ||
				!strings.Contains(a.err.Error(), "refused") {
				t.Errorf("new stream on a cut link: %v, want connection refused", a)
			}
			all.Wait()
			if victim.done || victim.err == nil {
				t.Errorf("victim: %v, want it cut", victim)
			}
			if !control.done || control.err != nil {
				t.Errorf("control: %v, want it whole", control)
			}
			if err := l.SetUp(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			if a := stream(t.Context(), request{url: edge.URL, id: 4, events: 2}); !a.done {
				t.Errorf("stream on a restored link: %v", a)
			}
		})
	}
}

// Strikes hit exactly their stream, behind exactly their event, through the
// whole chain.
func TestStrikesThroughTheChain(t *testing.T) {
	needNginx(t)
	const victim, k, events = 7, 5, 12
	for i, link := range []string{"edge", "upstream[0]"} {
		r := open(t, stack.Spec{App: originApp, Edge: stack.Edge{Form: stack.EdgeStreaming}, Strikes: true})
		edge := r.hop(t, "edge").URL
		striker := r.Links()[i].(stack.Striker)
		tests := []struct {
			action stack.Action
			err    string // what the victim's client reads; "" for a whole stream
			events int
		}{
			{stack.RST, "reset", k},
			{stack.FIN, "unexpected EOF", k},
			{stack.Truncate, "unexpected EOF", k},
			{stack.Hold, "", events},
			{stack.Flip, "", events},
			{stack.Refuse, "reset", 0},
		}
		for n, tt := range tests {
			t.Run(link+"/"+string(tt.action), func(t *testing.T) {
				id := victim + 10*n
				if link != "edge" {
					switch { // nginx stands between: it knows no RST, and answers a refusal itself
					case tt.action == stack.Refuse:
						tt.err = ""
					case tt.err != "":
						tt.err = "unexpected EOF"
					}
				}
				if err := striker.Arm(t.Context(), stack.Strike{Stream: uint64(id), After: k, Action: tt.action,
					For: 200 * time.Millisecond}); err != nil {
					t.Fatal(err)
				}
				var all sync.WaitGroup
				var hit answer
				others := make([]answer, 4)
				all.Go(func() {
					hit = stream(t.Context(), request{url: edge, id: id, events: events, gap: 3 * time.Millisecond})
				})
				for i := range others {
					all.Go(func() {
						others[i] = stream(t.Context(), request{url: edge, id: id + i + 1, events: events, gap: 3 * time.Millisecond})
					})
				}
				all.Wait()
				for _, a := range others {
					if !a.done || a.events != events || a.err != nil {
						t.Errorf("a stream beside the victim: %v", a)
					}
				}
				checkVictim(t, hit, tt.err, tt.events)
				lines, err := striker.Ledger(t.Context())
				if err != nil || len(lines) != n+1 || lines[n].Stream != uint64(id) || lines[n].Err != "" {
					t.Errorf("ledger: %+v, %v", lines, err)
				}
			})
		}
	}
}

func checkVictim(t *testing.T, a answer, wantErr string, events int) {
	t.Helper()
	if a.events != events {
		t.Errorf("victim got %d events, want exactly %d: %v", a.events, events, a)
	}
	switch {
	case wantErr == "" && a.err != nil, wantErr != "" && (a.err == nil || !strings.Contains(a.err.Error(), wantErr)):
		t.Errorf("victim ended with %v, want %q", a.err, wantErr)
	}
}

// Toxics of the spec are there before the first connection.
func TestToxicsOfTheSpec(t *testing.T) {
	const delay = 300 * time.Millisecond
	r := open(t, stack.Spec{App: originApp, Toxics: map[string][]stack.Toxic{stack.EdgeLink: {stack.Latency(delay, 0)}}})
	took := func(url string) time.Duration {
		began := time.Now()
		if a := stream(t.Context(), request{url: url, id: 1, events: 1}); !a.done {
			t.Errorf("stream: %v", a)
		}
		return time.Since(began)
	}
	if main := took(r.hop(t, "edge").URL); main < delay {
		t.Errorf("main lane took %v, less than its latency of %v", main, delay)
	}
}

// A control call that hangs is given up, and says so.
func TestHangingControlCallIsGivenUp(t *testing.T) {
	l := &lane{name: "edge"}
	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := l.call(ctx, "add toxic x", func() error { <-release; return nil })
	if err == nil || !strings.Contains(err.Error(), "add toxic x on edge") ||
		!strings.Contains(err.Error(), "toxiproxy#558") {
		t.Errorf("call = %v, want it to name the call and the bug", err)
	}
}
