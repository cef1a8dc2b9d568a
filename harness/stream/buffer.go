package stream

import "sync"

// A buffer holds what a push left unfinished. Buffers are shared by all streams
// and held only while a frame is cut, so that 15,000 idle streams hold none.
type buffer struct{ b []byte }

// keepBuffer is the largest buffer, in bytes, that goes back to the pool: one
// huge frame must not stay in memory for the rest of the run.
const keepBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 512)} }}

// hold returns a buffer with a copy of p.
func hold(p []byte) *buffer {
	h := buffers.Get().(*buffer)
	h.b = append(h.b[:0], p...)
	return h
}

// release gives *h back, which may be nil, and clears it.
func release(h **buffer) {
	if *h != nil && cap((*h).b) <= keepBuffer {
		buffers.Put(*h)
	}
	*h = nil
}

// frame returns the limit on a frame in bytes.
func (l Limits) frame() int {
	if l.Frame > 0 {
		return l.Frame
	}
	return DefaultLimits.Frame
}
