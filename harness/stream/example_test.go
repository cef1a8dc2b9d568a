package stream_test

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/stream"
)

// A printer is a sink that prints what its reader makes of each frame.
type printer struct{ r stream.Reader }

func (p printer) Frame(f *stream.Frame) { fmt.Printf("%s %q\n", p.r.Read(f).Kind, f.Data) }

// However the network cuts the bytes, the same frames come out.
func Example() {
	dialect, _ := stream.Lookup("openai-chat")
	decoder := dialect.Format.New(stream.Limits{})
	sink := printer{dialect.New(stream.Ask{})}
	for _, read := range []string{": ping\n\ndata: {\"choi", "ces\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\nda", "ta: [DO"} {
		if err := decoder.Push([]byte(read), sink); err != nil {
			fmt.Println(err)
		}
	}
	summary := sink.r.Close(decoder.Close(sink))
	fmt.Printf("%s: %s\n", summary.State, summary.Why)
	// Output:
	// heartbeat "ping"
	// content "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}"
	// truncated frame: ends 9 bytes into a frame
}

func ExampleParseTerminal() {
	m, err := stream.ParseTerminal(`json .type in (message_stop, response.completed)`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Match(&stream.Frame{Data: []byte(`{"type":"content_block_delta"}`)}))
	fmt.Println(m.Match(&stream.Frame{Data: []byte(`{"type":"message_stop"}`)}))

	_, err = stream.ParseTerminal(`dta == [DONE]`)
	fmt.Println(err)
	// Output:
	// false
	// true
	// parse expression "dta == [DONE]": column 1: unknown subject "dta": did you mean data?
}

func ExampleDialects() {
	for _, d := range stream.Dialects() {
		fmt.Println(d.Name)
	}
	// Output:
	// origin
	// origin-ndjson
	// openai-chat
	// openai-responses
	// azure-openai
	// anthropic-messages
	// gemini
	// mistral
	// cohere
	// bedrock-eventstream
	// ollama
	// vllm
	// litellm
	// vercel-ui
	// ag-ui
	// langserve
	// mcp
	// llamaindex-text
	// sse-generic
	// ndjson-generic
	// text
}
