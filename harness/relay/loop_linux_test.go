package relay

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// A stepper is a target whose single connection the test writes by hand.
type stepper struct {
	l     net.Listener
	conns chan *net.TCPConn
}

func newStepper(t *testing.T) *stepper {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stepper{l, make(chan *net.TCPConn, 4)}
	done := make(chan struct{})
	go func() { // ends with the listener
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns <- c.(*net.TCPConn)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return s
}

// open connects a client through the relay, and returns both ends.
func (s *stepper) open(t *testing.T, r *Relay) (client, server *net.TCPConn) {
	t.Helper()
	client = ask(t, r.Addr())
	server = <-s.conns
	t.Cleanup(func() { server.Close() })
	server.SetDeadline(time.Now().Add(patience))
	for head := ""; !strings.HasSuffix(head, "\r\n\r\n"); {
		b := make([]byte, 1)
		if _, err := server.Read(b); err != nil {
			t.Fatal(err)
		}
		head += string(b)
	}
	return client, server
}

// carriers counts the relay's connections by what carries them.
func carriers(r *Relay) (looped, others int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.mu.Lock()
		if c.polled {
			looped++
		} else {
			others++
		}
		c.mu.Unlock()
	}
	return looped, others
}

// wantCarriers waits for the counts: the change from one carrier to the other is
// not seen from outside.
func wantCarriers(t *testing.T, r *Relay, looped, others int) {
	t.Helper()
	var l, o int
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		if l, o = carriers(r); l == looped && o == others {
			return
		}
	}
	t.Errorf("%d connections in the loop and %d in goroutines, want %d and %d", l, o, looped, others)
}

const steppedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

// send writes p to one end and reads it from the other.
func send(t *testing.T, from, to net.Conn, p string) {
	t.Helper()
	got := make([]byte, len(p))
	if _, err := io.WriteString(from, p); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, got); err != nil || string(got) != p {
		t.Fatalf("got %q, %v, want %q", got, err, p)
	}
}

func chunkOf(k int) string { return fmt.Sprintf("9\r\ndata: %d\n\n\r\n", k) }

// A strike that is armed while the loop carries its stream finds its place.
func TestLateStrikeIsAsExact(t *testing.T) {
	for _, after := range []int{2, 4} { // passed already, and to come
		s := newStepper(t)
		r := startRelay(t, s.l.Addr().String())
		client, server := s.open(t, r)
		send(t, server, client, steppedHead+chunkOf(1)+chunkOf(2)+chunkOf(3))
		wantCarriers(t, r, 1, 0)
		if err := r.Arm(t.Context(), stack.Strike{Stream: 7, After: after, Action: stack.RST}); err != nil {
			t.Fatal(err)
		}
		wantCarriers(t, r, 0, 1)
		io.WriteString(server, chunkOf(4)+chunkOf(5))
		want := strings.TrimSuffix(chunkOf(4), "\r\n")
		if got, end := drain(client); got != want || end != "rst" {
			t.Errorf("after %d: client got %q and %s, want %q and rst", after, got, end, want)
		}
		wantLedger(t, r, 4, 4*9)
	}
}

// Only a victim has goroutines, and only until its strike is done.
func TestLoopTakesOverAfterTheLastStrike(t *testing.T) {
	s := newStepper(t)
	r := startRelay(t, s.l.Addr().String())
	r.Arm(t.Context(), stack.Strike{Stream: 7, After: 1, Action: stack.Hold, For: time.Millisecond},
		stack.Strike{Stream: 7, After: 3, Action: stack.Flip})
	client, server := s.open(t, r)
	send(t, server, client, steppedHead+chunkOf(1)+chunkOf(2))
	wantCarriers(t, r, 0, 1)
	io.WriteString(server, chunkOf(3)+chunkOf(4))
	want := chunkOf(3) + chunkOf(5) // changed
	got := make([]byte, len(want))
	if _, err := io.ReadFull(client, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	wantCarriers(t, r, 1, 0)
	send(t, server, client, chunkOf(5)+"0\r\n\r\n")
	send(t, client, server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	server.Close()
	if got, end := drain(client); got != "" || end != "fin" {
		t.Errorf("client got %q and %s, want fin", got, end)
	}
	client.Close()
	wantCarriers(t, r, 0, 0)
}

// A side that does not read holds the other up and loses nothing, either way.
func TestLoopWaitsForSlowReaders(t *testing.T) {
	s := newStepper(t)
	r := startRelay(t, s.l.Addr().String())
	client, server := s.open(t, r)
	send(t, server, client, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB, more than the sockets hold
	for _, way := range [][2]*net.TCPConn{{server, client}, {client, server}} {
		sent := make(chan error, 1)
		go func() { // awaited below
			_, err := way[0].Write(big)
			sent <- err
		}()
		time.Sleep(50 * time.Millisecond) // so that everything is full
		got := make([]byte, len(big))
		if _, err := io.ReadFull(bufio.NewReaderSize(way[1], 100), got); err != nil || !bytes.Equal(got, big) {
			t.Errorf("%v, or other bytes than were sent", err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	wantCarriers(t, r, 1, 0)
}

// The client's ends reach the target as what they were.
func TestLoopPassesTheClientsEnds(t *testing.T) {
	for end, do := range map[string]func(*net.TCPConn){
		"fin": func(c *net.TCPConn) { c.CloseWrite() },
		"rst": func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
	} {
		s := newStepper(t)
		r := startRelay(t, s.l.Addr().String())
		client, server := s.open(t, r)
		send(t, server, client, steppedHead)
		do(client)
		if _, saw := drain(server); saw != end {
			t.Errorf("target saw %s, want %s", saw, end)
		}
		if end == "fin" { // the way down is open still
			send(t, server, client, chunkOf(1))
			server.Close()
			drain(client)
		}
		wantCarriers(t, r, 0, 0)
	}
}

// Close ends what the loop carries.
func TestCloseEndsTheLoop(t *testing.T) {
	s := newStepper(t)
	r := startRelay(t, s.l.Addr().String())
	client, server := s.open(t, r)
	send(t, server, client, steppedHead+chunkOf(1))
	wantCarriers(t, r, 1, 0)
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*net.TCPConn{client, server} {
		if got, end := drain(c); got != "" || end != "fin" {
			t.Errorf("got %q and %s, want fin", got, end)
		}
	}
}
