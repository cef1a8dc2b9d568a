package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/scenarios"
)

// lookFor is how long one answer is looked at: a feed has no end, and some answers
// take long.
const lookFor = 30 * time.Second

// A finding is what a look or two told of how an app answers.
type finding struct {
	looks    []play.Look
	dialect  string
	guess    stream.Guess
	terminal string // that holds of the last event of every look, and of no other event; "" where none is needed or found
	length   int64  // of a text that was the same each time, 0 for none
	sum      stream.Summary
	events   []heard // of the first look
}

// recognise finds out how an app answers where the user does not say: it asks once
// or twice, and reads dialect and terminal off the answer. What it took is set as if
// it had been given by flag, so that the line that repeats the run has it.
func (in *input) recognise(ctx context.Context, o harness.Options, told io.Writer) error {
	if o.App.IsOrigin() || o.App.Stream.Dialect != "" {
		return nil
	}
	if !in.quiet {
		fmt.Fprintf(told, "no dialect is given: asking %s once to recognise it\n", o.App.String())
	}
	f, err := lookAt(ctx, o, 2)
	if err != nil {
		return err
	}
	first := &f.looks[0]
	if first.Status >= 500 { // a failure is judged by its status, whatever the dialect
		f.dialect, f.terminal = stream.Text.Name, ""
	} else if err := f.unusable(o.App.Stream); err != nil {
		return err
	}
	if !in.quiet {
		fmt.Fprintln(told, "recognised: "+plain(f.String()))
	}
	return in.take(f, o.App.Stream)
}

// take sets what was found as flags.
func (in *input) take(f *finding, s harness.Stream) error {
	in.dialect = config.Dialect(f.dialect)
	err := in.given.Set("dialect", f.dialect)
	d, _ := stream.Lookup(f.dialect)
	if d.NeedsTerminal && s.Terminal == "" && s.Endless.For == 0 {
		in.terminal = f.terminal
		err = errors.Join(err, in.given.Set("terminal", f.terminal))
	}
	return err
}

// lookAt asks an app as its streams will, after the same checks as before a run.
func lookAt(ctx context.Context, o harness.Options, times int) (*finding, error) {
	asking := o
	asking.Scenarios = []harness.Scenario{{ID: "look"}}
	s := &asking.App.Stream
	s.Dialect, s.Terminal, s.Error, s.Order, s.Owner, s.Endless = stream.Text.Name, "", "", "", "", harness.Endless{}
	s.Headers = maps.Clone(s.Headers)
	named := func(h string) bool { return strings.EqualFold(h, "Accept") }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(s.Headers)), named) {
		if s.Headers == nil {
			s.Headers = map[string]string{}
		}
		s.Headers["Accept"] = harness.AcceptAny
	}
	if err := asking.Validate(); err != nil {
		return nil, err
	}
	if err := preflight(ctx, asking); err != nil {
		return nil, err
	}
	var err error
	if asking.Opener, err = scenarios.Opener(asking.App); err != nil {
		return nil, err
	}
	limit := lookFor
	if feed := o.App.Stream.Endless.For; feed > 0 {
		times, limit = 1, min(limit, feed)
	}
	looks, err := play.LookAt(ctx, asking, times, limit)
	if err != nil {
		return nil, unanswered(err)
	}
	if err := refused(&looks[0], &asking); err != nil {
		return nil, err
	}
	f := read(looks, o.App.Stream.Terminal)
	if as := f.meant(o.App.Stream); as != f.dialect {
		f.as(as, o.App.Stream.Terminal)
	}
	return f, nil
}

// unanswered puts what went wrong on the way to an answer into the user's terms.
func unanswered(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("no response head came within %s", lookFor),
			Fix: "check that the server answers at all, as with curl -v; or name the dialect with --dialect to test it all the same"}
	case clientUnwanted(err):
		return &harness.UsageError{Place: "url", Problem: "the server wants a certificate of the client", Fix: "give one with --cert FILE --key FILE"}
	}
	return err
}

