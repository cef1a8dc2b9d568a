package play

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/memory"
)

var update = flag.Bool("update", false, "write the stories that are kept in testdata/stories anew")

const sec = time.Second

// perSecond is an answer of so many events, one a second.
func perSecond(events int) harness.Shape { return harness.Shape{Events: events, Gap: time.Second} }

// three is when every victim has three events.
var three = harness.When{Events: 3}

// one is a run of one scenario.
func one(sc harness.Scenario, l harness.Load) harness.Options {
	if sc.ID == "" {
		sc.ID = "trial"
	}
	return harness.Options{Scenarios: []harness.Scenario{sc}, Load: l}
}

// TestStories plays each kind of timetable and compares all that was recorded, each
// thing at its exact time, with what is kept in testdata/stories.
func TestStories(t *testing.T) {
	stall, slow := fault.Stall(stack.EdgeLink, 5*sec), fault.Latency(stack.UpstreamLink, 2*sec, 0)
	fin := fault.Strike{Link: stack.UpstreamLink, After: 2, Action: stack.FIN}
	flip := fault.Strike{Link: stack.UpstreamLink, After: 2, Action: stack.Flip}
	kills := record.Policy{Kills: true, Recovery: 5 * sec}
	four := harness.Load{Streams: 4}
	for name, o := range map[string]harness.Options{
		// Load.
		"no fault":     one(harness.Scenario{Shape: perSecond(5)}, four),
		"together":     one(harness.Scenario{Shape: perSecond(5), Load: harness.Load{Together: true}}, four),
		"one stream":   one(harness.Scenario{Shape: perSecond(5)}, harness.Load{Streams: 1}),
		"lasting load": one(harness.Scenario{Shape: perSecond(5)}, harness.Load{Streams: 2, Duration: 10 * sec}),
		"open load":    one(harness.Scenario{Shape: perSecond(5)}, harness.Load{Rate: 2, Duration: 3 * sec}),
		"peel":         one(harness.Scenario{Shape: perSecond(5), Peel: true}, four),

		// The life of a fault.
		"held": one(harness.Scenario{Shape: perSecond(10), Fault: stall, When: three, Hold: 5 * sec}, four),
		"until": one(harness.Scenario{Shape: perSecond(10), Fault: slow, When: three,
			Until: harness.When{Events: 5}}, four),
		"healed by the end": one(harness.Scenario{Shape: perSecond(10), Fault: slow, When: three}, four),
		"healed too soon": one(harness.Scenario{Shape: perSecond(10), Fault: slow, When: three,
			Until: harness.When{Events: 50}}, four),
		"never struck": one(harness.Scenario{Shape: perSecond(5), Fault: stall, When: harness.When{Events: 9}}, four),
		"never in time": one(harness.Scenario{Shape: perSecond(9), Fault: stall,
			When: harness.When{Events: 8, Within: 3500 * time.Millisecond}}, four),
		"not seen":      one(harness.Scenario{Shape: perSecond(9), Fault: slow, When: three, Hold: sec / 2}, four),
		"reload":        one(harness.Scenario{Shape: perSecond(5), Fault: fault.Reload{}, When: three}, four),
		"unable":        one(harness.Scenario{Shape: perSecond(5), Fault: fault.Squeeze{}, When: three}, four),
		"unable to arm": one(harness.Scenario{Shape: perSecond(5), Fault: flip}, four),
		"strikes":       one(harness.Scenario{Shape: perSecond(5), Fault: fin, Policy: kills}, four),
		"in sequence": one(harness.Scenario{Shape: perSecond(20), When: three, Fault: fault.Sequence{
			fault.Timed{Fault: slow, Hold: 4 * sec},
			fault.Timed{Fault: stall, When: harness.When{After: sec}, Hold: 5 * sec}}}, four),
		"at once": one(harness.Scenario{Shape: perSecond(10), When: three, Hold: 3 * sec,
			Fault: fault.All{fault.Latency(stack.EdgeLink, 3*sec, 0), slow}}, four),

		// What is done to replicas and links, and how recovery is measured.
		"crash": one(harness.Scenario{Shape: perSecond(10), Replicas: 2, Fault: fault.Crash{}, When: three,
			Hold: 2 * sec, Policy: kills}, four),
		"frozen": one(harness.Scenario{Shape: perSecond(10), Fault: fault.Pause{For: 3 * sec}, When: three, Hold: 3 * sec},
			four),
		"link down": one(harness.Scenario{Shape: perSecond(10), Fault: fault.Down{Link: stack.EdgeLink}, When: three,
			Hold: 3050 * time.Millisecond, Policy: record.Policy{Refuses: true}}, four),
		"deploy": one(harness.Scenario{Shape: perSecond(5), Replicas: 2, Fault: fault.Deploy{},
			When: harness.When{Events: 2}},
			harness.Load{Rate: 0.9, Duration: 20 * sec}), // no stream starts when another one ends

		// Clients.
		"reconnecting": one(harness.Scenario{Shape: perSecond(5), Fault: fin,
			Client: harness.Client{Reconnect: harness.Reconnect{Times: 1}}}, four),
		"retrying": one(harness.Scenario{Shape: perSecond(5), Fault: fault.Strike{Link: stack.UpstreamLink,
			Action: stack.RST},
			Client: harness.Client{Retry: harness.Retry{Times: 1}}}, four),
		"hanging up": one(harness.Scenario{Shape: perSecond(5),
			Client: harness.Client{Abort: harness.Abort{AfterEvents: 2}}}, four),
	} {
		t.Run(name, func(t *testing.T) {
			perform(t, o, func(p *playing) {
				if p.err != nil {
					t.Error(p.err)
				}
				golden(t, name, p.story())
			})
		})
	}
}

