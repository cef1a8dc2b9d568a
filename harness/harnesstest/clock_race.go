//go:build race

package harnesstest

import (
	"testing"
	"time"
)

// Slack is how much later than its time something may be on the clock of [InMemory].
const Slack = time.Second

// onClock runs f on the clock of the machine. A bubble with the timers of a whole run
// in it crashes the race detector of Go 1.26 now and then (golang.org/issue/78156).
func onClock(t *testing.T, f func(t *testing.T)) { f(t) }
