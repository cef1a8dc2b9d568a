package probe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/probe"
	"github.com/streamproof/streamproof/harness/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func server(t *testing.T) *origin.ProbeServer {
	t.Helper()
	o, err := origin.ListenProbe("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// A rawView is what a client that knows nothing but sockets sees.
type rawView struct {
	fate   record.EdgeFate
	events int
	apart  int  // reads that brought an event
	added  bool // the text of recoverAll
}

// rawLook asks for one trial over a plain socket and looks at the bytes alone.
func rawLook(t *testing.T, base string, trial record.EdgeTrial) rawView {
	u, err := url.Parse(base)
	if err != nil {
		t.Error(err)
		return rawView{}
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Error(err)
		return rawView{}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(8 * time.Second))
	fmt.Fprintf(c, "GET /?body=%s&end=%s HTTP/1.1\r\nHost: %s\r\nX-Request-ID: raw\r\n\r\n", trial.Framing, trial.End,
		u.Host)
	var all strings.Builder
	var v rawView
	buf := make([]byte, 64<<10)
	for err == nil && !strings.HasSuffix(all.String(), "\r\n0\r\n\r\n") {
		var n int
		n, err = c.Read(buf)
		all.Write(buf[:n])
		if strings.Contains(string(buf[:n]), `"seq":`) {
			v.apart++
		}
	}
	v.events = strings.Count(all.String(), `"seq":`)
	v.added = strings.Contains(all.String(), "Internal Server Error")
	v.fate = rawFate(all.String(), err)
	return v
}

func rawFate(all string, err error) record.EdgeFate {
	head, body, headed := strings.Cut(all, "\r\n\r\n")
	head = strings.ToLower(head)
	chunked := strings.Contains(head, "transfer-encoding: chunked")
	switch {
	case !headed:
		return record.EdgeNoAnswer
	case !strings.Contains(head, " 200 "):
		return record.EdgeError
	case strings.Contains(body, "event: done"):
		return record.EdgeWhole
	case strings.HasSuffix(all, "\r\n0\r\n\r\n") && chunked:
		return record.EdgeLaundered
	case errors.Is(err, syscall.ECONNRESET):
		return record.EdgeCut
	case errors.Is(err, io.EOF) && !chunked && !strings.Contains(head, "content-length:"):
		return record.EdgeSilent
	case errors.Is(err, io.EOF):
		return record.EdgeCut
	}
	return record.EdgeHung
}

func (v rawView) live() bool { return v.apart >= origin.ProbeEvents-1 }

// expected is what was measured on Debian 12, in the order of probe.Trials.
var expected = map[string][]record.EdgeFate{
	"nginx, its defaults": {record.EdgeWhole, record.EdgeCut, record.EdgeCut, record.EdgeLaundered, record.EdgeCut,
		record.EdgeCut},
	"nginx, for streams": {record.EdgeWhole, record.EdgeCut, record.EdgeCut, record.EdgeLaundered, record.EdgeCut,
		record.EdgeCut},
	"haproxy": {record.EdgeWhole, record.EdgeCut, record.EdgeCut, record.EdgeSilent, record.EdgeSilent,
		record.EdgeCut},
	"apache": {record.EdgeWhole, record.EdgeCut, record.EdgeCut, record.EdgeLaundered, record.EdgeCut,
		record.EdgeCut},
	"go, recover-all": {record.EdgeWhole, record.EdgeLaundered, record.EdgeLaundered, record.EdgeLaundered,
		record.EdgeLaundered, record.EdgeCut},
	"go reverse proxy": {record.EdgeWhole, record.EdgeCut, record.EdgeCut, record.EdgeLaundered, record.EdgeCut,
		record.EdgeCut},
}

// TestEdges probes every edge and holds the result against a raw socket and
// against what was measured before. It prints the table.
func TestEdges(t *testing.T) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "EDGE\tUPSTREAM")
	for i := range probe.Trials {
		fmt.Fprintf(table, "\t%s", &probe.Trials[i])
	}
	fmt.Fprintln(table, "\tSMALL EVENTS (chunked, close)")
	for _, e := range edges {
		t.Run(e.name, func(t *testing.T) {
			o := server(t)
			base := e.start(t, o.Addr())
			began := time.Now()
			p, err := probe.Edge(t.Context(), base, e.name)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("took %v", time.Since(began).Round(time.Millisecond))
			fmt.Fprintln(table, row(e.name, p))
			compare(t, base, p)
			for i, want := range expected[e.name] {
				if got := p.Trials[i].Fate; got != want {
					t.Errorf("%s: %s (%s), want %s as measured before", &p.Trials[i], got, p.Trials[i].Why, want)
				}
			}
		})
	}
	if testing.Verbose() {
		table.Flush()
	}
}

