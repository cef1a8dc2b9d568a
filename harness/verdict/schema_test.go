package verdict_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	generate "github.com/invopop/jsonschema"
	validate "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

var update = flag.Bool("update", false, "write the schema files anew")

// The schemas are generated from the types and kept in the repository, so that a
// change of the published format shows in a review.
var schemas = map[string]any{
	"verdict.schema.json": &verdict.Report{},
	"streams.schema.json": &verdict.Row{},
}

func TestSchemasAreCurrent(t *testing.T) {
	for name, v := range schemas {
		want := generated(t, name, v)
		path := filepath.Join("schema", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say; run go test ./harness/verdict -update and raise verdict.Schema if old "+
				"readers would break", path)
		}
	}
}

func generated(t *testing.T, name string, v any) []byte {
	t.Helper()
	// Later minor versions may add fields: a reader must not refuse those.
	r := generate.Reflector{Anonymous: true, AllowAdditionalProperties: true, Mapper: enumerated}
	s := r.Reflect(v)
	s.ID = generate.ID("https://github.com/streamproof/streamproof/harness/verdict/schema/" + name)
	s.Title = verdict.Schema
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// enumerated lists the values of the types whose values are fixed, and knows those that
// are text in JSON.
func enumerated(t reflect.Type) *generate.Schema {
	enum := func(values ...any) *generate.Schema { return &generate.Schema{Type: "string", Enum: values} }
	switch t {
	case reflect.TypeFor[verdict.Verdict]():
		return enum(verdict.Pass, verdict.Inconclusive, verdict.Fail, verdict.NotApplicable, verdict.Flaky)
	case reflect.TypeFor[verdict.Outcome]():
		return enum(anys(verdict.Outcomes)...)
	case reflect.TypeFor[verdict.Flag]():
		return enum(anys(verdict.Flags)...)
	case reflect.TypeFor[record.Evidence]():
		return &generate.Schema{Type: "string"} // it writes itself as text
	}
	return nil
}

func anys[T any](xs []T) []any {
	out := make([]any, len(xs))
	for i, x := range xs {
		out[i] = x
	}
	return out
}

func compiled(t *testing.T, name string) *validate.Schema {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("schema", name))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validate.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := validate.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReportsKeepTheSchema(t *testing.T) {
	s := compiled(t, "verdict.schema.json")
	full := synth.New(record.Scenario{ID: "chaos", Policy: record.Policy{Faulty: true, Kills: true, Recovery: sec}})
	full.Add(12, synth.Shape{Scenario: "chaos", Group: record.Baseline})
	full.Add(3, synth.Shape{Scenario: "chaos", Group: record.Victim, Keep: 3, End: synth.RST})
	full.Add(3, synth.Shape{Scenario: "chaos", Group: record.Recovery, Start: 2 * sec, End: synth.Twice})
	full.Fault(synth.Cut("rst after event 3"), 100*ms, sec)
	for name, b := range map[string]*synth.Builder{"empty": synth.New(), "full": full} {
		if err := s.Validate(asJSON(t, verdict.Judge(&b.Run))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := asJSON(t, verdict.Judge(&full.Run)).(map[string]any)
	delete(broken, "verdict")
	if s.Validate(broken) == nil {
		t.Error("a report without its verdict keeps the schema")
	}
}

func TestRowsKeepTheSchema(t *testing.T) {
	s := compiled(t, "streams.schema.json")
	b := synth.New()
	b.Add(1, synth.Shape{})
	b.Add(1, synth.Shape{Keep: synth.KeepNone, End: synth.NoListener})
	scope := verdict.Scopes(&b.Run)[0]
	for i := range scope.Streams {
		if err := s.Validate(asJSON(t, verdict.RowOf(&scope.Streams[i]))); err != nil {
			t.Error(err)
		}
	}
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validate.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
