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
	Events int
	// Streams is how many streams of the main wave must be in their body; on the
	// named Replica ("app[1]") where that is set.
	Streams int
	Replica string
	// Heartbeats is how many heartbeats the streams in flight must have brought.
	Heartbeats int
	// After is how long ago the waiting must have begun: at the start of the main
	// wave, and for a part of a fault at the end of the part before.
	After time.Duration
	// Within bounds the waiting; 0 means 30 s beyond After. A condition that is not
	// met in time leaves the fault out, and the scenario inconclusive.
	Within time.Duration
}

// DefaultWithin bounds the wait for a condition.
const DefaultWithin = 30 * time.Second

// A Moment is what a condition looks at.
type Moment struct {
	Since time.Duration // the waiting began
	// Open says that streams arrive at a rate. Awaited is the number of victims of
	// the first turn otherwise, and Begun how many of them have started.
	Open           bool
	Awaited, Begun int
	Streams        []Flying
}

// A Flying is a stream of the main wave in flight.
type Flying struct {
	Victim, FirstTurn  bool
	InBody             bool
	Events, Heartbeats int
	Replica            string // "" where that is not known
}

// A condition is one part of a When.
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

// Met reports whether all that is set holds.
func (w When) Met(m *Moment) bool {
	for _, c := range w.conditions() {
		if !c.met(m) {
			return false
		}
	}
	return true
}

// Missed is the error of a condition that was not met. m is the last moment that
// was looked at.
func (w When) Missed(m *Moment) *MissedError {
	for _, c := range w.conditions() {
		if !c.met(m) {
			why, settle := c.missed(m)
			return &MissedError{Why: why, Settle: settle}
		}
	}
	return &MissedError{Why: "its condition never held as a whole: " + w.String(), Settle: "ask for less at the same time"}
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
	there, behind, _ := c.count(m)
	if m.Open {
		return there > behind
	}
	return m.Begun >= m.Awaited && there > 0 && behind == 0
}

// count looks at the victims that the condition is about: how many there are, how
// many of them lack events, and what the last of them has.
func (c reached) count(m *Moment) (there, behind, least int) {
	least = -1
	for i := range m.Streams {
		s := &m.Streams[i]
		if !s.Victim || !s.FirstTurn && !m.Open {
			continue
		}
		there++
		if s.Events < c.events {
			behind++
		}
		if least < 0 || s.Events < least {
			least = s.Events
		}
	}
	return there, behind, least
}

func (c reached) missed(m *Moment) (why, settle string) {
	there, behind, least := c.count(m)
	switch {
	case m.Begun < m.Awaited:
		why = fmt.Sprintf("%d of %d victims had started", m.Begun, m.Awaited)
	case there == 0:
		why = "no victim was left in flight"
	default:
		why = fmt.Sprintf("%d of %d victims in flight had not, the last had %d", behind, there, least)
	}
	return fmt.Sprintf("not every victim reached event %d: %s", c.events, why), "use streams with more events, or a lower condition"
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

func (c inBody) met(m *Moment) bool { return c.count(m) >= c.streams }

func (c inBody) count(m *Moment) int {
	n := 0
	for i := range m.Streams {
		if s := &m.Streams[i]; s.InBody && (c.replica == "" || s.Replica == c.replica) {
			n++
		}
	}
	return n
}

func (c inBody) missed(m *Moment) (why, settle string) {
	return fmt.Sprintf("need >= %d streams in their body%s at once, saw %d at the end", c.streams, c.where(), c.count(m)),
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

func (c beating) met(m *Moment) bool { return c.count(m) >= c.heartbeats }

func (c beating) count(m *Moment) int {
	n := 0
	for i := range m.Streams {
		n += m.Streams[i].Heartbeats
	}
	return n
}

func (c beating) missed(m *Moment) (why, settle string) {
	return fmt.Sprintf("need >= %d heartbeats in the streams in flight, saw %d", c.heartbeats, c.count(m)),
		"let the app send heartbeats while it is silent, and ask for a silence that is longer than their interval"
}

// passed wants time.
type passed struct{ after time.Duration }

func (c passed) String() string     { return fmt.Sprintf("%v had passed", c.after) }
func (c passed) met(m *Moment) bool { return m.Since >= c.after }

func (c passed) missed(m *Moment) (why, settle string) {
	return fmt.Sprintf("the streams were over %v after the waiting began, before %v had passed", m.Since.Round(time.Millisecond), c.after),
		"use longer streams, a load with a duration, or an earlier time"
}
