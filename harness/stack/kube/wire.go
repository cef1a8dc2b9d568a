package kube

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"

	"github.com/streamproof/streamproof/harness/fleet"
)

// greetLimit is how long a worker may take to be heard once its pod runs. The port-forward
// takes a connection before it knows whether anybody listens at its end.
const greetLimit = 5 * time.Second

// connect reaches the worker in a pod.
func (f *Fleet) connect(ctx context.Context, pod string) (*wire, error) {
	for {
		w, err := f.dial(ctx, pod)
		if err == nil {
			return w, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pollEvery): // it may have begun this instant
		}
	}
}

func (f *Fleet) dial(ctx context.Context, pod string) (*wire, error) {
	up, err := f.client.upgrade(ctx, f.client.in("v1", "pods", pod, "portforward"), url.Values{}, "portforward.k8s.io")
	if err != nil {
		return nil, err
	}
	_, data, err := channels(up, workerPort)
	if err != nil {
		up.Close()
		return nil, err
	}
	late := time.AfterFunc(greetLimit, func() { up.Close() })
	release := context.AfterFunc(ctx, func() { up.Close() })
	err = fleet.ReadGreeting(data)
	if !late.Stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if release(); err != nil {
		up.Close()
		return nil, err
	}
	return &wire{up: up, data: data, over: make(chan struct{})}, nil
}

// A wire is the connection to a worker, a stream of its own connection to the API server.
type wire struct {
	up   httpstream.Connection
	data httpstream.Stream

	read  atomic.Bool // somebody reads, or has
	ended sync.Once
	over  chan struct{} // closed when the worker has said its last
	once  sync.Once
}

func (w *wire) Read(b []byte) (int, error) {
	w.read.Store(true)
	n, err := w.data.Read(b)
	if err != nil {
		w.ended.Do(func() { close(w.over) })
	}
	return n, err
}

// mostWritten is how much is written at once, in bytes: each write is one frame, of which
// SPDY allows no more than 1<<24 - 1. Messages may be larger, and the large are those
// that carry a file of requests.
const mostWritten = 1 << 20

func (w *wire) Write(b []byte) (n int, err error) {
	for chunk := range slices.Chunk(b, mostWritten) {
		k, err := w.data.Write(chunk)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

// goodbye is how long a worker has to end once its input has.
const goodbye = 5 * time.Second

// Close ends the worker, and waits until it has ended. Where nobody reads, nobody hears of
// that, and there is nothing to wait for: the worker ends with its connection.
func (w *wire) Close() error {
	w.once.Do(func() {
		w.data.Close() // the way may be gone already
		if w.read.Load() {
			select {
			case <-w.over:
			case <-w.up.CloseChan():
			case <-time.After(goodbye):
			}
		}
		w.up.Close()
	})
	return nil
}
