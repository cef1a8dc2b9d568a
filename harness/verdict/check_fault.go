package verdict

import (
	"github.com/streamproof/streamproof/harness/record"
)

// FaultSeen asks whether the fault was in effect, by evidence.
type FaultSeen struct{}

func (FaultSeen) Check(s *Scope) Answer {
	const name = "fault seen in effect"
	switch {
	case !s.Scenario.Policy.Faulty:
		return Answer{}
	case s.Active == record.Never:
		return unsure(name, s.settleFault(), fact{Kind: FactNeverStruck, About: quotes(s.whyNever())}).obliges()
	case !s.Confirmed:
		return unsure(name, s.settleFault(), fact{Kind: FactNoTrace, Took: s.Active, About: about(s.doubt())}).obliges()
	}
	if part, lacks := s.unseen(); part != "" {
		return unsure(name, s.settleFault(), fact{Kind: lacks, Name: part, About: about(s.doubt())}).obliges()
	}
	return pass(name, fact{Kind: FactStruck, Took: s.Active, About: s.proof()}).obliges()
}

// unseen finds the first part of a combined fault that did not strike or was not
// seen.
func (s *Scope) unseen() (part string, lacks record.FactKind) {
	has := map[string]map[record.Phase]bool{}
	for _, w := range s.Windows {
		if has[w.Fault.Name] == nil {
			has[w.Fault.Name] = map[record.Phase]bool{}
		}
		has[w.Fault.Name][w.Phase] = true
	}
	for _, w := range s.Windows {
		switch {
		case w.Phase != record.Armed:
		case !has[w.Fault.Name][record.Active]:
			return w.Fault.Name, FactPartNeverStruck
		case !has[w.Fault.Name][record.Confirmed]:
			return w.Fault.Name, FactPartNoTrace
		}
	}
	return "", ""
}

// doubts are what the harness doubted about the scenario.
func (s *Scope) doubts(yield func(record.Note) bool) {
	for _, n := range s.Notes {
		if (n.Kind == record.NoteDoubt || n.Kind == record.NoteNeverStruck) && !yield(n) {
			return
		}
	}
}

// doubtOf is the fact that a note holds.
func doubtOf(n record.Note) fact {
	if n.Kind == record.NoteNeverStruck {
		return fact{Kind: FactNeverStruck, About: quotes(n.Text)}
	}
	return record.Quoted(n.Text)
}

// doubt is the first of what the harness noted about the fault; nil for nothing.
func (s *Scope) doubt() *fact {
	for n := range s.doubts {
		f := doubtOf(n)
		return &f
	}
	return nil
}

// whyNever is the same for an answer that says itself that the fault never struck.
func (s *Scope) whyNever() string {
	for n := range s.doubts {
		return n.Text
	}
	return ""
}

func (s *Scope) settleFault() fact {
	for n := range s.doubts {
		if n.Settle != "" {
			return record.Quoted(n.Settle)
		}
	}
	return next(NextLongerStreams)
}

func (s *Scope) proof() []fact {
	var proofs []string
	for _, w := range s.Windows {
		if w.Phase == record.Confirmed && w.Why != "" {
			proofs = append(proofs, w.Why)
		}
	}
	return quotes(proofs...)
}

// InBody asks whether enough victims were in their body when the fault struck.
type InBody struct{}

func (InBody) Check(s *Scope) Answer {
	const name = "victims in their body"
	need := s.Scenario.Policy.MinInBody
	if !s.Scenario.Policy.Faulty || need == 0 {
		return Answer{}
	}
	n := s.inBody()
	if n < need {
		settle := NextMoreOrLonger
		if s.beforeAny() {
			settle = NextStrikeLater
		}
		return unsure(name, next(settle), fact{Kind: FactFewInBody, N: n, Need: need}).obliges()
	}
	if len(s.hit()) > 0 {
		return pass(name, fact{Kind: FactMet, N: n}).obliges()
	}
	return pass(name, fact{Kind: FactInBody, N: n}).obliges()
}

// beforeAny reports whether the fault struck before the head of any victim had come:
// more or longer streams would change nothing.
func (s *Scope) beforeAny() bool {
	victims, struck := 0, s.Active
	for i := range s.Streams {
		st := s.Streams[i].Stream
		if st.Group != record.Victim {
			continue
		}
		victims++
		if st.Headers != record.Never && st.Headers <= struck {
			return false
		}
	}
	return struck != record.Never && victims > 0 && len(s.hit()) == 0
}

// inBody counts the streams that the fault met between head and end.
func (s *Scope) inBody() int {
	if s.Active == record.Never {
		return 0
	}
	hit := s.hit()
	n := 0
	for i := range s.Streams {
		st := s.Streams[i].Stream
		switch {
		case st.Headers == record.Never:
		case len(hit) > 0 && hit[st.Seq],
			len(hit) == 0 && st.Group == record.Victim && st.Headers <= s.Active && lasted(st, s.Active):
			n++
		}
	}
	return n
}

// Expectation asks whether what the scenario is about did happen.
type Expectation struct{}

func (Expectation) Check(s *Scope) Answer {
	switch s.Scenario.Policy.Expect {
	case record.ExpectSilence:
		return s.silence().inAnyPart()
	case record.ExpectAbort:
		return s.aborts().inAnyPart()
	case record.ExpectSameText:
		return s.same()
	default:
		return s.expected().inAnyPart()
	}
}

func (s *Scope) silence() Answer {
	const name = "silence seen"
	want := s.Scenario.Policy.Silence
	n, longest := 0, record.Never
	for i := range s.Streams {
		longest = max(longest, s.Streams[i].ProgressGap)
		if s.Streams[i].ProgressGap >= want {
			n++
		}
	}
	switch {
	case n == 0 && s.lacks(func(a *record.Abilities) bool { return a.Pauses }):
		return s.inapplicable(name, next(NextPause), fact{Kind: FactNoPause, Took: max(longest, 0), Bound: want})
	case n == 0:
		return unsure(name, next(NextAskLonger), fact{Kind: FactNoSilence, Took: max(longest, 0), Bound: want}).obliges()
	}
	return pass(name, fact{Kind: FactSilence, N: n, Bound: want}).obliges()
}

func (s *Scope) aborts() Answer {
	const name = "server's account of our hang-ups"
	left, known := s.hangUps(), 0
	for i := range s.Streams {
		if s.Streams[i].tells(Leaked) {
			known++
		}
	}
	switch {
	case left == 0:
		return unsure(name, next(NextHangUp), fact{Kind: FactNoneLeft}).obliges()
	case known == 0 && s.lacks(func(a *record.Abilities) bool { return a.Ledger }):
		return s.inapplicable(name, next(NextLedgerPath), fact{Kind: FactNoLedger, N: left})
	case known == 0:
		return unsure(name, nextOr(s.noteSettle(), NextLedger), fact{Kind: FactNoAccount, N: left}).obliges()
	default:
		return pass(name, fact{Kind: FactAccounts, N: known, Of: left}).obliges()
	}
}

func (s *Scope) noteSettle() string {
	for n := range s.doubts {
		return n.Settle
	}
	return ""
}
