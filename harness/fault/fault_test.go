package fault

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// arrivals is a victim's stream with events at the given times, in milliseconds.
func arrivals(end int, at ...int) *record.Stream {
	var tl record.Timeline
	for i, ms := range at {
		t := time.Duration(ms) * time.Millisecond
		tl.Append(record.Mark{At: t, Early: t, Kind: stream.Content, Seq: int64(i + 1)})
	}
	return &record.Stream{Group: record.Victim, Headers: time.Millisecond, End: time.Duration(end) * time.Millisecond,
		Events: tl.Bytes}
}

func TestToxicIsConfirmedByTheSilenceOfItsVictims(t *testing.T) {
	f := Stall(stack.EdgeLink, time.Second) // believed from 500 ms on
	silent := arrivals(2000, 50, 100, 1150, 1200)
	steady := arrivals(2000, 50, 400, 700, 1000, 1300, 1600, 1900)
	before := arrivals(80, 50)
	for _, tc := range []struct {
		name    string
		active  time.Duration
		streams []*record.Stream
		want    bool
	}{
		{"all silent", 120 * time.Millisecond, []*record.Stream{silent, silent}, true},
		{"half silent", 120 * time.Millisecond, []*record.Stream{silent, steady}, true},
		{"none silent", 120 * time.Millisecond, []*record.Stream{steady, steady}, false},
		{"few silent", 120 * time.Millisecond, []*record.Stream{silent, steady, steady}, false},
		{"ended before", 120 * time.Millisecond, []*record.Stream{before}, false},
		{"silent at another time", 1300 * time.Millisecond, []*record.Stream{silent}, true}, // 1200 → end is 800 ms
		{"never injected", record.Never, []*record.Stream{silent}, false},
		{"nobody there", 120 * time.Millisecond, nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := f.Confirm(Seen{Streams: these(tc.streams...), Active: tc.active, Healed: tc.active + time.Second})
			if p.OK != tc.want {
				t.Errorf("OK = %v, want %v (%s)", p.OK, tc.want, p.Evidence)
			}
		})
	}
}

// TestSilenceOfAllIsNoTrace: where those beside the victims were silent as well, the fault
// is not what did it, and more of it is not the first thing to try.
func TestSilenceOfAllIsNoTrace(t *testing.T) {
	f := Stall(stack.EdgeLink, time.Second)
	silent := arrivals(2000, 50, 100, 1150, 1200)
	beside := func(s *record.Stream) *record.Stream { c := *s; c.Group = record.Control; return &c }
	for name, tc := range map[string]struct {
		streams []*record.Stream
		settle  string
	}{
		"all held up":          {[]*record.Stream{silent, beside(silent)}, heldUp},
		"nobody in their body": {[]*record.Stream{arrivals(80, 50)}, noneOpen},
		"too weak":             {[]*record.Stream{arrivals(2000, 50, 400, 700, 1000, 1300, 1600, 1900)}, ""},
		"seen":                 {[]*record.Stream{silent, beside(arrivals(2000, 50, 400, 700, 1000, 1300, 1600, 1900))}, ""},
	} {
		p := f.Confirm(Seen{Streams: these(tc.streams...), Active: 120 * time.Millisecond, Healed: 1120 * time.Millisecond})
		if p.Settle != tc.settle || p.OK != (name == "seen") {
			t.Errorf("%s: %t, %s; settle %q, want %q", name, p.OK, p.Evidence, p.Settle, tc.settle)
		}
	}
}

func TestKillIsConfirmedByWhomItServed(t *testing.T) {
	served := func(pid string) *record.Stream {
		s := arrivals(500, 100)
		s.Content.Worker = pid
		s.Seq = uint64(len(pid))
		return s
	}
	on := func(replica string, s *record.Stream) *record.Stream { s.Replica = replica; return s }
	kill := record.Event{Source: record.FaultSource, Kind: record.KindKill, Subject: "app[1]", Pid: 42,
		At: 200 * time.Millisecond}
	for _, tc := range []struct {
		name    string
		seen    Seen
		ok      bool
		victims int
	}{
		{"its streams are named", Seen{Streams: these(served("42"), served("7")), Events: []record.Event{kill}}, true, 1},
		{"another replica numbers its processes alike",
			Seen{Streams: these(on("app[1]", served("42")), on("app[0]", served("42"))), Events: []record.Event{kill}}, true, 1},
		{"it served nobody", Seen{Streams: these(served("7")), Events: []record.Event{kill}}, false, 0},
		{"nobody says who served", Seen{Streams: these(served("")), Events: []record.Event{kill}}, true, 0},
		{"nothing was killed", Seen{Streams: these(served("42"))}, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := KillWorker{}.Confirm(tc.seen)
			if p.OK != tc.ok || len(p.Victims) != tc.victims {
				t.Errorf("got %+v, want ok %v with %d victims", p, tc.ok, tc.victims)
			}
		})
	}
}

