package stream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A shot is a frame as a test sees it.
type shot struct {
	Data, Name, ID, Junk string
	Comment              bool
	Offset               int64
	Size                 int
}

// A camera collects frames. It poisons nothing: the copies are its own.
type camera struct{ shots []shot }

func (c *camera) Frame(f *Frame) {
	c.shots = append(c.shots, shot{string(f.Data), string(f.Name), string(f.ID), string(f.Junk), f.Comment, f.Offset, f.Size})
}

// A take is all that a decoder says about one body.
type take struct {
	shots   []shot
	partial int
	err     error
}

// decode pushes the pieces. Each is pushed out of one scratch slice that is
// overwritten afterwards, so that a decoder that keeps a reference is caught.
func decode(f Format, l Limits, pieces ...string) take {
	var cam camera
	d := f.New(l)
	var t take
	for _, piece := range pieces {
		scratch := []byte(piece)
		err := d.Push(scratch, &cam)
		for i := range scratch {
			scratch[i] = '#'
		}
		if err != nil {
			t.err = err
			break
		}
	}
	t.partial = d.Close(&cam)
	t.shots = cam.shots
	return t
}

func (t take) String() string {
	return fmt.Sprintf("%+v partial=%d err=%v", t.shots, t.partial, t.err)
}

// splits yields body in every cut into two, byte by byte, and in random cuts.
func splits(body string, yield func([]string)) {
	for i := 1; i < len(body); i++ {
		yield([]string{body[:i], body[i:]})
	}
	yield(strings.Split(body, ""))
	for seed := range uint64(8) {
		yield(cut(body, rand.New(rand.NewPCG(seed, 1))))
	}
}

// cut cuts body at random, with empty pieces among the rest.
func cut(body string, r *rand.Rand) (pieces []string) {
	for len(body) > 0 {
		n := min(r.IntN(9), len(body))
		pieces = append(pieces, body[:n])
		body = body[n:]
	}
	return pieces
}

// same checks that every split of body gives what the whole gives.
func same(t *testing.T, f Format, l Limits, body string) take {
	t.Helper()
	want := decode(f, l, body)
	splits(body, func(pieces []string) {
		if got := decode(f, l, pieces...); got.String() != want.String() {
			t.Fatalf("%s: %q\ngot  %v\nwant %v", f.Name, pieces, got, want)
		}
	})
	return want
}

// brief writes events as type|id|data and comments as :text.
func brief(shots []shot) string {
	var b strings.Builder
	for i, s := range shots {
		if i > 0 {
			b.WriteString(" ; ")
		}
		switch {
		case s.Comment && s.Junk != "":
			fmt.Fprintf(&b, "junk %q", s.Junk)
		case s.Comment:
			fmt.Fprintf(&b, ":%s", s.Data)
		default:
			fmt.Fprintf(&b, "%s|%s|%q", s.Name, s.ID, s.Data)
		}
	}
	return b.String()
}

