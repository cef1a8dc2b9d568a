package load_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A chat answers each turn with a text of its own, and fails turns by its mood.
type chat struct {
	mood func(w http.ResponseWriter, r *http.Request, visit int) bool // reports that it dealt with the visit

	mu     sync.Mutex
	asked  map[string][]question // by client
	visits map[string]int        // of client and turn
}

type question struct {
	Turn               int
	Last, First, Other string
	lastID             string
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question
	body, err := io.ReadAll(r.Body)
	if err = cmp.Or(err, json.Unmarshal(body, &q)); err != nil {
		http.Error(w, fmt.Sprintf("%v: %s", err, body), http.StatusBadRequest)
		return
	}
	q.lastID = r.Header.Get("Last-Event-ID")
	c.mu.Lock()
	if c.asked == nil {
		c.asked, c.visits = map[string][]question{}, map[string]int{}
	}
	key := fmt.Sprint(r.URL.Path, q.Turn)
	c.visits[key]++
	n := c.visits[key]
	c.asked[r.URL.Path] = append(c.asked[r.URL.Path], q)
	c.mu.Unlock()
	r.Header.Set("Turn", fmt.Sprint(q.Turn))
	if c.mood != nil && c.mood(w, r, n) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "id: 1\ndata: %s\n\ndata:  said \"%d\"\n\ndata: [DONE]\n\n", r.URL.Path, q.Turn)
}

// questions are what each client asked.
func (c *chat) questions() map[string][]question {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.asked)
}

// talk sends three sessions of three turns to a chat.
func talk(t *testing.T, c *chat, change func(*load.Wave), client load.Client) (record.Wave, []*record.Stream) {
	t.Helper()
	s := newSite(t, c.ServeHTTP)
	d, _ := stream.Lookup("sse-generic")
	terminal, err := stream.ParseTerminal("data == [DONE]")
	if err != nil {
		t.Fatal(err)
	}
	w := load.Wave{Streams: 3, First: 1, Block: 100, Dialect: &d, Method: "POST", Ask: stream.Ask{Terminal: terminal},
		Header: http.Header{"Content-Type": {"application/json"}}, Whole: verdict.Completes(record.Policy{}),
		Body:     []byte(`{"turn": {turn}, "last": "{answer}", "first": "{answer.1}", "other": "{answer.2}"}`),
		Sessions: load.Sessions{Turns: 3, Least: 30 * time.Millisecond, Most: 60 * time.Millisecond, Answers: load.AllAnswers},
		Assign: func(seq uint64) load.Target {
			to := s.assign(seq)
			to.Client = client
			return to
		}}
	if change != nil {
		change(&w)
	}
	rec, err := load.Drive(t.Context(), s.Tap, w)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.ended, func(a, b *record.Stream) int { return cmp.Compare(a.Seq, b.Seq) })
	return rec, s.ended
}

// TestSessions: each turn follows a whole answer after the time to think, and holds what
// was answered before.
func TestSessions(t *testing.T) {
	for _, answers := range []load.Answers{load.AllAnswers, load.LastAnswer} {
		c := &chat{}
		rec, streams := talk(t, c, func(w *load.Wave) { w.Sessions.Answers = answers }, load.Client{})
		if rec.Clients != 3 || rec.Started != 9 || len(streams) != 9 || rec.Begun() != 3 {
			t.Fatalf("%+v, %d streams", rec, len(streams))
		}
		for path, qs := range c.questions() {
			said := func(n int) string { return fmt.Sprintf("%s said \"%d\"", path, n) }
			want := []question{{Turn: 1}, {Turn: 2, Last: said(1), First: said(1)},
				{Turn: 3, Last: said(2), First: said(1), Other: said(2)}}
			if answers == load.LastAnswer {
				want[2].First = ""
			}
			if !slices.Equal(qs, want) {
				t.Errorf("%s was asked %+v", path, qs)
			}
		}
		nonces := map[string]bool{}
		for i, st := range streams {
			turn, first := 1+i/3, uint64(1+i%3)
			if st.Session != first || st.Turn != turn || st.Turns != 3 || st.Seq != first+100*uint64(i/3) || st.After != 0 {
				t.Errorf("stream %d: session %d, turn %d of %d, after %d", st.Seq, st.Session, st.Turn, st.Turns, st.After)
			}
			if nonces[st.Nonce] = true; turn == 1 {
				continue
			}
			if pause := st.Send - streams[i-3].End; pause < 30*time.Millisecond {
				t.Errorf("stream %d was sent %v after the turn before", st.Seq, pause)
			}
		}
		if len(nonces) != 9 {
			t.Errorf("%d nonces", len(nonces))
		}
	}
}

