//go:build linux

package strangers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// A Case is one run: a stack, what is wrong with it, and how it is asked.
type Case struct {
	N       int
	Plant   *Plant // nil for a sound stack
	Spec    Spec
	Shape   string
	Streams int
	Command string // "run" or "diagnose"
	Flags   []string
	Path    string // "" for the usual one
	Direct  bool   // run is told of the app behind the edge, too
	Logs    bool
	Kinds   bool // logs are given with their kinds
	Merged  bool // they are one file, as of docker compose, with those of a database
	Busy    bool // under background load
	// During is what somebody else does in the run.
	During func(context.Context, *Stack) error
}

// Kind names what is wrong.
func (c *Case) Kind() string {
	if c.Plant == nil {
		return Sound
	}
	return c.Plant.Kind
}

// Sound is the kind of a stack with which nothing is wrong.
const Sound = "none (sound)"

func (c *Case) String() string {
	var with string
	if !c.Logs {
		with += ", no logs"
	}
	if c.Busy {
		with += ", busy machine"
	}
	return fmt.Sprintf("%s %s, %s, %d streams%s: %s", c.Command, &c.Spec, c.Shape, c.Streams, with, c.Kind())
}

func fmtSpan(low, high int) string { return fmt.Sprintf("%d-%d", low, high) }

// Draw makes a matrix of n planted cases and as many sound ones as sound says,
// those of diagnose first. The same seed gives the same matrix.
func Draw(seed uint64, n, sound int) []*Case {
	var all []*Case
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		all = append(all, Plants[i%len(Plants)].draw(r))
	}
	for i := range sound {
		r := rand.New(rand.NewPCG(seed, 1<<32+uint64(i)))
		all = append(all, drawSound(r, i, sound))
	}
	for i, c := range all {
		c.N = i
	}
	return all
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (p *Plant) draw(r *rand.Rand) *Case {
	c := &Case{Plant: p, Shape: pick(r, p.Shapes), Streams: pick(r, p.Loads), Command: pick(r, p.Commands)}
	c.Spec.Server, c.Spec.Edge = pick(r, p.Servers), pick(r, p.Edges)
	c.vary(r)
	if p.set != nil {
		p.set(r, c)
	}
	return c
}

// vary sets what differs between two apps that are alike.
func (c *Case) vary(r *rand.Rand) {
	events, gap, size := 15+r.IntN(20), 10+r.IntN(30), 3+r.IntN(10)
	c.Spec.App = map[string]string{
		"SHAPE":  c.Shape,
		"EVENTS": fmtSpan(events, events+1+r.IntN(40)),
		"GAP":    fmtSpan(gap, gap+1+r.IntN(40)),
		"SIZE":   fmtSpan(size, size+1+r.IntN(60)),
	}
	c.Busy, c.Logs, c.Kinds = r.IntN(3) == 0, r.IntN(5) > 0, r.IntN(2) == 0
}

// drawSound makes a stack with which nothing is wrong, and an app that may think
// for a while, pause unequally and answer at unequal length.
func drawSound(r *rand.Rand, i, of int) *Case {
	c := &Case{Shape: pick(r, anyShape), Command: "diagnose", Streams: pick(r, []int{1, 8, 8})}
	if i >= of*2/3 {
		c.Command, c.Streams = "run", pick(r, []int{1, 8, 60})
	}
	server := Servers[i%len(Servers)]
	c.Spec.Server = server.Name
	for {
		e := Edges[(i/len(Servers)+r.IntN(len(Edges)))%len(Edges)]
		if c.Spec.Edge = e.Name; !server.FastCGI || e.FastCGI {
			break
		}
	}
	if server.Name == "gunicorn-sync" { // a sync worker serves one answer at a time
		c.Spec.Workers, c.Streams = 8, min(c.Streams, 8)
	}
	// The defaults of these pass streams on as they come.
	if slices.Contains([]string{"apache", "caddy", "varnish", "goproxy"}, c.Spec.Edge) && !server.FastCGI {
		c.Spec.Options.Defaults = r.IntN(2) == 0
	}
	c.vary(r)
	switch r.IntN(4) {
	case 0:
		c.Spec.App["GAP"] = "2-200"
	case 1:
		c.Spec.App["EVENTS"] = "5-90"
	case 2: // an honest retrieval before the first piece
		c.Spec.App["BUG"], c.Spec.App["AT"], c.Spec.App["SECONDS"] = "stall", "0", "1.2"
	}
	return c
}
