package play

import (
	"context"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/stack"
)

// An attached stack is an app that runs elsewhere, with nothing before it.
type attached struct {
	replicated
	url string
}

func (a *attached) Open(context.Context, stack.Spec) (stack.Stack, error) { return a, nil }
func (*attached) Kind() string                                            { return "attached" }
func (a *attached) Hops() []stack.Hop {
	return []stack.Hop{{Name: "app", What: "app", URL: a.url, Control: a.url}}
}

// A gate holds streams up before their answers, so that nothing moves while the
// heap is measured.
type gate struct {
	shut    sync.RWMutex
	waiting atomic.Int32
}

func (g *gate) pass(*net.TCPConn) bool {
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	g.shut.RLock()
	defer g.shut.RUnlock()
	return true
}

// short is a short whole answer. Its events bear an ID that is the app's own.
func short(g *gate) harnesstest.Script {
	return harnesstest.Script{g.pass, harnesstest.Say(harnesstest.ChunkedHead +
		harnesstest.Chunk(numbered(1)+numbered(2)+numbered(3)+harnesstest.Done) + harnesstest.LastChunk)}
}

func numbered(n int) string { return fmt.Sprintf("data: {\"id\":\"chatcmpl-1\",\"seq\":%d}\n\n", n) }

// TestMemoryIsFlatInTime: nothing of a stream that has ended stays in memory, where
// there is a load alone and where a fault waits for its condition meanwhile.
func TestMemoryIsFlatInTime(t *testing.T) {
	for name, sc := range map[string]harness.Scenario{
		"load":             {},
		"a fault to come":  {Fault: fault.Watch{}, When: harness.When{Heartbeats: 1, Events: 3}},
		"clients that ask": {Client: harness.Client{Reconnect: harness.Reconnect{Times: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			sc.ID, sc.Title, sc.Doc = "long", "A long load", "A test."
			memoryIsFlat(t, sc)
		})
	}
}

// memoryIsFlat measures the heap while a load goes on, when few streams have ended
// and when many have.
func memoryIsFlat(t *testing.T, sc harness.Scenario) {
	const (
		few, many = 500, 2500
		atOnce    = 4
		most      = 64 // bytes a stream
	)
	var g gate
	srv := harnesstest.Serve(t, short(&g))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var at []heap
	watch := func(p harness.Progress) {
		if p.Ended >= few && len(at) == 0 || p.Ended >= many && len(at) == 1 {
			at = append(at, g.heap(t, p, atOnce))
		}
		if len(at) == 2 {
			cancel()
		}
	}
	app := harness.App{URL: srv.URL, Stream: harness.Stream{Terminal: `data == "[DONE]"`, Order: ".seq", Owner: ".id"}}
	err := Run(ctx, harness.Options{App: app,
		Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: atOnce, Duration: 10 * time.Minute},
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

// heap measures while all streams that there are at once wait at the gate.
func (g *gate) heap(t *testing.T, p harness.Progress, atOnce int32) heap {
	g.shut.Lock()
	defer g.shut.Unlock()
	for end := time.Now().Add(20 * time.Second); g.waiting.Load() < atOnce; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%d streams wait at the gate, want %d", g.waiting.Load(), atOnce)
			break
		}
	}
	least := int64(math.MaxInt64)
	for range measurements {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		least = min(least, int64(m.HeapAlloc))
	}
	return heap{p.Ended, least}
}

// measurements are taken of one heap, of which the least counts: what looks after
// the machine goes on meanwhile, and pools give back what they have at the second
// collection.
const measurements = 6
