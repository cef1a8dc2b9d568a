package verdict_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An answer is how an app without stamps writes one: pieces of a size, at times
// since the request.
type answer struct {
	at   []time.Duration
	size int
}

// A way carries an answer to the client: what comes together has one time.
type way func(r *rand.Rand, a answer) []time.Duration

// tokens are answers of lo to hi pieces, a mean gap apart, with pauses now and then.
func tokens(lo, hi, size int, gap, think, pause time.Duration) func(*rand.Rand) answer {
	return func(r *rand.Rand) answer {
		a := answer{size: size}
		t := 5*ms + time.Duration(r.Float64()*float64(think))
		for range lo + r.IntN(hi-lo+1) {
			a.at = append(a.at, t)
			t += time.Duration((0.5 + r.Float64()) * float64(gap))
			if pause > 0 && r.IntN(20) == 0 {
				t += time.Duration(r.Float64() * float64(pause))
			}
		}
		return a
	}
}

// inBursts joins n pieces of each answer to one write.
func inBursts(n int, of func(*rand.Rand) answer) func(*rand.Rand) answer {
	return func(r *rand.Rand) answer {
		a := of(r)
		for i := range a.at {
			a.at[i] = a.at[min((i/n+1)*n, len(a.at))-1]
		}
		return a
	}
}

// onTime passes each piece on, with the jitter of a busy machine.
func onTime(r *rand.Rand, a answer) []time.Duration {
	out := make([]time.Duration, len(a.at))
	last := time.Duration(0)
	for i, t := range a.at {
		last = max(last, t+time.Duration(r.ExpFloat64()*float64(ms)))
		out[i] = last
	}
	return out
}

// jerky passes pieces on whenever it gets the CPU: every 30 ms or so.
func jerky(r *rand.Rand, a answer) []time.Duration {
	out := make([]time.Duration, len(a.at))
	turn := time.Duration(0)
	for i, t := range a.at {
		for turn < t {
			turn += time.Duration(r.ExpFloat64() * float64(30*ms))
		}
		out[i] = turn
	}
	return out
}

// wholly holds all back until the end.
func wholly(_ *rand.Rand, a answer) []time.Duration {
	out := make([]time.Duration, len(a.at))
	for i := range out {
		out[i] = a.at[len(a.at)-1] + 2*ms
	}
	return out
}

// filling passes on what fills a buffer, and the rest at the end.
func filling(buffer int) way {
	return func(_ *rand.Rand, a answer) []time.Duration {
		out := make([]time.Duration, len(a.at))
		from, held := 0, 0
		flush := func(to int, at time.Duration) {
			for ; from <= to; from++ {
				out[from] = at
			}
		}
		for i, t := range a.at {
			if held += a.size; held >= buffer {
				held -= buffer
				flush(i, t+ms)
			}
		}
		flush(len(a.at)-1, a.at[len(a.at)-1]+ms)
		return out
	}
}

// stalled holds everything once, for a while.
func stalled(_ *rand.Rand, a answer) []time.Duration {
	out := make([]time.Duration, len(a.at))
	from, to := a.at[len(a.at)/3], a.at[len(a.at)/3]+700*ms
	for i, t := range a.at {
		if out[i] = t; t >= from && t < to {
			out[i] = to
		}
	}
	return out
}

// firstHeld holds back what comes in the first 600 ms, and nothing then.
func firstHeld(_ *rand.Rand, a answer) []time.Duration {
	out := make([]time.Duration, len(a.at))
	for i, t := range a.at {
		out[i] = max(t, a.at[0]+600*ms)
	}
	return out
}

// A pacingTrial is an app behind something, beside the same app asked directly.
type pacingTrial struct {
	name    string
	app     func(*rand.Rand) answer
	way     way
	text    bool
	held    bool
	streams int // 8 if 0
	// unpaced says that the app is not known to write in pieces.
	unpaced bool
}

