package record

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What older versions put into words comes back as the fields of today.
func TestOldEvents(t *testing.T) {
	const workers = "seen within 100ms"
	for name, tt := range map[string]struct{ old, want Event }{
		"worker of a program": {Event{Source: ProcessSource, Kind: KindExit, Subject: "app[0] worker", Text: workers},
			Event{Source: ProcessSource, Kind: KindExit, Subject: "app[0]", Role: WorkerRole, Text: workers}},
		"worker of a container": {Event{Source: ProcessSource, Kind: KindExit, Subject: "app[1]", Text: "worker gone"},
			Event{Source: ProcessSource, Kind: KindExit, Subject: "app[1]", Role: WorkerRole, Text: "worker gone"}},
		"replica": {Event{Source: ProcessSource, Kind: KindExit, Subject: "app[0]"},
			Event{Source: ProcessSource, Kind: KindExit, Subject: "app[0]"}},
		"kill of a worker, told of its replica": {Event{Source: ProcessSource, Kind: KindKill, Subject: "app[0]",
			Text: "killed to worker"},
			Event{Source: ProcessSource, Kind: KindKill, Subject: "app[0]", Text: "killed to worker"}},
		"counter of a replica": {Event{Kind: KindCounter, Subject: "app[0] oom_kill", Value: 1},
			Event{Kind: KindCounter, Subject: "app[0]", Counter: OOMCounter, Value: 1}},
		"counter of nobody": {Event{Kind: KindCounter, Subject: "oom_kill"}, Event{Kind: KindCounter, Counter: OOMCounter}},
		"counter of today": {Event{Kind: KindCounter, Subject: "app[0]", Counter: MemoryCounter},
			Event{Kind: KindCounter, Subject: "app[0]", Counter: MemoryCounter}},
	} {
		if got := oldEvent(tt.old); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestOldFaults(t *testing.T) {
	for name, want := range map[string]Fault{
		"rst after event 5 on the edge link":      {Kind: FaultOther, Effect: Cuts},
		"SIGTERM with 10s of grace":               {Kind: FaultDrain, Effect: Cuts},
		"first replica frozen for 2s":             {Kind: FaultOther}, // not "rst"
		"burst of 200 requests, then a slowdown":  {Kind: FaultOther}, // nor "down"
		"latency 200ms ± 0s on the upstream link": {Kind: FaultOther},
	} {
		got := oldFault(Fault{Name: name})
		if got.Kind != want.Kind || got.Effect != want.Effect {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if f := (Fault{Name: "my SIGTERM", Kind: FaultOther, Effect: Delays}); oldFault(f).Kind != FaultOther ||
		oldFault(f).Cuts() {
		t.Errorf("a fault of today was read by its name: %+v", oldFault(f))
	}
}

func TestOldNotes(t *testing.T) {
	clock := Note{Kind: NoteFact, Text: "arrival clock: kernel (SO_TIMESTAMPNS)"}
	missed := Note{Kind: NoteDoubt, Text: "the fault never struck: no victim came", Settle: "use longer streams"}
	other := Note{Kind: NoteDoubt, Text: "the fault was healed before its time"}
	run := open(t, folder(t, func(w *Writer) { w.Note(clock); w.Note(missed); w.Note(other) }))
	want := []Note{{Kind: NoteNeverStruck, Text: "no victim came", Settle: "use longer streams"}, other}
	if run.Plan.Host.Clock != KernelClock || !slices.Equal(run.Notes, want) {
		t.Errorf("clock %q, notes %+v, want %+v", run.Plan.Host.Clock, run.Notes, want)
	}
}

// Data that stood in notes as JSON comes back as entries of its own.
func TestOldData(t *testing.T) {
	run := open(t, folder(t, func(w *Writer) {
		for kind, text := range map[NoteKind]string{
			"ledger": `{"Nonce":"a","Stream":7,"Starts":2,"Produced":5,"LeftAt":3,"StopAt":-1}`,
			"edge": `{"edge":"nginx","events":5,"gap_ns":9,"trials":[` +
				`{"framing":"chunked","fate":"cut","why":"","events":5,"live":false,"delay_ns":1}]}`,
			"compare":   `{"Nonce":"b","Streamed":9,"Whole":8,"Differ":4,"WholeErr":"status 502"}`,
			"reference": `{"Asked":3,"Alike":2,"Short":1,"Bytes":180,"Plain":true}`,
		} {
			w.Note(Note{Scenario: "cut", Kind: kind, Text: text})
			w.Note(Note{Scenario: "cut", Kind: kind, Text: "{torn"})
		}
	}))
	want := Run{Plan: run.Plan, Finished: Never,
		Ledgers: []Ledger{{Scenario: "cut", Nonce: "a", Stream: 7, Starts: 2, Produced: 5, LeftAt: 3, StopAt: Never}},
		Edges: []EdgeProbe{{Scenario: "cut", Edge: "nginx", Events: 5, Gap: 9,
			Trials: []EdgeTrial{{Framing: Chunked, Fate: EdgeCut, Events: 5, Live: new(bool), Delay: 1}}}},
		Comparisons: []Comparison{{Scenario: "cut", Nonce: "b", Streamed: 9, Whole: 8, Differ: 4, WholeErr: "status 502"}},
		References:  []Reference{{Scenario: "cut", Asked: 3, Alike: 2, Short: 1, Bytes: 180, Plain: true}},
	}
	if diff := cmp.Diff(want, *run, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the run came back different (-want +got):\n%s", diff)
	}
}

func TestOldApps(t *testing.T) {
	for text, want := range map[string]App{
		`"built-in origin"`:               {Kind: AppOrigin},
		`"image acme/chat:1"`:             {AppImage, "acme/chat:1"},
		`"image built from ./chat"`:       {AppBuild, "./chat"},
		`"service api of compose.yaml"`:   {AppService, "api of compose.yaml"},
		`"command go run ./server"`:       {AppCommand, "go run ./server"},
		`"https://127.0.0.1:8000"`:        {AppURL, "https://127.0.0.1:8000"},
		`"a URL"`:                         {Kind: AppURL},
		`""`:                              {},
		`{"kind":"command","name":"./a"}`: {AppCommand, "./a"},
	} {
		var got App
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
		said := strings.Replace(strings.Trim(text, `"`), "built-in origin", "built-in server", 1) // its name today
		if text[0] == '"' && got.String() != said {
			t.Errorf("%s reads %q", text, got)
		}
	}
}
