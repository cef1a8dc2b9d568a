package chain

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// A scripted part ends after a time, and knows a hint.
type scripted struct {
	began time.Time
	after time.Duration // 0 for never
	tail  []string
}

func (scripted) Pid() int                                          { return 1 }
func (scripted) Processes(context.Context) ([]Process, error)      { return nil, nil }
func (scripted) Signal(context.Context, int, syscall.Signal) error { return nil }
func (s scripted) Ended(context.Context) error {
	if s.after != 0 && time.Since(s.began) >= s.after {
		return errors.New("it ended, exit code 3")
	}
	return nil
}
func (s scripted) Tail(context.Context) []string           { return s.tail }
func (scripted) Hint(_ context.Context, last error) string { return "; a hint at " + last.Error() }

func TestAwait(t *testing.T) {
	const (
		limit = 2 * time.Second
		ended = "start app[0]: it ended, exit code 3"
		emerg = `1 [emerg] 7#7: unknown directive "x" in nginx.conf:3`
	)
	for name, c := range map[string]struct {
		part    scripted
		healthy time.Duration // after which the probe succeeds; 0 for never
		want    string        // the error; "" for none
		took    time.Duration // at most
	}{
		"comes up":            {scripted{}, 300 * time.Millisecond, "", 320 * time.Millisecond},
		"ends":                {scripted{after: 300 * time.Millisecond}, 0, ended, 600 * time.Millisecond},
		"another one answers": {scripted{after: time.Millisecond}, time.Millisecond, ended, time.Second},
		"never healthy":       {scripted{}, 0, "start app[0]: not healthy after 2s: refused; a hint at refused", limit},
		"nginx's own words": {scripted{after: 1, tail: []string{"x", emerg}}, 0,
			`start app[0]: unknown directive "x" in nginx.conf:3`, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				c.part.began = began
				err := Await(t.Context(), "app[0]", c.part, limit, func(context.Context) error {
					if c.healthy != 0 && time.Since(began) >= c.healthy {
						return nil
					}
					return errors.New("refused")
				})
				if text := errorText(err); text != c.want {
					t.Errorf("Await() = %q, want %q", text, c.want)
				}
				if err != nil && !errors.As(err, new(*stack.StartError)) {
					t.Errorf("Await() = %T, want a StartError", err)
				}
				if took := time.Since(began); took > c.took {
					t.Errorf("took %v, want %v at most", took, c.took)
				}
			})
		})
	}
}

// A run that is broken off is nobody's failure to start.
func TestAwaitBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := Await(ctx, "app[0]", scripted{}, time.Minute, func(context.Context) error { return errors.New("refused") })
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*stack.StartError)) {
			t.Errorf("Await() = %v, want the context's error and no StartError", err)
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestProbe(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ok" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	up := server.Listener.Addr().String()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := free.Addr().String()
	free.Close()
	for _, c := range []struct{ addr, path, want string }{
		{up, "", ""}, {up, "ok", ""}, {up, "/ok", ""}, {up, "/nope", "404"}, {down, "", "refused"}, {down, "/ok", "refused"},
	} {
		got := errorText(Probe(t.Context(), c.addr, c.path))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("Probe(%s, %q) = %q, want %q", c.addr, c.path, got, c.want)
		}
	}
}

// A health check stays with the app: where that sends it elsewhere, the user is told, and
// nobody else is asked.
func TestProbeStaysWithTheApp(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, other.URL+"/login?key=secret", http.StatusFound)
		case "/secure":
			http.Redirect(w, r, "https://"+r.Host+"/secure", http.StatusMovedPermanently)
		case "/slash":
			http.Redirect(w, r, "/slash/", http.StatusMovedPermanently)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		}
	}))
	defer app.Close()
	at := app.Listener.Addr().String()
	for path, want := range map[string]string{
		"/":       "GET /: redirects to " + other.URL + "/login; name a path that answers 2xx",
		"/secure": "GET /secure: redirects to https://" + at + "/secure; name a path that answers 2xx",
		"/slash":  "",
		"/round":  "stopped after 10 redirects",
	} {
		if got := errorText(Probe(t.Context(), at, path)); got != want {
			t.Errorf("Probe(%q) = %q, want %q", path, got, want)
		}
	}
	if asked {
		t.Error("another host was asked")
	}
}
