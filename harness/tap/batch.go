package tap

import (
	"context"
	"net/http"

	"github.com/streamproof/streamproof/harness/record"
)

// A Batch is many streams that nobody waits for one by one: from its request to its
// end none of them needs a goroutine, or the stack of one, 4 KB a stream.
//
//	Send ──▶ launch, carrier … end ──▶ record ──▶ over
type Batch struct {
	tap  *Tap
	ctx  context.Context
	job  func(seq uint64) Job
	over func(error)
	stop func() bool // of the watch over ctx
}

// Batch returns a new one. job says what each stream is for, as in
// [Tap.RoundTripper]. Cancelling ctx ends the streams as [record.CancelledByEnd].
// over is called for each, by goroutines of their own, when it is recorded: with what
// [Tap.RoundTripper] would return as the error of the response or of its body. The
// batch must be closed, once all are over.
func (t *Tap) Batch(ctx context.Context, job func(seq uint64) Job, over func(error)) *Batch {
	b := &Batch{tap: t, ctx: ctx, job: job, over: over}
	b.stop = context.AfterFunc(ctx, b.hangUp)
	return b
}

// Send starts the stream of r, whose header becomes the batch's own. It returns at once.
func (b *Batch) Send(r *http.Request) {
	b.tap.launches.Go(func() { // ends when the carrier has the stream
		f := &flight{tap: b.tap, batch: b, news: make(chan struct{}, 1)}
		if err := b.tap.launch(f, r, b.job); err != nil {
			b.over(err)
		}
	})
}

// Close lets go of the context.
func (b *Batch) Close() { b.stop() }

// hangUp ends the streams of b. One that enters later looks at the context itself.
func (b *Batch) hangUp() {
	for _, f := range b.tap.inFlight() {
		if f.batch == b {
			f.hangUp(record.CancelledByEnd)
		}
	}
}

// conclude reports a flight of a batch.
func (f *flight) conclude() {
	f.wait()
	err := f.err()
	f.report()
	f.batch.over(err)
}
