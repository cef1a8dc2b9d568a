package verdict

import (
	"strings"
	"testing"
	"time"
)

// Numbers are for people: no exponent, no false precision.
func TestNumbersInWords(t *testing.T) {
	for x, want := range map[float64]string{0: "0 µs", 670e-6: "670 µs", 9996e-7: "1 ms", 0.9996: "1 s", 1.0504: "1.05 s",
		0.0031: "3.1 ms", 0.1234: "123 ms", 1050: "1050 s", 123456: "123456 s"} {
		if got := brief(x); got != want {
			t.Errorf("brief(%v) = %q, want %q", x, got, want)
		}
	}
	for d, want := range map[time.Duration]string{time.Hour: "3600s", 2500 * time.Millisecond: "2.5s", 3 * time.Microsecond: "0.000003s"} {
		if got := seconds(d); got != want || strings.Contains(got, "e") {
			t.Errorf("seconds(%v) = %q, want %q", d, got, want)
		}
	}
}
