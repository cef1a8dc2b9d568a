package memory

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// A flow is one connection on its way through the chain: what a client wrote goes to
// a replica, and what that answers comes back, by a goroutine each.
//
//	client ══ outer ─▶ request ─▶ inner ══ replica
//	       ◀───────── answer ◀─────────
type flow struct {
	outer, inner *conn // our ends of the client's connection and of the replica's
	links        []*link
	upstream     string // told to the client in stack.ReplicaHeader; "" is not
	head         *chunk // of the request, where the edge has read it

	mu     sync.Mutex // guards stream
	stream uint64     // from stack.StreamHeader of the first request; 0 before
}

// run carries f until both directions are over.
func (f *flow) run() {
	var both sync.WaitGroup
	both.Go(f.request) // ends with the connection
	both.Go(f.answer)  // ends with the connection
	both.Wait()
	f.close()
}

// leave takes f off its links.
func (f *flow) leave() {
	for _, l := range f.links {
		l.leave(f)
	}
}

// close ends both connections in order.
func (f *flow) close() {
	f.outer.Close()
	f.inner.Close()
}

// request carries what the client says.
func (f *flow) request() {
	for first := true; ; first = false {
		var c chunk
		var err error
		if first && f.head != nil {
			c = *f.head
		} else if c, err = f.outer.take(bufferSize); err != nil {
			pass(err, f.inner)
			return
		}
		if first {
			f.name(c.data)
		}
		if f.travel(c, stack.Upstream) {
			f.inner.Write(c.data) // a replica that has left ends the answer
		}
	}
}

// name finds the number of the stream in its request.
func (f *flow) name(head []byte) {
	n, _ := strconv.ParseUint(field(head, stack.StreamHeader), 10, 64)
	f.mu.Lock()
	f.stream = n
	f.mu.Unlock()
}

// field is the value of a header field, in the spelling that we give it.
func field(head []byte, name string) string {
	_, after, _ := bytes.Cut(head, []byte("\r\n"+name+": "))
	value, _, _ := bytes.Cut(after, []byte("\r\n"))
	return string(value)
}

// answer carries what the replica says.
func (f *flow) answer() {
	s := scanner{upstream: f.upstream}
	for {
		c, err := f.inner.take(bufferSize)
		if err != nil {
			f.travel(chunk{at: time.Now()}, stack.Downstream)
			pass(err, f.outer)
			return
		}
		for len(c.data) > 0 {
			var part []byte
			part, c.data = s.next(c.data)
			if f.travel(chunk{part, c.at}, stack.Downstream) {
				f.outer.Write(s.told(part))
			}
			if f.deserted() {
				f.inner.Close()
				return
			}
			if s.body && !f.struck(&s) {
				return
			}
		}
	}
}

// pass hands the end of one connection on to the other.
func pass(err error, to *conn) {
	if errors.Is(err, io.EOF) {
		to.CloseWrite()
		return
	}
	if errors.Is(err, syscall.ECONNRESET) {
		to.reset()
		return
	}
	to.Close()
}

// travel waits as long as the links hold a chunk up, or the end of a connection, which
// is a chunk without bytes and never lost. It reports false where the chunk is lost, or
// the client has gone.
func (f *flow) travel(c chunk, d stack.Direction) bool {
	due := c.at
	for _, l := range f.links {
		for {
			w := l.look(d)
			if w.lost && len(c.data) > 0 {
				return false
			}
			if w.stalled || w.lost {
				if !f.sleep(nil, w.changed) {
					return false
				}
				continue
			}
			due = due.Add(w.latency)
			if w.rate > 0 {
				due = later(due, time.Now()).Add(time.Duration(len(c.data)) * time.Second / time.Duration(w.rate))
			}
			break
		}
	}
	t := time.NewTimer(time.Until(due))
	defer t.Stop()
	return f.sleep(t.C, nil)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sleep waits for a timer or a change. It reports false where either end has gone.
func (f *flow) sleep(timer <-chan time.Time, changed <-chan struct{}) bool {
	// What came before the end of a connection arrives, but nobody waits for it.
	select {
	case <-timer:
	case <-changed:
	case <-f.outer.gone:
		return false
	case <-f.left():
		return false
	}
	return true
}

// deserted reports whether either end of the client's connection has been closed.
func (f *flow) deserted() bool {
	select {
	case <-f.left():
		return true
	case <-f.outer.gone:
		return true
	default:
		return false
	}
}

// left is closed when the client has closed its end.
func (f *flow) left() <-chan struct{} { return f.outer.peer }

// struck does the strikes that are due behind what was passed on. It reports false
// where the connection has ended by one.
func (f *flow) struck(s *scanner) bool {
	f.mu.Lock()
	stream := f.stream
	f.mu.Unlock()
	for _, l := range f.links {
		for _, hit := range l.due(stream, s.events, s.bytes) {
			switch hit.Action {
			case stack.RST:
				f.outer.reset()
				f.inner.reset()
				return false
			case stack.FIN:
				f.close()
				return false
			case stack.Blackhole:
				select {
				case <-f.left():
				case <-f.outer.gone:
				}
				f.close()
				return false
			case stack.Hold:
				t := time.NewTimer(hit.For)
				ok := f.sleep(t.C, nil)
				t.Stop()
				if !ok {
					f.close()
					return false
				}
			}
		}
	}
	return true
}

// A scanner cuts an answer behind its head and behind every event of SSE.
type scanner struct {
	upstream string
	named    bool
	body     bool // the head has passed
	events   int  // that have passed
	bytes    int64
	last     byte
}

var headEnd = []byte("\r\n\r\n")

// next is the part of data that ends at the next cut, and the rest. An event ends
// with an empty line; what frames it in HTTP follows.
func (s *scanner) next(data []byte) (part, rest []byte) {
	if !s.body {
		i := bytes.Index(data, headEnd)
		if i < 0 {
			return data, nil
		}
		s.body = true
		return data[:i+len(headEnd)], data[i+len(headEnd):]
	}
	for i, b := range data {
		last := s.last
		if s.last = b; b != '\n' || last != '\n' {
			continue
		}
		s.events++
		s.last = 0
		n := i + 1
		if bytes.HasPrefix(data[n:], []byte("\r\n")) {
			n += 2
		}
		s.bytes += int64(n)
		return data[:n], data[n:]
	}
	s.bytes += int64(len(data))
	return data, nil
}

// told is part with the edge's own header field behind the status line.
func (s *scanner) told(part []byte) []byte {
	if s.named || s.upstream == "" {
		return part
	}
	line, rest, ok := bytes.Cut(part, []byte("\r\n"))
	if !ok {
		return part
	}
	s.named = true
	return slices.Concat(line, []byte("\r\n"+stack.ReplicaHeader+": "+s.upstream+"\r\n"), rest)
}
