package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// handled is an app of one handler.
func handled(h http.Handler) func(p *playing) {
	return func(p *playing) { p.memory.App = func(int) http.Handler { return h } }
}

// says answers with words, one a second.
func says(words ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for i, word := range words {
			if i > 0 {
				time.Sleep(time.Second)
			}
			io.WriteString(w, word)
			w.(http.Flusher).Flush()
		}
	})
}

// text is an app whose streams are plain text.
var text = harness.App{Stream: harness.Stream{Path: "/", Dialect: "text"}}

// What a text says in full is asked before the load, and streams are held against it.
func TestReference(t *testing.T) {
	var n atomic.Int32
	anew := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "answer ", n.Add(1)) })
	short := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // once it was asked five times
		if n.Add(1) > 5 {
			io.WriteString(w, "all of")
			return
		}
		io.WriteString(w, "all of the answer")
	})
	for name, tc := range map[string]struct {
		app     http.Handler
		alike   int
		outcome verdict.Outcome
	}{
		"alike": {says("all ", "of ", "it"), 3, verdict.Complete},
		"anew":  {anew, 0, verdict.Complete}, // unprovable, and a flag says so
		"short": {short, 3, verdict.Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			n.Store(0)
			o := one(harness.Scenario{}, harness.Load{Streams: 2})
			o.App = text
			o.Scenarios = append(o.Scenarios, harness.Scenario{ID: "again"}) // asks no more
			perform(t, o, func(p *playing) {
				if p.err != nil || len(p.run.References) != 1 || p.run.References[0].Alike != tc.alike {
					t.Fatalf("%v, %+v", p.err, p.run.References)
				}
				for _, s := range p.group(record.Load) {
					if got := verdict.GradeStream(&s, record.Policy{}).Outcome; got != tc.outcome {
						t.Errorf("stream %d is %s, want %s: %+v", s.Seq, got, tc.outcome, s.Content)
					}
				}
			}, handled(tc.app))
		})
	}
}

// The same question is asked streamed and in one piece.
func TestCompare(t *testing.T) {
	differ := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain" {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		io.WriteString(w, "all of it")
	})
	sc := harness.Scenario{Policy: record.Policy{Expect: record.ExpectSameText}, Shape: harness.Shape{Events: 3}}
	plain := text
	plain.Stream.Sentinel, plain.Stream.PlainPath = "it", "/plain"
	bodied := text
	bodied.Stream.Sentinel, bodied.Stream.PlainBody = "it", "whole"
	for name, tc := range map[string]struct {
		app   harness.App
		by    http.Handler // nil for the origin
		check func(c record.Comparison) bool
	}{
		"the same": {check: func(c record.Comparison) bool {
			return c.Differ == -1 && c.Streamed > 0 &&
				c.Streamed == c.Whole
		}},
		"refused": {plain, differ, func(c record.Comparison) bool {
			return c.WholeErr == "status 418 I'm a teapot" &&
				c.StreamedErr == ""
		}},
		"another text": {bodied, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "all%s it", body)
		}), func(c record.Comparison) bool { return c.Differ == 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			o := one(sc, harness.Load{Streams: 2})
			o.App = tc.app
			perform(t, o, func(p *playing) {
				if p.err != nil || len(p.run.Comparisons) != comparisons {
					t.Fatalf("%v, %+v", p.err, p.run.Comparisons)
				}
				for _, c := range p.run.Comparisons {
					if !tc.check(c) {
						t.Errorf("%+v", c)
					}
				}
			}, func(p *playing) {
				if tc.by != nil {
					handled(tc.by)(p)
				}
			})
		})
	}
}

// Where pacing is looked at, a browser's stream goes beside the load and the app itself
// is asked alone.
func TestPace(t *testing.T) {
	for name, headers := range map[string]map[string]string{"": nil, "compressed": {"Accept-Encoding": "gzip"}} {
		t.Run(name, func(t *testing.T) {
			sc := harness.Scenario{Shape: perSecond(3), Headers: headers, Policy: record.Policy{Expect: record.ExpectPaced}}
			perform(t, one(sc, harness.Load{Streams: 2}), func(p *playing) {
				browsers := p.group(record.Browser)
				want := browserEncoding
				if headers != nil {
					want = verdict.Identity
				}
				if p.err != nil || len(browsers) != 1 || browsers[0].AcceptEncoding != want {
					t.Errorf("%v, %+v", p.err, browsers)
				}
				hops := map[string]int{}
				for _, s := range p.group(record.Solo) {
					hops[s.Hop]++
				}
				if hops["edge"] != 1 || hops["app"] != paceStreams {
					t.Errorf("alone went %v", hops)
				}
			})
		})
	}
}

