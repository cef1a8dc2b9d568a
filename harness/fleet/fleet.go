package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// Bounds on what a worker may take. They are far above what a busy machine needs, since
// a worker that is lost by mistake costs a run.
const (
	greetLimit = 20 * time.Second // from its start to being set up
	readyLimit = 30 * time.Second // to read a wave
	silence    = 15 * time.Second // between two messages while it sends
	stopLimit  = 20 * time.Second // to end its streams when the run is stopped
	clockLimit = 10 * time.Second // for all pings of one measurement
	// lead is how long before its beginning a wave is announced.
	lead = 200 * time.Millisecond
	// latest is how much later than that a share may begin: as late as a stream may
	// start that has a time of its own, see package load.
	latest = 10 * time.Millisecond
	// clockBound is how well the clocks must be known to be the same.
	clockBound = 10 * time.Millisecond
)

// Options are those of a fleet.
type Options struct {
	Version string
	Seed    uint64
	TLS     *TLS
	Now     func() time.Duration // the run's clock
	// Traced is when the run began, where each request is to carry a trace of its own, see
	// package traceparent; zero for none.
	Traced time.Time
	// Elsewhere says that the workers are on other machines: whether they can reach the app
	// is tried before each wave.
	Elsewhere bool
	// Begin and Done are told of every stream as package tap tells of its own.
	Begin, Done func(*record.Stream)
}

// traced is Traced as the wire has it.
func (o *Options) traced() int64 {
	if o.Traced.IsZero() {
		return 0
	}
	return o.Traced.UnixNano()
}

// A Member is a worker that can be spoken with.
type Member struct {
	Conn io.ReadWriteCloser // closing it ends the worker, and waits for that
	Pid  int                // on this machine; 0 elsewhere
	// Words are its last words, once Conn is closed; nil for none.
	Words func() string
}

// A Fleet is several workers. Its methods may be called by any goroutine; one wave is
// driven at a time.
type Fleet struct {
	o       Options
	members []*member
	readers sync.WaitGroup

	mu      sync.Mutex // guards what follows
	open    map[uint64]*flight
	watches []*Watch
	numbers int // of watches so far
}

// A flight is a stream that a worker has begun and not ended.
type flight struct {
	live  tap.Live
	begun []byte // its record as it began
	of    *member
}

// Muster makes a fleet of its members, whose order is that of their shares. What is
// wrong with one of them shows in [Fleet.Drive]. [Fleet.Close] must be called.
func Muster(ctx context.Context, o Options, members []Member) *Fleet {
	f := &Fleet{o: o, open: map[uint64]*flight{}}
	for i, m := range members {
		f.members = append(f.members, newMember(f, i, len(members), m))
	}
	for _, m := range f.members {
		f.readers.Go(m.listen) // ends when the connection does
	}
	f.each(func(m *member) { m.greet(ctx) })
	return f
}

// each calls do for all members at once and waits.
func (f *Fleet) each(do func(*member)) {
	var wg sync.WaitGroup
	for _, m := range f.members {
		wg.Go(func() { do(m) })
	}
	wg.Wait()
}

// Drive sends a wave and returns when all its streams are over, and what each worker came
// to. When ctx is cancelled the streams in flight end as [record.CancelledByEnd]. No
// worker begins before all are ready: a wave of which a share is missing would be another
// load.
func (f *Fleet) Drive(ctx context.Context, w Wave) (record.Wave, []record.LoadWorker, error) {
	asked, rec, err := w.asked()
	if err != nil {
		return rec, nil, fmt.Errorf("drive load: %w", err)
	}
	wave, err := w.bytes()
	if err != nil {
		return rec, nil, fmt.Errorf("drive load: %w", err)
	}
	var reach []place
	if f.o.Elsewhere {
		reach = w.places()
	}
	f.each(func(m *member) { m.prepare(ctx, &w, wave, reach) })
	rec.Asked, rec.Begin = asked, f.o.Now()
	if ctx.Err() == nil && f.ready() {
		rec.Begin = f.o.Now() + lead
		f.each(func(m *member) { m.drive(ctx, rec.Begin) })
		f.each(func(m *member) { m.settle(ctx) })
	}
	rec.End = f.o.Now()
	var came []record.LoadWorker
	for _, m := range f.members {
		x := m.came()
		if m.theirs.Err != "" && err == nil && x.State == record.LoadWorkerBroken {
			err = fmt.Errorf("drive load: %s: %s", x.Name(), m.theirs.Err)
		}
		rec.Started += x.Started
		rec.Clients += m.theirs.Clients
		rec.LateStarts += m.late()
		came = append(came, x)
	}
	if ctx.Err() != nil {
		came, err = interrupted(came), nil
	}
	return rec, came, err
}

// interrupted leaves out what is no fault of a worker whose run was stopped.
func interrupted(all []record.LoadWorker) []record.LoadWorker {
	return slices.DeleteFunc(all, func(x record.LoadWorker) bool { return x.State == "" })
}

// ready reports whether nothing is known against any member.
func (f *Fleet) ready() bool {
	for _, m := range f.members {
		if x := m.came(); x.State != "" {
			return false
		}
	}
	return true
}

// Live yields the streams in flight, in no order, as they were at their last change.
func (f *Fleet) Live(yield func(tap.Live) bool) {
	f.mu.Lock()
	all := make([]tap.Live, 0, len(f.open))
	for _, x := range f.open {
		all = append(all, x.live)
	}
	f.mu.Unlock()
	for _, l := range all {
		if !yield(l) {
			return
		}
	}
}

