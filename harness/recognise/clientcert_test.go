package recognise

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
)

// signer is a certificate authority, or what it signs.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// sign makes a certificate that ca signs; nil signs itself.
func (ca *signer) sign(t *testing.T, name string, until time.Time) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	by := ca
	if ca == nil {
		by = &signer{c, key}
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &signer{c, key}
}

func (s *signer) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{s.cert.Raw}, PrivateKey: s.key}
}

func (s *signer) files(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return written(t, dir, name+".pem", "CERTIFICATE", s.cert.Raw), written(t, dir, name+".key", "PRIVATE KEY", der)
}

func written(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is wrong with a certificate, the server's or the client's own, is named with
// what mends it: bad input, and never an error of ours.
func TestCertificatesThatCannotBeUsed(t *testing.T) {
	var none *signer
	dir, later, past := t.TempDir(), time.Now().AddDate(1, 0, 0), time.Now().AddDate(0, 0, -1)
	ca, other := none.sign(t, "ca", later), none.sign(t, "other", later)
	trust, _ := ca.files(t, dir, "ca")
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	serve := func(own *signer, auth tls.ClientAuthType) string {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{own.tls()}, ClientAuth: auth, ClientCAs: pool}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.URL
	}
	plain := serve(ca.sign(t, "expired", past), tls.NoClientCert)
	mutual := serve(ca.sign(t, "srv", later), tls.RequireAndVerifyClientCert)
	cert, key := ca.sign(t, "good", later).files(t, dir, "good")
	oldCert, oldKey := ca.sign(t, "old", past).files(t, dir, "old")
	wrongCert, wrongKey := other.sign(t, "wrong", later).files(t, dir, "wrong")
	sealed := written(t, dir, "sealed.key", "ENCRYPTED PRIVATE KEY", []byte("x"))
	der, p12 := filepath.Join(dir, "c.der"), filepath.Join(dir, "it's.p12")
	if err := errors.Join(os.WriteFile(der, ca.cert.Raw, 0o600),
		os.WriteFile(p12, []byte{0x30, 0x82, 1, 0, 2}, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, url string
		tls       harness.TLS
		want      string
	}{
		{"expired server", plain, harness.TLS{}, "is not valid now: x509: certificate has expired"},
		{"no certificate", mutual, harness.TLS{}, "requires a client certificate"},
		{"a good one", mutual, harness.TLS{Cert: cert, Key: key}, ""},
		{"an expired one", mutual, harness.TLS{Cert: oldCert, Key: oldKey}, "refused the certificate in " + oldCert},
		{"of another authority", mutual, harness.TLS{Cert: wrongCert, Key: wrongKey},
			"signed by none of the certificate authorities"},
		{"without its key", mutual, harness.TLS{Cert: cert}, "holds a certificate and no key; add --key FILE"},
		{"with an encrypted key", mutual, harness.TLS{Cert: cert, Key: sealed},
			"openssl pkey -in '" + sealed + "' -out client.key"},
		{"of DER", mutual, harness.TLS{Cert: der, Key: key}, "is a certificate in DER"},
		{"of PKCS 12", mutual, harness.TLS{Cert: p12}, `it'\''s.p12' -out client.pem`},
		{"with a key that is not there", mutual, harness.TLS{Cert: cert, Key: "absent"},
			"no such file or directory; check the path"},
	} {
		tt.tls.CACert = trust
		err := Reach(t.Context(), harness.Options{App: harness.App{URL: tt.url, TLS: tt.tls}})
		var usage *harness.UsageError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
