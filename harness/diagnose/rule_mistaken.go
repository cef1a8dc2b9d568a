package diagnose

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// mistaken explains streams that were asked or read in the wrong way: an answer
// that is no stream, a dialect or a terminal expression that fits nothing. The
// app is not blamed for what the user typed.
type mistaken struct{}

func (mistaken) match(v *view) []*finding {
	var fs []*finding
	for _, find := range []func(*view) *finding{formNotRead, notAStream, wrongDialect, terminalTooBroad,
		terminalUnmatched,
		terminalNotSent, finishedOpen, neverEnds} {
		if f := find(v); f != nil {
			fs = append(fs, f)
			v.explain(f)
		}
	}
	return fs
}

// answered200 holds for streams whose status promised an answer that nobody of
// ours cut short.
func answered200(g *verdict.Graded) bool {
	return g.Headers != record.Never && g.Status >= 200 && g.Status < 300 && g.Grade.Outcome != verdict.Cancelled &&
		!g.Struck
}

// dialect is the plan's; its format is empty where the plan names none.
func (v *view) dialect() stream.Dialect {
	d, _ := v.Run.Plan.ReadAs()
	return d
}

// notAStream is for a whole document under status 200 where a stream was asked.
func notAStream(v *view) *finding {
	if v.dialect().Format.Name == "text" {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool {
		alone := g.Contents == 0 || g.Contents == 1 && g.Wire.Framing == record.Length
		return answered200(g) && alone && isDocument(g)
	})
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	name := NotAStream
	text := documentError(g.Start)
	if text != "" {
		name = ErrorDocument
	}
	f := found(name, layerApp, certain, gs).
		tell(fact{Kind: FactDocument, N: len(gs), Need: g.Status, Text: cmp.Or(g.ContentType, "not set")})
	if text != "" {
		f.tell(fact{Kind: FactErrorDocument, N: len(gs), Need: g.Status, Text: text})
	}
	return f.see(startLine(g), fact{Kind: FactTypeAndBytes, Stream: g.Seq, Text: cmp.Or(g.ContentType, "not set"),
		Bytes: g.Bytes}).show(v.lastWord(g)).
		not(SilentTruncation, fact{Kind: NotBegun}).
		mend(fact{Kind: MendAskForStream})
}

// documentError is the text of an error that a document reports, "" if it does
// not.
func documentError(start string) string {
	var o struct {
		Error  json.RawMessage
		Detail json.RawMessage
	}
	if json.Unmarshal([]byte(start), &o) != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{o.Error, o.Detail} {
		var text string
		var inner struct{ Message string }
		switch {
		case json.Unmarshal(raw, &text) == nil && text != "":
			return text
		case json.Unmarshal(raw, &inner) == nil && inner.Message != "":
			return inner.Message
		case len(raw) > 2 && string(raw) != "null" && string(raw) != "false":
			return string(raw)
		}
	}
	return ""
}

// isDocument reports whether the content type is one that no stream bears, and
// the body does not begin like a stream all the same.
func isDocument(g *verdict.Graded) bool {
	if f := g.Content.Form; f == stream.FormJSON || f == stream.FormHTML {
		return true
	}
	kind, _, _ := strings.Cut(strings.ToLower(g.ContentType), ";")
	switch strings.TrimSpace(kind) {
	case "application/json", "text/html", "text/plain", "application/problem+json":
		guess := guessDialect(g.Start)
		return guess == "" || guess == "ndjson-generic" && g.Wire.Framing == record.Length
	}
	return false
}

func startLine(g *verdict.Graded) fact {
	if g.Start == "" {
		return fact{}
	}
	return fact{Kind: FactBegins, Stream: g.Seq, Text: g.Start}
}

