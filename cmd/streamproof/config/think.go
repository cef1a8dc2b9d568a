package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/streamproof/streamproof/harness"
)

// Think is how long a client thinks between two turns.
type Think harness.Think

// Set takes a time, or two with two dots in between.
func (t *Think) Set(s string) error {
	const fix = "write a time such as 2s, or from a shorter to a longer one, 1s..5s"
	least, most, both := strings.Cut(s, "..")
	if !both {
		most = least
	}
	a, err := parseDuration(strings.TrimSpace(least))
	if err != nil {
		return badValue(fix, "%q is not a think time", s)
	}
	b, err := parseDuration(strings.TrimSpace(most))
	if err != nil {
		return badValue(fix, "%q is not a think time", s)
	}
	if a < 0 || b < a {
		return badValue(fix, "%q begins with the longer time", s)
	}
	*t = Think{a, b}
	return nil
}

func (t Think) String() string {
	switch {
	case t == Think{}:
		return ""
	case t.Least == t.Most:
		return t.Least.String()
	}
	return t.Least.String() + ".." + t.Most.String()
}

func (Think) Type() string { return "time" }

func (t *Think) UnmarshalYAML(n ast.Node) error { return scalar(n, "a time to think", t.Set) }

// MarshalYAML writes what UnmarshalYAML reads.
func (t Think) MarshalYAML() (any, error) { return t.String(), nil }

// JSONSchema takes a duration, or two.
func (Think) JSONSchema() *jsonschema.Schema {
	const one = `([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+`
	return text(`^(0|`+one+`)(\.\.`+one+`)?$`, "2s", "1s..5s")
}
