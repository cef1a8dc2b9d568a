package traceparent

import (
	"regexp"
	"testing"
	"time"
)

func TestOf(t *testing.T) {
	run := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	first := Of(run, "a", 1)
	if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(first) {
		t.Errorf("%q", first)
	}
	if first != Of(run.In(time.FixedZone("x", 3600)), "a", 1) {
		t.Error("it depends on the zone")
	}
	again := Of(run, "a", 2)
	if again[:35] != first[:35] || again == first {
		t.Errorf("a client that asks again: %q after %q", again, first)
	}
	for _, other := range []string{Of(run, "b", 1), Of(run.Add(1), "a", 1)} {
		if other[:35] == first[:35] {
			t.Errorf("one trace for two streams: %q", other)
		}
	}
}
