package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Trials are the answers that an edge is given, without their results.
var Trials = []record.EdgeTrial{
	{Framing: record.Chunked},
	{Framing: record.Chunked, End: record.CloseFIN},
	{Framing: record.Chunked, End: record.CloseRST},
	{Framing: record.CloseDelimited, End: record.CloseFIN},
	{Framing: record.CloseDelimited, End: record.CloseRST},
	{Framing: record.Length, End: record.CloseFIN},
}

// trialTime is what a trial takes.
const trialTime = origin.ProbeEvents * origin.ProbeGap

// limits bound a trial: three times what it takes.
var limits = tap.Limits{Connect: 2 * time.Second, Headers: 3 * trialTime, First: 3 * trialTime, Gap: 2 * trialTime,
	Total: 4 * trialTime, Linger: origin.ProbeGap}

// Edge sends all trials through the edge at the URL base, whose upstream must be
// a [origin.ProbeServer]. name is what the result calls the edge. It takes about as long as
// one trial.
func Edge(ctx context.Context, base, name string) (record.EdgeProbe, error) {
	p := record.EdgeProbe{Edge: name, Events: origin.ProbeEvents, Gap: origin.ProbeGap, Trials: slices.Clone(Trials)}
	streams, at, err := send(ctx, base)
	if err != nil {
		return p, fmt.Errorf("probe edge: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return p, fmt.Errorf("probe edge: %w", err)
	}
	for i := range p.Trials {
		s := streams[uint64(i+1)]
		if s == nil {
			return p, fmt.Errorf("probe edge: trial %q was not sent", &p.Trials[i])
		}
		if proto := s.Header[origin.ProbeHeader]; proto != "" {
			p.Upstream = proto
		}
		judge(&p.Trials[i], s, at)
	}
	if p.Upstream == "" {
		s := streams[1]
		return p, fmt.Errorf("probe edge: no answer of the probe origin came through %s (status %d %s)", base, s.Status,
			s.Wire.Err)
	}
	return p, nil
}

// send plays all trials at the same time and returns their records by number,
// from 1, and the clock that their times are on.
func send(ctx context.Context, base string) (map[uint64]*record.Stream, func(time.Time) time.Duration, error) {
	var mu sync.Mutex // guards streams
	streams := map[uint64]*record.Stream{}
	t, err := tap.New(tap.Options{Seed: rand.Uint64(), Limits: limits, Done: func(s *record.Stream) {
		mu.Lock()
		streams[s.Seq] = s
		mu.Unlock()
	}})
	if err != nil {
		return nil, nil, err
	}
	dialect, _ := stream.Lookup("origin")
	rt := t.RoundTripper(func(n uint64) tap.Job { return tap.Job{Seq: n, Dialect: &dialect} })
	errs := make([]error, len(Trials))
	var all sync.WaitGroup
	for i := range Trials {
		all.Go(func() { errs[i] = request(ctx, rt, base, i) })
	}
	all.Wait()
	return streams, t.At, errors.Join(append(errs, t.Close())...)
}

// request sends trial i and waits for its end. How it ended is for the record to
// say; the error is our own failure to send it.
func request(ctx context.Context, rt http.RoundTripper, base string, i int) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("read URL: %w", err)
	}
	q := u.Query()
	origin.AskProbe(q, Trials[i].Framing, Trials[i].End)
	u.RawQuery = q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-Vegeta-Seq", strconv.Itoa(i+1)) // the tap's join key
	resp, err := rt.RoundTrip(r)
	var ended *tap.EndError
	if errors.As(err, &ended) {
		return nil
	}
	if err != nil {
		return err
	}
	// The body gives no bytes: its Read sleeps until the stream has ended.
	resp.Body.Read(nil)
	return resp.Body.Close()
}

// judge fills in the result of a trial.
func judge(t *record.EdgeTrial, s *record.Stream, at func(time.Time) time.Duration) {
	g := verdict.GradeStream(s, record.Policy{})
	t.Fate, t.Events = fate(s, g), s.Contents
	t.Why = strings.TrimSpace(fmt.Sprintf("%s, %s; %d of %d events", framing(s), g.Ending, s.Contents, origin.ProbeEvents))
	if t.Fate == record.EdgeLaundered { // trials end between two events
		t.Extra = s.Partial
	}
	var delays []time.Duration
	for m := range s.Marks() {
		if m.Kind == stream.Content && m.Emit != 0 {
			delays = append(delays, max(0, m.At-at(time.Unix(0, m.Emit))))
		}
	}
	if len(delays) < origin.ProbeEvents-1 {
		return
	}
	slices.Sort(delays)
	t.Delay = delays[len(delays)/2].Round(time.Millisecond)
	live := !verdict.BufferingOf(s).Buffered()
	t.Live = &live
}

func framing(s *record.Stream) string {
	if s.Status == 0 {
		return "no response"
	}
	return fmt.Sprintf("status %d, %s body", s.Status, s.Wire.Framing)
}

// fate compares what was sent with what came.
func fate(s *record.Stream, g verdict.Grade) record.EdgeFate {
	whole := s.Wire.Where == record.AtEnd && s.Wire.Framing != record.CloseDelimited
	switch {
	case s.Limit != record.NoLimit && s.Status != 0:
		return record.EdgeHung
	case s.Status == 0:
		return record.EdgeNoAnswer
	case s.Status >= 400:
		return record.EdgeError
	case s.Wire.Garbage != "" || s.Wire.Spliced || g.Outcome == verdict.Corrupt:
		return record.EdgeAltered
	case g.Outcome == verdict.Complete:
		return record.EdgeWhole
	case whole:
		return record.EdgeLaundered
	case s.Wire.Framing == record.CloseDelimited && s.Wire.Close == record.CloseFIN:
		return record.EdgeSilent
	}
	return record.EdgeCut
}