// wrongDialect is for bodies of which no stream had a single content event,
// although they begin as another dialect's would.
func wrongDialect(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return answered200(g) && g.Contents == 0 && g.Start != "" && g.Grade.Outcome != verdict.FailedClean &&
			g.Grade.Ending != verdict.BadFraming
	})
	if len(gs) == 0 || v.anyContent() {
		return nil
	}
	guess, asked := guessDialect(gs[0].Start), v.dialect()
	if guess == "" || guess == asked.Name || strings.HasPrefix(asked.Name, "origin") {
		return nil
	}
	confidence := likely
	if d, _ := stream.Lookup(guess); d.Format.Name != asked.Format.Name {
		confidence = certain
	}
	return found(WrongDialect, layerHarness, confidence, gs).
		tell(fact{Kind: FactLooksLike, N: len(gs), Name: asked.Name, Text: guess}).
		see(startLine(gs[0]), fact{Kind: FactContentType, Stream: gs[0].Seq, Text: cmp.Or(gs[0].ContentType,
			"not set")},
			say(gs[0])).
		not(CorruptContent, fact{Kind: NotFromFirstByte}).
		mend(fact{Kind: MendGuessedDialect, Name: guess, About: needsTerminal(guess)})
}

func needsTerminal(dialect string) []fact {
	if d, ok := stream.Lookup(dialect); ok && d.NeedsTerminal {
		return []fact{{Kind: FactNeedsTerminal}}
	}
	return nil
}

// anyContent reports whether any stream of the scenario could be read.
func (v *view) anyContent() bool {
	for i := range v.Streams {
		if v.Streams[i].Contents > 0 || v.Streams[i].Content.Terminals > 0 {
			return true
		}
	}
	return false
}

var eventStart = regexp.MustCompile(`^(?:data|event|id|retry)?:`)

// guessDialect names the dialect whose bodies begin like this, or "".
func guessDialect(start string) string {
	start = strings.TrimSpace(strings.TrimPrefix(start, "\ufeff"))
	switch {
	case eventStart.MatchString(start) &&
		(strings.Contains(start, `"choices"`) && strings.Contains(start, `"delta"`) ||
			strings.Contains(start, "chat.completion")):
		return "openai-chat"
	case eventStart.MatchString(start):
		return "sse-generic"
	case strings.HasPrefix(start, "{") && strings.Contains(start, `"done":`) && strings.Contains(start, `"model":`):
		return "ollama"
	case strings.HasPrefix(start, "{"):
		return "ndjson-generic"
	}
	return ""
}

// terminalUnmatched is for a terminal expression that no event of the whole run
// matched, although most streams ended properly, and in the same way.
func terminalUnmatched(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return answered200(g) && g.Grade.Ending == verdict.CleanEOF && g.Partial == 0 && g.Content.LastEvent != ""
	})
	if len(gs) == 0 || !v.dialect().NeedsTerminal || v.anyTerminal() || v.Scenario.Policy.Feed > 0 {
		return nil
	}
	gs, all := v.endAlike(gs)
	if len(gs) == 0 {
		return nil
	}
	last := gs[0].Content.LastEvent
	confidence, why := possible, fact{Kind: FactAllEndAlike}
	if !all {
		why = fact{Kind: FactMostEndAlike}
	}
	if saysTheEnd(last) {
		confidence, why.Name = likely, "end"
	}
	f := found(TerminalUnmatched, layerHarness, confidence, gs).
		tell(fact{Kind: FactTerminalUnmatched, Text: last, About: []fact{why}}).
		see(fact{Kind: FactLastEventOf, N: len(gs), Text: last}, framingLine(gs[0]))
	ends := verdict.Ends(v.Run)
	if len(ends) == 0 {
		if confidence == possible {
			f.or(SilentTruncation, fact{Kind: MayStopShort})
			v.orByApp(f)
		}
		return f.mend(fact{Kind: MendNameTheEnd}).
			settle(fact{Kind: NextOneAnswer, About: []fact{v.rerun("--streams 1")}})
	}
	f.Confidence = likely
	return f.see(fact{Kind: FactMatchesEnds, Text: ends[0]}).
		or(SilentTruncation, fact{Kind: MayStopShort}).
		mend(fact{Kind: MendIfItEnds, Text: ends[0]}).
		settle(v.rerun("--terminal " + quoted(ends[0])))
}

