package verdict

import _ "embed" // for the schemas

// VerdictSchema and StreamsSchema are the JSON Schemas of verdict.json and of
// one line of streams.jsonl. They are generated from [Report] and [Row], and a
// test holds them against both.
var (
	//go:embed schema/verdict.schema.json
	VerdictSchema []byte
	//go:embed schema/streams.schema.json
	StreamsSchema []byte
)
