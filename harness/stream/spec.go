package stream

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"reflect"
	"sync"
)

// A Spec is a dialect as data: the facts of its wire. [Spec.Compile] makes a
// [Dialect] of it. Those that we know are JSON files in the folder dialects; users
// write the same keys in YAML.
//
// A rule says what an event must hold, in one of three ways:
//
//	.delta.text                          a value is there, and it is not empty
//	json .type == message_stop           an expression, see [ParseTerminal]
//	.delta when json .type == text       both
//
// A path is made of .name, .*, [0] and []: .* are the members that no other path of
// the dialect names, [] all elements of an array, and . alone is the whole value.
// Empty are null, false, "", [] and {}.
type Spec struct {
	Name   string   `json:"name" yaml:"name" jsonschema:"required,pattern=^[a-z][a-z0-9-]*$" jsonschema_description:"Names the dialect: small letters, digits and dashes."`
	Like   string   `json:"like,omitempty" yaml:"like,omitempty" jsonschema_description:"A dialect whose facts hold where this one says nothing."`
	Doc    string   `json:"doc,omitempty" yaml:"doc,omitempty" jsonschema_description:"One sentence: what proves that an answer is complete."`
	Proves string   `json:"proves,omitempty" yaml:"proves,omitempty" jsonschema_description:"One sentence: what is known about lost, repeated and reordered events."`
	Source []string `json:"source,omitempty" yaml:"source,omitempty" jsonschema_description:"Where the format is documented."`
	Format []string `json:"format,omitempty" yaml:"format,omitempty" jsonschema_description:"How events are framed: sse, sse-named (events without data count), ndjson, json-array, prefixed-lines, aws-eventstream or text. Where several are given, the first bytes of an answer tell."`
	Accept string   `json:"accept,omitempty" yaml:"accept,omitempty" jsonschema_description:"The media type that a client asks for."`
	Media  []string `json:"media,omitempty" yaml:"media,omitempty" jsonschema_description:"The media types that answers have."`
	Data   string   `json:"data,omitempty" yaml:"data,omitempty" jsonschema:"enum=object,enum=json,enum=any" jsonschema_description:"What every event holds: a JSON object (the default), any JSON, or anything."`

	Content   []string `json:"content,omitempty" yaml:"content,omitempty" jsonschema_description:"Rules for events with a part of the answer."`
	Reasoning []string `json:"reasoning,omitempty" yaml:"reasoning,omitempty" jsonschema_description:"Rules for the model's reasoning."`
	Tool      []string `json:"tool,omitempty" yaml:"tool,omitempty" jsonschema_description:"Rules for tool calls."`
	Refusal   []string `json:"refusal,omitempty" yaml:"refusal,omitempty" jsonschema_description:"Rules for a refusal by the model."`
	Meta      []string `json:"meta,omitempty" yaml:"meta,omitempty" jsonschema_description:"Rules for events without content that another rule would take for content."`
	Heartbeat []string `json:"heartbeat,omitempty" yaml:"heartbeat,omitempty" jsonschema_description:"Rules for events that only keep the connection open, beside comments and events that are named ping."`
	Terminal  []string `json:"terminal,omitempty" yaml:"terminal,omitempty" jsonschema_description:"Rules for the last event of a complete answer; the word finish stands for the event with which every choice has its finish reason."`
	Sentinel  string   `json:"sentinel,omitempty" yaml:"sentinel,omitempty" jsonschema_description:"The data of the last event where they are no JSON, such as [DONE]."`
	Trailer   string   `json:"trailer,omitempty" yaml:"trailer,omitempty" jsonschema_description:"The data of an event that may follow the terminal and proves nothing by itself, such as [DONE]."`
	Error     []string `json:"error,omitempty" yaml:"error,omitempty" jsonschema_description:"Rules for events that say that the answer failed, beside events that are named error."`
	ErrorText []string `json:"error_text,omitempty" yaml:"error_text,omitempty" jsonschema_description:"Paths to the text of such an event."`

	Choices *Choices `json:"choices,omitempty" yaml:"choices,omitempty" jsonschema_description:"Where an answer may have several choices: it is complete when each has its finish reason."`
	Finish  []string `json:"finish,omitempty" yaml:"finish,omitempty" jsonschema_description:"Paths to the finish reason."`
	Failing []string `json:"failing,omitempty" yaml:"failing,omitempty" jsonschema_description:"Finish reasons that name a failure, beside those that end in error, abort or the like."`
	Over    string   `json:"over,omitempty" yaml:"over,omitempty" jsonschema_description:"What is said of an answer that has its finish reason and lacks its terminal."`
	Usage   Tokens   `json:"usage,omitempty" yaml:"usage,omitempty" jsonschema_description:"Where events tell the number of tokens; the last value counts."`

	Order string `json:"order,omitempty" yaml:"order,omitempty" jsonschema_description:"Path to the number of an event; each is one more than the one before."`
	Emit  string `json:"emit,omitempty" yaml:"emit,omitempty" jsonschema_description:"Path to the server's time of writing, as in RFC 3339."`
	Label string `json:"label,omitempty" yaml:"label,omitempty" jsonschema_description:"Path to the label that streamproof's own server adds."`

	Nest []Level `json:"nest,omitempty" yaml:"nest,omitempty" jsonschema_description:"Events that open and close something; wrong nesting makes an answer corrupt."`
	By   string  `json:"nest_by,omitempty" yaml:"nest_by,omitempty" jsonschema_description:"Where the name of an event stands: event (of SSE, the default) or a path."`

	Own   []string `json:"own,omitempty" yaml:"own,omitempty" jsonschema_description:"Rules for events of this API, whatever they mean; a path need only be there. For recognition."`
	Marks []string `json:"marks,omitempty" yaml:"marks,omitempty" jsonschema_description:"Expressions that hold for this dialect and no other. For recognition."`
}

