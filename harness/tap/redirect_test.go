package tap_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// A maze is a server that sends its clients about, and answers at /stream with what
// it was asked.
type maze struct {
	mu   sync.Mutex // guards asks
	asks []ask
}

// An ask is one request as the maze saw it.
type ask struct{ method, path, body, host, auth, cookie, kind, nonce string }

func (m *maze) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	m.asks = append(m.asks, ask{r.Method, r.URL.RequestURI(), string(body), r.Host, r.Header.Get("Authorization"),
		r.Header.Get("Cookie"), r.Header.Get("Content-Type"), r.Header.Get("X-Request-ID")})
	m.mu.Unlock()
	q := r.URL.Query()
	code, _ := strconv.Atoi(q.Get("code"))
	to := q.Get("to")
	switch r.URL.Path {
	case "/go": // to where the query says
		if q.Has("to") {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "moved")
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/deeper": // n times
		n, _ := strconv.Atoi(q.Get("n"))
		if n == 0 {
			to = "/stream"
		} else {
			to = "/deeper?n=" + strconv.Itoa(n-1)
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	case "/login": // lets only those in who bring its cookie
		if _, err := r.Cookie("session"); err == nil {
			http.Redirect(w, r, "/stream", http.StatusFound)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s1", Path: "/"})
		http.Redirect(w, r, "/login", http.StatusFound)
	case "/slow":
		time.Sleep(300 * time.Millisecond)
		http.Redirect(w, r, "/stream", http.StatusFound)
	case "/open": // a redirect whose body never ends
		w.Header().Set("Location", "/stream")
		w.WriteHeader(http.StatusSeeOther)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case "/stream":
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, event(1), done)
	default:
		http.NotFound(w, r)
	}
}

func (m *maze) last() ask {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asks[len(m.asks)-1]
}

// mazes runs a test against a maze on each carrier.
func mazes(t *testing.T, test func(t *testing.T, m *maze, base string, o tap.Options)) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		m := &maze{}
		s := httptest.NewServer(m)
		t.Cleanup(s.Close)
		test(t, m, s.URL, tap.Options{Mode: mode})
	})
	t.Run("h2", func(t *testing.T) {
		m := &maze{}
		base, o := secure(t, true, m.ServeHTTP)
		test(t, m, base, o)
	})
}

func TestRedirectsAreFollowed(t *testing.T) {
	mazes(t, func(t *testing.T, m *maze, base string, o tap.Options) {
		for _, c := range []struct {
			path   string
			method string
			status []int // of the chain
			want   string
		}{
			{"/go?code=301&to=/stream", "GET", []int{301}, "GET /stream"},
			{"/go?code=302&to=/stream", "PUT", []int{302}, "PUT /stream body"},
			{"/go?code=301&to=/stream", "POST", []int{301}, "GET /stream"},
			{"/go?code=302&to=/stream?x=1%26y=2%23part", "POST", []int{302}, "GET /stream?x=1&y=2"},
			{"/go?code=303&to=/stream", "POST", []int{303}, "GET /stream"},
			{"/go?code=303&to=/stream", "PUT", []int{303}, "GET /stream"},
			{"/go?code=307&to=/stream", "POST", []int{307}, "POST /stream body"},
			{"/go?code=308&to=stream", "POST", []int{308}, "POST /stream body"},
			{"/go?code=307&to=" + url.QueryEscape(base+"/stream"), "POST", []int{307}, "POST /stream body"},
			{"/go?code=307&to=" + url.QueryEscape("//"+strings.SplitN(base, "//", 2)[1]+"/stream"), "POST", []int{307},
				"POST /stream body"},
			{"/deeper?n=3", "POST", []int{307, 307, 307, 307}, "POST /stream body"},
			{"/deeper?n=9", "GET", []int{307, 307, 307, 307, 307, 307, 307, 307, 307, 307}, "GET /stream"},
			{"/login", "GET", []int{302, 302}, "GET /stream"},
			{"/open", "POST", []int{303}, "GET /stream"},
		} {
			t.Run(c.method+" "+c.path, func(t *testing.T) {
				got := visit(t, o, base+c.path, c.method, &tap.Follow{})
				a := m.last()
				if did := strings.TrimSpace(a.method + " " + a.path + " " + a.body); did != c.want {
					t.Errorf("asked %q at last, want %q", did, c.want)
				}
				if kept := a.body != "" && a.method != "GET"; kept != (a.kind != "") {
					t.Errorf("content type %q beside body %q", a.kind, a.body)
				}
				if a.auth != "Bearer t" || a.nonce != got.Nonce {
					t.Errorf("asked with Authorization %q and X-Request-ID %q, want Bearer t and %q", a.auth, a.nonce, got.Nonce)
				}
				if status := statuses(got); fmt.Sprint(status) != fmt.Sprint(c.status) || got.Unfollowed() != nil {
					t.Errorf("chain %+v, want %v", got.Redirects, c.status)
				}
				if got.Status != 200 || got.Contents != 1 || got.TerminalAt < 0 || got.Limit != "" {
					t.Errorf("status %d, %d content events, terminal at %v, limit %q", got.Status, got.Contents, got.TerminalAt,
						got.Limit)
				}
				if at := got.Redirects[0].At; got.Send < 0 || got.Send > at+10*time.Millisecond || at > got.First {
					t.Errorf("sent at %v, redirected at %v, first event at %v", got.Send, at, got.First)
				}
			})
		}
	})
}

