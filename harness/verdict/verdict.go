// Package verdict turns a stored run into grades, checks and verdicts. It is
// pure: the same run gives the same report.
//
//  1. [GradeStream] gives every stream exactly one [Outcome], from its content and
//     its ending, and the flags that it bears.
//  2. Checks look at the streams of one scenario and say pass, fail or
//     inconclusive, with a reason; obligations are checks that say whether the
//     scenario proved anything at all.
//  3. [Judge] does both for all scenarios. The worst verdict wins.
//  4. A [Merger] puts together what the parts of a long record come to.
//
// Nothing here is a sentence: what was found are facts, see facts.go, and the texts of
// a report are empty until reports.Word fills them.
package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// Schema versions verdict.json.
const Schema = "streamproof.verdict/1"

// A Verdict of checks is three-valued: pass, inconclusive or fail.
type Verdict string

const (
	Pass         Verdict = "pass"
	Inconclusive Verdict = "inconclusive"
	Fail         Verdict = "fail"

	// Flaky is for a scenario that failed and passed when it was played again, see
	// [Report.Settle], and for a run of which that is the worst. No check is flaky.
	Flaky Verdict = "flaky"

	// NotApplicable is for a scenario that is about something which the app under
	// test has not got: a worker of an app of one process, a pause that nobody can
	// ask for. It says nothing about the app and does not count.
	NotApplicable Verdict = "not_applicable"
)

var severity = map[Verdict]int{NotApplicable: -1, Pass: 0, Inconclusive: 1, Flaky: 2, Fail: 3}

// Worse returns the worse of two verdicts: fail > flaky > inconclusive > pass > not
// applicable. The zero Verdict counts as pass.
func (v Verdict) Worse(w Verdict) Verdict {
	if v == "" {
		v = Pass
	}
	if severity[w] > severity[v] {
		return w
	}
	return v
}

// An Outcome is what became of a stream. Every stream has exactly one.
type Outcome string

const (
	Complete    Outcome = "complete"     // terminal event, content whole
	FailedClean Outcome = "failed_clean" // the server said that it failed
	Aborted     Outcome = "aborted"      // cut, but every client can tell
	Truncated   Outcome = "truncated"    // ends like a success, without its terminal
	Stalled     Outcome = "stalled"      // open but silent past a limit
	Corrupt     Outcome = "corrupt"      // bytes, order or ownership wrong
	Refused     Outcome = "refused"      // never got response headers
	Cancelled   Outcome = "cancelled"    // we hung up
	Unread      Outcome = "unread"       // in a form that we cannot read, or were not asked to: our limit
)

// Outcomes lists all outcomes, best first.
var Outcomes = []Outcome{Complete, FailedClean, Cancelled, Unread, Refused, Aborted, Stalled, Truncated, Corrupt}

// An Ending is the ending axis of a grade.
type Ending string

const (
	TerminalEOF   Ending = "terminal then EOF"
	ErrorEOF      Ending = "error event then EOF"
	HTTPError     Ending = "HTTP error"
	RedirectEnd   Ending = "redirect" // one that was not followed, or that leads nowhere
	CleanEOF      Ending = "clean EOF without terminal"
	Incomplete    Ending = "incomplete body"
	ResetInBody   Ending = "RST in body"
	CutAtTerminal Ending = "cut after terminal" // RST or incomplete framing after the terminal
	StalledEnding Ending = "stalled"            // the gap limit
	// bytes, but no content: the progress limit, or the total limit after such a time
	NoProgress   Ending = "no progress"
	Deadline     Ending = "deadline" // headers, first event or total limit
	NoConnection Ending = "never connected"
	NoResponse   Ending = "connection lost before headers"
	BadFraming   Ending = "broken framing"
	TooLarge     Ending = "over our size limit"
	OpenAtEnd    Ending = "terminal, connection left open"
	FeedRead     Ending = "read for as long as asked" // of a feed without an end
	CancelledEnd Ending = "cancelled by us"
)

// counted reports whether a stream with this outcome is judged: not one that we
// left, or that we cannot read.
func (o Outcome) counted() bool { return o != Cancelled && o != Unread }

// A Flag is a fault of a stream that does not decide its outcome.
type Flag string

