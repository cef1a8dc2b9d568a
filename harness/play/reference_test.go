package play

import (
	"errors"
	"testing"
)

// What streams are held against is what the app says alike, whole, or what it says
// in one piece; an app that answers anew has no reference.
func TestChooseReference(t *testing.T) {
	const text = "all of the answer "
	cut := answer{text: "all of", err: errors.New("unexpected EOF")}
	said := func(texts ...string) (all []answer) {
		for _, s := range texts {
			all = append(all, answer{text: s})
		}
		return all
	}
	for _, tt := range []struct {
		name            string
		streamed, plain []answer
		want            string
		alike, short    int
		isPlain         bool
	}{
		{"alike", said(text, text, text), nil, text, 3, 0, false},
		{"one is a beginning", said(text, "all of", text), nil, text, 2, 1, false},
		{"one broke off", append(said(text, text), cut), nil, text, 2, 1, false},
		{"two broke off", append(said(text), cut, cut), nil, "", 0, 2, false},
		{"anew", said("one", "two", "three"), nil, "", 0, 0, false},
		{"one anew", said(text, text, "none of the answer"), nil, "", 0, 0, false},
		{"empty", said("", "", ""), nil, "", 0, 0, false},
		{"in one piece", said(text, text, text), said(text, text), text, 3, 0, true},
		{"in one piece, with other white space", said(text, text, text), said("all of the answer\n", "all of the answer\n"),
			text, 3, 0, true},
		{"all streams end early", said("all of", "all of", "all of"), said(text, text), text, 0, 3, true},
		{"all streams break off", []answer{cut, cut, cut}, said(text, text), text, 0, 3, true},
		{"one piece says another thing", said(text, text, text), said("{}", "{}"), text, 3, 0, false},
		{"one piece is anew", said(text, text, text), said("a", "b"), text, 3, 0, false},
	} {
		got, ref := choose(tt.streamed, tt.plain)
		if got != tt.want || ref.Alike != tt.alike || ref.Short != tt.short || ref.Plain != tt.isPlain {
			t.Errorf("%s: %q, %+v", tt.name, got, ref)
		}
	}
}