func TestDrainIsConfirmedByTheExit(t *testing.T) {
	term := record.Event{Source: record.FaultSource, Kind: record.KindTerm, Subject: "app[0]", At: time.Second}
	exit := record.Event{Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]", At: 3 * time.Second}
	early := exit
	early.At = 0
	if p := (Drain{}).Confirm(Seen{Events: []record.Event{term, exit}}); !p.OK {
		t.Errorf("an exit after the SIGTERM does not count: %s", p.Evidence)
	}
	for name, events := range map[string][]record.Event{"no exit": {term}, "exit before": {early, term},
		"no SIGTERM": {exit}} {
		if p := (Drain{}).Confirm(Seen{Events: events}); p.OK {
			t.Errorf("%s: confirmed by %q", name, p.Evidence)
		}
	}
}

func TestTheOnlyLinkIsBoth(t *testing.T) {
	only := &striker{name: "edge"}
	for name, want := range map[string]int{"edge": 1, "upstream": 1, "elsewhere": 0} {
		if found, _ := links(linked{only}, name); len(found) != want {
			t.Errorf("links named %s: %d, want %d", name, len(found), want)
		}
	}
	if found, _ := links(linked{only, &striker{name: "upstream[0]"}, &striker{name: "upstream[1]"}},
		"upstream"); len(found) != 2 {
		t.Errorf("upstream means %d of 2 links", len(found))
	}
}

// A stack leaves out what no fault will touch; of a fault that it does not know
// it cannot say.
func TestLinksThatAFaultActsOn(t *testing.T) {
	for _, tc := range []struct {
		fault Fault
		want  string
	}{
		{nil, ""}, {Crash{}, ""}, {Drain{}, ""}, {Reload{}, ""},
		{Latency("edge", time.Second, 0), "edge"}, {SlowStart("upstream", time.Second), "upstream"},
		{Down{Link: "upstream"}, "upstream"},
		{Strikes{{Link: "edge"}, {Link: "upstream[1]"}, {Link: "edge"}}, "edge upstream[1]"},
		{All{Crash{}, Timed{Fault: Strike{Link: "edge"}}}, "edge"},
		{foreign{}, "edge upstream"},
	} {
		if got := strings.Join(Links(tc.fault), " "); got != tc.want {
			t.Errorf("Links(%v) = %q, want %q", tc.fault, got, tc.want)
		}
	}
}

// foreign is a fault of a package that we do not know.
type foreign struct{ Fault }

func TestStrikesAreDealtOutInTurn(t *testing.T) {
	edge, up := &striker{name: "edge"}, &striker{name: "upstream[0]"}
	f := Strikes{{Link: "edge", After: 5, Action: stack.RST}, {Link: "upstream", After: 5, Action: stack.FIN}}
	err := f.Arm(t.Context(), Target{Stack: linked{edge, up}, Victims: []uint64{1, 2, 3, 4, 5}})
	if err != nil {
		t.Fatal(err)
	}
	if len(edge.armed) != 3 || len(up.armed) != 2 || edge.armed[1].Stream != 3 || up.armed[1].Stream != 4 {
		t.Errorf("edge got %v, upstream got %v", edge.armed, up.armed)
	}
}

