//go:build !race

package record_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

// prose are the fields that hold sentences for the reader.
var prose = []string{
	"record.Note.Text", "record.Note.Settle", "record.Event.Text", "record.Window.Why", "record.Fault.Name",
	"record.Evidence.Text", "record.Evidence.Remark", "record.Scenario.Title", "record.Scenario.Doc",
	"record.Scenario.Fault", "record.EdgeTrial.Why", "verdict.Check.Why", "verdict.Doubt.Settle", "verdict.Doubt.About",
	"record.Fact.Text", "verdict.Doubt.Why", "verdict.Cause.Summary", "fault.Proof.Evidence", causeName,
}

// causeName is a published name: it may be compared, but not searched.
const causeName = "verdict.Cause.Cause"

// translator is the file that knows the sentences of older records.
const translator = "old.go"

// searches are the functions that look for something in a text.
var searches = map[string][]string{
	"strings": {"Contains", "ContainsAny", "Count", "Cut", "CutPrefix", "CutSuffix", "EqualFold", "Fields", "HasPrefix",
		"HasSuffix",
		"Index", "Split", "TrimPrefix", "TrimSuffix"},
	"regexp": {"Match", "MatchString", "FindString", "FindStringIndex", "FindStringSubmatch", "FindAllString",
		"FindAllStringSubmatch"},
	"encoding/json": {"Unmarshal"},
	"fmt":           {"Sscan", "Sscanf"},
}

// planted reads prose in two ways, and proves that the test below can see both.
const planted = `package verdict

import "strings"

func planted(s *Scope) bool {
	return strings.HasPrefix(s.Notes[0].Text, "the fault") || "it never struck" == s.Windows[0].Fault.Name
}
`

// everything are the packages of this module with their types, and what is planted in
// them. They are loaded once.
func everything(t *testing.T) []*packages.Package {
	t.Helper()
	pkgs, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

var loaded = sync.OnceValues(func() ([]*packages.Package, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedSyntax | packages.NeedTypes |
		packages.NeedTypesInfo
	pkgs, err := packages.Load(&packages.Config{Dir: root, Mode: mode, Overlay: map[string][]byte{
		filepath.Join(root, "harness", "verdict", "planted.go"):  []byte(planted),
		filepath.Join(root, "harness", "diagnose", "planted.go"): []byte(plantedSentence)}},
		"./harness/...", "./reports/...", "./scenarios", "./cmd/...")
	for _, pkg := range pkgs {
		for _, e := range pkg.Errors {
			err = errors.Join(err, e)
		}
	}
	return pkgs, err
})

// What a package wants to know of another has a field of its own. Nobody takes the
// other's sentences apart: they may be worded anew any day. Searched are the fields
// themselves; a text that was put into a variable first is not seen. What older
// records put into sentences is translated in one file, when they are read.
// The race detector makes reading all types ten times as dear: make norace has it.
func TestNobodyReadsProse(t *testing.T) {
	var found []string
	for _, pkg := range everything(t) {
		for _, file := range pkg.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				for _, read := range readings(pkg.TypesInfo, n) {
					at := pkg.Fset.Position(n.Pos())
					if filepath.Base(at.Filename) == translator || strings.Contains(pkg.PkgPath, "/harnesstest/") { // tests' own
						continue
					}
					found = append(found, fmt.Sprintf("%s:%d reads %s", filepath.Base(at.Filename), at.Line, read))
				}
				return true
			})
		}
	}
	want := []string{"planted.go:6 reads record.Fault.Name", "planted.go:6 reads record.Note.Text"}
	if slices.Sort(found); !slices.Equal(found, want) {
		t.Errorf("prose is taken apart:\n%s\nwant only what is planted:\n%s", strings.Join(found, "\n"),
			strings.Join(want, "\n"))
	}
}

// readings are the fields of prose that a node looks into: a search in them, or a
// comparison with a text that is not empty.
func readings(info *types.Info, n ast.Node) (read []string) {
	var looked []ast.Expr
	switch n := n.(type) {
	case *ast.CallExpr:
		if f, ok := calleeOf(info, n); ok && f.Pkg() != nil && slices.Contains(searches[f.Pkg().Path()], f.Name()) {
			looked = n.Args
		}
	case *ast.BinaryExpr:
		for _, pair := range [][2]ast.Expr{{n.X, n.Y}, {n.Y, n.X}} {
			v := info.Types[pair[1]].Value
			compared := (n.Op == token.EQL || n.Op == token.NEQ) && v != nil && v.ExactString() != `""`
			if compared && fieldOf(info, pair[0]) != causeName {
				looked = append(looked, pair[0])
			}
		}
	}
	for _, x := range looked {
		if name := fieldOf(info, x); slices.Contains(prose, name) {
			read = append(read, name)
		}
	}
	return read
}

func calleeOf(info *types.Info, call *ast.CallExpr) (types.Object, bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil, false
	}
	return info.Uses[sel.Sel], info.Uses[sel.Sel] != nil
}

// fieldOf names the field that x is, "record.Note.Text", also through a conversion
// and where it is promoted; "" for anything else.
func fieldOf(info *types.Info, x ast.Expr) string {
	if call, ok := x.(*ast.CallExpr); ok && len(call.Args) == 1 && info.Types[call.Fun].IsType() {
		return fieldOf(info, call.Args[0])
	}
	sel, ok := x.(*ast.SelectorExpr)
	if !ok || info.Selections[sel] == nil {
		return ""
	}
	owner := info.Selections[sel].Recv()
	path := info.Selections[sel].Index()
	for _, i := range path[:len(path)-1] {
		owner = pointed(owner).Underlying().(*types.Struct).Field(i).Type()
	}
	named, ok := pointed(owner).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Name() + "." + named.Obj().Name() + "." + sel.Sel.Name
}

func pointed(t types.Type) types.Type {
	if p, ok := t.(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}