const (
	Late       Flag = "late"       // first event after the user's or the scenario's bound
	Gappy      Flag = "gappy"      // a gap beyond the bound
	Slowed     Flag = "slowed"     // waited far longer under load than a stream alone
	Buffered   Flag = "buffered"   // arrivals collapsed although emissions did not
	Lingering  Flag = "lingering"  // terminal seen, connection not closed
	Ragged     Flag = "ragged"     // terminal seen, then cut
	Leaked     Flag = "leaked"     // the server goes on producing after the client left
	Doubled    Flag = "doubled"    // the server did the work of one retried request more than once
	Unprovable Flag = "unprovable" // framing and dialect cannot prove completeness
	Repeated   Flag = "repeated terminal"
	ErrorThen  Flag = "error then terminal" // an in-band error followed by the sentinel of success
)

// A Grade is the judgement on one stream.
type Grade struct {
	Outcome Outcome
	Content stream.State
	Ending  Ending
	Flags   []Flag
	Fact    *record.Fact // what decided it; nil where nothing went wrong
	// Held is how the stream was held back; nil where it does not bear [Buffered].
	Held *Held
}

// A Report is verdict.json.
//
// Its texts (Why, Summary, Settle and the like) are made by reports.Word from the
// facts beside them.
type Report struct {
	Schema    string           `json:"schema"`
	Verdict   Verdict          `json:"verdict"`
	Why       string           `json:"why"`
	Seed      uint64           `json:"seed"`
	Repro     string           `json:"repro"`
	Tool      string           `json:"tool"`
	StartedAt time.Time        `json:"started_at"`
	Started   int              `json:"started"` // streams
	Outcomes  map[Outcome]int  `json:"outcomes"`
	Complete  bool             `json:"complete"` // the record is whole: not torn, not interrupted
	Scenarios []ScenarioReport `json:"scenarios"`
	// Suite is how the scenarios were chosen and settled; nil where they were named
	// singly and each played once.
	Suite *record.Suite `json:"suite,omitempty"`
	// Judged says that the report was made of facts here, and not read or written by
	// hand: only then are its own sentences, and those of its scenarios, made of them.
	Judged bool `json:"-"`
}

// A ScenarioReport is the judgement on one scenario.
type ScenarioReport struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Verdict  Verdict         `json:"verdict"`
	Why      string          `json:"why"`
	Started  int             `json:"started"`
	Outcomes map[Outcome]int `json:"outcomes"`
	Flags    map[Flag]int    `json:"flags"`
	Groups   []GroupReport   `json:"groups,omitempty"`
	Checks   []Check         `json:"checks"`
	Causes   []Cause         `json:"causes"`
	Doubts   []Doubt         `json:"doubts,omitempty"`
	Recovery *float64        `json:"recovery_seconds,omitempty"`
	// Edge is what the scenario's edge does to streams that are cut behind it; nil
	// where it was not probed.
	Edge *EdgeReport `json:"edge,omitempty"`
	// Warnings are layers that will not get along, found without any load.
	Warnings []Warning `json:"warnings,omitempty"`
	// Hops compares the entrances to the chain, innermost first, in a scenario
	// that peels it.
	Hops []HopReport `json:"hops,omitempty"`
	// Replicas says which replica served how many streams, and what became of them.
	Replicas []ReplicaReport `json:"replicas,omitempty"`
	// Clients sums up the clients that asked again.
	Clients *ClientsReport `json:"clients,omitempty"`
	// Sessions sums up the conversations; nil where each stream was one of its own.
	Sessions  *SessionsReport `json:"sessions,omitempty"`
	Generator Generator       `json:"generator"`
	// Bound is what a pass without a fault says of all streams like these; nil for
	// any other.
	Bound *Bound `json:"bound,omitempty"`
	// Attempts are all times that the scenario was played, where that was more than once.
	// All else here is about the first one, but Verdict and Why, which are about all.
	Attempts   []Attempt         `json:"attempts,omitempty"`
	Quarantine *QuarantineReport `json:"quarantine,omitempty"`
	// Skipped says that the scenario could not be played here, which the suite allows:
	// it does not count.
	Skipped bool `json:"skipped,omitempty"`
	// Took is how long the scenario took from the start of its stack to its end, in
	// seconds, and Steps where that time went; nil where the record does not tell.
	Took  *float64     `json:"took_seconds,omitempty"`
	Steps []StepReport `json:"steps,omitempty"`
	// Parts is in how many parts the scenario was judged, one after the other, since it
	// has more streams than are looked at together; 0 where all were. See [Merger].
	Parts int `json:"parts,omitempty"`
}

// A StepReport is how long a scenario was at one of its steps.
type StepReport struct {
	Name    record.StepName `json:"name"`
	Seconds float64         `json:"seconds"`
}

