package origin

import (
	"fmt"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// The sabotages that break the response itself.

func refuse(s *reply) error {
	const body = `{"error":"overloaded, try again later"}` + "\n"
	head := "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) +
		"\r\nX-Streamproof-Sabotaged: http-error\r\nConnection: close\r\n\r\n"
	if err := s.raw([]byte(head + body)); err != nil {
		return err
	}
	return s.fail("answer 503: overloaded")
}

func hangUp(s *reply) error { return s.crash("crash before the response") }

func reset(s *reply, _ int) error {
	s.linger0()
	return s.crash("reset connection in the body")
}

// linger0 turns the close of the connection into a RST.
func (s *reply) linger0() {
	if c, ok := s.conn.(interface{ SetLinger(sec int) error }); ok {
		c.SetLinger(0)
	}
}

func abandon(s *reply, _ int) error { return s.crash(failure) }

func cutInChunk(s *reply, _ int) error {
	half := len(s.next.frame()) * 3 / 4
	if s.framing == chunked {
		s.next.seal()
	}
	head := headRoom - s.next.start // of the chunk
	if err := s.raw(s.next.now()[:head+half]); err != nil {
		return err
	}
	return s.crash("close connection inside a chunk")
}

// cutInChunkHeader sends the digits of a size and not the CRLF after them.
func cutInChunkHeader(s *reply, _ int) error {
	if s.framing == chunked {
		if err := s.raw([]byte("5e")); err != nil {
			return err
		}
	}
	return s.crash("close connection inside the head of a chunk")
}

func cutBeforeLastCRLF(s *reply) error {
	if err := s.terminal(); err != nil {
		return err
	}
	if s.framing == chunked {
		if err := s.raw([]byte("0\r\n")); err != nil {
			return err
		}
	}
	return s.crash("close connection before the end of the last chunk")
}

func resetAfterTerminal(s *reply) error {
	if err := s.terminal(); err != nil {
		return err
	}
	s.linger0()
	return s.crash("reset connection after the terminal")
}

func garble(s *reply, _ int) error {
	if err := s.raw([]byte("xyzzy\x00\xff this is no chunk\r\n")); err != nil {
		return err
	}
	return s.crash("lose track of the chunks")
}

// splice does what gunicorn's sync worker does when it times out.
func splice(s *reply, _ int) error {
	const body = "<html><head><title>Internal Server Error</title></head><body><h1>Internal Server " +
		"Error</h1></body></html>"
	head := "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n"
	if err := s.raw([]byte(head + body)); err != nil {
		return err
	}
	return s.crash("answer 500 in the middle of a response")
}

func declareAll(s *reply) error  { return s.declare(s.Events, true) }
func declareSome(s *reply) error { return s.declare(s.at(), false) }

func fallShort(s *reply, _ int) error { return s.crash("too little data for declared Content-Length") }

// overrun sends the last event that the length covers and the next one with one
// write, so that no client can miss the surplus.
func overrun(s *reply, seq int) error {
	if seq == s.Events {
		return s.send(&s.next) // the terminal follows at once
	}
	s.hold = true
	if err := s.send(&s.next); err != nil {
		return err
	}
	s.prepare(seq + 1)
	s.produced(seq + 1)
	s.skip = seq + 1
	if err := s.send(&s.next); err != nil {
		return err
	}
	s.hold = false
	return s.raw(s.held)
}

// declare sends a head with the length of the first events, and of the terminal
// if it is to be counted. Stamps have a fixed width, so the length is known.
func (s *reply) declare(events int, terminal bool) error {
	s.framing = length
	var p packet
	p.open()
	s.enc.role(&p)
	size := len(p.frame())
	for seq := 1; seq <= events; seq++ {
		p.open()
		s.text = appendText(s.text[:0], s.key, seq, s.Size)
		s.enc.event(&p, seq, s.text)
		size += len(p.frame())
	}
	if terminal {
		p.open()
		s.enc.done(&p, s.Events, 0)
		size += len(p.frame())
	}
	return s.honestHead("Content-Length: " + strconv.Itoa(size))
}

func undelimited(s *reply) error {
	s.framing = untilEOF
	return s.honestHead()
}

// How a sabotaged stream ends.

// quit ends the body properly, as if that had been all, and logs no error: the
// app believes it.
func (s *reply) quit(events int) error {
	if err := s.endBody(); err != nil {
		return err
	}
	s.log("done", "events", events)
	return errOver
}

// crash logs what a server writes whose handler panicked: the app did not mean
// to end like this.
func (s *reply) crash(why string) error { return s.fail("panic serving /stream: " + why) }

// fail logs an error that the app has noticed itself.
func (s *reply) fail(why string) error {
	s.server.log.Error("error", "nonce", s.nonce, "events", s.account.produced.Load(), "error", why, "stack", callers())
	return errOver
}

// hang keeps the connection open until the client leaves or the server shuts
// down.
func (s *reply) hang() error {
	select {
	case <-s.gone:
		return errGone
	case <-s.server.draining:
		return errOver
	}
}

// callers is the stack from the caller of fail on, one "function file:line" a
// line.
func callers() string {
	var pcs [8]uintptr
	n := runtime.Callers(3, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	var b strings.Builder
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s %s:%d\n", path.Base(f.Function), path.Base(f.File), f.Line)
		if !more || strings.HasPrefix(f.Function, "net/http.") {
			return b.String()
		}
	}
}
