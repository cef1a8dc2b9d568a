package reports

import (
	"os"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
)

const causesPage = "../harness/diagnose/README.md"

// TestCausesPage: the page of causes is what their table and our words render.
func TestCausesPage(t *testing.T) {
	if *update {
		if err := os.WriteFile(causesPage, []byte(CausesPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(causesPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != CausesPage() {
		t.Errorf("%s is not what the table of causes renders: go test ./reports -run TestCausesPage -update", causesPage)
	}
}

// TestEveryCauseIsDocumented: each cause of the table has a sentence, and one for each
// cause that it is mistaken for; nothing else has.
func TestEveryCauseIsDocumented(t *testing.T) {
	n := 0
	eachCause(func(k diagnose.Known) {
		n++
		doc := causeDocs[k.Name]
		if !strings.HasSuffix(doc.line, ".") {
			t.Errorf("%s: line %q", k.Name, doc.line)
		}
		for _, name := range k.Alike {
			if doc.alike[name] == "" {
				t.Errorf("%s: nothing tells it from %s", k.Name, name)
			}
		}
		if len(doc.alike) != len(k.Alike) {
			t.Errorf("%s is told from %d causes, and looks like %d", k.Name, len(doc.alike), len(k.Alike))
		}
	})
	if len(causeDocs) != n {
		t.Errorf("%d causes are documented, the table has %d", len(causeDocs), n)
	}
}
