//go:build !race

package record_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// facing are the fields that a reader of a report comes to see, of whatever type.
var facing = []string{"Why", "Settle", "Summary", "Text", "Fix", "Remark", "Says", "Evidence", "Warnings", "Only", "RuledOut",
	"Line", "Tell"}

// worders are the packages of harness, and single functions, that may make sentences all
// the same, and why.
var worders = map[string]string{
	"fault":  "what proves a fault is told while it strikes, and stands in the record in words",
	"play":   "notes, windows and events stand in the record in words",
	"record": "notes on logs that a reader of the record adds",
	"stream": "Summary.Why stands in records of all versions",
	"(" + module + "harness/diagnose.Refusal).Mend":       "the text of an error, when an app is looked at",
	"(*" + module + "harness/stack/container.box).Hint":   "the text of an error, when a container does not start",
	"(*" + module + "harness/stack/process.process).Hint": "the text of an error, when a command does not start",

	"logline": "KubeFact.Text is the line of a log, in one piece",
}

const module = "github.com/streamproof/streamproof/"

// sentence is the least number of words that make one.
const sentence = 4

// A maker looks for texts that one package makes: which of its variables and functions
// hold them.
type maker struct {
	pkg   *types.Package
	info  *types.Info
	holds map[types.Object]bool
	said  map[string]bool // functions of all packages by their full names
	grew  bool
}

// words counts those of a text; verbs of a format are none.
func words(text string) (n int) {
	for _, w := range regexp.MustCompile(`[A-Za-z']{2,}`).FindAllString(verb.ReplaceAllString(text, " "), -1) {
		if w != "" {
			n++
		}
	}
	return n
}

var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// worded reports whether an expression holds a sentence.
func (m *maker) worded(x ast.Expr) bool {
	if v := m.info.Types[x].Value; v != nil {
		return v.Kind() == constant.String && words(constant.StringVal(v)) >= sentence
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return m.worded(x.X)
	case *ast.BinaryExpr:
		return x.Op == token.ADD && (m.worded(x.X) || m.worded(x.Y))
	case *ast.Ident:
		return m.holds[m.info.Uses[x]]
	case *ast.CompositeLit:
		if _, isMap := m.info.TypeOf(x).Underlying().(*types.Struct); isMap {
			return false
		}
		return slices.ContainsFunc(x.Elts, func(e ast.Expr) bool {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				e = kv.Value
			}
			return m.worded(e)
		})
	case *ast.IndexExpr:
		return m.worded(x.X)
	case *ast.CallExpr:
		if f, ok := m.callee(x).(*types.Func); ok && m.said[f.FullName()] {
			return true
		}
		if f, ok := m.callee(x).(*types.Func); ok && f.Pkg() != nil && !slices.Contains([]string{"fmt", "strings", "cmp", "slices"},
			f.Pkg().Path()) {
			return false
		}
		return slices.ContainsFunc(x.Args, m.worded)
	}
	return false
}

func (m *maker) callee(call *ast.CallExpr) types.Object {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return m.info.Uses[f]
	case *ast.SelectorExpr:
		return m.info.Uses[f.Sel]
	}
	return nil
}

func (m *maker) mark(o types.Object) {
	if o == nil || !isText(o.Type()) || m.holds[o] {
		return
	}
	m.holds[o], m.grew = true, true
}

func isText(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Info()&types.IsString != 0
	case *types.Slice:
		return isText(t.Elem())
	case *types.Map:
		return isText(t.Elem())
	}
	return false
}

// hand marks the parameters that a call of a function of this package hands sentences to.
func (m *maker) hand(call *ast.CallExpr) {
	f, ok := m.callee(call).(*types.Func)
	if !ok || f.Pkg() != m.pkg {
		return
	}
	params := f.Signature().Params()
	for i, x := range call.Args {
		if i < params.Len() && m.worded(x) {
			m.mark(params.At(i))
		}
	}
}

// learn marks the variables and functions of a file that hold sentences.
func (m *maker) learn(file *ast.File) {
	for _, d := range file.Decls {
		f, _ := d.(*ast.FuncDecl)
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				m.hand(n)
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok && len(n.Rhs) == len(n.Lhs) && m.worded(n.Rhs[i]) {
						m.mark(cmp.Or(m.info.Defs[id], m.info.Uses[id]))
					}
				}
			case *ast.ValueSpec:
				for i, id := range n.Names {
					if i < len(n.Values) && m.worded(n.Values[i]) {
						m.mark(m.info.Defs[id])
					}
				}
			case *ast.ReturnStmt:
				if f != nil && slices.ContainsFunc(n.Results, m.worded) {
					name := m.info.Defs[f.Name].(*types.Func).FullName()
					m.grew = m.grew || !m.said[name]
					m.said[name] = true
				}
			}
			return true
		})
	}
}

