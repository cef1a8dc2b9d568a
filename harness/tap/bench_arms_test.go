//go:build linux && (amd64 || arm64)

package tap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/sys/unix"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

const benchRamp = 3 * time.Second

// command tells the server and waits for its answer.
func (p plan) command(emit string) error {
	resp, err := http.Get(fmt.Sprintf("http://%s/go?n=%d&events=%d&gap=%s&emit=%s", p.Addr, p.Streams, p.Events, p.Gap,
		emit))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// metered runs read, which opens and reads all streams, lets the server emit when
// all are open, and measures CPU and memory of this process meanwhile.
func (p plan) metered(read func() error) (res result, err error) {
	empty := resident()
	ended := make(chan error, 1)
	go func() { ended <- read() }() // awaited below
	if err := p.command(""); err != nil {
		return res, err
	}
	time.Sleep(time.Second) // the last heads arrive
	before := cpu()
	go p.command("yes") // answered when everything is written; read's end is what counts
	peak := 0.0
	for done := false; !done; {
		select {
		case err = <-ended:
			done = true
		case <-time.After(200 * time.Millisecond):
			peak = max(peak, resident())
		}
	}
	events := float64(p.Streams * p.Events)
	res.CPU = float64((cpu() - before).Microseconds()) / events
	res.Memory = (peak - empty) / float64(p.Streams)
	return res, err
}

// cpu is the time that this process has used, user and system.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// resident is this process's resident memory in KiB, without the pages of its
// executable, which are the same for any number of streams.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		panic(err)
	}
	return float64(kib)
}

// tapArm is the product: Vegeta over the tap, in a process that collects as
// [load.GCPercent] advises.
func tapArm(p plan) (result, error) {
	debug.SetGCPercent(load.GCPercent)
	dialect, _ := stream.Lookup("origin")
	start := time.Now()
	var mu sync.Mutex
	var ended []*record.Stream
	t, err := tap.New(tap.Options{Start: start, Done: func(s *record.Stream) {
		mu.Lock()
		defer mu.Unlock()
		ended = append(ended, s)
	}})
	if err != nil {
		return result{}, err
	}
	res, err := p.metered(func() error {
		_, err := load.Drive(context.Background(), t, load.Wave{Streams: p.Streams, Ramp: benchRamp, Dialect: &dialect,
			Assign: func(uint64) load.Target { return load.Target{URL: "http://" + p.Addr + "/stream"} }})
		return err
	})
	if err = errors.Join(err, t.Close()); err != nil {
		return res, err
	}
	score(&res, p, start.UnixNano(), ended)
	return res, nil
}

// score counts what came, and how late it is said to have come. An arrival that is
// an interval (frames that one read returned) is not wrong: it is counted apart,
// and as missed if the event was emitted after its end.
func score(res *result, p plan, epoch int64, ended []*record.Stream) {
	var errs []float64
	var lag time.Duration
	got, intervals, missed := 0, 0, 0
	for _, s := range ended {
		if s.Content.State == stream.Complete && s.Wire.Where == record.AtEnd {
			res.Whole++
		}
		got += s.Contents
		lag = max(lag, s.Lag)
		for m := range s.Marks() {
			late := epoch + int64(m.At) - m.Emit
			switch {
			case late < 0:
				missed++
			case m.Early < m.At:
				intervals++
			default:
				errs = append(errs, float64(late)/1e3)
			}
		}
	}
	slices.Sort(errs)
	at := func(q float64) float64 { return errs[int(q*float64(len(errs)-1))] }
	res.Lost, res.Missed = p.Streams*p.Events-got, missed
	res.Exact = 100 * float64(len(errs)) / float64(len(errs)+intervals+missed)
	res.P50, res.P99, res.P999 = at(0.5), at(0.99), at(0.999)
	res.Lag = lag.Seconds() * 1e3
}

// vegetaArm is Vegeta as it comes, told to keep no body.
func vegetaArm(p plan) (result, error) {
	whole := 0
	res, err := p.metered(func() error {
		a := vegeta.NewAttacker(vegeta.Timeout(0), vegeta.MaxBody(0), vegeta.Workers(uint64(p.Streams)),
			vegeta.MaxWorkers(uint64(p.Streams)), vegeta.KeepAlive(false))
		target := vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: "http://" + p.Addr + "/stream"})
		for r := range a.Attack(target, ramp(p.Streams), 0, "") {
			if r.Code == 200 && r.Error == "" {
				whole++
			}
		}
		return nil
	})
	res.Whole, res.Lost = whole, -1
	return res, err
}

// A ramp is a pacer that starts so many streams within benchRamp, and no more.
type ramp int

func (n ramp) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	return time.Duration(hits)*benchRamp/time.Duration(n) - elapsed, hits == uint64(n)
}

func (n ramp) Rate(time.Duration) float64 { return float64(n) / benchRamp.Seconds() }

// floorArm reads with as little as there is: one epoll, one buffer, read(2).
func floorArm(p plan) (result, error) {
	whole := 0
	res, err := p.metered(func() (err error) {
		whole, err = floorRead(p)
		return err
	})
	res.Whole, res.Lost = whole, -1
	return res, err
}

func floorRead(p plan) (whole int, err error) {
	ep, err := unix.EpollCreate1(0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(ep)
	opened := make(chan error, 1)
	go func() { opened <- floorOpen(ep, p) }() // awaited below
	buf := make([]byte, 64<<10)
	events := make([]unix.EpollEvent, 256)
	end := []byte("0\r\n\r\n")
	for open := p.Streams; open > 0; {
		n, err := unix.EpollWait(ep, events, -1)
		if err != nil && err != unix.EINTR {
			return whole, err
		}
		for _, ev := range events[:max(n, 0)] {
			for {
				r, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(ev.Fd), uintptr(unsafe.Pointer(&buf[0])),
					uintptr(len(buf)))
				if errno == unix.EAGAIN {
					break
				}
				if errno != 0 || r == 0 {
					unix.Close(int(ev.Fd))
					open--
					break
				}
				if bytes.HasSuffix(buf[:r], end) {
					whole++
				}
				if int(r) < len(buf) && ev.Events&unix.EPOLLRDHUP == 0 {
					break
				}
			}
		}
	}
	return whole, <-opened
}

func floorOpen(ep int, p plan) error {
	to, err := net.ResolveTCPAddr("tcp", p.Addr)
	if err != nil {
		return err
	}
	sa := &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}
	for range p.Streams {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(fd, sa); err != nil {
			return err
		}
		if _, err := unix.Write(fd, []byte("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			return err
		}
		if err := unix.SetNonblock(fd, true); err != nil {
			return err
		}
		ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
		if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			return err
		}
		time.Sleep(benchRamp / time.Duration(2*p.Streams))
	}
	return nil
}
