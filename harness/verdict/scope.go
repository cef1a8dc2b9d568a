package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A Scope is all that is known about one scenario of a run: what its checks and
// its diagnosis look at.
type Scope struct {
	Run      *record.Run
	Scenario *record.Scenario
	Streams  []Graded
	Windows  []record.Window
	Events   []record.Event
	Waves    []record.Wave
	Notes    []record.Note
	Ledgers  []record.Ledger
	// Active is when the first fault struck, Healed when the last one was taken
	// back; Never if not. Confirmed says that a fault was seen in effect.
	Active, Healed time.Duration
	Confirmed      bool
	// Over says that the scenario ran to its end: a later one has begun, or the
	// run finished.
	Over bool

	crowds []*Crowd                   // nil until asked for
	outs   []interval                 // in which a replica was down by our hand, by their begin
	calm   map[string][]time.Duration // arrivals of streams that were in time by process, once asked for
	kept   *bool                      // the generator kept up, once asked for
	loaded span                       // when the load was, where the streams are no longer here
	open   []interval                 // in which streams of the run were open, once asked for
	pacing []armPacing                // of the streams that could be compared
	loose  loose                      // what is known about the terminal expression

	unclosed unclosed // what is known of answers that left something open
}

// A Graded is a stream with its grade.
type Graded struct {
	*record.Stream
	Grade Grade
	// Struck says that a fault of ours was in the stream's way.
	Struck bool

	account *record.Ledger // the server's, of this stream; nil for none
}

// Scopes sorts a run by scenario and grades its streams. The order is the
// plan's; scenarios that the plan does not know, as after damage, come last, so
// that no stream is ever left out.
func Scopes(run *record.Run) []Scope {
	ids, index := scenarioIDs(run)
	scopes := make([]Scope, len(ids))
	for i, id := range ids {
		scopes[i] = Scope{Run: run, Scenario: planned(run, id), Active: record.Never, Healed: record.Never}
	}
	deal(run, scopes, index)
	terminal, left := looseTerminal(run), unclosedIn(run)
	for i := range scopes {
		scopes[i].loose, scopes[i].unclosed = terminal, left
		scopes[i].grade()
	}
	doubtLengths(scopes)
	refs := references{scopes: scopes, made: map[place]*reference{}}
	for i := range scopes {
		refs.judgePacing(i)
	}
	markOver(run, scopes)
	return scopes
}

// ScopesOf are the scopes that a part is about.
func ScopesOf(p *record.Part) []Scope {
	return slices.DeleteFunc(Scopes(p.Run), func(s Scope) bool { return !p.About(s.Scenario.ID) })
}

func scenarioIDs(run *record.Run) ([]string, map[string]int) {
	var ids []string
	index := make(map[string]int)
	add := func(id string) {
		if _, ok := index[id]; !ok {
			index[id] = len(ids)
			ids = append(ids, id)
		}
	}
	for i := range run.Plan.Scenarios {
		add(run.Plan.Scenarios[i].ID)
	}
	for i := range run.Streams {
		add(run.Streams[i].Scenario)
	}
	return ids, index
}

func planned(run *record.Run, id string) *record.Scenario {
	for i := range run.Plan.Scenarios {
		if run.Plan.Scenarios[i].ID == id {
			return &run.Plan.Scenarios[i]
		}
	}
	return &record.Scenario{ID: id, Title: id}
}

// deal hands every fact of the run to its scenario. Facts that name no scenario
// belong to all of them.
func deal(run *record.Run, scopes []Scope, index map[string]int) {
	to := func(id string, give func(*Scope)) {
		if i, ok := index[id]; ok {
			give(&scopes[i])
			return
		}
		for i := range scopes {
			give(&scopes[i])
		}
	}
	n := make([]int, len(scopes))
	for i := range run.Streams {
		n[index[run.Streams[i].Scenario]]++
	}
	for i := range scopes {
		scopes[i].Streams = make([]Graded, 0, n[i]) // most of what a scope takes
	}
	for i := range run.Streams {
		s := &scopes[index[run.Streams[i].Scenario]]
		s.Streams = append(s.Streams, Graded{Stream: &run.Streams[i]})
	}
	for _, w := range run.Windows {
		to(w.Scenario, func(s *Scope) { s.Windows = append(s.Windows, w) })
	}
	for _, e := range run.Events {
		to(e.Scenario, func(s *Scope) { s.Events = append(s.Events, e) })
	}
	for _, w := range run.Waves {
		to(w.Scenario, func(s *Scope) { s.Waves = append(s.Waves, w) })
	}
	for _, n := range run.Notes {
		to(n.Scenario, func(s *Scope) { s.Notes = append(s.Notes, n) })
	}
	for _, l := range run.Ledgers {
		to(l.Scenario, func(s *Scope) { s.Ledgers = append(s.Ledgers, l) })
	}
}

