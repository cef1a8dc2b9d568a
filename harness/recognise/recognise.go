package recognise

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// Limit is how long one answer is looked at: a feed has no end, and some answers
// take long.
const Limit = 30 * time.Second

// A Finding is what a look or two told of how an app answers.
type Finding struct {
	Looks    []play.Look
	Dialect  string
	Guess    stream.Guess
	Terminal string // that holds of the last event of every look, and of no other event; "" where none is needed or found
	Length   int64  // of a text that was the same each time, 0 for none
	Sum      stream.Summary
	Events   []Heard // of the first look
	// Posted is the body that was sent in place of the user's request, which had none and
	// was turned away: the path is one of an API whose reference says what it takes.
	Posted *Posted
}

// Ask asks an app as its streams will, the given number of times at most, and reads
// dialect and terminal off the answers. Where a plain GET is turned away at a path whose
// API says what to post there, that is posted, and told hears of it before; nil is nobody. o
// needs an opener. Input that cannot be used and an app that refuses the request are a
// [*harness.UsageError].
func Ask(ctx context.Context, o harness.Options, times int, told func(*Posted)) (f *Finding, err error) {
	asking := neutral(o)
	if err := Reach(ctx, o); err != nil {
		return nil, err
	}
	limit := Limit
	if feed := o.App.Stream.Endless.For; feed > 0 {
		times, limit = 1, min(limit, feed)
	}
	app, err := play.NewLooker(ctx, asking)
	if err != nil {
		return nil, unanswered(ctx, &asking.App, err)
	}
	defer func() { err = errors.Join(err, app.Close(ctx)) }()
	looks, err := app.Look(ctx, asking.App.Stream, times, limit)
	if err != nil {
		return nil, unanswered(ctx, &asking.App, err)
	}
	looks, posted, err := postedInstead(ctx, app, asking, looks, times, limit, told)
	if err != nil {
		return nil, err
	}
	f = Read(looks, o.App.Stream.Terminal)
	f.Posted = posted
	if as := f.meant(o.App.Stream); as != f.Dialect {
		f.As(as, o.App.Stream.Terminal)
	}
	return f, nil
}

// Reach checks that the app of o may be asked, and that the server at its URL is there
// and, with TLS, trusted. It sends no request.
func Reach(ctx context.Context, o harness.Options) error {
	asking := neutral(o)
	if err := asking.Validate(); err != nil {
		return err
	}
	return Reachable(ctx, &asking.App)
}

// Valid says what is wrong with o where its dialect is still to be found, so that
// nothing is asked for a run that cannot be. A mistake that depends on the dialect is
// found when that is known.
func Valid(o harness.Options) error {
	s := &o.App.Stream
	switch {
	case s.Sentinel != "" || s.Length != 0 || s.SHA256 != "":
		s.Dialect = stream.Text.Name
	case s.Terminal == "" && s.Endless == (harness.Endless{}):
		s.Dialect, s.Terminal = "sse-generic", neverEnds
	default:
		s.Dialect = "sse-generic"
	}
	return o.Validate()
}

// neutral is o for one request whose answer is read in no dialect.
func neutral(o harness.Options) harness.Options {
	o.Scenarios = []harness.Scenario{{ID: "look"}}
	s := &o.App.Stream
	s.Dialect, s.Terminal, s.Error, s.Order, s.Owner, s.Endless = stream.Text.Name, "", "", "", "", harness.Endless{}
	s.Headers = maps.Clone(s.Headers)
	named := func(h string) bool { return strings.EqualFold(h, "Accept") }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(s.Headers)), named) {
		if s.Headers == nil {
			s.Headers = map[string]string{}
		}
		s.Headers["Accept"] = harness.AcceptAny
	}
	return o
}

