package scenarios_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// cutAt is a scenario whose victims are reset by the relay.
func cutAt(event int) harness.Scenario {
	return harness.Scenario{
		ID: "cut-at", Title: "Reset at an event", Doc: "A test.",
		Edge:   stack.Edge{Form: stack.EdgeNone},
		Shape:  harness.Shape{Events: 20, Gap: 20 * time.Millisecond},
		Fault:  fault.Strike{Link: stack.EdgeLink, After: event, Action: stack.RST},
		Policy: record.Policy{Kills: true, MinInBody: 1, Recovery: 10 * time.Second, GapLimit: 5 * time.Second},
	}
}

// playOne plays a scenario in memory: what these tests hold is about time, order and
// counts, on whatever stack.
func playOne(t *testing.T, sc harness.Scenario, l harness.Load) (report verdict.ScenarioReport, run *record.Run) {
	t.Helper()
	o := harness.Options{Scenarios: []harness.Scenario{sc}, Load: l}
	inMemory(t, o, func(_ *testing.T, r *verdict.Report, recorded *record.Run) {
		report, run = r.Scenarios[0], recorded
	})
	return report, run
}

// TestInMemoryReconnectedStreamsGoOn: clients that are cut at event 5 come back with
// what they have, and end up whole.
func TestInMemoryReconnectedStreamsGoOn(t *testing.T) {
	t.Parallel()
	sc := cutAt(5)
	sc.Client.Reconnect = harness.Reconnect{Times: 1, Wait: 50 * time.Millisecond}
	r, run := playOne(t, sc, harness.Load{Streams: 10})
	if r.Verdict != verdict.Pass {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
	if r.Clients == nil || r.Clients.Clients != 5 || r.Clients.Whole != 5 {
		t.Fatalf("clients %+v, want 5, all whole in the end", r.Clients)
	}
	for _, s := range run.Streams {
		if s.After != 0 && s.Contents != 15 {
			t.Errorf("#%d after #%d got %d events, want the 15 that were left", s.Seq, s.After, s.Contents)
		}
	}
}

// TestInMemoryRetriedRequestIsBegunTwice: the relay resets each victim's first answer
// before its first event, so that its library asks again, and the ledger of the
// origin tells that it began the work anew.
func TestInMemoryRetriedRequestIsBegunTwice(t *testing.T) {
	t.Parallel()
	sc := cutAt(0)
	sc.Policy.MinInBody = 0
	sc.Policy.Checks = []string{string(verdict.Doubled)}
	sc.Client.Retry = harness.Retry{Times: 1, Wait: 10 * time.Millisecond}
	r, run := playOne(t, sc, harness.Load{Streams: 6})
	if r.Clients == nil || r.Clients.Whole != 3 || r.Clients.Doubled != 3 {
		t.Fatalf("clients %+v, want 3 whole, all begun twice", r.Clients)
	}
	if r.Verdict != verdict.Fail || !strings.Contains(r.Why, "3 of") {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
	nonces := map[uint64]string{}
	for _, s := range run.Streams {
		nonces[s.Seq] = s.Nonce
		if s.After != 0 && nonces[s.After] != s.Nonce {
			t.Errorf("#%d has another nonce than #%d", s.Seq, s.After)
		}
	}
}

// TestInMemoryPartsOfAFaultAreStampedEach: a stall, then latency, each with a life and a
// proof of its own.
func TestInMemoryPartsOfAFaultAreStampedEach(t *testing.T) {
	t.Parallel()
	const hold = time.Second
	stall, latency := fault.Stall(stack.EdgeLink, hold), fault.Latency(stack.EdgeLink, hold, 0)
	r, run := playOne(t, harness.Scenario{
		ID: "weather", Title: "Two parts", Doc: "A test.", Edge: stack.Edge{Form: stack.EdgeNone},
		Shape: harness.Shape{Events: 100, Gap: 50 * time.Millisecond},
		Fault: fault.Sequence{
			fault.Timed{Fault: stall, Hold: hold},
			fault.Timed{Fault: latency, When: harness.When{After: 500 * time.Millisecond}, Hold: hold},
		},
		When:   harness.When{Events: 3},
		Hold:   time.Millisecond,
		Policy: record.Policy{MinInBody: 1, Recovery: 10 * time.Second, GapLimit: 10 * time.Second},
	}, harness.Load{Streams: 6})
	if r.Verdict != verdict.Pass {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
	var lives [][]record.Phase
	var active []time.Duration
	for _, name := range []string{stall.String(), latency.String()} {
		var life []record.Phase
		for _, w := range run.Windows {
			if w.Fault.Name == name {
				life = append(life, w.Phase)
			}
			if w.Fault.Name == name && w.Phase == record.Active {
				active = append(active, w.At)
			}
		}
		lives = append(lives, life)
	}
	want := []record.Phase{record.Armed, record.Active, record.Healed, record.Confirmed}
	for i, life := range lives {
		if !slices.Equal(life, want) {
			t.Errorf("part %d lived through %v, want %v", i, life, want)
		}
	}
	if len(active) != 2 || !inTime(active[1]-active[0], hold+500*time.Millisecond) {
		t.Errorf("parts struck at %v, want the second %v after the first", active, hold+500*time.Millisecond)
	}
}

// TestReplicasAreNamed: with two replicas every stream says which one served it, by the
// word of nginx.
func TestReplicasAreNamed(t *testing.T) {
	t.Parallel()
	sc := scenario(t, "control")
	sc.Replicas = 2
	r := play(t, harness.Options{Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 10}}).Scenarios[0]
	if len(r.Replicas) != 2 || r.Replicas[0].Name != "app[0]" || r.Replicas[1].Name != "app[1]" ||
		r.Replicas[0].Started+r.Replicas[1].Started != r.Started {
		t.Errorf("replicas %+v of %d streams", r.Replicas, r.Started)
	}
}

// TestInMemoryConditionThatIsNeverMet leaves the fault out and says what would settle
// it.
func TestInMemoryConditionThatIsNeverMet(t *testing.T) {
	for name, when := range map[string]harness.When{
		"too many events":  {Events: 1000},
		"too many streams": {Streams: 1000},
		"no such replica":  {Streams: 1, Replica: "app[7]"},
		"no heartbeat":     {Heartbeats: 1},
		"too late":         {After: time.Hour, Within: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := cutAt(5)
			sc.Fault, sc.When, sc.Hold = fault.Stall(stack.EdgeLink, time.Second), when, time.Second
			r, _ := playOne(t, sc, harness.Load{Streams: 4})
			if r.Verdict != verdict.Inconclusive || !strings.Contains(r.Why, "the fault never struck") {
				t.Errorf("%s: %s", r.Verdict, r.Why)
			}
			if len(r.Doubts) == 0 || r.Doubts[0].Settle == "" {
				t.Errorf("nothing would settle it: %+v", r.Doubts)
			}
		})
	}
}

// TestInMemoryStreamsThatKeepComing: with a duration, streams that have ended are
// replaced while a replica goes and comes, victims and controls alike, and what
// is refused meanwhile is measured against the recovery time.
func TestInMemoryStreamsThatKeepComing(t *testing.T) {
	t.Parallel()
	sc := harness.Scenario{
		ID: "restart", Title: "One of two replicas restarts", Doc: "A test.", Replicas: 2,
		Shape: harness.Shape{Events: 15, Gap: 20 * time.Millisecond},
		Load:  harness.Load{Streams: 10, Duration: 3 * time.Second},
		Fault: fault.Drain{Grace: 5 * time.Second},
		When:  harness.When{Events: 3}, Hold: 300 * time.Millisecond, Share: 1,
		Policy: record.Policy{Refuses: true, MinInBody: 1, Recovery: 10 * time.Second, GapLimit: 5 * time.Second},
	}
	r, _ := playOne(t, sc, harness.Load{})
	if r.Verdict != verdict.Pass || r.Recovery == nil {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
	victims := 0
	for _, g := range r.Groups {
		if g.Group == record.Victim {
			victims = g.Started
		}
	}
	if victims < 30 {
		t.Errorf("%d victims in 10 slots: those that ended were not replaced", victims)
	}
	if len(r.Replicas) < 2 {
		t.Errorf("replicas %+v", r.Replicas)
	}
}

// TestInMemoryFaultEndsByItsCondition long before its hold is over.
func TestInMemoryFaultEndsByItsCondition(t *testing.T) {
	t.Parallel()
	const soon = 500 * time.Millisecond
	sc := cutAt(0)
	sc.Fault, sc.When, sc.Hold, sc.Until = fault.Stall(stack.EdgeLink, soon), harness.When{Events: 3}, time.Hour, harness.When{After: soon}
	r, run := playOne(t, sc, harness.Load{Streams: 6})
	if r.Verdict != verdict.Pass {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
	at := map[record.Phase]time.Duration{}
	for _, w := range run.Windows {
		at[w.Phase] = w.At
	}
	if stood := at[record.Healed] - at[record.Active]; !inTime(stood, soon) {
		t.Errorf("it stood for %v, want %v", stood, soon)
	}
	if len(r.Doubts) > 0 {
		t.Errorf("doubts %+v", r.Doubts)
	}
}

// stuck is a fault that cannot be brought about: it waits for ever.
type stuck struct{ fault.KillWorker }

func (stuck) String() string { return "something that never happens" }

func (stuck) Inject(ctx context.Context, _ fault.Target) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestInMemoryFaultThatNeverBecomesActiveIsInconclusive(t *testing.T) {
	sc := cutAt(0)
	sc.Fault, sc.When = stuck{}, harness.When{Events: 3}
	o := harness.Options{Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 4}, Total: 2 * time.Second}
	inMemory(t, o, func(t *testing.T, report *verdict.Report, _ *record.Run) {
		s := report.Scenarios[0]
		if s.Verdict != verdict.Inconclusive || !strings.Contains(s.Why, "never happens was not done") {
			t.Errorf("%s: %s", s.Verdict, s.Why)
		}
	})
}
