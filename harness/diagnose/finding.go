package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Levels of confidence.
const (
	certain  = "certain"
	likely   = "likely"
	possible = "possible"
)

// Layers.
const (
	layerClient   = "client"
	layerNetwork  = "network"
	layerEdge     = "edge"
	layerUpstream = "upstream link"
	layerApp      = "app"
	layerManager  = "process manager"
	layerKernel   = "kernel"
	// layerKubernetes is what a cluster does to pods, and is called as the layer of its settings.
	layerKubernetes = "kubernetes"
	layerHarness    = "harness"
)

// Bounds on what a cause carries.
const (
	maxExamples = 10 // streams
	maxEvidence = 12 // lines
	maxLine     = 300
)

// A finding is a cause in the making.
type finding struct {
	verdict.Cause
	streams []*verdict.Graded
	order   int
}

// found begins a finding. Its methods add to it and return it.
func found(name, layer, confidence string, streams []*verdict.Graded) *finding {
	return &finding{Cause: verdict.Cause{Cause: name, Layer: layer, Confidence: confidence}, streams: streams}
}

// tell makes a fact the summary.
func (f *finding) tell(x fact) *finding {
	f.Fact = &x
	return f
}

// see adds facts to the evidence. Empty ones are left out, so that callers may pass
// what may not be there.
func (f *finding) see(facts ...fact) *finding {
	for _, x := range facts {
		if x.Kind != "" {
			f.show(record.Found(x))
		}
	}
	return f
}

// show adds evidence, which may be lines of logs, likewise.
func (f *finding) show(es ...record.Evidence) *finding {
	for _, e := range es {
		said := func(o record.Evidence) bool { return o.String() == e.String() }
		if !e.Empty() && len(f.Evidence) < maxEvidence && !slices.ContainsFunc(f.Evidence, said) {
			f.Evidence = append(f.Evidence, e)
		}
	}
	return f
}

// not adds a look-alike that was ruled out, and why.
func (f *finding) not(lookAlike string, why fact) *finding {
	f.Excluded = append(f.Excluded, fact{Kind: FactRuledOut, Name: lookAlike, About: []fact{why}})
	return f
}

// notIf is not where the reason may be missing.
func (f *finding) notIf(ok bool, lookAlike string, why fact) *finding {
	if ok {
		return f.not(lookAlike, why)
	}
	return f
}

// mend is what to do about a cause that has no remedy in the table of causes.
func (f *finding) mend(fix fact) *finding {
	f.Mend = nil
	if fix.Kind != "" {
		f.Mend = []fact{fix}
	}
	return f
}

// settle is what would decide a doubt; an empty fact takes it back.
func (f *finding) settle(x fact) *finding {
	f.Next = nil
	if x.Kind != "" {
		f.Next = &x
	}
	return f
}

func (f *finding) cause() verdict.Cause {
	f.Count = len(f.streams)
	for _, g := range f.streams {
		f.All = append(f.All, g.Seq)
	}
	for _, g := range f.streams[:min(maxExamples, len(f.streams))] {
		f.Streams = append(f.Streams, g.Seq)
	}
	if f.Evidence == nil {
		f.Evidence = []record.Evidence{}
	}
	f.Taxonomy = idOf(f.Cause.Cause)
	for i := range f.Candidates {
		f.Candidates[i].Taxonomy = idOf(f.Candidates[i].Cause)
	}
	return f.Cause
}

// rank is the order in which causes are read.
func (f *finding) rank() int {
	switch {
	case f.Injected:
		return 2
	case f.Confidence == certain:
		return 0
	case f.Confidence == likely:
		return 1
	default:
		return 3
	}
}

// one returns f as the only finding.
func one(f *finding) []*finding { return []*finding{f} }
