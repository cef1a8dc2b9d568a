package fault

import (
	"reflect"
	"time"
)

// A Maker is a function that makes a fault on a link.
type Maker string

// The makers.
const (
	MadeLatency   Maker = "latency"
	MadeJitter    Maker = "jitter"
	MadeBandwidth Maker = "bandwidth"
	MadeStall     Maker = "stall"
	MadeSlowStart Maker = "slow-start"
	MadeSlowClose Maker = "slow-close"
	MadeSlices    Maker = "slices"
)

// A Making is how a fault on a link was made: the maker, and what it was told.
type Making struct {
	By    Maker
	Link  string
	Delay time.Duration // of latency, jitter, slow start and slow close

	Jitter, Gap, Hold time.Duration
	Rate, Size        int // KB/s; bytes
}

// Made says how f was made, so that it can be written down; false where none of the
// makers makes a fault like it.
func Made(f Fault) (m Making, ok bool) {
	var again Fault
	switch f := f.(type) {
	case Toxic:
		m.Link = f.Link
		ms := func(name string) time.Duration { return time.Duration(number(f.Toxic.Attr[name])) * time.Millisecond }
		switch m.By = Maker(f.Toxic.Name); m.By {
		case MadeLatency:
			m.Delay, m.Jitter = ms("latency"), ms("jitter")
			again = Latency(m.Link, m.Delay, m.Jitter)
		case MadeJitter:
			m.Delay = ms("latency")
			again = Jitter(m.Link, m.Delay)
		case MadeBandwidth:
			m.Rate, m.Gap = int(number(f.Toxic.Attr["rate"])), f.Gap
			again = Bandwidth(m.Link, m.Rate, m.Gap)
		case MadeStall:
			m.Hold = 2 * f.Gap
			again = Stall(m.Link, m.Hold)
		}
	case Weather:
		m.Link = f.Link
		ms := func(name string) time.Duration { return time.Duration(number(f.Toxic.Attr[name])) * time.Millisecond }
		var w Weather
		switch f.Toxic.Name {
		case "slow-start":
			m.By, m.Delay = MadeSlowStart, ms("latency")
			w = SlowStart(m.Link, m.Delay)
		case "slow-close":
			m.By, m.Delay = MadeSlowClose, ms("delay")
			w = SlowClose(m.Link, m.Delay)
		case "slicer":
			m.By, m.Size = MadeSlices, int(number(f.Toxic.Attr["average_size"]))
			w = Slices(m.Link, m.Size)
		}
		// Signs are functions, which cannot be compared; their words can.
		return m, w.What != "" && w.What == f.What && w.Sign.What == f.Sign.What && reflect.DeepEqual(w.Toxic, f.Toxic)
	}
	return m, again != nil && reflect.DeepEqual(again, f)
}

// Delayed is a fault on a link with another delay, in whole milliseconds as links keep it, and without jitter, behind
// which a short delay would not show; false where f delays nothing.
func Delayed(f Fault, d time.Duration) (Fault, bool) {
	m, ok := Made(f)
	if !ok {
		return f, false
	}
	d = max(d.Round(time.Millisecond), time.Millisecond)
	switch m.By {
	case MadeLatency:
		return Latency(m.Link, d, 0), true
	case MadeJitter:
		return Jitter(m.Link, d), true
	case MadeSlowStart:
		return SlowStart(m.Link, d), true
	case MadeSlowClose:
		return SlowClose(m.Link, d), true
	}
	return f, false
}

func number(x any) int64 {
	switch x := x.(type) {
	case int:
		return int64(x)
	case int64:
		return x
	}
	return 0
}
