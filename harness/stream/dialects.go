package stream

// Dialects lists all dialects, in the order in which a user should read them.
// The slice is the caller's.
func Dialects() []Dialect {
	own := []Dialect{
		{
			Name:   "origin",
			Doc:    "our own server over SSE: event \"done\" declares the number of events and the CRC-32C of their text, and every event has its number and nonce",
			Proves: "every event has its number and the stream's nonce: loss, duplicates, order and foreign content are all proved",
			Format: SSE, New: newOrigin,
		},
		{
			Name:   "origin-ndjson",
			Doc:    "our own server over NDJSON: the line of type \"done\" declares the number of events and the CRC-32C of their text",
			Proves: "every event has its number and the stream's nonce: loss, duplicates, order and foreign content are all proved",
			Format: NDJSON, New: newOriginLines,
		},
	}
	return append(own, known()...)
}

// Lookup returns the dialect called name.
func Lookup(name string) (Dialect, bool) {
	for _, d := range Dialects() {
		if d.Name == name {
			return d, true
		}
	}
	return Dialect{}, false
}
