package stream

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

func TestCharsetOf(t *testing.T) {
	for contentType, want := range map[string]string{
		"":                                       "",
		"text/plain":                             "",
		"text/plain; charset=utf-8":              "",
		"text/plain;charset=\"UTF8\"":            "",
		"text/plain; charset=us-ascii":           "",
		"text/plain; charset=ISO-8859-1":         "iso-8859-1",
		"text/plain ; Charset = 'Shift_JIS' ;":   "shift_jis",
		"text/plain; format=flowed; charset=x":   "x",
		"text/plain; charset=":                   "",
		"text/plain; xcharset=latin1":            "",
		"text/plain; charset=utf-16;charset=x":   "utf-16",
		"charset=latin1":                         "",
		"text/plain; charset":                    "",
		"text/plain; charset=\"windows-1252\"; ": "windows-1252",
	} {
		if got := CharsetOf(contentType); got != want {
			t.Errorf("%q: %q, want %q", contentType, got, want)
		}
	}
}

// Text in a charset that is declared is not called corrupt, and is whole by what is
// declared of its end.
func TestTextInAnotherCharset(t *testing.T) {
	utf16 := func(s string, big bool) string {
		var b strings.Builder
		for _, r := range s {
			if unit := []byte{byte(r), byte(r >> 8)}; big {
				b.Write([]byte{unit[1], unit[0]})
			} else {
				b.Write(unit)
			}
		}
		return b.String()
	}
	const latin = "gr\xfc\xdfe, caf\xe9"
	end := func(charset string) Ask { return Ask{Charset: charset, Sentinel: "[END]"} }
	tests := []struct {
		name       string
		ask        Ask
		body       string
		state      State
		unprovable bool
		why        string
	}{
		{"Latin-1", end("iso-8859-1"), latin + "[END]", Complete, false, ""},
		{"Latin-1, cut", end("iso-8859-1"), latin, Prefix, false, `does not end with the sentinel "[END]"`},
		{"Latin-1 by length", Ask{Charset: "latin1", Length: int64(len(latin))}, latin, Complete, false, ""},
		{"Latin-1 by digest", Ask{Charset: "latin1", SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(latin)))}, latin,
			Complete, false, ""},
		{"Latin-1 by another answer", Ask{Charset: "latin1", Reference: latin}, latin, Complete, false, ""},
		{"Latin-1, nothing declared", Ask{Charset: "iso-8859-1"}, latin, Prefix, true, "neither sentinel"},
		{"a sentinel in Latin-1", Ask{Charset: "windows-1252", Sentinel: "fin·"}, "caf\xe9 fin\xb7", Complete, false, ""},
		{"a sentinel that is not in Latin-1", Ask{Charset: "iso-8859-1", Sentinel: "終"}, latin, Prefix, true,
			`the sentinel "終" was declared, and how iso-8859-1 writes it is not known`},
		{"Shift_JIS", end("shift_jis"), "\x93\xfa\x96\x7b[END]", Complete, false, ""},
		{"Shift_JIS, with a sentinel of its own", Ask{Charset: "shift_jis", Sentinel: "終"}, "\x93\xfa\x8f\x49", Prefix,
			true, "how shift_jis writes it"},
		{"UTF-16LE", end("utf-16le"), utf16("日本[END]", false), Complete, false, ""},
		{"UTF-16 with a mark", end("utf-16"), "\xfe\xff" + utf16("日本[END]", true), Complete, false, ""},
		{"UTF-16, cut", end("utf-16"), utf16("日本[EN", false), Prefix, false, `sentinel "[END]"`},
		{"UTF-32", end("utf-32"), "[\x00\x00\x00", Prefix, true, "how utf-32 writes it"},
		{"a second response", end("iso-8859-1"), latin + gunicorn26, Corrupt, false, "a second HTTP response"},
		{"none declared", end(""), latin + "[END]", Corrupt, false, "not UTF-8"},
	}
	for _, tt := range tests {
		d, _ := Lookup("text")
		var events listener
		events.r = d.Reader(tt.ask)
		dec := d.Decoder(Limits{}, tt.ask)
		for i := range tt.body {
			if err := dec.Push([]byte(tt.body[i:i+1]), &events); err != nil {
				t.Fatal(err)
			}
		}
		partial := dec.Close(&events)
		got := events.r.Close(partial)
		if got.State != tt.state || got.Unprovable != tt.unprovable || !strings.Contains(got.Why, tt.why) ||
			(tt.ask.Charset != "" && partial > 0) {
			t.Errorf("%s: %+v, partial %d; want %q, unprovable %t, because %q", tt.name, got, partial, tt.state,
				tt.unprovable, tt.why)
		}
	}
}

// Events and JSON are UTF-8, whatever a server declares.
func TestCharsetOfEventsAndLines(t *testing.T) {
	terminal, err := ParseTerminal("json .done == true")
	if err != nil {
		t.Fatal(err)
	}
	ask := Ask{Terminal: terminal, Charset: "iso-8859-1"}
	for dialect, body := range map[string]string{
		"sse-generic":    "data: {\"a\": \"caf\xe9\"}\n\ndata: {\"done\": true}\n\n",
		"ndjson-generic": "{\"a\": \"caf\xe9\"}\n{\"done\": true}\n",
		"ollama":         "{\"response\": \"caf\xe9\", \"done\": false}\n{\"response\": \"\", \"done\": true}\n",
	} {
		if got := read(t, dialect, ask, body); got.State != Corrupt || got.Fault != NotUTF8 {
			t.Errorf("%s: %+v, want not UTF-8", dialect, got.Summary)
		}
	}
}

// Recognition takes text in a charset for text.
func TestIdentifyTextInAnotherCharset(t *testing.T) {
	for media, unknown := range map[string]bool{
		"text/plain; charset=iso-8859-1": false, "text/plain; charset=utf-8": true, "text/plain": true,
		"application/octet-stream; charset=iso-8859-1": true,
	} {
		if g := Identify(media, []byte("gr\xfc\xdfe from caf\xe9s"))[0]; g.Unknown != unknown || g.Dialect != "text" {
			t.Errorf("%s: %+v, want unknown %t", media, g, unknown)
		}
	}
}
