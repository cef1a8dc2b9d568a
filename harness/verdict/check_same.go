package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// SameText is the name of the check that compares both ways of answering.
const SameText = "same text streamed and in one piece"

// same asks whether the streamed answer says what the answer in one piece says,
// and which of the two is at fault where it does not:
//
//	streamed  in one piece
//	cut       whole         the stream's handling, or a buffer on its way
//	cut       cut           whatever ends both: worker timeouts, restarts
//	whole     cut           the app's other way of answering
//	different each time     the app answers anew: nothing can be told
func (s *Scope) same() Answer {
	const name = SameText
	cs := s.comparisons()
	if len(cs) == 0 && s.lacks(func(a *record.Abilities) bool { return a.Plain }) {
		return s.inapplicable(name, next(NextPlainPath), fact{Kind: FactNoPlain})
	}
	if len(cs) == 0 {
		return unsure(name, nextOr(s.noteSettle(), NextAskPlain), fact{Kind: FactNoneBoth}).obliges()
	}
	for _, c := range cs {
		if a := s.differing(name, c); a.Verdict != "" {
			return a
		}
	}
	for _, c := range cs {
		if c.Differ >= 0 {
			return s.altered(name, cs, c)
		}
	}
	return pass(name, fact{Kind: FactSame, N: len(cs)})
}

// comparisons are the answers that were asked for both ways.
func (s *Scope) comparisons() []record.Comparison {
	return slices.DeleteFunc(slices.Clone(s.Run.Comparisons), func(c record.Comparison) bool {
		return c.Scenario != s.Scenario.ID
	})
}

// differing answers for one comparison that shows by itself what is wrong; the
// zero Answer if it does not.
func (s *Scope) differing(name string, c record.Comparison) Answer {
	streamed, whole := c.StreamedErr != "", c.WholeErr != ""
	of := func(k record.FactKind, words ...string) fact {
		return fact{Kind: k, Name: c.Nonce, Bytes: int64(c.Streamed), More: int64(c.Whole), About: quotes(words...)}
	}
	short := !streamed && !whole && c.Differ >= 0
	switch {
	case c.Err != "":
		return fail(name, fact{Kind: FactCompareError, Name: c.Nonce, Text: c.Err})
	case c.Limit > 0:
		return unsure(name, next(NextTotalLimit), fact{Kind: FactCompareLimit, Name: c.Nonce, Bound: c.Limit}).obliges()
	case streamed && whole:
		return fail(name, of(FactBothCut, c.StreamedErr, c.WholeErr))
	case streamed:
		return fail(name, of(FactStreamCut, c.StreamedErr))
	case whole:
		return fail(name, of(FactPlainCut, c.WholeErr))
	case c.Streamed == 0 && (c.Whole == 0 || short && s.answered() > 0): // whole, and we read nothing in it
		return unsure(name, next(NextTextDialect), of(FactNoText)).obliges()
	case short && c.Whole == 0:
		return unsure(name, next(NextPlainForm), of(FactNoPlainText)).obliges()
	case short && c.Differ == c.Streamed:
		return fail(name, of(FactStreamShort))
	case short && c.Differ == c.Whole:
		return fail(name, of(FactPlainShort))
	}
	return Answer{}
}

// altered is for two texts of which neither is a beginning of the other. Where
// the app says the same each time either way, it says two things; otherwise it
// answers each question anew, and both may be right. Our own origin makes its text
// of the request's ID, which both ways share.
func (s *Scope) altered(name string, cs []record.Comparison, c record.Comparison) Answer {
	what := fact{Kind: FactAltered, Name: c.Nonce, Bytes: int64(c.Streamed), More: int64(c.Whole), N: c.Differ}
	if able := s.Run.Plan.Able; able != nil && able.Origin {
		return fail(name, what)
	}
	for _, o := range cs {
		if o.StreamedSum != c.StreamedSum || o.WholeSum != c.WholeSum || len(cs) < 2 {
			what.Kind = FactAlteredAnew
			return unsure(name, next(NextSameAnswer), what).obliges()
		}
	}
	what.Of = len(cs)
	return fail(name, what)
}
