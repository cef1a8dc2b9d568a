package main

import (
	"strings"
	"testing"
)

// TestReport: one of 20 pairs may go wrong, on either side, and two may not.
func TestReport(t *testing.T) {
	for _, c := range []struct {
		worse []int
		good  bool
	}{{[]int{0, 20, 20}, true}, {[]int{1, 19, 19}, true}, {[]int{2, 20, 20}, false}, {[]int{0, 18, 20}, false}, {[]int{0, 20, 18}, false}} {
		var out strings.Builder
		if got := report(&out, 20, c.worse, nil, 0); got != c.good || strings.Contains(out.String(), "missed") == c.good {
			t.Errorf("%v: %v\n%s", c.worse, got, out.String())
		}
	}
}
