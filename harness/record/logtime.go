package record

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
)

// A lineClock turns the stamps of a log's lines into offsets from the run's start.
//
//  1. A stamp with a zone says when its line was written, within its unit.
//  2. One without is wrong by a whole number of quarter-hours. The whole file has
//     one zone: the one in which most of its lines are of the scenario's time, or
//     agree with the time at which they were seen to come. Of several such zones
//     it is this machine's, else UTC. Where there is none the lines are of
//     another time.
//  3. Whoever watched the file grow knows when a line came, which is the latest
//     time at which it can have been written, and the only time of a line
//     without a stamp.
type lineClock struct {
	start    time.Time
	from, to time.Duration // the scenario
}

// outside marks a line that is stamped before the run. It does not leave this
// package.
const outside = time.Duration(-2)

// Arrivals say when the lines of a log came: the first Lines[0] between From[0]
// and To[0], those up to Lines[1] between From[1] and To[1], and so on. Whole
// says that a growth was that of a full buffer: its lines may be older.
type Arrivals struct {
	From, To []time.Duration
	Lines    []int
	Whole    []bool
}

// of is the growth in which line n came; -1 if it was not seen.
func (a *Arrivals) of(n int) int {
	i, _ := slices.BinarySearch(a.Lines, n)
	if i == len(a.Lines) {
		return -1
	}
	return i
}

// between are the times between which line n was written, as far as its coming
// shows.
func (a *Arrivals) between(n int) (from, to time.Duration, ok bool) {
	i := a.of(n)
	if i < 0 {
		return Never, Never, false
	}
	from, to = a.From[i], a.To[i]
	if a.Whole[i] {
		if from = 0; i > 0 {
			from = a.From[i-1]
		}
	}
	return from, to, true
}

// stamp gives every line its time.
func (c *lineClock) stamp(l *Log, seen Arrivals) {
	stamps := make([]logline.Time, len(l.Lines))
	var own, collector logline.Stamper
	for i := range l.Lines {
		line := &l.Lines[i]
		stamps[i], _ = own.Stamp(line.Text)
		if t, ok := collector.Stamp(line.stamp); ok && (stamps[i].Unit == 0 || t.Unit < stamps[i].Unit) {
			stamps[i] = t
		} else {
			line.stamp = ""
		}
	}
	zone := c.zone(l.Lines, stamps, &seen)
	for i := range l.Lines {
		c.place(l, &l.Lines[i], stamps[i], zone, &seen)
	}
	c.continued(l)
}

// place gives one line its time.
func (c *lineClock) place(l *Log, line *Line, t logline.Time, zone time.Duration, seen *Arrivals) {
	from, to, came := seen.between(line.N)
	if t.Unit > 0 {
		if !t.Zoned {
			t = c.whole(t, zone)
		}
		line.At, line.Within = t.At.Sub(c.start), t.Unit
		if r, ok := logline.ParseAccess(l.Kind, line.Text); ok && r.Begun && r.Took > 0 && line.stamp == "" {
			line.At += r.Took // lines are written at the end of a request
		}
		switch {
		case line.At < -time.Second && came: // a time that the line speaks of
			line.At, line.Within = from, to-from
			return
		case line.At < -time.Second:
			line.At, line.Within = outside, 0
			return
		case line.At < 0: // a stamp in whole seconds, from the first second of the run
			line.At, line.Within = 0, line.At+line.Within
		}
		line.narrow(from, to, came)
		return
	}
	if came {
		line.At, line.Within = from, to-from
	}
}

// narrow puts the coming of a line beside its stamp. One that came much later says
// nothing: it lay in a buffer.
func (l *Line) narrow(from, to time.Duration, came bool) {
	if !came || to < l.At {
		return
	}
	lo, hi := max(l.At, from), min(l.At+l.Within, to)
	if lo <= hi {
		l.At, l.Within = lo, hi-lo
	}
}

// continued gives the lines of a traceback the time of the line above them.
func (c *lineClock) continued(of *Log) {
	last := Line{At: Never}
	for i := range of.Lines {
		l := &of.Lines[i]
		switch {
		case l.At != Never:
			last = *l
		// Lines of others may stand between those of one program in a shared file.
		case last.At >= 0 && (l.N == last.N+1 || of.shared && of.Lines[i-1].N == last.N) && indented(l.Text):
			l.At, l.Within = last.At, last.Within
			last.N = l.N
		}
	}
}

func indented(s string) bool { return strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\t") }

// whole adds what a stamp lacks: its zone, and the year or the date that put it
// nearest to the scenario.
func (c *lineClock) whole(t logline.Time, zone time.Duration) logline.Time {
	t.At = t.At.Add(-zone)
	about := c.start.Add(c.from).UTC()
	switch {
	case t.NoYear:
		t.At = nearest(about, t.At.AddDate(about.Year()-t.At.Year(), 0, 0), func(at time.Time, n int) time.Time {
			return at.AddDate(n, 0, 0)
		})
	case t.NoDate:
		day := time.Date(about.Year(), about.Month(), about.Day(), 0, 0, 0, 0, time.UTC)
		since := t.At.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
		t.At = nearest(about, day.Add(since), func(at time.Time, n int) time.Time { return at.AddDate(0, 0, n) })
	}
	t.Zoned = true
	return t
}

// nearest is at, or one step before or after it, whichever is nearest to about.
func nearest(about, at time.Time, step func(time.Time, int) time.Time) time.Time {
	best := at
	for _, n := range []int{-1, 1} {
		if x := step(at, n); x.Sub(about).Abs() < best.Sub(about).Abs() {
			best = x
		}
	}
	return best
}

// quarter is what all zones are a multiple of.
const quarter = 15 * time.Minute

// zone finds how far the clock of a file without zones is ahead of UTC.
func (c *lineClock) zone(lines []Line, stamps []logline.Time, seen *Arrivals) time.Duration {
	_, home := c.start.Zone()
	own := time.Duration(home) * time.Second
	var zones []time.Duration
	for z := -14 * time.Hour; z <= 14*time.Hour; z += quarter {
		zones = append(zones, z)
	}
	votes := map[time.Duration]int{}
	for i, t := range stamps {
		if t.Unit == 0 || t.Zoned {
			continue
		}
		from, to := c.from-aroundRun, c.to+aroundRun
		if a, b, ok := seen.between(lines[i].N); ok {
			from, to = a-time.Minute, b+aroundRun
		}
		for _, z := range zones {
			if at := c.whole(t, z).At.Sub(c.start); at+t.Unit >= from && at <= to {
				votes[z]++
			}
		}
	}
	return slices.MaxFunc(zones, func(a, b time.Duration) int {
		return cmp.Or(cmp.Compare(votes[a], votes[b]), cmp.Compare(preferred(a, own), preferred(b, own)))
	})
}

// preferred decides between zones that fit alike.
func preferred(z, own time.Duration) int {
	switch z {
	case own:
		return 2
	case 0:
		return 1
	}
	return 0
}
