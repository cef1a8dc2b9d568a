package load

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/streamproof/streamproof/harness/prompts"
	"github.com/streamproof/streamproof/harness/record"
)

// A Draw says which streams of a wave are victims, and which of them the origin is to
// break, by the seed of the run: the same for the same seed, in whichever process.
type Draw struct {
	Scenario string
	Seed     uint64
	One      bool    // the wave has one stream, which every draw picks
	Grouped  bool    // there are victims and controls
	Victims  float64 // their share
	Own      bool    // victims' clients behave in a way of their own: only theirs are broken
	Broken   float64 // the share that the origin breaks; 0 means a third
}

// Group is the part that the n-th stream of the wave plays.
func (d *Draw) Group(n uint64) record.Group {
	switch {
	case !d.Grouped:
		return record.Load
	case d.chosen("victim", n, d.Victims):
		return record.Victim
	}
	return record.Control
}

// breaks reports whether the origin is to break the n-th stream. Where clients
// behave in a way of their own it breaks theirs: nobody else would see it.
func (d *Draw) breaks(n uint64, g record.Group) bool {
	if d.Own {
		return g == record.Victim
	}
	share := d.Broken
	if share == 0 {
		share = 1.0 / 3
	}
	return d.chosen("sabotage", n, share)
}

// nth numbers the broken streams well enough to deal the sabotages out among
// them: by the block that the stream is in.
func (d *Draw) nth(n uint64) int {
	if d.Broken > 0 {
		return int(float64(n) * d.Broken)
	}
	return int(n / 3)
}

// chosen picks the given share of each block of streams by the run's seed, so
// that a small wave has its share too; a wave of one stream is always picked.
func (d *Draw) chosen(what string, n uint64, share float64) bool {
	if d.One || share >= 1 {
		return true
	}
	block := uint64(10)
	switch {
	case share == 0.5:
		block = 2
	case share == 1.0/3:
		block = 3
	case share > 0 && share < 0.1: // less than one of ten
		block = uint64(math.Round(1 / share))
	}
	perm := rand.New(rand.NewPCG(d.Seed, Hash(d.Scenario+"/"+what)+n/block)).Perm(int(block))
	return float64(perm[n%block]) < share*float64(block)-1e-9
}

// Hash is FNV-1a, 64 bits.
func Hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// A Deal says where each stream of a wave goes. It is data, so that another process
// deals the same.
type Deal struct {
	Draw    Draw
	Targets map[record.Group]Target // by the group that is drawn, each without its path
	Path    string                  // of the streams that are not broken
	Broken  []string                // of those that are, dealt out in turn; none breaks nothing
}

// Target is where the n-th stream goes.
func (d *Deal) Target(n uint64) Target {
	g := d.Draw.Group(n)
	path := d.Path
	if len(d.Broken) > 0 && d.Draw.breaks(n, g) {
		path = d.Broken[d.Draw.nth(n)%len(d.Broken)]
	}
	t := d.Targets[g]
	t.URL += path
	return t
}

// Requests are the bodies of a wave whose streams each have their own, as data.
type Requests struct {
	Entries  []prompts.Entry
	InOrder  bool   // of the file; otherwise they are dealt out by Seed
	Seed     uint64 // of one order for each round through the entries
	Template []byte // for entries without a body
}

// A Request is what one stream sends, or the streams of one session: Body in each turn,
// or the bodies of its turns.
type Request struct {
	Body  []byte
	Turns [][]byte
}

// Bodies says which body each stream sends. What it returns may be called from many
// goroutines.
func (q *Requests) Bodies() func(n uint64) Request {
	deal := q.dealt()
	if q.InOrder {
		deal = func(n uint64) int { return int(n % uint64(len(q.Entries))) }
	}
	return func(n uint64) Request {
		e := &q.Entries[deal(n)]
		switch {
		case e.Turns != nil:
			r := Request{Turns: make([][]byte, len(e.Turns))}
			for i, body := range e.Turns {
				r.Turns[i] = e.Sizes(body)
			}
			r.Body = r.Turns[0]
			return r
		case e.Body != nil:
			return Request{Body: e.Sizes(e.Body)}
		}
		return Request{Body: e.Sizes(q.Template)}
	}
}

// dealt draws one order of the entries for each round.
func (q *Requests) dealt() func(n uint64) int {
	var mu sync.Mutex
	rounds := map[uint64][]int{}
	of := uint64(len(q.Entries))
	return func(n uint64) int {
		round := n / of
		mu.Lock()
		defer mu.Unlock()
		if rounds[round] == nil {
			rounds[round] = prompts.Round(int(of), q.Seed, round)
			delete(rounds, round-2) // streams of it are not asked for any more
		}
		return rounds[round][n%of]
	}
}
