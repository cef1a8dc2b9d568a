package harness

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// planOf is the plan of options with one scenario, unless they have some.
func planOf(t *testing.T, o Options) *Plan {
	t.Helper()
	if len(o.Scenarios) == 0 {
		o.Scenarios = []Scenario{{ID: "one"}}
	}
	p, err := NewPlan(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// foreign is an app that takes no shape.
var foreign = App{URL: "http://127.0.0.1:1/chat", Stream: Stream{Dialect: "openai-chat"}}

// What the user sets goes before what the scenario says, and that before our defaults.
func TestFill(t *testing.T) {
	const sec = time.Second
	own := Scenario{Policy: record.Policy{GapLimit: 3 * sec, Thresholds: record.Thresholds{Slowdown: 4}},
		Load: Load{Streams: 7, Duration: sec}}
	scaled := Scenario{Edge: stack.Edge{ReadTimeout: 2 * sec}, Env: []string{"fast"}, Policy: record.Policy{Silence: 2 * sec},
		Unscaled: Timers{ReadTimeout: 60 * sec, Silence: 60 * sec, Env: []string{"slow"}, GapLimit: 90 * sec}}
	for name, tc := range map[string]struct {
		o     Options
		sc    Scenario
		right func(sc Scenario) bool
	}{
		"defaults": {Options{}, Scenario{}, func(sc Scenario) bool {
			p := sc.Policy
			return p.GapLimit == DefaultGapLimit && p.FirstLimit == DefaultFirstLimit && p.TotalLimit == DefaultTotal &&
				p.ProgressLimit == 0 && p.Slowdown == verdict.DefaultSlowdown && sc.Load.Concurrent() == DefaultStreams &&
				sc.Edge.Form == stack.EdgeStreaming && !p.Faulty
		}},
		"the scenario's": {Options{}, own, func(sc Scenario) bool {
			return sc.Policy.GapLimit == 3*sec && sc.Policy.Slowdown == 4 && sc.Load.Streams == 7 && sc.Load.Duration == sec
		}},
		"the user's": {Options{GapLimit: sec, FirstLimit: 2 * sec, Total: 9 * sec, ProgressLimit: 5 * sec,
			Load:       Load{Streams: 3},
			Thresholds: record.Thresholds{Slowdown: 6}}, own, func(sc Scenario) bool {
			p := sc.Policy
			return p.GapLimit == sec && p.FirstLimit == 2*sec && p.TotalLimit == 9*sec && p.ProgressLimit == 5*sec &&
				p.Slowdown == 6 && sc.Load.Streams == 3 && sc.Load.Duration == sec
		}},
		"other thresholds leave the slowdown": {Options{Thresholds: record.Thresholds{FirstEvent: sec}}, own,
			func(sc Scenario) bool {
				return sc.Policy.Thresholds.FirstEvent == sec && sc.Policy.Thresholds.Slowdown == 4
			}},
		"nothing is slow under a fault": {Options{}, Scenario{Fault: fault.Crash{}}, func(sc Scenario) bool {
			return sc.Policy.Faulty && sc.Policy.Slowdown == 0
		}},
		"nor among clients of their own": {Options{}, Scenario{Client: Client{Retry: Retry{Times: 1}}},
			func(sc Scenario) bool {
				return sc.Policy.Slowdown == 0
			}},
		"an app that takes no shape has its own gaps": {Options{App: foreign}, own, func(sc Scenario) bool {
			return sc.Policy.GapLimit == DefaultGapLimit
		}},
		"nor is it cut by a timer that was scaled down": {Options{App: foreign}, scaled, func(sc Scenario) bool {
			return sc.Edge.ReadTimeout == 60*sec && sc.Policy.Silence == 60*sec && sc.Env[0] == "slow" &&
				sc.Policy.GapLimit == 90*sec
		}},
		"one that takes a shape is": {Options{}, scaled, func(sc Scenario) bool {
			return sc.Edge.ReadTimeout == 2*sec && sc.Policy.Silence == 2*sec && sc.Env[0] == "fast"
		}},
		"and the user's own timer counts": {Options{App: App{URL: foreign.URL, Stream: foreign.Stream,
			Edge: stack.Edge{ReadTimeout: 5 * sec}}}, scaled, func(sc Scenario) bool {
			return sc.Edge.ReadTimeout == 5*sec
		}},
		"a server by URL is met as it is": {Options{App: foreign}, Scenario{},
			func(sc Scenario) bool { return sc.Edge.Form == stack.EdgeNone }},
		"unless the scenario is about an edge": {Options{App: foreign}, Scenario{Edge: stack.Edge{Form: stack.EdgeDefault}},
			func(sc Scenario) bool { return sc.Edge.Form == stack.EdgeDefault }},
		"the user's edge": {Options{App: App{Edge: stack.Edge{Form: stack.EdgeGzip}}},
			Scenario{Edge: stack.Edge{Form: stack.EdgeDefault}},
			func(sc Scenario) bool { return sc.Edge.Form == stack.EdgeGzip }},
		"peeled hops say the same": {Options{}, Scenario{Peel: true}, func(sc Scenario) bool {
			return sc.Policy.Expect == record.ExpectSameText
		}},
		"a feed": {Options{App: App{Stream: Stream{Endless: Endless{For: sec, Events: 5}}}}, Scenario{},
			func(sc Scenario) bool {
				return sc.Policy.Feed == sec && sc.Policy.FeedEvents == 5
			}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := planOf(t, tc.o).Fill(tc.sc); !tc.right(got) {
				t.Errorf("edge %+v, load %+v, policy %+v", got.Edge, got.Load, got.Policy)
			}
		})
	}
}

// What is saved before anything starts repeats the run, and holds no secret.
func TestPlanIsRecorded(t *testing.T) {
	t.Setenv("STREAMPROOF_TEST_KEY", "k3y-of-the-realm")
	app := App{URL: "http://127.0.0.1:1/chat?key=k3y-of-the-realm",
		Stream: Stream{Dialect: "openai-chat", Body: `{"key": "${STREAMPROOF_TEST_KEY}"}`,
			Headers: map[string]string{"Authorization": "Bearer s3cret-token"}}}
	o := Options{App: app, Seed: 7, Repro: "streamproof run", Strict: true, FirstLimit: time.Minute,
		ProgressLimit: time.Second,
		Scenarios:     []Scenario{{ID: "cut", Fault: fault.Crash{}, Edge: stack.Edge{ReadTimeout: time.Second}}}}
	p := planOf(t, o)
	if string(p.Body) != `{"key": "k3y-of-the-realm"}` || p.Header.Get("Authorization") != "Bearer s3cret-token" {
		t.Errorf("the request is %q, %v", p.Body, p.Header)
	}
	r := p.Record(time.Unix(1, 0))
	if r.Repro != "streamproof run --seed 7" || !r.Strict || r.Dialect != "openai-chat" ||
		r.Request.Method != http.MethodPost ||
		r.Request.URL != "http://127.0.0.1:1/chat?key=WITHHELD" || r.Request.Body != app.Stream.Body ||
		r.Request.Headers["Authorization"] != "[authorization withheld]" {
		t.Errorf("the plan is %+v", r)
	}
	if r.Limits["headers"] != "1m0s" || r.Limits["progress"] != "1s" || r.Limits["total"] != "5m0s" {
		t.Errorf("limits are %v", r.Limits)
	}
	if s := r.Scenarios[0]; s.ID != "cut" || s.Fault != (fault.Crash{}).String() || !s.OwnReadTimeout ||
		s.Edge != "streaming" || s.Expected != (record.Expected{}) {
		t.Errorf("the scenario is %+v", s)
	}
	o.Repro = "STREAMPROOF_SEED={seed} go test"
	if got := planOf(t, o).Record(time.Time{}).Repro; got != "STREAMPROOF_SEED=7 go test" {
		t.Errorf("it is repeated by %q", got)
	}
}

// How long streams last and are silent follows from the shape that an app takes.
func TestExpected(t *testing.T) {
	shape := Shape{Events: 10, Gap: 100 * time.Millisecond, Pause: 5 * time.Second}
	for name, tc := range map[string]struct {
		app             App
		longest, silent time.Duration
	}{
		"the origin sends heartbeats": {App{}, 6 * time.Second, time.Second},
		"another app does not": {App{URL: "http://127.0.0.1:1/?gap={gap}", Stream: Stream{Dialect: "openai-chat"}},
			6 * time.Second, 5 * time.Second},
		"nobody knows":   {foreign, 0, 0},
		"the user knows": {App{Stream: Stream{Longest: time.Hour}}, time.Hour, 0},
	} {
		got := planOf(t, Options{App: tc.app}).Scenario(Scenario{Shape: shape}).Expected
		if got.Longest != tc.longest || got.Silence != tc.silent {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// How an app is asked for the answer in one piece.
func TestPlain(t *testing.T) {
	text := Stream{Dialect: "text", Path: "/chat"}
	path, body := text, text
	path.PlainPath, body.PlainBody = "/whole?n={events}", "whole"
	sc := Scenario{Shape: Shape{Events: 3}}
	for want, app := range map[string]App{
		"/stream?events=3&stream=false ": {},
		"/whole?n=3 ":                    {URL: "http://127.0.0.1:1", Stream: path},
		"/chat whole":                    {URL: "http://127.0.0.1:1", Stream: body},
		" ":                              {URL: "http://127.0.0.1:1", Stream: text},
	} {
		p := planOf(t, Options{App: app})
		if got := p.Plain(sc) + " " + string(p.PlainBody()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A scenario's headers stand where the user has not set the same.
func TestHeaders(t *testing.T) {
	p := planOf(t, Options{App: App{Stream: Stream{Headers: map[string]string{"accept-encoding": "br"}}}})
	h := p.Headers(Scenario{Headers: map[string]string{"Accept-Encoding": "gzip", "X-Own": "1"}})
	if got := slices.Sorted(func(yield func(string) bool) {
		for k, v := range h {
			if !yield(k + "=" + strings.Join(v, ",")) {
				return
			}
		}
	}); !slices.Equal(got, []string{"Accept-Encoding=br", "X-Own=1"}) {
		t.Errorf("%q", got)
	}
}

func TestShapeFillsThePath(t *testing.T) {
	app := App{URL: "http://127.0.0.1:1", Stream: Stream{Path: "/chat?n={events}&gap={gap}&pause={pause}&at={pause_at}"}}
	if !app.shaped() {
		t.Error("a path with {gap} takes no shape")
	}
	if got, want := (Shape{}).fill(app.Path()), "/chat?n=20&gap=50ms&pause=0s&at=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := Shape{Events: 3, Gap: 1e6, Pause: 3e9, PauseAt: 2}
	if got, want := s.fill(app.Path()), "/chat?n=3&gap=1ms&pause=3s&at=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestShapeBecomesQuery(t *testing.T) {
	var p Plan
	sc := Scenario{Shape: Shape{Events: 8, Gap: 5e7, Pause: 3e9, PauseAt: 4}}
	if got, want := p.Target(sc), "/stream?events=8&gap=50ms&pause=3s&pause_at=4"; got != want {
		t.Errorf("target = %q, want %q", got, want)
	}
	if got, want := p.Sabotaged(sc,
		"lost-event"), "/stream?events=8&gap=50ms&pause=3s&pause_at=4&sabotage=lost-event"; got != want {
		t.Errorf("sabotaged = %q, want %q", got, want)
	}
}

// A dialect of the user's own is saved with the plan: whoever judges the record reads
// answers as they were read.
func TestPlanKeepsAnOwnDialect(t *testing.T) {
	spec := &stream.Spec{Name: "kiln", Format: []string{"ndjson"}, Content: []string{".piece"},
		Terminal: []string{"json .state == fired"}}
	o := Options{App: App{URL: "http://127.0.0.1:1/fire", Stream: Stream{Dialect: "kiln", Spec: spec}},
		Load: Load{Streams: 1}}
	p := planOf(t, o)
	text, err := json.Marshal(p.Record(time.Time{}))
	if err != nil {
		t.Fatal(err)
	}
	var back record.Plan
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if d, ok := back.ReadAs(); !ok || d.Name != "kiln" || d.NeedsTerminal || d.Format.Name != "ndjson" {
		t.Errorf("read as %+v", d)
	}
	if o.App.Stream.Dialect = "klin"; o.App.Validate() == nil {
		t.Error("a name that is neither ours nor the user's was taken")
	}
}
