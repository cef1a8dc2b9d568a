package fault

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

const ms = time.Millisecond

// A fleet is a stack that remembers what was asked of its replicas.
type fleet struct {
	linked
	names []string
	asked []string
}

func (f *fleet) Replicas() []stack.Replica {
	var rs []stack.Replica
	for _, n := range f.names {
		rs = append(rs, stack.Replica{Name: n})
	}
	return rs
}

func (f *fleet) AddReplica(context.Context) (stack.Replica, error) {
	f.asked = append(f.asked, "add")
	return stack.Replica{Name: "app[9]"}, nil
}

func (f *fleet) RemoveReplica(_ context.Context, name string) error {
	f.asked = append(f.asked, "remove "+name)
	return nil
}

func (f *fleet) target(events *[]record.Event) Target {
	return Target{Stack: f, Pick: func(n int) int { return n - 1 }, Now: func() time.Duration { return 100 * ms },
		Tell: func(e record.Event) { *events = append(*events, e) }}
}

// on is a victim on a replica, from one time to another in ms.
func on(replica string, seq uint64, from, to int) *record.Stream {
	return &record.Stream{Seq: seq, Group: record.Victim, Replica: replica, Send: time.Duration(from) * ms,
		Headers: time.Duration(from) * ms, End: time.Duration(to) * ms}
}

func TestDeployReplacesOneByOne(t *testing.T) {
	f := &fleet{names: []string{"app[0]", "app[1]"}}
	var events []record.Event
	if err := (Deploy{}).Inject(t.Context(), f.target(&events)); err != nil {
		t.Fatal(err)
	}
	want := []string{"add", "remove app[0]", "add", "remove app[1]"}
	if len(f.asked) != len(want) || len(events) != len(want) {
		t.Fatalf("asked %v, told %v", f.asked, events)
	}
	for i := range want {
		if f.asked[i] != want[i] {
			t.Errorf("step %d is %q, want %q", i, f.asked[i], want[i])
		}
	}
	p := Deploy{}.Confirm(Seen{Events: events, Streams: these(on("app[0]", 1, 0, 200), on("app[1]", 2, 150, 200))})
	if !p.OK || len(p.Victims) != 1 || p.Victims[0] != 1 {
		t.Errorf("only stream 1 was open when its replica went: %+v", p)
	}
	if p := (Deploy{}).Confirm(Seen{Events: events, Streams: these(on("app[0]", 1, 0, 50))}); p.OK {
		t.Errorf("nobody was there, and it is confirmed by %q", p.Evidence)
	}
}

func TestScaleOutIsConfirmedByWhomTheNewOneServed(t *testing.T) {
	f := &fleet{names: []string{"app[0]"}}
	var events []record.Event
	if err := (ScaleOut{}).Inject(t.Context(), f.target(&events)); err != nil {
		t.Fatal(err)
	}
	for replica, want := range map[string]bool{"app[9]": true, "app[0]": false} {
		if p := (ScaleOut{}).Confirm(Seen{Events: events, Streams: these(on(replica, 1, 120, 200))}); p.OK != want {
			t.Errorf("served by %s: %+v", replica, p)
		}
	}
}

func TestWhatHitsOneReplicaNamesItsStreams(t *testing.T) {
	hit := func(kind record.EventKind) []record.Event {
		return []record.Event{{Source: record.FaultSource, Kind: kind, Subject: "app[1]", At: 100 * ms}}
	}
	streams := []*record.Stream{on("app[0]", 1, 0, 200), on("app[1]", 2, 0, 110), on("app[1]", 3, 0, 90)}
	for name, p := range map[string]Proof{
		"crash": Crash{}.Confirm(Seen{Events: hit(record.KindCrash), Streams: these(streams...)}),
		"partition": Down{Link: "upstream", One: true}.Confirm(Seen{Events: hit(record.KindDown),
			Streams: these(streams...)}),
		"scale-in": ScaleIn{}.Confirm(Seen{Events: hit(record.KindRemove), Streams: these(streams...)}),
	} {
		if !p.OK || len(p.Victims) != 1 || p.Victims[0] != 2 {
			t.Errorf("%s: %+v, want stream 2 alone", name, p)
		}
	}
	if p := (Crash{}).Confirm(Seen{Streams: these(streams...)}); p.OK {
		t.Error("a crash that never was is confirmed")
	}
}

