package tap

import "time"

// timers is a heap of the flights of one loop, the soonest deadline first. A
// flight keeps its place in it, so that its entry can be moved or taken out; an
// event moves nothing (see flight.due).
type timers []*flight

// set puts f at its deadline, whether it is in the heap or not.
func (t *timers) set(f *flight, at time.Duration) {
	f.poll.due = at
	if f.poll.heap < 0 {
		f.poll.heap = int32(len(*t))
		*t = append(*t, f)
	}
	t.fix(int(f.poll.heap))
}

// remove takes f out.
func (t *timers) remove(f *flight) {
	i, last := int(f.poll.heap), len(*t)-1
	if i < 0 {
		return
	}
	t.swap(i, last)
	(*t)[last] = nil
	*t = (*t)[:last]
	f.poll.heap = -1
	if i < last {
		t.fix(i)
	}
}

// fix moves the flight at i to where its deadline belongs.
func (t timers) fix(i int) {
	for i > 0 && t.less(i, (i-1)/2) {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t); c++ {
			if t.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}

func (t timers) less(i, j int) bool { return t[i].poll.due < t[j].poll.due }

func (t timers) swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].poll.heap, t[j].poll.heap = int32(i), int32(j)
}

// A pollState is what an event loop keeps of a flight.
type pollState struct {
	fd     int32
	slot   int32 // in the loop's table; -1 before and after
	epoch  int32 // tells this flight from the one that had the slot before
	heap   int32 // place among the timers; -1 for none
	due    time.Duration
	more   bool // the socket may hold more than was read
	handed bool // it has a goroutine of its own now
}