// quoted puts an expression into quotes for the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// anyTerminal reports whether any stream of the run had its terminal.
func (v *view) anyTerminal() bool {
	return slices.ContainsFunc(v.Run.Streams, func(s record.Stream) bool { return s.Content.Terminals > 0 })
}

// endAlike are those of gs, which ended cleanly, that end with the same event as
// most answers of the scenario do; none where no event is the last of most. all
// says that every answer ends so.
func (v *view) endAlike(gs []*verdict.Graded) (alike []*verdict.Graded, all bool) {
	byEnd := map[string][]*verdict.Graded{}
	most := ""
	for _, g := range gs {
		end := outline(g.Content.LastEvent)
		if byEnd[end] = append(byEnd[end], g); len(byEnd[end]) > len(byEnd[most]) {
			most = end
		}
	}
	answers := 0
	for i := range v.Streams {
		if answered200(&v.Streams[i]) {
			answers++
		}
	}
	if alike = byEnd[most]; 2*len(alike) <= answers {
		return nil, false
	}
	return alike, len(alike) == answers
}

// terminalTooBroad is for a terminal expression that matches the middle as well as
// the end.
func terminalTooBroad(v *view) *finding {
	if !v.LooseTerminal() {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return g.Content.Early > 0 && g.Content.Errors == 0 })
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	f := found(TerminalTooBroad, layerHarness, certain, gs).
		tell(fact{Kind: FactTerminalTooBroad, N: len(gs)}).
		see(fact{Kind: FactMatchesEarly, Stream: g.Seq, N: g.Content.Early, Of: g.Frames - g.Heartbeats},
			fact{Kind: FactLastEvent, Text: g.Content.LastEvent}).
		not(TerminalTwice, fact{Kind: NotTwoTerminals})
	if ends := verdict.Ends(v.Run); len(ends) > 0 {
		return f.see(fact{Kind: FactMatchesEnds, Text: ends[0]}).
			mend(fact{Kind: MendTerminal, Text: ends[0]}).settle(v.rerun("--terminal " + quoted(ends[0])))
	}
	return f.mend(fact{Kind: MendExpression})
}

// formNotRead is for streams in a form that our dialect, or no dialect, reads.
func formNotRead(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Content.Form.Streams() && g.Status < 300 && !g.Struck
	})
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	dialect, terminal := g.Content.Form.ReadBy()
	name := WrongDialect
	if dialect == "" {
		name = FormNotRead
	}
	f := found(name, layerHarness, certain, gs).
		tell(record.Fact{Kind: FactMisread, N: len(gs), Name: v.Run.Plan.Dialect,
			About: []record.Fact{verdict.FormOf(g.Stream)}}).
		see(startLine(g), fact{Kind: FactContentType, Stream: g.Seq, Text: cmp.Or(g.ContentType, "not set")}).
		notIf(!v.anyContent(), CorruptContent, fact{Kind: NotReadAtAll})
	switch {
	case g.Content.Form == stream.FormEncoded:
		return f.mend(fact{Kind: MendIdentity})
	case dialect == "":
		return f.mend(fact{Kind: MendNoDialect})
	case terminal != "":
		return f.mend(fact{Kind: MendDialect, Name: dialect, Text: terminal})
	}
	return f.mend(fact{Kind: MendDialect, Name: dialect, About: needsTerminal(dialect)})
}

// feed reports whether a stream looks like one of a feed, which has no end that
// the user could have named.
func (v *view) feed(g *verdict.Graded) bool { return v.dialect().NeedsTerminal && v.Unending(g) }

