package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A part is one fault of a scenario, under the name that reports give it.
type part struct {
	fault.Part
	name string
}

// parts names the parts of a fault. Two that are alike get numbers.
func parts(f fault.Fault) []part {
	if f == nil {
		return nil
	}
	var list []part
	alike := map[string]int{}
	for _, x := range fault.Parts(f) {
		name := x.Fault.String()
		if alike[name]++; alike[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, alike[name])
		}
		list = append(list, part{x, name})
	}
	return list
}

// An injection is the fault of a scenario while the main wave flies: it is armed, strikes
// when its condition is met, stands, heals, and is looked for in what was recorded.
//
//	arm ─▶ await ─▶ strike ─▶ stand ─▶ heal ─▶ confirm
type injection struct {
	scope
	target fault.Target
	parts  []part
	turn   turn // of the main wave
	// recover sends new streams until they are whole again, from when the fault struck
	// or healed.
	recover  func(ctx context.Context, from time.Duration) (whole time.Duration)
	struckAt time.Duration // when its condition was met
	// recovering says that new streams have been sent, or are being sent.
	recovering bool
	// healed says that it was tried to heal once.
	healed bool
}

// newInjection is the fault of a scenario on a stack. pick chooses one of n by the run's
// seed.
func newInjection(s scope, st stack.Stack, pick func(n int) int) *injection {
	f := &injection{scope: s, parts: parts(s.sc.Fault)}
	f.target = fault.Target{Stack: st, Pick: pick, Tell: f.tell, Note: f.fact, Now: f.now,
		Await: f.await, Stand: f.stand, Stamp: f.stampPart}
	return f
}

// begin says who the victims of the main wave are.
func (f *injection) begin(w load.Wave, victims []uint64) {
	f.target.Victims = victims
	f.turn = turn{from: w.First, to: w.First + uint64(w.Streams), victims: len(victims),
		open: w.Rate > 0, over: make(chan struct{})}
	f.seen.watch(f.turn)
}

// why is the condition under which the part strikes.
func (f *injection) why(x *part) string {
	if x.When.IsZero() {
		return f.sc.When.String()
	}
	return x.When.String()
}

// arm says that the fault is ready, and tells the parts that strike by
// themselves who their victims are.
func (f *injection) arm(ctx context.Context) error {
	for i := range f.parts {
		x := &f.parts[i]
		why := "when " + f.why(x)
		if a, self := x.Fault.(fault.Armer); self {
			if err := a.Arm(ctx, f.target); err != nil {
				return f.unable(err)
			}
			why = "when a victim gets there"
		}
		f.stamp(x, record.Armed, f.now(), why, f.target.Victims)
	}
	return nil
}

// inject takes the fault through its life while the main wave flies. struck is
// told how many victims were in their body when the fault struck.
func (f *injection) inject(ctx context.Context, struck *int) error {
	defer f.heal(ctx)
	if err := f.await(ctx, f.sc.When); err != nil {
		return f.missed(err)
	}
	f.struckAt = f.now()
	*struck = f.inBody()
	f.phase(record.StepFault, "fault")
	probes := prober{recover: f.recover, ctx: ctx}
	defer probes.wait()
	if err := f.strike(ctx, &probes); err != nil {
		return f.missed(err)
	}
	f.stand(ctx, f.sc.Hold, f.sc.Until)
	f.heal(ctx)
	f.phase(record.StepRecovery, "recovery")
	if fault.Restarts(f.sc.Fault) {
		probes.restarted(f.now())
	} else {
		probes.start(f.now())
	}
	return nil
}

