package tap_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

const gzipHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n"

// bomb is 64 MiB of the same event in gzip, a thousandth of that: members of 1 MiB.
func bomb(t testing.TB) string {
	return strings.Repeat(string(member(t, strings.Repeat("data: x\n\n", 1<<20/9))), 64)
}

// TestHostileServers: whatever a server sends, the stream ends by a limit that
// says which, and our memory stays small.
func TestHostileServers(t *testing.T) {
	x := strings.Repeat("x", 1000)
	cases := []struct {
		name   string
		script script
		limits tap.Limits
		want   record.Limit
	}{
		{"endless status line", script{say("HTTP/1.1 200 "), flood(x)}, tap.Limits{}, record.HeaderSize},
		{"endless header", script{say("HTTP/1.1 200 OK\r\nX: "), flood(x)}, tap.Limits{}, record.HeaderSize},
		{"endless headers", script{say("HTTP/1.1 200 OK\r\n"), flood("X: " + x + "\r\n")}, tap.Limits{}, record.HeaderSize},
		{"endless interim responses", script{flood("HTTP/1.1 103 Early Hints\r\n\r\n")}, tap.Limits{}, record.HeaderSize},
		{"endless chunk header", script{say(chunkedHead + "1;"), flood(x)}, tap.Limits{}, record.HeaderSize},
		{"endless trailers", script{say(chunkedHead + "0\r\n"), flood("X: " + x + "\r\n")}, tap.Limits{}, record.HeaderSize},
		{"event of 1 GiB", script{say(chunkedHead + "40000000\r\ndata: "), flood(x)}, tap.Limits{}, record.FrameSize},
		{"endless body", script{say(closeHead), flood(event(1))}, tap.Limits{Body: 8 << 20}, record.BodySize},
		{"gzip bomb", script{say(gzipHead + bomb(t)), hold}, tap.Limits{Inflated: 16 << 20}, record.InflateSize},
		{"comments without end", script{say(chunkedHead), flood(chunk(": ping\n\n"))},
			tap.Limits{First: 200 * time.Millisecond}, record.FirstLimit},
	}
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := serve(t, always(c.script...))
				r := newRig(t, tap.Options{Mode: mode})
				d, ask := generic(t)
				before := inUse()
				got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask, Limits: c.limits})
				if got.Limit != c.want || got.Wire.Close != record.CloseNone {
					t.Errorf("limit %q, close %q (%s); want %q and our own close", got.Limit, got.Wire.Close, got.Wire.Err, c.want)
				}
				if grown := int64(inUse()) - int64(before); grown > 32<<20 {
					t.Errorf("memory grew by %d MiB", grown>>20)
				}
			})
		}
	})
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// A squeezer compresses what a server writes.
type squeezer interface {
	io.WriteCloser
	Flush() error
}

