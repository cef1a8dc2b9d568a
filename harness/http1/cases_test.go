package http1_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/http1"
	"github.com/streamproof/streamproof/harness/http1/http1test"
)

// splits are whole and byte by byte.
func splits(wire string) [][][]byte {
	return [][][]byte{{[]byte(wire)}, slices.Collect(slices.Chunk([]byte(wire), 1))}
}

func TestResponseCases(t *testing.T) {
	for _, c := range http1test.Responses {
		for _, parts := range splits(c.Wire) {
			got := http1test.Response{Name: c.Name, Method: c.Method, Wire: c.Wire}
			h := http1.Head{ToHEAD: c.Method == "HEAD"}
			d := http1.NewResponse(&h, 1<<16)
			for _, p := range parts {
				for len(p) > 0 {
					body, n, err := d.Next(p)
					if err != nil {
						t.Errorf("%s: %v", c.Name, err)
					}
					got.Body += string(body)
					p = p[n:]
				}
			}
			got.Status, got.Framing, got.Coded, got.Where = h.Status, h.Framing, h.TransferCoded(), d.Where()
			got.Garbage, _ = d.Garbage(true)
			if got != c {
				t.Errorf("%s, in %d parts:\n got %+v\nwant %+v", c.Name, len(parts), got, c)
			}
		}
	}
}

func TestRequestCases(t *testing.T) {
	for _, c := range http1test.Requests {
		for _, parts := range splits(c.Wire) {
			got := http1test.Request{Name: c.Name, Wire: c.Wire}
			var methods []string
			var h http1.Head
			var d http1.Decoder
			for _, p := range parts {
				for len(p) > 0 {
					if d.Head == nil {
						d = http1.NewRequest(&h, 1<<16)
					}
					inHead := !d.InBody()
					body, n, err := d.Next(p)
					if err != nil {
						t.Errorf("%s: %v", c.Name, err)
					}
					if inHead && d.InBody() {
						methods = append(methods, h.Method)
					}
					got.Body += string(body)
					p = p[n:]
					if d.Whole() {
						d = http1.Decoder{}
					}
				}
			}
			got.Methods, got.Broken = strings.Join(methods, " "), d.Broken()
			if got != c {
				t.Errorf("%s, in %d parts:\n got %+v\nwant %+v", c.Name, len(parts), got, c)
			}
		}
	}
}

// A kept is what a Fields was told.
type kept []string

func (k *kept) Field(name, value []byte) { *k = append(*k, string(name)+"="+string(value)) }

// Fields sees the fields of the response, and not those of the ones before it.
func TestFields(t *testing.T) {
	long := strings.Repeat("Long-", 20) + "Name"
	var got kept
	h := http1.Head{Fields: &got}
	d := http1.NewResponse(&h, 1<<16)
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
	for p := []byte(hints + "HTTP/1.1 200 OK\r\nX-A:  b \r\n" + long + ": c\r\n\r\n"); len(p) > 0; {
		_, n, _ := d.Next(p)
		p = p[n:]
	}
	if want := (kept{"x-a=b", strings.ToLower(long) + "=c"}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A body passes without allocation, in chunks as they come.
func TestNoAllocationPerChunk(t *testing.T) {
	var h http1.Head
	d := http1.NewResponse(&h, 1<<16)
	for p := []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); len(p) > 0; {
		_, n, _ := d.Next(p)
		p = p[n:]
	}
	chunk := []byte("10;e\r\n0123456789abcdef\r\n")
	if n := testing.AllocsPerRun(1000, func() {
		for p := chunk; len(p) > 0; {
			_, n, _ := d.Next(p)
			p = p[n:]
		}
	}); n != 0 || d.Broken() {
		t.Errorf("%v allocations a chunk, broken %v", n, d.Broken())
	}
}
