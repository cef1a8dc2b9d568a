// Package page holds a page of documentation to the test that runs its code.
package page

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// block is a block of Go on a page.
var block = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// Agrees fails t unless each block of Go on the page, a Markdown file, stands word
// for word in the source, a Go test file, in the same order. What the page shows is
// then compiled, and run by the examples of that file: it must have one with an
// output.
func Agrees(t *testing.T, page, source string) {
	t.Helper()
	for _, problem := range disagreements(read(t, page), read(t, source)) {
		t.Errorf("%s and %s: %s", page, source, problem)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// disagreements lists what keeps a page from being run by the source.
func disagreements(page, source string) []string {
	var list []string
	blocks := block.FindAllStringSubmatch(page, -1)
	if len(blocks) == 0 {
		list = append(list, "the page has no block of Go")
	}
	if !strings.Contains(source, "\nfunc Example") || !strings.Contains(source, "\t// Output:") {
		list = append(list, "the source has no example with an output")
	}
	rest := source
	for _, b := range blocks {
		_, after, ok := strings.Cut(rest, b[1])
		switch {
		case ok:
			rest = after
		case strings.Contains(source, b[1]):
			list = append(list, "in another order: "+firstLine(b[1]))
		default:
			list = append(list, "only on the page: "+firstLine(b[1]))
		}
	}
	return list
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
