package origin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds what must happen; quiet is how long a connection must stay
// open and silent to count as left open.
const (
	patience = 20 * time.Second
	quiet    = 400 * time.Millisecond
)

// A reply as a raw client sees it, net/http not involved.
type got struct {
	status int
	header textproto.MIMEHeader
	body   []byte // chunks removed, up to where they broke
	where  string // at which the framing stopped: "end", "in chunk", ...
	ending string // "fin", "rst", "open"
	frames []frame
	events []frame // the content events
}

// A frame is one SSE frame.
type frame struct {
	name, id string
	raw      string
	comment  bool
	object
}

type object struct {
	Type   string
	Seq    int
	T      int64
	Nonce  string
	Pid    int
	Text   string
	Events int
	CRC32C string
	Error  string
}

// ask sends one request and reads until the connection ends or falls silent.
func ask(t testing.TB, addr, nonce, query string) got {
	t.Helper()
	return askAs(t, addr, "GET /stream?"+query+" HTTP/1.1\r\nHost: origin\r\nX-Request-ID: "+nonce+"\r\n\r\n")
}

func askAs(t testing.TB, addr, request string) got {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request)
	all, ending := readAll(conn)
	return parseReply(t, all, ending)
}

// readAll reads to the end. A silence of ten times quiet, or of quiet after
// bytes that no heartbeat followed, would be told apart by no client: it only
// says that the connection is open.
func readAll(conn net.Conn) ([]byte, string) {
	var all []byte
	buf := make([]byte, 64<<10)
	for {
		conn.SetReadDeadline(time.Now().Add(quiet))
		n, err := conn.Read(buf)
		all = append(all, buf[:n]...)
		switch {
		case err == nil:
		case err == io.EOF:
			return all, "fin"
		case errors.Is(err, syscall.ECONNRESET):
			return all, "rst"
		case errors.Is(err, os.ErrDeadlineExceeded):
			return all, "open"
		default:
			return all, err.Error()
		}
	}
}

func parseReply(t testing.TB, all []byte, ending string) got {
	t.Helper()
	g := got{ending: ending, where: "before headers"}
	if len(all) == 0 {
		return g
	}
	head, body, found := bytes.Cut(all, []byte("\r\n\r\n"))
	if !found {
		t.Fatalf("head is not whole: %q", all)
	}
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\r\n\r\n"...))))
	line, _ := r.ReadLine()
	fmt.Sscanf(line, "HTTP/1.%d %d", new(int), &g.status)
	var err error
	if g.header, err = r.ReadMIMEHeader(); err != nil {
		t.Fatalf("head %q: %v", head, err)
	}
	g.body, g.where = unframe(g.header, body)
	if strings.HasPrefix(g.header.Get("Content-Type"), "text/event-stream") {
		g.frames = cutSSE(t, g.body)
	}
	for _, f := range g.frames {
		if f.name == "" && !f.comment {
			g.events = append(g.events, f)
		}
	}
	return g
}

// unframe removes the framing and says where it stopped.
func unframe(h textproto.MIMEHeader, b []byte) ([]byte, string) {
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil {
		switch {
		case len(b) < n:
			return b, "in body"
		case len(b) > n:
			return b[:n], "after end"
		}
		return b, "end"
	}
	if h.Get("Transfer-Encoding") != "chunked" {
		return b, "until eof"
	}
	var body []byte
	for {
		if len(b) == 0 {
			return body, "between chunks"
		}
		size, rest, found := bytes.Cut(b, []byte("\r\n"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		switch {
		case err != nil:
			return body, "garbage: " + string(size)
		case !found:
			return body, "in chunk header"
		case n == 0 && string(rest) == "\r\n":
			return body, "end"
		case n == 0:
			return body, "before last CRLF"
		case len(rest) < int(n)+2:
			return append(body, rest[:min(len(rest), int(n))]...), "in chunk"
		}
		body, b = append(body, rest[:n]...), rest[n+2:]
	}
}

// cutSSE cuts a body into whole frames; the one that an end without an empty
// line leaves over has the name "partial".
func cutSSE(t testing.TB, body []byte) []frame {
	t.Helper()
	var frames []frame
	parts := strings.Split(string(body), "\n\n")
	for i, part := range parts {
		if i == len(parts)-1 {
			if part != "" {
				frames = append(frames, frame{name: "partial", raw: part})
			}
			break
		}
		frames = append(frames, parseSSE(t, part))
	}
	return frames
}

func parseSSE(t testing.TB, part string) frame {
	t.Helper()
	f := frame{raw: part, comment: strings.HasPrefix(part, ":")}
	for line := range strings.Lines(part) {
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			f.id = value
		case "event":
			f.name = value
		case "data":
			if value == "[DONE]" {
				continue // OpenAI's sentinel is not JSON
			}
			if err := json.Unmarshal([]byte(value), &f.object); err != nil {
				t.Errorf("frame %q: %v", part, err)
			}
		}
	}
	return f
}

func (g got) named(name string) []frame {
	var fs []frame
	for _, f := range g.frames {
		if f.name == name {
			fs = append(fs, f)
		}
	}
	return fs
}

func (g got) heartbeats() (n int) {
	for _, f := range g.frames {
		if f.comment {
			n++
		}
	}
	return n
}

func (g got) seqs() string {
	var s []string
	for _, f := range g.events {
		s = append(s, strconv.Itoa(f.Seq))
	}
	return strings.Join(s, " ")
}

// sum is the checksum over the texts as they came.
func (g got) sum() string {
	var sum uint32
	for _, f := range g.events {
		sum = crc32.Update(sum, castagnoli, []byte(f.Text))
	}
	return fmt.Sprintf("%08x", sum)
}

// start runs a server and stops it at the end of the test.
func start(t testing.TB, o Options) (s *Server, addr string) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := errors.Join(s.drain(patience), <-served); err != nil {
			t.Error(err)
		}
	})
	return s, ln.Addr().String()
}

// ledger asks for an account; it is empty for a stream that is not there yet.
func ledger(t testing.TB, addr, nonce string) entry {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := c.Get("http://" + addr + "/ledger?nonce=" + nonce)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var e entry
	if resp.StatusCode == http.StatusNotFound {
		return e
	}
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		t.Fatalf("ledger of %s: %s: %v", nonce, resp.Status, err)
	}
	return e
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, patience)
}
