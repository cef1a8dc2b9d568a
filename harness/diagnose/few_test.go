package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// few are as many streams as a diagnosis with one stream sends to a hop: one alone,
// then one with a browser beside it. A busy machine tells of each end later.
func few(shape func(i int, start time.Duration) synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) {
		for i, group := range []record.Group{record.Solo, record.Load, record.Browser} {
			start := time.Duration(i) * 60 * sec
			if group == record.Browser {
				start -= 60 * sec
			}
			sh := shape(i, start)
			sh.Start, sh.Group, sh.Mute = start, group, true
			b.Add(1, sh)
		}
	}
}

// One stream a hop is too few for any significance, but not for a false accusation:
// what the app asked directly does not show is not said to be its doing.
func TestFewStreamsAHop(t *testing.T) {
	idle := func(i int, start time.Duration) synth.Shape {
		return synth.Shape{Events: 40, Keep: 6, End: synth.CutAt(start + 5*ms + 250*ms + sec + time.Duration(i)*100*ms)}
	}
	cut := func(int, time.Duration) synth.Shape { return synth.Shape{Events: 40, Keep: 6, End: synth.FIN} }
	whole := func(int, time.Duration) synth.Shape { return synth.Shape{Events: 40} }
	pauses := func(int, time.Duration) synth.Shape {
		return synth.Shape{Events: 40, PauseAfter: 6, Pause: 4 * sec}
	}
	underLoad := func(i int, start time.Duration) synth.Shape {
		if i == 0 {
			return whole(i, start)
		}
		return cut(i, start)
	}
	for _, tt := range []struct {
		name                    string
		through, direct         func(int, time.Duration) synth.Shape
		hops                    int
		want, layer, confidence string
		also, never             []string
	}{
		{name: "an idle timer at two hops, the app pauses for longer and goes on", through: idle, direct: pauses, hops: 2,
			want: diagnose.ProxyReadTimeout, layer: "edge", confidence: "likely", never: []string{diagnose.AppError, diagnose.IdleTimeoutInApp}},
		{name: "an idle timer at one hop", through: idle, direct: pauses, hops: 1,
			want: diagnose.ProxyReadTimeout, layer: "edge", confidence: "possible", also: []string{diagnose.IdleTimeoutInApp, diagnose.CutByEdge}},
		{name: "cuts at two hops, the app is whole", through: cut, direct: whole, hops: 2,
			want: diagnose.CutByEdge, layer: "edge", confidence: "likely", never: []string{diagnose.AppError}},
		{name: "cuts at one hop, which may be chance", through: cut, direct: whole, hops: 1,
			want: diagnose.CutByEdge, layer: "edge", confidence: "possible", also: []string{diagnose.AppError}},
		{name: "the app is cut as well", through: cut, direct: cut, hops: 2, want: diagnose.AppError, layer: "app", never: []string{diagnose.CutByEdge}},
		{name: "the app falls silent and ends as well", through: idle, direct: idle, hops: 2, want: diagnose.AppError, layer: "app", never: []string{diagnose.CutByEdge}},
		{name: "cut under load only: what is alone says nothing of it", through: underLoad, direct: whole, hops: 2,
			want: diagnose.AppError, layer: "app", confidence: "possible"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			through := few(tt.through)
			if tt.hops == 2 {
				through = both(through, through)
			}
			b := behind("Apache", through, few(tt.direct))
			if tt.hops == 2 { // as a relay of ours stands before the edge
				for i := range b.Run.Streams[6:] {
					b.Run.Streams[6+i].Hop = "edge"
				}
			}
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want {
				t.Fatalf("causes = %q, want %q first", names(causes), tt.want)
			}
			c := causes[0]
			if c.Layer != tt.layer || tt.confidence != "" && c.Confidence != tt.confidence {
				t.Errorf("%s is %s at %s, want %s at %s: %q", c.Cause, c.Confidence, c.Layer, tt.confidence, tt.layer, c.Evidence)
			}
			for _, n := range tt.also {
				if !slices.Contains(c.Names(), n) {
					t.Errorf("%q is not among its candidates: %q", n, c.Names())
				}
			}
			for _, n := range tt.never {
				if slices.Contains(candidates(causes), n) {
					t.Errorf("named %q: %q", n, candidates(causes))
				}
			}
			checkUsable(t, causes)
		})
	}
}
