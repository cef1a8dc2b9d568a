package record

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An EdgeProbe says what an edge does to answers that break off behind it, and
// whether small events pass through it as they are written.
type EdgeProbe struct {
	Scenario string `json:"-" cbor:"1,keyasint,omitempty"`
	Edge     string `json:"edge" cbor:"2,keyasint,omitempty"` // "nginx 1.22.1, form default"
	// Upstream is the protocol that it speaks to the app: "HTTP/1.0".
	Upstream string        `json:"upstream,omitempty" cbor:"3,keyasint,omitempty"`
	Events   int           `json:"events" cbor:"4,keyasint,omitempty"` // sent in each trial
	Gap      time.Duration `json:"gap_ns" cbor:"5,keyasint,omitempty"` // between them
	Trials   []EdgeTrial   `json:"trials" cbor:"6,keyasint,omitempty"`
}

// An EdgeTrial is one answer sent through an edge.
type EdgeTrial struct {
	// Framing and End are what the edge was given. End is CloseNone for an answer
	// that is whole.
	Framing Framing `json:"framing" cbor:"1,keyasint,omitempty"`
	End     Close   `json:"end,omitempty" cbor:"2,keyasint,omitempty"`
	// Fate is what the client was given, Why the same in the client's terms.
	Fate   EdgeFate `json:"fate" cbor:"3,keyasint,omitempty"`
	Why    string   `json:"why" cbor:"4,keyasint,omitempty"`
	Events int      `json:"events" cbor:"5,keyasint,omitempty"` // that arrived
	// Extra counts bytes at the end that the app did not send.
	Extra int `json:"extra,omitempty" cbor:"6,keyasint,omitempty"`
	// Live says that events arrived apart, as they were written; nil where too few
	// came to tell. Delay is the median time from writing to arrival.
	Live  *bool         `json:"live,omitempty" cbor:"7,keyasint,omitempty"`
	Delay time.Duration `json:"delay_ns" cbor:"8,keyasint,omitempty"`
}

// An EdgeFate is what became of an answer on its way through an edge.
type EdgeFate string

const (
	EdgeWhole     EdgeFate = "whole"        // as it was sent
	EdgeCut       EdgeFate = "cut"          // passed on: every client can tell
	EdgeLaundered EdgeFate = "laundered"    // a cut that arrives as a complete response
	EdgeSilent    EdgeFate = "silent"       // close-delimited: its cut looks like its end
	EdgeError     EdgeFate = "error status" // the edge answered itself
	EdgeAltered   EdgeFate = "altered"      // other bytes than were sent
	EdgeHung      EdgeFate = "left open"    // the client was told nothing
	EdgeNoAnswer  EdgeFate = "no answer"    // cut before the response head
)

// Trial returns the trial of that framing and ending, nil if there was none.
func (p *EdgeProbe) Trial(f Framing, end Close) *EdgeTrial {
	for i := range p.Trials {
		if t := &p.Trials[i]; t.Framing == f && t.End == end {
			return t
		}
	}
	return nil
}

// Harmful reports whether a client can take a cut answer for a whole one.
func (t *EdgeTrial) Harmful() bool { return t.Fate == EdgeLaundered || t.Fate == EdgeSilent }

// String reads "close-delimited body ended by FIN".
func (t *EdgeTrial) String() string {
	body := map[Framing]string{Chunked: "chunked body", CloseDelimited: "close-delimited body",
		Length: "body with a Content-Length"}[t.Framing]
	if t.End == CloseNone {
		return "whole " + body
	}
	return body + " ended by " + strings.ToUpper(string(t.End))
}

// Summary says in one line what the edge does.
func (p *EdgeProbe) Summary() string {
	parts := slices.Concat(p.fates(), p.exposure(), p.pace())
	return "this edge " + strings.Join(parts, "; ")
}

// verbs are how fates read after "this edge", the worst first.
var verbs = []struct {
	fate EdgeFate
	verb string
}{
	{EdgeLaundered, "launders %s (the cut arrives as a complete response)"},
	{EdgeSilent, "leaves %s close-delimited (no client can tell the cut from an end)"},
	{EdgeAltered, "turns %s into something else"},
	{EdgeHung, "leaves the client waiting after %s"},
	{EdgeError, "answers %s with an error status"},
	{EdgeNoAnswer, "drops %s without an answer"},
}

// fates groups the trials by what became of them, the worst first.
func (p *EdgeProbe) fates() []string {
	var parts []string
	for _, v := range verbs {
		if of := p.that(v.fate); len(of) > 0 {
			parts = append(parts, fmt.Sprintf(v.verb, strings.Join(of, " and ")))
		}
	}
	if n := len(p.that(EdgeCut)); n > 0 && len(parts) == 0 {
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

// that lists the trials with that fate. A whole answer is no cut.
func (p *EdgeProbe) that(f EdgeFate) []string {
	var of []string
	for i := range p.Trials {
		if t := &p.Trials[i]; t.Fate == f && (t.End != CloseNone || f != EdgeCut) {
			of = append(of, "a "+t.String())
		}
	}
	return of
}

// exposure says whether an app that follows the protocol meets the worst row: a
// server must not send chunks to an HTTP/1.0 client (RFC 9112 section 6.1), so
// that all of its streams end with the connection.
func (p *EdgeProbe) exposure() []string {
	t := p.Trial(CloseDelimited, CloseFIN)
	if p.Upstream != "HTTP/1.0" || t == nil || !t.Harmful() {
		return nil
	}
	return []string{"it speaks HTTP/1.0 to the app, so that every stream is close-delimited"}
}

// slow is the least delay of an event that is worth a word.
const slow = 20 * time.Millisecond

// pace says how small events pass.
func (p *EdgeProbe) pace() []string {
	chunked, closing := p.Trial(Chunked, CloseNone), p.Trial(CloseDelimited, CloseFIN)
	if chunked == nil || closing == nil {
		return nil
	}
	a, b := chunked.pace(), closing.pace()
	switch {
	case a == "" || b == "":
		return nil
	case (chunked.Delay < slow) == (closing.Delay < slow) && *chunked.Live && *closing.Live:
		return []string{"small events " + a}
	case a == b:
		return []string{"small events " + a}
	}
	return []string{"small events " + a + " in a chunked body, " + b + " in a close-delimited one"}
}

func (t *EdgeTrial) pace() string {
	switch {
	case t.Live == nil:
		return ""
	case !*t.Live:
		return "are held back"
	case t.Delay >= slow:
		return fmt.Sprintf("pass one by one, each %d ms late", t.Delay.Milliseconds())
	}
	return "pass live"
}
