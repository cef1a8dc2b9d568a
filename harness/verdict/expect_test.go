package verdict_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An obligationOf is an outcomeOf with the answer to the scenario's obligation, which
// is never fail: what was not seen is open, and what broke is another check's.
type obligationOf struct {
	outcomeOf
	seen bool // the obligation is met
}

// judgeObligation judges each way of a scenario, and looks up its obligation.
func judgeObligation(t *testing.T, name string, p record.Policy, ways []obligationOf) {
	t.Helper()
	var plain []outcomeOf
	seen := map[string]bool{}
	for _, w := range ways {
		plain = append(plain, w.outcomeOf)
		seen[w.name] = w.seen
	}
	judgeWays(t, record.Scenario{ID: "control", Policy: p}, plain,
		func(t *testing.T, w *outcomeOf, s verdict.ScenarioReport) {
			want := verdict.Inconclusive
			if seen[w.name] {
				want = verdict.Pass
			}
			for _, c := range s.Checks {
				if c.Name != name {
					continue
				}
				if c.Verdict != want || !c.Obligation {
					t.Errorf("%s: %s (%s), an obligation: %v; want %s", name, c.Verdict, shown(c.Fact), c.Obligation, want)
				}
				return
			}
			t.Errorf("nobody asked for %q", name)
		})
}

// all adds streams of several shapes.
func all(shapes ...func(*synth.Builder)) func(*synth.Builder) {
	return func(b *synth.Builder) {
		for _, add := range shapes {
			add(b)
		}
	}
}

// changed adds n streams of a shape, each changed afterwards.
func changed(n int, sh synth.Shape, change func(*record.Stream)) func(*synth.Builder) {
	return func(b *synth.Builder) {
		for _, seq := range b.Add(n, sh) {
			change(&b.Run.Streams[seq-1])
		}
	}
}

// TestCompressedAnswerSeen: one compressed answer is enough, whoever compressed it;
// without one the scenario says nothing of compression.
func TestCompressedAnswerSeen(t *testing.T) {
	gzip := func(s *record.Stream) { s.Encoding = "gzip" }
	judgeObligation(t, "compressed answer seen", record.Policy{Expect: record.ExpectCompressed, MinStreams: 2},
		[]obligationOf{
			{outcomeOf{"all compressed", changed(5, synth.Shape{}, gzip), verdict.Pass, ""}, true},
			{outcomeOf{"one of five compressed", all(changed(1, synth.Shape{}, gzip), add(4, synth.Shape{})), verdict.Pass, ""},
				true},
			{outcomeOf{"compressed, and one truncated", all(changed(5, synth.Shape{}, gzip), changed(1, cleanEnd, gzip)),
				verdict.Fail, "counts=[{truncated 1}]"}, true},
			{outcomeOf{"none compressed", add(5, synth.Shape{}), verdict.Inconclusive, "none compressed of=5"}, false},
			{outcomeOf{"none compressed, and one truncated", all(add(4, synth.Shape{}), add(1, cleanEnd)), verdict.Fail,
				"counts=[{truncated 1}]"}, false},
		})
}

// TestSlowClientsCut: a slow client must have been cut so that it could tell. One that
// was cut behind a clean end of its body counts for nothing, and fails.
func TestSlowClientsCut(t *testing.T) {
	slow := func(end synth.End) synth.Shape { return synth.Shape{Group: record.Victim, Keep: 10, End: end} }
	quick := add(5, synth.Shape{Group: record.Control})
	p := record.Policy{Expect: record.ExpectCut, Kills: true, MinStreams: 2}
	judgeObligation(t, "slow clients cut", p, []obligationOf{
		{outcomeOf{"cut by FIN", all(quick, add(5, slow(synth.FIN))), verdict.Pass, ""}, true},
		{outcomeOf{"one of five cut by RST", all(quick, add(4, victim), add(1, slow(synth.RST))), verdict.Pass, ""}, true},
		{outcomeOf{"a quick client cut as well", all(add(4, synth.Shape{Group: record.Control}),
			add(1, synth.Shape{Group: record.Control, Keep: 10, End: synth.FIN}), add(5, slow(synth.FIN))),
			verdict.Fail, "counts=[{aborted 1}]"}, true},
		{outcomeOf{"ended as if whole", all(quick, add(5, slow(synth.Clean))), verdict.Fail, "counts=[{truncated 5}]"},
			false},
		{outcomeOf{"none cut", all(quick, add(5, victim)), verdict.Inconclusive, "none cut of=10"}, false},
		{outcomeOf{"hung up by us", all(quick, add(5, slow(synth.Left(record.CancelledByUs)))), verdict.Inconclusive,
			"none cut of=10"}, false},
	})
}