// The app is asked what became of the streams that were left, each of its replicas.
func TestLedgers(t *testing.T) {
	left := harness.Scenario{Shape: perSecond(10), Replicas: 2,
		Client: harness.Client{Abort: harness.Abort{AfterEvents: 2}}}
	o := one(left, harness.Load{Streams: 4})
	perform(t, o, func(p *playing) {
		if p.err != nil || len(p.run.Ledgers) != 2 {
			t.Fatalf("%v, %+v", p.err, p.run.Ledgers)
		}
		for _, l := range p.run.Ledgers {
			if l.Starts != 1 || l.Produced < 2 || l.Produced > 3 || l.StopAt == record.Never || l.StopAt-l.LeftAt > time.Second {
				t.Errorf("%+v", l)
			}
		}
	})
	o.App = text
	o.App.Stream.Sentinel = "."
	o.App.URL = "http://127.0.0.1:1/" // of which nobody says that it keeps one
	retried := o
	retried.Scenarios = []harness.Scenario{{ID: "trial", Client: harness.Client{Retry: harness.Retry{Times: 1}}}}
	for doubt, o := range map[string]harness.Options{"whether it stopped after the client left": o,
		"did the work of a retried request twice": retried} {
		perform(t, o, func(p *playing) {
			if p.err != nil || !p.noted(record.NoteDoubt, doubt) {
				t.Errorf("%v, %+v", p.err, p.run.Notes)
			}
		}, handled(says("a.", "b.")))
	}
	o.App.Ledger = "/ledger?id={nonce}"
	perform(t, o, func(p *playing) {
		if p.err == nil || !strings.Contains(p.err.Error(), "ask the app for its ledger: GET http://app-0.memory/ledger") {
			t.Errorf("an app whose ledger fails: %v", p.err)
		}
	}, handled(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ledger" {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		for range 9 {
			io.WriteString(w, "a ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Second)
		}
	})))
}

// thought is how long an app thinks before its first event.
const thought = 100 * time.Millisecond

// A queue is an app that thinks first, and serves one stream at a time.
func queue(next http.Handler) http.Handler {
	place := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		place <- struct{}{}
		defer func() { <-place }()
		time.Sleep(thought)
		next.ServeHTTP(w, r)
	})
}

// Where the load has slowed streams down, more of them are sent alone, to see what an
// answer takes by itself.
func TestAloneOnceMore(t *testing.T) {
	o := one(harness.Scenario{}, harness.Load{Streams: 8})
	o.App = text
	o.App.Stream.Sentinel = "it."
	perform(t, o, func(p *playing) {
		if n := len(p.group(record.Solo)); p.err != nil || n != 1+soloMore {
			t.Errorf("%v, %d streams alone", p.err, n)
		}
	}, func(p *playing) { handled(queue(says("all ", "of ", "it.")))(p) })
}

// An app that was cold is asked once more, and the quicker stream is what others are
// measured against.
func TestColdStart(t *testing.T) {
	var warm atomic.Bool
	perform(t, one(harness.Scenario{Shape: perSecond(3)}, harness.Load{Streams: 2}), func(p *playing) {
		alone := p.group(record.Solo)
		if p.err != nil || len(alone) != 2 {
			t.Fatalf("%v, %d streams alone", p.err, len(alone))
		}
		for _, w := range p.run.Waves {
			if w.Group == record.Load && w.Solo != alone[1].Seq {
				t.Errorf("the load is measured against stream %d", w.Solo)
			}
		}
	}, func(p *playing) {
		h := p.memory.App(0)
		handled(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !warm.Swap(true) {
				time.Sleep(5 * time.Second)
			}
			h.ServeHTTP(w, r)
		}))(p)
	})
}

// A road whose answers are long is asked once, for all scenarios.
func TestKnownRoad(t *testing.T) {
	o := one(harness.Scenario{Shape: perSecond(9)}, harness.Load{Streams: 2})
	o.Scenarios = append(o.Scenarios, harness.Scenario{ID: "next", Shape: perSecond(9)},
		harness.Scenario{ID: "other", Shape: perSecond(8)})
	perform(t, o, func(p *playing) {
		if n := len(p.group(record.Solo)); p.err != nil || n != 2 {
			t.Errorf("%v, %d streams alone", p.err, n)
		}
	})
}

