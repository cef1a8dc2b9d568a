package origin

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// A Conduct is how a process behaves as a whole, beyond any single answer. The
// zero Conduct is that of a good server without limits.
type Conduct struct {
	Capacity int // streams at once; 0 is without bound
	// what happens to those beyond: "" or "refuse" answers 503, "truncate" begins and ends like a
	// success
	Overflow  string
	KeepSlots bool          // a client that leaves keeps its place for ever
	Requests  int           // streams after which the process stops, and its master starts another; 0 is never
	Block     time.Duration // how long every fifth stream blocks the whole process, in its middle
	Leak      int64         // bytes that every stream leaves behind
	Cacheable bool          // says nothing against its answers being buffered or stored
}

const (
	refuseOverflow   = "refuse"
	truncateOverflow = "truncate"
	blocking         = 5 // one stream in so many blocks
)

func (c *Conduct) flags(fs *flag.FlagSet) {
	fs.IntVar(&c.Capacity, "capacity", 0, "streams at once; 0 is without bound")
	fs.IntVar(&c.Capacity, "max-streams", 0, "the same as --capacity")
	fs.StringVar(&c.Overflow, "overflow", refuseOverflow, "what happens to streams beyond the capacity: refuse, truncate")
	fs.BoolVar(&c.KeepSlots, "keep-slots", false, "a client that leaves keeps its place for ever")
	fs.IntVar(&c.Requests, "max-requests", 0, "streams after which a worker stops and another takes its place; 0 is never")
	fs.DurationVar(&c.Block, "block", 0, "how long every fifth stream blocks the whole process")
	fs.Int64Var(&c.Leak, "hoard", 0, "bytes of memory that every stream leaves behind")
	fs.BoolVar(&c.Cacheable, "cacheable", false, "say nothing against answers being buffered or stored")
}

func (c *Conduct) check() error {
	switch {
	case c.Capacity < 0 || c.Requests < 0 || c.Block < 0 || c.Leak < 0:
		return errors.New("check conduct: --capacity, --max-requests, --block and --hoard must not be negative")
	case !slices.Contains([]string{"", refuseOverflow, truncateOverflow}, c.Overflow):
		return fmt.Errorf("check conduct: unknown overflow %q (known: %s, %s)", c.Overflow, refuseOverflow, truncateOverflow)
	}
	return nil
}

var (
	errClosed = errors.New("shutting down")
	errFull   = errors.New("over capacity")
)

// enter counts a stream in, unless the server shuts down or is full.
func (s *Server) enter(st *reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.Capacity > 0 && len(s.live)+s.lost >= s.Capacity {
		if s.Overflow != truncateOverflow {
			return errFull
		}
		st.hooks, st.Sabotage, st.At = &sabotage("silent-truncation").hooks, "silent-truncation", 2
	}
	s.live[st] = struct{}{}
	s.streams.Add(1)
	s.begun++
	st.blocks = s.Block > 0 && s.begun%blocking == 0
	if s.begun == s.Requests {
		close(s.spent)
	}
	return nil
}

// leave counts a stream out. err is how it ended.
func (s *Server) leave(st *reply, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.KeepSlots && errors.Is(err, errGone) {
		s.lost++
	}
	if s.Leak > 0 {
		s.leaked = append(s.leaked, fill(s.Leak))
	}
	delete(s.live, st)
	s.streams.Done()
}

// refused answers a stream that was not let in.
func refused(w http.ResponseWriter, err error) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `{"error":"overloaded: `+err.Error()+`"}`+"\n")
}

// block stops the whole process from saying anything, as a call does that an
// event loop should never make.
func (s *Server) block() {
	until := time.Now().Add(s.Block)
	s.blocked.Store(until.UnixNano())
	time.Sleep(s.Block)
}

// unblocked returns when nothing blocks the process any more.
func (s *Server) unblocked() {
	if until := s.blocked.Load(); until != 0 {
		time.Sleep(time.Until(time.Unix(0, until)))
	}
}
