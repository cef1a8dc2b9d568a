package recognise

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness"
)

// A certificate that this machine does not trust, and a host that load may not go to,
// are bad input, and no request is sent.
func TestReach(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	srv.StartTLS()
	defer srv.Close()
	for _, tt := range []struct {
		name string
		app  harness.App
		want string
	}{
		{"untrusted", harness.App{URL: srv.URL + "/chat"}, "is not trusted"},
		{"any certificate", harness.App{URL: srv.URL + "/chat", TLS: harness.TLS{Insecure: true}}, ""},
		{"a stranger", harness.App{URL: "http://stranger.example/chat"}, "is not this machine"},
		{"nobody", harness.App{URL: "http://127.0.0.1:1/chat"}, "nothing answers"},
	} {
		err := Reach(t.Context(), harness.Options{App: tt.app})
		var usage *harness.UsageError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
