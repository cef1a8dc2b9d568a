package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stream"
)

const probeLong = `Send one request, and a second one where the first was short, and show how the
server answers: which dialect it speaks and how that shows, the first and the last
event, when they came and how they were paced. Where GET is turned away at the path of
a known API, such as /v1/chat/completions or /api/chat, and you name no body, the one
that its reference names is posted, with the first model that the server lists.
Nothing else is sent.

With --write it makes a streamproof.yaml of what it found, ready for
'streamproof run -f'. Values of headers are not written down: the file names an
environment variable for each.

Exit codes: 0 recognised, 2 not recognised or its end is not known, 3 internal error,
64 bad input, or the server turned the request away.`

func probeCommand() *cobra.Command {
	var f runFlags
	var write string
	var force bool
	cmd := &cobra.Command{
		Use:   "probe [URL] [flags]",
		Short: "Send one request and say which dialect the server speaks",
		Long:  probeLong,
		Example: `  streamproof probe http://127.0.0.1:8000/chat -d '{"q": "hi"}'
  streamproof probe http://127.0.0.1:8000/chat --write
  streamproof probe -f streamproof.yaml`,
		Args: takes(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := &input{runFlags: f, given: cmd.Flags(), from: &config.File{}}
			if err := in.target(args); err != nil {
				return err
			}
			if in.url == "" && in.file == "" {
				return &harness.UsageError{Place: "streamproof probe", Problem: "no URL is given",
					Fix: "write 'streamproof probe http://127.0.0.1:8000/chat'"}
			}
			if force && write == "" {
				return &harness.UsageError{Place: "--force",
					Problem: "it replaces the file of --write, which is not given", Fix: "add --write, or leave --force out"}
			}
			if write != "" {
				if err := in.writable(write, force); err != nil {
					return err
				}
			}
			p, err := in.probe(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return in.place(err)
			}
			out := printer{w: cmd.OutOrStdout(), asJSON: f.asJSON}
			if f.asJSON {
				err = writeJSON(out.w, p)
			} else {
				err = p.show(out.w, widthOf(cmd))
			}
			if err == nil && write != "" {
				err = in.writeProbed(cmd.ErrOrStderr(), p, write, force)
			}
			if err == nil && !p.Ready {
				return judged{exitInconclusive}
			}
			return err
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	f.registerApp(fs)
	describe(fs, "url", "send the request to `URL`; --url may be left out",
		"direct", "`URL` of the app itself, behind the proxy that --url names: nothing is sent to it, but the command to "+
			"run next has it")
	fs.StringArrayVar(&f.allowHosts, "allow-host", nil, "also allow requests to `HOST`; without it only this machine is "+
		"asked; repeatable")
	fs.StringVar(&write, "write", "", "write what was found to `FILE` (default streamproof.yaml)")
	fs.Lookup("write").NoOptDefVal = "streamproof.yaml"
	fs.BoolVar(&force, "force", false, "replace a file that is there")
	fs.BoolVar(&f.asJSON, "json", false, "print JSON")
	f.complete(cmd)
	return cmd
}

// A probed is what probe found, as it is printed.
type probed struct {
	URL         string   `json:"url"`
	Method      string   `json:"method"`
	Instead     int      `json:"get_status,omitempty"` // of the GET in whose place it was
	Body        string   `json:"body,omitempty"`       // that was posted in its place
	Status      int      `json:"status"`
	Proto       string   `json:"protocol"`
	ContentType string   `json:"content_type"`
	Encoding    string   `json:"content_encoding,omitempty"`
	Dialect     string   `json:"dialect"`
	Certain     bool     `json:"certain"`
	Unknown     bool     `json:"unknown,omitempty"` // most like Dialect
	Like        string   `json:"like,omitempty"`
	Why         []string `json:"why,omitempty"`
	Terminal    string   `json:"terminal,omitempty"`
	Proposals   []string `json:"terminal_proposals,omitempty"`
	State       string   `json:"state"` // of the answer, read in the dialect
	Finish      string   `json:"finish_reason,omitempty"`
	Error       string   `json:"error,omitempty"`
	Events      int      `json:"events"`
	First       string   `json:"first_event,omitempty"`
	Last        string   `json:"last_event,omitempty"`
	Bytes       int      `json:"bytes"`
	Length      int64    `json:"same_length,omitempty"` // of a text that was the same twice
	Endless     bool     `json:"not_ended,omitempty"`   // within the time that we look
	Cut         string   `json:"cut,omitempty"`
	// Seconds since the request.
	Head         float64  `json:"head_seconds"`
	FirstContent *float64 `json:"first_content_seconds,omitempty"`
	End          float64  `json:"end_seconds"`
	GapP50       *float64 `json:"gap_p50_seconds,omitempty"`
	GapMax       *float64 `json:"gap_max_seconds,omitempty"`
	Arrivals     int      `json:"arrivals"` // reads that brought bytes
	Proves       string   `json:"proves,omitempty"`
	Ready        bool     `json:"ready"` // nothing is left to be told before a run
	Next         string   `json:"next"`

	finding *recognise.Finding
}

// probe asks, and says what came. With a file it asks the app of that file.
func (in *input) probe(ctx context.Context, told io.Writer) (*probed, error) {
	if in.file != "" {
		var err error
		if in.from, err = config.Read(in.file); err != nil {
			return nil, err
		}
	}
	o, err := in.options()
	if err != nil {
		return nil, err
	}
	f, err := lookAt(ctx, o, told)
	if err != nil {
		return nil, err
	}
	if d := o.App.Stream.Dialect; d != "" {
		f.As(d, o.App.Stream.Terminal)
	}
	if f.Posted != nil {
		if err := in.post(f.Posted); err != nil {
			return nil, err
		}
		o.App.Stream.Body = f.Posted.Body // so that it counts as posted
	}
	return in.probed(f, &o.App), nil
}

func (in *input) probed(f *recognise.Finding, app *harness.App) *probed {
	l, d := &f.Looks[0], recognise.Dialect(f.Dialect)
	p := &probed{URL: secret.PublicURL(l.URL), Method: app.Method(), Status: l.Status, Proto: l.Proto,
		ContentType: l.ContentType, Encoding: l.Encoding,
		Dialect: f.Dialect, Certain: f.Guess.Certain, Unknown: f.Guess.Unknown, Like: f.Guess.Like, Why: reasons(f.Guess.Why),
		Proposals: f.Proposals(),
		State:     string(f.Sum.State), Finish: f.Sum.Reason, Error: f.Sum.ErrorText, Events: len(f.Events),
		Bytes: len(l.Body), Length: f.Length,
		Endless: l.Ours, Head: l.Head.Seconds(), End: l.Took.Seconds(), Arrivals: len(l.Pieces), Proves: d.Proves, finding: f}
	if f.Posted != nil {
		p.Instead, p.Body = f.Posted.Status, f.Posted.Body
	}
	if l.Cut != nil {
		p.Cut = harness.Reason(l.Cut)
	}
	if f.Terminal != "" { // one was found all the same
		p.Why = slices.DeleteFunc(p.Why, func(w string) bool { return w == "it lacks terminal" })
	}
	if d.NeedsTerminal {
		p.Terminal = cmp.Or(app.Stream.Terminal, f.Terminal)
	}
	if n := len(f.Events); n > 0 && d.Format.Name != stream.Text.Name {
		p.First, p.Last = f.Events[0].Text, f.Events[n-1].Text
	} else if len(l.Body) > 0 {
		p.First = recognise.StartOf(l.Body, recognise.MaxShown)
	}
	p.pace(f)
	p.Ready = f.Unusable(app.Stream) == nil && l.Status < 300
	p.Next = in.next(f, p)
	return p
}

// pace measures when content came. Events of one read came at one time.
func (p *probed) pace(f *recognise.Finding) {
	var at []time.Duration
	for _, e := range f.Events {
		if e.Kind == stream.Content {
			at = append(at, e.At)
		}
	}
	if len(at) == 0 {
		return
	}
	first := at[0].Seconds()
	p.FirstContent = &first
	var gaps []float64
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, (at[i] - at[i-1]).Seconds())
	}
	if len(gaps) == 0 {
		return
	}
	slices.Sort(gaps)
	p50, most := gaps[(len(gaps)-1)/2], gaps[len(gaps)-1]
	p.GapP50, p.GapMax = &p50, &most
}

