package fleet

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/traceparent"
)

// Every is how often a worker tells its counters.
const Every = 100 * time.Millisecond

// A Worker sends a share of each wave that a parent has for it.
type Worker struct {
	Version string
	// Dial connects the streams; nil is the machine's network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	skew func(time.Duration) time.Duration // of the clock, in tests; nil for none
	room int                               // of streams, in tests; 0 for what the system gives
}

// Serve talks with a parent until that hangs up, which is no error, or ctx is cancelled.
// No stream and no goroutine of it is left when it returns.
func (w Worker) Serve(ctx context.Context, rw io.ReadWriteCloser) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &serving{Worker: w, conn: conn{rw: rw}, ctx: ctx, born: time.Now(), watches: map[int]*tap.Watch{}}
	release := context.AfterFunc(ctx, func() { s.conn.close() })
	defer func() {
		cancel()
		release()
		err = errors.Join(err, s.leave())
	}()
	err = s.conn.receive(s.take)
	if errors.Is(err, io.EOF) || ctx.Err() != nil || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// A serving is one call of Serve.
type serving struct {
	Worker
	conn conn
	ctx  context.Context
	born time.Time
	base time.Duration
	tap  *tap.Tap // nil until it is set up

	secure *tls.Config // of the streams to https URLs; nil for Go's defaults

	next load.Wave // that Ready was said of; take alone has it
	stop context.CancelFunc
	jobs sync.WaitGroup

	started, ended atomic.Int64

	mu      sync.Mutex         // guards watches
	watches map[int]*tap.Watch // by the parent's numbers
}

// now is the worker's clock: since it began until it is set up, then the run's.
func (s *serving) now() time.Duration {
	t := time.Since(s.born) + s.base
	if s.skew != nil {
		t = s.skew(t)
	}
	return t
}

// take does what a message asks for.
func (s *serving) take(k kind, body []byte) error {
	if s.tap == nil && (k == kindWave || k == kindGo || k == kindWatch || k == kindUnwatch) {
		return fmt.Errorf("message %d came before the worker was set up", k)
	}
	switch k {
	case kindHello:
		return s.conn.send(kindHere, hello{Protocol, s.Version, cmp.Or(s.room, load.MaxStreams())})
	case kindPing:
		p, err := read[ping](body)
		if err != nil {
			return err
		}
		p.Clock = s.now()
		return s.conn.send(kindPong, p)
	case kindSetup:
		return s.setup(body)
	case kindWave:
		return s.ready(body)
	case kindGo:
		return s.begin(body)
	case kindWatch, kindUnwatch:
		return s.watch(k, body)
	case kindStop:
		if s.stop != nil {
			s.stop()
		}
		return nil
	}
	return fmt.Errorf("message %d is unknown", k)
}

// setup opens the tap, on the run's clock.
func (s *serving) setup(body []byte) error {
	x, err := read[setup](body)
	if err != nil || s.tap != nil {
		return errors.Join(err, s.leave())
	}
	if s.secure, err = x.TLS.Config(); err != nil {
		return err
	}
	s.base = x.Base
	s.tap, err = tap.New(tap.Options{Start: s.born.Add(-x.Base), Seed: x.Seed, TLS: s.secure, Dial: s.Dial,
		Trace: x.trace(),
		Begin: func(st *record.Stream) {
			s.started.Add(1)
			s.tell(kindBegin, st)
		},
		Done: func(st *record.Stream) {
			s.ended.Add(1)
			s.tell(kindEnd, st)
		}})
	return err
}

// trace names the trace of each stream as the parent's process does; nil for none.
func (x *setup) trace() func(nonce string, seq uint64) string {
	if x.Traced == 0 {
		return nil
	}
	run := time.Unix(0, x.Traced)
	return func(nonce string, seq uint64) string { return traceparent.Of(run, nonce, seq) }
}

// tell tells the parent of a stream. Who cannot be told has gone, and so do we.
func (s *serving) tell(k kind, st *record.Stream) {
	if err := s.conn.sendStream(k, st); err != nil {
		s.conn.close()
	}
}