// drainer is a fleet of which some replicas run on one machine.
type drainer struct {
	*fleet
	on    []string // of that machine
	freed bool
}

func (d *drainer) DrainNode(_ context.Context, replica string, going func(string)) error {
	if !slices.Contains(d.on, replica) {
		return errors.New("not the replica that was picked: " + replica)
	}
	for _, name := range d.on {
		going(name)
	}
	return nil
}

func (d *drainer) FreeNode(context.Context) error {
	d.freed = true
	return nil
}

// A node takes all of its replicas with it, and streams on none of them do not confirm that.
func TestNodeDrain(t *testing.T) {
	d := &drainer{fleet: &fleet{names: []string{"app[0]", "app[1]", "app[2]"}}, on: []string{"app[1]", "app[2]"}}
	var events []record.Event
	target := d.target(&events)
	target.Stack = d
	if err := (NodeDrain{}).Inject(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if err := (NodeDrain{}).Heal(t.Context(), target); err != nil || !d.freed {
		t.Errorf("freed: %v, %v", d.freed, err)
	}
	p := NodeDrain{}.Confirm(Seen{Events: events, Streams: these(on("app[0]", 1, 0, 9000), on("app[1]", 2, 0, 9000),
		on("app[2]", 3, 0, 9000))})
	if !p.OK || !slices.Equal(p.Victims, []uint64{2, 3}) {
		t.Errorf("got %+v", p)
	}
	if p := (NodeDrain{}).Confirm(Seen{Events: events, Streams: these(on("app[0]", 1, 0, 9000))}); p.OK {
		t.Errorf("nobody was there, and it is confirmed: %+v", p)
	}
	target.Stack = linked{}
	var cannot *stack.Unable
	if err := (NodeDrain{}).Inject(t.Context(), target); !errors.As(err, &cannot) {
		t.Errorf("got %v", err)
	}
}

func TestPartitionNeedsTwo(t *testing.T) {
	var cannot *stack.Unable
	err := Down{Link: "upstream", One: true}.Inject(t.Context(), Target{Stack: linked{&striker{name: "upstream[0]"}},
		Pick: func(int) int { return 0 }, Tell: func(record.Event) {}, Now: func() time.Duration { return 0 }})
	if err == nil || !errors.As(err, &cannot) {
		t.Errorf("a partition from the only replica: %v", err)
	}
}

func TestWeatherIsConfirmedByItsSign(t *testing.T) {
	f := SlowStart("upstream", 800*ms)
	first := func(g record.Group, at int) *record.Stream {
		return &record.Stream{Group: g, Headers: ms, First: time.Duration(at) * ms}
	}
	slow, fast, control := first(record.Victim, 900), first(record.Victim, 10), first(record.Control, 10)
	for _, tc := range []struct {
		name    string
		streams []*record.Stream
		want    bool
	}{
		{"victims are slow", []*record.Stream{slow, slow, control}, true},
		{"nobody is", []*record.Stream{fast, fast, control}, false},
		{"everybody is", []*record.Stream{slow, slow, first(record.Control, 900)}, false},
		{"nobody is there", nil, false},
	} {
		if p := f.Confirm(Seen{Streams: these(tc.streams...)}); p.OK != tc.want {
			t.Errorf("%s: %+v", tc.name, p)
		}
	}
	var spec stack.Spec
	f.Prepare(&spec)
	if len(spec.Toxics["upstream"]) != 1 {
		t.Errorf("prepared %v", spec.Toxics)
	}
	if err := spec.Toxics["upstream"][0].Check(); err != nil {
		t.Error(err)
	}
}