// next is the command that goes on from here.
func (in *input) next(f *recognise.Finding, p *probed) string {
	words := []string{repro("run", in.given, "", "write", "force", "json")}
	if in.dialect == "" && in.file == "" {
		words = append(words, "--dialect", f.Dialect)
		if p.Terminal != "" && in.terminal == "" {
			words = append(words, "--terminal", quote(p.Terminal))
		}
	}
	switch {
	case in.endless == "" && p.Endless && recognise.Dialect(f.Dialect).NeedsTerminal:
		words = append(words, "--endless", "10s,"+strconv.Itoa(max(1, p.Events/10)))
	case f.Length > 0 && in.length == 0 && in.sentinel == "" && in.sha256 == "":
		words = append(words, "--length", strconv.FormatInt(f.Length, 10))
	}
	return strings.Join(words, " ")
}

// reasons words why a dialect was taken.
func reasons(facts []stream.Fact) []string {
	var out []string
	for _, f := range facts {
		switch at := ""; f.Kind {
		case stream.FactMedia:
			out = append(out, "its media type is "+f.Text)
		case stream.FactFraming:
			out = append(out, "its framing is "+f.Text)
		case stream.FactOwn:
			out = append(out, fmt.Sprintf("%d of %s are this API's", f.Count, plural.Of(f.Of, "event")))
		case stream.FactForm:
			out = append(out, "it is "+f.Text)
		case stream.FactSame:
			out = append(out, f.Text+" looks the same")
		case stream.FactLacks:
			out = append(out, "it lacks "+f.Text)
		default:
			if f.Event > 0 {
				at = fmt.Sprintf("event %d: ", f.Event)
			}
			out = append(out, at+f.Text)
		}
	}
	return out
}

