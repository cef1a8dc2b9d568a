package tap_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// codings are bodies of five events and a terminal, flushed after each.
func codings(t testing.TB) map[string][2]string {
	var gz, zl, raw, br, zs bytes.Buffer
	compressed(t, gzip.NewWriter(&gz), 5)
	compressed(t, zlib.NewWriter(&zl), 5)
	fl, err := flate.NewWriter(&raw, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	compressed(t, fl, 5)
	compressed(t, brotli.NewWriter(&br), 5)
	compressed(t, zstdWriter(t, &zs), 5)
	return map[string][2]string{"gzip": {"gzip", gz.String()}, "zlib": {"deflate", zl.String()},
		"bare deflate": {"deflate", raw.String()}, "brotli": {"br", br.String()}, "zstd": {"zstd", zs.String()}}
}

// Each format of compressed data has an end of its own: what is cut before it shows,
// at whatever byte, and wherever the compressor was flushed.
func TestCutAtEachByte(t *testing.T) {
	for name, c := range codings(t) {
		body := []byte(c[1])
		for n := 1; n <= len(body); n++ {
			z, err := tap.NewInflater(c[0], -1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = z.Push(body[:n])
			if end := z.Finish(); err != nil || (end == nil) != (n == len(body)) {
				t.Errorf("%s: %d bytes of %d: %v, %v", name, n, len(body), err, end)
			}
		}
		z, err := tap.NewInflater(c[0], -1)
		if err != nil {
			t.Fatal(err)
		}
		if err := z.Finish(); err != nil {
			t.Errorf("%s: no byte at all: %v", name, err)
		}
	}
}

// Where only the close ends a body, the end of its compressed data tells a whole one
// from a cut one.
func TestCompressedUntilClose(t *testing.T) {
	for name, c := range codings(t) {
		head := "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Encoding: " + c[0] + "\r\n\r\n"
		cut := c[1][:len(c[1])-1]
		for _, e := range []struct {
			name   string
			script script
			close  record.Close
			where  record.Where
			state  stream.State
		}{
			{"whole", script{say(head + c[1]), pause, fin}, record.CloseFIN, record.AtEnd, stream.Prefix},
			{"whole, reset", script{say(head + c[1]), pause, rst}, record.CloseRST, record.AtEnd, stream.Prefix},
			{"cut", script{say(head + cut), pause, fin}, record.CloseFIN, record.InBody, stream.CutFrame},
			{"cut, reset", script{say(head + cut), pause, rst}, record.CloseRST, record.InBody, stream.Prefix},
			{"nothing", script{say(head), pause, fin}, record.CloseFIN, record.InBody, stream.Empty},
		} {
			carriers(t, func(t *testing.T, mode tap.Mode) {
				t.Run(name+", "+e.name, func(t *testing.T) {
					s := serve(t, always(e.script...))
					d, _ := stream.Lookup("text")
					got := newRig(t, tap.Options{Mode: mode}).get(tap.Job{URL: "http://" + s.Addr, Dialect: &d})
					if got.Wire.Close != e.close || got.Wire.Where != e.where || got.Content.State != e.state {
						t.Errorf("%q %q, content %q (%s); want %q %q, %q", got.Wire.Close, got.Wire.Where, got.Content.State,
							got.Content.Why, e.close, e.where, e.state)
					}
				})
			})
		}
	}
}
