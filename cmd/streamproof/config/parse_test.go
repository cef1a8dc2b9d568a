package config

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                         nil,
		"  a  b\tc\n":              {"a", "b", "c"},
		`a 'b c' "d e"`:            {"a", "b c", "d e"},
		`a '' ""`:                  {"a", "", ""},
		`a\ b 'c\d' "e\"f"`:        {"a b", `c\d`, `e"f`},
		`--x='y z'w`:               {"--x=y zw"},
		`python3 -c 'print("hi")'`: {"python3", "-c", `print("hi")`},
		`a --port {port} $PORT "${X:-y} z" $(b c)`: {"a", "--port", "{port}", "$PORT", "${X:-y} z", "$(b c)"},
	} {
		got, err := words(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", line, d)
		}
	}
	for _, line := range []string{`a 'b`, `a "b`, `'it's'`, "a | b", "a && b", "curl http://x/?a=1&b=2"} {
		if got, err := words(line); err == nil {
			t.Errorf("%q: no error, but %q", line, got)
		}
	}
}

func TestValuesAreRead(t *testing.T) {
	var d Duration
	var r Rate
	var z Size
	if err := errors.Join(d.Set("1m30s"), r.Set("90 / min"), z.Set("1.5KiB")); err != nil {
		t.Fatal(err)
	}
	if time.Duration(d) != 90*time.Second || r != 1.5 || z != 1536 {
		t.Errorf("read %v, %v, %v", time.Duration(d), float64(r), int64(z))
	}
}

// A value that is refused leaves what was there.
func TestBadValuesChangeNothing(t *testing.T) {
	d, r, z, c, p := Duration(time.Second), Rate(2), Size(3), Count(4), Port(5)
	for _, s := range []string{"", "x", "-1", "NaN", "1e99", "Inf", "1 2"} {
		for _, err := range []error{d.Set(s), r.Set(s), z.Set(s), c.Set(s), p.Set(s)} {
			var v *ValueError
			if !errors.As(err, &v) || v.Problem == "" || v.Fix == "" {
				t.Errorf("%q: no problem and fix in %v", s, err)
			}
		}
	}
	if d != Duration(time.Second) || r != 2 || z != 3 || c != 4 || p != 5 {
		t.Errorf("changed to %v %v %v %v %v", d, r, z, c, p)
	}
}