func TestRedirectsThatEndTheStream(t *testing.T) {
	mazes(t, func(t *testing.T, m *maze, base string, o tap.Options) {
		for _, c := range []struct {
			path   string
			follow *tap.Follow
			n      int
			want   record.Unfollowed
		}{
			{"/loop", &tap.Follow{}, 11, record.RedirectLoop},
			{"/deeper?n=30", &tap.Follow{}, 11, record.TooManyRedirects},
			{"/go?code=302&to=http://stranger.invalid/stream", &tap.Follow{}, 1, record.HostNotAllowed},
			{"/go?code=302&to=ftp://127.0.0.1/stream", &tap.Follow{}, 1, record.BadLocation},
			{"/go?code=302&to=%25zz", &tap.Follow{}, 1, record.BadLocation},
			{"/go?code=302", &tap.Follow{}, 1, record.NoLocation},
			{"/go?code=302&to=/stream", nil, 1, record.FollowingOff},
			{"/go?code=304", &tap.Follow{}, 0, ""},
			{"/go?code=300&to=/stream", &tap.Follow{}, 0, ""},
		} {
			t.Run(c.path, func(t *testing.T) {
				got := visit(t, o, base+c.path, "GET", c.follow)
				r := got.Unfollowed()
				switch {
				case c.want == "" && r == nil:
				case r == nil || r.Unfollowed != c.want:
					t.Errorf("redirect %+v, want %q", r, c.want)
				}
				if len(got.Redirects) != c.n || got.Status < 300 || got.Frames != 0 {
					t.Errorf("%d redirects, status %d, %d frames, want %d redirects", len(got.Redirects), got.Status, got.Frames, c.n)
				}
			})
		}
	})
}

