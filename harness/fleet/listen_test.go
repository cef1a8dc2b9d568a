package fleet

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// served has a worker listen, and returns where and how that ended.
func served(t *testing.T, ctx context.Context, limit time.Duration) (addr string, ended chan error) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	go func() { ended <- (Worker{Version: "v1"}).serveOne(ctx, l, limit) }()
	return l.Addr().String(), ended
}

// A worker that listens greets the one parent that it serves, and ends with it.
func TestListeningWorkerServesOneParent(t *testing.T) {
	addr, ended := served(t, t.Context(), time.Minute)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := ReadGreeting(conn); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	o := Options{Version: "v1", Now: func() time.Duration { return time.Since(began) }}
	f := Muster(t.Context(), o, []Member{{Conn: conn}})
	if !f.ready() {
		t.Errorf("the worker is not greeted: %+v", f.members[0].came())
	}
	if other, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		if err := ReadGreeting(other); err == nil {
			t.Error("a second parent is served")
		}
		other.Close()
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A worker whose parent does not come ends by itself, and says so; one that is told to
// end has nothing to say.
func TestListeningWorkerDoesNotStay(t *testing.T) {
	_, ended := served(t, t.Context(), 50*time.Millisecond)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "no parent came within 50ms") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, ended = served(t, ctx, time.Minute)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it was told to end, and says %v", err)
	}
}

// What is no worker is told from one.
func TestReadGreeting(t *testing.T) {
	for said, want := range map[string]bool{Greeting: true, "": false, Greeting[:5]: false, "HTTP/1.1 400 Bad Request\r\n\r\n": false} {
		if err := ReadGreeting(strings.NewReader(said)); (err == nil) != want {
			t.Errorf("%q: %v", said, err)
		}
	}
	if err := ReadGreeting(strings.NewReader("")); !errors.Is(err, io.EOF) {
		t.Errorf("an end is %v", err)
	}
}
