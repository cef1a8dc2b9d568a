package record

import "time"

// A Step is the moment at which a scenario turns to something. That lasts until the
// next step of the run.
type Step struct {
	Scenario string        `cbor:"1,keyasint,omitempty"`
	At       time.Duration `cbor:"2,keyasint,omitempty"`
	Name     StepName      `cbor:"3,keyasint,omitempty"`
}

// A StepName is what a scenario turns to. The values stand in records and must stay.
type StepName string

// The steps of a scenario in their order; not every scenario has all of them.
const (
	StepOpening   StepName = "opening"   // the stack is started, and becomes ready
	StepEdge      StepName = "edge"      // the edge is asked what it does to cut streams
	StepReference StepName = "reference" // the app is asked what its answer is
	StepSolo      StepName = "solo"      // one stream alone
	StepDirect    StepName = "direct"    // streams to the app itself, without the chain
	StepIdle      StepName = "idle"      // waiting until the app is idle again
	StepBaseline  StepName = "baseline"  // streams before any fault
	StepStreams   StepName = "streams"   // the load
	StepFault     StepName = "fault"     // the fault is in effect, and the load goes on
	StepRecovery  StepName = "recovery"  // the fault is over; the rest of the load ends
	StepClosing   StepName = "closing"   // the stack is stopped, and logs are filed
	StepEnd       StepName = "end"       // of the scenario
)

// Took is how long a scenario was at each of its steps, in the order in which they
// came first, and in all. Of a scenario without an end, or in a record without steps,
// the sum is [Never].
func (r *Run) Took(scenario string) (steps []Lasted, sum time.Duration) {
	sum = Never
	var from time.Duration
	for i, s := range r.Steps {
		if s.Scenario != scenario {
			continue
		}
		if steps == nil {
			from = s.At
		}
		if s.Name == StepEnd {
			return steps, s.At - from
		}
		steps = lasting(steps, s.Name, r.until(i)-s.At)
	}
	return steps, sum
}

// A Lasted is how long something took.
type Lasted struct {
	Name StepName
	For  time.Duration
}

// lasting adds time to the step of a name.
func lasting(steps []Lasted, name StepName, d time.Duration) []Lasted {
	for i := range steps {
		if steps[i].Name == name {
			steps[i].For += d
			return steps
		}
	}
	return append(steps, Lasted{name, d})
}

// until is when step i was over: at the next one, or at the end of the run. One whose
// end is not known took no time.
func (r *Run) until(i int) time.Duration {
	if i+1 < len(r.Steps) {
		return max(r.Steps[i+1].At, r.Steps[i].At)
	}
	return max(r.Finished, r.Steps[i].At)
}
