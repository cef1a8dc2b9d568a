package diagnose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A misframing is what a framework, or the code around it, does to the framing of
// events. The client alone can tell.
type misframing struct {
	fault     stream.Fault
	name, say string
	fix       string
}

var misframings = []misframing{
	{stream.PrefixTwice, FieldPrefixTwice,
		"%d streams contain the prefix of a field twice, as in data: data: {…}: something frames events that are already " +
			"framed",
		"frame events once: yield the data alone to what adds \"data: \" itself (sse-starlette's EventSourceResponse, a " +
			"gateway), or whole events to a plain streaming response"},
	{stream.Joined, EventsJoined,
		"the events of %d streams are not parted by a blank line, so that clients take several for one",
		"end each event with a blank line: data: …\\n\\n"},
	{stream.TerminalOpen, TerminalUnended,
		"the last event of %d streams, the terminal, has no blank line after it, which ends an event: clients that follow " +
			"the standard never see it",
		"end the last event like every other: data: [DONE]\\n\\n"},
	{stream.SecondReply, Spliced, "a second HTTP response stands inside the body of %d streams",
		"use an asynchronous worker, or a timeout above the longest stream; let one writer alone end a response"},
}

// misframed names what is wrong with the framing of events, on streams that came
// to their end.
func misframed(v *view) []*finding {
	var fs []*finding
	for _, m := range misframings {
		gs := v.take(func(g *verdict.Graded) bool {
			bad := g.Grade.Outcome == verdict.Corrupt && g.Grade.Ending != verdict.BadFraming ||
				g.Grade.Outcome == verdict.Truncated
			return bad && g.Content.Fault == m.fault && !g.Struck && !flipped(v, g)
		})
		if len(gs) == 0 {
			continue
		}
		f := found(m.name, layerApp, certain, gs).
			say(m.say, len(gs)).
			see(say(gs[0]), leftover(gs[0])).show(v.lastWord(gs[0])).
			notIf(m.fault == stream.TerminalOpen, CutInFrame, "the response ended properly, right behind the terminal").
			mend(m.fix)
		if m.fault == stream.SecondReply {
			v.whoReplied(f)
		}
		fs = append(fs, f)
	}
	return fs
}

// whoReplied says of a second response whether the app's exception called for it, as
// its log has it, or what runs the app wrote it for a reason of its own, such as a
// worker that took too long.
func (v *view) whoReplied(f *finding) {
	ms := v.matchDeaths(f.streams, diedByException)
	if len(v.tags[workerTimedOut]) > 0 || len(v.tags[workerAborted]) > 0 || len(ms) < len(f.streams) {
		f.Layer = layerManager
		return
	}
	f.say("the app raised on %d streams, and its server wrote a second HTTP response into the body that had begun",
		len(f.streams)).
		show(causesOfDeath(ms, 6)...).
		mend(v.fix(fixRaised))
}

// leftover quotes what no parser took.
func leftover(g *verdict.Graded) string {
	if g.Content.Leftover == "" {
		return ""
	}
	return fmt.Sprintf("stream %d, bytes that are no event: %q", g.Seq, g.Content.Leftover)
}

// splitCharacters is for U+FFFD side by side: certain only where the same app,
// asked directly, has none.
func splitCharacters(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool { return g.Content.Split > 0 && g.Grade.Outcome == verdict.Complete })
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	f := found(SplitCharacters, layerApp, possible, gs).
		say("%d answers hold U+FFFD side by side, as where somebody decodes a body piece by piece, and a character lies in "+
			"two pieces", len(gs)).
		see(fmt.Sprintf("stream %d: U+FFFD in %d events, side by side in %d", g.Seq, g.Content.Replaced, g.Content.Split)).
		mend("decode with a decoder that keeps the rest of a piece (codecs.getincrementaldecoder, TextDecoder with " +
			"{stream: true}, StringDecoder), or pass bytes through as they are").
		settle(v.peel("an app that has none when it is asked directly is not to blame"))
	if clean, scarred := v.Legibility(); g.Hop != "app" && clean > 0 && scarred == 0 {
		f.Layer, f.Confidence, f.Settle = layerEdge, certain, ""
		f.see(fmt.Sprintf("%d answers of the app asked directly hold none", clean)).not("the text of the answer",
			"asked directly, it holds no U+FFFD")
	}
	return one(f)
}

// unframedError is for streams that end without their terminal, and with bytes
// that are no event and read like an error.
func unframedError(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		short := g.Grade.Outcome == verdict.Truncated || g.Grade.Outcome == verdict.Aborted ||
			g.Grade.Outcome == verdict.Corrupt
		return short && !g.Struck && g.Contents > 0 && soundsLikeError(g.Content.Leftover)
	})
	if len(gs) == 0 {
		return nil
	}
	return one(found(UnframedError, layerApp, likely, gs).
		say("%d streams end with a text that is no event and reads like an error: clients drop it, and see an answer "+
			"that stops", len(gs)).
		see(leftover(gs[0]), say(gs[0]), framingLine(gs[0])).show(v.lastWord(gs[0])).
		not(SilentTruncation, "the server did say why, only not as an event").
		mend("send errors as events of the dialect once the head is out (data: {\"error\": …} and a blank line), or cut " +
			"the connection; look for the text in the logs of the app and of the edge"))
}

var (
	errorWords = regexp.MustCompile(`(?i)\b(?:error|exception|failed|failure|traceback|unavailable|timed? ?out|timeout|` +
		`denied|forbidden|unauthori[sz]ed|overloaded|rate limit|too many|bad gateway|aborted|refused|panic|fatal)`)
	fieldStart = regexp.MustCompile(`^(?:data|event|id|retry) ?:`)
)

// soundsLikeError reports whether bytes that are no event read like an error: a
// page, JSON with an error in it, or a text with the usual words.
func soundsLikeError(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" || fieldStart.MatchString(text) {
		return false
	}
	var o map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &o) == nil {
		for _, key := range []string{"error", "detail", "errors", "exception"} {
			if raw := o[key]; len(raw) > 2 && string(raw) != "null" {
				return true
			}
		}
	}
	return strings.HasPrefix(strings.ToLower(text), "<!doctype") || strings.HasPrefix(strings.ToLower(text), "<html") ||
		errorWords.MatchString(text)
}
