package reports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

// kindsOf are the kinds of facts that a package of harness declares, by their values.
func kindsOf(t *testing.T, pkg string) map[record.FactKind]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "harness", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	kinds := map[record.FactKind]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || v.Type == nil || len(v.Values) != 1 || !strings.HasSuffix(string(source[v.Type.Pos()-1:v.Type.End()-1]), "FactKind") {
				return true
			}
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if other := kinds[record.FactKind(value)]; other != "" {
				t.Errorf("%s and %s of package %s are one kind, %q", other, v.Names[0].Name, pkg, value)
			}
			kinds[record.FactKind(value)] = v.Names[0].Name
			return true
		})
	}
	return kinds
}

// Every kind of fact has one sentence, and no kind of one package is one of another: a
// fact without a sentence would be shown as programmers see it.
func TestEveryFactHasASentence(t *testing.T) {
	all := map[record.FactKind]string{}
	for _, pkg := range []string{"record", "verdict", "diagnose", "compare", "lint"} {
		for kind, name := range kindsOf(t, pkg) {
			if all[kind] != "" {
				t.Errorf("%s and %s.%s are one kind, %q", all[kind], pkg, name, kind)
			}
			if all[kind] = pkg + "." + name; sentenceOf(kind) == nil {
				t.Errorf("%s.%s (%q) has no sentence", pkg, name, kind)
			}
		}
	}
	if len(all) < 600 {
		t.Errorf("only %d kinds were found", len(all))
	}
	said := 0
	for _, table := range tables {
		for kind := range table {
			if said++; all[kind] == "" {
				t.Errorf("there is a sentence for the kind %q, which nobody has", kind)
			}
		}
	}
	t.Logf("%d kinds, %d sentences", len(all), said)
}
