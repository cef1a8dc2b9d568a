package config

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// catalogue is one scenario to extend.
var catalogue = []harness.Scenario{{ID: "stall", Title: "Stall", Doc: "It resumes.",
	Edge: stack.Edge{Form: stack.EdgeGzip}, Shape: harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
	Fault: fault.Stall("edge", time.Second), Hold: time.Second,
	When: harness.When{Events: 3}, Policy: record.Policy{MinInBody: 7, Recovery: time.Minute, GapLimit: 2 * time.Second,
		Checks: []string{"late"}}}}

func defined(t *testing.T, src string) []harness.Scenario {
	t.Helper()
	f, err := Parse("c.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	own, err := f.Defined(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return own
}

const everyDefine = `
define:
- id: all-of-it
  title: A title
  doc: A sentence.
  load: {streams: 5, duration: 2s}
  edge: {form: default, read_timeout: 2s}
  replicas: 2
  workers: 3
  shape: {events: 9, gap: 10ms, size: 64, pause: 1s, pause_at: 4, heartbeat: 200ms}
  share: 20%
  client:
    abort: {after_events: 4, after: 1s}
    read: {rate: 4KiB, buffer: 2KiB}
    reconnect: {times: 2, wait: 300ms, together: true}
    retry: {times: 1, wait: 1s}
  when: {events: 3, streams: 4, replica: "app[1]", heartbeats: 1, after: 1s, within: 5s}
  until: {streams: 1}
  hold: 2s
  fault:
    sequence:
    - {type: stall, link: edge, hold: 1s}
    - {all: [{type: reset, link: "upstream[1]", event: 5}, {type: drain, grace: 3s}], when: {after: 500ms}}
  checks: [late, gappy]
  thresholds: {max_gap: 4s}
  policy: {kills: true, refuses: true, sheds: true, recovery: 3s, gap: 6s, min_in_body: 2, min_streams: 3}
`

func TestDefineCarriesEveryKey(t *testing.T) {
	want := harness.Scenario{
		ID: "all-of-it", Title: "A title", Doc: "A sentence.", Load: harness.Load{Streams: 5, Duration: 2 * time.Second},
		Edge: stack.Edge{Form: stack.EdgeDefault, ReadTimeout: 2 * time.Second}, Replicas: 2, Workers: 3,
		Shape: harness.Shape{Events: 9, Gap: 10 * time.Millisecond, Size: 64, Pause: time.Second, PauseAt: 4,
			Heartbeat: 200 * time.Millisecond},
		Share: 0.2,
		Client: harness.Client{Abort: harness.Abort{AfterEvents: 4, After: time.Second},
			Read: harness.Reading{Rate: 4096, Buffer: 2048}, Reconnect: harness.Reconnect{Times: 2, Wait: 300 * time.Millisecond,
				Together: true}, Retry: harness.Retry{Times: 1, Wait: time.Second}},
		When: harness.When{Events: 3, Streams: 4, Replica: "app[1]", Heartbeats: 1, After: time.Second,
			Within: 5 * time.Second},
		Until: harness.When{Streams: 1}, Hold: 2 * time.Second,
		Fault: fault.Sequence{
			fault.Timed{Fault: fault.Stall("edge", time.Second), Hold: time.Second},
			fault.Timed{Fault: fault.All{fault.Strike{Link: "upstream[1]", After: 5, Action: stack.RST},
				fault.Drain{Grace: 3 * time.Second}},
				When: fault.When{After: 500 * time.Millisecond}},
		},
		Policy: record.Policy{Kills: true, Refuses: true, Sheds: true, Recovery: 3 * time.Second, GapLimit: 6 * time.Second,
			MinInBody: 2, MinStreams: 3, Checks: []string{"late", "gappy"},
			Thresholds: record.Thresholds{MaxGap: 4 * time.Second}},
	}
	if d := cmp.Diff(want, defined(t, everyDefine)[0]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := compile(t).Validate(decode(t, everyDefine)); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
}

func TestDefineBeginsWithAnother(t *testing.T) {
	own := defined(t, "define:\n- {id: mine, extends: stall, shape: {gap: 10ms}, policy: {min_in_body: 1}}\n"+
		"- {id: yours, extends: mine, title: Yours}\n")
	want := catalogue[0]
	want.ID, want.Title, want.Shape.Gap = "yours", "Yours", 10*time.Millisecond
	want.Policy.MinInBody, want.Policy.MinStreams = 1, 1
	if d := cmp.Diff(want, own[1]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDefineThatSaysLittle(t *testing.T) {
	own := defined(t, "define:\n- {id: calm}\n- {id: cut, fault: {type: fin, link: edge}}\n"+
		"- {id: slow, client: {read: {rate: 1kB}}}\n")
	calm, cut, slow := own[0], own[1], own[2]
	if calm.Edge.Form != stack.EdgeStreaming || cmp.Diff(calm.Policy.Checks, verdict.DefaultChecks) != "" {
		t.Errorf("without anything: %+v", calm)
	}
	if !cut.When.IsZero() {
		t.Errorf("strikes come by themselves, and need no condition: %v", cut.When)
	}
	if cut.Policy.MinInBody != 1 || cut.Policy.Recovery == 0 || cmp.Diff(cut.Policy.Checks, excuseless) != "" {
		t.Errorf("with a fault: %+v", cut.Policy)
	}
	if cmp.Diff(slow.Policy.Checks, excuseless) != "" {
		t.Errorf("with slow clients: %+v", slow.Policy)
	}
}

// TestDefineStrikesInBodies: a fault without a condition waits for what the scenario asks for.
func TestDefineStrikesInBodies(t *testing.T) {
	const slow = "type: latency, link: edge, delay: 1s"
	for src, want := range map[string]struct{ events, inBody int }{
		"fault: {" + slow + "}":                                          {1, 1},
		"fault: {" + slow + "}, when: {after: 0s}":                       {0, 0},
		"fault: {" + slow + "}, when: {streams: 3}":                      {0, 1},
		"fault: {" + slow + ", when: {heartbeats: 1}}":                   {0, 1},
		"fault: {" + slow + ", hold: 1s}":                                {1, 1},
		"fault: {sequence: [{" + slow + "}, {type: crash}]}":             {1, 1},
		"fault: {all: [{type: fin, link: edge}, {" + slow + "}]}":        {1, 1},
		"fault: {type: fin, link: edge}":                                 {0, 1},
		"extends: stall, fault: {" + slow + "}":                          {3, 7},
		"extends: stall, fault: {" + slow + "}, policy: {recovery: 10s}": {3, 7},
	} {
		sc := defined(t, "define:\n- {id: a, "+src+"}\n")[0]
		if sc.When.Events != want.events || sc.Policy.MinInBody != want.inBody {
			t.Errorf("%s: events %d, in body %d, want %+v", src, sc.When.Events, sc.Policy.MinInBody, want)
		}
	}
}

func TestDefineErrorsNamePlaceAndFix(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"no id", "- {title: x}", `c.yaml:2:3: a scenario without an id; add id: my-scenario`},
		{"bad id", "- {id: My Own}", `c.yaml:2:8: id "My Own" has other letters than a to z, digits and dashes; write it ` +
			`like slow-clients`},
		{"taken id", "- {id: stall}", `c.yaml:2:8: there is a scenario "stall" already; choose another id; to begin with ` +
			`it, write extends: stall`},
		{"taken twice", "- {id: a}\n- {id: a}", `c.yaml:3:8: there is a scenario "a" already; choose another id; to begin ` +
			`with it, write extends: a`},
		{"the suite's name", "- {id: standard}", `c.yaml:2:8: there is a scenario "standard" already; choose another id; ` +
			`to begin with it, write extends: standard`},
		{"extends nobody", "- {id: a, extends: stal}", `c.yaml:2:20: unknown scenario "stal"; did you mean "stall"?`},
		{"extends a later one", "- {id: a, extends: b}\n- {id: b}", `c.yaml:2:20: unknown scenario "b"; known are stall`},
		{"unknown key", "- {id: a, whn: {events: 1}}", `c.yaml:2:11: unknown key "whn"; did you mean "when"?`},
		{"unknown key in a part", "- id: a\n  fault: {all: [{typ: stall}]}",
			`c.yaml:3:18: unknown key "typ"; did you mean "type"?`},
		{"key of a scenario in a fault", "- id: a\n  fault: {shape: {events: 1}}", `c.yaml:3:11: unknown key "shape"; ` +
			`known are type, link, delay, jitter, rate, size, event, age, grace, gap, whole, room, when, until, hold, all, ` +
			`sequence, strikes`},
		{"unknown fault", "- id: a\n  fault: {type: latncy}", `c.yaml:3:17: unknown fault "latncy"; did you mean "latency"?`},
		{"unknown link", "- id: a\n  fault: {type: down, link: egde}",
			`c.yaml:3:29: unknown link "egde"; did you mean "edge"?`},
		{"lacks a key", "- id: a\n  fault: {type: latency, link: edge}",
			`c.yaml:3:10: latency needs a delay; add delay: 300ms`},
		{"lacks a hold", "- id: a\n  fault: {type: stall, link: edge}", `c.yaml:3:10: stall needs a hold; add hold: 1s`},
		{"a key too many", "- id: a\n  fault: {type: crash, link: edge}", `crash takes no link; leave it out`},
		{"two at once", "- id: a\n  fault: {type: crash, all: [{type: crash}]}",
			`c.yaml:3:10: 2 of type, all, sequence and strikes are given; name one`},
		{"none", "- id: a\n  fault: {hold: 1s}", `c.yaml:3:10: 0 of type, all, sequence and strikes are given; name one`},
		{"deep inside", "- id: a\n  fault: {sequence: [{type: crash}, {all: [{type: down}]}]}",
			`c.yaml:3:44: down needs a link; add link: upstream`},
		{"bad share", "- {id: a, share: 150%}", `c.yaml:2:18: "150%" is no share; write it like 0.5 or 50%`},
		{"when without a fault", "- {id: a, when: {events: 1}}", `c.yaml:2:17: the scenario has no fault that could strike ` +
			`then; add fault:, or leave it out`},
		{"until without a fault", "- {id: a, until: {events: 1}}",
			`no fault that could end then; add fault:, or leave it out`},
		{"hold without a fault", "- {id: a, hold: 1s}", `no fault that could stand so long; add fault:, or leave it out`},
		{"share of nothing", "- {id: a, share: 50%}", `c.yaml:2:18: the scenario has neither a fault nor a client that ` +
			`streams could have; add fault: or client:, or leave it out`},
		{"unknown flag", "- {id: a, checks: [lat]}", `c.yaml:2:20: unknown flag "lat"; did you mean "late"?`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse("c.yaml", []byte("define:\n"+tt.src+"\n"))
			if err == nil {
				_, err = f.Defined(catalogue)
			}
			var e *Error
			if !errors.As(err, &e) || !strings.HasSuffix(e.Error(), tt.want) {
				t.Fatalf("\n got %v\nwant %s", err, tt.want)
			}
			if e.Source == "" {
				t.Error("the line is not shown")
			}
		})
	}
}

// TestEveryFaultCanBeWritten builds each type with the keys that it needs, which
// the schema accepts too.
func TestEveryFaultCanBeWritten(t *testing.T) {
	schema := compile(t)
	for _, k := range faultKinds {
		t.Run(k.name, func(t *testing.T) {
			src := "define:\n- id: a\n  fault:\n    type: " + k.name + "\n"
			for _, key := range k.needs {
				src += "    " + key + ": " + exampleOf[key] + "\n"
			}
			sc := defined(t, src)[0]
			if sc.Fault == nil || sc.Fault.String() == "" {
				t.Errorf("no fault: %+v", sc)
			}
			if err := schema.Validate(decode(t, src)); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
}
