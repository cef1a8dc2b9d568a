//go:build !race

package harnesstest

import (
	"testing"
	"testing/synctest"
	"time"
)

// Slack is how much later than its time something may be on the clock of [InMemory].
const Slack = 0

// onClock runs f in a bubble, on a clock of its own.
func onClock(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins in the year 2000. The origin's stamps have as many digits as
		// today's Unix time in nanoseconds.
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		f(t)
	})
}
