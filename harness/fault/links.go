package fault

import (
	"slices"

	"github.com/streamproof/streamproof/harness/stack"
)

// onLink is a fault that does something to a link.
type onLink interface{ link() string }

// Links names the links that f or a part of it does something to, each once:
// stack.EdgeLink, stack.UpstreamLink, or a single link of several. None for a
// fault that works on processes, or for no fault; both for one of another package,
// of which nobody knows.
func Links(f Fault) []string { return orBoth(linksIn(f, anyFault)) }

// LinksBeside names the links that f or a part of it does something to other than
// strike: those that need more than a relay.
func LinksBeside(f Fault) []string {
	return orBoth(linksIn(f, func(x Fault) bool { _, strike := x.(Strike); return !strike }))
}

func anyFault(Fault) bool { return true }

// orBoth adds both links where there is a part of which nobody knows.
func orBoth(names []string, known bool) []string {
	if !known {
		names = append(names, stack.EdgeLink, stack.UpstreamLink)
		slices.Sort(names)
	}
	return slices.Compact(names)
}

// linksOf names the links that f or a part of it is known to work on, each once.
// known says that there is no part of which nobody knows.
func linksOf(f Fault) (names []string, known bool) { return linksIn(f, anyFault) }

// linksIn is linksOf for the parts that are asked for.
func linksIn(f Fault, asked func(Fault) bool) (names []string, known bool) {
	known = true
	if f == nil {
		return nil, known
	}
	for _, p := range Parts(f) {
		list := []Fault{p.Fault}
		if s, ok := p.Fault.(Strikes); ok {
			list = list[:0]
			for _, x := range s {
				list = append(list, x)
			}
		}
		for _, x := range list {
			l, ok := x.(onLink)
			if ok && asked(x) {
				names = append(names, l.link())
			}
			known = known && (ok || sweeps(x))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), known
}

func (f Toxic) link() string   { return f.Link }
func (f Weather) link() string { return f.Link }
func (f Down) link() string    { return f.Link }
func (f Strike) link() string  { return f.Link }
