package harness

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/stack"
)

// An attached stack is an app that runs elsewhere, with nothing before it.
type attached struct {
	fleet
	url string
}

func (a *attached) Open(context.Context, stack.Spec) (stack.Stack, error) { return a, nil }
func (*attached) Kind() string                                            { return "attached" }
func (a *attached) Hops() []stack.Hop {
	return []stack.Hop{{Name: "app", What: "app", URL: a.url, Control: a.url}}
}

// short is a short whole answer. Its events bear an ID that is the app's own.
var short = harnesstest.Script{harnesstest.Say(harnesstest.ChunkedHead + harnesstest.Chunk(numbered(1)+numbered(2)+numbered(3)+harnesstest.Done) + harnesstest.LastChunk)}

func numbered(n int) string { return fmt.Sprintf("data: {\"id\":\"chatcmpl-1\",\"seq\":%d}\n\n", n) }

// TestMemoryIsFlatInTime: nothing of a stream that has ended stays in memory, where
// there is a load alone and where a fault waits for its condition meanwhile.
func TestMemoryIsFlatInTime(t *testing.T) {
	for name, sc := range map[string]Scenario{
		"load":             {},
		"a fault to come":  {Fault: fault.Watch{}, When: When{Heartbeats: 1, Events: 3}},
		"clients that ask": {Client: Client{Reconnect: Reconnect{Times: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			sc.ID, sc.Title, sc.Doc = "long", "A long load", "A test."
			memoryIsFlat(t, sc)
		})
	}
}

// memoryIsFlat measures the heap while a load goes on, when few streams have ended
// and when many have.
func memoryIsFlat(t *testing.T, sc Scenario) {
	const (
		few, many = 1000, 5000
		most      = 64 // bytes a stream
	)
	srv := harnesstest.Serve(t, short)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var at []heap
	watch := func(p Progress) {
		if p.Ended >= few && len(at) == 0 || p.Ended >= many && len(at) == 1 {
			at = append(at, heapAt(p))
		}
		if len(at) == 2 {
			cancel()
		}
	}
	err := Run(ctx, Options{App: App{URL: srv.URL, Stream: Stream{Terminal: `data == "[DONE]"`, Order: ".seq", Owner: ".id"}},
		Scenarios: []Scenario{sc}, Load: Load{Streams: 4, Duration: 10 * time.Minute},
		Dir: filepath.Join(t.TempDir(), "run"), Opener: &attached{url: srv.URL}, Progress: watch})
	if err != nil {
		t.Fatal(err)
	}
	if len(at) != 2 {
		t.Fatalf("measured %d times, want 2", len(at))
	}
	streams, grown := at[1].streams-at[0].streams, at[1].bytes-at[0].bytes
	t.Logf("%d bytes, %.1f a stream", grown, float64(grown)/float64(streams))
	if grown > int64(most*streams) {
		t.Errorf("%d more streams left %d bytes, %d each; want at most %d", streams, grown, grown/int64(streams), most)
	}
}

// A heap is what is in memory when so many streams have ended.
type heap struct {
	streams int
	bytes   int64
}

func heapAt(p Progress) heap {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools give back what they have at the second
	runtime.ReadMemStats(&m)
	return heap{p.Ended, int64(m.HeapAlloc)}
}
