package scenarios_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// sabotageOptions are those of `run --sabotage`, among honest streams.
func sabotageOptions(t *testing.T, s scenarios.Sabotage) harness.Options {
	o := harness.Options{Scenarios: []harness.Scenario{scenario(t, s.Scenario)}, Load: harness.Load{Streams: 9},
		Dir: t.TempDir() + "/run", Sabotage: harness.Sabotage{Name: s.Name, Share: s.Share}}
	if s.Direct {
		o.Enter = "app"
	}
	return o
}

// graded reads a stored run and grades its streams.
func graded(t *testing.T, dir string) []verdict.Graded {
	t.Helper()
	run, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return gradedOf(run)
}

func gradedOf(run *record.Run) (all []verdict.Graded) {
	for _, s := range verdict.Scopes(run) {
		all = append(all, s.Streams...)
	}
	return all
}

// struck reports whether the origin says that it broke the stream.
func struck(g *verdict.Graded) bool { return g.Header["X-Streamproof-Sabotaged"] != "" }

// checkGrade holds a stream to what its sabotage must look like, or to perfection.
func checkGrade(t *testing.T, s *scenarios.Sabotage, g *verdict.Graded) {
	t.Helper()
	if s == nil {
		if g.Grade.Outcome != verdict.Complete || len(g.Grade.Flags) > 0 {
			t.Errorf("honest stream #%d is blamed: %+v", g.Seq, g.Grade)
		}
		return
	}
	if g.Grade.Outcome != s.Outcome || g.Grade.Content != s.Content || g.Grade.Ending != s.Ending {
		t.Errorf("#%d: got %s, %s, %s (%s)\nwant %s, %s, %s", g.Seq, g.Grade.Outcome, g.Grade.Content, g.Grade.Ending,
			g.Grade.Fact, s.Outcome, s.Content, s.Ending)
	}
	if s.Flag != "" && !slices.Contains(g.Grade.Flags, s.Flag) {
		t.Errorf("#%d: flags %v lack %s", g.Seq, g.Grade.Flags, s.Flag)
	}
}

// TestEverySabotageHasItsDetection: the origin's list and ours are of the same length.
func TestEverySabotageHasItsDetection(t *testing.T) {
	var names, ours []string
	for _, s := range origin.Sabotages {
		names = append(names, s.Name)
	}
	for _, s := range scenarios.Sabotages() {
		ours = append(ours, s.Name)
	}
	if !slices.Equal(names, ours) {
		t.Errorf("sabotages of the origin %q,\nwith what they must be detected as %q", names, ours)
	}
}

// onRealParts are the sabotages that are revealed by an edge, a process or a socket.
// By day the others are played in memory; of these, what an edge shows is in
// TestCatalogue, and TestEndingsAreToldApartInACrowd has those of the wire.
var onRealParts = []string{"no-accel-header", "no-heartbeat", "rst", "cut-in-chunk", "leak"}

// realByDay are those that make test plays on real parts, one by one.
var realByDay = []string{"rst", "leak"}

// TestEverySabotageIsFoundOut runs each sabotage as `run --sabotage` does, on real
// parts: by night all.
func TestEverySabotageIsFoundOut(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for _, s := range scenarios.Sabotages() {
		if !*nightly && !slices.Contains(realByDay, s.Name) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			o := sabotageOptions(t, s)
			report := play(t, o)
			checkSabotage(t, s, report, graded(t, o.Dir))
		})
	}
}

// TestInMemorySabotages plays the others.
func TestInMemorySabotages(t *testing.T) {
	for _, s := range scenarios.Sabotages() {
		if slices.Contains(onRealParts, s.Name) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, sabotageOptions(t, s), func(t *testing.T, r *verdict.Report, run *record.Run) {
				checkSabotage(t, s, r, gradedOf(run))
			})
		})
	}
}

