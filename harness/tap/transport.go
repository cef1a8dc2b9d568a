package tap

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/streamproof/streamproof/harness/record"
)

// RoundTripper returns the transport of one wave of streams. It asks job what
// each stream is for, by the number in the request's X-Vegeta-Seq (0 without
// one). Cancelling a request's context ends its stream as
// [record.CancelledByEnd].
//
// The response's body gives no bytes: reading it, or WriteTo, sleeps until the
// stream has ended, and the error is an [*EndError] unless the body was whole.
// The response carries neither header fields (the record does), so that no client
// follows a redirect that the tap has not, nor its request: both would be held as
// long as the stream lasts. The body must be closed; closing it early hangs up.
func (t *Tap) RoundTripper(job func(seq uint64) Job) http.RoundTripper {
	return &transport{t, job}
}

type transport struct {
	tap *Tap
	job func(seq uint64) Job
}

// RoundTrip implements http.RoundTripper. An error that is no *EndError is our
// own: the stream did not begin.
//
// The setup needs a deep stack, the wait for the stream does not; and a stack
// that has grown is not soon given back. So it is done elsewhere, which saves a
// kilobyte a stream.
func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	f := &flight{tap: tr.tap, news: make(chan struct{}, 1)}
	tr.tap.launches.Go(func() { // ends when the carrier has the stream
		if err := tr.tap.launch(f, r, tr.job); err != nil {
			f.refused = err
			close(f.news)
		}
	})
	return f.response(r.Context())
}

// launch makes the request and starts the stream. An error means that it did not
// begin.
func (t *Tap) launch(f *flight, r *http.Request, what func(seq uint64) Job) error {
	n, err := vegetaSeq(r.Header)
	if err != nil {
		return err
	}
	r.Header.Del(seqHeader) // between the load generator and us
	job := what(n)
	t.name(&job)
	req, err := newRequest(r, &job)
	if err != nil {
		return err
	}
	f.begin(&job, req)
	if err := t.enter(f); err != nil {
		return err
	}
	if begin := t.opts.Begin; begin != nil {
		begin(&f.rec)
	}
	if f.batch != nil && f.batch.ctx.Err() != nil {
		f.hangUp(record.CancelledByEnd) // the carrier looks at that first
	}
	f.via.start(f)
	return nil
}

// number is the stream's own number, or the next.
func (t *Tap) number(own uint64) uint64 {
	if own != 0 {
		return own
	}
	return t.seq.Add(1)
}

// name gives a stream its number and its nonce.
func (t *Tap) name(job *Job) {
	job.Seq = t.number(job.Seq)
	if job.Ask.Nonce == "" {
		job.Ask.Nonce = t.nonces.of(job.Seq)
	}
}

// seqHeader is what Vegeta numbers requests with.
const seqHeader = "X-Vegeta-Seq"

func vegetaSeq(h http.Header) (uint64, error) {
	s := h.Get(seqHeader)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read X-Vegeta-Seq: %w", err)
	}
	return n, nil
}

// response sleeps until the head is whole.
func (f *flight) response(ctx context.Context) (*http.Response, error) {
	headed := false
	select {
	case _, headed = <-f.news:
	case <-ctx.Done():
		f.hangUp(record.CancelledByEnd)
		_, headed = <-f.news
	}
	if f.refused != nil {
		return nil, f.refused
	}
	if !headed {
		f.report()
		return nil, f.err()
	}
	// The carrier wrote these before it sent the news, and does not again.
	rec := &f.rec
	resp := &http.Response{ContentLength: -1, Body: &sleeper{f, ctx}, StatusCode: rec.Status, Proto: rec.Proto}
	if resp.Status = "200 OK"; rec.Status != http.StatusOK {
		resp.Status = strconv.Itoa(rec.Status) + " " + http.StatusText(rec.Status)
	}
	resp.ProtoMajor, resp.ProtoMinor, _ = http.ParseHTTPVersion(rec.Proto)
	return resp, nil
}

// A sleeper is the body that the HTTP client sees: it waits.
type sleeper struct {
	f   *flight
	ctx context.Context
}

// WriteTo sleeps until the stream has ended. It writes nothing.
func (s *sleeper) WriteTo(io.Writer) (int64, error) {
	select {
	case <-s.f.news:
	case <-s.ctx.Done():
		s.f.hangUp(record.CancelledByEnd)
		s.f.wait()
	}
	s.f.report()
	return 0, s.f.err()
}

// Read sleeps like WriteTo, then ends.
func (s *sleeper) Read([]byte) (int, error) {
	if _, err := s.WriteTo(nil); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// Close hangs up on a stream that has not ended.
func (s *sleeper) Close() error {
	s.f.hangUp(record.CancelledByEnd)
	s.f.wait()
	s.f.report()
	return nil
}
