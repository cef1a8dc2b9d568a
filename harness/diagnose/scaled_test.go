package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// TestScaledIn: the autoscaler whose decision it was is named beside the cuts, and one that
// decided long before, or something about pods that nobody told to go, is not.
func TestScaledIn(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   time.Duration // of the decision; record.Never for none
		want bool
	}{
		{"told a moment before", 2950 * ms, true},
		{"told after the pods were", 3400 * ms, true},
		{"long before", -15 * sec, false},
		{"long after", 30 * sec, false},
		{"none", record.Never, false},
	} {
		b := synth.New()
		stop := 20 * sec
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Start: stop - 2*sec + time.Duration(i)*30*ms, Events: 100, Keep: 40,
				End: on("app[0]", synth.CutAt(stop+sec))}
		})
		b.Add(10, synth.Shape{Events: 30, End: on("app[1]", synth.Whole)})
		if tt.at != record.Never {
			b.Happen(record.Event{At: stop - 3*sec + tt.at, Source: record.KubernetesSource, Kind: record.KindScaled,
				Subject: "chat", Text: "New size: 1; reason: All metrics below target"})
		}
		cluster(b, stop, record.KindStop, 15, "pod chat-1 is deleted, grace 1s")
		cluster(b, stop+sec, record.KindExit, 137, "pod chat-1: Error, exit code 137")
		causes := causesOf(b)
		if len(causes) == 0 || causes[0].Cause != diagnose.GraceTooShort {
			t.Errorf("%s: %v", tt.name, causes)
			continue
		}
		got := slices.ContainsFunc(causes[0].Evidence, func(e record.Evidence) bool {
			return e.Fact != nil && e.Fact.Kind == diagnose.FactScaled && e.Fact.Name == "chat"
		})
		if got != tt.want {
			t.Errorf("%s: the autoscaler is named: %v, want %v: %v", tt.name, got, tt.want, causes[0].Evidence)
		}
	}
}
