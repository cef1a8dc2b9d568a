package play

import (
	"math/rand/v2"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
)

// A draw is what the seed of the run decides of a scenario.
type draw struct {
	load.Draw
}

// drawOf is the draw of a scenario.
func drawOf(sc harness.Scenario, seed uint64, sabotage harness.Sabotage) draw {
	return draw{load.Draw{Scenario: sc.ID, Seed: seed, One: sc.Load.Concurrent() == 1 && !sc.Load.Open(),
		Grouped: sc.Fault != nil || sc.Client.Own(), Victims: sc.VictimShare(), Own: sc.Client.Own(),
		Broken: sabotage.Share}}
}

// pick chooses one of n by the run's seed.
func (d *draw) pick(n int) int {
	return rand.New(rand.NewPCG(d.Seed, load.Hash(d.Scenario+"/pick"))).IntN(n)
}

// victims lists the victims among the first streams of the wave: all of them,
// where each stream is sent once, otherwise those of the first turn.
func (d *draw) victims(w load.Wave) []uint64 {
	n := w.Streams
	switch {
	case w.Schedule != nil || w.Stages != nil:
		n = max(1, early(&w, 10*time.Second))
	case w.Rate > 0:
		n = int(w.Rate * min(w.Duration, 10*time.Second).Seconds())
	}
	var v []uint64
	for i := range uint64(n) {
		if d.Group(i) == record.Victim {
			v = append(v, w.First+i)
		}
	}
	return v
}
