package history

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Streams that are open at the same time share what happens then, such as a stall of the
// machine, so they are no independent samples. Streams of different blocks of time share
// much less:
//
//	block 1          block 2          block 3
//	|━━━━━━━━━━━━━━| |━━━━━━━━━━━━━━| |━━━━━━━━━━━━━━|
//	 |━━━━━━━━━━━━━|  |━━━━━━━━━━━━━|  |━━━━━━━━━━━━━|
//	       └ stall: a fact about block 1, not about two streams
//
// A block begins with a stream and takes what is sent before that is [blockShare] as old
// as streams usually become: of streams that are sent in turns, exactly one turn.

// A Block is what a metric came to in one block of time.
type Block struct {
	P50 float64 `json:"p50"` // over the streams that were sent in it
	// Delay is the longest time, in seconds, that the machine kept the app or the load
	// generator from running, in one look of a quarter of a second while its streams were
	// open. 0 where it is not known.
	Delay float64 `json:"delay,omitempty"`
}

const (
	// mostBlocks bounds the blocks of a scenario. Of more than that, neighbours are joined.
	mostBlocks = 20
	blockShare = 0.75
	// leastBlock is the shortest block: one look at the machine, see package machine.
	leastBlock = 250 * time.Millisecond
)

// A sample is what is kept of one stream.
type sample struct {
	from, to         time.Duration // on the run's clock
	complete, silent bool
	calm             bool // before or after the fault, where nothing else is
	// In seconds and per second; NaN where the stream has none.
	first, gap, rate float64
}

func sampleOf(g *verdict.Graded) sample {
	s := sample{from: g.Send, to: g.End, first: math.NaN(), gap: math.NaN(), rate: math.NaN(),
		calm: g.Group != record.Load && g.Group != record.Control}
	if s.from == record.Never { // it was never sent
		s.from = g.Sched
	}
	s.to = max(s.to, s.from)
	switch g.Grade.Outcome {
	case verdict.Complete:
		s.complete = true
	case verdict.Truncated, verdict.Corrupt:
		s.silent = true
		return s
	default:
		return s
	}
	if d, ok := verdict.TTFE(g.Stream); ok {
		s.first = d.Seconds()
	}
	s.gap = g.MaxGap.Seconds()
	made := int64(g.Contents)
	if n := g.Content.Usage.Output; n > 0 {
		made = n
	}
	last := g.First
	for m := range g.Marks() {
		if m.Kind == stream.Content {
			last = m.At
		}
	}
	if over := last - g.First; g.First >= 0 && over > 0 && made > 1 {
		s.rate = float64(made-1) / over.Seconds()
	}
	return s
}

// blocksOf deals samples out to blocks. It sorts them by when they were sent.
func blocksOf(all []sample) [][]sample {
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b sample) int { return cmp.Compare(a.from, b.from) })
	lasts := make([]float64, len(all))
	for i, s := range all {
		lasts[i] = (s.to - s.from).Seconds()
	}
	slices.Sort(lasts)
	long := max(leastBlock, time.Duration(blockShare*rank(lasts, 0.5)*float64(time.Second)))
	starts := []int{0}
	for i, s := range all {
		if s.from >= all[starts[len(starts)-1]].from+long {
			starts = append(starts, i)
		}
	}
	n := min(mostBlocks, len(starts))
	blocks := make([][]sample, n)
	for i := range n {
		end := len(all)
		if i+1 < n {
			end = starts[(i+1)*len(starts)/n]
		}
		blocks[i] = all[starts[i*len(starts)/n]:end]
	}
	return blocks
}

// rateOf counts samples, and each block of them where there are several.
func rateOf(all []sample) Rate {
	count := func(some []sample) (r Rate) {
		for _, s := range some {
			r.Judged++
			if s.complete {
				r.Complete++
			}
			if s.silent {
				r.Silent++
			}
		}
		return r
	}
	r := count(all)
	if blocks := blocksOf(all); len(blocks) > 1 {
		for _, b := range blocks {
			r.Blocks = append(r.Blocks, count(b))
		}
	}
	return r
}

// metricOf is one figure of samples; false where none of them has it.
func metricOf(all []sample, figure func(sample) float64, looks []record.MachineSample) (Metric, bool) {
	has := slices.DeleteFunc(slices.Clone(all), func(s sample) bool { return math.IsNaN(figure(s)) })
	if len(has) == 0 {
		return Metric{}, false
	}
	values := func(some []sample) []float64 {
		v := make([]float64, len(some))
		for i, s := range some {
			v[i] = figure(s)
		}
		slices.Sort(v)
		return v
	}
	m := measured(values(has))
	if blocks := blocksOf(has); len(blocks) > 1 {
		for _, b := range blocks {
			m.Blocks = append(m.Blocks, Block{rank(values(b), 0.5), slices.Max(append(delays(looks, b), 0))})
		}
	}
	return m, true
}

// delays is how long the app or we waited for a CPU, or for a disk, in each look while
// samples were open, and how late the look itself came: in seconds, the least first.
func delays(looks []record.MachineSample, open []sample) (all []float64) {
	if len(open) == 0 {
		return nil
	}
	from, to := open[0].from, open[0].to
	for _, s := range open {
		from, to = min(from, s.from), max(to, s.to)
	}
	for _, m := range looks {
		if m.At > from && m.At-m.Over < to {
			all = append(all, max(m.Late, m.OursWaited, m.AppWaited, m.AppHeld, m.AppOnDisk).Seconds())
		}
	}
	slices.Sort(all)
	return all
}
