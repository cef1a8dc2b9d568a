package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A diary is what deeds and the harness write down, in order.
type diary struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// A deed is a fault that writes a diary.
type deed struct {
	name string
	*diary
	takes time.Duration
	err   error
	seen  bool
}

func (d deed) String() string { return d.name }

func (d deed) Inject(context.Context, Target) error {
	d.add("%s begins", d.name)
	time.Sleep(d.takes)
	d.add("%s strikes", d.name)
	return d.err
}

func (d deed) Heal(context.Context, Target) error {
	d.add("%s heals", d.name)
	return nil
}

func (d deed) Confirm(Seen) Proof {
	return Proof{OK: d.seen, Evidence: d.name + " looked", Victims: []uint64{uint64(len(d.name))}}
}

// harnessed is a target whose harness writes the diary too.
func harnessed(d *diary) Target {
	begin := time.Now()
	return Target{
		Now: func() time.Duration { return time.Since(begin) },
		Await: func(_ context.Context, w When) error {
			d.add("awaits %s", w)
			time.Sleep(w.After)
			return nil
		},
		Stand: func(_ context.Context, hold time.Duration, _ When) { time.Sleep(hold) },
		Stamp: func(path string, phase record.Phase, at time.Duration) { d.add("%s %s at %v", path, phase, at) },
	}
}

func TestSequenceTakesItsTurnsAndHealsBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		f := Sequence{
			Timed{Fault: deed{name: "a", diary: d}, Hold: time.Second},
			Timed{Fault: deed{name: "b", diary: d}, When: When{After: 2 * time.Second}},
		}
		target := harnessed(d)
		if err := errors.Join(Inject(t.Context(), target, f), Heal(t.Context(), target, f)); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"a begins", "a strikes", "0 active at 0s", "a heals", "0 healed at 1s",
			"awaits 2s had passed", "b begins", "b strikes", "1 active at 3s",
			"b heals", "1 healed at 3s", "a heals", "0 healed at 3s",
		}
		if !slices.Equal(d.lines, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(d.lines, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestAllStrikesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		f := All{deed{name: "slow", diary: d, takes: time.Second}, deed{name: "quick", diary: d, takes: time.Second / 2}}
		if err := Inject(t.Context(), harnessed(d), f); err != nil {
			t.Fatal(err)
		}
		slices.Sort(d.lines[:2]) // they begin at the same time
		got := strings.Join(d.lines, ", ")
		want := "quick begins, slow begins, quick strikes, 1 active at 0s, slow strikes, 0 active at 0s"
		if got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}

func TestPartThatCannotStrike(t *testing.T) {
	d := &diary{}
	cannot := errors.New("no such link")
	f := Sequence{deed{name: "a", diary: d}, deed{name: "b", diary: d, err: cannot}, deed{name: "c", diary: d}}
	if err := Inject(t.Context(), harnessed(d), f); !errors.Is(err, cannot) {
		t.Fatalf("got %v", err)
	}
	for _, line := range d.lines {
		if strings.HasPrefix(line, "c ") || strings.HasPrefix(line, "1 active") {
			t.Errorf("the sequence went on: %s", line)
		}
	}
}

func TestPartsAreTheLeaves(t *testing.T) {
	soon := When{Events: 3}
	f := Sequence{deed{name: "a"}, All{deed{name: "b"}, Timed{Fault: deed{name: "c"}, When: soon}}}
	var got []string
	for _, p := range Parts(f) {
		got = append(got, fmt.Sprintf("%s=%s/%s", p.Path, p.Fault, p.When))
	}
	want := "0=a/at once 1.0=b/at once 1.1=c/" + soon.String()
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
	if f.String() != "a, then b + c" {
		t.Errorf("it is called %q", f)
	}
	if alone := Parts(deed{name: "x"}); len(alone) != 1 || alone[0].Path != "" {
		t.Errorf("a fault on its own has parts %v", alone)
	}
}

func TestCombinedFaultIsConfirmedWhereAllPartsAre(t *testing.T) {
	yes, no := deed{name: "yes", seen: true}, deed{name: "no"}
	for _, tc := range []struct {
		f    Fault
		want bool
	}{{All{yes, yes}, true}, {All{yes, no}, false}, {Sequence{no, yes}, false}, {Sequence{yes, Timed{Fault: yes}}, true},
		{All{}, false}} {
		if p := tc.f.Confirm(Seen{}); p.OK != tc.want {
			t.Errorf("%v: %+v, want %v", tc.f, p, tc.want)
		}
	}
}

func TestWhoWaitsForTheHarness(t *testing.T) {
	strike := Strike{Link: "edge"}
	for _, tc := range []struct {
		f    Fault
		want bool
	}{{deed{}, true}, {strike, false}, {Strikes{strike}, false}, {All{strike, Timed{Fault: strike}}, false},
		{All{strike, deed{}}, true}} {
		if got := Waits(tc.f); got != tc.want {
			t.Errorf("%T: %v, want %v", tc.f, got, tc.want)
		}
	}
}
