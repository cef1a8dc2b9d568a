package scenarios_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// A fate is the part that a stream of the main wave played, and what became of it.
type fate struct {
	group   record.Group
	event   int64 // behind which the relay struck; -1 where it did not, or struck by age
	outcome verdict.Outcome
}

// fates plays sc and tells what became of its streams.
func fates(t *testing.T, sc harness.Scenario) map[uint64]fate {
	t.Helper()
	o := harness.Options{App: harness.App{Stack: stackOf(t, sc)}, Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 20},
		Dir: t.TempDir() + "/run", Seed: sameSeed}
	play(t, o)
	run, err := record.Open(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return fatesOf(sc, run)
}

const sameSeed = 7

func fatesOf(sc harness.Scenario, run *record.Run) map[uint64]fate {
	all := map[uint64]fate{}
	for _, g := range gradedOf(run) {
		if g.Group == record.Victim || g.Group == record.Control {
			all[g.Seq] = fate{g.Group, -1, g.Grade.Outcome}
		}
	}
	if s, aged := sc.Fault.(fault.Strike); aged && s.Age > 0 {
		return all
	}
	for _, e := range run.Events {
		if f, ok := all[e.Stream]; ok && e.Kind == record.KindStrike {
			f.event = e.Value
			all[e.Stream] = f
		}
	}
	return all
}

// stackOf is where a scenario runs, "" for what there is.
func stackOf(t *testing.T, sc harness.Scenario) string {
	if slices.Contains(sc.Needs, "docker") {
		needDocker(t)
		return "docker"
	}
	return ""
}

// A repeat is what two runs of a scenario with one seed have in common.
type repeat struct {
	both     int // streams that were sent in both: with a duration, how many there are is up to time
	parted   int // victims in one run and none in the other
	victims  int // in both runs
	alike    int // of those, with the same outcome, struck at the same event
	unshared int // victims that were sent in one run only
}

func compareFates(a, b map[uint64]fate) repeat {
	var r repeat
	for seq, f := range a {
		g, ok := b[seq]
		switch {
		case !ok && f.group == record.Victim:
			r.unshared++
		case !ok:
		case f.group != g.group:
			r.both++
			r.parted++
		default:
			r.both++
			if f.group == record.Victim {
				r.victims++
				if f == g {
					r.alike++
				}
			}
		}
	}
	for seq, g := range b {
		if _, ok := a[seq]; !ok && g.group == record.Victim {
			r.unshared++
		}
	}
	return r
}

func (r repeat) share() float64 { return 100 * float64(r.alike) / float64(max(1, r.victims)) }

// strikesVictims reports whether sc does something to victims.
func strikesVictims(sc harness.Scenario) bool {
	return sc.Fault != nil || sc.Client != harness.Client{}
}

// promise says what two runs of sc with one seed owe to each other. The relay
// counts events, so that all is the same; so it is where nothing may be lost.
// Which streams a killed process has is the kernel's to say.
func promise(sc harness.Scenario) (string, bool) {
	switch _, relay := sc.Fault.(fault.Armer); {
	case relay:
		return "victims, positions, outcomes", true
	case !sc.Policy.Kills && !sc.Policy.Refuses:
		return "victims, outcomes", true
	}
	return "victims", false
}

// keeps reports an error where two runs of sc lack what they owe to each other.
func (r repeat) keeps(t *testing.T, sc harness.Scenario) {
	t.Helper()
	promised, outcomes := promise(sc)
	once := sc.Load.Duration == 0 && sc.Client.Reconnect.Times == 0 && sc.Client.Retry.Times == 0
	if r.victims == 0 || r.parted > 0 || once && r.unshared > 0 || outcomes && r.alike != r.victims {
		t.Errorf("promised the same %s: %+v", promised, r)
	}
}

// TestInMemorySameSeedSameRun plays strikes twice with one seed.
func TestInMemorySameSeedSameRun(t *testing.T) {
	for _, sc := range []harness.Scenario{cutAt(0), cutAt(5), scenario(t, "cut")} {
		t.Run(sc.ID, func(t *testing.T) {
			var runs []map[uint64]fate
			for range 2 {
				o := harness.Options{Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 20}, Seed: sameSeed}
				inMemory(t, o, func(_ *testing.T, _ *verdict.Report, run *record.Run) { runs = append(runs, fatesOf(sc, run)) })
			}
			compareFates(runs[0], runs[1]).keeps(t, sc)
		})
	}
}

// TestSameSeedSameRun plays every scenario that strikes victims twice with one
// seed, on real stacks, and prints what agreed.
func TestSameSeedSameRun(t *testing.T) {
	bynight.Only(t, "TestInMemorySameSeedSameRun")
	list := []harness.Scenario{cutAt(0)}
	for _, sc := range scenarios.All() {
		if strikesVictims(sc) {
			list = append(list, sc)
		}
	}
	var mu sync.Mutex // guards rows
	rows := map[string]string{}
	t.Run("twice", func(t *testing.T) {
		for i, sc := range list {
			t.Run(sc.ID, func(t *testing.T) {
				t.Parallel()
				if sc.Edge.Form != stack.EdgeNone {
					needNginx(t)
				}
				r := compareFates(fates(t, sc), fates(t, sc))
				r.keeps(t, sc)
				promised, _ := promise(sc)
				mu.Lock()
				defer mu.Unlock()
				rows[fmt.Sprintf("%02d", i)] = fmt.Sprintf("%-26s %3d of %3d victims agree (%3.0f %%), promised the same %s", sc.ID, r.alike, r.victims, r.share(), promised)
			})
		}
	})
	var table strings.Builder
	for _, i := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintln(&table, rows[i])
	}
	t.Logf("two runs with seed %d\n%s", sameSeed, table.String())
}
