package page

import (
	"slices"
	"testing"
)

const source = `package a

type A int

type B int

func Example() {
	// Output:
}
`

func TestDisagreements(t *testing.T) {
	for _, tt := range []struct {
		page, source string
		want         []string
	}{
		{"# A\n```go\ntype A int\n```\nand\n```go\ntype B int\n```\n", source, nil},
		{"```go\ntype B int\n```\n```go\ntype A int\n```\n", source, []string{"in another order: type A int"}},
		{"```go\ntype C int\n```\n", source, []string{"only on the page: type C int"}},
		{"```yaml\na: 1\n```\n", source, []string{"the page has no block of Go"}},
		{"```go\ntype A int\n```\n", "package a\n\ntype A int\n", []string{"the source has no example with an output"}},
	} {
		if got := disagreements(tt.page, tt.source); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.page, got, tt.want)
		}
	}
}
