package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// Run plays the scenarios of o and leaves the record in o.Dir. The error is a
// [*UsageError] for bad input, with nothing started and nothing written; any
// other error is the harness's own failure, and what was recorded until then
// stays. Cancelling ctx ends the run early: faults heal, streams in flight end
// as cancelled, and Run returns nil.
func Run(ctx context.Context, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if err := o.capacity(); err != nil {
		return err
	}
	r, err := newRun(o)
	if err != nil {
		return err
	}
	err = r.playAll(ctx)
	return errors.Join(err, r.close(ctx.Err() != nil))
}

// A run is one call of Run.
type run struct {
	Options
	tap      *tap.Tap
	rec      *record.Writer
	seen     seen
	roster   roster // of the scenario's replicas
	dialect  stream.Dialect
	terminal *stream.Matcher
	failure  *stream.Matcher
	order    *stream.Place
	owner    *stream.Place
	header   http.Header // expanded: holds secrets
	body     []byte      // expanded: holds secrets
	secrets  secrets
	next     uint64 // sequence number of the next stream
	progress *ticker
	machine  *watcher
	mute     bool              // control was played, and no stream of it brought content
	warned   []string          // what Warn was told
	solos    map[string]soloOf // by road
	// references are what texts say in full, by path; "" where nobody knows.
	references map[string]string
}

func newRun(o Options) (*run, error) {
	r := &run{Options: o, next: 1, solos: map[string]soloOf{}, references: map[string]string{}}
	var err error
	if r.dialect, r.terminal, r.failure, err = o.App.dialect(); err != nil {
		return nil, err
	}
	if r.order, r.owner, err = o.App.places(); err != nil {
		return nil, err
	}
	if err = r.request(); err != nil {
		return nil, err
	}
	start := time.Now()
	if r.rec, err = record.Create(o.Dir, r.plan(start)); err != nil {
		return nil, err
	}
	r.seen.hide = r.secrets.hide
	r.tap, err = tap.New(tap.Options{Start: start, Seed: o.Seed, Begin: r.begin, Done: r.done})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start tap: %w", err), r.rec.Close())
	}
	if r.owner != nil {
		r.seen.owner = r.tap.Owner
	}
	r.note("", record.NoteFact, "arrival clock: "+r.tap.Clock(), "")
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

func (r *run) note(scenario, kind, text, settle string) {
	r.rec.Note(record.Note{Scenario: scenario, At: r.now(), Kind: kind, Text: r.secrets.hide(text), Settle: settle})
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
			r.note(sc.ID, record.NoteUnable, why, "mend what control shows, then run again")
			continue
		}
		if why, settle := r.pointless(sc); why != "" {
			r.note(sc.ID, record.NoteInapplicable, why, settle)
			continue
		}
		err := r.play(ctx, sc)
		if err == nil || ctx.Err() != nil {
			r.mute = r.mute || sc.ID == controlID && r.seen.mute()
			continue
		}
		var cannot *stack.Unable
		if errors.As(err, &cannot) {
			r.unable(sc.ID, cannot, "run it where the stack can: see 'streamproof scenarios'")
			continue
		}
		r.note(sc.ID, record.NoteHarness, err.Error(), "mend that, then run again")
		r.leave(sc, r.Scenarios[i+1:])
		return fmt.Errorf("play %s: %w", sc.ID, err)
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
func (r *run) leave(sc Scenario, rest []Scenario) {
	for _, s := range rest {
		r.note(s.ID, record.NoteUnable, "the run ended in "+sc.ID, "mend what "+sc.ID+" shows, then run again")
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
func (r *run) pointless(sc Scenario) (why, settle string) {
	if sc.Policy.Expect == record.ExpectSameText && !r.App.plain() {
		return "nothing says how to ask the app for its answer in one piece", "set stream.plain_path or stream.plain_body to what asks the app not to stream"
	}
	return "", ""
}

// close ends the record. interrupted says that the user stopped the run.
func (r *run) close(interrupted bool) error {
	r.progress.close()
	r.machine.close()
	err := r.tap.Close()
	r.rec.Finish(r.now(), interrupted)
	return errors.Join(err, r.rec.Close())
}

// plan is what gets saved before anything starts.
func (r *run) plan(start time.Time) record.Plan {
	p := record.Plan{Schema: record.Schema, Tool: r.Tool, Started: start, Seed: r.Seed,
		Repro:    r.repeat(),
		Host:     record.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), CPUs: runtime.NumCPU()},
		App:      r.secrets.hide(r.App.String()),
		Dialect:  r.dialect.Name,
		Strict:   r.Strict,
		Request:  r.publicRequest(),
		Sabotage: strings.Join(r.Sabotage.names(), ", "),
		Limits:   r.limits(),
		Able:     r.App.abilities(),
	}
	if r.Opener != nil {
		p.Stack = r.Opener.Kind()
	}
	for _, sc := range r.Scenarios {
		p.Scenarios = append(p.Scenarios, r.planned(sc))
	}
	return p
}

