package play

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/memory"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A hook opens what opens, and changes what it opened or fails.
type hook struct {
	*memory.Opener
	fail func(n int) error // of the n-th stack, from 0
	wrap func(stack.Stack) stack.Stack
	n    int
}

func (h *hook) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	n := h.n
	h.n++
	if h.fail != nil {
		if err := h.fail(n); err != nil {
			return nil, err
		}
	}
	s, err := h.Opener.Open(ctx, spec)
	if err == nil && h.wrap != nil {
		s = h.wrap(s)
	}
	return s, err
}

// failing makes the n-th stack not open.
func failing(n int, err error) func(p *playing) {
	return func(p *playing) {
		p.opener = &hook{Opener: p.memory, fail: func(i int) error {
			if i == n {
				return err
			}
			return nil
		}}
	}
}

// trials are scenarios of one short stream each.
func trials(ids ...string) (o harness.Options) {
	for _, id := range ids {
		o.Scenarios = append(o.Scenarios, harness.Scenario{ID: id})
	}
	o.Load = harness.Load{Streams: 1}
	return o
}

// played lists the scenarios that sent streams.
func (p *playing) played() string {
	var ids []string
	for _, s := range p.run.Streams {
		if !slices.Contains(ids, s.Scenario) {
			ids = append(ids, s.Scenario)
		}
	}
	return strings.Join(ids, " ")
}

// What keeps one scenario from being played keeps the others only where the harness
// itself is broken, or where control has shown that the app says nothing.
func TestWhichScenariosArePlayed(t *testing.T) {
	silent := func(p *playing) {
		p.memory.App = func(int) http.Handler { return http.NotFoundHandler() }
	}
	compared := trials("control", "two")
	compared.Scenarios[1].Policy.Expect = record.ExpectSameText
	compared.App = harness.App{URL: "http://127.0.0.1:1/stream", Stream: harness.Stream{Dialect: "origin"}}
	for name, tc := range map[string]struct {
		o      harness.Options
		set    func(p *playing)
		played string
		notes  string // kinds of those that are no facts, with their scenarios
		err    string
	}{
		"all": {trials("one", "two"), func(*playing) {}, "one two", "", ""},
		"stack unable": {trials("one", "two"), failing(0, &stack.Unable{What: "fly", Why: "it has no wings"}), "two",
			"unable one", ""},
		"app unable": {trials("one", "two"), failing(0, stack.NotStarted("kill it")), "two", "not applicable one", ""},
		"broken": {trials("one", "two", "three"), failing(1, errors.New("no more memory")), "one",
			"harness two, unable three", "run two: no more memory"},
		"mute control": {trials("control", "two"), silent, "control", "unable two", ""},
		"no hop": {trials("one"), noHop, "", "harness one",
			"run one: open stack: it has no hop to send streams to"},
		"no such entrance": {entered(edgeless("one"), "nginx"), func(*playing) {}, "", "unable one", ""},
		"the app alone":    {entered(trials("one"), "app"), func(*playing) {}, "one", "", ""},
		"nothing to ask":   {compared, func(*playing) {}, "control", "not applicable two", ""},
	} {
		t.Run(name, func(t *testing.T) {
			perform(t, tc.o, func(p *playing) {
				if got := p.played(); got != tc.played {
					t.Errorf("played %q, want %q", got, tc.played)
				}
				var notes []string
				for _, n := range p.run.Notes {
					if n.Kind != record.NoteFact {
						notes = append(notes, string(n.Kind)+" "+n.Scenario)
					}
				}
				if got := strings.Join(notes, ", "); got != tc.notes {
					t.Errorf("notes are %q, want %q: %+v", got, tc.notes, p.run.Notes)
				}
				if tc.err == "" && p.err != nil || tc.err != "" && (p.err == nil || p.err.Error() != tc.err) {
					t.Errorf("error %v, want %q", p.err, tc.err)
				}
			}, tc.set)
		})
	}
}

// edgeless is a trial without an edge.
func edgeless(id string) harness.Options {
	o := trials(id)
	o.Scenarios[0].Edge.Form = stack.EdgeNone
	return o
}

// entered enters the chain at a hop.
func entered(o harness.Options, hop string) harness.Options {
	o.Enter = hop
	return o
}

