package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"testing"
)

// A word is what users do not read, with a better one.
type word struct {
	pattern *regexp.Regexp
	sure    string // is in what the pattern matches, in lower case; may be ""
	better  string
}

// sure is the longest text that is in all that a pattern matches, in lower case.
func sure(t *testing.T, pattern string) string {
	t.Helper()
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	longest := ""
	for _, part := range parts {
		if part.Op == syntax.OpLiteral && len(string(part.Rune)) > len(longest) {
			longest = strings.ToLower(string(part.Rune))
		}
	}
	return longest
}

// plainWords reads testdata/words.txt.
func plainWords(t *testing.T) []word {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "words.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var words []word
	for line := range strings.Lines(string(text)) {
		bad, better, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if !ok || better == "" {
			t.Fatalf("words.txt: no better word in %q", line)
		}
		words = append(words, word{regexp.MustCompile(`(?i)\b(?:` + bad + `)\b`), sure(t, bad), better})
	}
	return words
}

// notRead are folders whose strings no user reads: tests' own programs, what
// measures this project, and the text of servers that we imitate or test.
var notRead = []string{".git", "runs", "vendor", "node_modules", "testdata", "harness/internal", "harness/harnesstest",
	"scenarios/strangers", "harness/origin", "harness/logline"}

// userText calls yield with everything in the tree that users read, by its place.
func userText(t *testing.T, yield func(place, text string)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "../../")
		for _, skip := range notRead {
			if d.IsDir() && (name == skip || d.Name() == skip) {
				return filepath.SkipDir
			}
		}
		switch {
		case d.IsDir() || strings.HasSuffix(name, "_test.go"):
		case strings.HasSuffix(name, ".go"):
			literals(t, path, name, yield)
		case strings.HasSuffix(name, ".md"), strings.HasSuffix(name, ".tmpl"), strings.HasSuffix(name, ".js"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			n, inCode := 0, false
			for line := range strings.Lines(string(text)) {
				if n++; strings.HasPrefix(strings.TrimSpace(line), "```") {
					inCode = !inCode
				}
				if !inCode {
					yield(fmt.Sprintf("%s:%d", name, n), codeSpan.ReplaceAllString(line, "``"))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	codeSpan  = regexp.MustCompile("`[^`]*`")
	described = regexp.MustCompile(`^(?:json|yaml):"[^"]*".*jsonschema_description:"([^"]*)"`)
)

// literals yields the string literals of a Go file, but its import paths and tags.
func literals(t *testing.T, path, name string, yield func(place, text string)) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if says := described.FindStringSubmatch(text); says != nil {
				text = says[1]
			}
			if n.Kind == token.STRING && err == nil && strings.Contains(text, " ") { // a word alone is a name
				yield(fmt.Sprintf("%s:%d", name, set.Position(n.Pos()).Line), text)
			}
		}
		return true
	})
}

// TestPlainWords: a tired on-call engineer understands each sentence at first
// reading.
func TestPlainWords(t *testing.T) {
	t.Parallel()
	words, read := plainWords(t), 0
	userText(t, func(place, text string) {
		read++
		line := strings.Join(strings.Fields(text), " ")
		lower := strings.ToLower(line)
		for _, w := range words {
			if !strings.Contains(lower, w.sure) {
				continue // a tenth of the time of asking each pattern
			}
			if found := w.pattern.FindString(line); found != "" {
				t.Errorf("%s: %q is said; better: %s\n\t%.160q", place, found, w.better, text)
			}
		}
	})
	if read < 5000 {
		t.Errorf("only %d texts were read", read)
	}
}
