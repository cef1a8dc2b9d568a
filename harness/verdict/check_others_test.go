package verdict_test

import (
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Where nobody says who served a stream, all streams cut by the death of one worker are no
// proof that those of the others go on.
func TestOthersLived(t *testing.T) {
	cut := synth.Shape{Group: record.Victim, Events: 60, Keep: 5, End: synth.RST}
	kill := record.Event{At: 100 * ms, Source: record.FaultSource, Kind: record.KindKill, Subject: "app[0]", Pid: 7, Code: 9}
	exit := record.Event{At: 150 * ms, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
		Role: record.WorkerRole}
	with := func(connections int64, exits int, shapes ...synth.Shape) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Scenario(0).Policy.Faulty, b.Scenario(0).Policy.Kills = true, true
			for _, sh := range shapes {
				b.Add(3, sh)
			}
			blow := kill
			blow.Value = connections
			b.Happen(blow)
			for pid := range exits {
				gone := exit
				gone.Pid = 7 + pid
				b.Happen(gone)
			}
			fault(100*ms, 300*ms)(b)
		}
	}
	whole := synth.Shape{Group: record.Victim, Events: 60}
	ask(t, verdict.OthersLived{},
		question{"some lived", with(4, 1, cut, whole), silent, ""},
		question{"none lived, and others had connections", with(4, 1, cut), verdict.Inconclusive, "none lived n=4 of=3"},
		question{"none lived, and another worker died", with(4, 2, cut), verdict.Fail, "other worker died"},
		question{"none lived, and all were its own", with(0, 1, cut), silent, ""},
		question{"no kill", add(3, cut), silent, ""},
		question{"it is known whom it hit", func(b *synth.Builder) {
			with(4, 2, cut)(b)
			b.Fault(synth.Cut("SIGKILL to one worker process"), 100*ms, 300*ms, 1, 2, 3)
		}, silent, ""})
}