// Before the next hop is peeled the app must be idle: a queue in it would look like a
// layer's. A stream that was left has it work on.
func TestIdle(t *testing.T) {
	for name, tc := range map[string]struct {
		busy  time.Duration // that the app goes on after its streams are cut
		doubt bool
	}{"soon": {5 * time.Second, false}, "never": {time.Hour, true}} {
		t.Run(name, func(t *testing.T) {
			var until atomic.Pointer[time.Time]
			until.Store(new(time.Time))
			var asked atomic.Int32
			app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := asked.Add(1)
				cut := n == 2 || n == 3 // at the app itself: the load and a browser's stream
				if cut {
					then := time.Now().Add(tc.busy)
					until.Store(&then)
				}
				select {
				case <-time.After(thought):
				case <-r.Context().Done():
				}
				if cut {
					io.WriteString(w, "all ")
					panic(http.ErrAbortHandler)
				}
				select {
				case <-time.After(time.Until(*until.Load())):
				case <-r.Context().Done():
				}
				says("all ", "of ", "it.").ServeHTTP(w, r)
			})
			o := one(harness.Scenario{Peel: true}, harness.Load{Streams: 1})
			o.App = text
			o.App.URL, o.App.Stream.Sentinel = "http://127.0.0.1:1/", "it."
			perform(t, o, func(p *playing) {
				if p.err != nil || len(p.group(record.Probe)) == 0 {
					t.Errorf("%v, %d streams asked whether the app is idle", p.err, len(p.group(record.Probe)))
				}
				if got := p.noted(record.NoteDoubt, "the app was still busy"); got != tc.doubt {
					t.Errorf("doubt %t, want %t: %+v", got, tc.doubt, p.run.Notes)
				}
			}, handled(app))
		})
	}
}

// The origin is told to break a share of the streams, and each sabotage has its turn.
func TestSabotage(t *testing.T) {
	for name, tc := range map[string]struct {
		sabotage harness.Sabotage
		client   harness.Client
		broken   int
	}{
		"a third": {harness.Sabotage{Names: []string{"silent-truncation", "rst"}, At: 2}, harness.Client{}, 4},
		"half":    {harness.Sabotage{Name: "rst", Share: 0.5}, harness.Client{}, 6},
		"victims": {harness.Sabotage{Name: "rst"}, harness.Client{Reconnect: harness.Reconnect{Times: 1}}, 12},
	} {
		t.Run(name, func(t *testing.T) {
			o := one(harness.Scenario{Shape: perSecond(4), Client: tc.client}, harness.Load{Streams: 12})
			o.Sabotage = tc.sabotage
			perform(t, o, func(p *playing) {
				broken := map[record.Close]int{}
				n := 0
				for _, s := range p.run.Streams {
					if !s.Group.Alone() && verdict.GradeStream(&s, record.Policy{}).Outcome != verdict.Complete {
						n++
						broken[s.Wire.Close]++
					}
				}
				if p.err != nil || n != tc.broken {
					t.Errorf("%v, %d streams are broken, want %d: %v", p.err, n, tc.broken, broken)
				}
				if len(tc.sabotage.Names) == 2 && (broken[record.CloseRST] != 2 || len(broken) != 2) {
					t.Errorf("the sabotages had their turns: %v", broken)
				}
			})
		})
	}
}

// Logs of the user's are copied as far as they grew, without the secrets.
func TestAttachedLogs(t *testing.T) {
	t.Setenv("STREAMPROOF_TEST_KEY", "k3y-of-the-realm")
	conf, err := os.ReadFile("../logline/testdata/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		f, err := os.OpenFile(path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(text)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("app.log", "of yesterday\n")
	write("quiet.log", "of yesterday\n")
	write("nginx.conf", "")
	o := one(harness.Scenario{}, harness.Load{Streams: 1})
	o.App = text
	o.App.URL, o.App.Stream.Sentinel = "http://127.0.0.1:1/", "it."
	o.App.Stream.Headers = map[string]string{"X-Key": "${STREAMPROOF_TEST_KEY}"}
	o.App.Logs = []harness.LogFile{{Path: path("app.log")}, {Kind: "app", Path: path("quiet.log")},
		{Path: path("nginx.conf")}}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write("app.log", "asked with "+r.Header.Get("X-Key")+"\n")
		write("nginx.conf", string(conf))
		says("all ", "of it.").ServeHTTP(w, r)
	})
	perform(t, o, func(p *playing) {
		if p.err != nil {
			t.Fatal(p.err)
		}
		lines := map[string]int{}
		for _, l := range p.run.Logs {
			lines[l.Name] = len(l.Lines)
			for _, line := range l.Lines {
				if line.Text != "asked with ${STREAMPROOF_TEST_KEY}" && l.Name == "auto-app.log" {
					t.Errorf("%s says %q", l.Name, line.Text)
				}
			}
		}
		if lines["auto-app.log"] != 1 || lines["app-quiet.log"] != 0 {
			t.Errorf("lines: %v", lines)
		}
		for _, fact := range []string{"quiet.log: nothing was written to it while the streams ran",
			"app.log: 1 lines, taken for", "it was not read"} {
			if !p.noted(record.NoteFact, fact) {
				t.Errorf("nobody notes %q: %+v", fact, p.run.Notes)
			}
		}
	}, handled(app))
	o.App.Logs = []harness.LogFile{{Path: path("missing.log")}}
	perform(t, o, func(p *playing) {
		var usage *harness.UsageError
		if !errors.As(p.err, &usage) {
			t.Errorf("a log that is not there: %v", p.err)
		}
	}, handled(app))
}