// golden compares a story with the one that is kept under its name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "stories", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the story is\n%s\nwant\n%s", got, want)
	}
}

// A run that is interrupted heals its fault, ends its streams and says so, wherever it
// is; nothing of it is left.
func TestInterrupt(t *testing.T) {
	sc := harness.Scenario{Shape: perSecond(6), Fault: fault.Stall(stack.EdgeLink, 3*sec), When: three, Hold: 3 * sec}
	o := one(sc, harness.Load{Streams: 4})
	o.Scenarios = append(o.Scenarios, harness.Scenario{ID: "next"})
	for after := 100 * time.Millisecond; after < 22*sec; after += 700 * time.Millisecond {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			harnesstest.InMemory(t, func(t *testing.T, m *memory.Opener) {
				p := &playing{t: t, memory: m, opener: m, options: o}
				ctx, cancel := context.WithTimeout(t.Context(), after)
				defer cancel()
				p.play(ctx)
				if p.err != nil || !p.run.Interrupted || p.took != after || p.run.Finished != after {
					t.Errorf("error %v, interrupted %t, after %v, finished at %v", p.err, p.run.Interrupted, p.took, p.run.Finished)
				}
				if p.phase(record.Active) != record.Never && p.phase(record.Healed) == record.Never {
					t.Error("the fault was not healed")
				}
				for _, s := range p.run.Streams {
					if s.End == record.Never || s.Scenario == "next" && after < 20*sec {
						t.Errorf("stream %d of %s ended at %v", s.Seq, s.Scenario, s.End)
					}
				}
				for _, n := range p.run.Notes {
					if n.Kind != record.NoteFact {
						t.Errorf("it is noted: %+v", n)
					}
				}
				if late := p.run.Streams[len(p.run.Streams)-1]; late.Limit != record.CancelledByEnd && late.End != after {
					t.Errorf("the last stream ended by %q at %v", late.Limit, late.End)
				}
			})
		})
	}
}

// Victims are stalled, controls beside them are not, and the seed says who is who.
func TestVictimsAndControls(t *testing.T) {
	sc := harness.Scenario{Shape: perSecond(10), Fault: fault.Stall(stack.EdgeLink, 5*sec), When: three, Hold: 5 * sec}
	perform(t, one(sc, harness.Load{Streams: 10}), func(p *playing) {
		active, healed := p.phase(record.Active), p.phase(record.Healed)
		victims, controls := p.group(record.Victim), p.group(record.Control)
		if len(victims) != 5 || len(controls) != 5 {
			t.Fatalf("%d victims, %d controls", len(victims), len(controls))
		}
		for _, s := range victims {
			if s.MaxGap != healed-active {
				t.Errorf("victim %d was silent for %v, want %v", s.Seq, s.MaxGap, healed-active)
			}
		}
		for _, s := range controls {
			if s.MaxGap != time.Second {
				t.Errorf("control %d was silent for %v", s.Seq, s.MaxGap)
			}
		}
		for _, w := range p.run.Waves {
			if main := w.Asked == 10; main && w.InBodyAtFault != 5 {
				t.Errorf("%d victims were in their body when the fault struck", w.InBodyAtFault)
			}
		}
	})
}

// A fault that takes longer than streams may last after the wave is given up.
func TestFaultThatDoesNotReturn(t *testing.T) {
	o := one(harness.Scenario{Shape: perSecond(5), Fault: endless{}, When: three}, harness.Load{Streams: 2})
	o.Total = 20 * sec
	perform(t, o, func(p *playing) {
		if p.err != nil || !p.noted(record.NoteNeverStruck, "was not done 20s after the streams were over") {
			t.Errorf("%v\n%s", p.err, p.story())
		}
		if p.took != (4+4+4+20)*sec {
			t.Errorf("it took %v", p.took)
		}
	})
}

// An endless fault waits for its context.
type endless struct{ fault.Watch }

func (endless) String() string { return "an endless fault" }
func (endless) Inject(ctx context.Context, _ fault.Target) error {
	<-ctx.Done()
	return ctx.Err()
}
func (endless) Heal(context.Context, fault.Target) error { return nil }
