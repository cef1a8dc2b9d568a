package fleet

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
)

// A worker tries TLS as its streams will, with the user's options, before it says that it is ready, and tells TLS that
// fails from an address that does not answer. It sends no request.
func TestReachShakesHands(t *testing.T) {
	silent := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	served := func(c *tls.Config) *httptest.Server {
		srv := httptest.NewUnstartedServer(silent)
		srv.TLS = c
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv
	}
	open := served(nil)
	wantsCertificate := served(&tls.Config{ClientAuth: tls.RequireAnyClientCert})
	older := served(&tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12})
	plain := httptest.NewServer(silent)
	t.Cleanup(plain.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: open.Certificate().Raw})
	at := func(srv *httptest.Server) string { return srv.Listener.Addr().String() }
	for name, c := range map[string]struct {
		to        place
		tls       *TLS
		bad, hand bool // it fails, and in the handshake
	}{
		"http":    {to: place{Address: at(plain)}},
		"trusted": {to: place{Address: at(open), Host: "127.0.0.1"}, tls: &TLS{CA: authority}},
		"another name, asked for": {to: place{Address: at(open), Host: "chat.test"},
			tls: &TLS{CA: authority, ServerName: "example.com"}},
		"any certificate":          {to: place{Address: at(open), Host: "chat.test"}, tls: &TLS{Insecure: true}},
		"no settings, not trusted": {to: place{Address: at(open), Host: "127.0.0.1"}, bad: true, hand: true},
		"another name": {to: place{Address: at(open), Host: "chat.test"}, tls: &TLS{CA: authority},
			bad: true, hand: true},
		"a certificate is required": {to: place{Address: at(wantsCertificate), Host: "chat.test"},
			tls: &TLS{Insecure: true}, bad: true, hand: true},
		"a certificate is required, TLS 1.2": {to: place{Address: at(older), Host: "chat.test"},
			tls: &TLS{Insecure: true}, bad: true, hand: true},
		"no TLS there": {to: place{Address: at(plain), Host: "127.0.0.1"}, tls: &TLS{Insecure: true},
			bad: true, hand: true},
		"nobody there": {to: place{Address: nobody(t), Host: "127.0.0.1"}, tls: &TLS{Insecure: true}, bad: true},
	} {
		secure, err := c.tls.Config()
		if err != nil {
			t.Fatal(err)
		}
		s := &serving{ctx: t.Context(), secure: secure}
		r := s.reach([]place{{Address: at(plain)}, c.to})
		bad := r.Address != ""
		if bad != c.bad || r.TLS != c.hand || bad != (r.Why != "") || bad && r.Address != c.to.Address {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// What is tried is what the streams connect to: each address once for each name that its certificate must have.
func TestPlacesOfAWave(t *testing.T) {
	w := Wave{Deal: load.Deal{Targets: map[record.Group]load.Target{"a": {URL: "https://chat.test/a"},
		"b": {URL: "https://chat.test/b"}, "c": {URL: "http://chat.test/a"},
		"d": {URL: "https://chat.test/a", Dial: "10.0.0.7:8443"},
		"e": {URL: "https://more.test:8443/", Dial: "10.0.0.7:8443"}}}}
	want := []place{{Address: "10.0.0.7:8443", Host: "chat.test"}, {Address: "10.0.0.7:8443", Host: "more.test"},
		{Address: "chat.test:443", Host: "chat.test"}, {Address: "chat.test:80"}}
	if got := w.places(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