// A ReplicaReport counts the streams that one replica served.
type ReplicaReport struct {
	Name     string          `json:"name"`         // "" for streams that no replica answered
	By       string          `json:"by,omitempty"` // the response field that names it; "" where we know it ourselves
	Started  int             `json:"started"`
	Struck   int             `json:"struck,omitempty"` // of them: in a fault's way
	Outcomes map[Outcome]int `json:"outcomes"`
	// Worse says that its streams go wrong clearly more often than those of the
	// others: by chance that would be rare, see [Fate].
	Worse string `json:"worse,omitempty"`
	// Apart is the same as a fact.
	Apart *record.Fact `json:"-"`
}

// A ClientsReport counts the clients that reconnected or retried.
type ClientsReport struct {
	Clients int `json:"clients"`           // that asked again
	Again   int `json:"again"`             // their streams after the first
	Whole   int `json:"whole"`             // clients whose last stream was complete
	Doubled int `json:"doubled,omitempty"` // requests that the server began more than once
}

// A GroupReport counts one group of a scenario's streams. Times are seconds,
// over complete streams only; nil where there are none.
type GroupReport struct {
	Group    record.Group    `json:"group"`
	Started  int             `json:"started"`
	Outcomes map[Outcome]int `json:"outcomes"`
	TTFE     *Quantiles      `json:"ttfe,omitempty"`
	Gap      *Quantiles      `json:"max_gap,omitempty"` // of the largest gap per stream
	Duration *Quantiles      `json:"duration,omitempty"`
}

// Quantiles sum up a distribution, in seconds. A quantile that N samples cannot
// carry (p90 under 10, p95 under 20, p99 under 100) is nil.
type Quantiles struct {
	N   int      `json:"n"`
	P50 *float64 `json:"p50,omitempty"`
	P90 *float64 `json:"p90,omitempty"`
	P95 *float64 `json:"p95,omitempty"`
	P99 *float64 `json:"p99,omitempty"`
	Max float64  `json:"max"`
}

// A Check is one question put to a scenario and its answer.
type Check struct {
	Name       string  `json:"name"`
	Verdict    Verdict `json:"verdict"`
	Why        string  `json:"why"`
	Obligation bool    `json:"obligation,omitempty"` // asks whether the scenario proved anything

	// Fact is the answer, which Why words.
	Fact *record.Fact `json:"-"`

	breakers []uint64 // the streams that broke the rule
	// sum is what the answer counts, nil where it does not say. either says that a
	// scenario which is judged in parts passes if any part does.
	sum    *tally
	either bool
}

// Breakers lists the streams that broke the rule of a check, known to whoever has
// judged the run and not to readers of its JSON.
func (c Check) Breakers() []uint64 { return c.breakers }

// A Cause is a finding of the diagnosis.
type Cause struct {
	Cause    string `json:"cause"`    // "truncation laundered by the edge"
	Taxonomy string `json:"taxonomy"` // "B9", see harness/diagnose/README.md
	// Layer is "client", "network", "edge", "upstream link", "app", "process manager", "kernel", "harness".
	Layer      string `json:"layer"`
	Confidence string `json:"confidence"` // "certain", "likely", "possible"
	Summary    string `json:"summary"`    // one sentence
	// Fact is what Summary words.
	Fact *record.Fact `json:"-"`
	// Evidence is figures and lines of logs; text in JSON, of lines "name:line: text".
	Evidence []record.Evidence `json:"evidence"`
	RuledOut []string          `json:"ruled_out,omitempty"`
	// Excluded are what RuledOut words, one for one.
	Excluded []record.Fact `json:"-"`
	// Candidates are causes that look the same to whoever knows no more, likeliest
	// first; all are less likely than this one.
	Candidates []Candidate `json:"candidates,omitempty"`
	Fix        string      `json:"fix"`               // to paste
	Settle     string      `json:"settle,omitempty"`  // the command that would settle a doubt
	Streams    []uint64    `json:"streams,omitempty"` // examples, at most 10
	Count      int         `json:"count"`             // streams that it explains
	// Mend is what Fix words, in this order, and Next what Settle words; nil where
	// nothing is in doubt.
	Mend []record.Fact `json:"-"`
	Next *record.Fact  `json:"-"`
	// Produced sets what the app says that it finished beside what clients got; nil
	// where no log of the app tells.
	Produced *Production `json:"produced,omitempty"`
	// Checks names the checks that streams of this cause broke, the worst first. It
	// is empty for what the scenario allows.
	Checks []string `json:"checks,omitempty"`
	// Injected says that a fault of ours is the cause: nothing that the app did.
	Injected bool `json:"-"`
	// All are the streams that it explains, known to whoever has judged the run.
	All []uint64 `json:"-"`
}