// TestRefusalsSeen: the app or its edge must have refused with a status, and have
// served others meanwhile.
func TestRefusalsSeen(t *testing.T) {
	refused := func(n, status int) func(*synth.Builder) {
		return add(n, synth.Shape{Keep: synth.KeepNone, End: synth.Status(status)})
	}
	p := record.Policy{Expect: record.ExpectRefusals, Sheds: true, MinStreams: 2}
	judgeObligation(t, "refusals seen", p, []obligationOf{
		{outcomeOf{"refused by the edge", all(add(5, synth.Shape{}), refused(3, 429)), verdict.Pass, ""}, true},
		{outcomeOf{"one refused by the app", all(add(7, synth.Shape{}), refused(1, 503)), verdict.Pass, ""}, true},
		{outcomeOf{"refused, and one that was let in cut", all(add(4, synth.Shape{}), refused(3, 429),
			add(1, synth.Shape{Keep: 10, End: synth.FIN})), verdict.Fail, "counts=[{aborted 1}]"}, true},
		{outcomeOf{"connections refused instead", all(add(5, synth.Shape{}),
			add(3, synth.Shape{Keep: synth.KeepNone, End: synth.NoListener})), verdict.Fail, "counts=[{refused 3}]"}, false},
		{outcomeOf{"none refused", add(8, synth.Shape{}), verdict.Inconclusive, "none refused n=8"}, false},
		{outcomeOf{"none served", refused(8, 429), verdict.Inconclusive, "none served n=8"}, false},
		{outcomeOf{"an error after the beginning", all(add(5, synth.Shape{}),
			add(3, synth.Shape{Keep: 3, End: synth.ErrorEvent})), verdict.Fail, "counts=[{failed_clean 3}]"}, false},
	})
}

// TestRecycledUnderStreams: a process of the app must have ended while a stream was
// open, whichever process it was.
func TestRecycledUnderStreams(t *testing.T) {
	// Streams that are open from 1 s to 2 s, on the worker that ends.
	open := add(5, synth.Shape{Start: sec, Worker: 7})
	gone := func(e record.Event) func(*synth.Builder) {
		e.Kind, e.Subject, e.Role, e.Pid = record.KindExit, "app[0]", record.WorkerRole, 7
		return func(b *synth.Builder) { b.Happen(e) }
	}
	exit := record.Event{Source: record.ProcessSource, At: 1500 * ms}
	before, after, elsewhere := exit, exit, exit
	before.At, after.At, elsewhere.Source = 500*ms, 10*sec, record.CgroupSource
	p := record.Policy{Expect: record.ExpectRecycled, MinStreams: 2}
	judgeObligation(t, "recycled under streams", p, []obligationOf{
		{outcomeOf{"ended under them", all(open, gone(exit)), verdict.Pass, ""}, true},
		{outcomeOf{"one of two ends under them", all(open, gone(before), gone(exit)), verdict.Pass, ""}, true},
		{outcomeOf{"ended under them, and one is truncated", all(open, gone(exit),
			add(1, synth.Shape{Start: sec, Keep: 10, End: synth.Clean})), verdict.Fail, "counts=[{truncated 1}]"}, true},
		{outcomeOf{"no process ended", open, verdict.Inconclusive, "none recycled"}, false},
		{outcomeOf{"before the first stream", all(open, gone(before)), verdict.Inconclusive, "none recycled n=1"}, false},
		{outcomeOf{"after the last stream", all(open, gone(after)), verdict.Inconclusive, "none recycled n=1"}, false},
		{outcomeOf{"told by another source", all(open, gone(elsewhere)), verdict.Inconclusive, "none recycled"}, false},
		{outcomeOf{"streams that were never sent", all(open, gone(before),
			add(1, synth.Shape{Keep: synth.KeepNone, End: synth.NoListener})), verdict.Fail, "counts=[{refused 1}]"}, false},
	})
}
