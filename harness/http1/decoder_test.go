package http1

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/http1/http1test"
	"github.com/streamproof/streamproof/harness/record"
)

// A decoded is what a response decoder makes of some bytes.
type decoded struct {
	status  int
	framing record.Framing
	body    string
	where   record.Where
	garbage string
	spliced bool
	limit   bool
}

// decode pushes the parts of a response, and then the end of the connection.
func decode(parts [][]byte, limit int) decoded { return decodeAs(NewResponse, parts, limit) }

func decodeAs(begin func(*Head, int) Decoder, parts [][]byte, limit int) decoded {
	h := &Head{}
	d := begin(h, limit)
	var got decoded
	var body []byte
	for _, p := range parts {
		for len(p) > 0 && !got.limit {
			data, n, err := d.Next(p)
			body = append(body, data...)
			p = p[n:]
			var over HeadLimitError
			got.limit = errors.As(err, &over)
		}
	}
	got.status, got.framing, got.body, got.where = h.Status, h.Framing, string(body), d.Where()
	got.garbage, got.spliced = d.Garbage(true)
	if got.limit { // where in a line we noticed is no promise
		got.garbage = ""
	}
	return got
}

func split(s string, at ...int) (parts [][]byte) {
	from := 0
	for _, i := range at {
		parts = append(parts, []byte(s[from:i]))
		from = i
	}
	return append(parts, []byte(s[from:]))
}

var responses = []string{
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: x\r\n\r\n5\r\nhello\r\nA;e=1\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
	"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello surplus",
	"HTTP/1.0 200 OK\r\n\r\nuntil the end",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\ncontent-length: 3, 3\r\n\r\nabc",
	"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nHTTP/1.1 500 Internal Server Error\r\nContent-Length: 9\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1g\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext\nabc",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nall of it",
	"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
	"HTTP/2 200\r\n\r\n",
	"\x16\x03\x01 not HTTP",
	"HTT",
	strings.Repeat("status line without end ", 20),
	"HTTP/1.1 200 " + strings.Repeat("x", 400) + "\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + strings.Repeat("y", 400),
	"HTTP/1.1 200 OK\r\n" + strings.Repeat("no colon", 60) + "\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("T", 400) + "\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("e", 400) + "\r\nx",
}

func TestResponseInEverySplit(t *testing.T) {
	for _, limit := range []int{1 << 16, 300} {
		everySplit(t, limit)
	}
}

func everySplit(t *testing.T, limit int) {
	for _, s := range responses {
		for end := range len(s) + 1 {
			want := decode(split(s[:end]), limit)
			single := slices.Collect(slices.Chunk([]byte(s[:end]), 1))
			if got := decode(single, limit); got != want {
				t.Errorf("byte by byte, %q\n got %+v\nwant %+v", s[:end], got, want)
			}
		}
		want := decode(split(s), limit)
		for at := range len(s) {
			if got := decode(split(s, at), limit); got != want {
				t.Errorf("split at %d, %q\n got %+v\nwant %+v", at, s, got, want)
			}
		}
	}
}

func TestResponseFraming(t *testing.T) {
	for _, c := range []struct {
		in   string
		want decoded
	}{
		{responses[0], decoded{200, record.Chunked, "hello0123456789", record.AtEnd, "", false, false}},
		{responses[1], decoded{200, record.Length, "hello", record.AfterEnd, `bytes after the end " surplus"`, false, false}},
		{responses[2], decoded{200, record.CloseDelimited, "until the end", record.InBody, "", false, false}},
		{responses[3], decoded{200, record.Length, "abc", record.AtEnd, "", false, false}},
		{responses[4], decoded{204, record.NoBody, "", record.AtEnd, "", false, false}},
		{responses[5], decoded{200, record.Chunked, "abc", record.InChunkHeader, `invalid chunk header "HTTP/1.1 500 Internal Server Error"`, true, false}},
		{responses[6], decoded{200, record.Chunked, "abc", record.InChunk, `invalid chunk end "d"`, false, false}},
		{responses[7], decoded{200, record.Chunked, "", record.InChunkHeader, `invalid chunk header "1g"`, false, false}},
		{responses[10], decoded{200, record.CloseDelimited, "all of it", record.InBody, "", false, false}},
	} {
		if got := decode(split(c.in), 1<<16); got != c.want {
			t.Errorf("%q\n got %+v\nwant %+v", c.in, got, c.want)
		}
	}
}

func TestResponseLimits(t *testing.T) {
	for _, start := range []string{
		"",
		"HTTP/1.1 200 ",
		"HTTP/1.1 200 OK\r\nX: ",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
	} {
		const limit = 200
		if got := decode(split(start+strings.Repeat("x", 10*limit)), limit); !got.limit {
			t.Errorf("%q and then x without end: %+v, want the limit", start, got)
		}
	}
	many := "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 1000)
	if got := decode(split(many), 2000); !got.limit {
		t.Errorf("1000 fields: %+v, want the limit", got)
	}
}

// FuzzResponse checks that the decoder neither panics nor depends on how its bytes
// are split.
func FuzzResponse(f *testing.F) {
	for i, s := range responses {
		f.Add([]byte(s), uint(i), uint(3*i))
	}
	for i, c := range http1test.Responses {
		f.Add([]byte(c.Wire), uint(i), uint(3*i))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint) { fuzz(t, in, a, b, NewResponse) })
}

// FuzzRequest does the same for requests.
func FuzzRequest(f *testing.F) {
	for i, c := range http1test.Requests {
		f.Add([]byte(c.Wire), uint(i), uint(3*i))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint) { fuzz(t, in, a, b, NewRequest) })
}

func fuzz(t *testing.T, in []byte, a, b uint, begin func(*Head, int) Decoder) {
	at := []int{int(a % uint(len(in)+1)), int(b % uint(len(in)+1))}
	slices.Sort(at)
	want := decodeAs(begin, split(string(in)), 300)
	for _, parts := range [][][]byte{split(string(in), at...), slices.Collect(slices.Chunk(in, 1))} {
		if got := decodeAs(begin, parts, 300); got != want {
			t.Errorf("split at %v, %q\n got %+v\nwant %+v", at, in, got, want)
		}
	}
}

func BenchmarkResponse(b *testing.B) {
	event := bytes.Repeat([]byte("x"), 128)
	one := fmt.Appendf(nil, "%x\r\n%s\r\n", len(event), event)
	stream := bytes.Repeat(one, 100)
	d := NewResponse(&Head{}, 1<<16)
	d.Next([]byte("HTTP/1.1 200 OK\r\n"))
	d.Next([]byte("Transfer-Encoding: chunked\r\n"))
	d.Next([]byte("\r\n"))
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for p := stream; len(p) > 0; {
			_, n, _ := d.Next(p)
			p = p[n:]
		}
	}
	if d.Broken() {
		b.Fatal("decoder broke")
	}
}