func row(name string, p record.EdgeProbe) string {
	cells := []string{name, p.Upstream}
	for _, t := range p.Trials {
		cells = append(cells, fmt.Sprintf("%s, %d of %d", t.Fate, t.Events, p.Events))
	}
	pace := func(t *record.EdgeTrial) string {
		if t.Live == nil {
			return "-"
		}
		return fmt.Sprintf("%v +%dms", map[bool]string{true: "live", false: "held"}[*t.Live], t.Delay.Milliseconds())
	}
	return strings.Join(append(cells, pace(p.Trial(record.Chunked, ""))+", "+
		pace(p.Trial(record.CloseDelimited, record.CloseFIN))), "\t")
}

// compare holds a result against what a plain socket sees.
func compare(t *testing.T, base string, p record.EdgeProbe) {
	t.Helper()
	raw := make([]rawView, len(p.Trials))
	var all sync.WaitGroup
	for i := range p.Trials {
		all.Go(func() { raw[i] = rawLook(t, base, p.Trials[i]) })
	}
	all.Wait()
	for i, v := range raw {
		got := &p.Trials[i]
		if got.Fate != v.fate || got.Events != v.events {
			t.Errorf("%s: probe says %s, %d events (%s); a raw socket says %s, %d events", got, got.Fate, got.Events, got.Why,
				v.fate, v.events)
		}
		if got.Fate == record.EdgeLaundered && got.Extra > 0 != v.added {
			t.Errorf("%s: probe counts %d bytes that the app did not send; a raw socket says %v", got, got.Extra, v.added)
		}
		if got.Live != nil && *got.Live != v.live() {
			t.Errorf("%s: probe says live is %v; a raw socket got its events in %d reads", got, *got.Live, v.apart)
		}
	}
}

// TestNotOurOrigin is an edge that leads elsewhere.
func TestNotOurOrigin(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, err := probe.Edge(t.Context(), s.URL, "elsewhere")
	if err == nil || !strings.Contains(err.Error(), "no answer of the probe origin") {
		t.Errorf("error %v does not say that the origin was not reached", err)
	}
}

// TestCancelled ends a probe early, with nothing left behind.
func TestCancelled(t *testing.T) {
	o := server(t)
	ctx, cancel := context.WithTimeout(t.Context(), origin.ProbeGap)
	defer cancel()
	if _, err := probe.Edge(ctx, "http://"+o.Addr(), "none"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// TestDirect is a probe with no edge at all: every cut must be seen as sent.
func TestDirect(t *testing.T) {
	o := server(t)
	p, err := probe.Edge(t.Context(), "http://"+o.Addr(), "none")
	if err != nil {
		t.Fatal(err)
	}
	want := []record.EdgeFate{record.EdgeWhole, record.EdgeCut, record.EdgeCut, record.EdgeSilent, record.EdgeCut,
		record.EdgeCut}
	for i, f := range want {
		if p.Trials[i].Fate != f || p.Trials[i].Events != origin.ProbeEvents {
			t.Errorf("%s: %s, %d events (%s), want %s with all", &p.Trials[i], p.Trials[i].Fate, p.Trials[i].Events,
				p.Trials[i].Why, f)
		}
	}
	compare(t, "http://"+o.Addr(), p)
}