// refused is the error for an answer that turned the request away: nothing is known
// of the app's streams then, and no load would tell more. A server that failed
// (5xx) has not refused.
func refused(l *play.Look, o *harness.Options) error {
	if l.Status < 300 || l.Status >= 500 {
		return nil
	}
	path, _, _ := strings.Cut(o.App.Path(), "?")
	r := diagnose.Refusal{Status: l.Status, Words: string(l.Body[:min(len(l.Body), maxWords)]), Allow: l.Header.Get("Allow"),
		Method: o.App.Method(), Path: path, Body: o.App.Stream.Body != ""}
	for name := range o.App.Stream.Headers {
		r.Sent = append(r.Sent, name)
	}
	problem := fmt.Sprintf("%s %s was answered with %d %s", r.Method, path, l.Status, http.StatusText(l.Status))
	if to := l.Header.Get("Location"); to != "" && l.Status < 400 {
		return &harness.UsageError{Place: "url", Problem: problem + " to " + secret.PublicURL(to), Fix: "ask there: streamproof run " + quote(secret.PublicURL(to))}
	}
	if said := r.Said(); said != "" {
		problem += "; the server says: " + said
	}
	return &harness.UsageError{Place: "url", Problem: problem, Fix: r.Mend()}
}

// maxWords is how many bytes are shown of what a server says.
const maxWords = 500

// read recognises the dialect of answers. The terminal must hold in all of them.
func read(looks []play.Look, terminal string) *finding {
	l := &looks[0]
	f := &finding{looks: looks, guess: stream.Identify(l.ContentType, l.Body)[0]}
	f.as(f.guess.Dialect, terminal)
	d := dialectOf(f.dialect)
	if d.Format.Name == stream.Text.Name && len(looks) > 1 && bytes.Equal(l.Body, looks[1].Body) {
		f.length = int64(len(l.Body))
	}
	return f
}

// as reads the answers in a dialect.
func (f *finding) as(dialect, terminal string) {
	f.dialect, f.terminal = dialect, ""
	if dialectOf(dialect).NeedsTerminal {
		f.terminal = cmp.Or(terminal, f.lasting())
	}
	f.events, f.sum = listenTo(&f.looks[0], f.dialect, f.terminal)
}

// lasting is the proposal for a terminal that every look makes. An answer that was
// not read to its end proposes none.
func (f *finding) lasting() string {
	for i := range f.looks {
		if l := &f.looks[i]; l.Ours || l.Cut != nil {
			return ""
		}
	}
	for _, expr := range f.guess.Ends {
		good := true
		for _, l := range f.looks[1:] {
			g := stream.Identify(l.ContentType, l.Body)[0]
			good = good && slices.Contains(g.Ends, expr)
		}
		if good {
			return expr
		}
	}
	return ""
}

// unusable is the error for an answer that cannot be judged as it was read.
func (f *finding) unusable(s harness.Stream) error {
	l := &f.looks[0]
	d, _ := stream.Lookup(f.dialect)
	switch {
	case len(l.Body) == 0 && !l.Ours:
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("the answer is empty: status %d, no body", l.Status),
			Fix: "check method and body of the request: --method, --body"}
	case f.guess.Unknown && f.form() == stream.FormJSON:
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("the answer is one JSON document and no stream: it begins with %s", strconv.Quote(startOf(l.Body, 120))),
			Fix: `ask the app to stream, which many take from the body: --body '{"stream": true}'; or name a dialect to read it all the same, as in --dialect text`}
	case f.guess.Unknown:
		problem, like := fmt.Sprintf("the answer (%s) is in no form that streamproof reads", cmp.Or(l.ContentType, "no media type")), cmp.Or(f.dialect, stream.Text.Name)
		if f.dialect != "" {
			problem += ", most like " + f.dialect
		}
		return &harness.UsageError{Place: "dialect", Problem: problem + "; it begins with " + strconv.Quote(startOf(l.Body, 120)),
			Fix: "name a dialect to read it all the same, as in --dialect " + like}
	case d.NeedsTerminal && f.terminal == "" && s.Terminal == "" && s.Endless.For == 0:
		return f.openEnd(l)
	}
	return nil
}

// form is what the body is where nothing reads it.
func (f *finding) form() stream.Form {
	for _, w := range f.guess.Why {
		if w.Kind == stream.FactForm {
			return stream.Form(w.Text)
		}
	}
	return stream.FormUnknown
}

