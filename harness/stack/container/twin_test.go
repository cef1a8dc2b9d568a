package container

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/probe"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// passing is a user's nginx.conf set up as the default form is, for one place.
const passing = `events {}
http {
    upstream chat { server app:8000; }
    server {
        listen 8081;
        location / { return 404; }
        location /chat { proxy_pass http://chat; }
    }
}
`

// TestTwin probes the edge of a stack, by our forms and by a user's nginx.conf:
// what the probe says is what a raw client sees, and nothing of it stays.
func TestTwin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edge stack.Edge
		what string
		fate record.EdgeFate // of a close-delimited body ended by FIN
		day  bool            // make test has it; TestChain has the form default
	}{
		{"default", stack.Edge{Form: stack.EdgeDefault}, ", form default", record.EdgeLaundered, false},
		// A limit of the scenario's is no limit of the probe's.
		{"streaming", stack.Edge{Form: stack.EdgeStreaming, Conns: 1}, ", form streaming", record.EdgeLaundered, false},
		{"own", stack.Edge{NginxConf: write(t, "nginx.conf", passing)}, ", nginx.conf", record.EdgeLaundered, true},
	} {
		if !c.day && !*nightly {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := originSpec()
			spec.Edge, spec.Path = c.edge, "/chat"
			s, d := open(t, spec)
			began := time.Now()
			twin, err := s.Twin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			up := time.Since(began)
			p, err := probe.Edge(t.Context(), twin.URL+spec.Path, twin.What)
			if err != nil {
				t.Fatal(err)
			}
			probed := time.Since(began) - up
			compareRaw(t, twin.URL+spec.Path, &p)
			began = time.Now()
			if err := twin.Close(t.Context()); err != nil {
				t.Error(err)
			}
			t.Logf("up after %v, probed in %v, gone in %v: %s", up, probed, time.Since(began), p.Edge)
			if !strings.HasPrefix(p.Edge, "nginx 1.") || !strings.HasSuffix(p.Edge, c.what) {
				t.Errorf("the edge is called %q, want nginx%s", p.Edge, c.what)
			}
			if got := p.Trial(record.CloseDelimited, record.CloseFIN); got.Fate != c.fate {
				t.Errorf("%s: %s (%s), want %s", got, got.Fate, got.Why, c.fate)
			}
			checkGone(t, s, d)
		})
	}
}

// checkGone proves that a twin has left nothing, not even a word.
func checkGone(t *testing.T, s *Stack, d *diary) {
	t.Helper()
	left := s.left(t.Context())
	logs, err := os.ReadDir(s.spec.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range twinParts {
		if strings.Contains(left, part) {
			t.Errorf("still there: %s", left)
		}
		for _, e := range d.all() {
			if e.Subject == part {
				t.Errorf("told: %+v", e)
			}
		}
		for _, l := range logs {
			if strings.HasPrefix(l.Name(), hostname(part)) {
				t.Errorf("log %s", l.Name())
			}
		}
	}
}

// compareRaw holds what a probe says of cuts against what a plain socket gets.
func compareRaw(t *testing.T, base string, p *record.EdgeProbe) {
	t.Helper()
	var all sync.WaitGroup
	for i := range p.Trials {
		all.Go(func() {
			trial := &p.Trials[i]
			got, err := rawAnswer(base, trial)
			said := trial.Fate == record.EdgeWhole || trial.Fate == record.EdgeLaundered
			// The answer is chunked unless its length was told before.
			seen := err == nil && strings.HasSuffix(got, "\r\n0\r\n\r\n")
			if events := strings.Count(got, "\nid: "); said != seen || events != trial.Events {
				t.Errorf("%s: probe says %s, %d events; a raw socket got %d, whole is %t (%v)", trial, trial.Fate, trial.Events, events, seen, err)
			}
		})
	}
	all.Wait()
}

// rawAnswer reads all bytes of one answer.
func rawAnswer(base string, trial *record.EdgeTrial) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(4 * origin.ProbeEvents * origin.ProbeGap))
	q := url.Values{}
	origin.AskProbe(q, trial.Framing, trial.End)
	if _, err := io.WriteString(conn, "GET "+u.Path+"?"+q.Encode()+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	data, err := io.ReadAll(conn)
	return string(data), err
}

// A probe that is broken off leaves its twin to the stack's Close, which open
// watches over.
func TestTwinBrokenOff(t *testing.T) {
	t.Parallel()
	spec := originSpec()
	spec.Edge.Form = stack.EdgeDefault
	s, _ := open(t, spec)
	if _, err := s.Twin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := s.left(t.Context()); !strings.Contains(left, twinPart) || !strings.Contains(left, probeOriginPart) {
		t.Errorf("there is %s; want a twin that Close has to take away", left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Twin(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a twin that was not to be, want that of the context", err)
	}
}

// TestLeadable says which of a user's configurations can be led to the origin of
// a probe.
func TestLeadable(t *testing.T) {
	for _, c := range []struct{ name, upstream, pass, want string }{
		{"by name", "server app:8000;", "http://chat", ""},
		{"by the service's name", "server api:8000 max_fails=0;", "http://chat/v1", ""},
		{"without a group", "server x;", "http://app:8000", ""},
		{"a variable", "server app:8000;", "http://$backend:8000", "looks up $backend:8000 anew"},
		{"its own resolver", "server app:8000 resolve;", "http://chat", "looks up app:8000 anew"},
		{"another host", "server app:8000; server db:8000;", "http://chat", "db:8000, which is not the app (app or api, port 8000)"},
		{"another port", "server app:9000;", "http://chat", "app:9000, which is not the app"},
		{"no port", "server app;", "http://chat", "which is not the app"},
		{"a file server", "server app:8000;", "", "passes nothing on from /chat"},
	} {
		pass := ""
		if c.pass != "" {
			pass = "proxy_pass " + c.pass + ";"
		}
		own, err := chain.ReadUserConf(write(t, "nginx.conf",
			"http { upstream chat { "+c.upstream+" } server { listen 80; location / { "+pass+" } } }"))
		if err != nil {
			t.Fatal(err)
		}
		s := &Stack{own: own, plan: plan{names: []string{"app", "api"}, port: 8000}, spec: stack.Spec{Path: "/chat"}}
		var cannot *stack.Unable
		err = s.leadable()
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &cannot) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