// checkSabotage: each stream that was struck looks as it must, the others are
// perfect, and the report names the cause.
func checkSabotage(t *testing.T, s scenarios.Sabotage, report *verdict.Report, streams []verdict.Graded) {
	t.Helper()
	hit := 0
	for i := range streams {
		if g := &streams[i]; struck(g) || s.Name == "no-headers" && g.Grade.Outcome == verdict.Refused {
			hit++
			checkGrade(t, &s, g)
		} else if g.Limit != record.CancelledByUs {
			checkGrade(t, nil, g)
		}
	}
	if hit == 0 {
		t.Fatal("no stream was struck")
	}
	want := verdict.Fail
	if s.Flag == verdict.Ragged || s.Outcome == verdict.FailedClean && s.Flag == "" {
		want = "" // allowed by MUST: a policy decides
	}
	if want != "" && report.Verdict != want {
		t.Errorf("verdict %s (%s), want %s", report.Verdict, report.Why, want)
	}
	checkCause(t, report, s.Cause)
}

func checkCause(t *testing.T, r *verdict.Report, want string) {
	t.Helper()
	if want == "" {
		return
	}
	var got []string
	for _, c := range r.Scenarios[0].Causes {
		got = append(got, fmt.Sprintf("%s (%s)", c.Cause, c.Confidence))
	}
	if len(got) == 0 || r.Scenarios[0].Causes[0].Cause != want {
		busy.Excuse(t, &r.Scenarios[0])
		t.Errorf("causes %v, want %q first", got, want)
	}
}

// TestEndingsAreToldApartInACrowd mixes all sabotages of the wire and of the
// content with honest streams, in one wave.
func TestEndingsAreToldApartInACrowd(t *testing.T) {
	var names []string
	byName := map[string]*scenarios.Sabotage{}
	for _, s := range scenarios.Sabotages() {
		byName[s.Name] = &s
		if s.Scenario == "control" && s.Name != "no-headers" {
			names = append(names, s.Name)
		}
	}
	// With the race detector it runs beside others, and a stream may be read too late to
	// say whether it came at once. make norace runs it alone.
	sizes, crowded := []int{1, 2000}, busy.Before()
	if raceEnabled {
		sizes, crowded = []int{100}, true
		t.Parallel()
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			sc := scenario(t, "control")
			sc.Edge = stack.Edge{Form: stack.EdgeNone}
			o := harness.Options{Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: n}, Enter: "app",
				Dir: t.TempDir() + "/run", Sabotage: harness.Sabotage{Names: names, Share: 0.5}}
			play(t, o)
			kinds, late := map[string]int{}, 0
			for _, g := range graded(t, o.Dir) {
				name := g.Header["X-Streamproof-Sabotaged"]
				kinds[name]++
				// How fast a crowd is served is the machine's to say.
				g.Grade.Flags = slices.DeleteFunc(g.Grade.Flags, func(f verdict.Flag) bool { return f == verdict.Slowed })
				if s := byName[name]; s != nil && s.Flag == verdict.Buffered && crowded && readLate(&g) {
					late++ // that it came at once is not known
					continue
				}
				checkGrade(t, byName[name], &g)
			}
			if n >= 100 && len(kinds) < len(names)+1 {
				t.Errorf("only %d of %d kinds of streams were there: %v", len(kinds), len(names)+1, kinds)
			}
			if late > 0 {
				t.Logf("%d streams were read too late to say whether they came at once", late)
			}
			if late > 0 && busy.Before() {
				busy.Undecided(t)
			}
		})
	}
}

// readLate reports whether content of g waited for this process, so that it is not known
// when it came: for a tenth of what the origin takes to write an answer, or longer.
func readLate(g *verdict.Graded) bool {
	for m := range g.Stream.Marks() {
		if m.Kind == stream.Content && 10*(m.At-m.Early) > time.Duration(g.Stream.EmitLast-g.Stream.EmitFirst) {
			return true
		}
	}
	return false
}
