package recognise

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
)

const probeLimit = 3 * time.Second

// Reachable opens a connection to the server that the user named, with TLS where
// the URL asks for it, and sends nothing.
func Reachable(ctx context.Context, a *harness.App) error {
	if a.URL == "" {
		return nil
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		return &harness.UsageError{Place: "url", Problem: "cannot be read", Fix: "write it like http://127.0.0.1:8000/chat"}
	}
	d := net.Dialer{Timeout: probeLimit}
	c, err := d.DialContext(ctx, "tcp", cmp.Or(a.At(u), hostPort(u)))
	if err == nil {
		defer c.Close()
		return trusted(ctx, a, u, c)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	place := hostPort(u)
	if at := a.At(u); at != "" && at != place {
		place += " (" + at + ", as you resolve it)"
	}
	return &harness.UsageError{Place: "url", Problem: "nothing answers at " + place + ": " + harness.Reason(err),
		Fix: "start the server, or correct the URL"}
}

// trusted shakes hands as the streams will. A certificate that this machine does
// not trust is no fault of the app.
func trusted(ctx context.Context, a *harness.App, u *url.URL, c net.Conn) error {
	if u.Scheme != "https" {
		return nil
	}
	conf, err := a.TLS.Config()
	if err != nil {
		return err
	}
	if conf == nil {
		conf = &tls.Config{}
	}
	conf.ServerName, conf.NextProtos = cmp.Or(conf.ServerName, u.Hostname()), []string{"h2", "http/1.1"}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	secure := tls.Client(c, conf)
	err = secure.HandshakeContext(ctx)
	if err == nil {
		err = refusal(secure)
	}
	if err == nil {
		return nil
	}
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	problem, fix := "the TLS handshake with "+u.Host+" failed: "+harness.Reason(err),
		"check the URL; 'openssl s_client -connect "+hostPort(u)+"' shows what the server says"
	switch {
	case errors.As(err, new(x509.HostnameError)):
		problem, fix = "the certificate of "+u.Host+" is for another name: "+why(untrustedCause(err)),
			"name it with --sni NAME, or accept any certificate with --insecure"
	case errors.As(err, &untrusted):
		problem, fix = "the certificate of "+u.Host+" is not trusted: "+why(untrustedCause(err)), trustFix
	case errors.As(err, &plain):
		problem, fix = u.Host+" speaks no TLS", "write http:// in the URL"
	case clientUnwanted(err):
		problem, fix = u.Host+" requires a client certificate: "+harness.Reason(err),
			"give one with --cert FILE --key FILE"
	}
	return &harness.UsageError{Place: "url", Problem: problem, Fix: fix}
}

// refusal waits a moment for a server that refuses the client behind the handshake:
// in TLS 1.3 it looks at the client's certificate only then (RFC 8446 section 4.4.2.4).
// One that is content says nothing, or begins to speak HTTP/2.
func refusal(c *tls.Conn) error {
	if c.SetReadDeadline(time.Now().Add(refusalWait)) != nil {
		return nil
	}
	_, err := c.Read(make([]byte, 1))
	if err != nil && clientUnwanted(err) {
		return err
	}
	return nil
}

// refusalWait is a few round trips.
const refusalWait = 150 * time.Millisecond

// clientUnwanted reports whether a server ended TLS for the client's certificate.
func clientUnwanted(err error) bool {
	return strings.Contains(err.Error(), "certificate required") || strings.Contains(err.Error(), "bad certificate")
}

const trustFix = "trust its certificate authority with --cacert FILE, or accept any certificate with --insecure"

// why is what is wrong with a certificate, without the guesses that Go adds in brackets.
func why(err error) string {
	text, _, _ := strings.Cut(harness.Reason(err), " (possibly because")
	return text
}

// untrustedCause is why a certificate was refused.
func untrustedCause(err error) error {
	var v *tls.CertificateVerificationError
	if errors.As(err, &v) {
		return v.Err
	}
	return err
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
