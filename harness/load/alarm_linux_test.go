package load

import (
	"testing"
	"time"
)

// An alarm does not go off before its time, and can be set again.
func TestAlarm(t *testing.T) {
	a := newAlarm()
	if a == nil {
		t.Fatal("no alarm")
	}
	defer a.close()
	for _, d := range []time.Duration{time.Microsecond, 300 * time.Microsecond, 3 * time.Millisecond, 300 * time.Microsecond} {
		began := time.Now()
		if a.wait(d); time.Since(began) < d {
			t.Errorf("it went off after %v, not %v", time.Since(began), d)
		}
	}
}
