package record

import (
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