// show prints p for people.
func (p *probed) show(w io.Writer, width int) error {
	var b strings.Builder
	line := func(name, text string) {
		if text == "" {
			return
		}
		rows := fill(plain(text), "", max(width-10, 30))
		for i, r := range rows {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "%-9s %s\n", name, r)
		}
	}
	line("answer", fmt.Sprintf("%s %s: status %d, %s, %s", p.Method, p.URL, p.Status,
		cmp.Or(p.ContentType, "no media type"), p.Proto)+coded(p.Encoding))
	switch {
	case p.Unknown:
		line("dialect", "unknown, most like "+p.Dialect)
	case recognise.Dialect(p.Dialect).NeedsTerminal && p.finding.Guess.Dialect == p.Dialect:
		line("dialect", p.Dialect+likely(p.Like)) // only the framing is known
	default:
		line("dialect", p.Dialect)
	}
	line("", strings.Join(p.Why, "; "))
	line("end", p.ending())
	line("first", p.First)
	line("last", p.Last)
	line("time", p.timing())
	line("proves", p.Proves)
	switch {
	case p.Ready || p.Endless:
	case len(p.Proposals) > 0:
		line("open", "the last event is not known for sure: if every response ends with one like this, add --terminal "+
			quote(p.Proposals[0]))
	case recognise.Dialect(p.Dialect).NeedsTerminal:
		line("open", "the last event is not known: describe it with --terminal")
	}
	fmt.Fprintf(&b, "%-9s %s\n", "next", p.Next)
	_, err := io.WriteString(w, b.String())
	return err
}

func coded(encoding string) string {
	if encoding == "" {
		return ""
	}
	return ", compressed with " + encoding
}

// likely says of which API no dialect speaks, and which one it resembles.
func likely(like string) string {
	if like == "" {
		return "; the API is unknown"
	}
	return "; the API is unknown, most like " + like
}

// ending says how the answer ended.
func (p *probed) ending() string {
	var parts []string
	switch {
	case p.Error != "":
		parts = append(parts, "it says that it failed: "+p.Error)
	case p.Endless:
		parts = append(parts, fmt.Sprintf("it had not ended after %.0f s; "+
			"a feed that never ends is read with --endless 10s,5", p.End))
	case p.Cut != "":
		parts = append(parts, "it broke off: "+p.Cut)
	case p.State != "":
		parts = append(parts, p.State)
	}
	if p.Finish != "" {
		parts = append(parts, "finish reason "+p.Finish)
	}
	if p.Terminal != "" {
		parts = append(parts, "assumed last event: --terminal "+quote(p.Terminal))
	}
	if p.Length > 0 {
		parts = append(parts, fmt.Sprintf("two requests returned the same %d bytes: "+
			"--length %d proves that a response is complete, if its length never changes", p.Length, p.Length))
	}
	return strings.Join(parts, "; ")
}

