package origin

import (
	"net/http"
	"strconv"
	"time"
)

// send stamps a packet and writes it as one chunk with one write(2).
func (s *reply) send(p *packet) error {
	if len(p.frame()) == 0 {
		return nil
	}
	if s.framing == chunked {
		p.seal()
	}
	s.server.unblocked()
	if s.hold {
		s.held = append(s.held, p.now()...)
		return nil
	}
	return s.raw(p.now())
}

// raw writes b as it stands.
func (s *reply) raw(b []byte) error {
	_, err := s.conn.Write(b)
	if err != nil && !s.deaf {
		return errGone
	}
	s.last = time.Now()
	return nil
}

// head is the head of a response with status 200.
func (s *reply) head(lines ...string) []byte {
	b := make([]byte, 0, 512)
	if s.proto == "HTTP/1.0" {
		b = append(b, "HTTP/1.0 "...)
	} else {
		b = append(b, "HTTP/1.1 "...)
	}
	b = append(b, "200 OK\r\nServer: streamproof-origin\r\nDate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\nContent-Type: "+s.enc.contentType()+"\r\nConnection: close\r\nX-Streamproof-Pid: "...)
	b = strconv.AppendInt(b, int64(s.server.pid), 10)
	if !s.server.Cacheable {
		b = append(b, "\r\nCache-Control: no-store"...)
	}
	if !s.server.Cacheable && (s.hooks == nil || !s.hooks.accel) {
		b = append(b, "\r\nX-Accel-Buffering: no"...)
	}
	if s.Sabotage != "" {
		b = append(b, "\r\nX-Streamproof-Sabotaged: "+s.Sabotage...)
	}
	if s.probed != "" {
		b = append(b, "\r\n"+ProbeHeader+": "+s.probed...)
	}
	if s.framing == chunked {
		b = append(b, "\r\nTransfer-Encoding: chunked"...)
	}
	for _, line := range lines {
		b = append(append(b, "\r\n"...), line...)
	}
	return append(b, "\r\n\r\n"...)
}
