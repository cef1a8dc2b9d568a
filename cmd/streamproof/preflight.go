package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
)

// preflight looks for what would break a run before it has begun, and would
// then read like a failure of the app: a server that is not there, a port that
// is taken, a file or folder that cannot be used. It runs after [Options.Validate],
// so that no stranger's host is touched.
func preflight(ctx context.Context, o harness.Options) error {
	for _, check := range []func() error{
		func() error { return reachable(ctx, &o.App) },
		func() error { return portFree(o.App) },
		func() error { return readableLogs(o.App.Logs) },
		func() error { return builds(o.App.Build) },
		func() error { return composed(ctx, o.App.Compose) },
		func() error { return nginxReads(o.App.Edge.NginxConf) },
		func() error { return writable(o.Dir) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

const probeLimit = 3 * time.Second

// reachable opens a connection to the server that the user named, with TLS where
// the URL asks for it, and sends nothing.
func reachable(ctx context.Context, a *harness.App) error {
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
	return &harness.UsageError{Place: "url", Problem: "nothing answers at " + hostPort(u) + ": " + reason(err), Fix: "start the server, or correct the URL"}
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
	problem, fix := "the TLS handshake with "+u.Host+" failed: "+reason(err), "check the URL; 'openssl s_client -connect "+hostPort(u)+"' shows what the server says"
	switch {
	case errors.As(err, new(x509.HostnameError)):
		problem, fix = "the certificate of "+u.Host+" is for another name: "+reason(untrustedCause(err)), "name it with --sni NAME, or accept any certificate with --insecure"
	case errors.As(err, &untrusted):
		problem, fix = "the certificate of "+u.Host+" is not trusted: "+reason(untrustedCause(err)), "trust its authority with --cacert FILE, or accept any certificate with --insecure"
	case errors.As(err, &plain):
		problem, fix = u.Host+" speaks no TLS", "write http:// in the URL"
	case clientUnwanted(err):
		problem, fix = u.Host+" wants a certificate of the client: "+reason(err), "give one with --cert FILE --key FILE"
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

// portFree asks for the port that the user's command is to listen on.
func portFree(a harness.App) error {
	if len(a.Command) == 0 || a.Port == 0 {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port)))
	if err == nil {
		return l.Close()
	}
	return &harness.UsageError{Place: "app.port", Problem: fmt.Sprintf("port %d is taken: %s", a.Port, reason(err)),
		Fix: "end what listens there, or leave port out and use {port} or $PORT in the command"}
}

func readableLogs(logs []harness.LogFile) error {
	for _, l := range logs {
		f, err := os.Open(l.Path)
		if err != nil {
			return &harness.UsageError{Place: "app.logs." + l.Kind, Problem: fmt.Sprintf("cannot read %s: %s", l.Path, reason(err)), Fix: "check the path and its permissions"}
		}
		f.Close()
	}
	return nil
}

// writable tries to write where the run folder is to be, and leaves nothing
// there. A folder that holds a run is left alone: two runs in one record could
// not be told apart.
func writable(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "plan.json")); err == nil {
		return &harness.UsageError{Place: "out", Problem: dir + " already holds a run", Fix: "name another folder, or leave -o out"}
	}
	if sub := holdsRuns(dir); sub != "" {
		return &harness.UsageError{Place: "out", Problem: dir + " holds other runs, such as " + sub, Fix: "name a folder for this one: -o " + quote(filepath.Join(dir, "NAME"))}
	}
	probe, err := os.MkdirTemp(existing(dir), ".streamproof-*")
	if err == nil {
		err = os.Remove(probe)
	}
	if err != nil {
		return &harness.UsageError{Place: "out", Problem: fmt.Sprintf("cannot write to %s: %s", dir, reason(err)), Fix: "name a folder that can be written with -o"}
	}
	return nil
}

// holdsRuns names a run in a folder of dir; "" where there is none.
func holdsRuns(dir string) string {
	entries, _ := os.ReadDir(dir) // one that is not there or cannot be read holds none that we could mix up
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "plan.json")); err == nil {
			return e.Name()
		}
	}
	return ""
}

// existing is dir, or the nearest folder above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// reason is the last cause of an error, without the path and operation that the
// line already names.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}
