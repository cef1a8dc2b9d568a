package stream

// Dialects lists all dialects, in the order in which a user should read them.
// The slice is the caller's.
func Dialects() []Dialect {
	return []Dialect{
		{
			Name:   "origin",
			Doc:    "our own server over SSE: event \"done\" declares the number of events and the CRC-32C of their text, and every event bears number and nonce",
			Proves: "every event bears its number and the stream's nonce: loss, duplicates, order and foreign content are all proved",
			Format: SSE, New: newOrigin,
		},
		{
			Name:   "origin-ndjson",
			Doc:    "our own server over NDJSON: the line of type \"done\" declares the number of events and the CRC-32C of their text",
			Proves: "every event bears its number and the stream's nonce: loss, duplicates, order and foreign content are all proved",
			Format: NDJSON, New: newOriginLines,
		},
		{
			Name:   "openai-chat",
			Doc:    "OpenAI chat completions: every choice has its finish_reason, then data: [DONE]",
			Proves: "the end is proved; events bear no number, so one that was lost, sent twice or out of order in the middle is not found",
			Format: SSE, New: newOpenAI,
		},
		{
			Name:   "ollama",
			Doc:    "Ollama's native API: the last line has \"done\": true",
			Proves: "the end is proved; events bear no number, so one that was lost, sent twice or out of order in the middle is not found",
			Format: NDJSON, New: newOllama,
		},
		{
			Name:   "sse-generic",
			Doc:    "any SSE: the event that the terminal expression matches",
			Proves: "the end is proved by your terminal expression; nothing is known about the order of events, lost or repeated ones",
			Format: SSE, NeedsTerminal: true, New: newGenericSSE,
		},
		{
			Name:   "ndjson-generic",
			Doc:    "any NDJSON: the line that the terminal expression matches",
			Proves: "the end is proved by your terminal expression; nothing is known about the order of events, lost or repeated ones",
			Format: NDJSON, NeedsTerminal: true, New: newGenericLines,
		},
		{
			Name:   "text",
			Doc:    "plain text: a declared end sentinel, length or SHA-256; without one the answer is unprovable",
			Proves: "the end is proved by sentinel or length, the whole text by SHA-256 alone; there are no events to count",
			Format: Text, New: newText,
		},
	}
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
