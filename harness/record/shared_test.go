package record

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// TestOpenSharesWhatStreamsHaveInCommon: beside itself and its timeline, a stream
// of a run that was opened takes little memory.
func TestOpenSharesWhatStreamsHaveInCommon(t *testing.T) {
	const (
		streams  = 5000
		timeline = 320 // bytes
		most     = 96  // bytes a stream beside: its nonce, mainly
	)
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, Plan{Schema: Schema})
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(streams) {
		s := Stream{Seq: seq + 1, Scenario: "direct", Group: Load, Hop: "app", Nonce: fmt.Sprintf("%032x", seq),
			Proto: "HTTP/1.1", ContentType: "text/event-stream; charset=utf-8", Status: 200, End: time.Duration(seq),
			Header: map[string]string{"Server": "nginx/1.22.1", "X-Accel-Buffering": "no", "Via": fmt.Sprint(seq % 3)},
			Wire:   Wire{Framing: Chunked, Where: AtEnd}, Events: make([]byte, timeline)}
		s.Content.State, s.Content.Worker = "complete", fmt.Sprint(seq%4)
		w.Begin(&Stream{Seq: s.Seq, Scenario: s.Scenario, Group: s.Group, Hop: s.Hop, Nonce: s.Nonce})
		w.End(&s)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	before := live()
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	each := (live() - before) / streams
	if own := int64(unsafe.Sizeof(Stream{})) + timeline; each > own+most {
		t.Errorf("%d bytes a stream, want at most %d for itself and its timeline, and %d", each, own, most)
	}
	for i, s := range run.Streams {
		if s.Header["Via"] != fmt.Sprint(i%3) || s.Content.Worker != fmt.Sprint(i%4) {
			t.Fatalf("stream %d has another's texts: %+v", s.Seq, s)
		}
	}
}

// live is the heap in use, in bytes.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools give back what they have at the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestSharedTextsStayWhatTheyAre, also beyond the bound on how many are shared.
func TestSharedTextsStayWhatTheyAre(t *testing.T) {
	h := newShared()
	for n := range 2 * maxShared {
		s := Stream{Replica: fmt.Sprint(n), Start: strings.Repeat("x", n%(2*maxSharedText)),
			Header: map[string]string{"A": fmt.Sprint(n), "B": "b"}}
		want := s
		if h.stream(&s); !reflect.DeepEqual(s, want) {
			t.Fatalf("%+v became %+v", want, s)
		}
	}
	if len(h.texts) > maxShared || len(h.headers) > maxShared {
		t.Errorf("%d texts and %d sets of fields are kept, want at most %d", len(h.texts), len(h.headers), maxShared)
	}
	// Fields that only look alike are not the same.
	h = newShared()
	a := h.header(map[string]string{"A": "1\x00B\x002"})
	if b := h.header(map[string]string{"A": "1", "B": "2"}); len(a) != 1 || len(b) != 2 {
		t.Errorf("%q and %q were taken for one", a, b)
	}
}
