package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// talking answers with n events and leaves the connection open.
func talking(n int) *script {
	s := &script{end: "keep",
		pieces: []string{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"}}
	for range n {
		s.pieces = append(s.pieces, "9\r\ndata: x\n\n\r\n")
	}
	return s
}

func TestIdleConnectionIsEnded(t *testing.T) {
	s := talking(1)
	told := make(chan stack.Event, 4)
	r, err := Start(Options{Name: "edge", Listen: "127.0.0.1:0", Target: s.serve(t), Idle: 200 * time.Millisecond,
		Notify: func(e stack.Event) { told <- e }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	began := time.Now()
	got, end := drain(ask(t, r.Addr()))
	if end != "fin" || !strings.Contains(got, "data: x") {
		t.Errorf("got %q, then %s", got, end)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("ended after %v, before its time", took)
	}
	if e := <-told; e.Kind != record.KindIdle || e.Stream != 7 {
		t.Errorf("told %+v", e)
	}
}

// A connection on which something moves lives as long as it likes.
func TestBusyConnectionIsNotIdle(t *testing.T) {
	s := talking(0)
	for range 100 { // 2 ms apart: together twice the limit
		s.pieces = append(s.pieces, "9\r\ndata: x\n\n\r\n")
	}
	s.pieces, s.end = append(s.pieces, "0\r\n\r\n"), "fin"
	r, err := Start(Options{Name: "edge", Listen: "127.0.0.1:0", Target: s.serve(t), Idle: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	c := ask(t, r.Addr())
	c.CloseWrite()
	if got, end := drain(c); end != "fin" || strings.Count(got, "data: x") != 100 {
		t.Errorf("%d of 100 events, then %s", strings.Count(got, "data: x"), end)
	}
}

func TestStrikeByAge(t *testing.T) {
	for action, want := range map[stack.Action]string{stack.FIN: "fin", stack.RST: "rst"} {
		t.Run(string(action), func(t *testing.T) {
			s := talking(1)
			r := startRelay(t, s.serve(t))
			if err := r.Arm(t.Context(), stack.Strike{Stream: 7, Action: action, Age: 150 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			got, end := drain(ask(t, r.Addr()))
			if end != want || !strings.Contains(got, "data: x") || time.Since(began) < 150*time.Millisecond {
				t.Errorf("got %q, then %s after %v, want %s", got, end, time.Since(began), want)
			}
			lines, err := r.Ledger(t.Context())
			if err != nil || len(lines) != 1 || lines[0].Passed != 1 || lines[0].Age == 0 {
				t.Errorf("ledger %+v, %v", lines, err)
			}
		})
	}
	if err := startRelay(t, "127.0.0.1:1").Arm(t.Context(), stack.Strike{Stream: 7, Action: stack.Truncate,
		Age: time.Second}); err == nil {
		t.Error("truncating at an age makes no sense and was accepted")
	}
}
