package relay

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// impaired is a relay to a server that writes whatever it is given. Its streams have
// goroutines of their own where they are to be struck, and share a loop otherwise.
func impaired(t *testing.T) (r *Relay, server chan net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server = make(chan net.Conn, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			server <- c
		}
	}()
	r = startRelay(t, listener.Addr().String())
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return r, server
}

// bothCarriers runs a test on streams of the loop, and on those that are to be struck.
func bothCarriers(t *testing.T, test func(t *testing.T, r *Relay, connect func() (client, app net.Conn))) {
	for name, struck := range map[string]bool{"loop": false, "goroutines": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, server := impaired(t)
			if struck { // never, since there are not so many events
				if err := r.Arm(t.Context(), stack.Strike{Stream: 1, After: 1 << 20, Action: stack.RST}); err != nil {
					t.Fatal(err)
				}
			}
			test(t, r, func() (client, app net.Conn) { return connect(t, r, server) })
		})
	}
}

// connect asks for a stream, and returns both of its ends.
func connect(t *testing.T, r *Relay, server chan net.Conn) (client, app net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	const request = "GET / HTTP/1.1\r\nHost: a\r\n" + stack.StreamHeader + ": 1\r\n\r\n"
	io.WriteString(client, request)
	app = <-server
	t.Cleanup(func() { client.Close(); app.Close() })
	if _, err := io.ReadFull(app, make([]byte, len(request))); err != nil {
		t.Fatal(err)
	}
	client.SetDeadline(time.Now().Add(20 * time.Second))
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	io.WriteString(app, head)
	expect(t, client, head)
	return client, app
}

func expect(t *testing.T, client net.Conn, want string) time.Duration {
	t.Helper()
	began := time.Now()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(client, b); err != nil || string(b) != want {
		t.Fatalf("got %q, %v, want %q", b, err, want)
	}
	return time.Since(began)
}

// An impairment comes and goes over a connection that stands, and loses nothing.
func TestImpairmentChangesOverAStandingConnection(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		client, app := connect()
		io.WriteString(app, "free")
		expect(t, client, "free")
		if err := r.Impair(stack.Latency(300*time.Millisecond, 0)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		io.WriteString(app, "late")
		expect(t, client, "late")
		if took := time.Since(began); took < 250*time.Millisecond {
			t.Errorf("latency of 300 ms took %v", took)
		}
		if err := r.Impair(stack.Stall()); err != nil {
			t.Fatal(err)
		}
		io.WriteString(app, "held")
		client.SetReadDeadline(time.Now().Add(600 * time.Millisecond))
		if n, err := client.Read(make([]byte, 1)); err == nil {
			t.Fatalf("%d bytes came through a stall", n)
		}
		client.SetDeadline(time.Now().Add(20 * time.Second))
		r.Restore("latency")
		r.Restore("stall")
		expect(t, client, "held")
	})
}

// Bytes that end a read in the moment in which an impairment is about to end it are
// delayed, too. Here the impairment holds and has woken nobody.
func TestBytesThatComeWithAnImpairmentAreDelayed(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		client, app := connect()
		io.WriteString(app, "free")
		expect(t, client, "free")
		time.Sleep(50 * time.Millisecond) // the next read has begun
		r.impaired.change(func(list []stack.Toxic) []stack.Toxic {
			return append(list, stack.Latency(300*time.Millisecond, 0))
		})
		began := time.Now()
		io.WriteString(app, "late")
		expect(t, client, "late")
		if took := time.Since(began); took < 300*time.Millisecond {
			t.Errorf("latency of 300 ms took %v", took)
		}
	})
}

// What is under way keeps its order and its distance, and the end comes behind it, as
// what it was.
func TestEndsComeBehindWhatIsDelayed(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		if err := r.Impair(stack.Latency(200*time.Millisecond, 0)); err != nil {
			t.Fatal(err)
		}
		for _, end := range []string{"fin", "rst"} {
			client, app := connect()
			began := time.Now()
			var came []time.Duration
			go func() { // ends with the connection
				for range 5 {
					io.WriteString(app, "0123456789")
					time.Sleep(20 * time.Millisecond)
				}
				if end == "rst" {
					app.(*net.TCPConn).SetLinger(0)
				}
				app.Close()
			}()
			for range 5 {
				expect(t, client, "0123456789")
				came = append(came, time.Since(began))
			}
			if came[0] < 200*time.Millisecond || came[4] < 280*time.Millisecond {
				t.Errorf("%s: pieces came after %v, want each 200 ms late", end, came)
			}
			if _, got := drain(client); got != end {
				t.Errorf("the stream ended with %s, want %s", got, end)
			}
		}
	})
}

