package tap

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/http1"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/traceparent"
)

// A flight is one stream in flight: its request, its decoders and its record.
// Only its carrier touches it, from start to finish, but for the fields that
// say otherwise.
type flight struct {
	tap    *Tap
	job    *Job    // nil once the response head is there
	limits *Limits // may be another flight's, too
	abort  Abort
	pace   *pace    // of a slow reader; nil for all others
	after  *after   // what its client needs to go on; nil for most
	req    *request // nil once it is written
	trail  *trail   // of redirects, until the head is whole or beyond where there were some
	via    carrier
	batch  *Batch // nil where somebody waits

	resp   http1.Decoder
	head   *head // nil once it is whole
	body   body
	events events

	began  time.Duration
	dialed time.Duration // when the present connection was begun
	stood  time.Duration // when it stood
	at     time.Duration // arrival of the last read
	fed    time.Duration // arrival of the last byte of body; Never
	floor  time.Duration // no byte of the next read can have come before it
	tail   time.Duration // when the framing ended the body and we began to look past it; Never
	linger time.Duration // arrival of the event that ought to be the last; Never
	halt   *halt         // set where we end it

	rec record.Stream

	// What other goroutines look at.
	news     chan struct{} // one value when the head is whole; closed at the end
	refused  error         // why it did not begin; set before news is closed
	cut      atomic.Pointer[record.Limit]
	started  atomic.Bool // via has it, and is to be told about a cut
	upstream string      // set before headed
	headed   atomic.Bool
	over     atomic.Bool
	reported atomic.Bool
	counts   counts

	poll     pollState            // of the event loop
	line     atomic.Pointer[line] // of a goroutine of its own; nil before
	complete bool                 // its framing has ended the body, and we looked past it long enough
	rearm    bool                 // a limit may now strike earlier than it was set for
}

// counts are what Live shows, published once a read.
type counts struct {
	events, contents, heartbeats atomic.Int32
	bytes                        atomic.Int64
}

// A halt says that we ended a flight, and why.
type halt struct {
	limit  record.Limit
	reason error
}

// begin makes a new flight ready for its job.
func (f *flight) begin(job *Job, req *request) {
	f.job, f.req, f.abort = job, req, job.Abort
	f.pace = job.Read.pace()
	if job.Then != nil {
		f.after = &after{then: job.Then}
		if job.Turn.Say && job.Dialect != nil {
			f.after.say = job.Dialect.Speech(job.Ask)
		}
	}
	f.limits = f.tap.limitsOf(job)
	f.fed, f.tail, f.linger = record.Never, record.Never, record.Never
	f.trail = job.Follow.begin(req)
	f.began = f.tap.clock.now()
	f.beginLeg(f.began)
	f.beginRecord()
	f.rec.AcceptEncoding = req.header.Get("Accept-Encoding")
	req.name(f.rec.Seq, f.rec.Nonce, f.job.Foreign)
	if of := f.tap.opts.Trace; of != nil {
		req.header.Set(traceparent.Header, of(f.rec.Nonce, f.rec.Seq))
	}
	f.via = f.tap.carrierFor(req.secure, job.HTTP2)
}

// beginLeg gets ready for the answer to f.req.
func (f *flight) beginLeg(now time.Duration) {
	f.head = newHead(&f.tap.words, f.req.method == http.MethodHead)
	f.resp = http1.NewResponse(&f.head.Head, f.limits.Head)
	f.dialed, f.floor = now, now
	f.poll = pollState{fd: -1, slot: -1, heap: -1}
}

func (f *flight) beginRecord() {
	rec, job := &f.rec, f.job
	rec.Seq, rec.Scenario, rec.Group, rec.Hop = job.Seq, job.Scenario, job.Group, job.Hop
	rec.Nonce = job.Ask.Nonce
	rec.Late, rec.After = job.Late, job.After
	if t := job.Turn; t.Session > 0 {
		rec.Session, rec.Turn, rec.Turns = t.Session, t.N, t.Of
	}
	if rec.Sched = job.Sched; job.Sched <= 0 {
		rec.Sched = f.began
	}
	for _, at := range []*time.Duration{&rec.Send, &rec.Connect, &rec.Headers, &rec.End,
		&rec.First, &rec.FirstAny, &rec.Last, &rec.TerminalAt, &rec.Wire.Lingered} {
		*at = record.Never
	}
	rec.Wire.Where = record.BeforeConnect
}

// connected notes that the connection stands.
func (f *flight) connected(now time.Duration) {
	f.rec.Connect, f.stood, f.floor, f.rearm = now, now, now, true
}

// sent notes that the request is written, and when the last write began: the answer
// may be there before that write returns, and what holds us up after it is not the app's.
func (f *flight) sent(now time.Duration) {
	f.req.sent()
	if f.rec.Send < 0 { // else it counts from the first request of a chain
		f.rec.Send = now
	}
	f.req, f.rearm = nil, true
}

// stop ends the flight for a reason of our own; the first one counts.
func (f *flight) stop(limit record.Limit, reason error) {
	if f.halt == nil {
		f.halt = &halt{limit, reason}
	}
}

// publish shows the counts to other goroutines, and tells who watches for them.
func (f *flight) publish() {
	events, heartbeats := f.counts.events.Load(), f.counts.heartbeats.Load()
	f.counts.events.Store(int32(f.rec.Frames))
	f.counts.contents.Store(int32(f.rec.Contents))
	f.counts.heartbeats.Store(int32(f.rec.Heartbeats))
	f.counts.bytes.Store(f.rec.Bytes)
	f.tellCounts(events, heartbeats)
}

func (f *flight) glance() Live {
	over := f.over.Load() // first: the counts of a stream that is over are its last
	l := Live{Seq: f.rec.Seq, Scenario: f.rec.Scenario, Group: f.rec.Group, InBody: f.headed.Load(), Over: over,
		Events: int(f.counts.events.Load()), Contents: int(f.counts.contents.Load()),
		Heartbeats: int(f.counts.heartbeats.Load()), Bytes: f.counts.bytes.Load()}
	if l.InBody {
		l.Upstream = f.upstream
	}
	return l
}

// hangUp ends the flight from any goroutine. The first reason counts. A carrier
// looks at cut by itself when it starts.
func (f *flight) hangUp(limit record.Limit) {
	if !f.over.Load() && f.cut.CompareAndSwap(nil, &limit) && f.started.Load() {
		f.via.wake(f)
	}
}

// wait sleeps until the flight is over.
func (f *flight) wait() {
	for range f.news {
	}
}

// report hands the record over, once. The flight must be over.
func (f *flight) report() {
	if !f.reported.CompareAndSwap(false, true) {
		return
	}
	if f.after != nil {
		f.after.tell(&f.rec)
	}
	if f.tap.opts.Done != nil {
		f.tap.opts.Done(&f.rec)
	}
	f.tap.leave(f)
}
