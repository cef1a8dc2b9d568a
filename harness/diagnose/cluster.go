package diagnose

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Dimension is a measure on which the ends of streams may lie close together.
// The tightest one is the strongest clue that a client alone has.
type Dimension string

// The dimensions, and what a tight cluster on them hints at.
const (
	SinceStart Dimension = "since their start"      // total deadlines, sync workers
	SinceLast  Dimension = "since their last event" // idle timeouts
	AtInstant  Dimension = "at one instant"         // a process, a deploy, a reload
	AtIndex    Dimension = "at one event"           // the app's own code
	AtBytes    Dimension = "at one byte count"      // size caps
)

// A Cluster says how close the ends of some streams lie on one dimension.
type Cluster struct {
	By     Dimension
	N      int
	Center float64 // seconds, events or bytes
	Spread float64 // from the 10th to the 90th percentile, in the same unit
	// Tightness is the spread beside what chance would give; smaller is tighter.
	Tightness float64
}

// minCluster is the least number of streams that can lie close together.
const minCluster = 3

// Clusters measures the ends of streams on all dimensions, the tightest first.
// It is empty below three streams.
func Clusters(streams []*verdict.Graded) []Cluster {
	if len(streams) < minCluster {
		return nil
	}
	var starts, lasts, ends, index, bytes, lengths []float64
	for _, g := range streams {
		if g.End == record.Never {
			continue
		}
		start, last := startOf(g), lastBytes(g)
		starts = append(starts, (g.End - start).Seconds())
		lasts = append(lasts, (g.End - last).Seconds())
		ends = append(ends, g.End.Seconds())
		lengths = append(lengths, (g.End - start).Seconds())
		index = append(index, float64(g.Contents))
		bytes = append(bytes, float64(g.Bytes))
	}
	if len(ends) < minCluster {
		return nil
	}
	slices.Sort(lengths)
	scale := quantile(lengths, 0.5)
	out := []Cluster{
		cluster(SinceStart, starts, scale), cluster(AtInstant, ends, scale),
		cluster(AtIndex, index, 0), cluster(AtBytes, bytes, 0),
	}
	if c := cluster(SinceLast, lasts, 0); c.Center >= minSilence.Seconds() {
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Cluster) int { return cmp.Compare(a.Tightness, b.Tightness) })
	return out
}

// minSilence is the least silence before an end that is more than the usual gap
// between a last byte and what follows.
const minSilence = 300 * time.Millisecond

// cluster sums xs up. The yardstick of a spread is scale, or the center where
// that is 0.
func cluster(by Dimension, xs []float64, scale float64) Cluster {
	slices.Sort(xs)
	c := Cluster{By: by, N: len(xs), Center: quantile(xs, 0.5), Spread: quantile(xs, 0.9) - quantile(xs, 0.1)}
	if scale == 0 {
		scale = c.Center
	}
	c.Tightness = c.Spread / math.Max(scale, 1e-6)
	return c
}

func quantile(sorted []float64, q float64) float64 {
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// tight is below what independent ends give by chance.
const tight = 0.1

// Of returns the cluster on a dimension, if it was measured.
func of(cs []Cluster, by Dimension) (Cluster, bool) {
	i := slices.IndexFunc(cs, func(c Cluster) bool { return c.By == by })
	if i < 0 {
		return Cluster{}, false
	}
	return cs[i], true
}

// fact is the cluster, its center before its spread.
func (c Cluster) fact() fact {
	switch c.By {
	case AtIndex, AtBytes:
		return fact{Kind: FactCluster, Name: string(c.By), N: c.N, Bytes: int64(c.Center), More: int64(c.Spread)}
	}
	return fact{Kind: FactCluster, Name: string(c.By), N: c.N, Took: inSeconds(c.Center), Bound: inSeconds(c.Spread)}
}

func inSeconds(x float64) time.Duration { return time.Duration(math.Round(x * float64(time.Second))) }

// tightest is the strongest clue, if one is tight.
func tightest(streams []*verdict.Graded) fact {
	cs := Clusters(streams)
	if len(cs) == 0 || cs[0].Tightness > tight {
		return fact{}
	}
	return cs[0].fact()
}

func startOf(g *verdict.Graded) time.Duration {
	if g.Send != record.Never {
		return g.Send
	}
	return g.Sched
}

// lastBytes is when the last event of any kind arrived, or the head.
func lastBytes(g *verdict.Graded) time.Duration {
	return max(g.Last, g.Headers, startOf(g))
}

// lastContent is when the last content event arrived; Never if none.
func lastContent(g *verdict.Graded) time.Duration {
	at := record.Never
	for m := range g.Marks() {
		if m.Kind == stream.Content {
			at = m.At
		}
	}
	return at
}

// byWorker groups streams by the process that served them.
func byWorker(streams []*verdict.Graded) map[string][]*verdict.Graded {
	out := make(map[string][]*verdict.Graded)
	for _, g := range streams {
		out[g.Process()] = append(out[g.Process()], g)
	}
	return out
}
