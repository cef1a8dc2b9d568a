package reports

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteAll(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second time over the first
		if err := WriteAll(dir, failing()); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := names(t, dir), []string{JUnitFile, HTMLFile, MarkdownFile, JSONFile}; !slices.Equal(got, want) {
		t.Errorf("files = %v, want %v and nothing else", got, want)
	}
}

func TestWriteAllKeepsGoing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, JUnitFile, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := WriteAll(dir, passing())
	if err == nil || !strings.Contains(err.Error(), "write "+JUnitFile+": ") {
		t.Errorf("error = %v, want one that names %s", err, JUnitFile)
	}
	if got, want := names(t, dir), []string{JUnitFile, HTMLFile, MarkdownFile, JSONFile}; !slices.Equal(got, want) {
		t.Errorf("files = %v, want %v: the others written, no leftovers", got, want)
	}
}

func TestWriteAllNoFolder(t *testing.T) {
	if err := WriteAll(filepath.Join(t.TempDir(), "missing"), passing()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want one that says that the folder is missing", err)
	}
}

// TestWriteFileAtomic: a reporter that fails half-way leaves the old file.
func TestWriteFileAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := WriteFile(path, func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("new", 1<<16))
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error = %v, want the reporter's", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("file holds %.20q, want the old text", got)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}
