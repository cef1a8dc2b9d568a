package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// A FlagCheck asks whether any stream bears a flag. Flags about time are not
// held against streams in the way of our own faults, and are doubtful where the
// generator did not keep up.
type FlagCheck struct{ Flag Flag }

func (c FlagCheck) Check(s *Scope) Answer {
	name := "no stream is " + string(c.Flag)
	if c.Flag == Unprovable {
		return Answer{} // asked by Provable, for whatever policy
	}
	b := s.judgeFlag(c.Flag)
	switch {
	case b.judged == 0:
		return s.untold(name, c.Flag)
	case b.total == 0:
		return pass(name, next(FactJudged)).counts(b)
	case c.Flag == Buffered && slices.ContainsFunc(b.all, (*Graded).collected):
		// no excuse
	case c.Flag.timing():
		if why, n := s.excuses(b.all, c.Flag.delay); n == b.total {
			b.why = flagWhy(c.Flag, b.first)
			return unsure(name, next(NextQuiet), fact{Kind: FactBut, About: []fact{b.as(FactFirst), why.fact()}}).about(b.all)
		}
	}
	b.why = flagWhy(c.Flag, b.first)
	if c.Flag == Buffered && !slices.ContainsFunc(b.all, (*Graded).surelyHeld) {
		return unsure(name, s.settleShape(), fact{Kind: FactAsItself, About: []fact{b.as(FactFirst)}}).about(b.all)
	}
	if c.Flag == Buffered && s.Scenario.Policy.LeftToEdge {
		return s.inapplicable(name, next(NextUnbuffer),
			fact{Kind: FactLeftToEdge, About: []fact{b.as(FactFirst)}}).about(b.all)
	}
	return fail(name, next(FactFirst)).counts(b)
}

// judgeFlag counts cancelled streams too: a server leaks precisely those.
func (s *Scope) judgeFlag(f Flag) bad {
	b := bad{tally: tally{n: make(map[Outcome]int)}}
	for i := range s.Streams {
		g := &s.Streams[i]
		if f.timing() && g.Struck || s.guest(g) || !g.tells(f) {
			continue
		}
		if b.judged++; g.Grade.Has(f) {
			b.broke(g)
		}
	}
	return b
}

// tells reports whether something is known about a flag of the stream: what a server did
// after its client left, or with a request sent again, only the server can tell.
func (g *Graded) tells(f Flag) bool {
	switch f {
	case Leaked:
		return g.Limit == record.CancelledByUs && g.account != nil
	case Doubled:
		return g.account != nil && g.account.Starts > 0
	default:
		return true
	}
}

// untold answers for a flag that no stream tells of. Nothing is said where there was no
// stream to tell of, or where nobody asked.
func (s *Scope) untold(name string, f Flag) Answer {
	n, why := s.hangUps(), FactNoAccount
	if f == Doubled {
		n, why = s.sentAgain(), FactNoStarts
	}
	p := &s.Scenario.Policy
	switch asked := slices.Contains(p.Checks, string(f)); {
	case f != Leaked && f != Doubled, !asked, n == 0:
		return Answer{}
	case f == Leaked && p.Expect == record.ExpectAbort: // which asks for the account itself
		return Answer{}
	}
	to := next(NextLedger)
	if s.lacks(func(a *record.Abilities) bool { return a.Ledger }) {
		to = next(NextLedgerPath)
	}
	return unsure(name, to, fact{Kind: why, N: n}).obliges()
}

// hangUps counts the streams that we left ourselves.
func (s *Scope) hangUps() (n int) {
	for i := range s.Streams {
		if s.Streams[i].Limit == record.CancelledByUs {
			n++
		}
	}
	return n
}

// sentAgain counts the streams that are the same request once more.
func (s *Scope) sentAgain() (n int) {
	nonces := make(map[uint64]string, len(s.Streams))
	for i := range s.Streams {
		nonces[s.Streams[i].Seq] = s.Streams[i].Nonce
	}
	for i := range s.Streams {
		st := s.Streams[i].Stream
		if before, ok := nonces[st.After]; ok && st.After != 0 && before == st.Nonce {
			n++
		}
	}
	return n
}

// flagWhy gives the number behind a flag.
func flagWhy(f Flag, g *Graded) *fact {
	switch f {
	case Late:
		if d, ok := TTFE(g.Stream); ok {
			return &fact{Kind: FactFirstEvent, Took: d}
		}
		return &fact{Kind: FactNoFirstEvent}
	case Gappy:
		return &fact{Kind: FactSilentFor, Took: g.MaxGap}
	case Buffered:
		return g.heldWhy()
	case Lingering:
		return &fact{Kind: FactLeftOpen, Took: max(g.Wire.Lingered, 0)}
	default:
		return g.Grade.Fact
	}
}