func TestBandwidthIsHeldDown(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		client, app := connect()
		if err := r.Impair(stack.Bandwidth(10)); err != nil { // bytes a ms
			t.Fatal(err)
		}
		b := make([]byte, 5000)
		go app.Write(b) // ends with the read below
		if took := expect(t, client, string(b)); took < 400*time.Millisecond {
			t.Errorf("5000 bytes at 10 KB/s took %v", took)
		}
	})
}

// A sender is not let run ahead of a client for ever: what is held is bounded, and
// nothing of it is lost.
func TestDelayedBytesAreBounded(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		client, app := connect()
		if err := r.Impair(stack.Stall()); err != nil {
			t.Fatal(err)
		}
		const size = 32 << 20
		b := make([]byte, size)
		app.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := app.Write(b)
		if err == nil {
			t.Fatalf("%d bytes were swallowed in a stall", n)
		}
		r.Restore("stall")
		if got, err := io.CopyN(io.Discard, client, int64(n)); err != nil {
			t.Errorf("%d of %d bytes came: %v", got, n, err)
		}
	})
}

// A link that is cut ends what stands, refuses what comes, and comes back, with its
// impairment.
func TestCutEndsStandingConnections(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		if err := r.Impair(stack.Latency(100*time.Millisecond, 0)); err != nil {
			t.Fatal(err)
		}
		client, app := connect()
		r.Cut()
		if got, end := drain(client); got != "" || end != "fin" {
			t.Errorf("the client got %q and %s", got, end)
		}
		if _, err := app.Read(make([]byte, 1)); err == nil {
			t.Error("the app's connection still stands")
		}
		if err := r.Resume(); err != nil {
			t.Fatal(err)
		}
		client, app = connect()
		io.WriteString(app, "back")
		if took := expect(t, client, "back"); took < 50*time.Millisecond {
			t.Errorf("took %v, want a latency of 100 ms", took)
		}
	})
}

// A strike finds its place in what the impairment lets go.
func TestStrikesAreBehindTheImpairment(t *testing.T) {
	t.Parallel()
	r, server := impaired(t)
	if err := r.Impair(stack.Latency(100*time.Millisecond, 0)); err != nil {
		t.Fatal(err)
	}
	client, app := connect(t, r, server)
	began := time.Now()
	io.WriteString(app, "data: 1\n\ndata: 2\n\ndata: 3\n\n")
	if err := r.Arm(t.Context(), stack.Strike{Stream: 1, After: 2, Action: stack.RST}); err != nil {
		t.Fatal(err)
	}
	got, end := drain(client)
	if got != "data: 1\n\ndata: 2\n\n" || end != "rst" || time.Since(began) < 90*time.Millisecond {
		t.Errorf("got %q and %s after %v", got, end, time.Since(began))
	}
}

func TestRelayRefusesWhatItCannotDo(t *testing.T) {
	r, _ := impaired(t)
	for _, toxic := range []stack.Toxic{
		{Name: "x", Type: "latency", Direction: stack.Upstream},
		{Name: "x", Type: "slicer", Direction: stack.Downstream, Attr: map[string]any{"average_size": 10}},
		{Name: "x", Type: "latency", Direction: stack.Downstream, Attr: map[string]any{"latency": -1}},
	} {
		if err := r.Impair(toxic); err == nil {
			t.Errorf("it took %+v", toxic)
		}
	}
}

// Clients that have gone while data for them is delayed must not keep the impairment
// from being taken off, nor new ones from being served.
func TestClientsThatLeaveHoldNobodyUp(t *testing.T) {
	t.Parallel()
	bothCarriers(t, func(t *testing.T, r *Relay, connect func() (client, app net.Conn)) {
		if err := r.Impair(stack.Latency(50*time.Millisecond, 0)); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			client, app := connect()
			go func() { // ends when the connection does
				for {
					if _, err := app.Write(make([]byte, 1000)); err != nil {
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
			time.Sleep(10 * time.Millisecond)
			client.(*net.TCPConn).SetLinger(0)
			client.Close()
		}
		time.Sleep(100 * time.Millisecond) // for what was on its way to meet nobody
		began := time.Now()
		r.Restore("latency")
		client, app := connect()
		io.WriteString(app, "served")
		expect(t, client, "served")
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// What is held of a stream that is never without something on its way grows with that,
// and not with the age of the stream.
func TestDelayedTakesRoomBack(t *testing.T) {
	var d delayed
	m := &condition{delay: time.Hour, rate: -1}
	for n := range 10_000 {
		d.hold([]byte{byte(n), byte(n >> 8)})
		if n < 5 {
			continue
		}
		p, _, ok := d.next(m)
		if want := n - 5; !ok || int(p[0])|int(p[1])<<8 != want {
			t.Fatalf("chunk %d is %v, %t", want, p, ok)
		}
		d.passed(len(p))
	}
	if n := cap(d.chunks); n > 64 {
		t.Errorf("room for %d chunks, where five are held", n)
	}
	if d.bytes != 10 {
		t.Errorf("%d bytes are held, want 10", d.bytes)
	}
}
