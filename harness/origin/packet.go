package origin

import "time"

// headRoom is where a chunk's size in hex and its CRLF go: RFC 9112 section 7.1.
const headRoom = 10

// A packet is one frame on its way to the socket, whole but for its stamp.
type packet struct {
	buf   []byte // headRoom bytes, the frame, CRLF if chunked
	start int    // of the bytes to be written
	stamp int    // where the stamp stands in buf, 0 if the frame has none
	style stampStyle
}

// A stampStyle is the way in which a format writes time.
type stampStyle uint8

const (
	unixNano stampStyle = iota // 19 digits, until the year 2286
	rfc3339                    // "2006-01-02T15:04:05.000000000Z"
)

const rfc3339Layout = "2006-01-02T15:04:05.000000000Z"

// open empties p for a new frame, to be appended to buf.
func (p *packet) open() {
	if cap(p.buf) < headRoom {
		p.buf = make([]byte, headRoom, 512)
	}
	p.buf, p.start, p.stamp = p.buf[:headRoom], headRoom, 0
}

// room leaves a place for the stamp.
func (p *packet) room(style stampStyle) {
	p.stamp, p.style = len(p.buf), style
	if style == rfc3339 {
		p.buf = append(p.buf, rfc3339Layout...)
		return
	}
	p.buf = append(p.buf, "0000000000000000000"...)
}

// frame is the packet without its chunk.
func (p *packet) frame() []byte { return p.buf[headRoom:] }

// seal makes a chunk of the frame.
func (p *packet) seal() {
	p.start = putChunkSize(p.buf, len(p.frame()))
	p.buf = append(p.buf, "\r\n"...)
}

// unseal undoes seal, so that the packet can be sent again.
func (p *packet) unseal(f framing) {
	if f == chunked {
		p.buf, p.start = p.buf[:len(p.buf)-len("\r\n")], headRoom
	}
}

// putChunkSize writes size and CRLF so that they end at headRoom, and returns
// where they begin.
func putChunkSize(b []byte, size int) int {
	i := headRoom - 2
	b[i], b[i+1] = '\r', '\n'
	for {
		i--
		b[i] = "0123456789abcdef"[size&15]
		if size >>= 4; size == 0 {
			return i
		}
	}
}

// now fills in the stamp. Nothing but the write may come after it.
func (p *packet) now() []byte {
	switch {
	case p.stamp == 0:
	case p.style == rfc3339:
		time.Now().UTC().AppendFormat(p.buf[:p.stamp], rfc3339Layout)
	default:
		putDigits(p.buf[p.stamp:p.stamp+19], time.Now().UnixNano())
	}
	return p.buf[p.start:]
}

// putDigits fills b with the decimal digits of n, from the right.
func putDigits(b []byte, n int64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}
