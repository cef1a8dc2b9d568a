package record_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// kept writes a run as a run would and returns its folder. Streams that are in
// unended began and have no end.
func kept(t *testing.T, b *synth.Builder, unended ...uint64) string {
	t.Helper()
	dir := t.TempDir()
	w, err := record.Create(dir, b.Run.Plan)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Run.Streams {
		s := &b.Run.Streams[i]
		w.Begin(&record.Stream{Seq: s.Seq, Scenario: s.Scenario, Group: s.Group, Sched: s.Sched,
			Send: record.Never, End: record.Never})
	}
	for i := range slices.Backward(b.Run.Streams) { // those that began first end last
		if s := &b.Run.Streams[i]; !slices.Contains(unended, s.Seq) {
			w.End(s)
		}
	}
	for _, x := range b.Run.Waves {
		w.Wave(x)
	}
	w.Finish(b.Run.Finished, false)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// several is a run of a scenario that can be cut, one with a fault, and two short ones.
func several() *synth.Builder {
	b := synth.New(record.Scenario{ID: "long"}, record.Scenario{ID: "faulty", Policy: record.Policy{Faulty: true}},
		record.Scenario{ID: "short"}, record.Scenario{ID: "shorter"})
	b.Add(2, synth.Shape{Scenario: "long", Group: record.Solo})
	b.Add(248, synth.Shape{Scenario: "long", Start: time.Second})
	b.Add(150, synth.Shape{Scenario: "faulty", Start: time.Minute})
	b.Add(30, synth.Shape{Scenario: "short", Start: 2 * time.Minute})
	b.Add(20, synth.Shape{Scenario: "shorter", Start: 3 * time.Minute})
	b.Run.Waves = []record.Wave{{Scenario: "long", Asked: 248, Started: 248},
		{Scenario: "faulty", Asked: 150, Started: 150}}
	return b
}

// Each stream is in one part that is about it, whole; parts keep their bounds; a
// scenario with a fault is not cut.
func TestPartsHoldEachStreamOnce(t *testing.T) {
	b := several()
	unended := []uint64{250, 395}
	dir := kept(t, b, unended...)
	want, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := record.Bounds{Streams: 100, Bytes: 1 << 20}.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer parts.Close()
	var got []record.Stream
	var plan []string
	for p, err := range parts.All() {
		if err != nil {
			t.Fatal(err)
		}
		plan = append(plan, about(p))
		for _, s := range p.Run.Streams {
			switch {
			case p.Run.Guests[s.Seq]:
			case !p.About(s.Scenario):
				t.Errorf("stream %d of %s is no guest", s.Seq, s.Scenario)
			default:
				got = append(got, s)
			}
		}
	}
	wantPlan := []string{"long 1 of 3", "long 2 of 3", "long 3 of 3", "faulty 1 of 1", "short shorter 1 of 1"}
	if !slices.Equal(plan, wantPlan) {
		t.Errorf("parts are about %q, want %q", plan, wantPlan)
	}
	if !reflect.DeepEqual(got, want.Streams) {
		t.Errorf("%d streams in parts, want the %d of the whole", len(got), len(want.Streams))
	}
}

func about(p *record.Part) (text string) {
	for _, sc := range p.Run.Plan.Scenarios {
		if p.About(sc.ID) {
			text += sc.ID + " "
		}
	}
	return text + fmt.Sprintf("%d of %d", p.N, p.Of)
}

// A later part has the streams that were alone, and some of other scenarios, to
// compare its own with, and no numbers of all streams.
func TestPartsHaveGuests(t *testing.T) {
	parts, err := record.Bounds{Streams: 100, Bytes: 1 << 20}.Open(kept(t, several()))
	if err != nil {
		t.Fatal(err)
	}
	defer parts.Close()
	for p, err := range parts.All() {
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, s := range p.Run.Streams {
			if p.Run.Guests[s.Seq] {
				n[s.Scenario]++
			}
		}
		if p.N < 2 {
			continue
		}
		if want := map[string]int{"long": 2, "faulty": 150, "short": 30, "shorter": 20}; !reflect.DeepEqual(n, want) {
			t.Errorf("part %d has guests %v, want %v", p.N, n, want)
		}
		if w := p.Run.Waves; w[0].Started != 0 || w[1].Started != 150 {
			t.Errorf("waves of part %d = %+v", p.N, w)
		}
	}
	if w := parts.Run.Waves[0]; w.Started != 248 {
		t.Errorf("the whole run's wave = %+v", w)
	}
	open := parts.Run.Elsewhere
	if len(open) < 4 || open[0].From > time.Second || open[len(open)-1].To < 3*time.Minute {
		t.Errorf("streams were open at %v", open)
	}
}

// A record within the bounds is one part, the same as all of it.
func TestOnePartIsTheWhole(t *testing.T) {
	dir := kept(t, several(), 3)
	want, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	wide := record.Bounds{Streams: 450, Bytes: 1 << 20}
	for _, open := range []func(string) (*record.Parts, error){record.OpenParts, wide.Open} {
		parts, err := open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if parts.Len() != 1 || !reflect.DeepEqual(parts.Run, want) {
			t.Errorf("%d parts, want the whole run as one", parts.Len())
		}
		if err := parts.Close(); err != nil {
			t.Error(err)
		}
	}
}
