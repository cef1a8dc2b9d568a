package config

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
)

// Schema describes the file to editors.
func Schema() *jsonschema.Schema {
	s := schemaOf(reflect.TypeFor[Config](), "")
	s.Version = jsonschema.Version
	s.Title = "streamproof.yaml"
	s.If, s.Then = knownDialects()
	s.Definitions = jsonschema.Definitions{"fault": schemaOf(reflect.TypeFor[Fault](), "")} // its parts are faults again
	return s
}

// schemaOf describes a field of type t as [File.decode] reads it.
func schemaOf(t reflect.Type, tag string) *jsonschema.Schema {
	if as := valueOf(t, tag); as != nil {
		t = as
	}
	if own, ok := reflect.Zero(t).Interface().(described); ok {
		return own.JSONSchema()
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), "")
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && tag != "plain":
		return &jsonschema.Schema{Type: "array", Items: schemaOf(t.Elem(), "")}
	case t.Kind() == reflect.Struct:
		return schemaOfKeys(t)
	}
	r := jsonschema.Reflector{FieldNameTag: "yaml", Anonymous: true, DoNotReference: true, LookupComment: purpose}
	s := r.ReflectFromType(t)
	s.Version = ""
	return s
}

func schemaOfKeys(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema}
	for _, k := range keysIn(t) {
		value := schemaOf(k.field.Type, k.field.Tag.Get("value"))
		value.Description = purposes()[k.owner.Name()][k.name]
		s.Properties.Set(k.name, value)
		if k.field.Tag.Get("value") == "id" {
			s.Required = append(s.Required, k.name)
		}
	}
	return s
}

// described is a type that says what it reads.
type described interface{ JSONSchema() *jsonschema.Schema }

// purposes say what each key is for, by the name of the type that it belongs to.
var purposes = sync.OnceValue(func() (by map[string]map[string]string) {
	if err := yaml.Unmarshal(keysFile, &by); err != nil {
		panic("read keys.yaml: " + err.Error())
	}
	return by
})

// purpose is what a field of a type is for, or "" of the type itself.
func purpose(t reflect.Type, field string) string {
	if field == "" || t.Kind() != reflect.Struct {
		return ""
	}
	f, _ := t.FieldByName(field)
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return purposes()[t.Name()][key]
}

//go:embed keys.yaml
var keysFile []byte

// The types of values say what Set accepts.

func (Duration) JSONSchema() *jsonschema.Schema {
	with := text(`^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`, "500ms", "30s", "2m")
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{with, {Const: 0}}}
}

// JSONSchema asks for some digit that is not 0.
func (Limit) JSONSchema() *jsonschema.Schema {
	return text(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))*[0-9]*\.?[0-9]*[1-9][0-9]*(\.[0-9]+)?(ns|us|µs|ms|s|m|`+
		`h)([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))*$`, "500ms", "10s")
}

func (Rate) JSONSchema() *jsonschema.Schema {
	return orNumber(text(`^[0-9]+(\.[0-9]+)?( */ *(s|sec|second|m|min|minute|h|hour))?$`, "20/s", "90/m"))
}

func (Size) JSONSchema() *jsonschema.Schema {
	return orNumber(text(`^[0-9]+(\.[0-9]+)? *([kKmMgG][iI]?[bB]|[bB])?$`, "256MiB", "1GiB"))
}

func (Count) JSONSchema() *jsonschema.Schema { return whole("1", "") }
func (Port) JSONSchema() *jsonschema.Schema  { return whole("1", "65535") }

// JSONSchema offers the dialects that we know, and takes those of the file.
func (Dialect) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		AnyOf: []*jsonschema.Schema{oneOf(Dialects()), {Type: "string", Pattern: "^[a-z][a-z0-9-]*$"}}}
}

// knownDialects holds a file without dialects of its own to those that we know.
func knownDialects() (when, then *jsonschema.Schema) {
	in := func(key string, s *jsonschema.Schema) *jsonschema.Schema {
		m := jsonschema.NewProperties()
		m.Set(key, s)
		return &jsonschema.Schema{Properties: m}
	}
	when = &jsonschema.Schema{Not: &jsonschema.Schema{Required: []string{"dialects"}}}
	return when, in("stream", in("dialect", oneOf(Dialects())))
}

func (Form) JSONSchema() *jsonschema.Schema        { return oneOf(forms) }
func (Hop) JSONSchema() *jsonschema.Schema         { return oneOf(hops) }
func (Expectation) JSONSchema() *jsonschema.Schema { return oneOf(expectations()) }
func (ID) JSONSchema() *jsonschema.Schema          { return text(scenarioID.String()) }

func (Amount) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "number", Minimum: "0"}
}
func (Env) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}}
}

func (FaultType) JSONSchema() *jsonschema.Schema { return oneOf(faultTypes()) }
func (Link) JSONSchema() *jsonschema.Schema {
	return text(linkName.String(), "edge", "upstream", "upstream[0]")
}
func (Share) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text(`^[0-9]+(\.[0-9]+)? *%$`, "50%"),
		{Type: "number", ExclusiveMinimum: "0", Maximum: "1"}}}
}
func (Factor) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Const: "off"}, {Type: "number", ExclusiveMinimum: "1"}}}
}
func (Flags) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: oneOf(flagNames())}
}
func (Faults) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Ref: "#/$defs/fault"}}
}

func (Command) JSONSchema() *jsonschema.Schema { return oneOrMany() }
func (Names) JSONSchema() *jsonschema.Schema   { return oneOrMany() }

func text(pattern string, examples ...any) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Examples: examples}
}

func orNumber(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{s, {Type: "number", ExclusiveMinimum: "0"}}}
}

func whole(least, most json.Number) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: least, Maximum: most}
}

func oneOf(names []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, n := range names {
		s.Enum = append(s.Enum, n)
	}
	return s
}

func oneOrMany() *jsonschema.Schema {
	one := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, {Type: "array", Items: one}}}
}
