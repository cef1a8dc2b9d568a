package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// Where the system has no certificate authorities, as in our container image, those
// that are built in are trusted.
func TestAuthoritiesWhereTheSystemHasNone(t *testing.T) {
	if os.Getenv("SSL_CERT_FILE") == os.DevNull { // we are the child
		pool, err := x509.SystemCertPool()
		if err != nil || pool.Equal(x509.NewCertPool()) {
			t.Errorf("no authority is trusted: %v", err)
		}
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "SSL_CERT_FILE="+os.DevNull, "SSL_CERT_DIR="+t.TempDir())
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
