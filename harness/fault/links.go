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
func Links(f Fault) (names []string) {
	if f == nil {
		return nil
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
			switch l, ok := x.(onLink); {
			case ok:
				names = append(names, l.link())
			case !sweeps(x):
				names = append(names, stack.EdgeLink, stack.UpstreamLink)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (f Toxic) link() string   { return f.Link }
func (f Weather) link() string { return f.Link }
func (f Down) link() string    { return f.Link }
func (f Strike) link() string  { return f.Link }
