package scenarios_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/scenarios"
)

// hits answers with lines of JSON, the last of which says that it is over in a way that
// no API has.
func hits(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	for i := range 5 {
		fmt.Fprintf(w, "{\"hit\":%d}\n", i)
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Fprintln(w, `{"status":"finished","total":5}`)
}

// TestRunWithoutADialect: in 'go test' as on the command line nobody has to say how the
// app answers.
func TestRunWithoutADialect(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(hits))
	defer srv.Close()
	sc := scenario(t, "control")
	sc.Load = harness.Load{Streams: 4}
	scenarios.Run(t, harness.App{URL: srv.URL + "/search"}, sc)
}

// TestUntrustedBehindARedirect: a certificate that this machine does not trust is bad
// input there, too, and no fault of the app.
func TestUntrustedBehindARedirect(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(hits))
	defer secure.Close()
	front := httptest.NewServer(http.RedirectHandler(secure.URL+"/search", http.StatusTemporaryRedirect))
	defer front.Close()
	for _, insecure := range []bool{false, true} {
		o := harness.Options{App: harness.App{URL: front.URL + "/search", TLS: harness.TLS{Insecure: insecure}}}
		var err error
		if o.Opener, err = scenarios.Opener(o.App); err != nil {
			t.Fatal(err)
		}
		_, err = recognise.Fill(t.Context(), &o, nil)
		switch {
		case insecure && (err != nil || o.App.Stream.Terminal != "json .status == finished"):
			t.Errorf("accepting any certificate: %+v, %v", o.App.Stream, err)
		case !insecure && (err == nil || !strings.Contains(err.Error(), "behind a redirect is not trusted")):
			t.Errorf("%v, want that the certificate is not trusted", err)
		}
	}
}
