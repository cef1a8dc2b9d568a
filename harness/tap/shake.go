package tap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"
)

// Shake agrees on TLS over a connection as streams to a host do, and sends nothing. conf is as in [Options]; nil means
// Go's defaults.
func Shake(ctx context.Context, c net.Conn, conf *tls.Config, host string) error {
	secure := tls.Client(c, secureConfig(conf, host, false))
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	return refusal(secure)
}

// secureConfig is that of a connection to a host; http2 offers nothing else.
func secureConfig(conf *tls.Config, host string, http2 bool) *tls.Config {
	c := &tls.Config{}
	if conf != nil {
		c = conf.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	switch {
	case http2:
		c.NextProtos = []string{"h2"}
	case len(c.NextProtos) == 0:
		c.NextProtos = []string{"h2", "http/1.1"}
	}
	return c
}

// refusal waits a moment for a server that refuses the client behind the handshake:
// in TLS 1.3 it looks at the client's certificate only then (RFC 8446 section 4.4.2.4).
// One that is content says nothing, or begins to speak HTTP/2.
func refusal(c *tls.Conn) error {
	if c.SetReadDeadline(time.Now().Add(refusalWait)) != nil {
		return nil
	}
	_, err := c.Read(make([]byte, 1))
	if err != nil && ClientUnwanted(err) {
		return err
	}
	return nil
}

// refusalWait is a few round trips.
const refusalWait = 150 * time.Millisecond

// ClientUnwanted reports whether a server ended TLS for the client's certificate: by
// one of the alerts that speak of certificates (RFC 8446 section 6.2).
func ClientUnwanted(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error" &&
		(strings.Contains(alert.Err.Error(), "certificate") || strings.Contains(alert.Err.Error(), "access denied"))
}
