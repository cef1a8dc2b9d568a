package origin

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// An encoder writes the frames of one stream. Each method but contentType
// appends one frame to p.buf; one that the format does not have appends nothing.
type encoder interface {
	contentType() string
	// role is what comes before the first event.
	role(p *packet)
	event(p *packet, seq int, text []byte)
	ping(p *packet)
	done(p *packet, events int, sum uint32)
	fail(p *packet, message string)
	// whole is the answer in one piece.
	whole(p *packet, events int, sum uint32, text []byte)
	wholeType() string
}

// A speaker is who a stream's frames say that they come from.
type speaker struct {
	nonce string // as a JSON string, quotes included
	pid   int
}

var formats = map[string]func(speaker) encoder{
	"sse":         func(s speaker) encoder { return &sse{s} },
	"ndjson":      func(s speaker) encoder { return &ndjson{s} },
	"text":        func(speaker) encoder { return text{} },
	"openai-chat": func(s speaker) encoder { return &openai{s} },
	"ollama":      func(speaker) encoder { return ollama{} },
}

// Formats lists the formats that an answer can have.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// quote returns s as a JSON string.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string cannot fail
	return string(b)
}

func (p *packet) add(s string) { p.buf = append(p.buf, s...) }
func (p *packet) addInt(n int) { p.buf = strconv.AppendInt(p.buf, int64(n), 10) }

// addSum writes a checksum as eight hex digits.
func (p *packet) addSum(sum uint32) {
	for shift := 28; shift >= 0; shift -= 4 {
		p.buf = append(p.buf, "0123456789abcdef"[sum>>shift&15])
	}
}
