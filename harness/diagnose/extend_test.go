package diagnose

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/page"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

func TestPage(t *testing.T) { page.Agrees(t, "EXTEND.md", "extend_test.go") }

// silent is the smallest rule: it explains nothing.
type silent struct{}

func (silent) match(*view) []*finding { return nil }

// CutOnTheMinute is the cause's name: it is published, and never changes.
const CutOnTheMinute = "cut on the full minute"

// What it finds, in facts. Package reports has a sentence for each.
const (
	FactOnTheMinute    record.FactKind = "cause: on the minute" // N streams, within Took after it
	NextListTimers     record.FactKind = "next: list timers"
	MendWaitForStreams record.FactKind = "fix: wait for streams"
)

// onTheMinute explains cuts at a full minute of the wall clock: a scheduled job
// reloads or restarts what they pass.
type onTheMinute struct{}

func (onTheMinute) match(v *view) []*finding {
	const slack = 2 * time.Second
	gs := v.take(func(g *verdict.Graded) bool {
		wall := v.Run.Plan.Started.Add(g.End)
		return isCut(g) && wall.Sub(wall.Truncate(time.Minute)) < slack
	})
	if len(gs) < minCluster {
		return nil
	}
	f := found(CutOnTheMinute, layerNetwork, possible, gs).
		tell(fact{Kind: FactOnTheMinute, N: len(gs), Took: slack}).
		see(tightest(gs), say(gs[0])).
		notIf(v.noOOM(), "memory kill", fact{Kind: NotOOM}).
		settle(fact{Kind: NextListTimers}).
		mend(fact{Kind: MendWaitForStreams})
	if hits := v.tags[edgeStopped]; len(v.near(gs, hits)) == len(gs) { // near each of them
		f.Confidence, f.Layer = certain, layerEdge
		f.show(cite(hits, 3)...)
	}
	return one(f)
}

// cutTogether are five streams that end together, 300 ms after 12:01, beside whole ones.
func cutTogether() *synth.Builder {
	b := synth.New()
	b.Each(5, func(i int) synth.Shape {
		return synth.Shape{Start: 55*time.Second + time.Duration(i)*100*time.Millisecond, Events: 200, Keep: 80,
			End: synth.CutAt(time.Minute + 300*time.Millisecond)}
	})
	b.Add(5, synth.Shape{})
	return b
}

func Example_rule() {
	alone, logged := cutTogether(), cutTogether()
	logged.Log(record.NginxError, synth.LogLine{At: time.Minute, Text: "signal 1 (SIGHUP) received from 9, reconfiguring"})

	for _, b := range []*synth.Builder{alone, logged} {
		v := newView(&verdict.Scopes(&b.Run)[0])
		fmt.Println(len(silent{}.match(v)), "findings of silent")
		for _, f := range (onTheMinute{}).match(v) {
			c := f.cause()
			fmt.Printf("%s: %s, %s\n", c.Cause, c.Layer, c.Confidence)
			fmt.Println(c.Fact)
			fmt.Println(c.Evidence[0])
			fmt.Println(c.Evidence[len(c.Evidence)-1])
		}
	}
	// Output:
	// 0 findings of silent
	// cut on the full minute: network, possible
	// cause: on the minute n=5 took=2s
	// cause: cluster n=5 took=1m0.3s name="at one instant"
	// stream stream=1 name="incomplete body" about=[ended n=80 name="incomplete body" place="fin between chunks"]
	// 0 findings of silent
	// cut on the full minute: edge, certain
	// cause: on the minute n=5 took=2s
	// cause: cluster n=5 took=1m0.3s name="at one instant"
	// nginx_error.log:1: signal 1 (SIGHUP) received from 9, reconfiguring
}