// ready reads a wave as the parent meant it, and says so.
func (s *serving) ready(body []byte) error {
	x, err := read[offer](body)
	if err != nil {
		return err
	}
	wave, err := read[Wave](x.Wave)
	if err != nil {
		return s.conn.send(kindReady, ready{Err: err.Error()})
	}
	again, err := wave.bytes() // what we have not understood is not in it
	if err != nil {
		return err
	}
	next, err := wave.Load()
	if err != nil {
		return s.conn.send(kindReady, ready{Err: err.Error()})
	}
	next.Share = load.Share{Index: x.Index, Of: x.Of}
	s.next = next
	r := s.reach(x.Reach)
	r.Digest = digest(again, x.Index, x.Of)
	return s.conn.send(kindReady, r)
}

// reachLimit bounds how long one of the connections may take that are only tried.
const reachLimit = 5 * time.Second

// reach connects to places as the streams will, and says of the first that does not answer, or that does not agree on
// TLS, why.
func (s *serving) reach(all []place) (r ready) {
	for _, to := range all {
		shaking, err := s.connect(to)
		if err != nil {
			var op *net.OpError
			if errors.As(err, &op) {
				err = op.Err // the address is told beside it
			}
			return ready{Address: to.Address, Why: err.Error(), TLS: shaking}
		}
	}
	return r
}

// connect connects to one, and hangs up. shaking is whether it got as far as TLS.
func (s *serving) connect(to place) (shaking bool, err error) {
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	ctx, cancel := context.WithTimeout(s.ctx, reachLimit)
	defer cancel()
	conn, err := dial(ctx, "tcp", to.Address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if to.Host == "" {
		return false, nil
	}
	return true, tap.Shake(ctx, conn, s.secure, to.Host)
}

// begin sends the share, on a goroutine that ends with it.
func (s *serving) begin(body []byte) error {
	x, err := read[start](body)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	wave := s.next
	wave.At, s.stop = x.At, stop
	behind := max(0, s.tap.Now()-x.At)
	s.jobs.Go(func() {
		defer stop()
		telling := s.count(ctx)
		rec, err := load.Drive(ctx, s.tap, wave)
		stop()
		<-telling
		d := done{Asked: rec.Asked, Started: rec.Started, Late: rec.LateStarts, Behind: behind, End: rec.End,
			Clients: rec.Clients}
		if err != nil {
			d.Err = err.Error()
		}
		if s.conn.send(kindDone, d) != nil {
			s.conn.close()
		}
	})
	return nil
}

// watch begins or ends to tell how streams change.
func (s *serving) watch(k kind, body []byte) error {
	x, err := read[watch](body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := s.watches[x.N]; was != nil {
		was.Stop()
		delete(s.watches, x.N)
	}
	if k == kindWatch {
		s.watches[x.N] = s.tap.Watch(tap.Interest{Events: x.Events, Heartbeats: x.Heartbeats})
	}
	return nil
}

// count tells the counters until ctx ends. The result is closed when it has stopped.
func (s *serving) count(ctx context.Context) <-chan struct{} {
	stopped := make(chan struct{})
	go func() { // ends with ctx
		defer close(stopped)
		t := time.NewTicker(Every)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if s.conn.send(kindChanges, s.changed()) != nil {
				s.conn.close()
				return
			}
		}
	}()
	return stopped
}

// changed is what has changed since it was asked last.
func (s *serving) changed() changes {
	c := changes{Started: s.started.Load(), Ended: s.ended.Load()}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[uint64]bool{}
	for _, w := range s.watches {
		for l := range w.Changed {
			if l.Over || seen[l.Seq] { // the end is told with the record
				continue
			}
			seen[l.Seq] = true
			c.Streams = append(c.Streams, glance{Seq: l.Seq, Events: l.Events, Contents: l.Contents,
				Heartbeats: l.Heartbeats, Bytes: l.Bytes, InBody: l.InBody, Upstream: l.Upstream})
		}
	}
	return c
}

// leave ends all streams and waits for them. It may be called twice.
func (s *serving) leave() error {
	if s.stop != nil {
		s.stop()
	}
	err := s.conn.close()
	if s.tap == nil {
		return err
	}
	s.jobs.Wait()
	return errors.Join(err, s.tap.Close())
}