// unanswered puts what went wrong on the way to an answer into the user's terms.
func unanswered(ctx context.Context, a *harness.App, err error) error {
	var refused *tls.CertificateVerificationError
	var asked *url.Error
	switch {
	case ctx.Err() != nil:
		return err
	case expired(err):
		return &harness.UsageError{Place: "url", Problem: "the certificate of the server that answers behind a redirect is " +
			"not valid now: " + why(untrustedCause(err)), Fix: expiredFix}
	case errors.As(err, &refused): // behind a redirect: the URL's own was looked at before
		return &harness.UsageError{Place: "url", Problem: "the certificate of the server that answers behind a redirect is " +
			"not trusted: " + why(refused.Err),
			Fix: trustFix}
	case errors.Is(err, context.DeadlineExceeded):
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("no response headers within %s", Limit),
			Fix: "check that the server answers at all, as with curl -v; or name the dialect with --dialect to test it all " +
				"the same"}
	case tap.ClientUnwanted(err):
		return clientRefused("the server", a.TLS, err)
	case errors.As(err, &asked) && a.URL != "":
		return &harness.UsageError{Place: "url", Problem: "the server sent no HTTP response: " + harness.Reason(asked.Err),
			Fix: "check that the server answers at all, as with curl -v; or name the dialect with --dialect to test it " +
				"anyway"}
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
	r := diagnose.Refusal{Status: l.Status, Words: startWords(l),
		Allow: l.Header.Get("Allow"), Asks: strings.Join(l.Header.Values("WWW-Authenticate"), ", "),
		Method: o.App.Method(), Path: path, Body: o.App.Stream.Body != ""}
	for name := range o.App.Stream.Headers {
		r.Sent = append(r.Sent, name)
	}
	problem := fmt.Sprintf("%s %s was answered with %d %s", r.Method, path, l.Status, http.StatusText(l.Status))
	if to := l.Header.Get("Location"); to != "" && l.Status < 400 {
		at := to
		if from, err := url.Parse(l.URL); err == nil {
			if u, err := from.Parse(to); err == nil {
				at = u.String()
			}
		}
		return &harness.UsageError{Place: "url", Problem: problem + " to " + secret.PublicURL(to),
			Fix: "ask there: " + secret.PublicURL(at)}
	}
	return &harness.UsageError{Place: "url", Problem: problem + said(l, &o.App), Fix: r.Mend()}
}

// said are the server's own words, as an error goes on with them, "" where it has none.
func said(l *play.Look, a *harness.App) string {
	words := a.Hide(diagnose.Refusal{Words: startWords(l)}.Said())
	if words == "" {
		return ""
	}
	return "; the server says: " + words
}

// startWords is the part of a body that is shown.
func startWords(l *play.Look) string { return string(l.Body[:min(len(l.Body), maxWords)]) }

// maxWords is how many bytes are shown of what a server says.
const maxWords = 500

// Read recognises the dialect of answers. The terminal must hold in all of them.
func Read(looks []play.Look, terminal string) *Finding {
	l := &looks[0]
	f := &Finding{Looks: looks, Guess: stream.Identify(l.ContentType, l.Body)[0]}
	f.As(f.Guess.Dialect, terminal)
	d := Dialect(f.Dialect)
	if d.Format.Name == stream.Text.Name && len(looks) > 1 && bytes.Equal(l.Body, looks[1].Body) {
		f.Length = int64(len(l.Body))
	}
	return f
}

// As reads the answers in a dialect.
func (f *Finding) As(dialect, terminal string) {
	f.Dialect, f.Terminal = dialect, ""
	if Dialect(dialect).NeedsTerminal {
		f.Terminal = cmp.Or(terminal, f.lasting())
	}
	f.Events, f.Sum = listenTo(&f.Looks[0], f.Dialect, f.Terminal)
}

