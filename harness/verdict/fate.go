package verdict

import (
	"maps"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
)

// A Fate is that of the streams of one replica, where it differs from that of the
// others.
type Fate struct {
	By                  string // the response field that names the replica; "" where we know it ourselves
	Name                string
	Bad, Of             int
	OthersBad, OthersOf int
	Chance              float64   // of such a difference where there is none, all comparisons taken into account
	Streams             []*Graded // the bad ones of the replica
}

// All reports whether every bad stream is the replica's, and most of its streams
// are bad.
func (f *Fate) All() bool { return f.OthersBad == 0 }

// Fact says how many streams went wrong on the replica, and on the others.
func (f *Fate) Fact() record.Fact {
	return fact{Kind: FactFate, N: f.Bad, Of: f.Of, Name: f.Name, Place: f.By, Share: f.Chance,
		About: []fact{{Kind: FactSeen, N: f.OthersBad, Of: f.OthersOf}}}
}

// rareFate is the chance below which a replica is said to differ.
const rareFate = 0.02

// bounds on what can be a name of replicas: as many as there may be, and as many
// streams as each must have on average, so that names of requests are none.
const (
	maxReplicas = 16
	minOfEach   = 2
)

// A Namer tells who served a stream: by our own knowledge, a response field, a
// cookie, a log.
type Namer struct {
	By string // for the reader; "" for our own knowledge
	Of func(*Graded) string
}

// Fate finds the replica whose streams go wrong more often than those of the
// others, by whatever names replicas, with the namers that the caller adds. False
// where none stands out from chance.
func (s *Scope) Fate(more ...Namer) (best Fate, ok bool) {
	tests := 0
	for _, n := range append(s.namers(), more...) {
		by, groups := n.By, s.servedBy(n.Of)
		if !names(groups) {
			continue
		}
		tests += len(groups)
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			if f := fateOf(groups, by, name); f.Bad > 0 && (best.Of == 0 || f.Chance < best.Chance) {
				best = f
			}
		}
	}
	best.Chance = min(1, best.Chance*float64(tests))
	return best, best.Of > 0 && best.Chance < rareFate
}

func fateOf(groups map[string][]*Graded, by, name string) Fate {
	f := Fate{By: by, Name: name}
	for who, gs := range groups {
		for _, g := range gs {
			bad := wentWrong(g)
			switch {
			case who != name:
				f.OthersOf++
				if bad {
					f.OthersBad++
				}
			case bad:
				f.Bad++
				f.Streams = append(f.Streams, g)
				fallthrough
			default:
				f.Of++
			}
		}
	}
	f.Chance = Fisher(f.Bad, f.Of, f.OthersBad, f.OthersOf)
	return f
}

// wentWrong reports whether a stream was not whole, and not because of us.
func wentWrong(g *Graded) bool {
	return g.Grade.Outcome != Complete && g.Grade.Outcome != Cancelled
}

// servedBy deals the streams out to the replicas that by names. Streams in our own
// faults' way, and those that the app alone was asked for, say nothing.
func (s *Scope) servedBy(named func(*Graded) string) map[string][]*Graded {
	out := map[string][]*Graded{}
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Grade.Outcome == Cancelled || s.Scenario.Policy.Faulty && !g.Untouched() || g.Hop == appHop && s.Scenario.Peel {
			continue
		}
		if name := named(g); name != "" {
			out[name] = append(out[name], g)
		}
	}
	return out
}

// names reports whether the groups may be those of replicas: several, and each
// with more than a stream or two of its own.
func names(groups map[string][]*Graded) bool {
	n := 0
	for _, gs := range groups {
		n += len(gs)
	}
	return len(groups) > 1 && len(groups) <= maxReplicas && n >= minOfEach*len(groups)
}

// namers lists what names at least two replicas, our own knowledge first.
func (s *Scope) namers() []Namer {
	fields := map[string]bool{}
	for i := range s.Streams {
		for name := range s.Streams[i].Header {
			fields[name] = mayName(name)
		}
	}
	list := []Namer{{Of: func(g *Graded) string { return g.Replica }}}
	for _, by := range slices.Sorted(maps.Keys(fields)) {
		if fields[by] {
			list = append(list, Namer{By: by, Of: func(g *Graded) string { return g.Header[by] }})
		}
	}
	return slices.DeleteFunc(list, func(n Namer) bool { return !names(s.servedBy(n.Of)) })
}

// mayName leaves out the fields that speak of the response and not of who sent it.
func mayName(field string) bool {
	switch field {
	case "Server", "X-Powered-By": // an error page has its edge's
		return false
	case "Content-Length", "Transfer-Encoding", "Connection", "Retry-After", "Age", "X-Accel-Buffering", "X-Cache",
		"X-Runtime":
		return false
	}
	return !strings.HasPrefix(field, "X-Streamproof-") || strings.HasSuffix(field, "-Upstream")
}

// namer is what the table of replicas goes by: our own knowledge, else the field
// of the replica that differs, else the first that names several.
func (s *Scope) namer() Namer {
	list := s.namers()
	if len(list) == 0 || list[0].By == "" {
		return Namer{Of: func(g *Graded) string { return g.Replica }}
	}
	if f, ok := s.Fate(); ok {
		return list[slices.IndexFunc(list, func(n Namer) bool { return n.By == f.By })]
	}
	return list[0]
}
