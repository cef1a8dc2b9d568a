package diagnose_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Each way of dying lies closest together on its own dimension.
func TestClusters(t *testing.T) {
	// Starts and events are spread out unevenly, so that only what the shape
	// fixes is tight.
	start := func(i int) time.Duration { return time.Duration(i*i*37) * ms }
	events := func(i int) int { return 10 + i*7%23 }
	for _, tt := range []struct {
		name  string
		shape func(i int) synth.Shape
		want  diagnose.Dimension
	}{
		{"total deadline", func(i int) synth.Shape {
			return synth.Shape{Start: start(i), Gap: time.Duration(40+i) * ms, Keep: events(i), Events: 100, End: synth.CutAt(start(i) + 3*sec)}
		}, diagnose.SinceStart},
		{"idle timeout", func(i int) synth.Shape {
			n := events(i)
			last := start(i) + 5*ms + time.Duration(n-1)*50*ms
			return synth.Shape{Start: start(i), Keep: n, Events: 100, End: synth.CutAt(last + 2*sec)}
		}, diagnose.SinceLast},
		{"a process dies", func(i int) synth.Shape {
			return synth.Shape{Start: start(i), Gap: time.Duration(40+i) * ms, Keep: events(i), Events: 100, End: synth.CutAt(5 * sec)}
		}, diagnose.AtInstant},
		{"the app's own code", func(i int) synth.Shape {
			return synth.Shape{Start: start(i), Gap: time.Duration(30+i*13%40) * ms, Keep: 10, End: func(s *record.Stream, last time.Duration) {
				synth.FIN(s, last)
				s.Bytes += int64(i * 50) // events of different sizes
			}}
		}, diagnose.AtIndex},
		{"a size cap", func(i int) synth.Shape {
			return synth.Shape{Start: start(i), Gap: time.Duration(30+i*13%40) * ms, Keep: events(i), Events: 100, End: func(s *record.Stream, last time.Duration) {
				synth.FIN(s, last)
				s.Bytes = 65535
			}}
		}, diagnose.AtBytes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := synth.New()
			b.Each(12, tt.shape)
			cs := diagnose.Clusters(graded(b))
			if len(cs) == 0 || cs[0].By != tt.want {
				t.Fatalf("clusters = %v, want %q first", cs, tt.want)
			}
			if cs[0].N != 12 || cs[0].Tightness > 0.1 {
				t.Errorf("tightest cluster = %+v, want 12 streams close together", cs[0])
			}
			for _, c := range cs[1:] {
				if c.Tightness < 2*cs[0].Tightness {
					t.Errorf("%q is as tight as the right one: %v", c.By, cs)
				}
			}
		})
	}
}

func TestClustersNeedThreeStreams(t *testing.T) {
	b := synth.New()
	b.Add(2, synth.Shape{Keep: 5, End: synth.FIN})
	b.Add(5, synth.Shape{Keep: 5, End: synth.Torn})
	if cs := diagnose.Clusters(graded(b)); len(cs) != 0 {
		t.Errorf("clusters of two endings = %v", cs)
	}
}

func graded(b *synth.Builder) []*verdict.Graded {
	scope := verdict.Scopes(&b.Run)[0]
	var out []*verdict.Graded
	for i := range scope.Streams {
		out = append(out, &scope.Streams[i])
	}
	return out
}
