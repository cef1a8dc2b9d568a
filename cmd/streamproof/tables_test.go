package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/harness/verdict"
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

// flagMeanings say when a stream carries a flag, and what follows from it.
var flagMeanings = map[verdict.Flag]string{
	verdict.Late:  "The first event came later than `thresholds.first_event`, or than `--gap-limit` where that is not set.",
	verdict.Gappy: "The stream was silent for longer than `thresholds.max_gap`, or than `--gap-limit` where that is not set.",
	verdict.Slowed: "The stream waited far longer under load than one stream alone did. The scenario fails where enough " +
		"streams are slowed, see below.",
	verdict.Buffered: "The events were written one by one and arrived in groups, see below.",
	verdict.Lingering: "The terminal event came, and the connection stayed open: for half of the silence that counts as " +
		"stalled, and at least 1 s.",
	verdict.Ragged: "The terminal event came, and then the connection was reset or the body ended without its last chunk. " +
		"Most clients do not notice.",
	verdict.Leaked:  "The app went on producing after its client had hung up, by its own account (`app.ledger`).",
	verdict.Doubled: "The app did the work of one request more than once after a retry, by its own account (`app.ledger`).",
	verdict.Unprovable: "Neither the dialect nor a `Content-Length` shows that the response is whole. The scenario is " +
		"inconclusive.",
	verdict.Repeated:  "The terminal event came more than once.",
	verdict.ErrorThen: "An error event came, and then the terminal event of a success.",
}

// TestFlagsTable: the page says what each flag of a stream means.
func TestFlagsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| flag | meaning |\n|---|---|\n")
	for _, f := range verdict.Flags {
		if flagMeanings[f] == "" {
			t.Errorf("flagMeanings lacks %q", f)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", f, cell(flagMeanings[f]))
	}
	if len(flagMeanings) != len(verdict.Flags) {
		t.Errorf("%d flags have a meaning, and there are %d", len(flagMeanings), len(verdict.Flags))
	}
	table(t, "reports/README.md", "flags", b.String())
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
	if len(r.undescribed) > 0 {
		t.Errorf("keys without a description in config/keys.yaml: %v", r.undescribed)
	}
	table(t, "cmd/streamproof/README.md", "keys", "| key | value | meaning |\n|---|---|---|\n"+strings.Join(r.lines, ""))
}

type reference struct {
	defs        map[string]schema
	lines       []string
	undescribed []string // keys of which the schema says nothing
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

// An object is a place of the reference, with the keys that stand there.
type object struct{ name, keys string }

func objectOf(name string, s schema) object {
	return object{name, strings.Join(slices.Sorted(maps.Keys(s.Properties)), " ")}
}

// rows writes a line for each key, and for the keys in it. Inside are the objects around
// it: one that holds itself, under a name or written out, is written once.
func (r *reference) rows(name string, s schema, inside []object) {
	inside = append(slices.Clone(inside), objectOf(name, s))
	for _, k := range slices.Sorted(maps.Keys(s.Properties)) {
		is, name := r.resolved(s.Properties[k]), strings.TrimPrefix(name+"."+k, ".")
		inner, holds := is, r.value(is)
		if is.Items != nil {
			inner, name = r.resolved(*is.Items), name+"[]"
		}
		itself := slices.IndexFunc(inside, func(o object) bool { return o.keys == objectOf("", inner).keys })
		if itself >= 0 {
			holds += fmt.Sprintf(", each with the keys of `%s`", inside[itself].name)
		}
		if is.Description == "" {
			r.undescribed = append(r.undescribed, name)
		}
		r.lines = append(r.lines, fmt.Sprintf("| `%s` | %s | %s |\n", name, cell(holds), cell(is.Description)))
		if itself < 0 {
			r.rows(name, inner, inside)
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
