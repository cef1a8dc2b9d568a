package record

import (
	"fmt"
	"time"
)

// A LoadWorker is what one of several processes that shared a wave came to. A run whose load
// came from one process has none.
type LoadWorker struct {
	Scenario string `cbor:"1,keyasint,omitempty"`
	Index    int    `cbor:"2,keyasint,omitempty"` // from 0, of Of
	Of       int    `cbor:"3,keyasint,omitempty"`
	Pid      int    `cbor:"4,keyasint,omitempty"` // on this machine; 0 elsewhere
	// At is when its state was known, about that wave. Began is when the wave was to
	// begin.
	At    time.Duration   `cbor:"5,keyasint,omitempty"`
	Began time.Duration   `cbor:"6,keyasint,omitempty"`
	State LoadWorkerState `cbor:"7,keyasint,omitempty"`
	// On is what it does not agree on, or what it did not do in time. Ours and Theirs are the
	// two sides of it, where they can be told.
	On     Agreement `cbor:"8,keyasint,omitempty"`
	Ours   string    `cbor:"9,keyasint,omitempty"`
	Theirs string    `cbor:"10,keyasint,omitempty"`
	// Started and Ended are the streams that it told us of, Unknown those that it had
	// started and never told the end of. Asked are those of its share.
	Asked   int `cbor:"11,keyasint,omitempty"`
	Started int `cbor:"12,keyasint,omitempty"`
	Ended   int `cbor:"13,keyasint,omitempty"`
	Unknown int `cbor:"14,keyasint,omitempty"`
	// Before and After are how its clock stood against the run's, before the wave and
	// after it.
	Before ClockOffset `cbor:"15,keyasint,omitempty"`
	After  ClockOffset `cbor:"16,keyasint,omitempty"`
	// Why are its own last words, or those of the connection.
	Why string `cbor:"17,keyasint,omitempty"`
}

// A ClockOffset is how far another process's clock is ahead of the run's, by the exchange
// of messages that took the shortest time there and back:
//
//	sent ──▶ theirs ──▶ received     Ahead = theirs − (sent + received)/2
//	                                 Within = (received − sent)/2
//
// The true offset is in [Ahead − Within, Ahead + Within], as in RFC 5905 section 8.
type ClockOffset struct {
	Known  bool          `cbor:"1,keyasint,omitempty"`
	At     time.Duration `cbor:"2,keyasint,omitempty"`
	Ahead  time.Duration `cbor:"3,keyasint,omitempty"`
	Within time.Duration `cbor:"4,keyasint,omitempty"`
}

// Bound is the most that a time of the other process may be off, by this measurement.
func (c ClockOffset) Bound() time.Duration { return max(c.Ahead, -c.Ahead) + c.Within }

// A LoadWorkerState is what became of one. The values stand in records and must stay.
type LoadWorkerState string

const (
	LoadWorkerDone      LoadWorkerState = "done"      // it sent its share and told all of it
	LoadWorkerLost      LoadWorkerState = "lost"      // it ended, or fell silent, before that
	LoadWorkerLate      LoadWorkerState = "late"      // it was not ready in time, or began after its time
	LoadWorkerDisagrees LoadWorkerState = "disagrees" // it is about something else than we
	LoadWorkerBroken    LoadWorkerState = "broken"    // it says that it could not send its share: Why
)

// An Agreement is something that a worker and we must be at one on.
type Agreement string

const (
	OnProtocol Agreement = "protocol" // of their messages
	OnVersion  Agreement = "version"  // of streamproof
	OnPlan     Agreement = "plan"     // its digest
	OnClock    Agreement = "clock"    // or how well it is known
	OnRoom     Agreement = "room"     // streams that it may hold at once
	OnReach    Agreement = "reach"    // it cannot connect to the app
	OnTLS      Agreement = "tls"      // it connects to the app, which it does not trust, or which refuses it
	OnStreams  Agreement = "streams"  // how many it started, and ended
	OnGreeting Agreement = "greeting" // it did not answer that in time
	OnReady    Agreement = "ready"    // it did not say in time that it was
	OnSilence  Agreement = "silence"  // it said nothing for too long
	OnStart    Agreement = "start"    // of its share of the wave
)

// Name is "load worker 2 of 4".
func (w *LoadWorker) Name() string { return LoadWorkerName(w.Index, w.Of) }

// LoadWorkerName names one by its index, from 0.
func LoadWorkerName(index, of int) string { return fmt.Sprintf("load worker %d of %d", index+1, of) }

// ClockBound is the most that its times may be off from the run's, by what was measured
// before and after; false where either is missing.
func (w *LoadWorker) ClockBound() (time.Duration, bool) {
	return max(w.Before.Bound(), w.After.Bound()), w.Before.Known && w.After.Known
}

// LoadWorker records what one process of several came to.
func (w *Writer) LoadWorker(x LoadWorker) { w.add(tagLoadWorker, x) }

// AppendStream appends a stream to b as the record holds it, for another process.
func AppendStream(b []byte, s *Stream) ([]byte, error) {
	body, err := encode.Marshal(pack(s))
	if err != nil {
		return b, fmt.Errorf("encode stream %d: %w", s.Seq, err)
	}
	return append(b, body...), nil
}

// ReadStream is the stream that [AppendStream] has written.
func ReadStream(b []byte) (*Stream, error) {
	var body streamBody
	if err := decode.Unmarshal(b, &body); err != nil {
		return nil, fmt.Errorf("read stream: %w", err)
	}
	s := body.unpack()
	return &s, nil
}
