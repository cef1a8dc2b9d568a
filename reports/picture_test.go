package reports

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var (
	renderTo  = flag.String("render", "", "write the reports of the synthetic runs into this folder, to look at")
	pictureTo = flag.String("picture", "", "draw the picture of the README into this file")
)

// TestRender writes the pages that a person should look at after a change of
// template or style: go test ./reports -run TestRender -render DIR.
func TestRender(t *testing.T) {
	dir := *renderTo
	if dir == "" {
		dir = t.TempDir()
	}
	for name, in := range map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive(), "large": large(1000), "judged": judged(t)} {
		sub := filepath.Join(dir, name)
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := WriteAll(sub, in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
