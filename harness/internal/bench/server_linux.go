package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// firstAfter is the time between a request and its first event.
const firstAfter = 50 * time.Millisecond

// serverPart serves until its standard input ends. It says its address first.
func serverPart(_ []string, stdout io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e := &emitter{bell: make(chan struct{}, 1)}
	go e.run() // ends with the process
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go e.serve(c.(*net.TCPConn))
		}
	}()
	fmt.Fprintln(stdout, l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// An answer is one stream under way.
type answer struct {
	fd     int
	due    time.Time // of the next event
	k      int       // events written
	events int
	gap    time.Duration
}

// An emitter writes the events of all streams from one goroutine, without a
// poller in between. Answers of one gap are due in the order in which they were
// before, so that queues do for a heap.
type emitter struct {
	bell chan struct{} // there is something new

	mu  sync.Mutex // guards new
	new []*answer

	queues map[time.Duration][]*answer // by gap; firstAfter for those that wait for their first event
	buf    []byte
}

// serve reads one request, sends the head, and leaves the rest to the emitter.
func (e *emitter) serve(c *net.TCPConn) {
	defer c.Close() // what is left to do is done on a copy
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	q := req.URL.Query()
	a := &answer{due: time.Now().Add(firstAfter)}
	a.events, _ = strconv.Atoi(q.Get("events"))
	if a.gap, err = time.ParseDuration(q.Get("gap")); err != nil || a.gap <= 0 {
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		return
	}
	if a.fd, err = duplicate(c); err != nil {
		return
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"+
		"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
	e.mu.Lock()
	e.new = append(e.new, a)
	e.mu.Unlock()
	select {
	case e.bell <- struct{}{}:
	default:
	}
}

func duplicate(c *net.TCPConn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	if cerr := raw.Control(func(s uintptr) { fd, err = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0) }); cerr != nil {
		return 0, cerr
	}
	return fd, err
}

func (e *emitter) run() {
	e.queues = map[time.Duration][]*answer{}
	for {
		e.mu.Lock()
		e.queues[firstAfter] = append(e.queues[firstAfter], e.new...)
		e.new = nil
		e.mu.Unlock()
		next := e.emit(time.Now())
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-e.bell:
			timer.Stop()
		}
	}
}

// emit writes what is due, and returns how long there is nothing to do.
func (e *emitter) emit(now time.Time) time.Duration {
	wait := time.Hour
	for key, list := range e.queues {
		n := 0
		for n < len(list) && !list[n].due.After(now) {
			n++
		}
		due := list[:n]
		if e.queues[key] = list[n:]; n < len(list) {
			wait = min(wait, list[n].due.Sub(now))
		}
		for _, a := range due {
			if e.write(a) {
				a.due = a.due.Add(a.gap)
				e.queues[a.gap] = append(e.queues[a.gap], a)
				wait = min(wait, time.Until(a.due))
			}
		}
	}
	return max(wait, 0)
}

// write sends the answer's next event, and reports whether there is another. A
// client that does not keep up, or is gone, gets no more.
func (e *emitter) write(a *answer) bool {
	a.k++
	e.buf = e.buf[:0]
	switch {
	case a.k <= a.events:
		e.event(fmt.Sprintf(`{"index":0,"delta":{"content":%q},"finish_reason":null}`, words[a.k%len(words)]), a.k)
	default:
		e.event(`{"index":0,"delta":{},"finish_reason":"stop"}`, a.k)
		e.buf = append(e.buf, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"...)
	}
	n, err := unix.Write(a.fd, e.buf)
	if err == nil && n == len(e.buf) && a.k <= a.events {
		return true
	}
	unix.Close(a.fd)
	return false
}

var words = []string{"the ", "quick ", "brown ", "fox ", "jumps ", "over ", "a ", "lazy ", "dog. "}

// event appends one chunk with one event, stamped last of all.
func (e *emitter) event(choice string, k int) {
	const head = `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench",`
	body := fmt.Appendf(nil, head+`"choices":[%s],"streamproof":{"seq":%d,"t":%d}}`+"\n\n", choice, k,
		time.Now().UnixNano())
	e.buf = fmt.Appendf(e.buf, "%x\r\n%s\r\n", len(body), body)
}

// A server is the server's process, as the parent sees it.
type server struct {
	cmd        *exec.Cmd
	in         io.Closer
	addr       string
	loadBefore string // load averages before anything was measured
}

func startServer(ctx context.Context) (*server, error) {
	s := &server{cmd: part(ctx, "server"), loadBefore: loadAverage()}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.in = in
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	if _, err := fmt.Fscanln(out, &s.addr); err != nil {
		return nil, errors.Join(fmt.Errorf("read the server's address: %w", err), s.close())
	}
	return s, nil
}

// url is where l is asked for.
func (s *server) url(l load) string { return "http://" + s.addr + l.path() }

// close ends the server with its standard input.
func (s *server) close() error {
	s.in.Close()
	return s.cmd.Wait()
}

func loadAverage() string {
	b, _ := readProc("loadavg")
	return strings.Join(strings.Fields(string(bytes.TrimSpace(b)))[:3], " ")
}
