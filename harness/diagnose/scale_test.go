package diagnose_test

import (
	"fmt"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// The same ending is told at one stream and at two thousand, mixed with honest
// ones that nobody blames.
func TestScale(t *testing.T) {
	for _, n := range []int{1, 100, 2000} {
		for _, tr := range []struct {
			end  synth.End
			keep int
			want string
		}{
			{synth.Clean, 10, diagnose.SilentTruncation},
			{synth.FINInFrame, 10, diagnose.CutInFrame},
			{synth.Silent(gap), 10, diagnose.StallInApp},
			{synth.Silent(gap), 0, diagnose.MissingTerminal},
			{synth.FIN, 10, diagnose.AppError},
		} {
			t.Run(fmt.Sprintf("%s/%d", tr.want, n), func(t *testing.T) {
				b := synth.New()
				b.Run.Plan.Dialect = "origin" // whose answers have 20 events unless asked otherwise
				bad := map[uint64]bool{}
				for _, seq := range b.Add((n+2)/3, synth.Shape{Keep: tr.keep, End: tr.end}) {
					bad[seq] = true
				}
				b.Add(n-len(bad), synth.Shape{})
				var lines []synth.LogLine
				if tr.want == diagnose.AppError {
					lines = exceptions(len(bad), endOfTen)
				}
				app(b, lines...)
				cs := causesOf(b)
				if len(cs) != 1 || cs[0].Cause != tr.want {
					t.Fatalf("causes = %q, want %q alone", names(cs), tr.want)
				}
				if cs[0].Count != len(bad) {
					t.Errorf("explains %d streams, want %d", cs[0].Count, len(bad))
				}
			})
		}
	}
}

// BenchmarkReport judges and diagnoses 10,000 streams of 100 events: honest, cut
// with an exception each, and truncated, with their logs.
func BenchmarkReport(b *testing.B) {
	s := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	s.Add(6000, synth.Shape{Events: 100, Worker: 11})
	s.Add(2000, synth.Shape{Events: 100, Keep: 50, End: synth.FIN, Worker: 12})
	s.Add(2000, synth.Shape{Events: 100, Keep: 50, End: synth.Clean, Worker: 13})
	app(s, exceptions(2000, 2455*ms)...)
	nginx(s, at(sec, "[error] upstream prematurely closed connection while reading upstream"))
	b.ReportAllocs()
	for b.Loop() {
		if r := reportOf(&s.Run); len(r.Scenarios[0].Causes) != 2 {
			b.Fatalf("causes = %q", names(r.Scenarios[0].Causes))
		}
	}
}
