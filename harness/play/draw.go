package play

import (
	"math/rand/v2"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
)

// A draw says which streams of a main wave are victims, and which of them the origin is
// to break, by the seed of the run: the same for the same seed.
type draw struct {
	sc       harness.Scenario
	seed     uint64
	sabotage harness.Sabotage
}

// group is the part that the n-th stream of the main wave plays.
func (d *draw) group(n uint64) record.Group {
	if d.sc.Fault == nil && !d.sc.Client.Own() {
		return record.Load
	}
	if d.chosen("victim", n, d.sc.VictimShare()) {
		return record.Victim
	}
	return record.Control
}

// breaks reports whether the origin is to break the n-th stream. Where clients
// behave in a way of their own it breaks theirs: nobody else would see it.
func (d *draw) breaks(n uint64, g record.Group) bool {
	if d.sc.Client.Own() {
		return g == record.Victim
	}
	share := d.sabotage.Share
	if share == 0 {
		share = 1.0 / 3
	}
	return d.chosen("sabotage", n, share)
}

// nth numbers the broken streams well enough to deal the sabotages out among
// them: by the block that the stream is in.
func (d *draw) nth(n uint64) int {
	if share := d.sabotage.Share; share > 0 {
		return int(float64(n) * share)
	}
	return int(n / 3)
}

// chosen picks the given share of each block of streams by the run's seed, so
// that a small wave has its share too; a wave of one stream is always picked.
func (d *draw) chosen(what string, n uint64, share float64) bool {
	if d.sc.Load.Concurrent() == 1 && !d.sc.Load.Open() || share >= 1 {
		return true
	}
	block := uint64(10)
	switch share {
	case 0.5:
		block = 2
	case 1.0 / 3:
		block = 3
	}
	perm := rand.New(rand.NewPCG(d.seed, hash(d.sc.ID+"/"+what)+n/block)).Perm(int(block))
	return float64(perm[n%block]) < share*float64(block)-1e-9
}

// pick chooses one of n by the run's seed.
func (d *draw) pick(n int) int {
	return rand.New(rand.NewPCG(d.seed, hash(d.sc.ID+"/pick"))).IntN(n)
}

// hash is FNV-1a, 64 bits.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
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
		if d.group(i) == record.Victim {
			v = append(v, w.First+i)
		}
	}
	return v
}
