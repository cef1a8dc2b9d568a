package harness_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A step is one line of a walk: "harness/tap/feed.go  flight.feed  what happens".
type step struct{ file, function string }

// walks reads the walks of doc.go, by their headings.
func walks(t *testing.T) map[string][]step {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	all, heading := map[string][]step{}, ""
	for line := range strings.Lines(f.Doc.Text()) {
		if name, ok := strings.CutPrefix(line, "# "); ok {
			heading = strings.TrimSpace(name)
		}
		if !strings.HasPrefix(line, "\t") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 3 || heading == "" {
			t.Errorf("not a step of a walk: %q", line)
			continue
		}
		all[heading] = append(all[heading], step{words[0], words[1]})
	}
	return all
}

// TestWalks: each file and function of a walk is there, and no walk comes back.
func TestWalks(t *testing.T) {
	all := walks(t)
	for _, heading := range []string{"A stream's bytes", "A fault", "A run"} {
		if len(all[heading]) < 5 {
			t.Errorf("%s: %d steps", heading, len(all[heading]))
		}
	}
	for heading, steps := range all {
		seen := map[string]bool{}
		for _, s := range steps {
			if seen[s.file] {
				t.Errorf("%s: comes back to %s", heading, s.file)
			}
			seen[s.file] = true
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", s.file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("%s: %v", heading, err)
			} else if !slices.Contains(functions(f), s.function) {
				t.Errorf("%s: %s declares no %s", heading, s.file, s.function)
			}
		}
	}
}

// functions are those that a file declares, methods as "Type.method".
func functions(f *ast.File) []string {
	var names []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := fn.Name.Name
		if fn.Recv != nil {
			name = receiver(fn.Recv.List[0].Type) + "." + name
		}
		names = append(names, name)
	}
	return names
}

// receiver is the name of the type that a method belongs to.
func receiver(e ast.Expr) string {
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
