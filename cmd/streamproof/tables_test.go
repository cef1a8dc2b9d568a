package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/reports/openmetrics"
	"github.com/streamproof/streamproof/reports/rows"
)

// table holds what stands between the marks of a page to want; with -update it
// writes it there.
func table(t *testing.T, page, mark, want string) {
	t.Helper()
	path := filepath.Join("..", "..", page)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->"
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		t.Fatalf("%s has no marks %s", page, mark)
	case got == want:
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table %s of %s is not current: go test ./cmd/streamproof -run %s -update", mark, page, t.Name())
	}
}

// cell makes a text fit for a cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

// TestScenarioTable: the page lists the scenarios that there are.
func TestScenarioTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| scenario | what is done | what it proves | fault | needs | standard |\n|---|---|---|---|---|:-:|\n")
	for _, s := range scenarioList() {
		standard := ""
		if s.Standard {
			standard = "✓"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", s.ID, cell(s.Title), cell(s.Proves), cell(s.Fault),
			cell(strings.Join(s.Needs, ", ")), standard)
	}
	table(t, "scenarios/README.md", "scenarios", b.String())
}

// TestMetricsTable: the page lists the metrics that objectives may be about.
func TestMetricsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| metric | also | of | what it is | as defined by |\n|---|---|---|---|---|\n")
	for _, m := range slo.Metrics {
		of := "all streams"
		if m.Spread {
			of = "each stream"
		}
		if m.Name == "gap" {
			of = "each gap"
		}
		also := ""
		if len(m.Aliases) > 0 {
			also = "`" + strings.Join(m.Aliases, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, also, of, cell(m.Doc), cell(m.Source))
	}
	table(t, "reports/README.md", "metrics", b.String())
}

// TestColumnsTable: the page has a glossary of what --export writes.
func TestColumnsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| table | column | unit | meaning |\n|---|---|---|---|\n")
	for _, c := range rows.Columns() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", c.Table, c.Name, c.Unit, cell(c.Doc))
	}
	table(t, "reports/README.md", "columns", b.String())
}

// TestOpenMetricsTable: the page lists the metrics that are written.
func TestOpenMetricsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range openmetrics.Metrics {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, m.Labels, cell(m.Doc))
	}
	table(t, "reports/README.md", "openmetrics", b.String())
}

// A schema is the part of JSON Schema that the reference shows.
type schema struct {
	Ref         string            `json:"$ref"`
	Type        any               `json:"type"`
	Description string            `json:"description"`
	Enum        []any             `json:"enum"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
	Additional  any               `json:"additionalProperties"`
	OneOf       []schema          `json:"oneOf"`
	AnyOf       []schema          `json:"anyOf"`
	Defs        map[string]schema `json:"$defs"`
}

// TestConfigReference: the page lists the keys that the schema has.
func TestConfigReference(t *testing.T) {
	text, err := json.Marshal(config.Schema())
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	r := reference{defs: root.Defs}
	r.rows("", r.resolved(root), nil)
	if len(r.lines) < 60 {
		t.Errorf("only %d keys", len(r.lines))
	}
	table(t, "cmd/streamproof/README.md", "keys", "| key | value | meaning |\n|---|---|---|\n"+strings.Join(r.lines, ""))
}

type reference struct {
	defs  map[string]schema
	lines []string
}

func (r *reference) name(s schema) string { return strings.TrimPrefix(s.Ref, "#/$defs/") }

// resolved follows a reference; a description beside it stays.
func (r *reference) resolved(s schema) schema {
	if s.Ref == "" {
		return s
	}
	to := r.defs[r.name(s)]
	if s.Description != "" {
		to.Description = s.Description
	}
	return to
}

// rows writes a line for each key, and for the keys in it. A type that holds
// itself is written once.
func (r *reference) rows(prefix string, s schema, inside []string) {
	keys := make([]string, 0, len(s.Properties))
	for k := range s.Properties {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		p := s.Properties[k]
		is, name := r.resolved(p), prefix+k
		inner, ref := is, r.name(p)
		if is.Items != nil {
			inner, ref = r.resolved(*is.Items), r.name(*is.Items)
			name += "[]"
		}
		r.lines = append(r.lines, fmt.Sprintf("| `%s` | %s | %s |\n", name, cell(r.value(is)), cell(is.Description)))
		if len(inner.Properties) > 0 && !slices.Contains(inside, ref) {
			r.rows(name+".", inner, append(slices.Clone(inside), ref))
		}
	}
}

// value says what a key may hold.
func (r *reference) value(s schema) string {
	switch {
	case len(s.Enum) > 0 && len(s.Enum) <= 30:
		var names []string
		for _, e := range s.Enum {
			names = append(names, fmt.Sprintf("`%v`", e))
		}
		return strings.Join(names, ", ")
	case s.Items != nil:
		return "list"
	case s.Type != nil:
		return strings.Trim(fmt.Sprint(s.Type), "[]")
	}
	var kinds []string
	for _, o := range append(s.OneOf, s.AnyOf...) {
		if v := r.value(r.resolved(o)); v != "" && !slices.Contains(kinds, v) {
			kinds = append(kinds, v)
		}
	}
	return strings.Join(kinds, " or ")
}

// TestExitCodesAreDocumented: the page has the codes of the help.
func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []int{exitPass, exitFail, exitInconclusive, exitBroken, exitUsage} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \|`, code)).Match(text) {
			t.Errorf("README.md says nothing of exit code %d", code)
		}
	}
}
