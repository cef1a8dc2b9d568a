package container

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// BenchmarkStackUp prints how long a stack takes to get up and where the time
// goes. The edge starts while the app gets healthy.
func BenchmarkStackUp(b *testing.B) {
	took := map[string]time.Duration{}
	for b.Loop() {
		st := benchStack(b)
		b.StopTimer()
		_, steps := st.Timing()
		for _, s := range steps {
			took[s.Name] += s.Took
		}
		benchClose(b, st)
		b.StartTimer()
	}
	for name, d := range took {
		b.ReportMetric(d.Seconds()/float64(b.N), strings.ReplaceAll(name, " ", "-")+"-s")
	}
}

// benchStack opens the longest chain, with every kind of link.
func benchStack(b *testing.B) *Stack {
	b.Helper()
	if err := Available(b.Context()); err != nil {
		fmt.Printf("%s is skipped: no Docker: %v\n", b.Name(), err) // a skipped benchmark says nothing itself
		b.Skip()
	}
	st, err := New(Options{}).Open(b.Context(), stack.Spec{App: stack.App{Origin: &stack.Origin{}},
		Edge: stack.Edge{Form: stack.EdgeStreaming}, Strikes: true, LogDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	return st.(*Stack)
}

func benchClose(b *testing.B, st *Stack) {
	b.Helper()
	if err := st.Close(context.Background()); err != nil {
		b.Error(err)
	}
}

// BenchmarkHops prints what each hop of the chain does to the gaps between
// events: a stream of the origin, an event every 5 ms, read at that hop by the
// container's address and by the port that docker-proxy publishes.
func BenchmarkHops(b *testing.B) {
	const gap = 5 * time.Millisecond
	st := benchStack(b)
	b.Cleanup(func() { benchClose(b, st) })
	for _, h := range slices.Backward(st.Hops()) {
		for _, way := range []string{"address", "published"} {
			dial := map[string]string{"address": h.Dial}[way]
			if way == "address" && dial == "" {
				continue
			}
			b.Run(h.Name+"/"+way, func(b *testing.B) {
				var gaps []time.Duration
				for b.Loop() {
					gaps = append(gaps, readGaps(b, h.URL+"/stream?events=200&gap="+gap.String(), dial)...)
				}
				slices.Sort(gaps)
				for _, p := range []struct {
					name string
					at   int
				}{{"gap-p50-ms", 50}, {"gap-p99-ms", 99}} {
					b.ReportMetric(float64(gaps[len(gaps)*p.at/100].Microseconds())/1000, p.name)
				}
			})
		}
	}
}

// readGaps reads one stream and returns the times between its events.
func readGaps(b *testing.B, url, dial string) (gaps []time.Duration) {
	tr := &http.Transport{DisableKeepAlives: true}
	if dial != "" {
		tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, dial)
		}
	}
	res, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	last := time.Time{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "data: ") {
			continue
		}
		now := time.Now()
		if !last.IsZero() {
			gaps = append(gaps, now.Sub(last))
		}
		last = now
	}
	if len(gaps) == 0 {
		b.Fatal("no events")
	}
	return gaps
}
