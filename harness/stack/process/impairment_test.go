package process

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// underSky is a lane to a server that writes whatever it is given.
func underSky(t *testing.T) (l *lane, server chan net.Conn) {
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
	l, err = newLane(t.Context(), newServer(), "lane", listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.close(context.Background()); err != nil {
			t.Error(err)
		}
		listener.Close()
		<-done
	})
	return l, server
}

func connect(t *testing.T, l *lane, server chan net.Conn) (client, app net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.listen)
	if err != nil {
		t.Fatal(err)
	}
	app = <-server
	t.Cleanup(func() { client.Close(); app.Close() })
	client.SetDeadline(time.Now().Add(20 * time.Second))
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

// Weather comes and goes over a connection that stands, and loses nothing.
func TestWeatherChangesOverAStandingConnection(t *testing.T) {
	l, server := underSky(t)
	client, app := connect(t, l, server)
	io.WriteString(app, "calm")
	expect(t, client, "calm")

	if err := l.add(t.Context(), stack.Latency(300*time.Millisecond, 0)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(app, "late")
	if took := expect(t, client, "late"); took < 250*time.Millisecond {
		t.Errorf("latency of 300 ms took %v", took)
	}

	if err := l.add(t.Context(), stack.Stall()); err != nil {
		t.Fatal(err)
	}
	io.WriteString(app, "held")
	client.SetReadDeadline(time.Now().Add(600 * time.Millisecond))
	if n, err := client.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes came through a stall", n)
	}
	client.SetDeadline(time.Now().Add(20 * time.Second))
	for _, name := range []string{"latency", "stall"} {
		if err := l.remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, client, "held")
}

func TestBandwidthIsHeldDown(t *testing.T) {
	l, server := underSky(t)
	client, app := connect(t, l, server)
	if err := l.add(t.Context(), stack.Bandwidth(10)); err != nil { // bytes a ms
		t.Fatal(err)
	}
	b := make([]byte, 5000)
	go app.Write(b) // ends with the read below
	if took := expect(t, client, string(b)); took < 400*time.Millisecond {
		t.Errorf("5000 bytes at 10 KB/s took %v", took)
	}
}

// toxiproxy#558: clients that have gone while data for them waits in the impairment
// must not keep it from being taken off, nor new ones from being served.
func TestClientsThatLeaveInBadWeatherHoldNobodyUp(t *testing.T) {
	l, server := underSky(t)
	if err := l.add(t.Context(), stack.Latency(200*time.Millisecond, 0)); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		client, app := connect(t, l, server)
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
	time.Sleep(400 * time.Millisecond) // for what was on its way to meet nobody
	began := time.Now()
	if err := l.remove(t.Context(), "latency"); err != nil {
		t.Fatal(err)
	}
	client, app := connect(t, l, server)
	io.WriteString(app, "served")
	expect(t, client, "served")
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}
