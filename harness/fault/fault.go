// Package fault holds what a scenario does to a stack while streams are in
// flight: one file, one fault.
//
//  1. Before the stack opens, a fault may prepare it ([Preparer]): toxics that
//     must be there before the first connection, links that can strike.
//  2. The harness arms it, waits for the scenario's condition ([When]) and calls
//     [Fault.Inject]. Faults combine: [All], [Sequence], [Timed].
//  3. After the hold it calls [Fault.Heal], always, also when Inject failed or
//     never ran, perhaps twice, with a deadline of its own.
//  4. When the streams have ended, [Fault.Confirm] looks for the fault's traces
//     in what was recorded. A fault that left none makes the scenario
//     inconclusive.
package fault

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Fault is one thing done to a stack.
type Fault interface {
	// String says what is done, for the plan and the report: "latency 200ms on
	// edge".
	String() string
	// Inject does it. The error is a [*stack.Unable] where the stack cannot.
	Inject(ctx context.Context, t Target) error
	// Heal undoes it. It needs nothing that Inject learned.
	Heal(ctx context.Context, t Target) error
	// Confirm says whether the fault can be seen in what happened, and by what.
	Confirm(seen Seen) Proof
}

// A Preparer has a say in how the stack is opened.
type Preparer interface {
	Prepare(spec *stack.Spec)
}

// An Armer picks its victims before their streams start, and strikes by itself
// when they reach its position; Inject then does nothing more.
type Armer interface {
	Arm(ctx context.Context, t Target) error
	// Struck reads what was done. The harness calls it after the streams ended.
	Struck(ctx context.Context, t Target) ([]stack.Struck, error)
}

// A Target is what a fault works on.
type Target struct {
	Stack stack.Stack
	// Victims are the streams that the scenario chose, by sequence number.
	Victims []uint64
	// Pick chooses one of n with the run's seed.
	Pick func(n int) int
	// Tell records an event of the fault's own.
	Tell func(record.Event)
	// Note tells the reader something about how it was done.
	Note func(text string)
	Now  func() time.Duration
	// Await waits for the condition of a part. Its error is a [*MissedError] where
	// the condition is not met.
	Await func(context.Context, When) error
	// Stand lets a part stand for hold or until a condition, at most until the main
	// wave is over; with neither it returns then.
	Stand func(ctx context.Context, hold time.Duration, until When)
	// Stamp records a phase of the part at a path, see [Part].
	Stamp func(path string, phase record.Phase, at time.Duration)

	path string // of the part that is being worked on
}

// part is the target of member i of a combined fault.
func (t Target) part(i int) Target {
	t.path = below(t.path, i)
	return t
}

func (t Target) now() time.Duration {
	if t.Now == nil {
		return 0
	}
	return t.Now()
}

func (t Target) stamp(phase record.Phase, at time.Duration) {
	if t.Stamp != nil {
		t.Stamp(t.path, phase, at)
	}
}

// Seen is what was recorded of the scenario so far. Its streams are read from the
// record, one at a time, and may be ranged over more than once; none of them may be
// kept.
type Seen struct {
	Streams        iter.Seq[*record.Stream] // the streams of the fault's wave, ended; nil for none
	Events         []record.Event
	Active, Healed time.Duration // record.Never if it was not
	// After are new streams that were sent to see whether the app has recovered; nil
	// for none.
	After iter.Seq[*record.Stream]
}

// A Proof is the trace that a fault left.
type Proof struct {
	OK       bool
	Evidence string // or, where not OK, what was looked for
	Settle   string // what the user can do where it is not OK; "" where more of the fault may help
	// Victims are the streams that the fault hit, where it can tell them from
	// the others.
	Victims []uint64
}

// What the user can do about a fault that left no trace.
const (
	noneOpen = "let it strike while streams are in their body: when: {events: 1}"
	heldUp   = "make it longer than the app's own pauses between events, or use a less busy machine"
	ourApp   = "let streamproof start the app (command: or image:), so that it can see its processes"
	ourEdge  = "let streamproof start the edge, and see nginx_error.log for why it did not reload"
	ourLinks = "let streamproof start the app (command: or image:), so that its streams pass links that can go down"
	underWay = "use more or longer streams, so that some are open when it strikes"
)

// streams yields the streams of the fault's wave.
func (s Seen) streams(yield func(*record.Stream) bool) {
	if s.Streams != nil {
		s.Streams(yield)
	}
}

// after yields the streams that came after the fault.
func (s Seen) after(yield func(*record.Stream) bool) {
	if s.After != nil {
		s.After(yield)
	}
}

// victims yields the streams of the victim group.
func (s Seen) victims(yield func(*record.Stream) bool) {
	for st := range s.streams {
		if st.Group == record.Victim && !yield(st) {
			return
		}
	}
}

// unable says that the stack lacks an ability.
func unable(what string) error {
	return &stack.Unable{What: what, Why: "this stack has no such ability"}
}

// links returns the links that a name means: "edge" is one, "upstream" all of
// them. Where no edge stands between, the one link that there is leads from the
// client to the app, and is both.
func links(s stack.Stack, name string) ([]stack.Link, error) {
	var found []stack.Link
	for _, l := range s.Links() {
		if covers(name, l.Name()) {
			found = append(found, l)
		}
	}
	if all := s.Links(); len(found) == 0 && name == stack.UpstreamLink && len(all) == 1 {
		return all, nil
	}
	if len(found) == 0 {
		return nil, &stack.Unable{What: "reach the " + name + " link", Why: "this stack has no such link"}
	}
	return found, nil
}

// covers reports whether a fault on the named links works on this one.
func covers(name, link string) bool {
	return link == name || name == stack.UpstreamLink && isUpstream(link)
}

func isUpstream(link string) bool {
	return len(link) > len(stack.UpstreamLink) && link[:len(stack.UpstreamLink)+1] == stack.UpstreamLink+"["
}

// onLinks calls do for each link that name means and stops at the first error.
func onLinks(ctx context.Context, s stack.Stack, name string, do func(context.Context, stack.Link) error) error {
	found, err := links(s, name)
	if err != nil {
		return err
	}
	for _, l := range found {
		if err := do(ctx, l); err != nil {
			return fmt.Errorf("fault link %s: %w", l.Name(), err)
		}
	}
	return nil
}