// compressed makes a body of n events, each flushed, and the terminal.
func compressed(t testing.TB, w squeezer, n int) {
	t.Helper()
	for i := range n {
		fmt.Fprint(w, event(i))
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(w, done)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// member is s as a whole gzip file, as some servers flush.
func member(t testing.TB, s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCompressedBodies(t *testing.T) {
	var gz, zl, raw bytes.Buffer
	compressed(t, gzip.NewWriter(&gz), 5)
	compressed(t, zlib.NewWriter(&zl), 5)
	fl, _ := flate.NewWriter(&raw, flate.DefaultCompression)
	compressed(t, fl, 5)
	var br, zs bytes.Buffer
	compressed(t, brotli.NewWriter(&br), 5)
	compressed(t, zstdWriter(t, &zs), 5)
	members := slices.Concat(member(t, event(1)), member(t, event(2)), member(t, done))
	flipped := bytes.Clone(gz.Bytes())
	flipped[len(flipped)-6] ^= 0xff // in the checksum
	for _, c := range []struct {
		name, encoding string
		body           []byte
		want           stream.State
		events         int
	}{
		{"gzip", "gzip", gz.Bytes(), stream.Complete, 5},
		{"gzip in members", "gzip", members, stream.Complete, 2},
		{"gzip padded with zeros", "gzip", slices.Concat(gz.Bytes(), make([]byte, 700)), stream.Complete, 5},
		{"gzip, zeros and one more member", "gzip", slices.Concat(member(t, event(1)), make([]byte, 9), member(t, done)),
			stream.Complete, 1},
		{"gzip with garbage behind", "gzip", slices.Concat(gz.Bytes(), []byte("<html><body>500</body>")), stream.Corrupt, 5},
		{"gzip cut in its second member", "gzip", slices.Concat(member(t, event(1)), member(t, done)[:9]), stream.CutFrame, 1},
		{"deflate as zlib", "deflate", zl.Bytes(), stream.Complete, 5},
		{"deflate, bare", "deflate", raw.Bytes(), stream.Complete, 5},
		{"brotli", "br", br.Bytes(), stream.Complete, 5},
		{"brotli, cut", "br", br.Bytes()[:br.Len()-1], stream.CutFrame, 5},
		{"not brotli at all", "br", []byte("\xff\xff\xff\xff" + event(1)), stream.Corrupt, 0},
		{"zstd", "zstd", zs.Bytes(), stream.Complete, 5},
		{"zstd, cut", "zstd", zs.Bytes()[:zs.Len()-1], stream.CutFrame, 5},
		{"not zstd at all", "zstd", []byte(event(1) + done), stream.Corrupt, 0},
		{"identity", "identity", []byte(event(1) + done), stream.Complete, 1},
		{"gzip cut at the trailer", "gzip", gz.Bytes()[:gz.Len()-8], stream.CutFrame, 5},
		{"gzip with a bad checksum", "gzip", flipped, stream.Corrupt, 5},
		{"not gzip at all", "gzip", []byte(event(1) + done), stream.Corrupt, 0},
		{"unknown coding, our own limit", "snappy", []byte("anything"), stream.Empty, 0},
	} {
		carriers(t, func(t *testing.T, mode tap.Mode) {
			t.Run(c.name, func(t *testing.T) {
				head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: " + c.encoding + "\r\n\r\n"
				half := len(c.body) / 2
				s := serve(t, always(say(head+chunk(string(c.body[:half]))), pause, say(chunk(string(c.body[half:]))+lastChunk),
					hold))
				r := newRig(t, tap.Options{Mode: mode})
				d, ask := generic(t)
				got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask})
				if got.Content.State != c.want || got.Contents != c.events {
					t.Errorf("content %q (%s), %d events; want %q, %d", got.Content.State, got.Content.Why, got.Contents, c.want,
						c.events)
				}
				if unread := got.Content.Form == stream.FormEncoded; unread != (c.encoding == "snappy") {
					t.Errorf("form %q of encoding %s", got.Content.Form, c.encoding)
				}
				if c.want == stream.Complete && (got.Wire.Where != record.AtEnd || got.Bytes != int64(len(c.body))) {
					t.Errorf("ended %q after %d bytes, want at end after %d", got.Wire.Where, got.Bytes, len(c.body))
				}
			})
		})
	}
}

func zstdWriter(t testing.TB, w io.Writer) *zstd.Encoder {
	t.Helper()
	e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// reaches waits until a stream in flight has so many content events.
func (r *rig) reaches(n int) bool {
	w := r.Watch(tap.Interest{Events: n})
	defer w.Stop()
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	for {
		for l := range w.Changed {
			if l.Contents >= n {
				return true
			}
			if l.Over {
				return false
			}
		}
		select {
		case <-w.C:
		case <-patience.C:
			return false
		}
	}
}

// What a server flushes out of its compressor is out of our decoder in the same
// read: the decoder holds nothing back, and no pacing is lost in it. The server sends an
// event when the one before is out: how many of them a busy machine reads at once says
// nothing about the decoder.
func TestCompressedBodiesAsTheyStream(t *testing.T) {
	const n = 5
	for encoding, writer := range map[string]func(io.Writer) squeezer{
		"gzip": func(w io.Writer) squeezer { return gzip.NewWriter(w) },
		"br":   func(w io.Writer) squeezer { return brotli.NewWriter(w) },
		"zstd": func(w io.Writer) squeezer { return zstdWriter(t, w) },
	} {
		t.Run(encoding, func(t *testing.T) {
			var out bytes.Buffer
			w := writer(&out)
			r := newRig(t, tap.Options{})
			seen := func(n int) step { return func(*net.TCPConn) bool { return r.reaches(n) } }
			steps := script{say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: " + encoding + "\r\n\r\n")}
			for i := range n {
				fmt.Fprint(w, event(i))
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				steps = append(steps, say(chunk(out.String())), seen(i+1))
				out.Reset()
			}
			fmt.Fprint(w, done)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, say(chunk(out.String())+lastChunk), hold)
			s := serve(t, always(steps...))
			d, ask := generic(t)
			got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask})
			instants := map[time.Duration]bool{}
			for m := range got.Marks() {
				if m.Kind == stream.Content {
					instants[m.At] = true
				}
			}
			// The server waits in vain where an event is held back, and then ends the stream.
			if got.Content.State != stream.Complete || got.Contents != n || len(instants) != n {
				t.Errorf("content %q (%s), %d events at %d instants, want %d", got.Content.State, got.Content.Why, got.Contents,
					len(instants), n)
			}
		})
	}
}
