// Package tap is the http.RoundTripper under the load generator. It owns the
// wire: it stamps the arrival of every event and sees how every stream ends.
//
//  1. A [Job] says what one stream is for, before it starts. The RoundTripper
//     of [Tap.RoundTripper] asks for it with the request's X-Vegeta-Seq.
//  2. The request is written on a connection of its own by a carrier: an epoll
//     event loop (Linux, plain HTTP/1.1), or a goroutine with a net.Conn (TLS,
//     HTTP/2, other systems). A caller of the RoundTripper sleeps meanwhile, first
//     in RoundTrip until the response head is whole, then in Body.WriteTo until the
//     stream has ended. Nobody sleeps for a stream of a [Batch].
//  3. The carrier feeds what it reads to the stream's flight: response decoder
//     (status, headers, framing), then inflater where the body is compressed,
//     then the dialect's frames and events, then the timeline. Nothing on this
//     way allocates per event, and the body is not kept.
//  4. However a stream ends, its [record.Stream] goes to Options.Done exactly
//     once for each that went to Options.Begin.
//
// # One connection per stream
//
// A reused connection hides how a stream ended: the FIN or RST behind a body
// belongs to the connection. So every stream dials, and asks in HTTP/1.1 without
// "Connection: close", because that header changes what is tested (servers and
// proxies frame the body differently after it). When the framing says that the
// body is whole we close the connection ourselves, and the record's Wire.Close
// is then [record.CloseNone]. Two looks are taken past the end: at what came in
// the same read, and, behind a Content-Length that was reached before the
// dialect saw its terminal event, at what comes within 200 ms, since such a
// length may simply be too short.
//
// # Time
//
// On Linux an arrival is the kernel's receive stamp (SO_TIMESTAMPNS) of the last
// segment that a read returned; elsewhere it is the time after the read.
// [Options.Clock] says which. Stamps are wall clock, and are moved to the run's
// monotonic clock by a difference that is sampled anew with every read, or batch of
// reads, so that a step of the wall clock does not move arrivals.
//
// A read that returns several segments knows the last one's stamp only. Its earlier
// frames are given bounds instead (record.Mark.Early): they came after the socket
// was last seen empty, which a loop looks for every 5 ms at least. How late our own
// reads were is in record.Stream.Lag.
package tap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A Mode says which carrier serves plain HTTP/1.1.
type Mode uint8

const (
	Auto Mode = iota // Loop where the system has it, else Conn
	Loop             // event loops: 64-bit Linux only
	Conn             // one goroutine per stream
)

// Options configure a [Tap]. The zero value works.
type Options struct {
	// Start is offset 0 of the run; zero means now. It must carry a monotonic
	// reading, as time.Now returns it.
	Start time.Time
	// Begin is called with every stream before it dials; it may read the record
	// until it returns. Done is called exactly once for each that began, with the
	// whole record, which the tap does not touch afterwards. Both are called from
	// many goroutines. Nil is fine.
	Begin, Done func(*record.Stream)
	// Mode chooses the carrier.
	Mode Mode
	// Dial connects the streams; nil is the machine's network. Where it is set, every
	// stream has a goroutine of its own (Conn), and its arrivals are the times of
	// reads.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Limits hold for every job that does not set its own.
	Limits Limits
	// Seed makes the nonces of streams, see [Nonce].
	Seed uint64
	// Trace is the trace that a stream's request carries, as package traceparent writes
	// it. Nil carries none.
	Trace func(nonce string, seq uint64) string
	// TLS is used for https URLs; nil means Go's defaults. ServerName and
	// NextProtos are filled in where they are empty.
	TLS *tls.Config
}

// stamped reports whether the kernel stamps what arrives.
func (o *Options) stamped() bool { return kernelStamps && o.Dial == nil }

// ErrClosed is the error of a RoundTripper whose tap was closed.
var ErrClosed = errors.New("start stream: tap is closed")

// A Tap carries streams and records them. It is safe for concurrent use.
type Tap struct {
	opts   Options
	clock  *clock
	seq    atomic.Uint64
	loops  []carrier // empty without event loops
	conns  carrier
	next   atomic.Uint64 // deals streams to the loops in turn
	words  words
	nonces nonces
	limits atomic.Pointer[Limits]                                            // of the last stream that began
	dial   func(ctx context.Context, network, addr string) (net.Conn, error) // of conns; tests replace it

	mu      sync.Mutex // guards what follows
	flights map[*flight]struct{}
	closed  bool

	watches atomic.Pointer[[]*Watch] // replaced under mu, read by carriers; nil for none

	shut     sync.Once // of the carriers
	shutErr  error
	launches sync.WaitGroup // goroutines that set streams up
	reported sync.WaitGroup // one for each begun stream until Done returned
}

