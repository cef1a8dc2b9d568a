// Package bynight leaves to make nightly what would be too long for make test.
package bynight

import (
	"flag"
	"testing"
)

// On is the flag -nightly.
var On = flag.Bool("nightly", false, "run what make test leaves to make nightly")

// Only leaves a test to make nightly and names what make test has of it.
func Only(t *testing.T, byDay string) {
	t.Helper()
	if !*On {
		t.Skip("make nightly runs it; by day: " + byDay)
	}
}