// Close sends the workers home and waits until they have gone.
func (f *Fleet) Close() error {
	errs := make([]error, len(f.members))
	f.each(func(m *member) { errs[m.index] = m.conn.close() })
	f.readers.Wait()
	return errors.Join(errs...)
}

// Pids are the processes of the workers that are on this machine.
func (f *Fleet) Pids() (pids []int) {
	for _, m := range f.members {
		if m.pid > 0 {
			pids = append(pids, m.pid)
		}
	}
	return pids
}

// A Watch tells which streams have changed, as a [tap.Watch] does, up to [Every] later.
type Watch struct {
	C <-chan struct{} // has a value when Changed has something to yield

	fleet   *Fleet
	asks    watch
	bell    chan struct{}
	changed []tap.Live // guarded by fleet.mu
}

// Watch begins to tell changes; the streams in flight come first, as they are known.
// [Watch.Stop] must be called.
func (f *Fleet) Watch(asks tap.Interest) *Watch {
	w := &Watch{fleet: f, bell: make(chan struct{}, 1)}
	w.C = w.bell
	f.mu.Lock()
	f.numbers++
	w.asks = watch{f.numbers, asks.Events, asks.Heartbeats}
	f.watches = append(f.watches, w)
	for _, x := range f.open {
		w.tell(x.live)
	}
	f.mu.Unlock()
	f.each(func(m *member) { m.send(kindWatch, w.asks) })
	return w
}

// Stop ends the telling. It may be called twice.
func (w *Watch) Stop() {
	f := w.fleet
	f.mu.Lock()
	had := len(f.watches)
	f.watches = slices.DeleteFunc(f.watches, func(x *Watch) bool { return x == w })
	told := len(f.watches) < had
	f.mu.Unlock()
	if told {
		f.each(func(m *member) { m.send(kindUnwatch, w.asks) })
	}
}

// Changed yields the streams that have changed since it was called last; one that has
// ended is Over.
func (w *Watch) Changed(yield func(tap.Live) bool) {
	w.fleet.mu.Lock()
	batch := w.changed
	w.changed = nil
	w.fleet.mu.Unlock()
	for _, l := range batch {
		if !yield(l) {
			return
		}
	}
}

// tell adds a stream. The fleet's mutex is held.
func (w *Watch) tell(l tap.Live) {
	w.changed = append(w.changed, l)
	select {
	case w.bell <- struct{}{}:
	default: // it has rung already
	}
}

// tell tells all watches. f.mu is held.
func (f *Fleet) tell(l tap.Live) {
	for _, w := range f.watches {
		w.tell(l)
	}
}

// begin takes in a stream that has begun. Watches hear of it before it counts as begun.
func (f *Fleet) begin(m *member, body []byte) error {
	s, err := record.ReadStream(body)
	if err != nil {
		return err
	}
	x := &flight{live: tap.Live{Seq: s.Seq, Scenario: s.Scenario, Group: s.Group}, begun: slices.Clone(body), of: m}
	f.mu.Lock()
	_, twice := f.open[s.Seq]
	f.open[s.Seq] = x
	f.tell(x.live)
	f.mu.Unlock()
	if twice {
		return fmt.Errorf("stream %d began twice", s.Seq)
	}
	f.o.Begin(s)
	return nil
}

// end takes in a stream that has ended.
func (f *Fleet) end(m *member, s *record.Stream) error {
	f.mu.Lock()
	x := f.open[s.Seq]
	if x == nil || x.of != m {
		f.mu.Unlock()
		return fmt.Errorf("stream %d ended and had not begun", s.Seq)
	}
	delete(f.open, s.Seq)
	l := x.live
	l.Over, l.InBody = true, s.Headers != record.Never
	l.Events, l.Contents, l.Heartbeats, l.Bytes = s.Frames, s.Contents, s.Heartbeats, s.Bytes
	f.tell(l)
	f.mu.Unlock()
	f.o.Done(s)
	return nil
}

// changes takes in how streams of a worker have changed.
func (f *Fleet) changes(c changes) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range c.Streams {
		x := f.open[g.Seq]
		if x == nil {
			continue // it has ended meanwhile
		}
		l := &x.live
		l.Events, l.Contents, l.Heartbeats = g.Events, g.Contents, g.Heartbeats
		l.Bytes, l.InBody, l.Upstream = g.Bytes, g.InBody, g.Upstream
		f.tell(*l)
	}
}

// lose ends the streams that a worker had begun and will not end, and returns how many
// they are.
func (f *Fleet) lose(m *member) int {
	var left [][]byte
	f.mu.Lock()
	for seq, x := range f.open {
		if x.of == m {
			left = append(left, x.begun)
			delete(f.open, seq)
			x.live.Over = true
			f.tell(x.live)
		}
	}
	f.mu.Unlock()
	for _, begun := range left {
		s, err := record.ReadStream(begun) // it could be read before
		if err != nil {
			continue
		}
		s.End, s.Limit = record.Never, record.CancelledByLoss
		if s.Wire.Where == "" {
			s.Wire.Where = record.BeforeConnect // as far as is known
		}
		f.o.Done(s)
	}
	return len(left)
}

// newReader buffers what comes.
func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 256<<10) }

// grown is b with n bytes.
func grown(b []byte, n int) []byte { return slices.Grow(b[:0], n)[:n] }
