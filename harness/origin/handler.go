package origin

import (
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxBody bounds what is read of a request's body. The rest would stay in the
// socket, and turn the FIN at the end of the stream into a RST.
const maxBody = 16 << 20

// serveStream answers /stream.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	a, nonce, err := s.read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !a.Stream {
		s.serveWhole(w, r, a, nonce)
		return
	}
	st := s.newReply(r, a, nonce)
	if err := s.take(w, st); err != nil {
		s.log.Error("refused", "nonce", nonce, "error", err.Error())
		return
	}
	// Once this handler has returned, net/http forgets the connection and its
	// buffers: 8 KB less per stream. Shutdown waits for the goroutine.
	go s.reply(st)
}

// reply writes a stream that take has counted in, and logs how it went.
func (s *Server) reply(st *reply) {
	st.log("start", "format", st.Format, "events", st.Events)
	err := st.run()
	defer s.leave(st, err)
	n := st.account.produced.Load()
	switch {
	case err == nil:
		st.log("done", "events", n)
	case errors.Is(err, errGone):
		st.log("client gone", "events", n)
	}
}

// read takes the request's wishes, and decides whether its stream is struck.
func (s *Server) read(r *http.Request) (Answer, string, error) {
	if n, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxBody+1)); err != nil || n > maxBody {
		return Answer{}, "", errors.Join(errors.New("read body: longer than 16 MiB or broken"), err)
	}
	nonce := r.Header.Get(NonceHeader)
	if len(nonce) > maxNonce {
		return Answer{}, "", errors.New("read " + NonceHeader + ": longer than 256 bytes")
	}
	if nonce == "" {
		nonce = newNonce()
	}
	a, err := s.answer.with(r.URL.Query())
	if a.Sabotage == s.answer.Sabotage && share(nonce) >= s.share {
		a.Sabotage = "" // ours by flag, and not this stream's lot
	}
	return a, nonce, err
}

// take counts st in and takes the connection from net/http.
func (s *Server) take(w http.ResponseWriter, st *reply) error {
	if err := s.enter(st); err != nil {
		refused(w, err)
		return err
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.leave(st, err)
		http.Error(w, "take connection: "+err.Error(), http.StatusHTTPVersionNotSupported)
		return err
	}
	s.mu.Lock()
	st.conn = conn
	late := s.cutOff
	s.mu.Unlock()
	if late { // counted in before cut, which had no connection to close
		conn.Close()
	}
	return nil
}

// serveWhole sends the same text in one piece, when a stream would have ended.
func (s *Server) serveWhole(w http.ResponseWriter, r *http.Request, a Answer, nonce string) {
	wait := time.NewTimer(time.Duration(a.Events-1)*a.Gap + a.Pause)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-r.Context().Done():
		s.log.Info("client gone", "nonce", nonce, "events", 0)
		return
	}
	var text []byte
	for seq := 1; seq <= a.Events; seq++ {
		text = appendText(text, keyOf(nonce), seq, a.Size)
	}
	enc := formats[a.Format](speaker{quote(nonce), s.pid})
	var p packet
	p.open()
	enc.whole(&p, a.Events, crc32.Checksum(text, castagnoli), text)
	body := p.now()
	h := w.Header()
	h.Set("Content-Type", enc.wholeType())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Streamproof-Pid", strconv.Itoa(s.pid))
	if _, err := w.Write(body); err != nil {
		s.log.Info("client gone", "nonce", nonce, "events", a.Events)
		return
	}
	s.log.Info("done", "nonce", nonce, "events", a.Events)
}