func TestSSE(t *testing.T) {
	tests := []struct{ name, body, want string }{
		// The examples of WHATWG HTML section 9.2.6.
		{"stock ticker", "data: YHOO\ndata: +2\ndata: 10\n\n", `||"YHOO\n+2\n10" partial 0`},
		{"four blocks", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			`:test stream ; |1|"first event" ; ||"second event" ; ||" third event" partial 0`},
		{"two events, one unfinished", "data\n\ndata\ndata\n\ndata:", `||"" ; ||"\n" partial 5`},
		{"space after colon", "data:test\n\ndata: test\n\n", `||"test" ; ||"test" partial 0`},
		{"named", "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n", `add||"73857293" ; remove||"2153" partial 0`},

		{"CR", "data: a\r\rdata: b\r\r", `||"a" ; ||"b" partial 0`},
		{"CRLF", "id: 1\r\ndata: a\r\n\r\ndata: b\r\n\r\n", `|1|"a" ; |1|"b" partial 0`},
		{"mixed ends", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r", `||"a\nb\nc" ; ||"d" partial 0`},
		{"BOM", "\xEF\xBB\xBFdata: a\n\n", `||"a" partial 0`},
		{"one BOM only", "\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", `junk "\ufeffdata: a" partial 0`},
		{"half a BOM", "\xEF\xBBdata: a\n\n", `junk "\xef\xbbdata: a" partial 0`},
		{"ends in the BOM", "\xEF\xBB", ` partial 2`},
		{"id without data counts", "id: 7\n\ndata: a\n\n", `|7|"a" partial 0`},
		{"id with NULL", "id: 7\ndata: a\n\nid: 8\x00\ndata: b\n\n", `|7|"a" ; |7|"b" partial 0`},
		{"id is reset", "id: 7\ndata: a\n\nid\ndata: b\n\n", `|7|"a" ; ||"b" partial 0`},
		{"type is not kept", "event: x\ndata: a\n\ndata: b\n\n", `x||"a" ; ||"b" partial 0`},
		{"last type wins", "event: x\nevent: y\ndata: a\n\n", `y||"a" partial 0`},
		{"type without data", "event: x\n\ndata: a\n\n", `||"a" partial 0`},
		{"retry alone", "retry: 3000\n\ndata: a\n\n", `||"a" partial 0`},
		{"colon in value", "data: a: b\n\n", `||"a: b" partial 0`},
		{"one space only", "data:  a \n\n", `||" a " partial 0`},
		{"names are case-sensitive", "Data: a\n\n", `junk "Data: a" partial 0`},
		{"no space before colon", "data : a\n\n", `junk "data : a" partial 0`},
		{"comment inside an event", "data: a\n: hm\ndata: b\n\n", `:hm ; ||"a\nb" partial 0`},
		{"empty comment", ":\n\n", `: partial 0`},
		{"blank lines", "\n\n\r\n\r\rdata: a\n\n\n", `||"a" partial 0`},
		{"unfinished line", "data: a\n\ndata: b", `||"a" partial 7`},
		{"unfinished event", "data: a\n\nid: 2\ndata: b\n", `||"a" partial 14`},
		{"unfinished comment", "data: a\n\n: pi", `||"a" partial 4`},
		{"comment without blank line", "data: a\n\n: ping\n", `||"a" ; :ping partial 0`},
		{"second response", "data: a\n\nHTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n",
			`||"a" ; junk "HTTP/1.1 500 Internal Server Error\nConnection: close" partial 0`},
		{"empty", "", ` partial 0`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := same(t, SSE, Limits{}, tt.body)
			if s := fmt.Sprintf("%s partial %d", brief(got.shots), got.partial); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

// Offsets and sizes lead back to the bytes of the frame.
func TestSSEPlaces(t *testing.T) {
	body := "\xEF\xBB\xBFdata: a\n\n: ping\n\nid: 1\r\ndata: b\r\n\r\nevent: done\ndata: c\ndata: d\n\n"
	want := []string{"data: a\n\n", ": ping\n", "id: 1\r\ndata: b\r\n\r", "event: done\ndata: c\ndata: d\n\n"}
	got := same(t, SSE, Limits{}, body)
	for i, s := range got.shots {
		if at := body[s.Offset : s.Offset+int64(s.Size)]; at != want[i] {
			t.Errorf("frame %d is at %q, want %q", i, at, want[i])
		}
	}
	if len(got.shots) != len(want) {
		t.Errorf("%d frames, want %d", len(got.shots), len(want))
	}
}

func TestNDJSON(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"lines", "{\"a\":1}\n{\"a\":2}\r\n", `||"{\"a\":1}" ; ||"{\"a\":2}" partial 0`},
		{"blank line is a heartbeat", "\n{}\n\r\n", `: ; ||"{}" ; : partial 0`},
		{"a line of white space too", " \n\t \r\n{}\n", ":  ; :\t  ; ||\"{}\" partial 0"},
		{"BOM", "\xEF\xBB\xBF{}\n{}\n", `||"{}" ; ||"{}" partial 0`},
		{"BOM, and no LF", "\xEF\xBB\xBF{\"a\":1}", `||"{\"a\":1}" partial 0`},
		{"BOM of the first line only", "{}\n\xEF\xBB\xBF{}\n", `||"{}" ; ||"\ufeff{}" partial 0`},
		{"half a BOM", "\xEF\xBB{}\n", `||"\xef\xbb{}" partial 0`},
		{"ends in the BOM", "\xEF\xBB", ` partial 2`},
		{"last line whole without LF", "{}\n{\"done\":true}", `||"{}" ; ||"{\"done\":true}" partial 0`},
		{"last line a whole array, then CR", "[1]\r", `||"[1]" partial 0`},
		{"last line cut", "{}\n{\"done\":tr", `||"{}" partial 10`},
		{"a number may go on", "1\n12", `||"1" partial 2`},
		{"a word too", "true", ` partial 4`},
		{"not checked here", "HTTP/1.1 500 Oops\r\n", `||"HTTP/1.1 500 Oops" partial 0`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := same(t, NDJSON, Limits{}, tt.body)
			if s := fmt.Sprintf("%s partial %d", brief(got.shots), got.partial); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	got := decode(Text, Limits{}, "grü", "", "\xc3", "\x9fe \xf0\x9f", "\x99")
	if len(got.shots) != 4 {
		t.Errorf("%d frames, want one for each push that brought bytes: %v", len(got.shots), got)
	}
	if got.partial != 3 {
		t.Errorf("partial = %d, want the 3 bytes of an unfinished character", got.partial)
	}
	if got := decode(Text, Limits{}, "gr\xc3", "\xbc"); got.partial != 0 {
		t.Errorf("partial = %d after a whole character", got.partial)
	}
}

func TestLimits(t *testing.T) {
	const limit = 16
	tests := []struct {
		name   string
		format Format
		body   string
		frames int
		over   bool
	}{
		{"event that fits", SSE, "data: 12345678\n\n", 1, false},
		{"event one byte too long", SSE, "data: 123456789\n\n", 0, true},
		{"events add up to more", SSE, strings.Repeat("data: 12345\n\n", 9), 9, false},
		{"comments add up to more", SSE, strings.Repeat(": 12345\n", 9), 9, false},
		{"endless line", SSE, "data: " + strings.Repeat("x", 99), 0, true},
		{"endless fields", SSE, strings.Repeat("id: 1\n", 9), 0, true},
		{"endless comment", SSE, "data: a\n\n:" + strings.Repeat("x", 99) + "\n\n", 1, true},
		{"CRLF that fits", SSE, "data: 123456\r\n\r\n", 1, false},
		{"line that fits", NDJSON, "[23456789012345\n", 1, false},
		{"line one byte too long", NDJSON, "[234567890123456\n", 0, true},
		{"endless NDJSON", NDJSON, "{}\n" + strings.Repeat("x", 99), 1, true},
		{"text has no frames to limit", Text, strings.Repeat("x", 99), 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decode(tt.format, Limits{Frame: limit}, tt.body)
			if tt.format.Name != "text" {
				got = same(t, tt.format, Limits{Frame: limit}, tt.body)
			}
			var le *LimitError
			if over := errors.As(got.err, &le); over != tt.over || len(got.shots) != tt.frames {
				t.Fatalf("%v, want %d frames and over = %t", got, tt.frames, tt.over)
			}
			if tt.over && (le.Limit != limit || got.partial != limit) {
				t.Errorf("limit %d, partial %d, want %d for both", le.Limit, got.partial, limit)
			}
		})
	}
}

// After a limit a decoder takes no more.
func TestLimitIsFinal(t *testing.T) {
	for _, f := range []Format{SSE, NDJSON} {
		var cam camera
		d := f.New(Limits{Frame: 4})
		first := d.Push([]byte("0123456789"), &cam)
		second := d.Push([]byte("\n\ndata:\n\n{}\n"), &cam)
		if first == nil || second == nil || len(cam.shots) > 0 {
			t.Errorf("%s: errors %v, %v, %d frames", f.Name, first, second, len(cam.shots))
		}
	}
	want := "read line: longer than the limit of 4 bytes"
	if got := (&LimitError{"line", 4}).Error(); got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}

// A decoder between two frames holds no memory but its own.
func TestIdleHoldsNothing(t *testing.T) {
	var cam camera
	s := newSSE(Limits{}).(*sseDecoder)
	for _, piece := range []string{"id: 1\nda", "ta: a\ndata", ": b\n", "\n: pi", "ng\n\n"} {
		if err := s.Push([]byte(piece), &cam); err != nil {
			t.Fatal(err)
		}
	}
	if s.held != nil || s.multi != nil || s.frame.Data != nil {
		t.Errorf("idle SSE decoder holds %v %v %q", s.held, s.multi, s.frame.Data)
	}
	l := newNDJSON(Limits{}).(*lineDecoder)
	for _, piece := range []string{`{"a"`, ":1}\n"} {
		if err := l.Push([]byte(piece), &cam); err != nil {
			t.Fatal(err)
		}
	}
	if l.held != nil || l.frame.Data != nil {
		t.Errorf("idle NDJSON decoder holds %v %q", l.held, l.frame.Data)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("\xEF\xBB\xBFid: 1\r\ndata: a\r\n\r\n: ping\r\rdata: b\ndata: c\n\ndata: d"), uint64(1), 40)
	f.Add([]byte("{\"a\":1}\n\n[2]\r\n12"), uint64(2), 9)
	f.Add([]byte("HTTP/1.1 500 Oops\r\nA: b\r\n\r\n<html>"), uint64(3), 100)
	f.Fuzz(func(t *testing.T, body []byte, seed uint64, limit int) {
		l := Limits{Frame: limit}
		pieces := cut(string(body), rand.New(rand.NewPCG(seed, 0)))
		for _, format := range []Format{SSE, NDJSON} {
			want, got := decode(format, l, string(body)), decode(format, l, pieces...)
			if got.String() != want.String() {
				t.Errorf("%s: %q\ngot  %v\nwant %v", format.Name, pieces, got, want)
			}
		}
		if want, got := decode(Text, l, string(body)).partial, decode(Text, l, pieces...).partial; got != want {
			t.Errorf("text: %q: partial = %d, want %d", pieces, got, want)
		}
	})
}