// TestStrikeOfOneLinkIsNoProofOfAnother: what was done on one link confirms nothing that
// was to be done on another.
func TestStrikeOfOneLinkIsNoProofOfAnother(t *testing.T) {
	seen := Seen{Events: []record.Event{{Source: record.RelaySource, Kind: record.KindStrike, Subject: string(stack.RST),
		Stream: 1, Link: "upstream[0]"}}}
	for link, want := range map[string]bool{stack.UpstreamLink: true, "upstream[0]": true, "upstream[1]": false,
		stack.EdgeLink: false} {
		if p := (Strike{Link: link, Action: stack.RST}).Confirm(seen); p.OK != want {
			t.Errorf("%s: OK = %v, want %v (%s)", link, p.OK, want, p.Evidence)
		}
	}
}

// TestEachStrikeIsToBeSeen: of several strikes, one that no victim met proves nothing about
// that one.
func TestEachStrikeIsToBeSeen(t *testing.T) {
	at := func(link string, stream uint64) record.Event {
		return record.Event{Source: record.RelaySource, Kind: record.KindStrike, Subject: string(stack.FIN), Stream: stream,
			Link: link}
	}
	f := Strikes{{Link: stack.EdgeLink, Action: stack.FIN, After: 5}, {Link: stack.UpstreamLink, Action: stack.FIN, After: 5}}
	if p := f.Confirm(Seen{Events: []record.Event{at("edge", 1), at("upstream[0]", 2)}}); !p.OK || len(p.Victims) != 2 {
		t.Errorf("both were done: %+v", p)
	}
	if p := f.Confirm(Seen{Events: []record.Event{at("edge", 1)}}); p.OK || p.Settle == "" {
		t.Errorf("one was done: %+v", p)
	}
	// One link stands for both, and its ledger is read for both.
	if p := f.Confirm(Seen{Events: []record.Event{at("edge", 1), at("upstream", 1)}}); !p.OK || len(p.Victims) != 1 {
		t.Errorf("one link: %+v", p)
	}
}

// TestPauseOfOneReplicaOfThree: streams that the others serve are no victims of a replica
// that was frozen.
func TestPauseOfOneReplicaOfThree(t *testing.T) {
	on := func(replica string, s *record.Stream) *record.Stream { c := *s; c.Replica = replica; return &c }
	silent, steady := arrivals(2000, 50, 100, 1150, 1200), arrivals(2000, 50, 100, 300, 500, 700, 900, 1100, 1300)
	streams := []*record.Stream{on("app[0]", silent), on("app[1]", steady), on("app[2]", steady), on("app[1]", steady)}
	for i, s := range streams {
		s.Seq = uint64(i + 1)
	}
	seen := Seen{Active: 120 * time.Millisecond, Healed: 1120 * time.Millisecond, Streams: these(streams...),
		Events: []record.Event{{Kind: record.KindPause, Subject: "app[0]"}}}
	if p := (Pause{For: time.Second}).Confirm(seen); !p.OK || len(p.Victims) != 1 || p.Victims[0] != 1 {
		t.Errorf("%+v", p)
	}
	seen.Events[0].Subject = "app[1]"
	if p := (Pause{For: time.Second}).Confirm(seen); p.OK {
		t.Errorf("a replica that went on is taken for frozen: %+v", p)
	}
}

// What a fault does to connections is its own word, and no matter of letters in
// its name: "first", "burst", "slowdown".
func TestCuts(t *testing.T) {
	stall := Stall("edge", time.Second)
	for _, tc := range []struct {
		fault Fault
		cuts  bool
	}{
		{Crash{}, true}, {KillWorker{}, true}, {MemoryKill{}, true}, {Drain{}, true}, {Down{}, true},
		{Strike{Action: stack.RST}, true}, {Strike{Action: stack.Hold}, false}, {Strike{Action: stack.Flip}, false},
		{Strikes{{Action: stack.Hold}, {Action: stack.FIN}}, true},
		{stall, false}, {Latency("edge", 1, 0), false}, {Toxic{Toxic: stack.Toxic{Type: "limit_data"}}, true},
		{Pause{}, false}, {Reload{}, false}, {Deploy{}, false}, {Squeeze{}, false}, {Watch{}, false},
		{All{stall, Crash{}}, true}, {Sequence{stall, Pause{}}, false}, {Timed{Fault: Down{}}, true},
	} {
		if got := Cuts(tc.fault); got != tc.cuts {
			t.Errorf("%s cuts: %v", tc.fault, got)
		}
	}
}
