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
// Empty are null, false, "", [] and {}. What each key is for stands in keys.yaml of
// cmd/streamproof/config, from which editors show it.
type Spec struct {
	Name   string   `json:"name" yaml:"name" jsonschema:"required,pattern=^[a-z][a-z0-9-]*$"`
	Like   string   `json:"like,omitempty" yaml:"like,omitempty"`
	Doc    string   `json:"doc,omitempty" yaml:"doc,omitempty"`
	Proves string   `json:"proves,omitempty" yaml:"proves,omitempty"`
	Source []string `json:"source,omitempty" yaml:"source,omitempty"`
	Format []string `json:"format,omitempty" yaml:"format,omitempty"`
	Accept string   `json:"accept,omitempty" yaml:"accept,omitempty"`
	Media  []string `json:"media,omitempty" yaml:"media,omitempty"`
	Data   string   `json:"data,omitempty" yaml:"data,omitempty" jsonschema:"enum=object,enum=objects,enum=json,enum=any"`

	Content   []string `json:"content,omitempty" yaml:"content,omitempty"`
	Reasoning []string `json:"reasoning,omitempty" yaml:"reasoning,omitempty"`
	Tool      []string `json:"tool,omitempty" yaml:"tool,omitempty"`
	Refusal   []string `json:"refusal,omitempty" yaml:"refusal,omitempty"`
	Text      []string `json:"text,omitempty" yaml:"text,omitempty"`
	Meta      []string `json:"meta,omitempty" yaml:"meta,omitempty"`
	Heartbeat []string `json:"heartbeat,omitempty" yaml:"heartbeat,omitempty"`
	Terminal  []string `json:"terminal,omitempty" yaml:"terminal,omitempty"`
	Sentinel  string   `json:"sentinel,omitempty" yaml:"sentinel,omitempty"`
	Trailer   string   `json:"trailer,omitempty" yaml:"trailer,omitempty"`
	Error     []string `json:"error,omitempty" yaml:"error,omitempty"`
	ErrorText []string `json:"error_text,omitempty" yaml:"error_text,omitempty"`

	Choices *Choices `json:"choices,omitempty" yaml:"choices,omitempty"`
	Finish  []string `json:"finish,omitempty" yaml:"finish,omitempty"`
	Failing []string `json:"failing,omitempty" yaml:"failing,omitempty"`
	Over    string   `json:"over,omitempty" yaml:"over,omitempty"`
	Usage   Tokens   `json:"usage,omitempty" yaml:"usage,omitempty"`

	Order string `json:"order,omitempty" yaml:"order,omitempty"`
	Emit  string `json:"emit,omitempty" yaml:"emit,omitempty"`
	Label string `json:"label,omitempty" yaml:"label,omitempty"`

	Nest []Level `json:"nest,omitempty" yaml:"nest,omitempty"`
	By   string  `json:"nest_by,omitempty" yaml:"nest_by,omitempty"`

	Own   []string `json:"own,omitempty" yaml:"own,omitempty"`
	Marks []string `json:"marks,omitempty" yaml:"marks,omitempty"`
}

// Choices are the alternatives of one answer.
type Choices struct {
	At     string `json:"at" yaml:"at" jsonschema:"required"`
	Index  string `json:"index" yaml:"index"`
	Finish string `json:"finish" yaml:"finish"`
}

// Tokens are paths to counts of tokens.
type Tokens struct {
	Input     []string `json:"input,omitempty" yaml:"input,omitempty"`
	Output    []string `json:"output,omitempty" yaml:"output,omitempty"`
	Reasoning []string `json:"reasoning,omitempty" yaml:"reasoning,omitempty"`
}

// A Level is one kind of thing that events open and close.
type Level struct {
	Name    string   `json:"name" yaml:"name" jsonschema:"required"`
	In      string   `json:"in,omitempty" yaml:"in,omitempty"`
	Key     []string `json:"key,omitempty" yaml:"key,omitempty"`
	Open    []string `json:"open,omitempty" yaml:"open,omitempty"`
	Close   []string `json:"close,omitempty" yaml:"close,omitempty"`
	Ends    []string `json:"ends,omitempty" yaml:"ends,omitempty"`
	Holds   []string `json:"holds,omitempty" yaml:"holds,omitempty"`
	Implied bool     `json:"implied,omitempty" yaml:"implied,omitempty"`
	Strict  bool     `json:"strict,omitempty" yaml:"strict,omitempty"`
	Again   bool     `json:"again,omitempty" yaml:"again,omitempty"`
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
var order = []string{"openai-chat", "openai-responses", "azure-openai", "anthropic-messages", "gemini", "mistral",
	"cohere",
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
