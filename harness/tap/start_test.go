package tap_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/tap"
)

// The start of a body is kept where the body brought no content, and only there.
func TestStartOfABodyWithoutContent(t *testing.T) {
	long := "<html>" + strings.Repeat("x", 900)
	for body, want := range map[string]string{
		`{"error":"rate limited"}`: `{"error":"rate limited"}`,
		long:                       long[:500],
		": ping\n\ndata: a\n\n":    "",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for _, half := range []string{body[:4], body[4:]} {
				fmt.Fprint(w, half)
				w.(http.Flusher).Flush()
			}
		}))
		carriers(t, func(t *testing.T, mode tap.Mode) {
			d, ask := generic(t)
			r := newRig(t, tap.Options{Mode: mode})
			if s := r.get(tap.Job{URL: srv.URL, Dialect: d, Ask: ask}); s.Start != want {
				t.Errorf("start of %.30q is %q, want %q", body, s.Start, want)
			}
		})
		srv.Close()
	}
}
