package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// unpacked writes the files of an archive into a folder.
func unpacked(t *testing.T, archive string) string {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMeasure(t *testing.T) {
	got, err := measure(unpacked(t, "testdata/house.txtar"), "root")
	if err != nil {
		t.Fatal(err)
	}
	want := house{
		source{Files: 7, Lines: 39, Tests: 9, Long: 1, Commented: 6,
			FileSizes: sizes{7, 6, 9, 9, "root/b.go"},
			Functions: sizes{3, 3, 5, 5, "B in root/b.go"}},
		rooms{Packages: 4, Rooms: 6, Floors: 5, Imports: 6, Back: []reference{{"root/b.go", "root/a.go"}}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(house{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCommented(t *testing.T) {
	for text, want := range map[string]int{
		"package a\n":                                0,
		"// a\n// b\npackage a // c\n":               3,
		"package a /* b */ // c\n":                   1,
		"/* a\nb */ package a /* c\nd\n*/\n":         4,
		"package a\n\nconst s = \"// no comment\"\n": 0,
	} {
		if got := commented([]byte(text)); got != want {
			t.Errorf("%q: %d lines with a comment, want %d", text, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	var all []length
	for i := range 200 {
		all = append(all, length{lines: 200 - i})
	}
	all[0].name = "longest"
	if got, want := sizesOf(all), (sizes{200, 100, 198, 200, "longest"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := sizesOf(nil); got != (sizes{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// TestDownward: what has no circle leads down, whatever the names; of a circle one
// reference goes up.
func TestDownward(t *testing.T) {
	for edges, want := range map[string]struct{ floors, back int }{
		"z>y y>x z>x x>w": {4, 0},
		"a>b b>c c>a":     {3, 1},
		"a>b b>a a>c b>c": {3, 1},
		"a>b c>d":         {2, 0},
	} {
		g := graph{}
		for e := range strings.FieldsSeq(edges) {
			g.add(e[:1], e[2:])
		}
		if r := g.rooms(0); r.Floors != want.floors || len(r.Back) != want.back {
			t.Errorf("%s: %d floors, up %v; want %d floors, %d up", edges, r.Floors, r.Back, want.floors, want.back)
		}
	}
}

func TestRun(t *testing.T) {
	dir := unpacked(t, "testdata/house.txtar")
	var out, errs bytes.Buffer
	if code := run([]string{"-dir", dir, "-single", "root", "-up"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	for _, want := range []string{"now", "45257", "longest file", "up: root/b.go → root/a.go\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"-h"}, 0},
		{[]string{"-dir", t.TempDir()}, 1},
		{[]string{"-no-such-flag"}, 2},
	} {
		if code := run(tt.args, &out, &errs); code != tt.code {
			t.Errorf("%v: exit code %d, want %d", tt.args, code, tt.code)
		}
	}
	if !slices.Contains(strings.Split(errs.String(), "\n"), "flag provided but not defined: -no-such-flag") {
		t.Errorf("stderr: %s", errs.String())
	}
}
