package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	layerHarness  = "harness"
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

func (f *finding) say(format string, args ...any) *finding {
	f.Summary = single.ReplaceAllStringFunc(fmt.Sprintf(format, args...), func(many string) string {
		return oneOnly.Replace(many)
	})
	return f
}

// single finds a count of one before a plural, as a format with %d makes it, and the
// verb that follows.
var (
	single  = regexp.MustCompile(`(?:^|[ (])1 (?:streams|connections|answers|requests)\b(?: were\b| had\b)?`)
	oneOnly = strings.NewReplacer("streams", "stream", "connections", "connection", "answers", "answer", "requests",
		"request",
		"were", "was")
)

// see adds facts, and figures that are worded already. Empty ones are left out, so
// that callers may pass what may not be there.
func (f *finding) see(figures ...any) *finding {
	for _, x := range figures {
		switch x := x.(type) {
		case string:
			f.show(record.Figure(x))
		case []string:
			for _, text := range x {
				f.show(record.Figure(text))
			}
		case record.Fact:
			if x.Kind != "" {
				f.show(record.Found(x))
			}
		default:
			panic(fmt.Sprintf("evidence of type %T", x))
		}
	}
	return f
}

// tell makes a fact the summary.
func (f *finding) tell(x record.Fact) *finding {
	f.Fact = &x
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
func (f *finding) not(lookAlike, why string) *finding {
	f.RuledOut, f.Excluded = append(f.RuledOut, lookAlike+": "+why), append(f.Excluded, nil)
	return f
}

// exclude is not for a reason that is a fact.
func (f *finding) exclude(lookAlike string, why record.Fact) *finding {
	x := record.Fact{Kind: FactRuledOut, Name: lookAlike, About: []record.Fact{why}}
	f.RuledOut, f.Excluded = append(f.RuledOut, ""), append(f.Excluded, &x)
	return f
}

// notIf is not where the reason may be missing.
func (f *finding) notIf(ok bool, lookAlike, why string) *finding {
	if ok {
		return f.not(lookAlike, why)
	}
	return f
}

func (f *finding) mend(fix string) *finding {
	f.Fix = fix
	return f
}

func (f *finding) settle(command string) *finding {
	f.Settle = command
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

// figure is evidence that is no line of a log.
func figure(format string, args ...any) record.Evidence {
	return record.Figure(fmt.Sprintf(format, args...))
}
