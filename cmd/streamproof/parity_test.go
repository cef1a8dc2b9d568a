package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// changelog is where a name that went away is listed, as `LIST: NAME` between
// backquotes, with what stands in its place and why.
const changelog = "../../.github/CHANGELOG.md"

// features are what users write and read: the lists that nothing may fall out of
// without a word. Each is kept in testdata/parity/LIST.txt, one name a line.
var features = map[string]func(*testing.T) []string{
	"scenarios": scenarioNames,
	"sabotages": sabotageNames,
	"flags":     flagNames,
	"yaml":      func(t *testing.T) []string { return schemaPaths(t, marshalled(t, config.Schema())) },
	"verdict":   func(t *testing.T) []string { return schemaPaths(t, verdict.VerdictSchema) },
	"streams":   func(t *testing.T) []string { return schemaPaths(t, verdict.StreamsSchema) },
	"causes":    causeNames,
	"checks":    checkNames,
}

// TestParity compares today's features with those that were ever listed. A new one
// is added by -update. One that went away stays in the list, and is in the change
// log.
func TestParity(t *testing.T) {
	log, err := os.ReadFile(changelog)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range slices.Sorted(maps.Keys(features)) {
		t.Run(list, func(t *testing.T) {
			path := filepath.Join("testdata", "parity", list+".txt")
			now, known := features[list](t), listed(t, path)
			for _, name := range missing(known, now) {
				if entry := "`" + list + ": " + name + "`"; !strings.Contains(string(log), entry) {
					t.Errorf("%q is gone: bring it back, or list %s in .github/CHANGELOG.md, with the reason", name, entry)
				}
			}
			added := missing(now, known)
			if len(added) > 0 && *update {
				writeList(t, path, slices.Concat(known, added))
			} else if len(added) > 0 {
				t.Errorf("not in %s: %q (go test ./cmd/streamproof -run TestParity -update adds them)", path, added)
			}
		})
	}
}

// missing are the names of a that b lacks.
func missing(a, b []string) []string {
	has := map[string]bool{}
	for _, name := range b {
		has[name] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return has[name] })
}