// TestRedirectsToAnotherHost go only where they may, and without credentials.
func TestRedirectsToAnotherHost(t *testing.T) {
	there := &maze{}
	s := httptest.NewServer(there)
	defer s.Close()
	port := s.URL[strings.LastIndex(s.URL, ":")+1:]
	carriers(t, func(t *testing.T, mode tap.Mode) {
		here := httptest.NewServer(&maze{})
		defer here.Close()
		ask := func(to string, f *tap.Follow) record.Stream {
			return visit(t, tap.Options{Mode: mode}, here.URL+"/go?code=307&to="+url.QueryEscape(to), "POST", f)
		}
		allowed := &tap.Follow{Way: tap.Reach{}.Way}
		if got := ask(s.URL+"/stream", allowed); got.Status != 200 || there.last().auth != "Bearer t" {
			t.Errorf("another port of the host: status %d, Authorization %q", got.Status, there.last().auth)
		}
		if got := ask("http://localhost:"+port+"/stream", allowed); got.Status != 200 || there.last().auth != "" ||
			there.last().host != "localhost:"+port {
			t.Errorf("another host: status %d, asked %+v, want no credentials", got.Status, there.last())
		}
		if got := ask("http://user:secret@stranger.invalid/stream", allowed); got.Unfollowed() == nil ||
			strings.Contains(got.Redirects[0].Location, "secret") {
			t.Errorf("a host that is not allowed: %+v", got.Redirects)
		}
		resolved := &tap.Follow{Way: tap.Reach{Resolve: map[string]string{"chat.test:8080": "127.0.0.1:" + port}}.Way}
		if got := ask("http://chat.TEST:8080/stream", resolved); got.Status != 200 || there.last().host != "chat.TEST:8080" {
			t.Errorf("a host that is resolved: status %d, asked %+v", got.Status, there.last())
		}
		if got := ask("http://chat.test:8081/stream", resolved); got.Unfollowed() == nil ||
			got.Unfollowed().Unfollowed != record.HostNotAllowed {
			t.Errorf("a port of it that is not: %+v", got.Redirects)
		}
		if got := ask("http://127.0.0.1:"+strconv.Itoa(freePort(t))+"/stream", allowed); got.Status != 0 ||
			got.Connect >= 0 || got.Wire.Close != record.CloseError || len(got.Redirects) != 1 || got.Send < 0 {
			t.Errorf("nobody listens there: %+v", got)
		}
	})
}

// TestRedirectStaysOnTheWay: an app that redirects to its own address is asked
// again through the hop that the stream was sent to.
func TestRedirectStaysOnTheWay(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		m := &maze{}
		hop := httptest.NewServer(m)
		defer hop.Close()
		own := "127.0.0.1:" + strconv.Itoa(freePort(t)) // where the app says it is
		for _, to := range []string{"http://" + own + "/stream", "http://localhost" + own[strings.Index(own, ":"):] +
			"/stream", "http://app.invalid:8000/stream"} {
			got := visit(t, tap.Options{Mode: mode}, hop.URL+"/go?code=307&to="+url.QueryEscape(to), "POST",
				&tap.Follow{Own: []string{own, "app.invalid:8000"}})
			if got.Status != 200 || m.last().auth == "" || m.last().host != hop.Listener.Addr().String() {
				t.Errorf("%s: status %d, %+v", to, got.Status, m.last())
			}
		}
	})
}

// TestRedirectKeepsTheLimits: they run from the first request.
func TestRedirectKeepsTheLimits(t *testing.T) {
	mazes(t, func(t *testing.T, _ *maze, base string, o tap.Options) {
		o.Limits = tap.Limits{Total: 200 * time.Millisecond}
		if got := visit(t, o, base+"/slow", "GET", &tap.Follow{}); got.Limit != record.TotalLimit {
			t.Errorf("limit %q, want the total one", got.Limit)
		}
	})
}

func statuses(s record.Stream) (all []int) {
	for _, r := range s.Redirects {
		all = append(all, r.Status)
	}
	return all
}

func freePort(t *testing.T) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// visit asks with a body, where the method has one, and with credentials.
func visit(t *testing.T, o tap.Options, to, method string, f *tap.Follow) record.Stream {
	t.Helper()
	r := newRig(t, o)
	d, ask := generic(t)
	var body io.Reader
	h := http.Header{"Authorization": {"Bearer t"}}
	if method != "GET" {
		body = strings.NewReader("body")
		h.Set("Content-Type", "application/json")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://placeholder.invalid/", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.RoundTripper(func(uint64) tap.Job {
		return tap.Job{URL: to, Header: h, Dialect: d, Ask: ask, Follow: f}
	}).RoundTrip(req)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ended) != 1 {
		t.Fatalf("%d records: %v", len(r.ended), err)
	}
	return r.ended[0]
}
