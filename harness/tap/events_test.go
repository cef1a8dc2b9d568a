package tap

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

const ms = time.Millisecond

// reads feeds frames of 10 bytes, given by their kinds, one slice a read.
func reads(e *events, rec *record.Stream, trailing int64, kinds ...[]stream.Kind) {
	size := int64(0)
	for i, read := range kinds {
		at := time.Duration(i+1) * 100 * ms
		e.begin(at, at-60*ms)
		for _, k := range read {
			e.add(&stream.Frame{Offset: size, Size: 10}, stream.Event{Kind: k, Seq: -1}, rec)
			size += 10
		}
		e.end(size + trailing)
	}
}

func newRecord() *record.Stream {
	n := record.Never
	return &record.Stream{Headers: 0, First: n, FirstAny: n, Last: n, TerminalAt: n}
}

// TestFramesOfOneRead: only the frame that ends with the read has a point for its
// arrival.
func TestFramesOfOneRead(t *testing.T) {
	var e events
	rec := newRecord()
	c := stream.Content
	reads(&e, rec, 0, []stream.Kind{c, c, c}, []stream.Kind{c})
	rec.End = 200 * ms
	e.close(rec)
	var early []time.Duration
	for m := range rec.Marks() {
		early = append(early, m.At-m.Early)
	}
	if want := []time.Duration{60 * ms, 60 * ms, 0, 0}; !slices.Equal(early, want) {
		t.Errorf("arrival intervals %v, want %v", early, want)
	}
}

// TestFrameBeforePartOfTheNext: bytes behind the last frame of a read may have come
// in a later segment than it.
func TestFrameBeforePartOfTheNext(t *testing.T) {
	for trailing, want := range map[int64]time.Duration{0: 0, 1: 0, 5: 60 * ms} {
		var e events
		rec := newRecord()
		reads(&e, rec, trailing, []stream.Kind{stream.Content})
		e.close(rec)
		for m := range rec.Marks() {
			if m.At-m.Early != want {
				t.Errorf("%d bytes behind the frame: interval %v, want %v", trailing, m.At-m.Early, want)
			}
		}
	}
}

func TestSilences(t *testing.T) {
	c, hb, end := []stream.Kind{stream.Content}, []stream.Kind{stream.Heartbeat}, []stream.Kind{stream.Terminal}
	for _, k := range []struct {
		name              string
		reads             [][]stream.Kind // one every 100 ms
		end               time.Duration
		gap, at, progress time.Duration
	}{
		{"to the end", [][]stream.Kind{c, c}, 500 * ms, 300 * ms, 200 * ms, 300 * ms},
		{"heartbeats are life, not progress", [][]stream.Kind{c, hb, hb, c}, 400 * ms, 100 * ms, 0, 300 * ms},
		{"no event at all", nil, 700 * ms, 700 * ms, 0, 700 * ms},
		{"lingering is no silence", [][]stream.Kind{c, end}, 5000 * ms, 100 * ms, 0, 100 * ms},
	} {
		var e events
		rec := newRecord()
		reads(&e, rec, 0, k.reads...)
		rec.End = k.end
		e.close(rec)
		if rec.MaxGap != k.gap || rec.MaxGapAt != k.at || rec.ProgressGap != k.progress {
			t.Errorf("%s: gap %v at %v, progress gap %v; want %v at %v, %v",
				k.name, rec.MaxGap, rec.MaxGapAt, rec.ProgressGap, k.gap, k.at, k.progress)
		}
	}
}

// A whole answer in one event is its first event and its terminal, and what follows
// is no silence.
func TestAnswerInOneEvent(t *testing.T) {
	var e events
	rec := newRecord()
	e.open(0)
	e.begin(100*ms, 0)
	e.add(&stream.Frame{Size: 9}, stream.Event{Kind: stream.Content, Seq: -1, Last: true}, rec)
	e.end(9)
	rec.Headers, rec.End = 0, 5000*ms
	e.close(rec)
	if rec.First != 100*ms || rec.TerminalAt != 100*ms || rec.Contents != 1 || rec.MaxGap != 100*ms {
		t.Errorf("first %v, terminal %v, %d contents, longest gap %v", rec.First, rec.TerminalAt, rec.Contents, rec.MaxGap)
	}
}

func TestTimersOrder(t *testing.T) {
	var heap timers
	all := make([]*flight, 100)
	for i := range all {
		all[i] = &flight{poll: pollState{heap: -1}}
		heap.set(all[i], time.Duration(i*37%100))
	}
	for i := range all {
		switch i % 3 {
		case 0:
			heap.remove(all[i])
			heap.remove(all[i]) // may be done twice
		case 1:
			heap.set(all[i], time.Duration(i*61%100))
		}
	}
	last, n := time.Duration(-1), 0
	for ; len(heap) > 0; n++ {
		f := heap[0]
		if f.poll.due < last {
			t.Fatalf("deadline %d after %d", f.poll.due, last)
		}
		last = f.poll.due
		heap.remove(f)
	}
	if n != 66 {
		t.Errorf("%d flights left the heap, want 66", n)
	}
}
