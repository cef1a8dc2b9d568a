//go:build unix

package origin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is an origin in a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string

	mu   sync.Mutex // guards logs
	logs []line
	read sync.WaitGroup // its stdout
}

// A line is one of its log lines.
type line struct {
	T         int64
	Level     string
	Msg       string
	Pid       int
	Nonce     string
	Events    int
	Error     string
	Stack     string
	WorkerPid int `json:"worker_pid"`
}

// launch starts an origin and waits for its address.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "addr")
	p := &process{t: t, cmd: exec.Command(os.Args[0], append([]string{"--listen", "127.0.0.1:0", "--ready-file", ready},
		args...)...)}
	p.cmd.Env = append(os.Environ(), asOrigin+"=1")
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.read.Go(func() { p.collect(stdout) })
	t.Cleanup(func() { p.cmd.Process.Kill(); p.wait() })
	eventually(t, "ready file", func() bool {
		b, err := os.ReadFile(ready)
		p.addr = string(b)
		return err == nil
	})
	return p
}

func (p *process) collect(r io.Reader) {
	for s := bufio.NewScanner(r); s.Scan(); {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			p.t.Errorf("log line %q: %v", s.Text(), err)
		}
		p.mu.Lock()
		p.logs = append(p.logs, l)
		p.mu.Unlock()
	}
}