// Choices are the alternatives of one answer.
type Choices struct {
	At     string `json:"at" yaml:"at" jsonschema:"required" jsonschema_description:"Path to their array, such as .choices"`
	Index  string `json:"index" yaml:"index" jsonschema_description:"Path to the index inside of one, such as .index"`
	Finish string `json:"finish" yaml:"finish" jsonschema_description:"Path to the finish reason inside of one, such as .finish_reason"`
}

// Tokens are paths to counts of tokens.
type Tokens struct {
	Input     []string `json:"input,omitempty" yaml:"input,omitempty" jsonschema_description:"Tokens of the request."`
	Output    []string `json:"output,omitempty" yaml:"output,omitempty" jsonschema_description:"Tokens of the answer."`
	Reasoning []string `json:"reasoning,omitempty" yaml:"reasoning,omitempty" jsonschema_description:"Tokens of the reasoning."`
}

// A Level is one kind of thing that events open and close.
type Level struct {
	Name    string   `json:"name" yaml:"name" jsonschema:"required" jsonschema_description:"What is opened, such as message."`
	In      string   `json:"in,omitempty" yaml:"in,omitempty" jsonschema_description:"The level that it stands in."`
	Key     []string `json:"key,omitempty" yaml:"key,omitempty" jsonschema_description:"Paths to what tells several of a kind apart, such as .index"`
	Open    []string `json:"open,omitempty" yaml:"open,omitempty" jsonschema_description:"Names of the events that open it."`
	Close   []string `json:"close,omitempty" yaml:"close,omitempty" jsonschema_description:"Names of the events that close it."`
	Ends    []string `json:"ends,omitempty" yaml:"ends,omitempty" jsonschema_description:"Names of the events that close it with whatever is open inside of it."`
	Holds   []string `json:"holds,omitempty" yaml:"holds,omitempty" jsonschema_description:"Names of the events that stand inside of it."`
	Implied bool     `json:"implied,omitempty" yaml:"implied,omitempty" jsonschema_description:"An event inside opens it as well."`
	Again   bool     `json:"again,omitempty" yaml:"again,omitempty" jsonschema_description:"It may be opened again when it was closed: an answer of several runs is complete with the last of them."`
}

// A SpecError says what is wrong with a dialect, and where.
type SpecError struct {
	Dialect string
	Path    string // the key, such as "content[1]"
	Problem string
	Fix     string // what to write instead
}

func (e *SpecError) Error() string {
	s := "compile dialect " + e.Dialect + ": " + e.Path + ": " + e.Problem
	if e.Fix != "" {
		s += ": " + e.Fix
	}
	return s
}

//go:embed dialects/*.json
var files embed.FS

// order is that in which a user should read the dialects.
var order = []string{"openai-chat", "openai-responses", "azure-openai", "anthropic-messages", "gemini", "mistral", "cohere",
	"bedrock-eventstream", "ollama", "vllm", "litellm", "vercel-ui", "ag-ui", "langserve", "mcp", "llamaindex-text",
	"sse-generic", "ndjson-generic", "text"}

// A known dialect is one of ours, compiled.
var known = sync.OnceValue(func() []Dialect {
	var out []Dialect
	for _, name := range order {
		data, err := fs.ReadFile(files, "dialects/"+name+".json")
		if err != nil {
			panic(err) // the file is embedded: a test reads them all
		}
		s, err := ReadSpec(data)
		if err != nil {
			panic(err)
		}
		d, err := s.compile(func(like string) (Dialect, bool) { return among(out, like) })
		if err != nil {
			panic(err)
		}
		out = append(out, d)
	}
	return out
})

// ReadSpec reads a dialect from JSON and refuses keys that it does not know.
func ReadSpec(data []byte) (Spec, error) {
	var s Spec
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, fmt.Errorf("read dialect: %w", err)
	}
	return s, nil
}

func among(ds []Dialect, name string) (Dialect, bool) {
	for _, d := range ds {
		if d.Name == name {
			return d, true
		}
	}
	return Dialect{}, false
}

// over is s with what it leaves out taken from base.
func (s Spec) over(base Spec) Spec {
	to, from := reflect.ValueOf(&s).Elem(), reflect.ValueOf(base)
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return s
}

// Compile makes a dialect of s. The error is a [*SpecError].
func (s Spec) Compile() (Dialect, error) { return s.compile(Lookup) }

// CompileWith is Compile where s may be like another dialect than those that we know.
// What s takes over from it stands in the Spec of the dialect, which is like none.
func (s Spec) CompileWith(lookup func(name string) (Dialect, bool)) (Dialect, error) {
	d, err := s.compile(lookup)
	if err == nil {
		d.Spec.Like = ""
	}
	return d, err
}
