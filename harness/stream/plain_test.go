package stream

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

func TestTextDialect(t *testing.T) {
	const body = "grüße 🙂\n"
	digest := func(s string) string { return fmt.Sprintf("%X", sha256.Sum256([]byte(s))) }
	end := Ask{Sentinel: "\n[END]\n"}
	tests := []struct {
		name      string
		ask       Ask
		body      string
		state     State
		terminals int
		why       string
	}{
		{"sentinel", end, body + "\n[END]\n", Complete, 1, ""},
		{"sentinel twice", end, body + "\n[END]\n\n[END]\n", Complete, 2, ""},
		{"sentinel in the middle", end, "a\n[END]\nb", Prefix, 0, "does not end with the sentinel"},
		{"sentinel cut", end, body + "\n[EN", Prefix, 0, "does not end"},
		{"cut inside a character", end, "gr\xc3", CutFrame, 0, "1 bytes into"},
		{"empty", end, "", Empty, 0, ""},
		{"length", Ask{Length: int64(len(body))}, body, Complete, 1, ""},
		{"too short", Ask{Length: 99}, body, Prefix, 0, "bytes of the 99 declared"},
		{"too long", Ask{Length: 3}, body, Corrupt, 0, "of the 3 declared"},
		{"digest", Ask{SHA256: digest(body)}, body, Complete, 1, ""},
		{"digest of bytes that are no UTF-8", Ask{SHA256: digest("\xff\xc3")}, "\xff\xc3", Complete, 1, ""},
		{"digest does not hold", Ask{SHA256: digest(body)}, body[:4], Prefix, 0, "cut or altered"},
		{"whole but altered", Ask{SHA256: digest(body), Length: int64(len(body))}, "G" + body[1:], Corrupt, 0, "sha256 does not hold"},
		{"nothing declared", Ask{}, body, Prefix, 0, "nothing can prove"},
		{"not UTF-8", end, "ab\xffcd\n[END]\n", Corrupt, 1, "byte 2: not UTF-8"},
		{"broken character", end, "ab\xf0\x9fcd\n[END]\n", Corrupt, 1, "byte 2: not UTF-8"},
		{"second response", end, "text " + gunicorn26, Corrupt, 0, "byte 5: a second HTTP response"},
		{"second response after a false start", end, "HTTP/HTTP/1.1 5HTTP/1.0 502 Bad\r\nServer: x\r\n", Corrupt, 0, "byte 15:"},
		{"talk of HTTP", end, "It says HTTP/1.1 200 OK.\r\n Fine: so it does.\n[END]\n", Complete, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, "text", tt.ask, tt.body)
			if got.State != tt.state || got.Terminals != tt.terminals || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %+v, want %q, %d terminals, because %q", got.Summary, tt.state, tt.terminals, tt.why)
			}
			if got.Unprovable != (tt.ask == Ask{}) {
				t.Errorf("unprovable = %t", got.Unprovable)
			}
		})
	}
}

// A text that declares nothing is held against what the same question got before:
// equal is whole, a beginning is cut, and an answer anew proves nothing.
func TestTextReference(t *testing.T) {
	const ref = "grüße 🙂, all of it\n"
	for _, tt := range []struct {
		name       string
		ask        Ask
		body       string
		state      State
		unprovable bool
		why        string
	}{
		{"equal", Ask{Reference: ref}, ref, Complete, false, ""},
		{"a beginning", Ask{Reference: ref}, ref[:12], Prefix, false, "12 bytes of the 24 that the app answers"},
		{"nothing", Ask{Reference: ref}, "", Empty, false, ""},
		{"another answer", Ask{Reference: ref}, "grüße 🙂, some of it\n", Prefix, true, "something else"},
		{"a longer answer", Ask{Reference: ref}, ref + "more", Prefix, true, "something else"},
		{"a shorter answer that is no beginning", Ask{Reference: ref}, "grüße!", Prefix, true, "something else"},
		{"what is declared goes before", Ask{Reference: ref, Sentinel: "[END]"}, "anew[END]", Complete, false, ""},
	} {
		got := read(t, "text", tt.ask, tt.body)
		if got.State != tt.state || got.Unprovable != tt.unprovable || !strings.Contains(got.Why, tt.why) {
			t.Errorf("%s: got %+v, want %q, unprovable %t, because %q", tt.name, got.Summary, tt.state, tt.unprovable, tt.why)
		}
	}
}

// Kinds of text depend on the reads: the end is a terminal, unless its read also
// brings the first of the text.
func TestTextKinds(t *testing.T) {
	d, _ := Lookup("text")
	for _, tt := range []struct {
		pieces []string
		want   string
	}{
		{[]string{"ab", "cd", "[END]"}, "ccT"},
		{[]string{"ab", "cd[E", "ND]"}, "ccT"},
		{[]string{"ab", "cd[END]"}, "cT"},
		{[]string{"ab[END]"}, "c"},
		{[]string{"[END]"}, "T"},
		{[]string{"ab[END]", "cd"}, "cc"},
	} {
		got := listen(d, Ask{Sentinel: "[END]"}, tt.pieces...)
		if k := kinds(got.events); k != tt.want {
			t.Errorf("%q: kinds = %s, want %s", tt.pieces, k, tt.want)
		}
	}
}
