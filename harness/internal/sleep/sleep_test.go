package sleep_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/internal/sleep"
)

// TestSleep: it never ends early, in a row and after Close.
func TestSleep(t *testing.T) {
	s := sleep.New()
	defer s.Close()
	for i := range 200 {
		if i == 100 {
			s.Close()
		}
		d := time.Duration(i%7) * 50 * time.Microsecond
		began := time.Now()
		s.Sleep(d)
		if took := time.Since(began); took < d {
			t.Fatalf("sleep %d of %v took %v", i, d, took)
		}
	}
	s.Sleep(-time.Second)
	var zero sleep.Sleeper
	zero.Sleep(time.Microsecond)
	zero.Close()
}

// TestSleepAllocatesNothing: loops sleep thousands of times a second.
func TestSleepAllocatesNothing(t *testing.T) {
	s := sleep.New()
	defer s.Close()
	if n := testing.AllocsPerRun(100, func() { s.Sleep(time.Microsecond) }); n > 0 {
		t.Errorf("a sleep allocates %v times", n)
	}
}

// BenchmarkSleep tells how late a sleep of 250 µs ends, beside time.Sleep.
func BenchmarkSleep(b *testing.B) {
	s := sleep.New()
	defer s.Close()
	const d = 250 * time.Microsecond
	for _, each := range []struct {
		name  string
		sleep func(time.Duration)
	}{{"timerfd", s.Sleep}, {"time", time.Sleep}} {
		b.Run(each.name, func(b *testing.B) {
			began := time.Now()
			for b.Loop() {
				each.sleep(d)
			}
			b.ReportMetric(float64(time.Since(began)-time.Duration(b.N)*d)/float64(b.N)/1e3, "µs-late/op")
		})
	}
}
