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
	"github.com/streamproof/streamproof/harness/tap"
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
	c, err := d.DialContext(ctx, "tcp", cmp.Or(a.At(u), tap.Address(u)))
	if err == nil {
		defer c.Close()
		return trusted(ctx, a, u, c)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	place := tap.Address(u)
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
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err = tap.Shake(ctx, c, conf, u.Hostname()); err == nil {
		return nil
	}
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	problem, fix := "the TLS handshake with "+u.Host+" failed: "+harness.Reason(err),
		"check the URL; 'openssl s_client -connect "+tap.Address(u)+"' shows what the server says"
	switch {
	case errors.As(err, new(x509.HostnameError)):
		problem, fix = "the certificate of "+u.Host+" is for another name: "+why(untrustedCause(err)),
			"name it with --sni NAME, or accept any certificate with --insecure"
	case expired(err):
		problem, fix = "the certificate of "+u.Host+" is not valid now: "+why(untrustedCause(err)), expiredFix
	case errors.As(err, &untrusted):
		problem, fix = "the certificate of "+u.Host+" is not trusted: "+why(untrustedCause(err)), trustFix
	case errors.As(err, &plain):
		problem, fix = u.Host+" speaks no TLS", "write http:// in the URL"
	case tap.ClientUnwanted(err):
		return clientRefused(u.Host, a.TLS, err)
	}
	return &harness.UsageError{Place: "url", Problem: problem, Fix: fix}
}

// clientRefused says what a server has against the certificate of its client, or that
// there is none.
func clientRefused(host string, own harness.TLS, err error) error {
	said := harness.Reason(err)
	switch {
	case own.Cert == "":
		return &harness.UsageError{Place: "url", Problem: host + " requires a client certificate: " + said,
			Fix: "give one with --cert FILE --key FILE"}
	case strings.Contains(said, "certificate required"): // TLS offers only one that the server says it would take
		return &harness.UsageError{Place: "tls.cert", Problem: "the certificate in " + own.Cert + " is signed by none " +
			"of the certificate authorities that " + host + " accepts, and was not sent",
			Fix: "give the one that was issued for this server with --cert FILE --key FILE"}
	}
	return &harness.UsageError{Place: "tls.cert", Problem: host + " refused the certificate in " + own.Cert + ": " + said,
		Fix: "give a valid one with --cert FILE --key FILE; its dates and issuer: " +
			"openssl x509 -noout -dates -issuer -in " + harness.ShellWord(own.Cert)}
}

// expired reports whether a certificate was refused for its dates, of which no
// certificate authority could make up.
func expired(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

const expiredFix = "renew it, or accept any certificate with --insecure"

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
