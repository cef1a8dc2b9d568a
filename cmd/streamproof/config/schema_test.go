package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the schema that is kept in the repository")

// The schema is kept in the repository, so that a change to it is seen in review.
func TestSchemaIsCurrent(t *testing.T) {
	want, err := json.MarshalIndent(Schema(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	path := filepath.Join("schema", SchemaFile)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, want) {
		t.Errorf("%s is out of date (%v): run go test ./cmd/streamproof/config -update", path, err)
	}
}

// An editor must accept what we accept, and mark what we refuse.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	schema := compile(t)
	for _, tt := range []struct {
		src string
		ok  bool
	}{
		{everyKey, true},
		{"load: {rate: 20}", true},
		{"load: {rate: 20/s, ramp: 1m30s, duration: 0.5s}", true},
		{"load: {ramp: 0}", true},
		{"app: {command: [a, b], memory: 1024}", true},
		{"scenarios: control", true},
		{"lod: {streams: 1}", false},
		{"load: {stream: 1}", false},
		{"load: {streams: 0}", false},
		{"load: {rate: 20/fortnight}", false},
		{"limits: {gap: soon}", false},
		{"limits: {gap: -2s}", false},
		{"limits: {gap: 30}", false},
		{"limits: {gap: 0s}", false},
		{"limits: {total: 0}", false},
		{"limits: {gap: 0.5s, total: 1m0s}", true},
		{"limits: {gap: 10ms, total: 0h20m}", true},
		{"app: {port: 70000}", false},
		{"app: {memory: lots}", false},
		{"app: {memory: 256m}", false},
		{"stream: {dialect: nope}", false},
		{"edge: {form: nope}", false},
		{"strict: sometimes", false},
		{"retries: 0", true},
		{"retries: 11", false},
		{"flaky: maybe", false},
		{"suites: {a: [b, c]}", true},
		{"quarantine: [{scenario: cut, until: 2026-12-31}]", true}, // what it lacks is found with the scenarios
		{"quarantine: [{scenario: cut, till: 2026-12-31}]", false},
	} {
		_, err := Parse("c.yaml", []byte(tt.src))
		if parsed := err == nil; parsed != tt.ok {
			t.Errorf("parser: %q: %v", tt.src, err)
		}
		if err := schema.Validate(decode(t, tt.src)); (err == nil) != tt.ok {
			t.Errorf("schema: %q: %v", tt.src, err)
		}
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := json.Marshal(Schema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("config.json")
}

func decode(t *testing.T, src string) any {
	t.Helper()
	j, err := yaml.YAMLToJSON([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTemplatesAreAccepted(t *testing.T) {
	schema := compile(t)
	for name, s := range map[string]Start{
		"origin":  {},
		"url":     {URL: "http://127.0.0.1:8000/chat?q=a#b"},
		"image":   {Image: "acme/chat:ci"},
		"command": {Command: `python3 -m app --port {port} "two words"`},
	} {
		t.Run(name, func(t *testing.T) {
			src, err := Template(s)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Parse("streamproof.yaml", []byte(src))
			if err != nil {
				t.Fatalf("%v\n%s", err, src)
			}
			if o := f.Options(); o.App.URL != s.URL || o.App.Image != s.Image || (len(o.App.Command) > 0) != (s.Command != "") {
				t.Errorf("the app got lost: %+v", o.App)
			}
			if err := schema.Validate(decode(t, src)); err != nil {
				t.Error(err)
			}
		})
	}
}