// strike injects the fault. Where it kills, recovery is measured from the blow
// on, which a fault that takes its time (a drain) reports before it returns.
func (f *injection) strike(ctx context.Context, probes *prober) error {
	t := f.target
	if f.sc.Policy.Kills || f.sc.Policy.Refuses {
		t.Tell = func(e record.Event) {
			f.tell(e)
			if e.Kind != record.KindPressure && e.Kind != record.KindRelief { // nobody has died yet
				probes.start(e.At)
			}
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer f.bound(func() {
		cancel(&fault.MissedError{Why: fmt.Sprintf("%s was not done %v after the streams were over", f.sc.Fault,
			f.sc.Policy.TotalLimit),
			Settle: "raise the limit of streams (limits.total), or look for what holds the stack up"})
	})()
	err := fault.Inject(ctx, t, f.sc.Fault)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause // the run's end, or ours
	}
	return err
}

// ledgerPeriod is how often relays are asked what they have done.
const ledgerPeriod = 170 * time.Millisecond

// follow sends new streams for a fault that strikes by itself, while the others of
// the wave go on: from its first strike where it kills or refuses, else from its
// last. To wait for the wave's end would charge the app for the length of its answers.
func (f *injection) follow(ctx context.Context) {
	enough := len(f.target.Victims)
	if f.sc.Policy.Kills || f.sc.Policy.Refuses {
		enough = min(enough, 1)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.turn.over:
			return // confirm reads the ledgers once more, and sends new streams
		case <-time.After(ledgerPeriod):
		}
		done, at := 0, record.Never
		for _, x := range f.parts {
			if a, self := x.Fault.(fault.Armer); self {
				list, err := a.Struck(ctx, f.target)
				if err != nil {
					return
				}
				for _, s := range list {
					done, at = done+1, max(at, s.At)
				}
			}
		}
		if done >= enough && done > 0 {
			f.recovering = true
			f.recover(ctx, at)
			return
		}
	}
}

// bound calls cut when the main wave has been over for as long as a stream may
// take. release waits until that cannot happen any more.
func (f *injection) bound(cut func()) (release func()) {
	done, finished := make(chan struct{}), make(chan struct{})
	go func() { // ends by release at the latest
		defer close(finished)
		select {
		case <-f.turn.over:
		case <-done:
			return
		}
		select {
		case <-time.After(f.sc.Policy.TotalLimit):
			cut()
		case <-done:
		}
	}()
	return func() { close(done); <-finished }
}

// missed turns a condition that was not met into a doubt.
func (f *injection) missed(err error) error {
	var missed *fault.MissedError
	switch {
	case errors.As(err, &missed):
		f.note(f.sc.ID, record.NoteNeverStruck, missed.Why, missed.Settle)
		return nil
	case errors.Is(err, context.Canceled):
		return nil // the run was interrupted
	}
	return f.unable(err)
}

// unable turns a fault that this stack cannot do into a note.
func (f *injection) unable(err error) error {
	var cannot *stack.Unable
	if errors.As(err, &cannot) {
		f.run.unable(f.sc.ID, cannot, "run it on a stack that can")
		return nil
	}
	return fmt.Errorf("inject %s: %w", f.sc.Fault, err)
}

// stamp records a phase of a part of the fault.
func (f *injection) stamp(x *part, phase record.Phase, at time.Duration, why string, victims []uint64) {
	w := record.Window{Scenario: f.sc.ID, Fault: fault.Nature(x.Fault, x.name), Phase: phase, At: at, Why: why,
		Victims: victims}
	f.seen.window(w)
	f.rec.Window(w)
}

// heal undoes the fault, the last part first, with a deadline of its own; it may
// run twice, and is stamped once. Where the run is broken off, nobody waits for an app that
// starts slowly.
func (f *injection) heal(run context.Context) {
	f.roster.refresh() // what the fault has started may be gone after this
	limit := healLimit
	if !f.healed && fault.Restarts(f.sc.Fault) { // what did not start then does not start now
		limit += cmp.Or(f.App.Start, stack.DefaultStart)
	}
	f.healed = true
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	defer context.AfterFunc(run, func() {
		select {
		case <-ctx.Done():
		case <-time.After(healLimit):
			cancel()
		}
	})()
	if err := fault.Heal(ctx, f.target, f.sc.Fault); err != nil {
		f.note(f.sc.ID, record.NoteHarness, err.Error(), "")
	}
}