// A hopless stack has no hop.
type hopless struct{ stack.Stack }

func (hopless) Hops() []stack.Hop { return nil }

func noHop(p *playing) {
	p.opener = &hook{Opener: p.memory, wrap: func(s stack.Stack) stack.Stack { return hopless{s} }}
}

// Bad input starts nothing and writes nothing.
func TestBadInput(t *testing.T) {
	dir := t.TempDir() + "/run"
	for name, o := range map[string]harness.Options{
		"no scenario":  {},
		"many streams": {Scenarios: []harness.Scenario{{ID: "one"}}, Load: harness.Load{Streams: 1 << 40}},
	} {
		o.Dir = dir
		var usage *harness.UsageError
		if err := Run(t.Context(), o); !errors.As(err, &usage) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: the run folder was made", name)
		}
	}
}

// Progress tells the phases of a scenario in their order, and counts its streams.
func TestProgress(t *testing.T) {
	perform(t, trials("one", "two"), func(p *playing) {
		want := "opening streams closing opening streams closing"
		if got := strings.Join(p.phases, " "); got != want {
			t.Errorf("phases are %q, want %q", got, want)
		}
	})
}

// An edge with a timer, as a stack shows it.
type timed struct{ stack.Stack }

func (timed) Layers() []stack.Layer {
	return []stack.Layer{{Name: "nginx", Settings: map[string]string{"proxy_read_timeout": "1s"}}}
}

// Whoever asks for it is warned of a layer's timer that the streams outlast, once.
func TestWarnings(t *testing.T) {
	o := trials("one", "two")
	for i := range o.Scenarios {
		o.Scenarios[i].Shape = harness.Shape{Events: 2, Gap: 2 * time.Second}
	}
	var warned []string
	o.Warn = func(scenario string, w verdict.Warning) { warned = append(warned, scenario+": "+w.Layer+" "+w.Setting) }
	perform(t, o, func(p *playing) {
		if len(warned) != 1 || warned[0] != "one: nginx proxy_read_timeout 1s" {
			t.Errorf("%q", warned)
		}
	}, func(p *playing) {
		p.opener = &hook{Opener: p.memory, wrap: func(s stack.Stack) stack.Stack { return timed{s} }}
	})
}

// A looker asks an app, and stops it again.
func TestLooker(t *testing.T) {
	for name, tc := range map[string]struct {
		app     harness.App
		handler http.HandlerFunc
		status  int
		body    string
		cut     bool
	}{
		"whole": {handler: func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("all of it")) }, status: 200,
			body: "all of it"},
		"posted": {app: harness.App{Stream: harness.Stream{Path: "/chat", Body: "question"}},
			handler: func(w http.ResponseWriter,
				r *http.Request) {
				w.Write([]byte(r.Method + r.URL.Path))
			}, status: 200, body: "POST/chat"},
		"refused": {handler: http.NotFound, status: 404, body: "404 page not found\n"},
		"cut": {handler: func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("all"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, status: 200, body: "all", cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &memory.Opener{App: func(int) http.Handler { return tc.handler }}
				l, err := NewLooker(t.Context(), harness.Options{App: tc.app, Opener: m})
				if err != nil {
					t.Fatal(err)
				}
				looks, err := l.Look(t.Context(), tc.app.Stream, 2, time.Minute)
				if err := errors.Join(err, l.Close(t.Context())); err != nil || len(looks) == 0 {
					t.Fatal(looks, err)
				}
				if again := len(looks) == 2; again != (tc.status == 200 && !tc.cut) {
					t.Errorf("asked %d times", len(looks))
				}
				look := looks[0]
				if last := look.Pieces[len(look.Pieces)-1]; last.Upto != len(look.Body) {
					t.Errorf("the last piece ends at %d of %d", last.Upto, len(look.Body))
				}
				if look.Status != tc.status || string(look.Body) != tc.body || (look.Cut != nil) != tc.cut {
					t.Errorf("%+v, %q, %v", look, look.Body, err)
				}
				if _, err := m.DialContext(t.Context(), "tcp", "app-0.memory:80"); err == nil {
					t.Error("the app was not stopped")
				}
			})
		})
	}
	if _, err := NewLooker(t.Context(), harness.Options{App: harness.App{URL: "x"}}); err == nil {
		t.Error("bad input was taken")
	}
}
