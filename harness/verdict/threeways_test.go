package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An outcomeOf is a run and the verdict that it must get.
type outcomeOf struct {
	name  string
	build func(*synth.Builder)
	want  verdict.Verdict
	why   string // a part of the reason
}

// judgeWays judges each way of a scenario.
func judgeWays(t *testing.T, sc record.Scenario, ways []outcomeOf,
	look func(*testing.T, *outcomeOf, verdict.ScenarioReport)) {
	t.Helper()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			b := synth.New(sc)
			w.build(b)
			b.Wave(len(b.Run.Streams), len(b.Run.Streams), 0)
			s := verdict.Judge(&b.Run).Scenarios[0]
			if s.Verdict != w.want || !strings.Contains(decided(&s), w.why) {
				t.Errorf("verdict %s (%s), want %s (…%s…)", s.Verdict, decided(&s), w.want, w.why)
			}
			if look != nil {
				look(t, &w, s)
			}
		})
	}
}

// TestLimitsOfSilence: a head and then nothing, heartbeats for ever, an event that never
// ends, each against the limit that is about it.
func TestLimitsOfSilence(t *testing.T) {
	p := record.Policy{GapLimit: 3 * sec, FirstLimit: 4 * sec, ProgressLimit: 6 * sec}
	over := func(l record.Limit, keep int, after time.Duration, beats int) synth.Shape {
		return synth.Shape{Keep: keep, End: func(s *record.Stream, last time.Duration) {
			synth.Silent(after)(s, last)
			s.Limit, s.Heartbeats, s.ProgressGap = l, beats, after
			if beats > 0 {
				s.Last = s.End - 100*ms
			}
		}}
	}
	first, gap := over(record.FirstLimit, synth.KeepNone, 4*sec, 0), over(record.GapLimit, 3, 3*sec, 0)
	beats := over(record.ProgressLimit, 3, 6*sec, 12)
	busy := func(sh synth.Shape) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Add(5, sh); others(0, time.Minute)(b) }
	}
	judgeWays(t, record.Scenario{ID: "control", Policy: p}, []outcomeOf{
		{"a first event in time", add(5, synth.Shape{First: 3500 * ms}), verdict.Pass, ""},
		{"no first event", add(5, first), verdict.Fail, "counts=[{stalled 5}]"},
		{"no first event on a busy machine", busy(first), verdict.Inconclusive, "other programs"},
		{"a gap below the limit", add(5, synth.Shape{PauseAfter: 3, Pause: 2500 * ms}), verdict.Pass, ""},
		{"no byte", add(5, gap), verdict.Fail, "counts=[{stalled 5}]"},
		{"no byte on a busy machine", busy(gap), verdict.Inconclusive, "other programs"},
		{"progress between heartbeats", add(5, synth.Shape{PauseAfter: 3, Pause: 2 * sec}), verdict.Pass, ""},
		{"heartbeats and no progress", add(5, beats), verdict.Fail, "counts=[{stalled 5}]"},
		{"heartbeats and no progress on a busy machine", busy(beats), verdict.Inconclusive, "other programs"},
	}, nil)
}

// TestHopsThreeWays: a chain that is peeled passes, fails at the hop that is worse, or
// stays open, and what is open is no hop's fault.
func TestHopsThreeWays(t *testing.T) {
	at := func(app, edge synth.Shape) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Run.Hops = []record.Hop{{Scenario: "peel", Name: "edge"}, {Scenario: "peel", Name: "app"}}
			for _, x := range []struct {
				hop string
				synth.Shape
			}{{"app", app}, {"edge", edge}} {
				x.Hop, x.Scenario = x.hop, "peel"
				b.Add(6, x.Shape)
			}
		}
	}
	stalled, cut := synth.Shape{Keep: 3, End: synth.Silent(3 * sec)}, synth.Shape{Keep: 10, End: synth.FIN}
	wrong := map[string]string{"cut behind the edge": "edge", "cut at the app": "app"}
	judgeWays(t, record.Scenario{ID: "peel", Peel: true}, []outcomeOf{
		{"whole at each hop", at(synth.Shape{}, synth.Shape{}), verdict.Pass, ""},
		{"cut behind the edge", at(synth.Shape{}, cut), verdict.Fail, "counts=[{aborted 6}]"},
		{"cut at the app", at(cut, cut), verdict.Fail, "counts=[{aborted 12}]"},
		{"silent at each hop, on a busy machine", func(b *synth.Builder) {
			at(stalled, stalled)(b)
			others(0, time.Minute)(b)
		}, verdict.Inconclusive, "other programs"},
	}, func(t *testing.T, w *outcomeOf, s verdict.ScenarioReport) {
		for _, h := range s.Hops {
			if w.want != verdict.Inconclusive && h.Wrong != (h.Hop == wrong[w.name]) {
				t.Errorf("%s is wrong: %v (%s)", h.Hop, h.Wrong, h.Hop)
			}
		}
	})
}

// TestReplicasThreeWays: streams that say who served them pass, fail on the replica that
// is worse, or stay open where the machine may be to blame.
func TestReplicasThreeWays(t *testing.T) {
	served := func(r1, r2 synth.Shape) func(*synth.Builder) {
		return func(b *synth.Builder) {
			for i, sh := range []synth.Shape{r1, r2} {
				for _, seq := range b.Add(8, sh) {
					b.Run.Streams[seq-1].Replica = []string{"r1", "r2"}[i]
				}
			}
		}
	}
	stalled := synth.Shape{Keep: 3, End: synth.Silent(3 * sec)}
	judgeWays(t, record.Scenario{ID: "control"}, []outcomeOf{
		{"both serve whole answers", served(synth.Shape{}, synth.Shape{}), verdict.Pass, ""},
		{"one of two cuts", served(synth.Shape{}, synth.Shape{Keep: 10, End: synth.FIN}), verdict.Fail,
			"counts=[{aborted 8}]"},
		{"both fall silent on a busy machine", func(b *synth.Builder) {
			served(stalled, stalled)(b)
			others(0, time.Minute)(b)
		}, verdict.Inconclusive, "other programs"},
	}, func(t *testing.T, w *outcomeOf, s verdict.ScenarioReport) {
		for _, r := range s.Replicas {
			if worse := w.want == verdict.Fail && r.Name == "r2"; (r.Apart != nil) != worse {
				t.Errorf("%s: apart %v, want %v", r.Name, r.Apart, worse)
			}
		}
		if len(s.Replicas) != 2 {
			t.Errorf("replicas %+v", s.Replicas)
		}
	})
}