// wait returns the exit code.
func (p *process) wait() int {
	p.read.Wait()
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// find returns the lines whose message starts with msg.
func (p *process) find(msg string) (found []line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.logs {
		if strings.HasPrefix(l.Msg, msg) {
			found = append(found, l)
		}
	}
	return found
}

// open starts a stream, and returns once its first event is there. The channel
// gives the whole of it.
func (p *process) open(nonce, query string) <-chan got {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	io.WriteString(conn, "GET /stream?"+query+" HTTP/1.1\r\nHost: o\r\nX-Request-ID: "+nonce+"\r\n\r\n")
	var start []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(start, []byte("\ndata:")) {
		conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(buf)
		if err != nil {
			p.t.Fatalf("first event of %s: %v after %q", nonce, err, start)
		}
		start = append(start, buf[:n]...)
	}
	whole := make(chan got, 1)
	go func() { // ends with the stream, or when it falls silent
		defer conn.Close()
		rest, ending := readAll(conn)
		whole <- parseReply(p.t, append(start, rest...), ending)
	}()
	return whole
}

func TestDrain(t *testing.T) {
	for _, workers := range []string{"1", "2"} {
		t.Run(workers+" workers", func(t *testing.T) {
			p := launch(t, "--workers", workers, "--grace", "30s")
			stream := p.open("n", "events=40&gap=20ms")
			p.cmd.Process.Signal(syscall.SIGTERM)
			eventually(t, "refusal of new connections", func() bool {
				conn, err := net.Dial("tcp", p.addr)
				if err == nil {
					conn.Close()
				}
				return err != nil
			})
			if g := <-stream; g.where != "end" || len(g.events) != 40 {
				t.Errorf("stream in flight stopped %s after %d events, want all 40", g.where, len(g.events))
			}
			if code := p.wait(); code != exitOK {
				t.Errorf("exit code %d, want 0", code)
			}
			if len(p.find("draining")) == 0 || len(p.find("drained")) == 0 {
				t.Error("draining and drained are not logged")
			}
		})
	}
}

func TestGraceRunsOut(t *testing.T) {
	p := launch(t, "--grace", "100ms")
	stream := p.open("n", "events=100000&gap=20ms")
	p.cmd.Process.Signal(syscall.SIGTERM)
	if g := <-stream; g.where != "between chunks" || g.ending != "fin" {
		t.Errorf("stopped %s, ended %s; want a cut body", g.where, g.ending)
	}
	if code := p.wait(); code != exitCut {
		t.Errorf("exit code %d, want %d", code, exitCut)
	}
}

// A worker's death takes its own streams along and no other's, its accounts stay
// behind, and another worker takes its place.
func TestWorkerKilled(t *testing.T) {
	p := launch(t, "--workers", "3", "--grace", "30s")
	eventually(t, "3 workers", func() bool { return len(p.find("worker pid")) == 3 })
	streams := map[string]<-chan got{}
	pids, perPid := map[string]int{}, map[int]int{}
	// Which worker takes a connection is the kernel's to say: on a busy machine one that
	// waits for a processor gets none of the first dozen.
	for i := 0; i < 12 || len(perPid) < 3 && i < 60; i++ {
		nonce := "n-" + strconv.Itoa(i)
		streams[nonce] = p.open(nonce, "events=100&gap=20ms")
		pid := int(ledger(t, p.addr, nonce).Pid)
		pids[nonce] = pid
		perPid[pid]++
	}
	if len(perPid) != 3 {
		t.Fatalf("streams per worker: %v, want all 3 workers to have some", perPid)
	}
	victim := pids["n-0"]
	syscall.Kill(victim, syscall.SIGKILL)
	for nonce, stream := range streams {
		g := <-stream
		killed, whole := pids[nonce] == victim, g.where == "end" && len(g.events) == 100
		if killed == whole {
			t.Errorf("%s on pid %d (killed: %v) stopped %s after %d events", nonce, pids[nonce], killed, g.where, len(g.events))
		}
		// The master closes the accounts of a dead worker once it has buried it.
		eventually(t, "end of production", func() bool { return ledger(t, p.addr, nonce).Stopped })
		if e := ledger(t, p.addr, nonce); e.Done == killed || int(e.Pid) != pids[nonce] {
			t.Errorf("%s (killed: %v): account %+v", nonce, killed, e)
		}
	}
	died := p.find(fmt.Sprintf("worker pid %d died: signal: killed", victim))
	if len(died) != 1 || died[0].WorkerPid != victim {
		t.Errorf("death is logged as %+v", died)
	}
	eventually(t, "a fourth worker", func() bool {
		started := p.find("worker pid")
		return len(started) == 5 && strings.HasSuffix(started[4].Msg, "started")
	})
	if g := <-p.open("after", "events=3&gap=1ms"); g.where != "end" {
		t.Errorf("stream after the kill stopped %s", g.where)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestWorkersDieWithTheirMaster(t *testing.T) {
	p := launch(t, "--workers", "2")
	eventually(t, "2 workers", func() bool { return len(p.find("worker pid")) == 2 })
	workers := p.find("worker pid")
	p.cmd.Process.Kill()
	eventually(t, "end of the workers", func() bool {
		for _, w := range workers {
			if running(w.WorkerPid) {
				return false
			}
		}
		return true
	})
	p.wait()
}

// running reports whether a process is there and no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux" && syscall.Kill(pid, 0) == nil
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestBallast(t *testing.T) {
	const ballast = 64 << 20
	p := launch(t, "--ballast", strconv.Itoa(ballast))
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("resident memory is read from /proc, which this system lacks")
	}
	var size, resident int
	fmt.Sscan(string(statm), &size, &resident)
	if got := resident * os.Getpagesize(); got < ballast {
		t.Errorf("%d bytes resident, want at least the ballast of %d", got, ballast)
	}
}

func TestStreamsAreLogged(t *testing.T) {
	p := launch(t, "--log-events")
	<-p.open("whole", "events=3&gap=1ms")
	<-p.open("broken", "events=4&gap=1ms&sabotage=incomplete-body")
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.wait()
	if l := p.find("done"); len(l) != 1 || l[0].Nonce != "whole" || l[0].Events != 3 || l[0].T == 0 {
		t.Errorf("done: %+v", l)
	}
	if l := p.find("error"); len(l) != 1 || l[0].Nonce != "broken" || l[0].Level != "ERROR" ||
		!strings.Contains(l[0].Stack, "abandon wire.go:") {
		t.Errorf("error: %+v", l)
	}
	if n := len(p.find("event")); n != 5 {
		t.Errorf("%d events logged, want 3 and 2", n)
	}
}

func TestUsageErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"--evnets 3", exitUsage, "flag provided but not defined: -evnets"},
		{"--gap fast", exitUsage, `invalid value "fast" for flag -gap`},
		{"--workers 0", exitUsage, "--workers: 0 is not 1 to 64"},
		{"--sabotage unheard-of", exitUsage, "known: silent-truncation"},
		{"--sabotage-share 2", exitUsage, "2 is not 0 to 1"},
		{"surplus", exitUsage, `unexpected "surplus"`},
		{"--listen " + taken.Addr().String(), exitError, "address already in use"},
		{"--listen 127.0.0.1:0 --ready-file /nowhere/at/all", exitError, "write ready file"},
		{"--listen 127.0.0.1:0 --workers 2", exitUsage, "not started as the origin"},
	} {
		var out bytes.Buffer
		if code := Main(context.Background(), strings.Fields(tt.args), &out, &out); code != tt.code ||
			!strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: exit %d, %q; want %d, %q", tt.args, code, out.String(), tt.code, tt.want)
		}
	}
}
