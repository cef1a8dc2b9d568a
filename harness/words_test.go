package harness_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// entry is a line of the glossary.
var entry = regexp.MustCompile(`^ +- (\w+): `)

// TestWords: the glossary has at most 40 nouns, each of which names a type, a package or
// a value below harness.
func TestWords(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(f.Doc.Text()) {
		if m := entry.FindStringSubmatch(line); m != nil {
			words = append(words, m[1])
		}
	}
	if len(words) < 30 || len(words) > 40 {
		t.Errorf("%d words, want 30 to 40", len(words))
	}
	names := exported(t)
	for _, w := range words {
		if !names[w] && !names[strings.ToLower(w)] {
			t.Errorf("nothing below harness is called %s", w)
		}
	}
}

// exported are the exported names below harness, and those of its packages.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata" || d.Name() == "harnesstest") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		names[f.Name.Name] = true
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
