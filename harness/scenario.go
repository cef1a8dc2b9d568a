package harness

import (
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Scenario says what load to send, which fault to inject when, and which
// promises must hold.
type Scenario struct {
	ID    string // stable: "read-timeout"
	Title string // "Silence longer than the edge's read timeout"
	Doc   string // what it proves, one sentence

	Edge     stack.Edge
	Workers  int // the least number of worker processes of our own origin
	Replicas int // the least number of replicas
	Shape    Shape

	// Fault is nil where the edge or the app's own silence is the trial.
	Fault fault.Fault
	When  When
	// Hold is how long the fault stays before it heals.
	Hold time.Duration
	// Share is the part of the main wave that goes in the fault's way; 0 means
	// half, 1 leaves no control group.
	Share float64
	// Abort makes the victims hang up.
	Abort Abort

	Policy record.Policy
}

// A Shape is the answer asked of our own origin. Other apps answer as they do.
type Shape struct {
	Events    int           // 0 means 20
	Gap       time.Duration // between events; 0 means 50 ms
	Size      int           // bytes of text per event; 0 leaves the origin's
	Pause     time.Duration // a silent gap after event PauseAt
	PauseAt   int
	Heartbeat time.Duration // between comments while silent; 0 leaves the origin's
}

// When is the condition for a fault to strike.
type When struct {
	// Events is how many events every victim must have received.
	Events int
	// Within bounds the waiting; 0 means 30 s. A condition that is not met in
	// time leaves the fault out, and the scenario inconclusive.
	Within time.Duration
}

// An Abort is a client that hangs up in mid-stream.
type Abort struct {
	AfterEvents int // 0 for never
}

// A Load is how many streams are sent.
type Load struct {
	Streams  int           // concurrent; 0 means 20
	Rate     float64       // streams per second; makes the model open
	Ramp     time.Duration // over which the first streams start
	Duration time.Duration // 0 sends each stream once
}

// DefaultStreams is the number of concurrent streams unless asked otherwise.
const DefaultStreams = 20

func (l Load) streams() int {
	if l.Streams == 0 {
		return DefaultStreams
	}
	return l.Streams
}

// plan is the stored form.
func (l Load) plan() record.LoadPlan {
	p := record.LoadPlan{Model: "closed", Streams: l.streams(), Ramp: l.Ramp, Duration: l.Duration}
	if l.Rate > 0 {
		p.Model, p.Streams, p.Rate = "open", 0, l.Rate
	}
	return p
}

// plan is the stored form of s.
func (s *Scenario) plan(l Load) record.Scenario {
	p := record.Scenario{ID: s.ID, Title: s.Title, Doc: s.Doc, Edge: string(s.Edge.Form), Load: l.plan(), Policy: s.Policy}
	if s.Fault != nil {
		p.Fault = s.Fault.String()
	}
	return p
}
