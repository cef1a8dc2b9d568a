package suggest

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"streams", "stream", "dialect", "cut", "control"}
	for got, want := range map[string]string{"steams": "streams", "Dialekt": "dialect", "cat": "cut", "contrl": "control",
		"stream": "stream", "zzzzzzzz": "", "": ""} {
		if near := Nearest(got, names); near != want {
			t.Errorf("%q: %q, want %q", got, near, want)
		}
	}
	if near := Nearest("wat", []string{"cat", "wit"}); near != "wit" {
		t.Errorf("of two that are as near, the one with the same first letter: %q", near)
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{{"", ""}: 0, {"", "abc"}: 3, {"abc", ""}: 3, {"kitten", "sitting"}: 3,
		{"ab", "ba"}: 2, {"same", "same"}: 0} {
		if d := distance(pair[0], pair[1]); d != want {
			t.Errorf("%q: %d, want %d", pair, d, want)
		}
	}
}
