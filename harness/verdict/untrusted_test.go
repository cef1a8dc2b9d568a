package verdict

import (
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

// A certificate that this machine does not trust says nothing of the app: the stream is
// not judged, where one that was refused by the network is.
func TestUntrustedIsOurs(t *testing.T) {
	for err, want := range map[string]bool{
		"TLS handshake: tls: failed to verify certificate: x509: certificate signed by unknown authority": true,
		"connect: connection refused":             false,
		"TLS handshake: remote error: tls: alert": false,
	} {
		s := &record.Stream{Wire: record.Wire{Err: err}}
		if got := unread(s); got != want {
			t.Errorf("%s: unread is %v, want %v", err, got, want)
		}
	}
}
