package stream

import (
	"slices"
	"sync"
)

// Dialects lists all dialects, in the order in which a user should read them.
// The slice is the caller's.
func Dialects() []Dialect { return slices.Clone(all()) }

// all are the dialects of our own server, which are written in Go, and those that
// are data.
var all = sync.OnceValue(func() []Dialect {
	const proves = "every event has its number and the stream's nonce: loss, duplicates, order and foreign content are " +
		"all proved"
	own := []Dialect{
		{
			Name: "origin",
			Doc: "our own server over SSE: event \"done\" declares the number of events and the CRC-32C of their text, and " +
				"every event has its number and nonce",
			Proves: proves,
			Format: SSE, New: newOrigin, says: originSays,
			Accept: "text/event-stream", Media: []string{"text/event-stream"},
		},
		{
			Name: "origin-ndjson",
			Doc: "our own server over NDJSON: the line of type \"done\" declares the number of events and the CRC-32C of " +
				"their text",
			Proves: proves,
			Format: NDJSON, New: newOriginLines, says: originSays,
			Accept: "application/x-ndjson", Media: []string{"application/x-ndjson"},
		},
	}
	return append(own, known()...)
})

// originSays is where our own server's events hold their text.
var originSays = &says{rules: []sayRule{{path: []step{{name: "text", index: -1}}}}}

// Lookup returns the dialect called name.
func Lookup(name string) (Dialect, bool) { return among(all(), name) }
