package main

import (
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/streamproof/streamproof/harness/verdict"
)

// verdictSchema describes verdict.json. Readers of it should ignore keys that
// they do not know: a minor version may add some.
func verdictSchema() *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: true, Mapper: closedSets}
	s := r.Reflect(verdict.Report{})
	s.Title = "verdict.json of streamproof, " + verdict.Schema
	return s
}

// closedSets lists the values of the types whose values are fixed.
func closedSets(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[verdict.Verdict]():
		return enum(verdict.Pass, verdict.Inconclusive, verdict.Fail)
	case reflect.TypeFor[verdict.Outcome]():
		return enum(verdict.Outcomes...)
	}
	return nil
}

func enum[T ~string](values ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}