// An edge that is the user's own stands between his URL and where the app listens.
func TestOwnEdge(t *testing.T) {
	o := one(harness.Scenario{Peel: true}, harness.Load{Streams: 2})
	o.App = text
	o.App.URL, o.App.Direct, o.App.Stream.Sentinel = "http://127.0.0.1:1/", "http://app-0.memory", "it."
	o.AllowHosts = []string{"app-0.memory"}
	perform(t, o, func(p *playing) {
		if p.err != nil {
			t.Fatal(p.err)
		}
		var hops []string
		for _, h := range p.run.Hops {
			hops = append(hops, h.Name)
		}
		if got := strings.Join(hops, " "); got != "edge "+record.ForeignHop+" app" {
			t.Errorf("hops are %q", got)
		}
	}, handled(says("all ", "of it.")))
}

// A redirect of the app's own is followed on the stream's way, by the load and beside it.
func TestRedirects(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, "/there", http.StatusFound)
		default:
			says("all ", "of it").ServeHTTP(w, r)
		}
	})
	o := one(harness.Scenario{}, harness.Load{Streams: 2})
	o.App, o.AllowHosts = text, []string{"app-0.memory", "edge.memory"}
	perform(t, o, func(p *playing) {
		if p.err != nil || len(p.run.References) != 1 || p.run.References[0].Alike != referenceAsks {
			t.Fatalf("%v, %+v", p.err, p.run.References)
		}
		for _, s := range p.group(record.Load) {
			if len(s.Redirects) != 1 || s.Status != http.StatusOK {
				t.Errorf("%+v", s)
			}
		}
	}, handled(app))
}

// twinless is a stack whose second edge does not start. Its version is like no other's:
// what is known of an edge is known to the whole process, and channels of a bubble must
// not leave it.
type twinless struct {
	stack.Stack
	version string
}

func (t twinless) Versions() map[string]string { return map[string]string{"edge": t.version} }

func (twinless) Twin(context.Context) (stack.Twin, error) {
	return stack.Twin{}, errors.New("no nginx here")
}

// An edge that cannot be probed is a fact, and keeps nothing from being played.
func TestEdgeIsNotProbed(t *testing.T) {
	perform(t, one(harness.Scenario{}, harness.Load{Streams: 1}), func(p *playing) {
		if p.err != nil || !p.noted(record.NoteFact, "the edge was not probed: no nginx here") || p.played() != "trial" {
			t.Errorf("%v, %+v", p.err, p.run.Notes)
		}
	}, func(p *playing) {
		p.opener = &hook{Opener: p.memory, wrap: func(s stack.Stack) stack.Stack { return twinless{s, p.t.TempDir()} }}
	})
}

// A fault that the harness cannot carry out ends the run, and what was recorded until
// then stays.
func TestBrokenFault(t *testing.T) {
	perform(t, one(harness.Scenario{Shape: perSecond(5), Fault: broken{}, When: three}, harness.Load{Streams: 2}),
		func(p *playing) {
			if p.err == nil || !strings.Contains(p.err.Error(), "inject a broken fault: out of order") {
				t.Errorf("%v", p.err)
			}
			if !p.noted(record.NoteHarness, "heal: out of order") || len(p.group(record.Victim)) == 0 {
				t.Errorf("%s", p.story())
			}
		})
}

// A broken fault fails in all it does.
type broken struct{ fault.Watch }

func (broken) String() string                             { return "a broken fault" }
func (broken) Inject(context.Context, fault.Target) error { return errors.New("out of order") }
func (broken) Heal(context.Context, fault.Target) error   { return errors.New("heal: out of order") }