// stampPart is the fault's own word on one of its parts. Nothing heals that did
// not strike.
func (f *injection) stampPart(path string, phase record.Phase, at time.Duration) {
	i := slices.IndexFunc(f.parts, func(x part) bool { return x.Path == path })
	x := &f.parts[i]
	switch {
	case phase == record.Active:
		f.stamp(x, phase, at, f.why(x), nil)
	case f.seen.phase(x.name, record.Active) != record.Never && f.seen.phase(x.name, record.Healed) == record.Never:
		f.stamp(x, phase, at, "", nil)
	}
}

// confirm looks for the fault's traces when all streams have ended. Parts that
// strike by themselves are read from their ledger first.
func (f *injection) confirm(ctx context.Context) error {
	if err := f.strikes(ctx); err != nil {
		return err
	}
	if healed := f.seen.phase("", record.Healed); !fault.Waits(f.sc.Fault) && healed != record.Never && !f.recovering {
		f.recover(ctx, healed)
	}
	var failed error
	streams, after := f.recorded(&failed, record.Victim, record.Control), f.recorded(&failed, record.Recovery)
	events := f.seen.allEvents()
	for i := range f.parts {
		x := &f.parts[i]
		seen := fault.Seen{Streams: streams, Events: events,
			Active: f.seen.phase(x.name, record.Active), Healed: f.seen.phase(x.name, record.Healed), After: after}
		if seen.Active == record.Never {
			continue
		}
		proof := x.Fault.Confirm(seen)
		if failed != nil {
			return failed
		}
		switch {
		case proof.OK:
			f.stamp(x, record.Confirmed, f.now(), proof.Evidence, proof.Victims)
		case ctx.Err() == nil: // else the user left it no time to be seen
			f.note(f.sc.ID, record.NoteDoubt, f.named(x)+" was not seen in effect: "+proof.Evidence,
				cmp.Or(proof.Settle, "make it stronger, or let it stand longer (hold: in the scenario)"))
		}
	}
	return nil
}

// named is how a sentence begins about a part.
func (f *injection) named(x *part) string {
	if len(f.parts) == 1 {
		return "the fault"
	}
	return x.name
}

// strikes turns what relays did into events, and the first and the last strike of
// a part into its life.
func (f *injection) strikes(ctx context.Context) error {
	told := map[stack.Struck]bool{}
	for i := range f.parts {
		x := &f.parts[i]
		a, self := x.Fault.(fault.Armer)
		if !self {
			continue
		}
		done, err := a.Struck(ctx, f.target)
		if err != nil {
			return f.unable(err)
		}
		if len(done) == 0 {
			continue
		}
		slices.SortStableFunc(done, func(s, t stack.Struck) int { return cmp.Compare(s.At, t.At) })
		for _, s := range done {
			if !told[s] {
				told[s] = true
				f.tell(strikeEvent(s))
			}
		}
		f.stamp(x, record.Active, done[0].At, "first strike", nil)
		f.stamp(x, record.Healed, done[len(done)-1].At, "last strike", nil)
	}
	return nil
}

func strikeEvent(s stack.Struck) record.Event {
	e := record.Event{At: s.At, Source: record.RelaySource, Kind: record.KindStrike, Subject: string(s.Action),
		Stream: s.Stream, Link: s.Link,
		Value: int64(s.Passed), Text: fmt.Sprintf("%s after %d events, %d body bytes", s.Action, s.Passed, s.Bytes)}
	if s.Err != "" {
		e.Code, e.Text = 1, e.Text+": "+s.Err
	}
	return e
}

// inBodyAtFault is what inject saw, or for strikes, which come at an event, the
// number of strikes that came after one.
func (f *injection) inBodyAtFault(seen int) int {
	if f.sc.Fault == nil || fault.Waits(f.sc.Fault) {
		return seen
	}
	struck := map[uint64]bool{} // two strikes may read the same ledger
	for _, e := range f.seen.allEvents() {
		if e.Source == record.RelaySource && e.Kind == record.KindStrike && e.Value > 0 {
			struck[e.Stream] = true
		}
	}
	return len(struck)
}
