package plural

import "testing"

func TestOf(t *testing.T) {
	for n, want := range map[int]string{0: "0 streams", 1: "1 stream", 2: "2 streams", 999: "999 streams",
		1000: "1,000 streams", 1234567: "1,234,567 streams", -1: "-1 streams", -4321: "-4,321 streams"} {
		if got := Of(n, "stream"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if got := Of(2, "process") + ", " + Of(1, "process"); got != "2 processes, 1 process" {
		t.Error(got)
	}
}
