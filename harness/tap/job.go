package tap

import (
	"net/http"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Job describes a stream before it starts.
type Job struct {
	// Seq is the stream's number in the run; 0 takes the next. A caller that
	// numbers some streams must number all.
	Seq      uint64
	Scenario string
	Group    record.Group
	Hop      string
	// URL replaces the request's; empty keeps it. Header is set over the
	// request's. Where a place of [Values] stands in the URL, a header or the body,
	// the stream's own value is sent.
	URL    string
	Header http.Header
	// Body replaces the request's; nil keeps it.
	Body []byte
	// Dial is the "host:port" to connect to; empty dials the URL's.
	Dial string
	// Prompt is the stream's own, for {prompt}.
	Prompt string
	// Foreign says that nothing of ours is on the way, so that the stream's number
	// is not sent.
	Foreign bool
	// Lane goes into the header stack.LaneHeader; empty leaves it out.
	Lane string
	// HTTP2 speaks HTTP/2 without asking: over TLS as the only ALPN offer, over
	// plain TCP with prior knowledge. Without it an https URL offers h2 and
	// HTTP/1.1.
	HTTP2 bool
	// Dialect reads the body; nil counts its bytes only.
	Dialect *stream.Dialect
	// Ask is what the dialect knows beforehand. An empty Ask.Nonce is filled
	// with [Nonce] of the run's seed and the stream's number.
	Ask stream.Ask
	// Sched is when the pacer meant the stream to start; 0 or less means when it
	// does start. Late says that it starts later than the load asked for.
	Sched  time.Duration
	Late   bool
	Abort  Abort
	Limits Limits
	Read   Reading
	// Follow says which redirects the stream follows; nil follows none.
	Follow *Follow
	// After is the stream that the same client had before, 0 for none.
	After uint64
	// Turn is the stream's place in a conversation; its zero value is none.
	Turn Turn
	// Then is told how the stream ended, before Options.Done is, by the goroutine
	// that waited for it. Nil is fine.
	Then func(Ended)
}

// values are what the request may say of the stream.
func (j *Job) values() Values {
	return Values{Nonce: j.Ask.Nonce, Seq: j.Seq, Prompt: j.Prompt, Turn: j.Turn}
}

// A Turn is a stream's place in a session, a conversation of several streams.
type Turn struct {
	Session uint64 // the number of its first stream; 0 keeps the record silent about it
	N, Of   int    // from 1
	// Answers are the texts of the turns before, as far as somebody asks for them, the
	// first one first.
	Answers []string
	// Say asks for the text of this answer, see [Ended.Text].
	Say bool
}

// An Ended is what a client needs to know to ask again. Stream must not be kept.
type Ended struct {
	Stream *record.Stream
	LastID string        // the SSE event ID in force at the last event
	Retry  time.Duration // as the server set it; 0 if it did not
	Text   string        // of the answer, where [Turn.Say] asks for it
}

// An Abort makes us hang up, as an impatient client does. The stream then ends
// with [record.CancelledByUs].
type Abort struct {
	AfterEvents int           // content events; 0 for never
	After       time.Duration // since the request was sent; 0 for never
}

// Limits bound one stream. A zero field takes the tap's, then the default; a
// negative one is no limit.
type Limits struct {
	Connect time.Duration // name lookup, TCP and TLS handshake: 10 s
	Headers time.Duration // from the connection to a whole response head: 60 s
	// First is how long the first content event may take from the request, whatever
	// else comes meanwhile: the head, heartbeats, a piece of an event. 60 s.
	First time.Duration
	// Gap is how long no byte may come, once the body has begun: 60 s.
	Gap time.Duration
	// Progress is how long no content event may come after one, whatever bytes come
	// meanwhile: heartbeats, or an event that is never completed. No limit, since an
	// answer that takes long looks the same until Total.
	Progress time.Duration
	Total    time.Duration // 15 min
	// Feed ends a stream that much after its request, as one that was read for as
	// long as asked; none by default.
	Feed time.Duration
	// Linger is how long to wait, after the terminal event, for the body or the
	// connection to end: 2 s. The stream then ends without a limit.
	Linger time.Duration

	Head     int   // bytes of status line, headers, trailers or a chunk header: 64 KiB
	Frame    int   // bytes of one frame: 16 MiB, since models send images in one
	Body     int64 // bytes of body: 1 GiB
	Inflated int64 // bytes of body after decompression: 256 MiB
}

// DefaultLimits hold where neither job nor tap says otherwise.
var DefaultLimits = Limits{
	Connect: 10 * time.Second, Headers: time.Minute, First: time.Minute, Gap: time.Minute,
	Progress: -1, Total: 15 * time.Minute, Linger: 2 * time.Second,
	Head: 64 << 10, Frame: 16 << 20, Body: 1 << 30, Inflated: 256 << 20,
}

// over returns l with its zero fields taken from m.
func (l Limits) over(m Limits) Limits {
	return Limits{
		Connect: or(l.Connect, m.Connect), Headers: or(l.Headers, m.Headers), First: or(l.First, m.First),
		Gap: or(l.Gap, m.Gap), Progress: or(l.Progress, m.Progress), Total: or(l.Total, m.Total), Feed: or(l.Feed, m.Feed),
		Linger: or(l.Linger, m.Linger),
		Head:   or(l.Head, m.Head), Frame: or(l.Frame, m.Frame), Body: or(l.Body, m.Body),
		Inflated: or(l.Inflated, m.Inflated),
	}
}

func or[T ~int | ~int64](a, b T) T {
	if a != 0 {
		return a
	}
	return b
}

// exceeds reports whether n is beyond limit, where a negative limit is none.
func exceeds[T ~int | ~int64](n, limit T) bool { return limit >= 0 && n > limit }
