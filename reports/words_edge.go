package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// edgeSummary says in one line what an edge does.
func edgeSummary(p *record.EdgeProbe) string {
	parts := slices.Concat(edgeFates(p), exposure(p), smallEvents(p))
	return "this edge " + strings.Join(parts, "; ")
}

// edgeVerbs are how fates read after "this edge", the worst first.
var edgeVerbs = []struct {
	fate record.EdgeFate
	verb string
}{
	{record.EdgeLaundered, "launders %s (the cut arrives as a complete response)"},
	{record.EdgeSilent, "leaves %s close-delimited (no client can tell the cut from an end)"},
	{record.EdgeAltered, "turns %s into something else"},
	{record.EdgeHung, "leaves the client waiting after %s"},
	{record.EdgeError, "answers %s with an error status"},
	{record.EdgeNoAnswer, "drops %s without an answer"},
}

// edgeFates groups the trials by what became of them, the worst first.
func edgeFates(p *record.EdgeProbe) []string {
	var parts []string
	for _, v := range edgeVerbs {
		if of := trialsOf(p, v.fate); len(of) > 0 {
			parts = append(parts, fmt.Sprintf(v.verb, strings.Join(of, " and ")))
		}
	}
	if n := len(trialsOf(p, record.EdgeCut)); n > 0 && len(parts) == 0 {
		parts = append(parts, "passes every cut on")
	} else if n > 0 {
		parts = append(parts, "passes other cuts on")
	}
	for i := range p.Trials {
		if p.Trials[i].Extra > 0 {
			return append(parts, "adds text of its own to what it launders")
		}
	}
	return parts
}

// trialsOf lists the trials with that fate. A whole answer is no cut.
func trialsOf(p *record.EdgeProbe, f record.EdgeFate) []string {
	var of []string
	for i := range p.Trials {
		if t := &p.Trials[i]; t.Fate == f && (t.End != record.CloseNone || f != record.EdgeCut) {
			of = append(of, "a "+t.String())
		}
	}
	return of
}

// exposure says whether an app that follows the protocol meets the worst row: a
// server must not send chunks to an HTTP/1.0 client (RFC 9112 section 6.1), so
// that all of its streams end with the connection.
func exposure(p *record.EdgeProbe) []string {
	t := p.Trial(record.CloseDelimited, record.CloseFIN)
	if p.Upstream != "HTTP/1.0" || t == nil || !t.Harmful() {
		return nil
	}
	return []string{"it speaks HTTP/1.0 to the app, so that every stream is close-delimited"}
}

// slowEvent is the least delay of an event that is worth a word.
const slowEvent = 20 * time.Millisecond

// smallEvents says how small events pass.
func smallEvents(p *record.EdgeProbe) []string {
	chunked, closing := p.Trial(record.Chunked, record.CloseNone), p.Trial(record.CloseDelimited, record.CloseFIN)
	if chunked == nil || closing == nil {
		return nil
	}
	a, b := trialPace(chunked), trialPace(closing)
	switch {
	case a == "" || b == "":
		return nil
	case (chunked.Delay < slowEvent) == (closing.Delay < slowEvent) && *chunked.Live && *closing.Live:
		return []string{"small events " + a}
	case a == b:
		return []string{"small events " + a}
	}
	return []string{"small events " + a + " in a chunked body, " + b + " in a close-delimited one"}
}

func trialPace(t *record.EdgeTrial) string {
	switch {
	case t.Live == nil:
		return ""
	case !*t.Live:
		return "are held back"
	case t.Delay >= slowEvent:
		return fmt.Sprintf("pass one by one, each %d ms late", t.Delay.Milliseconds())
	}
	return "pass live"
}
