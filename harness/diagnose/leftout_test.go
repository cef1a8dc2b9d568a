package diagnose_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// Streams that the edge answered by itself, since it took all servers for dead after our
// link was well again, are the edge's: neither the app's nor our fault's. While the app
// itself was gone, or nothing says that the edge tried none, they are not.
func TestServersLeftOutByTheEdge(t *testing.T) {
	const none = "[error] 7#7: *53 no live upstreams while connecting to upstream"
	down := record.Fault{Name: "upstream link down", Kind: record.FaultDown, Effect: record.Cuts}
	for _, tt := range []struct {
		name  string
		fault record.Fault
		lines []string // of nginx, one for each stream that came after the fault
		app   []synth.LogLine
		want  string
		layer string
	}{
		{"a link that was down", down, []string{none, none, none}, nil, diagnose.LeftOut, "edge"},
		{"no such line", down, nil, nil, diagnose.InjectedFault + ": upstream link down", "network"},
		{"another line", down, []string{"[error] 7#7: *53 connect() failed (111: Connection refused) while connecting to upstream"}, nil,
			diagnose.InjectedFault + ": upstream link down", "network"},
		{"an app that we killed", record.Fault{Name: "SIGKILL to app[0]", Kind: record.FaultCrash, Effect: record.Cuts},
			[]string{none, none, none}, nil, diagnose.InjectedFault + ": SIGKILL to app[0]", "network"},
		{"an app that died meanwhile", down, []string{none, none, none},
			[]synth.LogLine{at(1500*ms, "[2026-11-25 12:00:01 +0000] [1] [ERROR] Worker (pid:11) was sent SIGKILL! Perhaps out of memory?")},
			diagnose.InjectedFault + ": upstream link down", "network"},
		{"a record that does not say what the fault was", record.Fault{Name: "old", Effect: record.Cuts},
			[]string{none, none, none}, nil, diagnose.InjectedFault + ": old", "network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := faulty("default", record.Policy{Kills: true, Refuses: true, Recovery: 10 * sec})
			v := b.Add(10, chaos(record.Victim, synth.Shape{Events: 60, Keep: 19, End: synth.CutAt(sec)}))
			b.Add(10, chaos(record.Control, synth.Shape{}))
			var lines []synth.LogLine
			for i, text := range tt.lines {
				lines = append(lines, at(2*sec+100*ms*time.Duration(i), text))
			}
			for i := range 3 {
				b.Add(1, chaos(record.Recovery, synth.Shape{Start: 2*sec + 100*ms*time.Duration(i), Keep: synth.KeepNone, End: synth.Status(502)}))
			}
			b.Fault(tt.fault, sec, 1200*ms, v...)
			nginx(b, lines...)
			app(b, tt.app...)
			causes := toldOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want || causes[0].Layer != tt.layer {
				t.Fatalf("want %s in the layer %s:\n%s", tt.want, tt.layer, evidence(causes))
			}
			if tt.want == diagnose.LeftOut && causes[0].Count != 3 {
				t.Errorf("%d streams, want 3", causes[0].Count)
			}
		})
	}
}

// Without a fault of ours they are the edge's where nothing says that the app was gone.
func TestServersLeftOutUnderLoad(t *testing.T) {
	const none = "[error] 7#7: *53 no live upstreams while connecting to upstream"
	for _, tt := range []struct{ name, first, want string }{
		{"after a reset", "[error] 7#7: *1 recv() failed (104: Connection reset by peer) while reading response header from upstream", diagnose.LeftOut},
		{"after refused connections", "[error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream", diagnose.DeployGap},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := synth.New(record.Scenario{ID: "control", Edge: "default", Policy: record.Policy{GapLimit: gap, Checks: checks}})
			lines := []synth.LogLine{at(0, tt.first)}
			for i := range 6 {
				start := sec + 100*ms*time.Duration(i)
				b.Add(1, synth.Shape{Start: start, Keep: synth.KeepNone, End: synth.Status(502)})
				lines = append(lines, at(start, none))
			}
			nginx(b, lines...)
			app(b)
			if causes := toldOf(b); len(causes) == 0 || causes[0].Cause != tt.want || causes[0].Count != 6 {
				t.Fatalf("want %s for 6 streams:\n%s", tt.want, evidence(causes))
			}
		})
	}
}
