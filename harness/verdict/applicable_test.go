package verdict_test

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// plainApp is an app that has nothing beyond its streams.
func plainApp(b *synth.Builder) { b.Run.Plan.Able = &record.Abilities{Started: true} }

// What the app has not got makes a scenario not applicable; what it has and the
// run did not show stays inconclusive; what broke fails all the same.
func TestNotApplicable(t *testing.T) {
	compressed := func(p *record.Policy) { p.Expect = record.ExpectCompressed }
	silence := func(p *record.Policy) { p.Expect, p.Silence = record.ExpectSilence, 2*sec }
	noWorker := func(b *synth.Builder) {
		b.Note(record.NoteInapplicable, "cannot kill a worker: the app has no worker processes", "start it with two")
	}
	able := func(a record.Abilities) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Run.Plan.Able = &a }
	}
	for _, tt := range []struct {
		name  string
		build func(*synth.Builder)
		want  verdict.Verdict // of the scenario
		why   string
	}{
		{"no pause to be asked for", policy(silence, plainApp, add(3, synth.Shape{})), verdict.NotApplicable,
			"no pause took=50ms bound=2s"},
		{"a pause that came by itself", policy(silence, plainApp, add(3, synth.Shape{PauseAfter: 4, Pause: 2 * sec})),
			verdict.Pass, ""},
		{"a pause asked for in vain", policy(silence, able(record.Abilities{Pauses: true}), add(3, synth.Shape{})),
			verdict.Inconclusive, "no silence took=50ms bound=2s"},
		{"our own origin can all", policy(silence, able(record.Abilities{Origin: true}), add(3, synth.Shape{})),
			verdict.Inconclusive, "no silence took=50ms bound=2s"},
		{"an older record does not say", policy(silence, add(3, synth.Shape{})), verdict.Inconclusive,
			"no silence took=50ms bound=2s"},
		{"no pause, and a stream cut", policy(silence, plainApp, add(3, synth.Shape{}), add(1, cleanEnd)), verdict.Fail,
			"broke a rule n=1 of=4 stream=4 counts=[{truncated 1}]"},
		{"no pause, and the run was broken off", policy(silence, plainApp, add(3, synth.Shape{}), func(b *synth.Builder) {
			b.Run.Interrupted = true
		}),
			verdict.Inconclusive, "interrupted"},
		{"no worker", policy(kills, plainApp, add(3, victim), noWorker), verdict.NotApplicable, "no worker processes"},
		{"no worker, but required", policy(kills, plainApp, add(3, victim), noWorker, func(b *synth.Builder) {
			b.Scenario(0).Required = true
		}),
			verdict.Inconclusive, "no worker processes"},
		{"no ledger", policy(func(p *record.Policy) { p.Expect = record.ExpectAbort }, plainApp, add(2,
			synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}), add(1, synth.Shape{})),
			verdict.NotApplicable, "no ledger n=2"},
		{"nothing compressed", policy(compressed, plainApp, add(3, synth.Shape{})), verdict.NotApplicable, "no compressor"},
		{"nothing compressed, and silences that have an excuse", policy(compressed, plainApp, add(4, synth.Shape{}),
			add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)}), cannotKeepUp), verdict.Inconclusive,
			"but, silence about=[broke a rule n=5 of=9 stream=5 counts=[{stalled 5}]"},
		{"nothing compressed, and a stream lost", policy(compressed, plainApp, add(9, synth.Shape{}),
			func(b *synth.Builder) { b.Wave(10, 10, 0) }), verdict.Inconclusive, "lost n=9 of=10"},
		{"no plain path", policy(func(p *record.Policy) { p.Expect = record.ExpectSameText }, plainApp,
			add(3, synth.Shape{})), verdict.NotApplicable, "no plain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := synth.New()
			tt.build(b)
			s := verdict.Judge(&b.Run).Scenarios[0]
			if s.Verdict != tt.want || !strings.Contains(decided(&s), tt.why) {
				t.Errorf("verdict = %s (%s), want %s (…%s…)", s.Verdict, decided(&s), tt.want, tt.why)
			}
			if s.Verdict != verdict.NotApplicable {
				return
			}
			if len(s.Doubts) != 1 || s.Doubts[0].Next == nil {
				t.Errorf("doubts = %+v, want the one that says what would make it apply", s.Doubts)
			}
			for _, c := range s.Checks {
				if c.Verdict == verdict.Inconclusive {
					t.Errorf("%s is open beside it: %s", c.Name, shown(c.Fact))
				}
			}
		})
	}
}

// A scenario that does not apply leaves the verdict to the others; where none
// applies nothing is proved.
func TestNotApplicableDoesNotCount(t *testing.T) {
	b := synth.New(record.Scenario{ID: "one"}, record.Scenario{ID: "two"})
	b.Add(5, synth.Shape{Scenario: "one"})
	b.Run.Notes = append(b.Run.Notes, record.Note{Scenario: "two", Kind: record.NoteInapplicable, Text: "no worker"})
	r := verdict.Judge(&b.Run)
	if r.Verdict != verdict.Pass {
		t.Errorf("verdict = %s, want pass", r.Verdict)
	}
	b = synth.New(record.Scenario{ID: "two"})
	b.Run.Notes = append(b.Run.Notes, record.Note{Scenario: "two", Kind: record.NoteInapplicable, Text: "no worker"})
	if r := verdict.Judge(&b.Run); r.Verdict != verdict.Inconclusive ||
		!strings.Contains(decided(&r.Scenarios[0]), "no worker") {
		t.Errorf("verdict = %s (%s), want inconclusive", r.Verdict, decided(&r.Scenarios[0]))
	}
}