func listed(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !(*update && os.IsNotExist(err)) {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

func writeList(t *testing.T, path string, names []string) {
	t.Helper()
	slices.Sort(names)
	if err := os.WriteFile(path, []byte(strings.Join(names, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func scenarioNames(*testing.T) []string {
	var names []string
	for _, s := range scenarios.All() {
		names = append(names, s.ID)
	}
	for _, s := range scenarios.Standard() {
		names = append(names, "standard suite: "+s.ID)
	}
	return names
}

func sabotageNames(*testing.T) []string {
	var names []string
	for _, s := range sabotageList() {
		names = append(names, s.Name)
	}
	return names
}

// flagNames are those of both programs, each behind its command: "streamproof run
// --seed uint".
func flagNames(t *testing.T) []string {
	names := originFlags(t)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		names = append(names, cmd.CommandPath())
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			name := fmt.Sprintf("%s --%s %s", cmd.CommandPath(), f.Name, f.Value.Type())
			if names = append(names, name); f.Shorthand != "" {
				names = append(names, name+" -"+f.Shorthand)
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot())
	return names
}

var originFlag = regexp.MustCompile(`(?m)^ +-([a-z][a-z0-9-]*)`)

// originFlags reads the help of the origin.
func originFlags(t *testing.T) []string {
	t.Helper()
	var out bytes.Buffer
	origin.Main(context.Background(), []string{"-h"}, &out, &out)
	var names []string
	for _, m := range originFlag.FindAllStringSubmatch(out.String(), -1) {
		names = append(names, "origin -"+m[1])
	}
	if len(names) == 0 {
		t.Fatalf("origin -h names no flag: %s", out.String())
	}
	return names
}

func marshalled(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// schemaPaths lists the keys that a JSON Schema describes, as "app.command",
// "faults[].type", "labels.*", and the values of those that have some to choose
// from, as "edge.form=default".
func schemaPaths(t *testing.T, text []byte) []string {
	t.Helper()
	var root schemaNode
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	w := &schemaWalk{root: &root, paths: map[string]bool{}}
	w.visit("", &root, nil)
	return slices.Sorted(maps.Keys(w.paths))
}

// A schemaNode is what of a JSON Schema names keys.
type schemaNode struct {
	Ref         string                 `json:"$ref"`
	Defs        map[string]*schemaNode `json:"$defs"`
	Properties  map[string]*schemaNode `json:"properties"`
	Items       *schemaNode            `json:"items"`
	Additional  json.RawMessage        `json:"additionalProperties"` // a schema, or true or false
	AnyOf       []*schemaNode          `json:"anyOf"`
	OneOf       []*schemaNode          `json:"oneOf"`
	AllOf       []*schemaNode          `json:"allOf"`
	Enum        []any                  `json:"enum"`
	PropertyIDs *schemaNode            `json:"propertyNames"`
}

type schemaWalk struct {
	root  *schemaNode
	paths map[string]bool
}

// visit adds what stands at path. Within are the references that led there: a
// schema that contains itself is visited once.
func (w *schemaWalk) visit(path string, n *schemaNode, within []string) {
	if n == nil {
		return
	}
	if n.Ref != "" && !slices.Contains(within, n.Ref) {
		w.visit(path, w.root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")], append(slices.Clone(within), n.Ref))
	}
	for name, p := range n.Properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		w.paths[at] = true
		w.visit(at, p, within)
	}
	w.visit(path+"[]", n.Items, within)
	for _, p := range slices.Concat(n.AnyOf, n.OneOf, n.AllOf) {
		w.visit(path, p, within)
	}
	for _, v := range n.Enum {
		w.paths[fmt.Sprintf("%s=%v", path, v)] = true
	}
	if n.PropertyIDs != nil {
		w.visit(path+".*", &schemaNode{Enum: n.PropertyIDs.Enum}, within)
	}
	var values schemaNode
	if json.Unmarshal(n.Additional, &values) == nil {
		w.visit(path+".*", &values, within)
	}
}

// causeNames are the exported texts of package diagnose, which are all names of
// causes. Those with a type are something else.
func causeNames(t *testing.T) []string {
	var names []string
	eachFile(t, "../../harness/diagnose", func(f *ast.File) {
		for _, d := range f.Decls {
			eachConst(d, nil, func(name, value string, typed bool) {
				if ast.IsExported(name) && !typed {
					names = append(names, value)
				}
			})
		}
	})
	return names
}

// checkMakers are the functions of package verdict that get the name of a check, and
// as which of their arguments.
var checkMakers = map[string]int{"pass": 0, "fail": 0, "unsure": 0, "inapplicable": 0, "some": 0, "within": 0, "p95": 0,
	"slowdown": 0, "noted": 1}

// checkNames reads the names of checks where package verdict makes answers.
func checkNames(t *testing.T) []string {
	consts, names := map[string]string{}, map[string]bool{}
	eachFile(t, "../../harness/verdict", func(f *ast.File) {
		for _, d := range f.Decls {
			eachConst(d, nil, func(name, value string, _ bool) { consts[name] = value })
		}
	})
	eachFile(t, "../../harness/verdict", func(f *ast.File) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				checksIn(fn.Body, maps.Clone(consts), names)
			}
		}
	})
	for _, f := range verdict.Flags {
		if f != verdict.Unprovable { // has a check of its own
			names["no stream is "+string(f)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// checksIn adds the names that a body gives to answers, as literals or constants.
func checksIn(body ast.Node, consts map[string]string, names map[string]bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.DeclStmt:
			eachConst(n.Decl, consts, func(name, value string, _ bool) { consts[name] = value })
		case *ast.CallExpr:
			at, ok := checkMakers[called(n)]
			if !ok || at >= len(n.Args) {
				return true
			}
			if name, ok := textOf(n.Args[at], consts); ok {
				names[name] = true
			}
		}
		return true
	})
}

// called is the name of the function or method that is called.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// textOf is the value of a literal or of a constant.
func textOf(e ast.Expr, consts map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		s, ok := consts[e.Name]
		return s, ok
	}
	return "", false
}

// eachFile calls f with each source file of a folder, tests left out.
func eachFile(t *testing.T, dir string, f func(*ast.File)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source in %s: %v", dir, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		f(file)
	}
}

// eachConst calls f with each constant of a declaration that is a text, or one that
// is known already.
func eachConst(d ast.Decl, known map[string]string, f func(name, value string, typed bool)) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return
	}
	for _, s := range g.Specs {
		spec := s.(*ast.ValueSpec)
		for i, name := range spec.Names {
			if i >= len(spec.Values) {
				continue
			}
			if value, ok := textOf(spec.Values[i], known); ok {
				f(name.Name, value, spec.Type != nil)
			}
		}
	}
}