func (s *Scope) grade() {
	s.readWindows()
	s.outs = s.outages()
	struck := s.strikes()
	byStream := make(map[uint64]record.Ledger, len(s.Ledgers))
	for _, l := range s.Ledgers {
		byStream[l.Stream] = l
	}
	for i := range s.Streams {
		g := &s.Streams[i]
		var doubt *fact
		if s.loose.disproved() {
			g.Stream, doubt = disbelieve(g.Stream)
		}
		if st, why := s.unclosed.unfinished(g.Stream); why != nil {
			g.Stream, doubt = st, why
		}
		g.Grade = gradeDoubted(g.Stream, s.Scenario.Policy, doubt)
		if g.Group == record.Probe {
			g.Grade.Flags = nil // it waits for others by its nature
		}
		if l, ok := byStream[g.Seq]; ok {
			g.account = &l
			g.Grade.Flags = append(g.Grade.Flags, accountFlags(s.Run, l, g.Stream)...)
		}
		g.Struck = struck(g.Stream)
	}
	s.flagSlowed()
}

func (s *Scope) readWindows() {
	for _, w := range s.Windows {
		switch w.Phase {
		case record.Active:
			if s.Active == record.Never || w.At < s.Active {
				s.Active = w.At
			}
		case record.Healed:
			s.Healed = max(s.Healed, w.At)
		case record.Confirmed:
			s.Confirmed = true
		}
	}
}

// strikes returns the question whether a stream was in a fault's way. A fault
// that knows whom it hit is taken at its word, but for streams that never got so
// far as to say which process served them; any other fault is in the way of
// every victim that was open while it stood. A part that cuts is in the way of the
// recovery streams of an earlier one, too, if they were open when it struck.
func (s *Scope) strikes() func(*record.Stream) bool {
	hit := s.hit()
	return func(st *record.Stream) bool {
		open := s.Active != record.Never && lasted(st, s.Active) && (s.Healed == record.Never || startOf(st) <= s.Healed)
		switch {
		case hit[st.Seq], s.cutAgain(st):
			return true
		case st.Group != record.Victim || !open:
			return false
		default:
			return len(hit) == 0 || st.Content.Worker == "" && st.Contents == 0
		}
	}
}

// cutAgain reports whether a recovery stream was open when a part of the fault struck
// that cuts, and does not know whom it hit; or ended while we held memory short, which may
// kill at any time.
func (s *Scope) cutAgain(st *record.Stream) bool {
	if st.Group == record.Recovery && s.Scenario.Policy.Kills && s.squeezed() && st.End != record.Never &&
		slices.ContainsFunc(s.pressed(st.Replica), func(x interval) bool { return x.from <= st.End && st.End <= x.to }) {
		return true
	}
	cut := func(w record.Window) bool {
		return w.Phase == record.Active && w.Fault.Effect == record.Cuts && st.Send < w.At && lasted(st, w.At) &&
			!s.knowsHits(w.Fault)
	}
	return st.Group == record.Recovery && st.Send != record.Never && slices.ContainsFunc(s.Windows, cut)
}

func (s *Scope) squeezed() bool {
	return slices.ContainsFunc(s.Events, func(e record.Event) bool {
		return e.Source == record.FaultSource && e.Kind == record.KindSqueeze
	})
}

// knowsHits reports whether a fault told whom it hit.
func (s *Scope) knowsHits(f record.Fault) bool {
	return slices.ContainsFunc(s.Windows, func(w record.Window) bool {
		return w.Phase == record.Confirmed && w.Fault.Name == f.Name && len(w.Victims) > 0
	})
}

func lasted(st *record.Stream, at time.Duration) bool {
	return st.End == record.Never || st.End >= at
}

// hit lists the victims that a fault is known to have hit.
func (s *Scope) hit() map[uint64]bool {
	hit := make(map[uint64]bool)
	for _, w := range s.Windows {
		if w.Phase == record.Confirmed {
			for _, seq := range w.Victims {
				hit[seq] = true
			}
		}
	}
	return hit
}

// markOver finds the scenarios that ran to their end. Scenarios run one after
// the other, so that a stream of a later one says that this one is over.
func markOver(run *record.Run, scopes []Scope) {
	finished := run.Finished != record.Never && !run.Interrupted
	later := false
	for i := len(scopes) - 1; i >= 0; i-- {
		scopes[i].Over = finished || later
		later = later || len(scopes[i].Streams) > 0
	}
}

// InGroup yields the streams of a group.
func (s *Scope) InGroup(g record.Group) func(yield func(*Graded) bool) {
	return func(yield func(*Graded) bool) {
		for i := range s.Streams {
			if s.Streams[i].Group == g && !yield(&s.Streams[i]) {
				return
			}
		}
	}
}

// Untouched reports whether no fault of ours could have had a part in what
// became of a stream: it stood before the fault or beside it.
func (g *Graded) Untouched() bool {
	return !g.Struck && g.Group != record.Victim && g.Group != record.Recovery
}