// lasting is the proposal for a terminal that every look makes. What the members of the
// last event alone suggest is taken only where two answers agree. One that does not say
// by its name that something is over is left for the user to confirm: where every answer
// lacks its end, the last event that came is as regular as an end, and all would pass.
func (f *Finding) lasting() string {
	shared := f.shared()
	if len(shared) == 0 && len(f.Looks) > 1 {
		shared = f.marked()
	}
	if i := slices.IndexFunc(shared, saysEnd); i >= 0 {
		return shared[i]
	}
	return ""
}

// shared are the proposals that all looks make. An answer that was not read to its end
// makes none.
func (f *Finding) shared() []string {
	for i := range f.Looks {
		if l := &f.Looks[i]; l.Ours || l.Cut != nil {
			return nil
		}
	}
	all := f.Guess.Ends
	for _, l := range f.Looks[1:] {
		all = common(all, stream.Identify(l.ContentType, l.Body)[0].Ends)
	}
	return all
}

// marked are the expressions that the members of the last event suggest, in all looks.
func (f *Finding) marked() []string {
	d := Dialect(f.Dialect)
	if d.Format.New == nil || d.Format.Name == stream.Text.Name || !d.NeedsTerminal {
		return nil
	}
	shared := marks(d, f.Looks[0].Body)
	for _, l := range f.Looks[1:] {
		shared = common(shared, marks(d, l.Body))
	}
	return shared
}

func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// Unusable is the error for an answer that cannot be judged as it was read.
func (f *Finding) Unusable(s harness.Stream) error {
	l := &f.Looks[0]
	d, _ := stream.Lookup(f.Dialect)
	switch {
	case len(l.Body) == 0 && l.Cut != nil:
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("the answer broke off before anything could be read: "+
			"status %d, %s", l.Status, harness.Reason(l.Cut)),
			Fix: "name a dialect to test it anyway, as in --dialect sse-generic --terminal 'data == [DONE]'"}
	case len(l.Body) == 0 && !l.Ours:
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("the answer is empty: status %d, no body", l.Status),
			Fix: "check method and body of the request: --method, --body"}
	case f.Guess.Unknown && f.form() == stream.FormJSON:
		return &harness.UsageError{Place: "url",
			Problem: fmt.Sprintf("the answer is one JSON document and no stream: it begins with %s",
				strconv.Quote(StartOf(l.Body, 120))), Fix: f.toStream(l)}
	case f.Guess.Unknown:
		problem, like := fmt.Sprintf("streamproof does not know the format of the response (%s)",
			cmp.Or(l.ContentType, "no media type")), cmp.Or(f.Dialect, stream.Text.Name)
		if f.Dialect != "" {
			problem += ", most like " + f.Dialect
		}
		return &harness.UsageError{Place: "dialect", Problem: problem + "; it begins with " +
			strconv.Quote(StartOf(l.Body, 120)),
			Fix: "name a dialect to read it anyway, as in --dialect " + like}
	case d.NeedsTerminal && f.Terminal == "" && s.Terminal == "" && s.Endless.For == 0:
		return f.openEnd(l)
	}
	return nil
}

// toStream says how to have an app stream that answered with one JSON document.
func (f *Finding) toStream(l *play.Look) string {
	const anyway = "; or name a dialect to read it anyway, as in --dialect text"
	if f.Posted != nil {
		return "the body that was posted asks for a stream already: change it to what your server takes: " +
			f.Posted.flags() + anyway
	}
	if u, err := url.Parse(l.URL); err == nil {
		if known := stream.Posted(u.Path); len(known) > 0 {
			return "ask the app to stream: " + diagnose.BodyFlags(string(known[0].Body), known[0].Headers) + anyway
		}
	}
	return `ask the app to stream, which many take from the body: --body '{"stream": true}'` + anyway
}

// form is what the body is where nothing reads it.
func (f *Finding) form() stream.Form {
	for _, w := range f.Guess.Why {
		if w.Kind == stream.FactForm {
			return stream.Form(w.Text)
		}
	}
	return stream.FormUnknown
}