// TestSessionEnds: a turn that failed is the last, and retries and reconnects work within
// a turn.
func TestSessionEnds(t *testing.T) {
	at := func(turn string, visits int, how http.HandlerFunc) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, n int) bool {
			if r.Header.Get("Turn") != turn || n > visits {
				return false
			}
			how(w, r)
			return true
		}
	}
	half := func(w http.ResponseWriter, r *http.Request) { cut(w, "id: 1\ndata: "+r.URL.Path+"\n\n") }
	rest := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data:  said \"2\"\n\ndata: [DONE]\n\n")
	}
	for _, tt := range []struct {
		name   string
		mood   func(http.ResponseWriter, *http.Request, int) bool
		client load.Client
		turns  []int // of the streams of a client
	}{
		{"turn 2 fails", at("2", 9, busy), load.Client{}, []int{1, 2}},
		{"turn 2 is cut", at("2", 9, half), load.Client{}, []int{1, 2}},
		{"turn 1 fails", at("1", 9, mute), load.Client{}, []int{1}},
		{"turn 2 is tried again", at("2", 1, busy), load.Client{Retries: 1, Backoff: time.Millisecond}, []int{1, 2, 2, 3}},
		{"tries are those of a turn", func(w http.ResponseWriter, r *http.Request, n int) bool {
			return at(r.Header.Get("Turn"), 1, busy)(w, r, n)
		},
			load.Client{Retries: 1, Backoff: time.Millisecond}, []int{1, 1, 2, 2, 3, 3}},
		{"turn 2 is resumed", func(w http.ResponseWriter, r *http.Request, n int) bool {
			return at("2", 1, half)(w, r, n) || r.Header.Get("Last-Event-ID") != "" && at("2", 9, rest)(w, r, n)
		}, load.Client{Reconnects: 1, Wait: time.Millisecond}, []int{1, 2, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &chat{mood: tt.mood}
			rec, streams := talk(t, c, nil, tt.client)
			if rec.Clients != 3 || len(streams) != 3*len(tt.turns) {
				t.Fatalf("%+v, %d streams", rec, len(streams))
			}
			for i, st := range streams {
				k := i / 3
				after := uint64(0)
				if k > 0 && tt.turns[k] == tt.turns[k-1] {
					after = streams[i-3].Seq
				}
				if st.Turn != tt.turns[k] || st.Session != uint64(1+i%3) || st.After != after {
					t.Errorf("stream %d is turn %d of session %d, after %d", st.Seq, st.Turn, st.Session, st.After)
				}
			}
			for path, qs := range c.questions() {
				last := qs[len(qs)-1]
				if last.Turn == 3 && (last.Last != path+` said "2"` || last.lastID != "") {
					t.Errorf("turn 3 holds %q, and Last-Event-ID %q", last.Last, last.lastID)
				}
			}
		})
	}
}

// TestSessionsOfLines: each has the turns of its line, at most those of the load.
func TestSessionsOfLines(t *testing.T) {
	c := &chat{}
	_, streams := talk(t, c, func(w *load.Wave) {
		w.Request = func(seq uint64) load.Request {
			bodies := [][]byte{[]byte(`{"turn": 1}`), []byte(`{"turn": 2, "last": "{answer}"}`), []byte(`{"turn": 3}`)}[:1+seq]
			return load.Request{Body: bodies[0], Turns: bodies}
		}
	}, load.Client{})
	asked := c.questions()
	if len(streams) != 1+2+3 || len(asked["/0"]) != 1 || len(asked["/1"]) != 2 || len(asked["/2"]) != 3 {
		t.Fatalf("%d streams: %v", len(streams), asked)
	}
	for _, st := range streams {
		if st.Turns != int(st.Session) {
			t.Errorf("session %d has %d turns", st.Session, st.Turns)
		}
	}
	if q := asked["/2"][1]; !strings.HasSuffix(q.Last, `said "1"`) {
		t.Errorf("turn 2: %+v", q)
	}
}

// TestSessionBeyondTheEnd: a client that would think for longer than the load lasts keeps
// its slot, and nobody comes in its place.
func TestSessionBeyondTheEnd(t *testing.T) {
	rec, streams := talk(t, &chat{}, func(w *load.Wave) {
		w.Duration, w.Sessions.Least, w.Sessions.Most = 300*time.Millisecond, time.Minute, time.Minute
	}, load.Client{})
	if rec.Clients != 3 || len(streams) != 3 || rec.End-rec.Begin > 20*time.Second {
		t.Errorf("%+v, %d streams", rec, len(streams))
	}
}

// TestSharesThinkTheSame: how long a session thinks follows from its number.
func TestSharesThinkTheSame(t *testing.T) {
	pauses := func(of int, seed uint64) map[uint64]time.Duration {
		due := map[uint64]time.Duration{}
		for i := range of {
			_, streams := talk(t, &chat{}, func(w *load.Wave) {
				w.Streams, w.Sessions.Turns, w.Sessions.Seed, w.Share = 6, 2, seed, load.Share{Index: i, Of: of}
			}, load.Client{})
			end := map[uint64]time.Duration{}
			for _, st := range streams {
				if st.Turn == 1 {
					end[st.Session] = st.End
				} else {
					due[st.Session] = st.Sched - end[st.Session]
				}
			}
		}
		return due
	}
	one, three, other := pauses(1, 7), pauses(3, 7), pauses(1, 8)
	if len(one) != 6 || fmt.Sprint(one) != fmt.Sprint(three) || fmt.Sprint(one) == fmt.Sprint(other) {
		t.Errorf("one process %v, three %v, another seed %v", one, three, other)
	}
	for n, d := range one {
		if d < 30*time.Millisecond || d > 60*time.Millisecond {
			t.Errorf("session %d thinks for %v", n, d)
		}
	}
}
