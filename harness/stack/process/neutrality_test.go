package process

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/streamproof/streamproof/harness/relay"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

const (
	neutralRounds = 6
	neutralEvents = 150
	neutralGap    = 2 * time.Millisecond
)

// An arm is one way from the client to the same origin.
type arm struct {
	name   string
	url    string
	delays []time.Duration // arrival minus the server's stamp
	gaps   []time.Duration // by how much a gap differs from the server's
}

// BenchmarkNeutrality shows what each part of the chain adds to an idle stream:
// to the delay of an event, and to the gaps between events, which is what faults
// are judged by. The arms take turns, so that noise of the machine hits all of
// them alike; the row "direct" is that noise.
func BenchmarkNeutrality(b *testing.B) {
	arms := neutralArms(b)
	for b.Loop() {
		for range neutralRounds {
			for _, a := range arms {
				a.measure(b)
			}
		}
	}
	b.Log("\n" + neutralTable(arms))
	for _, a := range arms {
		b.ReportMetric(float64(quantile(a.gaps, 0.99).Microseconds()), a.name+"-gap-p99-µs")
	}
}

// neutralArms puts each part alone before one origin.
func neutralArms(b *testing.B) []*arm {
	spec := stack.Spec{App: originApp, LogDir: b.TempDir(), Strikes: true, Edge: stack.Edge{Form: stack.EdgeStreaming}}
	o := opener()
	hasNginx := findNginx("") != ""
	s, err := o.Open(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close(context.Background()) })
	c := s.(*Stack)
	app := c.Living()[0].App.At().Addr
	r, err := relay.Start(relay.Options{Name: "alone", Listen: "127.0.0.1:0", Target: app})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	l, err := newLane(b.Context(), newServer(), "alone", app, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.close(context.Background()) })
	arms := []*arm{{name: "direct", url: app}, {name: "relay", url: r.Addr()}, {name: "toxiproxy", url: l.listen}}
	if hasNginx {
		other := &Stack{opt: o.opt, spec: c.spec, nginx: c.nginx}
		other.spec.LogDir = b.TempDir()
		n, err := startNginx(b.Context(), other, []nginxconf.Upstream{{Main: app, Control: app}})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { n.close(context.Background()) })
		arms = append(arms, &arm{name: "nginx", url: n.addr()})
	}
	return append(arms, &arm{name: "whole-chain", url: c.EdgeLink.Main().Addr})
}

// measure reads one stream.
func (a *arm) measure(b *testing.B) {
	url := fmt.Sprintf("http://%s/stream?events=%d&gap=%v", a.url, neutralEvents, neutralGap)
	req, err := http.NewRequestWithContext(b.Context(), "GET", url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set(stack.StreamHeader, "1")
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	var sent, got time.Time
	n := 0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		emit, ok := emitted(lines.Text())
		if !ok {
			continue
		}
		now := time.Now()
		if n++; n > 1 {
			a.gaps = append(a.gaps, (now.Sub(got) - emit.Sub(sent)).Abs())
		}
		a.delays = append(a.delays, now.Sub(emit))
		sent, got = emit, now
	}
	if n < neutralEvents {
		b.Fatalf("%s: %d of %d events", a.name, n, neutralEvents)
	}
}

// emitted reads the server's stamp out of a data line of the origin.
func emitted(line string) (time.Time, bool) {
	_, rest, ok := strings.Cut(line, `"t":`)
	digits, _, ok2 := strings.Cut(rest, ",")
	ns, err := strconv.ParseInt(digits, 10, 64)
	return time.Unix(0, ns), ok && ok2 && err == nil
}

func neutralTable(arms []*arm) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "through\tdelay p50\tp99\tgap error p50\tp99\tadded to gap p50\tp99\t")
	base := arms[0]
	for _, a := range arms {
		fmt.Fprintf(w, "%s\t", a.name)
		for _, of := range [][]time.Duration{a.delays, a.gaps} {
			fmt.Fprintf(w, "%v\t%v\t", micro(quantile(of, 0.5)), micro(quantile(of, 0.99)))
		}
		fmt.Fprintf(w, "%v\t%v\t\n", micro(quantile(a.gaps, 0.5)-quantile(base.gaps, 0.5)),
			micro(quantile(a.gaps, 0.99)-quantile(base.gaps, 0.99)))
	}
	w.Flush()
	return out.String()
}

func micro(d time.Duration) time.Duration { return d.Round(time.Microsecond) }

// quantile is the nearest-rank quantile.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
