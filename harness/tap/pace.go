package tap

import "time"

// A Reading makes a stream's client slow. What it does not take fills its
// receive buffer, and then the buffers of all who send: backpressure. The zero
// Reading takes everything at once.
//
// An event of a slow stream arrives when it is taken, not when its segment came:
// how long it lay in the socket is the client's own doing.
type Reading struct {
	Rate   int // bytes per second, framing included; 0 for as fast as can be
	Buffer int // bytes of SO_RCVBUF, which Linux doubles (socket(7)); 0 leaves the system's
}

// sip is how long lies between two reads of a slow client.
const sip = 20 * time.Millisecond

// A pace is the state of a slow client; nil is a quick one.
type pace struct {
	buffer int
	rate   float64       // bytes a second; 0 for no limit
	next   time.Duration // no read before it
}

func (r Reading) pace() *pace {
	if r == (Reading{}) {
		return nil
	}
	return &pace{buffer: r.Buffer, rate: float64(r.Rate)}
}

// slow reports whether reads are rationed.
func (p *pace) slow() bool { return p != nil && p.rate > 0 }

// ration is the part of buf that one read may fill.
func (p *pace) ration(buf []byte) []byte {
	n := max(1, int(p.rate*sip.Seconds()))
	return buf[:min(n, len(buf))]
}

// took is told of a read of n bytes: the next comes when they are used up.
func (p *pace) took(n int, now time.Duration) {
	p.next = now + time.Duration(float64(n)/p.rate*float64(time.Second))
}