// build makes the run: scenario "direct" at the app, "buffering" at the edge.
func (tr *pacingTrial) build(seed uint64, reference bool) *synth.Builder {
	r := rand.New(rand.NewPCG(seed, 1))
	b := synth.New(record.Scenario{ID: "direct", Edge: "none"},
		record.Scenario{ID: "buffering", Edge: "default", Policy: record.Policy{Expect: record.ExpectPaced,
			Checks: []string{"buffered"}}})
	b.Run.Plan.Dialect = map[bool]string{true: "text", false: "openai-chat"}[tr.text]
	add := func(scenario, hop string, start time.Duration, w way) {
		for range max(tr.streams, 8*btoi(tr.streams == 0)) {
			seq := b.Add(1, synth.Shape{Scenario: scenario, Hop: hop, Start: start, Mute: true})[0]
			a := tr.app(r)
			synth.Arrive(&b.Run.Streams[seq-1], w(r, a), a.size, tr.text)
		}
	}
	if reference {
		add("direct", "app", 0, onTime)
	}
	add("buffering", "edge", time.Minute, tr.way)
	return b
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

var (
	chat     = tokens(160, 160, 150, 10*ms, 0, 0)
	unequal  = tokens(20, 200, 150, 15*ms, 300*ms, 0)
	pausing  = tokens(60, 60, 150, 10*ms, 300*ms, 2*time.Second)
	thinking = tokens(40, 40, 150, 20*ms, 4*time.Second, 0)
	prose    = tokens(90, 90, 7, 10*ms, 40*ms, 0)
	few      = tokens(3, 3, 150, 500*ms, 100*ms, 0)
	fast     = tokens(2000, 2000, 150, ms, 0, 0)
)

var pacingTrials = []pacingTrial{
	{name: "chat, nginx's buffer", app: chat, way: filling(4096), held: true},
	{name: "chat, 8 KiB", app: chat, way: filling(8192), held: true},
	{name: "chat, wholly", app: chat, way: wholly, held: true},
	{name: "chat, one stream, wholly", app: chat, way: wholly, held: true, streams: 1},
	{name: "chat, one stream, nginx's buffer", app: chat, way: filling(4096), held: true, streams: 1},
	{name: "chat, sixty streams, nginx's buffer", app: chat, way: filling(4096), held: true, streams: 60},
	{name: "text, wholly", app: prose, way: wholly, text: true, held: true},
	{name: "unequal lengths, wholly", app: unequal, way: wholly, held: true},
	{name: "unequal pauses, wholly", app: pausing, way: wholly, held: true},
	{name: "unequal pauses, nginx's buffer", app: pausing, way: filling(4096), held: true},
	{name: "unequal thinking, wholly", app: thinking, way: wholly, held: true},
	{name: "three events, wholly", app: few, way: wholly, held: true},
	{name: "fast, wholly", app: fast, way: wholly, held: true},
	{name: "held from the start only", app: chat, way: firstHeld, held: true},
	{name: "bursts of five, nginx's buffer", app: inBursts(5, chat), way: filling(4096), held: true},

	{name: "chat", app: chat, way: onTime},
	{name: "chat, one stream", app: chat, way: onTime, streams: 1},
	{name: "chat, sixty streams", app: chat, way: onTime, streams: 60},
	{name: "chat, jerky", app: chat, way: jerky},
	{name: "text", app: prose, way: onTime, text: true},
	{name: "text, jerky", app: prose, way: jerky, text: true},
	{name: "unequal lengths", app: unequal, way: onTime},
	{name: "unequal pauses", app: pausing, way: onTime},
	{name: "unequal pauses, jerky", app: pausing, way: jerky},
	{name: "unequal thinking", app: thinking, way: onTime},
	{name: "three events", app: few, way: onTime},
	{name: "fast", app: fast, way: onTime},
	{name: "fast, jerky", app: fast, way: jerky},
	{name: "one stall that ended", app: chat, way: stalled},
	{name: "bursts of five", app: inBursts(5, chat), way: onTime},
	{name: "bursts of forty", app: inBursts(40, chat), way: onTime},
	{name: "one burst", app: inBursts(160, chat), way: onTime, unpaced: true},
	{name: "unequal lengths, one burst", app: inBursts(200, unequal), way: onTime, unpaced: true},
}

// The same server gets the same flag in each of twenty runs.
func TestHeldBackAgainstTheSameAppAskedDirectly(t *testing.T) {
	for _, tr := range pacingTrials {
		t.Run(tr.name, func(t *testing.T) {
			for seed := range uint64(20) {
				b := tr.build(seed, true)
				flagged := 0
				scopes := verdict.Scopes(&b.Run)
				for _, g := range scopes[1].Streams {
					if g.Grade.Has(verdict.Buffered) {
						flagged++
						if g.Grade.Held.Proof != verdict.ByReference {
							t.Fatalf("run %d: proof %q", seed, g.Grade.Held.Proof)
						}
					}
				}
				n := len(scopes[1].Streams)
				if tr.held && 10*flagged < 9*n || !tr.held && flagged > 0 {
					t.Fatalf("run %d: %d of %d streams are flagged", seed, flagged, n)
				}
				for _, g := range scopes[0].Streams {
					if g.Grade.Has(verdict.Buffered) {
						t.Fatalf("run %d: the app itself is flagged", seed)
					}
				}
				want := map[bool]verdict.Verdict{true: verdict.Fail, false: verdict.Pass}[tr.held]
				if tr.unpaced {
					want = verdict.Inconclusive
				}
				if r := verdict.JudgeScopes(&b.Run, scopes); r.Scenarios[1].Verdict != want {
					t.Fatalf("run %d: %s, %s", seed, r.Scenarios[1].Verdict, decided(&r.Scenarios[1]))
				}
			}
		})
	}
}

// With nothing to compare with a burst is a doubt, and no more, and says what
// settles it. What came in pieces was written in pieces.
func TestHeldBackWithoutAReference(t *testing.T) {
	for _, tt := range []struct {
		pacingTrial
		want verdict.Verdict
	}{
		{pacingTrial{app: chat, way: wholly}, verdict.Inconclusive},
		{pacingTrial{app: chat, way: filling(4096)}, verdict.Inconclusive},
		{pacingTrial{app: tokens(90, 90, 10, 10*ms, 40*ms, 0), way: wholly, text: true}, verdict.Inconclusive},
		{pacingTrial{app: inBursts(39, tokens(39, 39, 150, 60*ms, 0, 0)), way: onTime}, verdict.Inconclusive},
		{pacingTrial{app: chat, way: onTime}, verdict.Pass},
		{pacingTrial{app: pausing, way: onTime}, verdict.Pass},
		{pacingTrial{app: prose, way: onTime, text: true}, verdict.Pass},
	} {
		for seed := range uint64(20) {
			b := tt.build(seed, false)
			r := verdict.Judge(&b.Run).Scenarios[1]
			if r.Verdict != tt.want {
				t.Fatalf("run %d: %s, %s, want %s", seed, r.Verdict, decided(&r), tt.want)
			}
			for _, c := range r.Checks {
				if c.Name == "no stream is buffered" && tt.want == verdict.Inconclusive &&
					(c.Verdict != verdict.Inconclusive || !c.Fact.Is(verdict.FactAsItself)) {
					t.Fatalf("run %d: check says %s, %q", seed, c.Verdict, shown(c.Fact))
				}
			}
		}
	}
}

// The streams of a run without any load beside them do not say how the app paces
// its answers under one.
func TestLonelyReferenceProvesNothing(t *testing.T) {
	tr := pacingTrial{app: chat, way: filling(4096)}
	b := tr.build(1, true)
	for i := range 8 { // asked one after the other
		shift(&b.Run.Streams[i], time.Duration(i)*3*time.Second)
	}
	if r := verdict.Judge(&b.Run).Scenarios[1]; r.Verdict != verdict.Inconclusive {
		t.Errorf("%s: %s", r.Verdict, shown(r.Checks[0].Fact))
	}
}

func shift(s *record.Stream, by time.Duration) {
	var tl record.Timeline
	for m := range s.Marks() {
		m.At, m.Early = m.At+by, m.Early+by
		tl.Append(m)
	}
	s.Events = tl.Bytes
	for _, at := range []*time.Duration{&s.Sched, &s.Connect, &s.Send, &s.Headers, &s.First, &s.FirstAny, &s.Last,
		&s.TerminalAt, &s.End} {
		*at += by
	}
}

// A compressor holds back only the stream that asks for it, a hop that compresses
// and flushes none.
func TestBrowserProbe(t *testing.T) {
	for _, held := range []bool{true, false} {
		tr := pacingTrial{app: chat, way: onTime}
		b := tr.build(1, true)
		probe := &b.Run.Streams[len(b.Run.Streams)-1]
		probe.AcceptEncoding, probe.Encoding = "gzip, deflate, br, zstd", "br"
		if held {
			r := rand.New(rand.NewPCG(1, 2))
			synth.Arrive(probe, wholly(r, chat(r)), 150, false)
		}
		n := 0
		for _, g := range verdict.Scopes(&b.Run)[1].Streams {
			if g.Grade.Has(verdict.Buffered) {
				n++
			}
		}
		if n != btoi(held) {
			t.Errorf("held %v: %d streams are flagged", held, n)
		}
	}
}

// The evidence gives figures.
func TestPacingInFigures(t *testing.T) {
	tr := pacingTrial{app: chat, way: filling(4096)}
	b := tr.build(1, true)
	g := verdict.Scopes(&b.Run)[1].Streams[0]
	if q := g.Grade.Held.Pacing.Quantum(); q != 4096 {
		t.Errorf("quantum = %d", q)
	}
	came, asked := g.Grade.Held.Pacing.Fact(g.Stream), g.Grade.Held.Reference.Fact()
	if came.Kind != verdict.FactInstants || came.N != 160 || came.Of != 6 || came.More != 4096 {
		t.Errorf("came %v", came)
	}
	if asked.Place != "" || asked.N != 8 || asked.Share != 1 || asked.Name != "event" {
		t.Errorf("compared with %v", asked)
	}
}

// What an edge of ours holds back is not held against an app that leaves it to its
// edge, unless the user asked for it: nobody has said that theirs does the same.
func TestHeldBackWhereTheAppLeavesItToItsEdge(t *testing.T) {
	for _, tt := range []struct {
		name           string
		way            func(*rand.Rand, answer) []time.Duration
		reference      bool
		left, required bool
		want           verdict.Verdict
	}{
		{"live", onTime, true, true, false, verdict.Pass},
		{"held, and nobody named the edge", wholly, true, true, false, verdict.NotApplicable},
		{"held, and the scenario is required", wholly, true, true, true, verdict.Inconclusive},
		{"held, and the user named the edge", wholly, true, false, false, verdict.Fail},
		{"perhaps held", wholly, false, true, false, verdict.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trial := &pacingTrial{app: chat, way: tt.way}
			b := trial.build(1, tt.reference)
			s := b.Scenario(1)
			s.Policy.LeftToEdge, s.Required = tt.left, tt.required
			if r := verdict.Judge(&b.Run).Scenarios[1]; r.Verdict != tt.want {
				t.Errorf("%s (%s), want %s", r.Verdict, decided(&r), tt.want)
			}
		})
	}
}