// timing says when content came.
func (p *probed) timing() string {
	s := fmt.Sprintf("response headers after %s", seconds(p.Head))
	if p.FirstContent != nil {
		s += ", first content after " + seconds(*p.FirstContent)
	}
	if p.GapP50 != nil {
		s += fmt.Sprintf(", then one every %s (p50), longest wait %s", seconds(*p.GapP50), seconds(*p.GapMax))
	}
	s += fmt.Sprintf("; %s, %d bytes in %s, end after %s",
		plural.Of(p.Events, "event"), p.Bytes, plural.Of(p.Arrivals, "read"), seconds(p.End))
	if p.Arrivals == 1 && p.Events > 2 {
		s += ": everything arrived at once, like one document"
	}
	return s
}

func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%d ms", int(math.Round(s*1e3)))
	}
	return fmt.Sprintf("%.1f s", s)
}

// writeProbed makes a file of what was found.
func (in *input) writeProbed(told io.Writer, p *probed, path string, force bool) error {
	s := config.Start{URL: in.url, Path: in.path, Method: in.method, Dialect: config.Dialect(p.Dialect),
		Terminal: p.Terminal, Asked: true,
		Insecure: in.tls.Insecure, CACert: in.tls.CACert, Length: cmp.Or(p.Length, int64(in.length)),
		Endless: in.endless != ""}
	err := in.writeFurther(&s)
	if err != nil {
		return err
	}
	if s.Body, err = body("--body", in.body); err != nil {
		return err
	}
	var variables []string
	if s.Headers, variables, err = written(in.headers); err != nil {
		return err
	}
	if err := writeStart(path, s, force); err != nil {
		return err
	}
	fmt.Fprintf(told, "wrote %s%s; next: %sstreamproof run -f %s\n", path, toKeep(s), toExport(variables), quote(path))
	return nil
}

// kept are the flags of probe that its file has, beside those of [input.writeFurther], and
// those that have no part in a run.
var kept = []string{"url", "path", "method", "header", "body", "dialect", "terminal", "length", "insecure", "cacert",
	"write", "force", "json"}

// furtherKeys are the keys of a file that stand for a flag each, by their sections.
var furtherKeys = map[string]struct {
	key string
	tls bool
}{
	"error": {"error", false}, "sentinel": {"sentinel", false}, "sha256": {"sha256", false},
	"plain-path": {"plain_path", false}, "order": {"order", false}, "owner": {"owner", false},
	"longest": {"longest", false}, "silence": {"silence", false},
	"cert": {"cert", true}, "key": {"key", true}, "sni": {"sni", true},
}

// writable refuses, before anything is sent, a file that cannot be written, and flags that
// it would lose.
func (in *input) writable(path string, force bool) error {
	if in.file != "" {
		return &harness.UsageError{Place: "--write", Problem: "the app comes from " + in.file,
			Fix: "leave --write out, or name the app by its URL"}
	}
	if _, err := os.Stat(path); err == nil && !force {
		return &harness.UsageError{Place: path, Problem: "is already there",
			Fix: "name another with --write=FILE, or add --force"}
	}
	return in.writeFurther(&config.Start{})
}

// writeFurther puts what flags say beside the request into the file.
func (in *input) writeFurther(s *config.Start) (err error) {
	in.given.VisitAll(func(f *pflag.Flag) {
		to, known := furtherKeys[f.Name]
		switch {
		case !f.Changed || slices.Contains(kept, f.Name):
		case known && to.tls:
			s.TLS = append(s.TLS, to.key+": "+strconv.Quote(f.Value.String()))
		case known:
			s.Stream = append(s.Stream, to.key+": "+strconv.Quote(f.Value.String()))
		case f.Name == "no-follow":
			s.Stream = append(s.Stream, fmt.Sprintf("no_follow: %t", in.noFollow))
		case f.Name == "endless":
			e, bad := endless(in.endless)
			err = cmp.Or(err, bad)
			s.Stream = append(s.Stream, fmt.Sprintf("endless: {for: %v, events: %d}", e.For, e.Events))
		case f.Name == "resolve":
			s.TLS = append(s.TLS, "resolve: "+yamlList(in.resolve))
		case f.Name == "allow-host":
			s.AllowHosts = yamlList(in.allowHosts)
		case err == nil:
			err = &harness.UsageError{Place: "--" + f.Name, Problem: "--write does not put it into the file",
				Fix: "leave one of them out, and add it to the file by hand"}
		}
	})
	return err
}

func yamlList(list []string) string {
	var quoted []string
	for _, s := range list {
		quoted = append(quoted, strconv.Quote(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
