package fault

import (
	"fmt"
	"strings"
	"time"
)

// When is a condition on the streams in flight: all that is set must hold at the
// same moment. The zero When holds at once.
type When struct {
	// Events is how many events every victim must have received. Where streams
	// replace those that have ended, the victims are those of the first turn; where
	// they arrive at a rate, one that has so many is enough.
	Events int `yaml:"events"`
	// Streams is how many streams of the main wave must be in their body; on the
	// named Replica ("app[1]") where that is set.
	Streams int    `yaml:"streams"`
	Replica string `yaml:"replica"`
	// Heartbeats is how many heartbeats the streams in flight must have brought.
	Heartbeats int `yaml:"heartbeats"`
	// After is how long ago the waiting must have begun: at the start of the main
	// wave, and for a part of a fault at the end of the part before.
	After time.Duration `yaml:"after"`
	// Within bounds the waiting; 0 means 30 s beyond After. A condition that is not
	// met in time leaves the fault out, and the scenario inconclusive.
	Within time.Duration `yaml:"within"`
}

// DefaultWithin bounds the wait for a condition.
const DefaultWithin = 30 * time.Second

// A Moment is what a condition looks at: the streams of the main wave in flight,
// counted as each of them changes. A look then costs the same however many there
// are.
type Moment struct {
	Since time.Duration // the waiting began
	Begun int           // victims of the first turn that have started

	when    When
	turn    Turn
	streams map[uint64]Flying // in flight, by sequence number

	there, behind      int // victims that When.Events is about, and those of them without so many
	inBody, heartbeats int // as When.Streams and When.Heartbeats count them

	mostInBody, mostBeats int // that these ever were
	longest               int // events of a victim that has ended, at most
}

// A Turn is what a condition on every victim is about.
type Turn struct {
	Open    bool // streams arrive at a rate, so that there is no first turn
	Awaited int  // victims of the first turn otherwise
}

// Moment is one without a stream, for w to look at.
func (w When) Moment(t Turn) *Moment {
	return &Moment{when: w, turn: t, streams: map[uint64]Flying{}}
}

// Put counts stream number seq as it is now, in place of what it was.
func (m *Moment) Put(seq uint64, s Flying) {
	if was, ok := m.streams[seq]; ok {
		m.count(&was, -1)
	}
	m.streams[seq] = s
	m.count(&s, 1)
	m.mostInBody, m.mostBeats = max(m.mostInBody, m.inBody), max(m.mostBeats, m.heartbeats)
}

// End counts stream number seq, as it was at its end, no more.
func (m *Moment) End(seq uint64, s Flying) {
	if was, ok := m.streams[seq]; ok {
		m.count(&was, -1)
		delete(m.streams, seq)
	}
	if m.about(&s) {
		m.longest = max(m.longest, s.Events)
	}
}

// count adds s to the counters, by times.
func (m *Moment) count(s *Flying, by int) {
	if m.about(s) {
		m.there += by
		if s.Events < m.when.Events {
			m.behind += by
		}
	}
	if s.InBody && (m.when.Replica == "" || s.Replica == m.when.Replica) {
		m.inBody += by
	}
	m.heartbeats += by * s.Heartbeats
}

// about reports whether s is one of the victims that When.Events is about.
func (m *Moment) about(s *Flying) bool { return s.Victim && (s.FirstTurn || m.turn.Open) }

// Met reports whether all that the condition sets holds.
func (m *Moment) Met() bool {
	w := &m.when
	return reached{w.Events}.met(m) && inBody{w.Streams, w.Replica}.met(m) &&
		beating{w.Heartbeats}.met(m) && passed{w.After}.met(m)
}

// Missed is the error of a condition that was not met, by the last moment that was
// looked at.
func (m *Moment) Missed() *MissedError {
	for _, c := range m.when.conditions() {
		if !c.met(m) {
			why, settle := c.missed(m)
			return &MissedError{Why: why, Settle: settle}
		}
	}
	return &MissedError{Why: "its condition never held as a whole: " + m.when.String(),
		Settle: "ask for less at the same time"}
}

// A Flying is a stream of the main wave in flight.
type Flying struct {
	Victim, FirstTurn  bool
	InBody             bool
	Events, Heartbeats int
	Replica            string // "" where that is not known
}

// A condition is one part of a When. One that asks for nothing is met.
type condition interface {
	String() string // "every victim had received 3 events"
	met(*Moment) bool
	// missed says what was seen instead, and what would settle it.
	missed(*Moment) (why, settle string)
}

