package origin_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
)

// conducted serves with the given conduct and returns the URL of a stream.
func conducted(t *testing.T, c origin.Conduct) string {
	t.Helper()
	s, err := origin.New(origin.Options{Conduct: c})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Shutdown(t.Context()) // cuts what is left: the context is over by now
		<-done
	})
	return fmt.Sprintf("http://%s/stream?gap=5ms&heartbeat=0&events=", l.Addr())
}

// begin asks for a stream and reads its first bytes.
func begin(t *testing.T, url string) *http.Response {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if _, err := io.ReadFull(res.Body, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	return res
}

func rest(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCapacityRefuses(t *testing.T) {
	url := conducted(t, origin.Conduct{Capacity: 1})
	first := begin(t, url+"200")
	if res := begin(t, url+"2"); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("beyond the capacity: %s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
	}
	if got := rest(t, first); !strings.Contains(got, "event: done") {
		t.Error("the stream that was let in did not finish")
	}
	for range 100 { // its place is given back a moment after its end
		if res := begin(t, url+"2"); res.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("its place was not given back")
}

func TestOverflowTruncates(t *testing.T) {
	url := conducted(t, origin.Conduct{Capacity: 1, Overflow: "truncate"})
	begin(t, url+"200")
	res := begin(t, url+"20")
	if got := rest(t, res); res.StatusCode != http.StatusOK || strings.Contains(got, "event: done") ||
		res.Header.Get("X-Streamproof-Sabotaged") == "" {
		t.Errorf("%s with %q", res.Status, got)
	}
}

func TestKeptSlotsAreLost(t *testing.T) {
	url := conducted(t, origin.Conduct{Capacity: 1, KeepSlots: true})
	begin(t, url+"1000").Body.Close()
	for range 20 {
		if res := begin(t, url+"2"); res.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("a client that left gave its place back: %s", res.Status)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestOneStreamBlocksAll(t *testing.T) {
	const block = 500 * time.Millisecond
	url := conducted(t, origin.Conduct{Block: block})
	began := time.Now()
	var all []*http.Response
	for range 5 {
		all = append(all, begin(t, url+"4"))
	}
	for _, res := range all {
		rest(t, res)
	}
	if took := time.Since(began); took < block {
		t.Errorf("five streams took %v, one of them should have held them up for %v", took, block)
	}
}

func TestCacheableSaysNothing(t *testing.T) {
	for _, cacheable := range []bool{false, true} {
		res := begin(t, conducted(t, origin.Conduct{Cacheable: cacheable})+"1")
		if got := res.Header.Get("Cache-Control"); (got == "") != cacheable {
			t.Errorf("cacheable %v: Cache-Control %q", cacheable, got)
		}
	}
}

func TestBadConductIsRefused(t *testing.T) {
	for _, c := range []origin.Conduct{{Capacity: -1}, {Overflow: "explode"}} {
		if _, err := origin.New(origin.Options{Conduct: c}); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}
