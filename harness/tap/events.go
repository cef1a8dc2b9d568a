package tap

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// events keeps the timeline of a stream and measures its silences.
//
// Frames that one read returned share the arrival of its last segment. Only the
// frame that ends with the read is known to have ended in that segment; one
// before it came somewhere between the time at which the socket was last seen
// empty and that arrival:
//
//	read k-1 │ ······ early ······ frame a │ frame b ······ at │
//	         └ floor                                           └ arrival of read k
type events struct {
	line      record.Timeline
	at, floor time.Duration // of the current read
	held      record.Mark   // the last frame of the current read so far
	holding   bool
	ends      int64 // where the held frame ends in the body

	last, progress time.Duration // since when there is silence, and no progress
	quiet          bool          // the terminal came: silence is no fault any more
}

// firstTimeline is the first size of a timeline: some thirty events.
const firstTimeline = 256

// slackBytes may follow a frame that still counts as the last of its read: the LF
// of a CRLF, which a decoder may take for the start of the next frame.
const slackBytes = 2

// open starts the clock of silence when the response head is there.
func (e *events) open(at time.Duration) { e.last, e.progress = at, at }

// begin starts a read. A frame still held was not the last thing in the read
// before.
func (e *events) begin(at, floor time.Duration) {
	if e.holding {
		e.flush(true)
	}
	e.at, e.floor = at, min(floor, at)
}

// end ends a read, after which the body is size bytes long.
func (e *events) end(size int64) {
	if e.holding {
		e.flush(size-e.ends > slackBytes)
	}
}

func (e *events) flush(early bool) {
	if early {
		e.held.Early = e.floor
	}
	e.line.Append(e.held)
	e.holding = false
}

// add takes one event and reports whether it is the first of its sort, which
// changes the limit that the stream is under.
func (e *events) add(fr *stream.Frame, ev stream.Event, rec *record.Stream) (first bool) {
	if e.holding {
		e.flush(true)
	} else if e.line.Bytes == nil {
		e.line.Bytes = make([]byte, 0, firstTimeline)
	}
	e.held = record.Mark{At: e.at, Early: e.at, Kind: ev.Kind, Seq: ev.Seq, Emit: ev.Emit, Size: fr.Size}
	e.holding, e.ends = true, fr.Offset+int64(fr.Size)
	first = e.count(ev, rec)
	e.silence(ev, rec)
	return first
}

// count brings the counters and first times of rec up to date.
func (e *events) count(ev stream.Event, rec *record.Stream) (first bool) {
	if rec.Frames++; rec.FirstAny < 0 {
		rec.FirstAny, first = e.at, true
	}
	rec.Last = e.at
	if ev.Emit != 0 {
		if rec.EmitFirst == 0 {
			rec.EmitFirst = ev.Emit
		}
		rec.EmitLast = ev.Emit
	}
	switch ev.Kind {
	case stream.Content:
		if rec.Contents++; rec.First < 0 {
			rec.First, first = e.at, true
		}
		if ev.Last && rec.TerminalAt < 0 {
			rec.TerminalAt = e.at
		}
	case stream.Heartbeat:
		rec.Heartbeats++
	case stream.Terminal:
		if rec.TerminalAt < 0 {
			rec.TerminalAt = e.at
		}
	}
	return first
}

// silence measures the gap that an event ends.
func (e *events) silence(ev stream.Event, rec *record.Stream) {
	if e.quiet {
		return
	}
	e.widen(rec, e.at)
	if ev.Kind == stream.Content || ev.Kind == stream.Terminal {
		rec.ProgressGap = max(rec.ProgressGap, e.at-e.progress)
		e.progress = e.at
	}
	e.quiet = ev.Kind == stream.Terminal || ev.Last
}

func (e *events) widen(rec *record.Stream, at time.Duration) {
	if gap := at - e.last; gap > rec.MaxGap {
		rec.MaxGap, rec.MaxGapAt = gap, e.last
	}
	e.last = at
}

// close ends the last silence at the end of the stream and fills in the record.
func (e *events) close(rec *record.Stream) {
	if e.holding {
		e.flush(false)
	}
	if rec.Headers >= 0 && !e.quiet {
		e.widen(rec, rec.End)
		rec.ProgressGap = max(rec.ProgressGap, rec.End-e.progress)
	}
	rec.Events, rec.Omitted = e.line.Bytes, e.line.Omitted
}
