// Package synth makes up runs for tests of what judges them: streams with
// consistent times, timelines and endings, without a socket.
//
//  1. A [Shape] says how one stream goes; its zero value with a Seq is an honest
//     stream of 20 events. [Shape.Stream] makes the record.
//  2. An [End] says how it ends, where not well.
//  3. A [Builder] collects streams, windows, events and log lines into a run.
package synth

import (
	"fmt"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// Started is the wall clock at offset 0 of every made-up run.
var Started = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

// A Shape is how one stream goes.
type Shape struct {
	Seq      uint64
	Scenario string       // "control" if empty
	Group    record.Group // Load if empty
	Hop      string       // "edge" if empty
	Worker   int          // pid, 0 for one that does not say

	Start  time.Duration
	Events int           // 20 if 0
	Gap    time.Duration // 50 ms if 0
	First  time.Duration // from request to first event, 5 ms if 0
	Net    time.Duration // from server to client, 200 µs if 0

	// PauseAfter and Pause make the server silent after an event.
	PauseAfter int
	Pause      time.Duration
	// HoldFrom and HoldFor hold on the way what arrives from then on.
	HoldFrom, HoldFor time.Duration
	// Burst delivers events in groups of this many; -1 delivers all at the end.
	Burst int
	// Mute leaves the server's stamps out.
	Mute bool

	// Keep is how many events arrive before End strikes; all if 0. Use
	// KeepNone for none.
	Keep int
	End  End
}

// KeepNone as a Shape's Keep lets no event through.
const KeepNone = -1

// An End changes how a stream ends. last is when its last event arrived.
type End func(s *record.Stream, last time.Duration)

// Stream makes the record.
func (sh Shape) Stream() record.Stream {
	sh = sh.defaults()
	s := record.Stream{Seq: sh.Seq, Scenario: sh.Scenario, Group: sh.Group, Hop: sh.Hop,
		Nonce: fmt.Sprintf("nonce-%d", sh.Seq),
		Sched: sh.Start, Connect: sh.Start + ms/4, Send: sh.Start + ms/2, Headers: sh.Start + 2*ms,
		First: record.Never, FirstAny: record.Never, Last: record.Never, TerminalAt: record.Never,
		Status: 200, Proto: "HTTP/1.1", ContentType: "text/event-stream", Header: map[string]string{},
		Wire: record.Wire{Framing: record.Chunked, Where: record.AtEnd, Lingered: record.Never}}
	if sh.Worker > 0 {
		s.Content.Worker = strconv.Itoa(sh.Worker)
	}
	last := sh.deliver(&s)
	if sh.End == nil {
		Whole(&s, last)
	} else {
		sh.End(&s, last)
	}
	if s.End != record.Never && s.Headers != record.Never {
		gap(&s, last, s.End)
	}
	return s
}

func (sh Shape) defaults() Shape {
	def := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	def(&sh.Gap, 50*ms)
	def(&sh.First, 5*ms)
	def(&sh.Net, ms/5)
	if sh.Events == 0 {
		sh.Events = 20
	}
	if sh.Keep == 0 {
		sh.Keep = sh.Events
	}
	if sh.Scenario == "" {
		sh.Scenario = "control"
	}
	if sh.Group == "" {
		sh.Group = record.Load
	}
	if sh.Hop == "" {
		sh.Hop = "edge"
	}
	return sh
}

// deliver writes the timeline and returns when its last event arrived.
func (sh Shape) deliver(s *record.Stream) time.Duration {
	var tl record.Timeline
	last := s.Headers
	for i := 1; i <= sh.Keep; i++ {
		at := max(sh.arrival(i), last)
		emit := Started.Add(sh.emission(i)).UnixNano()
		if sh.Mute {
			emit = 0
		}
		tl.Append(record.Mark{At: at, Early: at, Kind: stream.Content, Seq: int64(i), Emit: emit, Size: 100})
		if s.Contents++; s.Contents == 1 {
			s.First, s.FirstAny, s.EmitFirst = at, at, emit
			if sh.Burst < 0 {
				s.Headers = at // a full buffer holds the head back as well
				last = at
			}
		}
		s.EmitLast, s.Last = emit, at
		gap(s, last, at)
		last = at
	}
	s.Frames, s.Reads, s.Bytes = s.Contents, s.Contents, int64(100*s.Contents)
	s.Events = tl.Bytes
	s.Content.State = stream.Prefix
	if s.Contents == 0 {
		s.Content.State = stream.Empty
	}
	return last
}

// emission is when the server writes event i.
func (sh Shape) emission(i int) time.Duration {
	at := sh.Start + sh.First + time.Duration(i-1)*sh.Gap
	if sh.PauseAfter > 0 && i > sh.PauseAfter {
		at += sh.Pause
	}
	return at
}

func (sh Shape) arrival(i int) time.Duration {
	switch {
	case sh.Burst < 0:
		i = sh.Keep
	case sh.Burst > 1:
		i = min((i+sh.Burst-1)/sh.Burst*sh.Burst, sh.Keep)
	}
	at := sh.emission(i) + sh.Net
	if held := sh.HoldFrom + sh.HoldFor; sh.HoldFor > 0 && at >= sh.HoldFrom && at < held {
		at = held
	}
	return at
}

func gap(s *record.Stream, from, to time.Duration) {
	if to-from > s.MaxGap {
		s.MaxGap, s.MaxGapAt = to-from, from
	}
	s.ProgressGap = max(s.ProgressGap, to-from)
}
