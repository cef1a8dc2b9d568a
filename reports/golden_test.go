package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/cmd/streamproof/paste"
	"github.com/streamproof/streamproof/harness/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGolden(t *testing.T) {
	runs := map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive()}
	formats := map[string]Reporter{
		"plain.txt":    TextOn(Screen{}),
		"terminal.txt": TextOn(Screen{Terminal: true, Width: 100}),
		"summary.md":   Markdown,
		"junit.xml":    JUnit,
		"verdict.json": JSON,
		"narrow.txt":   TextOn(Screen{Terminal: true, Width: 60}),
	}
	for run, in := range runs {
		for format, write := range formats {
			t.Run(run+"/"+format, func(t *testing.T) {
				golden(t, filepath.Join("testdata", run+"."+format), rendered(t, write, in))
			})
		}
	}
}

// rendered returns what a reporter writes of a report that can be pasted.
func rendered(t testing.TB, write Reporter, in Input) []byte {
	t.Helper()
	pastable(t, in.Report)
	return written(t, write, in)
}

// written returns what a reporter writes of any report.
func written(t testing.TB, write Reporter, in Input) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pastable holds a report to the rule that what it prints for pasting can be pasted.
func pastable(t testing.TB, r *verdict.Report) {
	t.Helper()
	for _, err := range paste.Report(worded(r), IsCommand) {
		t.Error(err)
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// TestSameBytes guards against maps that are written as they come.
func TestSameBytes(t *testing.T) {
	in := failing()
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "json": JSON, "junit": JUnit, "markdown": Markdown, "html": HTML} {
		first := rendered(t, write, in)
		for range 5 {
			if !bytes.Equal(first, rendered(t, write, in)) {
				t.Errorf("%s: two reports of one run differ", name)
				break
			}
		}
	}
}