// meant is the dialect that goes with what the user said of the answer without
// naming one: his own terminal, or a feed, is read off events of any kind, and a proof
// of a text off a text. An API's dialect that takes a terminal of the user's keeps it.
func (f *Finding) meant(s harness.Stream) string {
	format := Dialect(f.Dialect).Format.Name
	switch {
	case s.Sentinel != "" || s.Length != 0 || s.SHA256 != "":
		return stream.Text.Name
	case s.Terminal == "" && s.Endless == (harness.Endless{}), f.Dialect == "openai-chat" && s.Terminal != "":
	case format == stream.SSE.Name:
		return "sse-generic"
	case format == stream.NDJSON.Name:
		return "ndjson-generic"
	}
	return f.Dialect
}

// An OpenEnd is the error where nobody knows which event is the last. It is bad input
// until somebody says it.
type OpenEnd struct {
	harness.UsageError
	Finding *Finding
	// Proposals are terminal expressions that hold of the last event of every answer and
	// of no other event, the most telling first. None of them says by its name that
	// something is over.
	Proposals []string
}

// Unwrap makes it the bad input that it is.
func (e *OpenEnd) Unwrap() error { return &e.UsageError }

// openEnd is the error where nobody knows which event is the last.
func (f *Finding) openEnd(l *play.Look) error {
	last := "none came"
	if n := len(f.Events); n > 0 {
		last = "the last of " + plural.Of(n, "event") + " is " + strconv.Quote(f.Events[n-1].Text)
	}
	if l.Ours {
		return &OpenEnd{Finding: f, UsageError: harness.UsageError{Place: "terminal",
			Problem: fmt.Sprintf("the answer (%s) has not ended after %s: %s", f.Dialect, l.Took.Round(time.Second), last),
			Fix: "if it is a feed without an end, say for how long to read it and how many events must come, as in --endless " +
				"10s,5; else what its last event looks like, as in --terminal 'data == [DONE]'"}}
	}
	if e := f.uneven(); e != nil {
		return e
	}
	if f.Sum.Errors > 0 {
		return &harness.UsageError{Place: "url", Problem: fmt.Sprintf("the answer (%s) is an error: %s", f.Dialect, last),
			Fix: "fix that first; or name a dialect and a last event to test it anyway, as in --dialect " + f.Dialect +
				" --terminal 'data == [DONE]'"}
	}
	e := &OpenEnd{Finding: f, Proposals: f.Proposals(), UsageError: harness.UsageError{Place: "terminal",
		Problem: fmt.Sprintf("nothing distinguishes the last event of the response (%s) from the others: %s",
			f.Dialect, last),
		Fix: "say what a last event looks like, as in --terminal 'data == [DONE]'"}}
	if len(e.Proposals) > 0 {
		e.Problem = fmt.Sprintf("nothing says for sure which event ends the answer (%s): %s", f.Dialect, last)
		e.Fix = "if every answer ends with such an event, add --terminal " + harness.ShellWord(e.Proposals[0]) +
			"; else say what a last event looks like"
	}
	return e
}

// uneven is the error where one of the answers lacks what ends another: it broke off, or
// stops after another event. That is worth a run, with what the other one ends with.
func (f *Finding) uneven() *OpenEnd {
	const fix = "say what a last event looks like, as in --terminal 'data == [DONE]'"
	for i := range f.Looks {
		if l := &f.Looks[i]; l.Cut != nil {
			return &OpenEnd{Finding: f, UsageError: harness.UsageError{Place: "terminal",
				Problem: fmt.Sprintf("the answer (%s) broke off and shows no last event: %s", f.Dialect, harness.Reason(l.Cut)),
				Fix:     fix}}
		}
	}
	ends := map[string]int{}
	for _, l := range f.Looks {
		for _, e := range stream.Identify(l.ContentType, l.Body)[0].Ends {
			if saysEnd(e) {
				ends[e]++
			}
		}
	}
	for _, e := range slices.Sorted(maps.Keys(ends)) {
		if ends[e] < len(f.Looks) {
			return &OpenEnd{Finding: f, Proposals: []string{e}, UsageError: harness.UsageError{Place: "terminal",
				Problem: fmt.Sprintf("one answer (%s) ends with %s, and another one of the same request does not", f.Dialect, e),
				Fix: "if every complete response ends so, add --terminal " + harness.ShellWord(e) +
					" to see how many are cut; else " + fix}}
		}
	}
	return nil
}

