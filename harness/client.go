package harness

import "time"

// A Client is how the clients of a scenario's victims behave. The zero Client
// reads as fast as it can, to the end, and asks once.
type Client struct {
	Abort     Abort     `yaml:"abort" value:"whole"`
	Read      Reading   `yaml:"read" value:"whole"`
	Reconnect Reconnect `yaml:"reconnect" value:"whole"`
	Retry     Retry     `yaml:"retry" value:"whole"`
}

// An Abort is a client that hangs up mid-stream; the first of both counts.
type Abort struct {
	AfterEvents int           `yaml:"after_events"` // 0 for never
	After       time.Duration `yaml:"after"`        // since the request was sent; 0 for never
}

// A Reading is how fast a client takes what arrives. What it leaves fills its
// receive buffer, then the sender's: backpressure.
type Reading struct {
	Rate   int `yaml:"rate" value:"size"`   // bytes per second; 0 for as fast as it can
	Buffer int `yaml:"buffer" value:"size"` // bytes of the receive buffer (SO_RCVBUF); 0 leaves the system's
}

// A Reconnect is a client that asks again when its stream ends without a
// terminal event, as an EventSource does: with the ID of the last event it has
// in Last-Event-ID. Each stream is a record of its own, with a new nonce, and
// names the one before it.
type Reconnect struct {
	Times int `yaml:"times"` // at most; 0 for never
	// Wait lies between the end and the new request; 0 means 100 ms. The server's
	// own retry field takes precedence.
	Wait time.Duration `yaml:"wait"`
	// Together makes all clients ask at the same moments, whole multiples of Wait
	// after the wave began: a herd.
	Together bool `yaml:"together"`
}

// A Retry is a client library that asks again when a request fails before its
// first event: never connected, no answer, status 408, 409, 429 or 500 and above,
// or cut. The nonce stays the same, so that a side effect done twice shows.
type Retry struct {
	Times int           `yaml:"times"` // at most; 0 for never
	Wait  time.Duration `yaml:"wait"`  // before the first one, and twice as long before each next; 0 means 500 ms
}

// Own reports whether c does anything but read to the end.
func (c Client) Own() bool { return c != Client{} }

// Rounds is how many streams a client may use.
func (c Client) Rounds() uint64 { return 1 + uint64(c.Reconnect.Times) + uint64(c.Retry.Times) }
