package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// ofOneReplica adds to each finding that all of its streams were one replica's,
// where chance does not make it so. Where that is all there is to say, since no
// rule is certain, it is a cause of its own: whatever that replica does, the
// others do not.
func (v *view) ofOneReplica(all []*finding) []*finding {
	fate, ok := v.Fate(v.byLog())
	if !ok {
		return all
	}
	settled, sure := false, false
	for _, f := range all {
		if !f.Injected && covers(fate.Streams, f.streams) {
			f.see(fate.Fact())
			settled, sure = settled || f.recorded() || f.Cause.Cause == DeployGap, sure || f.Confidence == certain
		}
	}
	bad := keep(fate.Streams, func(g *verdict.Graded) bool { return v.wants(g) })
	if settled || !fate.All() || len(bad) == 0 {
		return all
	}
	f := found(OneReplica, layerApp, likely, bad).
		tell(fact{Kind: FactOneReplica, Name: fate.Name, N: fate.Bad, Of: fate.Of, Need: fate.OthersOf}).
		see(fate.Fact()).see(shape(bad), framingLine(bad[0])).
		not("a fault of the edge", fact{Kind: NotEdgeServesAll}).
		mend(fact{Kind: MendCompareReplica, Name: fate.Name}).
		settle(fact{Kind: NextReplicaLog, Name: fate.Name})
	f.order = len(rules)
	if fate.Bad == fate.Of { // always and never: it comes before what it does
		f.order = -1
		if sure {
			f.Confidence = certain
		}
	}
	return append(all, f)
}

// orReplica adds an instance of the app as a candidate, where behind an edge a part
// of the streams came short after one event, and the others went on: no name tells
// who served them.
func (v *view) orReplica(f *finding) *finding {
	gs := f.streams
	if f.Layer != layerApp || !v.edge.there || !sameEvent(gs) || gs[0].Replica != "" {
		return f
	}
	if on := v.beyond(gs, func(g *verdict.Graded) bool {
		return g.Contents > gs[0].Contents && !cameShort(g)
	}); len(on) < len(gs)/4+1 {
		return f
	}
	return f.or(OneReplica,
		fact{Kind: MayInstance})
}

// byLog names replicas as the edge's log does. Where several lines may be of a
// stream, it is named if they all name one server.
func (v *view) byLog() verdict.Namer {
	of := map[uint64]string{}
	var lines []*access
	for i := range v.access.all {
		if a := &v.access.all[i]; a.Server != "" {
			lines = append(lines, a)
		}
	}
	if len(lines)*len(v.Streams) <= maxPairs {
		for i := range v.Streams {
			g := &v.Streams[i]
			of[g.Seq] = serverOf(lines, g)
		}
	}
	return verdict.Namer{By: "in the edge's log", Of: func(g *verdict.Graded) string {
		if a, ok := v.accessOf(g); ok && a.Server != "" {
			return a.Server
		}
		return of[g.Seq]
	}}
}

// maxPairs bounds the pairs of lines and streams that are compared.
const maxPairs = 4_000_000

// serverOf is the server that all lines name that may be of g.
func serverOf(lines []*access, g *verdict.Graded) string {
	name := ""
	for _, a := range lines {
		if a.line.At == record.Never || !a.mayBeOf(g) {
			continue
		}
		if name != "" && name != a.Server {
			return ""
		}
		name = a.Server
	}
	return name
}

// names reports whether one of the findings has that name.
func names(found []*finding, name string) bool {
	return slices.ContainsFunc(found, func(f *finding) bool { return f.Cause.Cause == name })
}
