package tap_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// Streams of a batch need no goroutine while they are open, and all of them end with
// its context, those too that are sent when it has ended.
func TestBatchNeedsNoGoroutineForAStream(t *testing.T) {
	const n = 200
	var done, early atomic.Int64
	begun, over := make(chan struct{}, n+1), make(chan error, n+1)
	tp, err := tap.New(tap.Options{Begin: func(*record.Stream) { begun <- struct{}{} }, Done: func(s *record.Stream) {
		done.Add(1)
		if s.Limit != record.CancelledByEnd {
			early.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer tp.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	b := tp.Batch(ctx, func(seq uint64) tap.Job { return tap.Job{} }, func(err error) { over <- err })
	defer b.Close()
	send := func() {
		r, err := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Send(r)
	}
	before := runtime.NumGoroutine()
	for range n {
		send()
	}
	for range n {
		<-begun
	}
	if runtime.GOOS == "linux" {
		for runtime.NumGoroutine() > before+n/10 {
			runtime.Gosched() // those that set streams up are about to end; one a stream would last
		}
	}
	cancel()
	send()
	for range n + 1 {
		var end *tap.EndError
		if err := <-over; !errors.As(err, &end) || end.Limit != record.CancelledByEnd {
			t.Errorf("a stream is over with %v, want that it was cancelled", err)
		}
	}
	if done.Load() != n+1 || early.Load() != 0 {
		t.Errorf("%d of %d streams are recorded, %d not as cancelled", done.Load(), n+1, early.Load())
	}
}

// A request that cannot be sent is over without having begun.
func TestBatchTellsWhatCannotBegin(t *testing.T) {
	tp, err := tap.New(tap.Options{Begin: func(*record.Stream) { t.Error("it began") }})
	if err != nil {
		t.Fatal(err)
	}
	defer tp.Close()
	over := make(chan error, 1)
	b := tp.Batch(t.Context(), func(uint64) tap.Job { return tap.Job{} }, func(err error) { over <- err })
	defer b.Close()
	r, err := http.NewRequest(http.MethodGet, "ftp://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Send(r)
	var end *tap.EndError
	if err := <-over; err == nil || errors.As(err, &end) {
		t.Errorf("got %v, want an error of our own", err)
	}
}
