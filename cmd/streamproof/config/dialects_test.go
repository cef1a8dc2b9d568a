package config

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/stream"
)

const kiln = `stream: {path: /fire, dialect: kiln}
dialects:
  - name: kiln
    format: [ndjson]
    content: [.piece, ".note when json .kind == note"]
    terminal: [json .state == fired]
    error: [.crack]
    usage: {output: [.pieces]}
    nest_by: .kind
    nest:
      - {name: batch, open: [load], close: [unload], key: [.id]}
  - name: kiln-2
    like: kiln
    sentinel: END
`

// A dialect of the file's own is read with, and goes into the options as data.
func TestDialects(t *testing.T) {
	f, err := Parse("c.yaml", []byte(kiln))
	if err != nil {
		t.Fatal(err)
	}
	o := f.Options()
	s := o.App.Stream.Spec
	if s == nil || s.Name != "kiln" || len(s.Content) != 2 || s.Nest[0].Key[0] != ".id" {
		t.Fatalf("spec %+v", s)
	}
	if err := o.App.Validate(); err != nil {
		t.Error(err)
	}
	f, err = Parse("c.yaml", []byte(strings.Replace(kiln, "dialect: kiln}", "dialect: kiln-2}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Options().App.Stream.Spec; s == nil || s.Sentinel != "END" || len(s.Content) != 2 || s.Like != "" {
		t.Errorf("like: %+v", s)
	}
	if err := compile(t).Validate(decode(t, kiln)); err != nil {
		t.Errorf("schema: %v", err)
	}
}

// The dialects that we know are written in the form that users write: the loader of
// streamproof.yaml reads each of their files.
func TestKnownDialectsAreInTheFormOfUsers(t *testing.T) {
	for _, d := range stream.Dialects() {
		if d.Spec == nil {
			continue
		}
		s := *d.Spec
		s.Name, s.Like = "my-"+s.Name, ""
		text, err := json.Marshal(map[string]any{"dialects": []stream.Spec{s}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("c.yaml", text); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		if err := compile(t).Validate(decode(t, string(text))); err != nil {
			t.Errorf("schema: %s: %v", d.Name, err)
		}
	}
}

// Mistakes are shown at their line and column, with what to write instead.
func TestDialectErrors(t *testing.T) {
	for _, tt := range []struct{ change, to, place, fix string }{
		{"format: [ndjson]", "format: [nsjson]", "c.yaml:4:14", "did you mean ndjson?"},
		{"content: [.piece", "contents: [.piece", "c.yaml:5:5", `"content"`},
		{".note when json .kind", ".note when jsn .kind", "c.yaml:5:23", "did you mean json?"},
		{"like: kiln", "like: klin", "c.yaml:13:11", ""},
		{"name: kiln-2", "name: openai-chat", "c.yaml:12:11", "another name"},
		{"dialect: kiln}", "dialect: klin}", "c.yaml:1:32", "kiln"},
		{"{name: batch", "{name: batch, in: load", "c.yaml:11:27", "does"},
	} {
		_, err := Parse("c.yaml", []byte(strings.Replace(kiln, tt.change, tt.to, 1)))
		var e *Error
		if !errors.As(err, &e) || e.Place != tt.place || !strings.Contains(e.Fix, tt.fix) {
			t.Errorf("%s: %v, want it at %s with %q", tt.to, err, tt.place, tt.fix)
		}
	}
}

// The dialect on the page about dialects is read as it stands there.
func TestDialectOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../../harness/stream/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```yaml\n")
	block, _, ok := strings.Cut(block, "```")
	if !ok {
		t.Fatal("no block of YAML")
	}
	if f, err := Parse("page.yaml", []byte(block)); err != nil || f.spec() == nil {
		t.Errorf("%v", err)
	}
	for _, key := range keysOf(reflect.TypeFor[stream.Spec]()) {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("the page does not say what %s holds", key)
		}
	}
}