// made are the sentences that a file puts into fields that face the reader.
func (m *maker) made(n ast.Node) (fields []string) {
	put := func(owner types.Type, field string, value ast.Expr) {
		named, ok := pointed(owner).(*types.Named)
		if !ok || named.Obj().Pkg() == nil || !slices.Contains(facing, field) || isError(named) || !m.worded(value) {
			return
		}
		if strings.HasPrefix(named.Obj().Pkg().Path(), module) {
			fields = append(fields, named.Obj().Pkg().Name()+"."+named.Obj().Name()+"."+field)
		}
	}
	switch n := n.(type) {
	case *ast.CompositeLit:
		t := m.info.TypeOf(n)
		s, ok := pointed(t).Underlying().(*types.Struct)
		for i, e := range n.Elts {
			if kv, keyed := e.(*ast.KeyValueExpr); ok && keyed {
				put(t, kv.Key.(*ast.Ident).Name, kv.Value)
			} else if ok {
				put(t, s.Field(i).Name(), e)
			}
		}
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if sel, ok := l.(*ast.SelectorExpr); ok && len(n.Rhs) == len(n.Lhs) && m.info.Selections[sel] != nil {
				put(m.info.Selections[sel].Recv(), sel.Sel.Name, n.Rhs[i])
			}
		}
	}
	return fields
}

// spoken are the exported functions of a file that give sentences to whoever shows them,
// by their names: a Summary, a Hint.
func (m *maker) spoken(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !slices.Contains(append(facing, "Hint", "Mend", "Say"), f.Name.Name) {
			continue
		}
		o := m.info.Defs[f.Name].(*types.Func)
		if r := o.Signature().Results(); r.Len() > 0 && isText(r.At(0).Type()) && m.said[o.FullName()] {
			names = append(names, o.FullName())
		}
	}
	return names
}

// isError reports whether a type is an error: those say themselves what is wrong.
func isError(t *types.Named) bool {
	e := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return types.Implements(t, e) || types.Implements(types.NewPointer(t), e)
}

// plantedSentence is one that the test below must see.
const plantedSentence = `package diagnose

import "github.com/streamproof/streamproof/harness/verdict"

func plantedWords(n int) string {
	text := "this is surely a sentence"
	return text
}

func plantedCause(c *verdict.Cause) {
	c.Summary = plantedWords(1)
}

type PlantedProbe struct{}

func (PlantedProbe) Summary() string { return plantedWords(2) }
`

// What is found is said in facts, and package reports words them: a sentence that some
// other package writes is one that nobody finds who wants to word it anew. Looked at are
// fields of harness that a reader comes to see; errors say themselves what is wrong.
func TestNobodyElseMakesSentences(t *testing.T) {
	pkgs := slices.DeleteFunc(slices.Clone(everything(t)), func(pkg *packages.Package) bool {
		return !strings.HasPrefix(pkg.PkgPath, module+"harness/") || strings.HasPrefix(pkg.PkgPath, module+"harness/harnesstest/")
	})
	makers := map[*packages.Package]*maker{}
	said := map[string]bool{}
	for _, pkg := range pkgs {
		makers[pkg] = &maker{pkg: pkg.Types, info: pkg.TypesInfo, holds: map[types.Object]bool{}, said: said}
	}
	for grew := true; grew; {
		grew = false
		for _, pkg := range pkgs {
			m := makers[pkg]
			m.grew = false
			for _, file := range pkg.Syntax {
				m.learn(file)
			}
			grew = grew || m.grew
		}
	}
	var found []string
	used := map[string]bool{}
	for _, pkg := range pkgs {
		name := strings.TrimPrefix(pkg.PkgPath, module+"harness/")
		for _, file := range pkg.Syntax {
			for _, f := range makers[pkg].spoken(file) {
				if used[f] = true; worders[name] == "" && worders[f] == "" {
					found = append(found, f+" is a sentence")
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				for _, field := range makers[pkg].made(n) {
					at := pkg.Fset.Position(n.Pos())
					if used[name] = true; worders[name] == "" {
						found = append(found, fmt.Sprintf("%s/%s:%d words %s", name, filepath.Base(at.Filename), at.Line, field))
					}
				}
				return true
			})
		}
	}
	want := []string{"(" + module + "harness/diagnose.PlantedProbe).Summary is a sentence",
		"diagnose/planted.go:11 words verdict.Cause.Summary"}
	if slices.Sort(found); !slices.Equal(found, want) {
		t.Errorf("sentences are made:\n%s\nwant only what is planted:\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	for name := range worders {
		if !used[name] {
			t.Errorf("%s may word what it finds, and does not: take it off the list", name)
		}
	}
}
