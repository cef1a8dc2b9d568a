package tap_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// A spoken is one thing that a server says at a time.
type spoken struct {
	at   time.Duration
	text string
}

const second = time.Second

// TestLimitTimes runs in bubbles of virtual time, so that each limit's moment can be
// checked to the nanosecond.
func TestLimitTimes(t *testing.T) {
	limits := tap.Limits{Connect: 3 * second, Headers: 5 * second, First: 10 * second, Gap: 4 * second,
		Progress: 30 * second, Total: 60 * second, Linger: 2 * second}
	for _, c := range []struct {
		name  string
		dial  time.Duration // how long it takes
		says  []spoken
		abort time.Duration
		limit record.Limit
		end   time.Duration
		gap   time.Duration
	}{
		{name: "connect", dial: time.Hour, limit: record.ConnectLimit, end: 3 * second},
		{name: "headers", limit: record.HeadersLimit, end: 5 * second},
		{name: "headers, from the connection", dial: 2 * second, limit: record.HeadersLimit, end: 7 * second},
		{name: "first, from the request", dial: 2 * second, says: []spoken{{4 * second, chunkedHead}},
			limit: record.FirstLimit, end: 12 * second, gap: 8 * second},
		{name: "first, in spite of heartbeats",
			says: append([]spoken{{0, chunkedHead}}, every(second, 20, chunk(": ping\n\n"))...), limit: record.FirstLimit,
			end: 10 * second, gap: second},
		{name: "gap", says: []spoken{{0, chunkedHead}, {2 * second, chunk(event(1))}, {5 * second, chunk(event(2))}},
			limit: record.GapLimit, end: 9 * second, gap: 4 * second},
		{name: "gap, put off by heartbeats", says: append([]spoken{{0, chunkedHead + chunk(event(1))}},
			every(3*second, 5, chunk(": ping\n\n"))...),
			limit: record.GapLimit, end: 19 * second, gap: 4 * second},
		{name: "gap, put off by the bytes of an event", says: append([]spoken{{0, chunkedHead + chunk(event(1))}},
			every(second, 20, chunk("data: x\n"))...),
			limit: record.GapLimit, end: 24 * second, gap: 24 * second},
		{name: "progress, in spite of heartbeats", says: append([]spoken{{0, chunkedHead + chunk(event(1))}},
			every(second, 50, chunk(": ping\n\n"))...),
			limit: record.ProgressLimit, end: 30 * second, gap: second},
		{name: "gap, before the progress limit", says: append([]spoken{{0, chunkedHead}, {7 * second, chunk(event(1))}},
			every(10*second, 1, chunk("x"))...),
			limit: record.GapLimit, end: 14 * second, gap: 7 * second},
		{name: "progress, from the last content",
			says: append([]spoken{{0, chunkedHead}, {7 * second, chunk(event(1))}, {9 * second, chunk(event(1))}},
				from(10*second, every(3*second, 30, chunk("x")))...),
			limit: record.ProgressLimit, end: 39 * second, gap: 30 * second},
		{name: "total", says: append([]spoken{{0, chunkedHead}}, every(3*second, 30, chunk(event(1)))...),
			limit: record.TotalLimit, end: 60 * second, gap: 3 * second},
		{name: "linger", says: []spoken{{0, chunkedHead + chunk(event(1))}, {second, chunk(done)}}, end: 3 * second,
			gap: second},
		{name: "linger, in spite of heartbeats", says: append([]spoken{{0, chunkedHead + chunk(done)}},
			every(second, 20, chunk(": ping\n\n"))...), end: 2 * second},
		{name: "client abort", says: []spoken{{second, chunkedHead}}, abort: 3 * second, limit: record.CancelledByUs,
			end: 3 * second, gap: 2 * second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tap.Options{Mode: tap.Conn, Limits: limits})
				var speakers sync.WaitGroup
				defer speakers.Wait()
				tap.SetDial(r.Tap, speaker(&speakers, c.dial, c.says))
				d, ask := generic(t)
				got := r.get(tap.Job{URL: "http://speaker.invalid", Dialect: d, Ask: ask, Abort: tap.Abort{After: c.abort}})
				// A limit that struck waits a last millisecond for bytes that came before.
				if end := got.End.Truncate(10 * time.Millisecond); got.Limit != c.limit || end != c.end {
					t.Errorf("limit %q at %v, want %q at %v (%+v)", got.Limit, got.End, c.limit, c.end, got.Wire)
				}
				if gap := got.MaxGap.Truncate(10 * time.Millisecond); gap != c.gap {
					t.Errorf("largest gap %v, want %v", got.MaxGap, c.gap)
				}
				if lingers := c.limit == "" && got.Wire.Lingered >= 2*second; c.limit == "" && !lingers {
					t.Errorf("lingered %v, want 2s", got.Wire.Lingered)
				}
			})
		})
	}
}

func every(gap time.Duration, n int, text string) (all []spoken) {
	for i := range n {
		all = append(all, spoken{time.Duration(i+1) * gap, text})
	}
	return all
}

func from(start time.Duration, all []spoken) []spoken {
	for i := range all {
		all[i].at += start
	}
	return all
}

// speaker connects, after some time, to a server that reads the request and then
// says its lines at their times since the dial.
func speaker(
	wg *sync.WaitGroup, dial time.Duration, says []spoken,
) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		start := time.Now()
		select {
		case <-time.After(dial):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		client, server := net.Pipe()
		wg.Go(func() { // ends when the client hangs up
			defer server.Close()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err != nil {
				return
			}
			for _, s := range says {
				time.Sleep(time.Until(start.Add(s.at)))
				if _, err := io.WriteString(server, s.text); err != nil {
					return
				}
			}
			io.Copy(io.Discard, server)
		})
		return client, nil
	}
}
