package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// A Client is what the client of a stream does when the stream has ended. The
// zero Client is content with it.
//
//	ended ─┬─ whole, or we hung up ───────────────────────────▶ content
//	       ├─ failed before its first event ─▶ retry, same nonce
//	       └─ cut in its body ───────────────▶ reconnect, new nonce, Last-Event-ID
//
// In a session ([Sessions]) it goes on after a whole answer, and all this holds within a
// turn.
//
// Each attempt is a stream of its own that names the one before it. A client
// keeps its slot until it is content or gives up.
type Client struct {
	Retries int           // at most
	Backoff time.Duration // before the first retry, and twice as long before each next

	Reconnects int // at most
	// Wait lies between the end and the new request, unless the server has set a
	// reconnection time.
	Wait time.Duration
	// Together makes all clients reconnect at whole multiples of Wait after the
	// wave began.
	Together bool
}

// An asker is one client of a wave. It is the body of the response that Vegeta
// sees, and asks while that is read.
type asker struct {
	d   *driver
	ctx context.Context
	req *http.Request // the first; the others are like it
	seq uint64        // of the client in the wave

	client              Client
	job                 tap.Job // of the last stream
	last                *record.Stream
	lastID              string        // of all events so far
	retry               time.Duration // as the server set it last
	retries, reconnects int
	retrying            bool // the next stream is a retry

	// Of a session.
	header  http.Header   // of its first stream
	bodies  [][]byte      // of its turns; nil where all send the same
	due     time.Duration // when the next turn is
	turned  bool          // the next stream is another turn
	beyond  bool          // that would begin after the end of the wave
	resumed bool          // the last stream went on where the one before broke off
	said    string        // by the last answer, as far as it came
}

// ask makes r a client's first request.
func (d *driver) ask(r *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, err
	}
	a := &asker{d: d, ctx: r.Context(), req: r, seq: d.pace.part.nth(seq)}
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, ContentLength: -1, Body: a}, nil
}

// WriteTo carries the client's streams, one after the other. It writes nothing.
func (a *asker) WriteTo(io.Writer) (int64, error) {
	if a.d.pace.slots != nil { // the pacer counts clients, and not Vegeta's workers
		defer func() { <-a.d.pace.slots }()
	}
	a.d.clients.Add(1)
	for {
		if err := a.stream(); err != nil {
			return 0, err
		}
		wait, again := a.again()
		if !again || !a.sleep(wait) || a.turned && (a.beyond || a.d.pace.over()) {
			return 0, nil
		}
	}
}

// Read carries the streams and ends.
func (a *asker) Read([]byte) (int, error) {
	if _, err := a.WriteTo(nil); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// Close has nothing to do: no stream outlives WriteTo.
func (a *asker) Close() error { return nil }

// stream carries the next stream to its end. An error is our own, and ends the
// wave.
func (a *asker) stream() error {
	r, err := a.request()
	if err != nil {
		return err
	}
	job := a.next()
	resp, err := a.d.tap.RoundTripper(func(uint64) tap.Job { return job }).RoundTrip(r)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		err = errors.Join(err, resp.Body.Close())
	}
	var end *tap.EndError
	if err != nil && !errors.As(err, &end) {
		a.d.cancel(err)
		return err
	}
	a.d.started.Add(1)
	return nil
}

// request is the client's request once more.
func (a *asker) request() (*http.Request, error) {
	r := a.req.Clone(a.ctx)
	if a.req.GetBody == nil {
		return r, nil
	}
	body, err := a.req.GetBody()
	r.Body = body
	return r, err
}

// next describes the client's next stream.
func (a *asker) next() tap.Job {
	if a.last == nil {
		a.job, a.client = a.d.describe(a.seq)
		a.header = a.job.Header
		a.begin()
	} else {
		a.follow()
	}
	a.last = nil
	a.job.Then = func(e tap.Ended) {
		ended := *e.Stream // the record is handed on to others
		a.last, a.retry = &ended, e.Retry
		if e.LastID != "" {
			a.lastID = e.LastID
		}
		a.hear(e.Text)
	}
	return a.job
}

// follow makes the job of the last stream that of the next.
func (a *asker) follow() {
	j := &a.job
	if j.Seq > 0 {
		j.Seq += a.d.wave.Block
	}
	if a.turned {
		a.turn()
		return
	}
	j.After, j.Late, j.Sched = a.last.Seq, false, 0
	if a.retrying {
		j.Ask.Nonce = a.last.Nonce
		return
	}
	j.Ask.Nonce, a.resumed = "", a.lastID != ""
	if !a.resumed {
		return
	}
	if j.Header = j.Header.Clone(); j.Header == nil {
		j.Header = http.Header{}
	}
	j.Header.Set("Last-Event-ID", a.lastID)
	if n, err := strconv.ParseInt(a.lastID, 10, 64); err == nil {
		j.Ask.Resume = max(n, 0)
	}
}

// again decides whether the client asks once more, and after how long. A library
// asks again for what gave its caller nothing; an event source reconnects
// whatever cut it, but not after an answer that is an error (WHATWG HTML section
// 9.2.3).
func (a *asker) again() (wait time.Duration, again bool) {
	s, c := a.last, a.client
	switch {
	case s == nil, s.Limit.Cancelled(), s.Limit == record.FeedLimit, a.d.pace.over():
		return 0, false
	case a.talking():
		return a.think()
	case s.TerminalAt != record.Never:
		return 0, false
	case s.First == record.Never && a.retries < c.Retries && transient(s.Status):
		a.retries++
		a.retrying = true
		return c.Backoff << (a.retries - 1), true
	case a.reconnects < c.Reconnects && s.Status < http.StatusBadRequest:
		a.reconnects++
		a.retrying = false
		return a.pause(), true
	}
	return 0, false
}

// transient reports whether client libraries take a status for a passing
// failure, or 0 for none at all.
func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return status < http.StatusBadRequest || status >= http.StatusInternalServerError
}

// pause is the time until the client reconnects.
func (a *asker) pause() time.Duration {
	c := a.client
	switch {
	case c.Together && c.Wait > 0:
		since := a.d.tap.Now() - a.d.pace.begin
		return (since/c.Wait+1)*c.Wait - since
	case a.retry > 0:
		return a.retry
	}
	return c.Wait
}

// sleep reports false where the wave was cancelled meanwhile.
func (a *asker) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}