func (w When) conditions() []condition {
	var cs []condition
	if w.Events > 0 {
		cs = append(cs, reached{w.Events})
	}
	if w.Streams > 0 {
		cs = append(cs, inBody{w.Streams, w.Replica})
	}
	if w.Heartbeats > 0 {
		cs = append(cs, beating{w.Heartbeats})
	}
	if w.After > 0 {
		cs = append(cs, passed{w.After})
	}
	return cs
}

// String reads "every victim had received 3 events and 2s had passed".
func (w When) String() string {
	cs := w.conditions()
	if len(cs) == 0 {
		return "at once"
	}
	parts := make([]string, len(cs))
	for i, c := range cs {
		parts[i] = c.String()
	}
	return strings.Join(parts, " and ")
}

// IsZero reports a condition that holds at once.
func (w When) IsZero() bool { return len(w.conditions()) == 0 }

// Limit bounds the waiting.
func (w When) Limit() time.Duration {
	if w.Within > 0 {
		return w.Within
	}
	return w.After + DefaultWithin
}

// A MissedError says that a fault was left out, because its condition was not
// met.
type MissedError struct{ Why, Settle string }

func (e *MissedError) Error() string { return "wait for condition: " + e.Why }

// reached wants every victim of the first turn to have events.
type reached struct{ events int }

func (c reached) String() string { return fmt.Sprintf("every victim had received %d events", c.events) }

// met wants all to have started, and leaves out those that have ended.
func (c reached) met(m *Moment) bool {
	switch {
	case c.events == 0:
		return true
	case m.turn.Open:
		return m.there > m.behind
	}
	return m.Begun >= m.turn.Awaited && m.there > 0 && m.behind == 0
}

// least is the fewest events that a victim in flight has.
func (c reached) least(m *Moment) int {
	least := c.events
	for _, s := range m.streams {
		if m.about(&s) {
			least = min(least, s.Events)
		}
	}
	return least
}

func (c reached) missed(m *Moment) (why, settle string) {
	switch {
	case m.Begun < m.turn.Awaited:
		why = fmt.Sprintf("%d of %d victims had started", m.Begun, m.turn.Awaited)
	case m.there == 0:
		why = fmt.Sprintf("no victim was left in flight, and the longest had %d", m.longest)
	default:
		why = fmt.Sprintf("%d of %d victims in flight had not, the last had %d", m.behind, m.there, c.least(m))
	}
	return fmt.Sprintf("not every victim reached event %d: %s", c.events, why),
		"use streams with more events, or a lower condition"
}

// inBody wants streams between their head and their end.
type inBody struct {
	streams int
	replica string
}

func (c inBody) String() string {
	return fmt.Sprintf("%d streams were in their body%s", c.streams, c.where())
}

func (c inBody) where() string {
	if c.replica == "" {
		return ""
	}
	return " on " + c.replica
}

func (c inBody) met(m *Moment) bool { return m.inBody >= c.streams }

func (c inBody) missed(m *Moment) (why, settle string) {
	return fmt.Sprintf("need >= %d streams in their body%s at once, saw %d at most", c.streams, c.where(), m.mostInBody),
		"use more or longer streams, or a lower condition"
}

// beating wants heartbeats.
type beating struct{ heartbeats int }

func (c beating) String() string {
	if c.heartbeats == 1 {
		return "the first heartbeat was seen"
	}
	return fmt.Sprintf("%d heartbeats were seen", c.heartbeats)
}

func (c beating) met(m *Moment) bool { return m.heartbeats >= c.heartbeats }

func (c beating) missed(m *Moment) (why, settle string) {
	return fmt.Sprintf("need >= %d heartbeats in the streams in flight, saw %d at most", c.heartbeats, m.mostBeats),
		"let the app send heartbeats while it is silent, and ask for a silence that is longer than their interval"
}

// passed wants time.
type passed struct{ after time.Duration }

func (c passed) String() string     { return fmt.Sprintf("%v had passed", c.after) }
func (c passed) met(m *Moment) bool { return m.Since >= c.after }

func (c passed) missed(m *Moment) (why, settle string) {
	return fmt.Sprintf("the streams were over %v after the waiting began, before %v had passed",
			m.Since.Round(time.Millisecond), c.after),
		"use longer streams, a load with a duration, or an earlier time"
}
