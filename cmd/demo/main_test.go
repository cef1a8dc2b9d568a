package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// The whole point: one says success, the other says that every answer was cut.
func TestDemo(t *testing.T) {
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("STREAMPROOF_REQUIRE_NGINX") != "" {
			t.Fatal("nginx is required here and is not installed")
		}
		t.Skip("no nginx on this host: 'make setup' installs one")
	}
	var out, errs strings.Builder
	if code := run(t.Context(), &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	for _, want := range []string{
		`Success +\[ratio\] +100\.00%`, `Status Codes +\[code:count\] +200:20`,
		`20 of 20 streams silently`, `truncation laundered by the edge \(certain\)`,
		`(we killed pid \d+ of app\[0\]|was killed \(signal 9\))`, `proxy_http_version 1\.1`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 2*width+4 {
			t.Errorf("%d characters wide: %s", n, line)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, line := range []string{"", "short", strings.Repeat("word ", 40), strings.Repeat("ä", 200),
		"a " + strings.Repeat("long", 40) + " b"} {
		var joined strings.Builder
		for _, l := range wrap(line) {
			if utf8.RuneCountInString(l) > width {
				t.Errorf("%q is too wide", l)
			}
			joined.WriteString(l)
		}
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if bare(joined.String()) != bare(line) {
			t.Errorf("%q became %q", line, joined.String())
		}
	}
}
