package logline

import "testing"

// Two writings of one statement are one template, two statements are two.
func TestTemplate(t *testing.T) {
	for _, pair := range [][2]string{
		{"2026-11-25 07:56:02,250 giving up on request 17: quota of 'acme' used",
			"2026-11-25 07:57:12,001 giving up on request 4711: quota of 'umbrella' used"},
		{`{"time":"2026-11-25T07:56:02Z","level":"WARN","msg":"giving up","id":"a1b2"}`,
			`{"time":"2026-11-25T07:57:02Z","level":"WARN","msg":"giving up","id":"ffff"}`},
		{"[25/Nov/2026:07:56:02 +0000] 127.0.0.1:5000 sD-- 1/1/0", "[25/Nov/2026:07:56:03 +0000] 127.0.0.1:5001 sD-- 2/1/0"},
		{"worker 0x7f12ab stopped after 2.5s", "worker 0x7f99 stopped after 12ms"},
		{`unterminated "quote 1`, `unterminated "quote of another kind`},
	} {
		if a, b := Template(pair[0]), Template(pair[1]); a != b || a == "" {
			t.Errorf("%q and %q differ", a, b)
		}
	}
	for _, pair := range [][2]string{
		{"127.0.0.1:5000 sD-- 1/1/0", "127.0.0.1:5000 ---- 1/1/0"},
		{"request 1 finished", "request 1 aborted"},
		{`{"level":"INFO","msg":"done"}`, `{"level":"ERROR","msg":"done"}`},
	} {
		if Template(pair[0]) == Template(pair[1]) {
			t.Errorf("%q and %q are one: %q", pair[0], pair[1], Template(pair[0]))
		}
	}
}

func TestSaysFinished(t *testing.T) {
	for line, want := range map[string]bool{
		"request 17 finished": true, "stream end id=3": true, "Completed 200 OK in 5ms": true, "answer done, 20 events": true,
		"request 17 not finished": false, "Application startup complete.": false, "failed to complete": false,
		"client disconnected before done": false, "starting": false, "abandoned": false,
	} {
		if got := SaysFinished(line); got != want {
			t.Errorf("SaysFinished(%q) = %v", line, got)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`a "b`)
	f.Add(`{"msg":"x\"y"}`)
	f.Fuzz(func(t *testing.T, line string) { Template(line) })
}