// A carrier moves one stream's bytes between the network and its flight.
type carrier interface {
	// start takes f over. It returns at once; f.finish is called when f is over.
	start(f *flight)
	// wake makes the carrier look at f.cut.
	wake(f *flight)
	// close ends the carrier's own goroutines; all flights are over by then.
	close() error
}

// New returns a running tap. [Tap.Close] must be called.
func New(o Options) (*Tap, error) {
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	t := &Tap{opts: o, flights: map[*flight]struct{}{}, nonces: newNonces(o.Seed)}
	t.clock = newClock(o.Start, o.stamped())
	t.conns, t.dial = &conns{t: t}, o.Dial
	if o.Mode == Conn || o.Dial != nil {
		return t, nil
	}
	// The generator shares its machine with what it measures, and one loop reads
	// more than 100,000 events/s: half the cores are plenty.
	for range max(1, runtime.GOMAXPROCS(0)/2) {
		l, err := newLoop(t)
		if err != nil {
			if o.Mode == Auto && errors.Is(err, errors.ErrUnsupported) {
				return t, nil
			}
			return nil, errors.Join(fmt.Errorf("start event loop: %w", err), t.Close())
		}
		t.loops = append(t.loops, l)
	}
	return t, nil
}

// Now is the offset from the run's start.
func (t *Tap) Now() time.Duration { return t.clock.now() }

// OnNetwork reports whether the streams go over the machine's network, and time passes as
// it does there.
func (t *Tap) OnNetwork() bool { return t.opts.Dial == nil }

// At is the offset of a moment of the wall clock: of a server's stamp, or a log
// line's.
func (t *Tap) At(wall time.Time) time.Duration {
	now := time.Now()
	return now.Sub(t.opts.Start) - time.Duration(now.UnixNano()-wall.UnixNano())
}

// Clock names where the arrival stamps of a tap with these options come from.
func (o *Options) Clock() record.Clock {
	if o.stamped() {
		return record.KernelClock
	}
	return record.UserClock
}

// A Live is a stream in flight.
type Live struct {
	Seq        uint64
	Scenario   string
	Group      record.Group
	Events     int // of any kind
	Contents   int // content events
	Heartbeats int
	Bytes      int64  // of body
	InBody     bool   // its response head came
	Over       bool   // it has ended; only a [Watch] yields such
	Upstream   string // value of stack.ReplicaHeader; "" before the head
}

// Live yields the streams in flight, in no order. The counts are those after
// the last read of each stream.
func (t *Tap) Live(yield func(Live) bool) {
	for _, f := range t.inFlight() {
		if f.over.Load() {
			continue
		}
		if !yield(f.glance()) {
			return
		}
	}
}

// Stop ends all streams in flight at once, for the reason limit.
func (t *Tap) Stop(limit record.Limit) {
	for _, f := range t.inFlight() {
		f.hangUp(limit)
	}
}

func (t *Tap) inFlight() []*flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*flight, 0, len(t.flights))
	for f := range t.flights {
		all = append(all, f)
	}
	return all
}

// Close ends the streams in flight as [record.CancelledByEnd], waits until all
// are reported to Options.Done, and stops the carriers. It may be called twice.
func (t *Tap) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.Stop(record.CancelledByEnd)
	for _, f := range t.inFlight() {
		f.wait()
		f.report()
	}
	t.reported.Wait()
	t.launches.Wait()
	t.shut.Do(func() {
		var errs []error
		for _, l := range t.loops {
			errs = append(errs, l.close())
		}
		t.shutErr = errors.Join(append(errs, t.conns.close())...)
	})
	return t.shutErr
}

// enter counts f among those in flight.
func (t *Tap) enter(f *flight) error {
	t.mu.Lock()
	closed := t.closed
	if !closed {
		t.flights[f] = struct{}{}
		t.reported.Add(1)
	}
	t.mu.Unlock()
	if closed {
		return ErrClosed
	}
	f.tell()
	return nil
}

func (t *Tap) leave(f *flight) {
	t.mu.Lock()
	delete(t.flights, f)
	t.mu.Unlock()
	t.reported.Done()
}

// carrierFor chooses the carrier of a job.
func (t *Tap) carrierFor(secure, h2 bool) carrier {
	if secure || h2 || len(t.loops) == 0 {
		return t.conns
	}
	return t.loops[t.next.Add(1)%uint64(len(t.loops))]
}
