// Package sleep waits for parts of a millisecond without a thread of its own.
//
// [time.Sleep] ends up to 1 ms late where nothing else runs, since Go's poller counts in
// ms (epoll_wait(2)). A nanosleep(2) is exact, and dear: it blocks a thread in a system
// call, and the runtime's monitor then looks for such threads every 20 µs
// (runtime.sysmon), which was a fifth of what a run through the relay cost.
package sleep

import "time"

// A Sleeper sleeps for one goroutine. The zero value calls [time.Sleep].
type Sleeper struct{ timer *timer }

// New is a Sleeper. Where the system has no timer to give it is one that calls
// [time.Sleep]. Close it.
func New() *Sleeper { return &Sleeper{newTimer()} }

// Sleep returns after d, on Linux some tens of µs late. It cannot be interrupted.
func (s *Sleeper) Sleep(d time.Duration) {
	if d > 0 && !s.timer.sleep(d) {
		time.Sleep(d)
	}
}

// Close gives the timer back. A closed Sleeper still sleeps, as [time.Sleep] does.
func (s *Sleeper) Close() { s.timer.close() }
