package diagnose

import (
	"slices"
	"testing"
)

// TestEveryCauseIsInTheTable: each name of names.go stands in the table once, and
// nothing else does. Anchors are unique, or links would lead astray.
func TestEveryCauseIsInTheTable(t *testing.T) {
	var names, anchors []string
	for _, f := range Families {
		for _, k := range f.Causes {
			names, anchors = append(names, k.Name), append(anchors, k.Anchor())
			if k.ID == "" || k.Layer == "" {
				t.Errorf("%s: id %q, layer %q", k.Name, k.ID, k.Layer)
			}
			for _, name := range k.Alike {
				if _, ok := Lookup(name); !ok || name == k.Name {
					t.Errorf("%s looks like %q", k.Name, name)
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
