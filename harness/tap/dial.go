package tap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/streamproof/streamproof/harness/record"
)

// dial connects, and agrees on TLS and the protocol.
func (l *line) dial() (h2 bool, err error) {
	dial := l.tap.dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	c, err := dial(l.ctx, "tcp", l.f.req.dial)
	if err != nil {
		return false, err
	}
	l.setConn(c)
	if !l.f.req.secure {
		return l.f.job.HTTP2, nil
	}
	secure := tls.Client(l.tcp, l.tlsConfig())
	l.mu.Lock()
	l.conn = secure
	l.mu.Unlock()
	if err := secure.HandshakeContext(l.ctx); err != nil {
		return false, fmt.Errorf("TLS handshake: %w", err)
	}
	return secure.ConnectionState().NegotiatedProtocol == "h2", nil
}

func (l *line) tlsConfig() *tls.Config {
	return secureConfig(l.tap.opts.TLS, l.f.req.url.Hostname(), l.f.job.HTTP2)
}

func (l *line) dialEnding(err error) ending {
	switch {
	case l.f.cut.Load() != nil:
		return ending{}
	case errors.Is(err, context.DeadlineExceeded), timedOut(err):
		return ending{limit: record.ConnectLimit, err: err}
	case errors.Is(err, context.Canceled):
		return ending{}
	}
	return ending{close: record.CloseError, err: err}
}