// meant is the dialect that goes with what the user said of the answer without
// naming one: his own terminal, or a feed, is read off events of any kind, and a proof
// of a text off a text. An API's dialect that takes a terminal of the user's keeps it.
func (f *finding) meant(s harness.Stream) string {
	format := dialectOf(f.dialect).Format.Name
	switch {
	case s.Sentinel != "" || s.Length != 0 || s.SHA256 != "":
		return stream.Text.Name
	case s.Terminal == "" && s.Endless == (harness.Endless{}), f.dialect == "openai-chat" && s.Terminal != "":
	case format == stream.SSE.Name:
		return "sse-generic"
	case format == stream.NDJSON.Name:
		return "ndjson-generic"
	}
	return f.dialect
}

// openEnd is the error where nobody knows which event is the last.
func (f *finding) openEnd(l *play.Look) error {
	last := "none came"
	if n := len(f.events); n > 0 {
		last = "the last of " + plural(n, "event") + " is " + strconv.Quote(f.events[n-1].text)
	}
	if l.Ours {
		return &harness.UsageError{Place: "terminal", Problem: fmt.Sprintf("the answer (%s) has not ended after %s: %s", f.dialect, l.Took.Round(time.Second), last),
			Fix: "if it is a feed without an end, say for how long to read it and how many events must come, as in --endless 10s,5; else what its last event looks like, as in --terminal 'data == [DONE]'"}
	}
	return &harness.UsageError{Place: "terminal", Problem: fmt.Sprintf("nothing tells the last event of the answer (%s) from the others: %s", f.dialect, last),
		Fix: "say what a last event looks like, as in --terminal 'data == [DONE]'"}
}

// String says what was found in one line.
func (f *finding) String() string {
	l := &f.looks[0]
	if l.Status >= 500 {
		return fmt.Sprintf("nothing, for the answer is status %d; streams are judged by that", l.Status)
	}
	s := f.dialect
	if f.terminal != "" {
		s += ", whose last event is taken to be the one with " + f.terminal
	}
	return fmt.Sprintf("%s (%s, %s); change it with --dialect and --terminal", s, cmp.Or(l.ContentType, "no media type"), plural(len(f.events), "event"))
}

// A heard is one event of an answer and when it came.
type heard struct {
	at   time.Duration // since the request
	kind stream.Kind
	text string // its start, as it came
}

// listenTo reads an answer in a dialect, piece by piece.
func listenTo(l *play.Look, dialect, terminal string) ([]heard, stream.Summary) {
	d, ok := stream.Lookup(dialect)
	if !ok {
		return nil, stream.Summary{}
	}
	var ask stream.Ask
	if d.NeedsTerminal {
		ask.Terminal, _ = stream.ParseTerminal(cmp.Or(terminal, neverEnds))
	}
	h := &hearer{Reader: d.New(ask)}
	dec := d.Format.New(stream.Limits{})
	from := 0
	for _, p := range l.Pieces {
		h.at = p.At
		if dec.Push(l.Body[from:p.Upto], h) != nil {
			break
		}
		from = p.Upto
	}
	h.at = l.Took
	partial := dec.Close(h)
	return h.events, h.Close(partial)
}

// neverEnds is a terminal expression that no event meets: a generic dialect then
// says what would have told the last event.
const neverEnds = `data == "\u0000 no event is like this"`

// A hearer notes each event, and passes frames on to a reader.
type hearer struct {
	stream.Reader
	at     time.Duration
	events []heard
}

// maxShown is how many bytes of an event are kept to be shown.
const maxShown = 160

// Frame implements [stream.Sink].
func (h *hearer) Frame(f *stream.Frame) {
	e := heard{at: h.at, text: startOf(f.Data, maxShown)}
	if len(f.Name) > 0 {
		e.text = "event: " + string(f.Name) + " " + e.text
	}
	if e.kind = h.Read(f).Kind; !f.Comment {
		h.events = append(h.events, e)
	}
}

// startOf is the beginning of b, as text.
func startOf(b []byte, most int) string {
	if len(b) <= most {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return strings.ToValidUTF8(string(b[:most]), "") + "…"
}
