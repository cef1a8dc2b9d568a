// Package load drives streams with Vegeta. It is the one home of that library.
//
//  1. A [Wave] says how many streams to start when, and what each is for.
//  2. [Drive] gives Vegeta one Attacker, a pacer and a transport that sends streams
//     off as a batch of the tap. Vegeta makes the requests, numbers them and keeps the
//     time; the pacer counts the streams under way, and what became of each is in the
//     tap's records.
//  3. It returns when every stream of the wave has ended and been recorded.
//
// Two models of load:
//
//	closed  Streams slots, each starting a new stream when its last has ended:
//	        a slow service gets fewer streams
//	open    Rate streams a second, come what may: a slow service gets more and
//	        more at once, as it does from the world
//
// An open load that could not be given is never passed over in silence: a stream
// that started late is counted and marked (see [Wave.Rate]).
package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// A Wave is a load of streams.
type Wave struct {
	Scenario string
	Method   string // "" is GET
	Body     []byte
	Header   http.Header
	// Streams is how many run at once in the closed model, and the most that may
	// in the open one, where 0 means [MaxStreams].
	Streams int
	// Rate is streams per second; 0 is the closed model. A stream of an open wave
	// is late if it starts more than 10 ms, or one period if that is longer, after
	// its time; one that had no worker until the wave was over counts as late and
	// does not start.
	Rate float64
	// Total ends the wave after so many streams, Duration after so long; the
	// streams in flight then run to their ends, under their limits. With neither,
	// a closed wave starts Streams streams and no more.
	Total    int
	Duration time.Duration
	// Ramp is how long the load takes to grow from nothing, linearly.
	Ramp time.Duration
	// Schedule says when each stream of an open wave starts, since the wave began, in
	// order; nil starts them at Rate. The wave ends with it.
	Schedule []time.Duration
	// Stages move the number of streams at a time of a closed wave, from Begin; Streams is
	// then the most of them, and Duration their length.
	Stages []arrivals.Stage
	Begin  float64 // streams at a time when the stages begin
	// Share is the part of the wave that is sent; the numbers of its streams, and all
	// that is said here of them, are those of the whole wave.
	Share Share
	// At is the run offset at which the wave begins, for several processes to begin
	// together; 0 is at once.
	At time.Duration
	// First is the number in the run of the wave's stream 0, and so on from there;
	// 0 lets the tap number them.
	First uint64
	// Block is how far apart the numbers of the streams of one client are; 0 lets
	// every client ask once, whatever its [Client] says.
	Block uint64
	// Assign says where stream number seq of the wave, from 0, goes. It is called
	// once for each, from many goroutines.
	Assign func(seq uint64) Target
	// Prompts are dealt out to the streams in turn, for the place {prompt} in their
	// requests.
	Prompts []string
	// Request is what stream number seq of the wave sends, where each has its own; nil
	// where all send Body. It is called from many goroutines.
	Request func(seq uint64) Request
	// Sessions makes each client one of several turns. Their numbers above are then those
	// of sessions, and Block must keep the streams of each apart.
	Sessions Sessions
	// Whole says of an ended stream whether its session may go on.
	Whole func(*record.Stream) bool
	// Turn is that of all streams of a wave without sessions, as if each was the first
	// one of a conversation; its zero value is none.
	Turn    tap.Turn
	Dialect *stream.Dialect
	Ask     stream.Ask
	Limits  tap.Limits
	Abort   tap.Abort
	Follow  *tap.Follow
}

// A Target is where one stream goes and what part it plays.
type Target struct {
	Group record.Group
	Hop   string
	URL   string
	Dial  string // see [tap.Job]
	Lane  string // see [tap.Job]
	// Foreign says that nothing of ours is on the way, see [tap.Job].
	Foreign bool
	Header  http.Header // set over the wave's
	Abort   tap.Abort   // instead of the wave's, where it is set
	Read    tap.Reading
	Client  Client
}

// GCPercent is what a program that holds thousands of streams should give to
// debug.SetGCPercent. Starting a stream leaves as much garbage as the stream then
// needs, and hardly any follows: with Go's 100 it stays resident for the whole
// run, a kilobyte a stream, and collecting it sooner costs a few milliseconds.
const GCPercent = 50

// check refuses a wave that cannot be driven.
func (w *Wave) check() error {
	switch most := MaxStreams(); {
	case w.Assign == nil:
		return errors.New("drive load: no targets")
	case !w.Share.valid():
		return fmt.Errorf("drive load: no share %d of %d", w.Share.Index, w.Share.Of)
	case w.Rate < 0:
		return fmt.Errorf("drive load: rate %g is negative", w.Rate)
	case w.Rate == 0 && w.Streams <= 0:
		return errors.New("drive load: zero streams")
	case w.Rate == 0 && w.Schedule != nil:
		return errors.New("drive load: a schedule without a rate")
	case w.Rate > 0 && w.Total <= 0 && w.Duration <= 0 && len(w.Schedule) == 0:
		return errors.New("drive load: a rate needs a duration or a total")
	case w.Sessions.Turns > 0 && (w.Block == 0 || w.First == 0 || w.Whole == nil):
		return errors.New("drive load: sessions without numbers, or without a judge of their answers")
	case w.Share.count(w.Streams) > most:
		return fmt.Errorf("drive load: %d streams need more file descriptors than allowed (at most %d streams)",
			w.Share.count(w.Streams), most)
	}
	return nil
}

// Drive sends the wave through t and returns when all its streams are over.
// When ctx is cancelled no more start and those in flight end at once, as
// [record.CancelledByEnd]; that is no error. An error means that the load could
// not be driven, and its streams are recorded all the same.
func Drive(ctx context.Context, t *tap.Tap, w Wave) (record.Wave, error) {
	if err := w.check(); err != nil {
		return record.Wave{}, err
	}
	d := newDriver(ctx, t, w)
	defer d.cancel(nil)
	rec := record.Wave{Scenario: w.Scenario, Asked: d.pace.asked(), InBodyAtFault: -1, Begin: d.pace.begin}
	d.attack()
	rec.End = t.Now()
	rec.Started, rec.LateStarts, rec.Clients = int(d.started.Load()), int(d.late.Load()), int(d.clients.Load())
	if w.Rate > 0 && d.ctx.Err() == nil {
		rec.LateStarts += max(0, rec.Asked-rec.Begun()) // too late to start at all
	}
	rec.Group, rec.Hop = d.first.Group, d.first.Hop
	if err := context.Cause(d.ctx); err != nil && ctx.Err() == nil {
		return rec, fmt.Errorf("drive load: %w", err)
	}
	return rec, nil
}

// Asked is how many streams a wave is meant to start, at least: all its shares together.
func Asked(w Wave) int {
	return newPacer(context.Background(), func() time.Duration { return 0 }, &w).askedOfAll()
}
