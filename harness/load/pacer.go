package load

import (
	"context"
	"math"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
)

// A pacer says when streams start. It is a vegeta.Pacer that does the waiting
// itself, because Vegeta's own sleep cannot be interrupted.
type pacer struct {
	ctx    context.Context
	now    func() time.Duration
	alarm  *alarm // for the last milliseconds of a wait; nil where time is not the machine's
	part   part   // numbers and counts below are those of the whole wave
	begin  time.Duration
	end    time.Duration // no stream starts after it; 0 for none
	total  int           // streams; 0 for no bound
	closed bool
	rate   float64 // streams a second; in a closed wave those of the ramp, 0 for at once
	ramp   time.Duration
	count  int // streams of the ramp, in a closed wave
	// slots holds one value for each stream under way, and has room for as many as may
	// be; nil where Vegeta's workers are the slots.
	slots chan struct{}
	// schedule is when each stream of an open wave is due, since begin; nil for rate.
	schedule []time.Duration
	// stages say how many streams may be under way in a closed wave, beginning with from.
	stages []arrivals.Stage
	from   float64
}

func newPacer(ctx context.Context, now func() time.Duration, w *Wave) *pacer {
	p := &pacer{ctx: ctx, now: now, part: w.part(), begin: w.At, total: w.Total, closed: w.Rate == 0, rate: w.Rate,
		ramp: w.Ramp, count: w.Streams}
	if p.begin == 0 {
		p.begin = now()
	}
	if w.Schedule != nil {
		p.schedule, p.total = w.Schedule, len(w.Schedule)
		return p
	}
	p.stages, p.from = w.Stages, w.Begin
	if w.Duration > 0 {
		p.end = p.begin + w.Duration
	} else if p.closed && p.total == 0 {
		p.total = w.Streams
	}
	return p
}

// asked is how many streams the share is meant to start, at least.
func (p *pacer) asked() int { return p.part.among(p.askedOfAll()) }

// askedOfAll is how many the whole wave is meant to start, at least.
func (p *pacer) askedOfAll() int {
	switch {
	case p.total > 0:
		return p.total
	case p.closed:
		return p.count
	}
	length := (p.end - p.begin).Seconds()
	grown := min(length, p.ramp.Seconds())
	n := p.rate * (length - grown)
	if grown > 0 {
		n += p.rate * grown * grown / (2 * p.ramp.Seconds())
	}
	return int(math.Ceil(n - 1e-9))
}

// latest is how late a stream may start that has a time of its own.
const latest = 10 * time.Millisecond

// slack is how late a stream of an open wave may start.
func (p *pacer) slack() time.Duration {
	switch {
	case p.closed:
		return 0
	case p.schedule != nil:
		return latest
	}
	return max(latest, time.Duration(float64(time.Second)/p.rate))
}

// due is when stream n starts at the soonest, as a run offset.
//
//	closed  stream n of the ramp's N at n/N of it; those after it at once
//	open    under the ramp the rate grows linearly, so that the streams started by
//	        time t are rate·t²/2·ramp, and stream n is due at √(2·ramp·n/rate)
func (p *pacer) due(n uint64) time.Duration {
	if p.schedule != nil {
		return p.begin + p.schedule[min(n, uint64(len(p.schedule)-1))]
	}
	k, ramp := float64(n), p.ramp.Seconds()
	var s float64
	switch grown := p.rate * ramp / 2; {
	case p.closed && n < uint64(p.count):
		s = ramp * k / float64(p.count)
	case p.closed:
		s = ramp
	case k < grown:
		s = math.Sqrt(2 * ramp * k / p.rate)
	default:
		s = ramp + (k-grown)/p.rate
	}
	return p.begin + time.Duration(s*float64(time.Second))
}

// Pace waits until the share's next stream is due, of which hits were sent. It
// implements vegeta.Pacer.
func (p *pacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	n := p.part.nth(hits)
	at := p.due(n)
	if p.total > 0 && n >= uint64(p.total) || p.end > 0 && at >= p.end || p.over() {
		return 0, true
	}
	p.wait(at)
	return 0, p.over() || !p.enter()
}

// alarmed is how long before its moment a start is left to the alarm, which nothing
// interrupts.
const alarmed = 5 * time.Millisecond

// wait waits until a moment of the run, or until the wave is cancelled.
func (p *pacer) wait(at time.Duration) {
	d := at - p.now()
	if p.alarm != nil {
		d -= alarmed
	}
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-p.ctx.Done():
			return
		}
	}
	if p.alarm == nil {
		return
	}
	if d = at - p.now(); d > 0 {
		p.alarm.wait(d)
	}
}

// enter waits for a slot, and reports false where the wave was over first.
func (p *pacer) enter() bool {
	switch {
	case p.slots == nil:
		return true
	case p.stages != nil:
		return p.room()
	}
	select {
	case p.slots <- struct{}{}:
		return true
	default:
	}
	var end <-chan time.Time
	if p.end > 0 {
		t := time.NewTimer(p.end + p.slack() - p.now())
		defer t.Stop()
		end = t.C
	}
	select {
	case p.slots <- struct{}{}:
		return !p.over()
	case <-end:
	case <-p.ctx.Done():
	}
	return false
}

// Rate implements vegeta.Pacer; only Vegeta's plots ask.
func (p *pacer) Rate(time.Duration) float64 { return p.rate }

// over reports that no stream may start any more. In an open wave those that were
// due before the end still may, as long as they are not late.
func (p *pacer) over() bool {
	return p.ctx.Err() != nil || p.end > 0 && p.now() >= p.end+p.slack()
}

// onEnd calls stop when the wave's time is up or its context ends. release
// waits until that cannot happen any more.
func (p *pacer) onEnd(stop func()) (release func()) {
	ctx, cancel := context.WithCancel(p.ctx)
	if p.end > 0 {
		cancel()
		ctx, cancel = context.WithTimeout(p.ctx, p.end+p.slack()-p.now())
	}
	finished := make(chan struct{})
	go func() { // ends by release at the latest
		defer close(finished)
		<-ctx.Done()
		stop()
	}()
	return func() { cancel(); <-finished }
}

// pause is how often a wave in stages looks whether it may start a stream.
const pause = time.Millisecond

// room waits until fewer streams are under way than the stages allow at the time, and
// reports false where the wave was over first. Where the number falls, streams go on to
// their ends and are not replaced. Only Pace takes slots, one at a time.
func (p *pacer) room() bool {
	t := time.NewTicker(pause)
	defer t.Stop()
	for len(p.slots) >= p.part.count(int(math.Round(arrivals.At(p.from, p.stages, p.now()-p.begin)))) {
		select {
		case <-t.C:
		case <-p.ctx.Done():
		}
		if p.over() {
			return false
		}
	}
	p.slots <- struct{}{}
	return !p.over()
}