// repeat is the line that repeats the run: {seed} in it is the seed, which
// otherwise comes as a flag at its end.
func (r *run) repeat() string {
	line, seed := r.secrets.hide(r.Repro), strconv.FormatUint(r.Seed, 10)
	if strings.Contains(line, "{seed}") {
		return strings.ReplaceAll(line, "{seed}", seed)
	}
	return line + " --seed " + seed
}

// policy is the scenario's own with what the user set.
func (r *run) policy(sc Scenario) record.Policy {
	p := sc.Policy
	p.GapLimit, p.FirstLimit, p.ProgressLimit, p.TotalLimit = r.gapLimit(sc), r.firstLimit(), r.ProgressLimit, r.total()
	t, slowest := r.Thresholds, r.Thresholds.Slowdown
	if t.Slowdown = 0; t != (record.Thresholds{}) {
		t.Slowdown = p.Thresholds.Slowdown
		p.Thresholds = t
	}
	p.Thresholds.Slowdown = cmp.Or(slowest, p.Thresholds.Slowdown)
	p.Faulty = sc.Fault != nil
	p.LeftToEdge = p.LeftToEdge && !sc.Required && r.App.Edge == stack.Edge{}
	p.Feed, p.FeedEvents = r.App.Stream.Endless.For, r.App.Stream.Endless.Events
	p.Slowdown = slowdown(sc, p.Thresholds.Slowdown)
	if sc.Peel && r.App.plain() {
		p.Expect = record.ExpectSameText
	}
	return p
}

// gapLimit is the user's; the scenario's, whose author knows how the answer is
// paced that he asks for; or a patient default.
func (r *run) gapLimit(sc Scenario) time.Duration {
	switch {
	case r.GapLimit > 0:
		return r.GapLimit
	case r.App.shaped() && sc.Policy.GapLimit > 0:
		return sc.Policy.GapLimit
	}
	return DefaultGapLimit
}

// bounds are our own on each stream of a scenario.
func (r *run) bounds(sc Scenario) tap.Limits {
	return tap.Limits{Connect: connectLimit, Headers: r.headersLimit(), First: r.firstLimit(),
		Gap: r.gapLimit(sc), Progress: r.ProgressLimit, Total: r.total(), Feed: r.App.Stream.Endless.For}
}

func (r *run) firstLimit() time.Duration { return cmp.Or(r.FirstLimit, DefaultFirstLimit) }

// headersLimit lets the head take as long as the user lets the first event: many
// servers send both at once.
func (r *run) headersLimit() time.Duration { return max(headersLimit, r.FirstLimit) }

// limits are our own bounds, as reports show them.
func (r *run) limits() map[string]string {
	l := map[string]string{"connect": connectLimit.String(), "headers": r.headersLimit().String(), "first event": r.firstLimit().String(),
		"gap": r.gapLimit(Scenario{}).String(), "total": r.total().String()}
	if r.ProgressLimit > 0 {
		l["progress"] = r.ProgressLimit.String()
	}
	return l
}

func (r *run) total() time.Duration {
	if r.Total > 0 {
		return r.Total
	}
	return DefaultTotal
}

// edge is the user's edge where one was set. A server that the user named by
// URL is met as it is, unless the scenario is about an edge.
func (r *run) edge(sc Scenario) stack.Edge {
	sc.Edge.Form = cmp.Or(sc.Edge.Form, stack.EdgeStreaming)
	e := sc.Edge.With(r.App.Edge)
	if r.App.URL != "" && r.App.Edge.Form == "" && sc.Edge == (stack.Edge{Form: stack.EdgeStreaming}) {
		e.Form = stack.EdgeNone
	}
	return e
}

func (r *run) logDir(sc Scenario) string { return filepath.Join(r.Dir, "logs", sc.ID) }

// capacity refuses more streams than the process has file descriptors for.
func (o *Options) capacity() error {
	max := load.MaxStreams()
	for _, sc := range o.Scenarios {
		l := o.Load.Over(sc.Load)
		n := l.streams()
		if l.Rate > 0 || n <= max {
			continue
		}
		return &UsageError{Place: "load.streams", Problem: fmt.Sprintf("%d concurrent streams need more file descriptors than this process may open (room for %d)", n, max),
			Fix: fmt.Sprintf("ask for at most %d, or raise the limit with ulimit -n", max)}
	}
	return nil
}
