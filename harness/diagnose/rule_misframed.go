package diagnose

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A misframing is what a framework, or the code around it, does to the framing of
// events. The client alone can tell.
type misframing struct {
	fault      stream.Fault
	name       string
	tell, mend record.FactKind
}

var misframings = []misframing{
	{stream.PrefixTwice, FieldPrefixTwice, FactPrefixTwice, MendFrameOnce},
	{stream.Joined, EventsJoined, FactJoined, MendPartEvents},
	{stream.TerminalOpen, TerminalUnended, FactTerminalOpen, MendEndTerminal},
	{stream.SecondReply, Spliced, FactSpliced, MendOneWriter},
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
			tell(fact{Kind: m.tell, N: len(gs)}).
			see(say(gs[0]), leftover(gs[0])).show(v.lastWord(gs[0])).
			notIf(m.fault == stream.TerminalOpen, CutInFrame, fact{Kind: NotCutBehindTerminal}).
			mend(fact{Kind: m.mend})
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
	f.tell(fact{Kind: FactSecondReply, N: len(f.streams)}).
		show(causesOfDeath(ms, 6)...).
		mend(v.remedyInApp(AppRaised))
}

// leftover quotes what no parser took.
func leftover(g *verdict.Graded) fact {
	if g.Content.Leftover == "" {
		return fact{}
	}
	return fact{Kind: FactLeftover, Stream: g.Seq, Text: g.Content.Leftover}
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
		tell(fact{Kind: FactSplitHeld, N: len(gs)}).
		see(fact{Kind: FactReplaced, Stream: g.Seq, N: g.Content.Replaced, Of: g.Content.Split}).
		mend(fact{Kind: MendDecoder}).
		settle(v.peel(fact{Kind: WhyNotToBlame}))
	if clean, scarred := v.Legibility(); g.Hop != "app" && clean > 0 && scarred == 0 {
		f.Layer, f.Confidence, f.Next = layerEdge, certain, nil
		f.see(fact{Kind: FactDirectNone, N: clean}).not("the text of the answer",
			fact{Kind: NotInText})
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
		tell(fact{Kind: FactErrorText, N: len(gs)}).
		see(leftover(gs[0]), say(gs[0]), framingLine(gs[0])).show(v.lastWord(gs[0])).
		not(SilentTruncation, fact{Kind: NotUnsaid}).
		mend(fact{Kind: MendErrorEvents}))
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
