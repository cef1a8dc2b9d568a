package load_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// A visit is one request as the server saw it.
type visit struct {
	nonce, lastID string
	at            time.Time
}

// A moody server deals with the n-th visit of each path by its n-th mood, and
// with further visits by the last.
type moody struct {
	moods []http.HandlerFunc

	mu     sync.Mutex // guards visits
	visits map[string][]visit
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	if m.visits == nil {
		m.visits = map[string][]visit{}
	}
	n := len(m.visits[r.URL.Path])
	m.visits[r.URL.Path] = append(m.visits[r.URL.Path],
		visit{r.Header.Get("X-Request-ID"), r.Header.Get("Last-Event-ID"), time.Now()})
	m.mu.Unlock()
	m.moods[min(n, len(m.moods)-1)](w, r)
}

func busy(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "busy", http.StatusServiceUnavailable)
}
func unknown(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }
func mute(w http.ResponseWriter, _ *http.Request)    { cut(w, "") }

// cutBehind says events up to n and then cuts the connection.
func cutBehind(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var s string
		for i := range n {
			s += fmt.Sprintf("id: %d\ndata: x\n\n", i+1)
		}
		cut(w, s)
	}
}

func cut(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	fmt.Fprint(w, body)
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func whole(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "id: 9\ndata: x\n\ndata: [DONE]\n\n")
}

// follow sends three clients to a moody server and returns its visits by path
// and the records in the order of their numbers.
func follow(t *testing.T, c load.Client, moods ...http.HandlerFunc) (map[string][]visit, []*record.Stream) {
	t.Helper()
	m := &moody{moods: moods}
	s := newSite(t, m.ServeHTTP)
	d, _ := stream.Lookup("sse-generic")
	terminal, err := stream.ParseTerminal("data == [DONE]")
	if err != nil {
		t.Fatal(err)
	}
	_, err = load.Drive(t.Context(), s.Tap, load.Wave{Streams: 3, First: 1, Block: 100, Dialect: &d,
		Ask: stream.Ask{Terminal: terminal}, Assign: func(seq uint64) load.Target {
			to := s.assign(seq)
			to.Client = c
			return to
		}})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.ended, func(a, b *record.Stream) int { return cmp.Compare(a.Seq, b.Seq) })
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.visits, s.ended
}

func TestClientsAskAgain(t *testing.T) {
	retry := load.Client{Retries: 2, Backoff: time.Millisecond}
	reconnect := load.Client{Reconnects: 2, Wait: time.Millisecond}
	for _, tc := range []struct {
		name   string
		client load.Client
		moods  []http.HandlerFunc
		visits int // of each client
		nonces int // different ones
		lastID string
	}{
		{"content", load.Client{}, []http.HandlerFunc{busy, whole}, 1, 1, ""},
		{"whole at once", retry, []http.HandlerFunc{whole}, 1, 1, ""},
		{"retry after 503", retry, []http.HandlerFunc{busy, whole}, 2, 1, ""},
		{"retry after a cut before the first event", retry, []http.HandlerFunc{mute, whole}, 2, 1, ""},
		{"retries run out", retry, []http.HandlerFunc{busy}, 3, 1, ""},
		{"no retry of what will not change", retry, []http.HandlerFunc{unknown, whole}, 1, 1, ""},
		{"no retry behind the first event", retry, []http.HandlerFunc{cutBehind(2), whole}, 1, 1, ""},
		{"reconnect", reconnect, []http.HandlerFunc{cutBehind(2), whole}, 2, 2, "2"},
		{"reconnect twice, the ID stays", reconnect, []http.HandlerFunc{cutBehind(3), mute, whole}, 3, 3, "3"},
		{"reconnects run out", reconnect, []http.HandlerFunc{cutBehind(1)}, 3, 3, "1"},
		{"no reconnect after an error", reconnect, []http.HandlerFunc{busy, whole}, 1, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			visits, streams := follow(t, tc.client, tc.moods...)
			for path, vs := range visits {
				nonces := map[string]bool{}
				for _, v := range vs {
					nonces[v.nonce] = true
				}
				if last := vs[len(vs)-1]; len(vs) != tc.visits || len(nonces) != tc.nonces || last.lastID != tc.lastID {
					t.Errorf("%s: %d visits with %d nonces, last with ID %q; want %d, %d, %q", path, len(vs), len(nonces), last.lastID,
						tc.visits, tc.nonces, tc.lastID)
				}
			}
			if len(visits) != 3 || len(streams) != 3*tc.visits {
				t.Fatalf("%d clients left %d streams", len(visits), len(streams))
			}
			for i, st := range streams {
				round := uint64(i / 3)
				if want := 1 + uint64(i%3) + 100*round; st.Seq != want || round > 0 && st.After != want-100 ||
					round == 0 && st.After != 0 {
					t.Errorf("stream %d after %d, want %d after the one 100 before", st.Seq, st.After, want)
				}
			}
		})
	}
}

// TestHerdReconnectsAtOnce: clients that lost their streams at different times
// come back at the same moment.
func TestHerdReconnectsAtOnce(t *testing.T) {
	var mu sync.Mutex
	n := 0
	spread := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		wait := time.Duration(n) * 200 * time.Millisecond
		mu.Unlock()
		time.Sleep(wait)
		cutBehind(1)(w, r)
	}
	visits, _ := follow(t, load.Client{Reconnects: 1, Wait: time.Second, Together: true}, spread, whole)
	var back []time.Time
	for _, vs := range visits {
		back = append(back, vs[1].at)
	}
	slices.SortFunc(back, time.Time.Compare)
	if between := back[len(back)-1].Sub(back[0]); between > 200*time.Millisecond {
		t.Errorf("they came back within %v, and had lost their streams 400 ms apart", between)
	}
}

// TestServerSetsTheReconnectionTime in place of the client's.
func TestServerSetsTheReconnectionTime(t *testing.T) {
	asked := func(w http.ResponseWriter, _ *http.Request) { cut(w, "retry: 120\nid: 1\ndata: x\n\n") }
	visits, _ := follow(t, load.Client{Reconnects: 1, Wait: time.Hour}, asked, whole)
	for path, vs := range visits {
		if len(vs) != 2 || vs[1].at.Sub(vs[0].at) < 120*time.Millisecond {
			t.Errorf("%s: %d visits, want a second one 120 ms after the first", path, len(vs))
		}
	}
}
