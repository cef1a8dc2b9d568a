package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// TestBlameNeedsAWord: what only fits the ends is possible; likely or certain is what
// somebody's word, or the way in which the connection was closed, adds to it.
func TestBlameNeedsAWord(t *testing.T) {
	inFrame := func(end synth.End) synth.End {
		return func(s *record.Stream, last time.Duration) {
			end(s, last)
			s.Wire.Where, s.Content.State, s.Partial = record.InChunk, stream.CutFrame, 7
		}
	}
	closed := "upstream prematurely closed connection while reading upstream"
	for name, tt := range map[string]struct {
		build      func(*synth.Builder)
		cause      string
		confidence string // "" where the cause must not be blamed
	}{
		"closed in the middle of an event": {func(b *synth.Builder) {
			b.Add(5, synth.Shape{Keep: 10, End: inFrame(synth.FIN)})
		}, diagnose.CutInFrame, "likely"},
		"reset in the middle of an event": {func(b *synth.Builder) {
			b.Add(5, synth.Shape{Keep: 10, End: inFrame(synth.RST)})
		}, diagnose.CutInFrame, "possible"},
		"nginx saw each closed at its own time": {func(b *synth.Builder) {
			b.Each(6, func(i int) synth.Shape {
				return synth.Shape{Start: time.Duration(i) * sec, Mute: true, Keep: 10, Events: 40, End: synth.FIN}
			})
			var lines []synth.LogLine
			for i := range 6 {
				lines = append(lines, at(time.Duration(i)*sec+endOfTen, closed))
			}
			nginx(b, lines...)
		}, diagnose.AppError, "likely"},
		"nginx saw all closed at once": {func(b *synth.Builder) {
			b.Each(12, func(i int) synth.Shape {
				start := time.Duration(i) * 130 * ms
				return synth.Shape{Start: start, Mute: true, Events: 100, Keep: int((3*sec - start) / (50 * ms)), End: synth.CutAt(3 * sec)}
			})
			nginx(b, slices.Repeat([]synth.LogLine{at(3*sec, closed)}, 12)...)
		}, diagnose.AppError, "possible"},
		"the kernel killed something then": {func(b *synth.Builder) {
			b.Add(10, synth.Shape{Worker: 11, Events: 60, Keep: 40, End: synth.CutAt(2 * sec)})
			app(b, at(2*sec, "Out of memory: Killed process 4242 (chrome)"))
		}, diagnose.MemoryKillWorker, "likely"},
		"the kernel killed something then, and the worker died": {func(b *synth.Builder) {
			b.Add(10, synth.Shape{Worker: 11, Events: 60, Keep: 40, End: synth.CutAt(2 * sec)})
			app(b, at(2*sec, "Out of memory: Killed process 4242 (chrome)"))
			b.Happen(record.Event{At: 2 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]", Pid: 11, Code: 9})
		}, diagnose.MemoryKillWorker, "certain"},
	} {
		b := stranger()
		tt.build(b)
		b.Add(10, synth.Shape{Worker: 12, Events: 20})
		got := ""
		for _, c := range causesOf(b) {
			if c.Cause == tt.cause && got == "" {
				got = c.Confidence
			}
		}
		if got != tt.confidence && (tt.confidence != "possible" || got != "") {
			t.Errorf("%s: %s is %q, want %q\n%+v", name, tt.cause, got, tt.confidence, causesOf(b))
		}
	}
}
