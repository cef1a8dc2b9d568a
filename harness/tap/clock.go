package tap

import "time"

// A clock is the run's: monotonic offsets from its start, and the difference
// between them and the wall clock in which the kernel stamps packets. Each
// carrier has its own copy; sample and arrival are not for concurrent use.
type clock struct {
	start  time.Time
	kernel bool          // stamps come from the kernel
	diff   time.Duration // wall clock since the epoch minus run offset
	before time.Duration // diff before the last step
}

// step is the least jump of diff that counts as a step of the wall clock. NTP
// slews by at most 500 ppm, which is far less between two samples.
const step = time.Millisecond

func newClock(start time.Time, kernel bool) *clock {
	c := &clock{start: start, kernel: kernel}
	c.diff = c.measure()
	c.before = c.diff
	return c
}

func (c *clock) now() time.Duration { return time.Since(c.start) }

// measure reads both clocks. One reading of time.Now takes them one after the
// other; if we lose the CPU between the two the difference is off, so that three
// readings are taken and the one whose neighbours are closest is kept.
func (c *clock) measure() time.Duration {
	best, narrow := time.Duration(0), time.Duration(1<<62)
	for range 3 {
		from := c.now()
		at := time.Now()
		to := c.now()
		if to-from < narrow {
			narrow = to - from
			best = time.Duration(at.UnixNano()) - at.Sub(c.start)
		}
	}
	return best
}

// sample renews the difference. Called once for each batch of reads.
func (c *clock) sample() {
	at := time.Now()
	c.adopt(time.Duration(at.UnixNano())-at.Sub(c.start), c.measure)
}

// doubtful is how far a new difference may be from the last before it is measured
// with more care.
const doubtful = time.Microsecond

// adopt takes a new difference, and looks twice at one that is out of line.
func (c *clock) adopt(diff time.Duration, again func() time.Duration) {
	if d := diff - c.diff; d > doubtful || d < -doubtful {
		diff = again()
	}
	if d := diff - c.diff; d > step || d < -step {
		c.before = c.diff
	}
	c.diff = diff
}

// arrival turns a kernel stamp (ns since the epoch, 0 for none) into a run
// offset. Bytes cannot have come before floor, when the socket was last seen
// empty, nor after the read at now. A stamp outside is from the other side of a
// step of the wall clock: then the difference before the step is tried, and
// after that the time of the read stands in.
func (c *clock) arrival(stamp int64, floor, now time.Duration) time.Duration {
	if stamp == 0 {
		return now
	}
	for _, diff := range [2]time.Duration{c.diff, c.before} {
		// The kernel stamps a packet a little before the socket holds it, and may
		// do so between now and the read.
		if at := time.Duration(stamp) - diff; at >= floor-step && at <= now+step {
			return at
		}
	}
	return now
}
