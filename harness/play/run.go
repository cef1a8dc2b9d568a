package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fleet"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/traceparent"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Run plays the scenarios of o and leaves the record in o.Dir. The error is a
// [*UsageError] for bad input, with nothing started and nothing written; any
// other error is the harness's own failure, and what was recorded until then
// stays. Cancelling ctx ends the run early: faults heal, streams in flight end
// as cancelled, and Run returns nil.
func Run(ctx context.Context, o harness.Options) error {
	plan, err := harness.NewPlan(o)
	if err != nil {
		return err
	}
	if err := Room(&o); err != nil {
		return err
	}
	if o.Away() && o.LoadFleet == nil {
		return &harness.UsageError{Place: "fleet", Problem: "nothing says how to start it",
			Fix: "set LoadFleet, or run it by scenarios.Execute"}
	}
	r, err := newRun(plan)
	if err != nil {
		return err
	}
	if err = r.muster(ctx); err == nil {
		err = r.playAll(ctx)
	}
	return errors.Join(err, r.close(ctx.Err() != nil))
}

// A run is one call of Run.
type run struct {
	*harness.Plan
	traced   time.Time // when it began, where requests carry traces; zero elsewhere
	tap      *tap.Tap
	fleet    *fleet.Fleet // of the load workers; nil where this process sends all
	rec      *record.Writer
	seen     seen
	roster   roster // of the scenario's replicas
	next     uint64 // sequence number of the next stream
	progress *ticker
	machine  *watcher
	mute     bool              // control was played, and no stream of it brought content
	warned   []verdict.Warning // what Warn was told
	solos    map[string]soloOf // by road
	// references are what texts say in full, by path; "" where nobody knows.
	references map[string]string
}

func newRun(plan *harness.Plan) (*run, error) {
	r := &run{Plan: plan, next: max(plan.First, 1), solos: map[string]soloOf{}, references: map[string]string{}}
	r.roster.blind = plan.Away() && plan.App.InCluster()
	var err error
	start := time.Now()
	if plan.Trace {
		r.traced = start
	}
	options := tap.Options{Start: start, Seed: plan.Seed, Begin: r.begin, Done: r.done, Dial: dialOf(plan.Opener),
		TLS: plan.TLS}
	if plan.Trace {
		options.Trace = func(nonce string, seq uint64) string { return traceparent.Of(start, nonce, seq) }
	}
	saved := plan.Record(start)
	saved.Host.Clock = options.Clock()
	if r.rec, err = record.Create(plan.Dir, saved); err != nil {
		return nil, err
	}
	r.seen.hide = r.Secrets.Hide
	r.tap, err = tap.New(options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start tap: %w", err), r.rec.Close())
	}
	if r.Owner != nil {
		r.seen.owner = r.tap.Owner
	}
	r.progress = newTicker(r)
	r.machine = watchMachine(r)
	return r, nil
}

// begin and done are the tap's word for each stream, from its event loops.
func (r *run) begin(s *record.Stream) {
	r.seen.began(s)
	r.rec.Begin(s)
}

func (r *run) done(s *record.Stream) {
	if s.Headers != record.Never {
		s.Replica = r.roster.name(s.Header[stack.ReplicaHeader])
	}
	r.seen.ended(s)
	r.rec.End(s)
}

func (r *run) note(scenario string, kind record.NoteKind, text, settle string) {
	r.rec.Note(record.Note{Scenario: scenario, At: r.now(), Kind: kind, Text: r.Secrets.Hide(text), Settle: settle})
}

func (r *run) now() time.Duration {
	if r.tap == nil {
		return 0
	}
	return r.tap.Now()
}

