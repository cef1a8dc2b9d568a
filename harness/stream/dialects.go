package stream

// Dialects lists all dialects, in the order in which a user should read them.
// The slice is the caller's.
func Dialects() []Dialect {
	return []Dialect{
		{
			Name:   "origin",
			Doc:    "our own server over SSE: event \"done\" declares the number of events and the CRC-32C of their text, and every event bears number and nonce",
			Format: SSE, New: newOrigin,
		},
		{
			Name:   "origin-ndjson",
			Doc:    "our own server over NDJSON: the line of type \"done\" declares the number of events and the CRC-32C of their text",
			Format: NDJSON, New: newOriginLines,
		},
		{
			Name:   "openai-chat",
			Doc:    "OpenAI chat completions: every choice has its finish_reason, then data: [DONE]",
			Format: SSE, New: newOpenAI,
		},
		{
			Name:   "ollama",
			Doc:    "Ollama's native API: the last line has \"done\": true",
			Format: NDJSON, New: newOllama,
		},
		{
			Name:   "sse-generic",
			Doc:    "any SSE: the event that the terminal expression matches",
			Format: SSE, NeedsTerminal: true, New: newGenericSSE,
		},
		{
			Name:   "ndjson-generic",
			Doc:    "any NDJSON: the line that the terminal expression matches",
			Format: NDJSON, NeedsTerminal: true, New: newGenericLines,
		},
		{
			Name:   "text",
			Doc:    "plain text: a declared end sentinel, length or SHA-256; without one the answer is unprovable",
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
