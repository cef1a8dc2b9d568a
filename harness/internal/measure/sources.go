package main

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"path"
	"strings"

	"golang.org/x/tools/go/packages"
)

// sources type-checks the packages of a module from their source. To have the
// compiler's export data instead, all that the module depends on would be compiled:
// minutes on a machine that has not done so yet.
type sources struct {
	ours map[string]*packages.Package
	std  types.Importer
	done map[string]*types.Package
	info map[string]*types.Info
	errs map[string]error // of importing; a second import fails alike
}

func newSources(pkgs []*packages.Package) *sources {
	build.Default.CgoEnabled = false // the standard library without the help of C, which is the same to us
	s := &sources{ours: map[string]*packages.Package{}, done: map[string]*types.Package{},
		info: map[string]*types.Info{}, errs: map[string]error{},
		std: importer.ForCompiler(token.NewFileSet(), "source", nil)}
	for _, pkg := range pkgs {
		s.ours[pkg.PkgPath] = pkg
	}
	return s
}

// check tells what each name in pkg stands for, as far as it is declared in the
// module or in the standard library.
func (s *sources) check(pkg *packages.Package) (*types.Info, error) {
	_, err := s.Import(pkg.PkgPath)
	return s.info[pkg.PkgPath], err
}

// Import implements [types.Importer].
func (s *sources) Import(name string) (*types.Package, error) {
	if p, ok := s.done[name]; ok {
		return p, s.errs[name]
	}
	var p *types.Package
	var err error
	switch first, _, _ := strings.Cut(name, "/"); {
	case name == "unsafe":
		p = types.Unsafe
	case s.ours[name] != nil:
		p = s.checked(s.ours[name])
	case strings.Contains(first, "."):
		p = types.NewPackage(name, path.Base(name)) // of another module: nothing in it is ours
		p.MarkComplete()
	default:
		p, err = s.std.Import(name)
	}
	s.done[name], s.errs[name] = p, err
	return p, err
}

// checked type-checks a package of the module. Errors are those of names from other
// modules, which are unknown here; the compiler sees to all others.
func (s *sources) checked(pkg *packages.Package) *types.Package {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	s.info[pkg.PkgPath] = info
	config := types.Config{Importer: s, FakeImportC: true, Error: func(error) {}}
	p, _ := config.Check(pkg.PkgPath, pkg.Fset, pkg.Syntax, info)
	return p
}
