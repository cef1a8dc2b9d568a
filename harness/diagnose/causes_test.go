package diagnose

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write README.md")

// TestCausesPage: README.md is what the table renders.
func TestCausesPage(t *testing.T) {
	if *update {
		if err := os.WriteFile("README.md", []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Page() {
		t.Error("README.md is not what the table of causes renders: go test ./harness/diagnose -run TestCausesPage -update")
	}
}

// TestEveryCauseIsDocumented: each name of names.go stands in the table once, and
// nothing else does. Anchors are unique, or links would lead astray.
func TestEveryCauseIsDocumented(t *testing.T) {
	var names, anchors []string
	for _, f := range families {
		for _, k := range f.causes {
			names, anchors = append(names, k.Name), append(anchors, k.anchor())
			if k.ID == "" || k.Layer == "" || !strings.HasSuffix(k.Line, ".") && !strings.HasSuffix(k.Line, "…}.") {
				t.Errorf("%s: id %q, layer %q, line %q", k.Name, k.ID, k.Layer, k.Line)
			}
			for _, a := range k.Alike {
				if _, ok := Lookup(a.Cause); !ok || a.Cause == k.Name || a.Tell == "" {
					t.Errorf("%s looks like %q, %q", k.Name, a.Cause, a.Tell)
				}
			}
		}
	}
	for constant, name := range causeNames(t) {
		if !slices.Contains(names, name) {
			t.Errorf("%s (%q) is not in the table", constant, name)
		}
	}
	if n := len(causeNames(t)); len(names) != n {
		t.Errorf("%d causes in the table, %d names", len(names), n)
	}
	slices.Sort(anchors)
	if all := len(anchors); len(slices.Compact(anchors)) != all {
		t.Errorf("anchors are not unique: %q", anchors)
	}
	if got := Link(InjectedFault + ": edge cut"); got != docURL+"#injected-fault" {
		t.Errorf("link of an injected fault is %q", got)
	}
	if got := Link("no such cause"); got != "" {
		t.Errorf("link of an unknown cause is %q", got)
	}
}