// A Candidate is a cause that could be meant instead.
type Candidate struct {
	Cause    string `json:"cause"`
	Taxonomy string `json:"taxonomy"`
	Why      string `json:"why"` // one sentence
	// Fact is what Why words.
	Fact *record.Fact `json:"-"`
}

// A Production sets the answers that the app finished beside those that clients got,
// by a line that the app writes once at the end of every whole answer. It tells an
// answer that was lost on the way from one that was never made.
type Production struct {
	Answers   int `json:"answers"`   // that were asked for on this road
	Delivered int `json:"delivered"` // of them: that clients got whole
	Finished  int `json:"finished"`  // of them: that the app finished, by its own word
	// Line is the first one that says so.
	Line record.Evidence `json:"line"`
}

// Lost is how many answers the app finished and clients did not get.
func (p *Production) Lost() int { return max(0, p.Finished-p.Delivered) }

// Fact sets the one beside the other.
func (p *Production) Fact() record.Fact {
	return fact{Kind: FactProduced, N: p.Finished, Of: p.Answers, Need: p.Delivered, Text: p.Line.String()}
}

// Names lists the cause and its candidates.
func (c Cause) Names() []string {
	names := []string{c.Cause}
	for _, o := range c.Candidates {
		names = append(names, o.Cause)
	}
	return names
}

// An EdgeReport is an edge probe and its summary, one line.
type EdgeReport struct {
	Summary string `json:"summary"`
	record.EdgeProbe
}

// A Warning is a setting of one layer that another layer, or the length of the
// streams, will run into.
type Warning struct {
	Layer   string `json:"layer"`   // whose setting it is
	Setting string `json:"setting"` // "gunicorn timeout = 3s"
	Why     string `json:"why"`     // what it does to streams
	Fix     string `json:"fix"`

	Fact *record.Fact `json:"-"` // what Why says
	Mend *record.Fact `json:"-"` // what Fix says
}

// Same reports whether two warnings say the same of the same setting.
func (w Warning) Same(o Warning) bool {
	return w.Layer == o.Layer && w.Setting == o.Setting && w.Why == o.Why && w.Fix == o.Fix && w.Fact.Same(o.Fact) &&
		w.Mend.Same(o.Mend)
}

// A HopReport sums up the streams that entered the chain at one hop. Times are
// seconds, over complete streams.
type HopReport struct {
	Hop      string          `json:"hop"`
	Label    string          `json:"label,omitempty"` // how its users call an edge that we did not start: "HAProxy"
	What     string          `json:"what,omitempty"`  // "nginx 1.22.1, form default"
	Started  int             `json:"started"`
	Outcomes map[Outcome]int `json:"outcomes"`
	TTFE     *Quantiles      `json:"ttfe,omitempty"`
	Gap      *Quantiles      `json:"max_gap,omitempty"`
	Buffered int             `json:"buffered"` // streams
	Pacing   *PacingReport   `json:"pacing,omitempty"`
	// Squeezed is the encoding in which events are held back from a client that asks
	// for compression as browsers do; "" where they are not.
	Squeezed string `json:"squeezed,omitempty"`
	Ending   string `json:"ending"` // the most common one, with the body's framing
	// Wrong says that streams fare worse here than one hop further in.
	Wrong bool   `json:"wrong,omitempty"`
	Why   string `json:"why,omitempty"` // what is worse
	// Squeezes says that what is wrong is Squeezed alone.
	Squeezes bool `json:"-"`
	end      end
}

// A PacingReport is how content arrives at a hop: the figures of its median stream.
type PacingReport struct {
	Events   int     `json:"events"`            // of plain text: what one read brought
	Instants int     `json:"instants"`          // at which they came
	Bytes    int     `json:"bytes"`             // at an instant
	Quantum  int     `json:"quantum,omitempty"` // size of the buffer that Bytes look like
	First    float64 `json:"first"`             // seconds from the request to the first content
}

// A Doubt qualifies a result.
type Doubt struct {
	About  string `json:"about"`
	Why    string `json:"why"`
	Settle string `json:"settle"`
	// Cause is the name of the cause that is in doubt, "" where it is something else.
	Cause string `json:"-"`
	// Fact is what is in doubt, and Next what would settle it, which Why and Settle word.
	Fact *record.Fact `json:"-"`
	Next *record.Fact `json:"-"`
}

func doubtOn(about string, f, next fact) Doubt { return Doubt{About: about, Fact: &f, Next: &next} }

// A Generator says how well our own side kept up.
type Generator struct {
	LagP99     float64 `json:"lag_p99"` // seconds between the kernel's stamp and our read
	LateStarts int     `json:"late_starts"`
	Clock      string  `json:"clock"`
}
