package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// content names what is wrong with the bytes. The client alone can tell.
type content struct{}

var contentCauses = []struct {
	state stream.State
	name  string
	mend  record.FactKind
}{
	{stream.Gap, LostEvent, MendLost},
	{stream.Duplicate, DuplicatedEvent, MendDuplicated},
	{stream.Reordered, ReorderedEvents, MendReordered},
	{stream.Foreign, ForeignEvent, MendForeign},
	{stream.Corrupt, CorruptContent, MendCorrupt},
}

func (content) match(v *view) []*finding {
	fs := framing(v)
	for _, find := range []func(*view) []*finding{misframed, splitCharacters, unframedError} {
		found := find(v)
		for _, f := range found {
			v.explain(f)
		}
		fs = append(fs, found...)
	}
	for _, c := range contentCauses {
		gs := v.take(func(g *verdict.Graded) bool {
			return g.Grade.Outcome == verdict.Corrupt && g.Grade.Ending != verdict.BadFraming &&
				g.Grade.Content == c.state &&
				!flipped(v, g)
		})
		if len(gs) == 0 {
			continue
		}
		fs = append(fs, found(c.name, layerApp, certain, gs).
			tell(fact{Kind: FactContent, N: len(gs), Name: string(c.state)}).
			see(say(gs[0]), leftover(gs[0])).show(v.lastWord(gs[0])).
			notIf(!v.Scenario.Policy.Faulty, "our own faults", fact{Kind: NotInjected}).
			not("TCP", fact{Kind: NotTCP}).
			mend(fact{Kind: c.mend}))
	}
	return fs
}

// flipped reports whether our relay changed a byte of the stream.
func flipped(v *view, g *verdict.Graded) bool {
	return slices.ContainsFunc(v.deaths.strikes[g.Seq], func(d death) bool { return d.flips })
}

// framing names broken framing.
func framing(v *view) []*finding {
	bad := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Corrupt && g.Grade.Ending == verdict.BadFraming
	})
	var spliced, tooLong, broken []*verdict.Graded
	for _, g := range bad {
		switch {
		case g.Wire.Spliced:
			spliced = append(spliced, g)
		case g.Wire.Framing == record.Length:
			tooLong = append(tooLong, g)
		default:
			broken = append(broken, g)
		}
	}
	var fs []*finding
	if len(spliced) > 0 {
		f := found(Spliced, layerApp, certain, spliced).
			tell(fact{Kind: FactSpliced, N: len(spliced)}).
			see(say(spliced[0])).show(cite(v.tags[workerTimedOut], 2)...).show(cite(v.tags[invalidChunk], 2)...).
			mend(fact{Kind: MendAsyncWorker})
		v.whoReplied(f)
		fs = append(fs, f)
	}
	if len(tooLong) > 0 {
		fs = append(fs, found(LengthLie, layerApp, certain, tooLong).
			tell(fact{Kind: FactMoreThanLength, N: len(tooLong)}).
			see(say(tooLong[0])).show(cite(v.tags[lengthMismatch], 2)...))
	}
	if len(broken) > 0 {
		fs = append(fs, found(BrokenFraming, layerApp, certain, broken).
			tell(fact{Kind: FactBrokenFraming, N: len(broken)}).
			see(say(broken[0])).show(cite(v.tags[invalidChunk], 2)...).
			mend(fact{Kind: MendLetLibraryFrame}))
	}
	return fs
}

// say describes one stream: "stream 17: event 7 missing after 6".
func say(g *verdict.Graded) record.Fact {
	return record.Fact{Kind: FactStream, Stream: g.Seq, Name: string(g.Grade.Ending), About: []record.Fact{reason(g)}}
}

// reason is what decided the grade of a stream.
func reason(g *verdict.Graded) record.Fact {
	if g.Grade.Fact == nil {
		return record.Fact{}
	}
	return *g.Grade.Fact
}
