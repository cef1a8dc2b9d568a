package diagnose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	for _, find := range []func(*view) *finding{notAStream, wrongDialect, terminalUnmatched, terminalNotSent} {
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
	return g.Headers != record.Never && g.Status >= 200 && g.Status < 300 && g.Grade.Outcome != verdict.Cancelled && !g.Struck
}

// dialect is the plan's; its format is empty where the plan names none.
func (v *view) dialect() stream.Dialect {
	d, _ := stream.Lookup(v.Run.Plan.Dialect)
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
	return found(NotAStream, "X", layerApp, certain, gs).
		say("%d requests were answered with status %d and one document of type %s, not with a stream", len(gs), g.Status, g.ContentType).
		see(startLine(g), fmt.Sprintf("stream %d: Content-Type %s, %d bytes", g.Seq, g.ContentType, g.Bytes), v.lastWord(g)).
		not(SilentTruncation, "the body is whole by its own type; no event was ever begun").
		mend("ask for a stream: the right path and method, \"stream\": true in the body, Accept: text/event-stream; if the text above is an error, let the app send it with status 4xx or 5xx")
}

// isDocument reports whether the content type is one that no stream bears, and
// the body does not begin like a stream all the same.
func isDocument(g *verdict.Graded) bool {
	kind, _, _ := strings.Cut(strings.ToLower(g.ContentType), ";")
	switch strings.TrimSpace(kind) {
	case "application/json", "text/html", "text/plain", "application/problem+json":
		guess := guessDialect(g.Start)
		return guess == "" || guess == "ndjson-generic" && g.Wire.Framing == record.Length
	}
	return false
}

func startLine(g *verdict.Graded) string {
	if g.Start == "" {
		return ""
	}
	return fmt.Sprintf("stream %d begins: %s", g.Seq, g.Start)
}

// wrongDialect is for bodies of which no stream had a single content event,
// although they begin as another dialect's would.
func wrongDialect(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return answered200(g) && g.Contents == 0 && g.Start != "" && g.Grade.Outcome != verdict.FailedClean && g.Grade.Ending != verdict.BadFraming
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
	return found(WrongDialect, "X", layerHarness, confidence, gs).
		say("not one event of %d streams could be read as %s; the body looks like %s", len(gs), asked.Name, guess).
		see(startLine(gs[0]), fmt.Sprintf("stream %d: Content-Type %s", gs[0].Seq, orElse(gs[0].ContentType, "not set")), say(gs[0])).
		not(CorruptContent, "nothing could be read from the first byte on, on all streams alike").
		mend("--dialect " + guess + needsTerminal(guess))
}

func needsTerminal(dialect string) string {
	if d, ok := stream.Lookup(dialect); ok && d.NeedsTerminal {
		return " --terminal '…'   # the event that says that the answer is whole"
	}
	return ""
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
	case eventStart.MatchString(start) && (strings.Contains(start, `"choices"`) || strings.Contains(start, "chat.completion")):
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
// matched, although the streams ended properly, and all in the same way.
func terminalUnmatched(v *view) *finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return answered200(g) && g.Grade.Ending == verdict.CleanEOF && g.Partial == 0 && g.Content.LastEvent != ""
	})
	if len(gs) == 0 || !v.dialect().NeedsTerminal || v.anyTerminal() {
		return nil
	}
	gs, all := v.endAlike(gs)
	if len(gs) == 0 {
		return nil
	}
	last := gs[0].Content.LastEvent
	confidence, why := possible, "all streams end with the same event"
	if !all {
		why = "most streams end with the same event, as whole answers would"
	}
	if saysTheEnd(last) {
		confidence, why = likely, strings.Replace(why, "with the same event", "with an event that sounds like an end", 1)
	}
	return found(TerminalUnmatched, "X", layerHarness, confidence, gs).
		say("the terminal expression matched no event of any stream; %s: %s", why, last).
		see(fmt.Sprintf("last event of %d streams: %s", len(gs), last), framingLine(gs[0])).
		mend("if that event ends the answer: --terminal " + quoted(matching(last)) + "; if not, let the app send one that does").
		settle(v.rerun("--terminal " + quoted(matching(last))))
}

// matching is a terminal expression that matches an event, as far as its start
// tells: see [stream.ParseTerminal].
func matching(last string) string {
	if rest, ok := strings.CutPrefix(last, "event: "); ok {
		name, _, _ := strings.Cut(rest, ",")
		return "event == " + name
	}
	var o struct{ Type, Event string }
	switch err := json.Unmarshal([]byte(last), &o); {
	case err == nil && o.Type != "":
		return "json .type == " + o.Type
	case err == nil && o.Event != "":
		return "json .event == " + o.Event
	case !strings.ContainsAny(last, " {\"'"):
		return "data == " + last
	}
	return "…"
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

var numbers = regexp.MustCompile(`[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*`)

// outline is an event without the numbers and identifiers that vary.
func outline(event string) string { return numbers.ReplaceAllString(event, "0") }

var (
	endWords = regexp.MustCompile(`(?i)\b(?:done|end|ended|finish|finished|stop|stopped|complete|completed|final|closed?|eos)\b`)
	negated  = regexp.MustCompile(`"\w+"\s*:\s*(?:false|null)`)
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
	return found(TerminalNotSent, "X", layerApp, confidence, gs).
		say("%d answers say that they are over, and the terminal of %s does not follow: nothing was cut", len(gs), v.Run.Plan.Dialect).
		see(say(gs[0]), framingLine(gs[0]), v.lastWord(gs[0])).
		not(LaunderedByEdge, "a cut would not wait for the last word of the answer").
		not(SilentTruncation, "every choice has its finish_reason").
		mend("send data: [DONE] after the last chunk; or, if this API has no such sentinel, read it as such: --dialect sse-generic --terminal 'json .choices[0].finish_reason exists'")
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
