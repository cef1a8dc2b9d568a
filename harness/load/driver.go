package load

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/streamproof/streamproof/harness/tap"
)

// A driver is one wave under way.
type driver struct {
	// ctx ends with the caller's, or with the first failure that is our own: the
	// streams that follow would fail in the same way.
	ctx    context.Context
	cancel context.CancelCauseFunc

	tap   *tap.Tap
	wave  Wave
	pace  *pacer
	batch *tap.Batch
	live  sync.WaitGroup // streams of the batch
	first Target         // of the share's first stream

	started, late atomic.Int64
	clients       atomic.Int64 // that began, where they may ask again
}

func newDriver(ctx context.Context, t *tap.Tap, w Wave) *driver {
	d := &driver{tap: t, wave: w}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	d.pace = newPacer(d.ctx, t.Now, &w)
	d.batch = t.Batch(d.ctx, d.job, d.over)
	return d
}

// attack runs Vegeta until the last stream is over. A worker of Vegeta only sends a
// stream off, and the pacer counts those under way; a client that may ask again keeps
// its worker.
func (d *driver) attack() {
	n := d.wave.Share.count(d.wave.Streams)
	switch {
	case d.wave.Streams == 0:
		n = MaxStreams()
	case n == 0 && d.wave.Rate == 0: // more shares than streams
		d.batch.Close()
		return
	}
	n = max(n, 1)
	workers, most := min(uint64(n), vegeta.DefaultWorkers), uint64(n)
	switch {
	case d.wave.Block == 0 || d.wave.Stages != nil:
		d.pace.slots = make(chan struct{}, n)
		if most = workers; d.wave.Block > 0 {
			workers, most = uint64(n), uint64(n)
		}
	case d.wave.Rate == 0:
		workers = most
	}
	a := vegeta.NewAttacker(vegeta.Workers(workers), vegeta.MaxWorkers(most), vegeta.MaxBody(0),
		// Last: the options before it expect Vegeta's own transport.
		vegeta.Client(&http.Client{Transport: d, CheckRedirect: noRedirect}))
	if d.tap.OnNetwork() { // elsewhere, time may be made up
		d.pace.alarm = newAlarm()
	}
	// Vegeta looks at its own clock only between streams, and would start one more
	// whenever a slot is freed after the end.
	stop := func() { a.Stop() }
	release := d.pace.onEnd(stop)
	for range a.Attack(d.target, d.pace, 0, "") {
		// Drained: the records are the tap's.
	}
	d.live.Wait()
	release()
	d.batch.Close()
	if d.pace.alarm != nil {
		d.pace.alarm.close()
	}
}

// noRedirect leaves redirects to the tap, which records them.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// target is Vegeta's targeter. The URL is a placeholder: only the transport
// knows the stream's number, and so its target.
func (d *driver) target(t *vegeta.Target) error {
	if d.pace.over() {
		return vegeta.ErrNoTargets
	}
	t.Method = d.wave.Method
	if t.Method == "" {
		t.Method = http.MethodGet
	}
	t.URL = "http://target.invalid/"
	t.Body = d.wave.Body
	t.Header = d.wave.Header
	return nil
}

// RoundTrip sends the stream off.
func (d *driver) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.wave.Block > 0 {
		return d.ask(r.WithContext(d.ctx))
	}
	d.live.Add(1)
	d.batch.Send(r)
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// over is told of each stream that has ended, or that could not begin.
func (d *driver) over(err error) {
	var end *tap.EndError
	if err != nil && !errors.As(err, &end) {
		d.cancel(err)
	} else {
		d.started.Add(1)
	}
	<-d.pace.slots
	d.live.Done()
}

// job tells the tap about the share's stream seq.
func (d *driver) job(seq uint64) tap.Job {
	j, _ := d.describe(d.pace.part.nth(seq))
	return j
}

// describe says what stream number seq of the wave is for, and what its client does then.
func (d *driver) describe(seq uint64) (tap.Job, Client) {
	w := &d.wave
	to := w.Assign(seq)
	if seq == d.pace.part.nth(0) {
		d.first = to
	}
	j := tap.Job{Scenario: w.Scenario, Group: to.Group, Hop: to.Hop, URL: to.URL, Dial: to.Dial, Lane: to.Lane,
		Header: to.Header, Foreign: to.Foreign, Dialect: w.Dialect, Ask: w.Ask, Abort: w.Abort, Limits: w.Limits,
		Follow: w.Follow, Read: to.Read}
	if w.First > 0 {
		j.Seq = w.First + seq
	}
	if n := uint64(len(w.Prompts)); n > 0 {
		j.Prompt = w.Prompts[(w.First+seq)%n]
	}
	j.Turn = w.Turn
	if w.Request != nil {
		j.Body = w.Request(seq).Body
	}
	if to.Abort != (tap.Abort{}) {
		j.Abort = to.Abort
	}
	if w.Rate == 0 {
		return j, to.Client
	}
	// Vegeta numbers streams in the order in which they start, which is the order
	// of their times.
	j.Sched = d.pace.due(seq)
	if j.Late = d.tap.Now()-j.Sched > d.pace.slack(); j.Late {
		d.late.Add(1)
	}
	return j, to.Client
}
