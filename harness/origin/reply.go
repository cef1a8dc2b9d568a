package origin

import (
	"errors"
	"hash/crc32"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Why a stream ended before its answer did.
var (
	errGone = errors.New("client gone")
	errOver = errors.New("ended by sabotage") // all has been said, and logged
)

// A framing is how a response marks the end of its body.
type framing uint8

const (
	chunked  framing = iota // RFC 9112 section 7.1
	untilEOF                // HTTP/1.0, and section 6.3 rule 8
	length                  // Content-Length
)

// A reply is one answer being written. It has a goroutine of its own, and one
// more to watch the client. That costs little: with 3,000 streams at ten events
// a second write(2) took 63 % of the CPU and all waiting 15 %; timers aligned to
// a common tick made no difference that could be measured.
type reply struct {
	Answer
	server  *Server
	nonce   string
	key     uint64
	conn    net.Conn
	proto   string
	framing framing
	enc     encoder
	account *account
	hooks   *hooks // nil for an honest stream
	probed  string // the protocol in which a probed edge asked; "" for everybody else

	next, beat packet
	text       []byte
	sum        uint32
	skip       int // an event that was sent out of turn
	from       int // the last event that the client has from before

	due    time.Time // of the next event
	last   time.Time // when anything was written
	timer  *time.Timer
	gone   chan struct{} // closed when the client has left
	blocks bool          // stops the whole process in its middle
	deaf   bool          // goes on although the client has left
	hold   bool          // writes go to held
	held   []byte
}

func (s *Server) newReply(r *http.Request, a Answer, nonce string) *reply {
	st := &reply{Answer: a, server: s, nonce: nonce, key: keyOf(nonce), proto: r.Proto,
		enc: formats[a.Format](speaker{quote(nonce), s.pid}), timer: time.NewTimer(time.Hour), gone: make(chan struct{})}
	if !r.ProtoAtLeast(1, 1) {
		st.framing = untilEOF
	}
	st.from = lastEvent(r, a.Events)
	if a.Sabotage != "" {
		st.hooks = &sabotage(a.Sabotage).hooks
	}
	return st
}

// lastEvent is the event that a client which reconnects has already, 0 for one
// that has none of ours (WHATWG HTML section 9.2.4).
func lastEvent(r *http.Request, events int) int {
	n, err := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	if err != nil || n < 0 || n > events {
		return 0
	}
	return n
}

// run writes the answer and closes the connection. It returns nil for an answer
// that was written to its end.
func (s *reply) run() error {
	go s.watch()
	s.account = s.server.board.account(s.key, s.server.pid)
	err := s.answer()
	if err == nil {
		s.account.done.Store(1)
	}
	s.account.stop()
	s.timer.Stop()
	s.conn.Close()
	<-s.gone // watch ends with the connection
	return err
}

func (s *reply) answer() error {
	if err := s.open(); err != nil {
		return err
	}
	s.due = time.Now()
	for seq := s.from + 1; seq <= s.Events; seq++ {
		if err := s.event(seq); err != nil {
			return err
		}
	}
	return s.finish()
}

// open writes the head, and the role where the format has one.
func (s *reply) open() error {
	if s.hooks != nil && s.hooks.head != nil {
		return s.hooks.head(s)
	}
	return s.honestHead()
}

// honestHead takes further header lines ("Name: value").
func (s *reply) honestHead(lines ...string) error {
	if err := s.raw(s.head(lines...)); err != nil {
		return err
	}
	s.next.open()
	s.enc.role(&s.next)
	return s.send(&s.next)
}

// event builds event seq, waits for its turn and writes it.
func (s *reply) event(seq int) error {
	if seq == s.skip {
		return nil
	}
	s.prepare(seq)
	if err := s.wait(s.due); err != nil {
		return err
	}
	s.produced(seq)
	if err := s.act(seq); err != nil {
		return err
	}
	s.due = s.due.Add(s.Gap)
	if s.Pause > 0 && seq == s.pauseAt() {
		s.due = s.due.Add(s.Pause)
	}
	if now := time.Now(); s.due.Before(now) {
		s.due = now // whoever was late goes on from there and does not catch up
	}
	return nil
}

// act writes the prepared event, unless this is where the sabotage strikes.
func (s *reply) act(seq int) error {
	if s.blocks && seq == s.at() {
		s.server.block()
	}
	if s.hooks != nil && s.hooks.event != nil && seq == s.at() {
		return s.hooks.event(s, seq)
	}
	return s.send(&s.next)
}

// prepare builds event seq in s.next and takes it into the checksum.
func (s *reply) prepare(seq int) {
	s.text = appendText(s.text[:0], s.key, seq, s.Size)
	s.sum = crc32.Update(s.sum, castagnoli, s.text)
	s.next.open()
	s.enc.event(&s.next, seq, s.text)
}

func (s *reply) produced(seq int) {
	s.account.produced.Store(int64(seq))
	if s.server.logEvents {
		s.log("event", "seq", seq)
	}
}

// finish writes the terminal and the end of the body.
func (s *reply) finish() error {
	if s.hooks != nil && s.hooks.end != nil {
		return s.hooks.end(s)
	}
	if err := s.terminal(); err != nil {
		return err
	}
	return s.endBody()
}

func (s *reply) terminal() error {
	s.next.open()
	s.enc.done(&s.next, s.Events, s.sum)
	return s.send(&s.next)
}

// endBody says that the body is whole: with the last chunk (RFC 9112 section
// 7.1), or with the FIN that run sends.
func (s *reply) endBody() error {
	if s.framing != chunked {
		return nil
	}
	return s.raw([]byte("0\r\n\r\n"))
}

// log writes a line about this stream.
func (s *reply) log(msg string, args ...any) {
	s.server.log.Info(msg, append([]any{"nonce", s.nonce}, args...)...)
}
