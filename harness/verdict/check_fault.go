package verdict

import (
	"strings"

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
		return unsure(name, s.settleFault(), neverStruck+"%s", detail(s.whyNever())).obliges()
	case !s.Confirmed:
		return unsure(name, s.settleFault(), "struck at %s, but left no trace%s", seconds(s.Active),
			detail(s.doubt())).obliges()
	}
	if part, lacks := s.unseen(); part != "" {
		return unsure(name, s.settleFault(), "%s %s%s", part, lacks, detail(s.doubt())).obliges()
	}
	return pass(name, "struck at %s%s", seconds(s.Active), detail(s.proof())).obliges()
}

// unseen finds the first part of a combined fault that did not strike or was not
// seen.
func (s *Scope) unseen() (part, lacks string) {
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
			return w.Fault.Name, "never struck"
		case !has[w.Fault.Name][record.Confirmed]:
			return w.Fault.Name, "struck, but left no trace"
		}
	}
	return "", ""
}

// neverStruck is how answers say [record.NoteNeverStruck].
const neverStruck = "the fault never struck"

// doubts are what the harness doubted about the scenario.
func (s *Scope) doubts(yield func(record.Note) bool) {
	for _, n := range s.Notes {
		if (n.Kind == record.NoteDoubt || n.Kind == record.NoteNeverStruck) && !yield(n) {
			return
		}
	}
}

// doubtText words a doubt.
func doubtText(n record.Note) string {
	if n.Kind == record.NoteNeverStruck {
		return neverStruck + detail(n.Text)
	}
	return n.Text
}

// doubt is the first of what the harness noted about the fault.
func (s *Scope) doubt() string {
	for n := range s.doubts {
		return doubtText(n)
	}
	return ""
}

// whyNever is the same for an answer that says itself that the fault never struck.
func (s *Scope) whyNever() string {
	for n := range s.doubts {
		return n.Text
	}
	return ""
}

func (s *Scope) settleFault() string {
	for n := range s.doubts {
		if n.Settle != "" {
			return n.Settle
		}
	}
	return "use longer streams, so that the fault meets them in their body"
}

func (s *Scope) proof() string {
	var proofs []string
	for _, w := range s.Windows {
		if w.Phase == record.Confirmed && w.Why != "" {
			proofs = append(proofs, w.Why)
		}
	}
	return strings.Join(proofs, "; ")
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
		return unsure(name, "use more or longer streams", "need >= %d streams in their body when the fault struck, saw %d",
			need, n).obliges()
	}
	if len(s.hit()) > 0 {
		return pass(name, "the fault met %d streams in their body", n).obliges()
	}
	return pass(name, "%d streams in their body when the fault struck", n).obliges()
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
		return s.inapplicable(name, "put {pause} into stream.path where the app is told how long to pause",
			"the app cannot be asked to pause for %s, and its longest silence was %s", seconds(want), seconds(max(longest, 0)))
	case n == 0:
		return unsure(name, "ask the app something that takes longer to answer",
			"need >= 1 stream without content for %s, longest silence was %s", seconds(want), seconds(max(longest, 0))).obliges()
	}
	return pass(name, "%d streams were without content for %s or more", n, seconds(want)).obliges()
}

func (s *Scope) aborts() Answer {
	const name = "server's account of our hang-ups"
	left := make(map[uint64]bool)
	for i := range s.Streams {
		if s.Streams[i].Limit == record.CancelledByUs {
			left[s.Streams[i].Seq] = true
		}
	}
	known := 0
	for _, l := range s.Ledgers {
		if left[l.Stream] {
			known++
		}
	}
	switch {
	case len(left) == 0:
		return unsure(name, "use longer streams, so that there is something to hang up on",
			"need >= 1 stream that we hung up on, saw 0").obliges()
	case known == 0 && s.lacks(func(a *record.Abilities) bool { return a.Ledger }):
		return s.inapplicable(name, "let the app answer GET /ledger?nonce=… with the outcome of a stream, and name that "+
			"path (app.ledger)",
			"hung up on %d streams, and the app keeps no account of what it did then", len(left))
	case known == 0:
		return unsure(name,
			orElse(s.noteSettle(), "let the app keep a ledger, or log the end of each stream with its X-Request-ID"),
			"hung up on %d streams, need >= 1 account of what the server did then, have 0", len(left)).obliges()
	default:
		return pass(name, "hung up on %d streams, have the server's account of %d", len(left), known).obliges()
	}
}

func (s *Scope) noteSettle() string {
	for n := range s.doubts {
		return n.Settle
	}
	return ""
}
