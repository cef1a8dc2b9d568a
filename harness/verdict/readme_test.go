package verdict_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A named test stands in the README as `PACKAGE: TEST/CASE`.
var namedTest = regexp.MustCompile("^`([a-z]+): (Test[A-Za-z]+)(?:/([^`]+))?`$")

// The columns of the table, as the tests write the verdicts.
var columns = []string{"", "Pass", "Fail", "Inconclusive"}

// TestEveryVerdictHasItsRuns: each test that the README names exists, has the case, and
// expects there the verdict in whose column it stands.
func TestEveryVerdictHasItsRuns(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != len(columns) || strings.HasPrefix(cells[1], "pass") {
			continue
		}
		rows++
		for i, want := range columns[1:] {
			cell := strings.TrimSpace(cells[i+1])
			m := namedTest.FindStringSubmatch(cell)
			if m == nil {
				t.Errorf("%s: %q is no name of a test", cells[0], cell)
				continue
			}
			if why := expects(t, m[1], m[2], m[3], want); why != "" {
				t.Errorf("%s: %s %s", strings.TrimSpace(cells[0]), cell, why)
			}
		}
	}
	if rows < 20 {
		t.Errorf("the table has %d rows: was it read?", rows)
	}
}

// expects says what is wrong with a named test, "" for nothing. A test without a name of
// a case need only exist.
func expects(t *testing.T, pkg, test, name, verdict string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", pkg, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of %s: %v", pkg, err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if !declares(file, test) {
			continue
		}
		if name == "" {
			return ""
		}
		return inCase(file, name, verdict)
	}
	return "does not exist"
}

func declares(file *ast.File, test string) bool {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == test {
			return true
		}
	}
	return false
}

// inCase looks for the row of a table that has the name, as a field or as its key, and
// for the verdict in it.
func inCase(file *ast.File, name, verdict string) string {
	why := "has no such case"
	row := func(x ast.Node) {
		if why = "expects another verdict"; mentions(x, verdict) {
			why = ""
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if why == "" {
			return false
		}
		switch x := n.(type) {
		case *ast.CompositeLit:
			for _, e := range x.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok && isIdent(kv.Key, "name") {
					e = kv.Value
				}
				if isText(e, name) {
					row(x)
				}
			}
		case *ast.KeyValueExpr:
			if isText(x.Key, name) {
				row(x.Value)
			}
		}
		return true
	})
	return why
}

func isIdent(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}

func isText(x ast.Expr, text string) bool {
	lit, ok := x.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return false
	}
	got, err := strconv.Unquote(lit.Value)
	return err == nil && got == text
}

// mentions reports whether a verdict stands in an expression: as Pass in its own
// package, as verdict.Pass elsewhere.
func mentions(x ast.Node, verdict string) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == verdict {
			found = true
		}
		return !found
	})
	return found
}
