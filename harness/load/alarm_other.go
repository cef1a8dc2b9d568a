//go:build !linux

package load

import "time"

// An alarm is for kernels that have better timers than Go's own.
type alarm struct{}

func newAlarm() *alarm { return nil }

func (*alarm) wait(time.Duration) {}
func (*alarm) close()             {}
