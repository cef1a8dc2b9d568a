package tap

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
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
	via    carrier

	resp   response
	body   body
	events events

	began  time.Duration
	at     time.Duration // arrival of the last read
	floor  time.Duration // no byte of the next read can have come before it
	tail   time.Duration // when the framing ended the body and we began to look past it; Never
	linger time.Duration // arrival of the event that ought to be the last; Never
	halt   *halt         // set where we end it

	rec record.Stream

	// What other goroutines look at.
	news     chan struct{} // one value when the head is whole; closed at the end
	refused  error         // why it did not begin; set before news is closed
	cut      atomic.Pointer[record.Limit]
	started  atomic.Bool // via is to be told about a cut
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

// news about a flight that was fed.
type news uint8

const (
	goesOn  news = iota
	ended        // finish must be called
	encoded      // the body is compressed: the rest is to be fed away from other streams
)

// begin makes a new flight ready for its job.
func (f *flight) begin(job *Job, req *request) {
	f.job, f.req, f.abort = job, req, job.Abort
	f.pace = job.Read.pace()
	if job.Then != nil {
		f.after = &after{then: job.Then}
	}
	f.limits = f.tap.limitsOf(job)
	f.tail, f.linger = record.Never, record.Never
	f.resp.head = &head{words: &f.tap.words, toHEAD: req.method == http.MethodHead, length: -1}
	f.resp.limit = f.limits.Head
	f.began = f.tap.clock.now()
	f.floor = f.began
	f.beginRecord()
	req.name(f.rec.Seq, f.rec.Nonce)
	f.via = f.tap.carrierFor(req.secure, job.HTTP2)
}

func (f *flight) beginRecord() {
	rec, job := &f.rec, f.job
	rec.Seq, rec.Scenario, rec.Group, rec.Hop = f.tap.number(job.Seq), job.Scenario, job.Group, job.Hop
	if job.Ask.Nonce == "" {
		job.Ask.Nonce = Nonce(f.tap.opts.Seed, rec.Seq)
	}
	rec.Nonce = job.Ask.Nonce
	rec.Late, rec.After = job.Late, job.After
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
	f.rec.Connect, f.floor, f.rearm = now, now, true
}

// sent notes that the request is written.
func (f *flight) sent(now time.Duration) {
	f.req.sent()
	f.rec.Send, f.req, f.rearm = now, nil, true
}

// A reading is the circumstances of one read.
type reading struct {
	at  time.Duration // arrival of its last segment
	now time.Duration // when it was read
	// emptied says that the read left nothing in the socket, so that the next
	// bytes come later than now.
	emptied bool
}

// feed takes the bytes of one read. The rest that it returns is to be fed again
// with refeed, for the news encoded.
func (f *flight) feed(p []byte, r reading) (rest []byte, _ news) {
	f.rec.WireBytes += int64(len(p))
	f.stamp(r)
	return f.refeed(p)
}

// stamp begins a read.
func (f *flight) stamp(r reading) {
	f.rec.Reads++
	f.at = max(f.at, r.at)
	f.rec.Lag = max(f.rec.Lag, r.now-f.at)
	f.events.begin(f.at, f.floor)
	f.floor = f.at
	if r.emptied {
		f.floor = r.now
	}
}

// refeed decodes bytes of the read that feed was told of.
func (f *flight) refeed(p []byte) (rest []byte, _ news) {
	for len(p) > 0 && f.halt == nil {
		data, n, err := f.resp.next(p)
		if err != nil {
			f.stop(record.HeaderSize, err)
		}
		if p = p[n:]; len(data) > 0 {
			f.take(data)
		}
		if f.resp.head != nil && f.resp.inBody() {
			f.headWhole()
			if f.body.inflate != nil {
				return p, encoded
			}
		}
		if f.resp.broken && f.resp.gathered() {
			f.stop(record.NoLimit, nil)
		}
	}
	f.events.end(f.body.plain)
	f.publish()
	if f.resp.state == whole && f.halt == nil {
		f.bodyWhole()
	}
	if f.halt != nil || f.complete || f.resp.state == past {
		return nil, ended
	}
	return nil, goesOn
}

// headWhole takes over what the response head says.
func (f *flight) headWhole() {
	h := f.resp.head
	f.resp.head = nil
	f.beginBody(h)
	f.rec.Wire.Framing = h.Framing
}

// beginBody gets ready for the body of a response with head h.
func (f *flight) beginBody(h *head) {
	f.rec.Headers, f.rearm = f.at, true
	f.rec.Status, f.rec.Proto, f.rec.ContentType = h.Status, h.Proto, h.ContentType
	f.rec.Encoding, f.rec.Header = h.Encoding, h.kept()
	f.body.open(f, h)
	f.job = nil
	f.events.open(f.at)
	f.upstream = f.rec.Header[stack.ReplicaHeader]
	f.headed.Store(true)
	f.news <- struct{}{}
}

// take takes body bytes as the framing gave them.
func (f *flight) take(p []byte) {
	f.rec.Bytes += int64(len(p))
	if exceeds(f.rec.Bytes, f.limits.Body) {
		f.stop(record.BodySize, errors.New("read body: longer than the limit"))
		return
	}
	f.body.push(p, f)
}

// Frame takes one frame of the body; it makes f a [stream.Sink].
func (f *flight) Frame(fr *stream.Frame) {
	if f.halt != nil {
		return
	}
	ev := f.body.reader.Read(fr)
	if f.after != nil {
		f.after.see(fr)
	}
	if first := f.events.add(fr, ev, &f.rec); first {
		f.rearm = true
	}
	switch ev.Kind {
	case stream.Content:
		if f.abort.AfterEvents > 0 && f.rec.Contents >= f.abort.AfterEvents {
			f.stop(record.CancelledByUs, nil)
		}
		if f.rec.TerminalAt == record.Never && f.linger >= 0 {
			f.linger, f.rearm = record.Never, true // the error was not the last word
		}
	case stream.Terminal, stream.Error:
		if f.linger < 0 {
			f.linger, f.rearm = f.at, true
		}
	}
}

// stop ends the flight for a reason of our own; the first one counts.
func (f *flight) stop(limit record.Limit, reason error) {
	if f.halt == nil {
		f.halt = &halt{limit, reason}
	}
}

// bodyWhole decides whether to look past a body that its framing has ended.
func (f *flight) bodyWhole() {
	if f.rec.Wire.Framing == record.Length && f.rec.Frames > 0 && f.linger < 0 {
		f.tail, f.rearm = f.at, true
		return
	}
	f.complete = true
}

// publish shows the counts to other goroutines.
func (f *flight) publish() {
	f.counts.events.Store(int32(f.rec.Frames))
	f.counts.contents.Store(int32(f.rec.Contents))
	f.counts.heartbeats.Store(int32(f.rec.Heartbeats))
	f.counts.bytes.Store(f.rec.Bytes)
}

func (f *flight) glance() Live {
	l := Live{Seq: f.rec.Seq, Scenario: f.rec.Scenario, Group: f.rec.Group, InBody: f.headed.Load(),
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