// neverEnds is for streams that went on steadily until our own limit on their
// life, while none of the run came to an end.
func neverEnds(v *view) *finding {
	gs := v.take(v.feed)
	if len(gs) == 0 {
		return nil
	}
	g, read := gs[0], "--endless 10s,5"
	if limit := v.Scenario.Policy.TotalLimit; limit > 0 && limit <= 10*time.Second {
		read += " --total-limit 1m" // no stream is read for longer than that
	}
	return found(NeverEnds, layerHarness, likely, gs).
		tell(fact{Kind: FactNeverEnds, N: len(gs)}).
		see(fact{Kind: FactUntilLimit, Stream: g.Seq, N: g.Contents, Took: g.End - g.Send, Bound: g.End - g.Last}).
		not(StallInApp, fact{Kind: NotStalledAtLimit}).
		mend(fact{Kind: MendEndless}).
		settle(v.rerun(read))
}

var numbers = regexp.MustCompile(`[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*`)

// outline is an event without the numbers and identifiers that vary.
func outline(event string) string { return numbers.ReplaceAllString(event, "0") }

var (
	endWords = regexp.MustCompile(`(?i)\b(?:done|end|ended|finish|finished|stop|stopped|complete|completed|final|` +
		`closed?|eos)\b`)
	negated = regexp.MustCompile(`"\w+"\s*:\s*(?:false|null)`)
)

// saysTheEnd reports whether an event sounds like the end of an answer.
func saysTheEnd(event string) bool { return endWords.MatchString(negated.ReplaceAllString(event, "")) }

// terminalNotSent is for answers that are over by their own word and lack only
// the sentinel: nothing was cut.
func terminalNotSent(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Truncated && g.Content.Finished && g.Partial == 0 && !g.Struck
	})
	if len(gs) == 0 {
		return nil
	}
	confidence := likely
	if len(v.outcomes(verdict.Complete)) == 0 {
		confidence = certain
	}
	return found(TerminalNotSent, layerApp, confidence, gs).
		tell(fact{Kind: FactTerminalNotSent, N: len(gs), Name: v.Run.Plan.Dialect}).
		see(say(gs[0]), reasonLine(gs[0]), framingLine(gs[0])).show(v.lastWord(gs[0])).
		not(LaunderedByEdge, fact{Kind: NotLastWord}).
		not(SilentTruncation, fact{Kind: NotReasonGiven}).
		mend(v.sendTerminal())
}

// reasonLine is the reason that an answer gave for its end.
func reasonLine(g *verdict.Graded) fact {
	if g.Content.Reason == "" {
		return fact{}
	}
	return fact{Kind: FactReasonGiven, Stream: g.Seq, Text: g.Content.Reason}
}

// sendTerminal is how to have an answer without its terminal read, or mended.
func (v *view) sendTerminal() fact {
	if v.Run.Plan.Dialect == "ollama" {
		return fact{Kind: MendDone}
	}
	return fact{Kind: MendSentinel}
}

// finishedOpen is for answers that are over by their own word, and whose
// connection then stays open without a terminal.
func finishedOpen(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Stalled && g.Content.Finished && g.Partial == 0 && !g.Struck
	})
	if len(gs) == 0 {
		return nil
	}
	return found(MissingTerminal, layerApp, certain, gs).
		tell(fact{Kind: FactFinishedOpen, N: len(gs), Name: v.Run.Plan.Dialect}).
		see(say(gs[0]), reasonLine(gs[0]), fact{Kind: FactOpenAfter, Stream: gs[0].Seq,
			Took: gs[0].End - gs[0].Last}).show(v.lastWord(gs[0])).
		not(BlockedLoop, fact{Kind: NotOnlyTerminal}).
		not(StallInApp, fact{Kind: NotReasonGiven})
}

// outcomes are the streams of the scenario with an outcome.
func (v *view) outcomes(o verdict.Outcome) []*verdict.Graded {
	var out []*verdict.Graded
	for i := range v.Streams {
		if g := &v.Streams[i]; g.Grade.Outcome == o {
			out = append(out, g)
		}
	}
	return out
}