// playAll plays the scenarios in their order. One that the stack cannot play
// does not keep the others from being played; a broken harness does.
func (r *run) playAll(ctx context.Context) error {
	for i, sc := range r.Scenarios {
		if ctx.Err() != nil || r.rec.Err() != nil {
			return nil // what cannot be recorded need not be played; close says why
		}
		r.progress.scenario(sc.ID, i)
		if why := r.hopeless(i); why != "" {
			r.note(sc.ID, record.NoteUnable, why, "fix what the scenario control shows, then run again")
			continue
		}
		if why, settle := r.pointless(sc); why != "" {
			r.note(sc.ID, record.NoteInapplicable, why, settle)
			continue
		}
		err := r.play(ctx, sc)
		r.progress.ended()
		if err == nil || ctx.Err() != nil {
			r.mute = r.mute || sc.ID == controlID && r.seen.mute()
			continue
		}
		var cannot *stack.Unable
		if errors.As(err, &cannot) {
			r.unable(sc.ID, cannot, "run it where the stack can: see 'streamproof scenarios'")
			continue
		}
		r.note(sc.ID, record.NoteHarness, err.Error(), "fix that, then run again")
		r.leave(sc, r.Scenarios[i+1:])
		return fmt.Errorf("run %s: %w", sc.ID, err)
	}
	return nil
}

// unable notes that a scenario could not be played, by this stack or with this
// app.
func (r *run) unable(scenario string, cannot *stack.Unable, settle string) {
	kind := record.NoteUnable
	if cannot.App {
		kind = record.NoteInapplicable
	}
	r.note(scenario, kind, cannot.Error(), cmp.Or(cannot.Settle, settle))
}

// leave says of the scenarios behind sc why they were not played: they have no
// error of their own.
func (r *run) leave(sc harness.Scenario, rest []harness.Scenario) {
	for _, s := range rest {
		r.note(s.ID, record.NoteUnable, "the run ended in "+sc.ID, "fix what "+sc.ID+" shows, then run again")
	}
}

// controlID is the scenario that injects nothing.
const controlID = "control"

// hopeless says why scenario i is not worth playing: after a control in which no
// stream brought any content, a fault would prove nothing, and each scenario
// would say the same again.
func (r *run) hopeless(i int) string {
	if i == 0 || !r.mute {
		return ""
	}
	return "no stream of " + controlID + " brought any content, so that a fault would prove nothing"
}

// pointless says why no load needs to be sent to know that sc is about something
// which the app has not got, and what would make it apply.
func (r *run) pointless(sc harness.Scenario) (why, settle string) {
	if sc.Policy.Expect == record.ExpectSameText && !r.App.HasPlain() {
		return "nothing says how to ask the app for its answer in one piece", "set stream.plain_path or stream.plain_body " +
			"to what asks the app not to stream"
	}
	return "", ""
}

// close ends the record. interrupted says that the user stopped the run.
func (r *run) close(interrupted bool) error {
	r.progress.close()
	r.machine.close()
	err := errors.Join(r.dismiss(), r.tap.Close())
	r.rec.Finish(r.now(), interrupted)
	return errors.Join(err, r.rec.Close())
}

func (r *run) logDir(sc harness.Scenario) string { return filepath.Join(r.Dir, "logs", sc.ID) }

// Room refuses more streams than the processes that send them have file descriptors for.
func Room(o *harness.Options) error {
	if o.Away() {
		return nil // each worker says for itself what it has room for
	}
	max := load.MaxStreams() * max(1, o.LoadWorkers)
	for _, sc := range o.Scenarios {
		l := o.Load.Over(sc.Load)
		n := l.Concurrent()
		if l.Open() || n <= max {
			continue
		}
		return &harness.UsageError{Place: "load.streams",
			Problem: fmt.Sprintf("%d concurrent streams need more file descriptors than %s may open (room for %d)",
				n, who(o.LoadWorkers), max),
			Fix: fmt.Sprintf("ask for at most %d, raise the limit with ulimit -n, or add processes with --load-workers",
				max)}
	}
	return nil
}

// who opens so many streams.
func who(workers int) string {
	if workers > 1 {
		return plural.Of(workers, "load worker")
	}
	return "this process"
}

// reserve takes n sequence numbers.
func (r *run) reserve(n uint64) uint64 {
	r.seen.mu.Lock()
	defer r.seen.mu.Unlock()
	first := r.next
	r.next += n
	return first
}