// Proposals are terminal expressions for the user to confirm: they hold of the last event
// of every answer, and of no other event.
func (f *Finding) Proposals() []string {
	all := slices.Clone(f.shared())
	for _, m := range f.marked() {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// String says what was found in one line.
func (f *Finding) String() string {
	l := &f.Looks[0]
	if l.Status >= 500 {
		return fmt.Sprintf("nothing, because the response has status %d; streams are judged by their status", l.Status)
	}
	s := f.Dialect
	if f.Terminal != "" {
		s += ", last event: " + f.Terminal
	}
	return fmt.Sprintf("%s (%s, %s); change it with --dialect and --terminal", s, cmp.Or(l.ContentType, "no media type"),
		plural.Of(len(f.Events), "event"))
}

// Fill finds out how the app of o answers, where nobody says and it is not the built-in
// origin, and fills in dialect and terminal. o needs an opener. A server that fails
// (5xx) is read as text: its status says what there is to say. told is as for [Ask].
func Fill(ctx context.Context, o *harness.Options, told func(*Posted)) (*Finding, error) {
	s := &o.App.Stream
	if o.App.IsOrigin() || s.Dialect != "" {
		return nil, nil
	}
	f, err := Ask(ctx, *o, 2, told)
	if err != nil {
		return nil, err
	}
	if f.Looks[0].Status >= 500 {
		f.Dialect, f.Terminal = stream.Text.Name, ""
	} else if err := f.Unusable(*s); err != nil {
		return nil, err
	}
	f.Posted.into(s)
	s.Dialect = f.Dialect
	if Dialect(f.Dialect).NeedsTerminal && s.Terminal == "" && s.Endless.For == 0 {
		s.Terminal = f.Terminal
	}
	return f, nil
}

// Dialect is the dialect of a name; the zero one where there is none.
func Dialect(name string) stream.Dialect {
	d, _ := stream.Lookup(name)
	return d
}

// A Heard is one event of an answer and when it came.
type Heard struct {
	At   time.Duration // since the request
	Kind stream.Kind
	Text string // its start, as it came
}

// listenTo reads an answer in a dialect, piece by piece.
func listenTo(l *play.Look, dialect, terminal string) ([]Heard, stream.Summary) {
	d, ok := stream.Lookup(dialect)
	if !ok {
		return nil, stream.Summary{}
	}
	var ask stream.Ask
	if d.NeedsTerminal {
		ask.Terminal, _ = stream.ParseTerminal(cmp.Or(terminal, neverEnds))
	}
	ask.Charset = stream.CharsetOf(l.ContentType)
	h := &hearer{Reader: d.New(ask)}
	dec := d.Decoder(stream.Limits{}, ask)
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
	events []Heard
}

// MaxShown is how many bytes of an event are kept to be shown.
const MaxShown = 160

// Frame implements [stream.Sink].
func (h *hearer) Frame(f *stream.Frame) {
	e := Heard{At: h.at, Text: StartOf(f.Data, MaxShown)}
	if len(f.Name) > 0 {
		e.Text = "event: " + string(f.Name) + " " + e.Text
	}
	if e.Kind = h.Read(f).Kind; !f.Comment {
		h.events = append(h.events, e)
	}
}

// StartOf is the beginning of b, as text.
func StartOf(b []byte, most int) string {
	if len(b) <= most {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return strings.ToValidUTF8(string(b[:most]), "") + "…"
}
