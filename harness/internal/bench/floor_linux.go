package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A counted is what the floor and Vegeta tell of their own.
type counted struct {
	Whole int             // streams that ended with a last chunk, or well
	First []time.Duration // from request to first event; empty where that is not known
}

// partFlags reads the flags of floor and vegeta.
func partFlags(args []string) (addr string, l load, err error) {
	flags := flag.NewFlagSet("part", flag.ContinueOnError)
	flags.StringVar(&addr, "addr", "", "host:port of the server")
	flags.IntVar(&l.Streams, "streams", 1, "")
	flags.IntVar(&l.Events, "events", 1, "")
	flags.DurationVar(&l.Gap, "gap", time.Second, "")
	flags.DurationVar(&l.Ramp, "ramp", 0, "")
	return addr, l, flags.Parse(args)
}

// floorPart reads all streams with as little as there is: one epoll, one buffer,
// read(2). It notes when each stream began, and nothing else.
func floorPart(args []string, stdout io.Writer) error {
	addr, l, err := partFlags(args)
	if err != nil {
		return err
	}
	ep, err := unix.EpollCreate1(0)
	if err != nil {
		return err
	}
	f := &floor{ep: ep, asked: make([]atomic.Int64, l.Streams+1024)}
	opened := make(chan error, 1)
	go func() { opened <- f.open(addr, l) }() // awaited below
	if err := f.read(l.Streams); err != nil {
		return err
	}
	if err := <-opened; err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(f.counted)
}

type floor struct {
	ep    int
	asked []atomic.Int64 // ns since the epoch by descriptor; 0 once the first event is there
	counted
}

func (f *floor) read(open int) error {
	buf := make([]byte, 64<<10)
	events := make([]unix.EpollEvent, 256)
	for open > 0 {
		n, err := unix.EpollWait(f.ep, events, -1)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, ev := range events[:max(n, 0)] {
			if f.drain(&ev, buf) {
				unix.Close(int(ev.Fd))
				open--
			}
		}
	}
	return nil
}

// drain reads until the socket is empty, and reports whether the stream is over.
func (f *floor) drain(ev *unix.EpollEvent, buf []byte) (over bool) {
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(ev.Fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 || n == 0 {
			return true
		}
		if bytes.HasSuffix(buf[:n], []byte("0\r\n\r\n")) {
			f.Whole++
		}
		if asked := f.asked[ev.Fd].Load(); asked != 0 && bytes.Contains(buf[:n], []byte("data:")) {
			f.First = append(f.First, time.Duration(time.Now().UnixNano()-asked))
			f.asked[ev.Fd].Store(0)
		}
		if int(n) < len(buf) && ev.Events&unix.EPOLLRDHUP == 0 {
			return false
		}
	}
}

// open sends the requests, spread over the ramp.
func (f *floor) open(addr string, l load) error {
	to, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return err
	}
	sa := &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}
	began := time.Now()
	for i := range l.Streams {
		time.Sleep(time.Until(began.Add(l.Ramp * time.Duration(i) / time.Duration(l.Streams))))
		if err := f.ask(sa, l); err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) ask(sa unix.Sockaddr, l load) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, sa); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	f.asked[fd].Store(time.Now().UnixNano())
	if _, err := unix.Write(fd, []byte("GET "+l.path()+" HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	return unix.EpollCtl(f.ep, unix.EPOLL_CTL_ADD, fd, &ev)
}
