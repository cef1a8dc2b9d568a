package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// rooms is how the parts of a tree refer to each other. A room is a package, or a
// file of the one package whose files count singly: a package of many files hides
// as many tangles as a tree of small ones shows.
type rooms struct {
	Packages int
	Rooms    int
	// Floors is the number of rooms on the longest way down to a room that refers
	// to none, references back up left out.
	Floors int
	// Imports counts pairs of rooms of which the first refers to the second. Back
	// are those that would have to go for all others to lead down: see [downward].
	Imports int
	Back    []reference
}

// A reference is one room's use of another.
type reference struct{ From, To string }

// A graph has for each room those that it refers to.
type graph map[string]map[string]bool

// add adds rooms, and an edge where they differ.
func (g graph) add(from, to string) {
	for _, room := range []string{from, to} {
		if g[room] == nil {
			g[room] = map[string]bool{}
		}
	}
	if from != to {
		g[from][to] = true
	}
}

// readRooms reads the packages of the module in dir without their tests. It compiles
// nothing: what the module is made of is type-checked from source, and modules of
// others, in which no room lies, are empty to it (sources.go).
func readRooms(dir, single string) (rooms, error) {
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedSyntax | packages.NeedModule
	pkgs, err := packages.Load(&packages.Config{Dir: dir, Mode: mode}, "./...")
	if err != nil {
		return rooms{}, err
	}
	if len(pkgs) == 0 {
		return rooms{}, fmt.Errorf("no package in %s", dir)
	}
	p := plan{graph: graph{}, single: single}
	for _, pkg := range pkgs {
		for _, e := range pkg.Errors {
			err = errors.Join(err, e)
		}
		if pkg.Module != nil {
			p.module = pkg.Module.Path
		}
	}
	if err != nil {
		return rooms{}, err
	}
	checked := newSources(pkgs)
	for _, pkg := range pkgs {
		info, err := checked.check(pkg)
		if err != nil {
			return rooms{}, err
		}
		p.draw(pkg, info)
	}
	return p.graph.rooms(len(pkgs)), nil
}

// A plan is a graph that is being drawn.
type plan struct {
	graph
	module string // its path
	single string // folder of the package whose files are rooms
}

// draw adds the rooms of a package and what they refer to.
func (p *plan) draw(pkg *packages.Package, info *types.Info) {
	for _, f := range pkg.Syntax {
		from := p.room(pkg.PkgPath, pkg.Fset, f.Pos())
		if p.folder(pkg.PkgPath) != p.single || len(f.Decls) > 0 {
			p.add(from, from) // a file with nothing but its comment is no room
		}
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			if used := info.Uses[id]; p.ours(used) {
				p.add(from, p.room(used.Pkg().Path(), pkg.Fset, used.Pos()))
			}
			return true
		})
	}
}

// ours reports whether something is declared in a package of the module.
func (p *plan) ours(o types.Object) bool {
	if o == nil || o.Pkg() == nil || !o.Pos().IsValid() {
		return false
	}
	if _, ok := o.(*types.PkgName); ok {
		return false // the name of an import, which stands in the file that imports
	}
	path := o.Pkg().Path()
	return path == p.module || strings.HasPrefix(path, p.module+"/")
}

// folder is the folder of a package below the module's.
func (p *plan) folder(path string) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(path, p.module), "/"), ".")
}

// room is the room in which something at pos stands.
func (p *plan) room(path string, files *token.FileSet, pos token.Pos) string {
	folder := p.folder(path)
	if folder != p.single {
		return folder
	}
	return folder + "/" + filepath.Base(files.Position(pos).Filename)
}

func (g graph) rooms(pkgs int) rooms {
	r := rooms{Packages: pkgs, Rooms: len(g)}
	order := g.downward()
	place := map[string]int{}
	for i, room := range order {
		place[room] = i
	}
	floor := map[string]int{}
	for _, room := range slices.Backward(order) {
		floor[room] = 1
		for _, to := range slices.Sorted(maps.Keys(g[room])) {
			r.Imports++
			if place[to] < place[room] {
				r.Back = append(r.Back, reference{room, to})
				continue
			}
			floor[room] = max(floor[room], floor[to]+1)
		}
		r.Floors = max(r.Floors, floor[room])
	}
	slices.SortFunc(r.Back, func(a, b reference) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return r
}

// downward orders the rooms so that few references lead back up, and none where all
// can lead down. To find the fewest is hard; this is the rule of Eades, Lin and Smyth
// (1993): what refers to nobody goes to the end, what nobody refers to goes to the
// front, and between those comes first who refers to the most and is referred to
// the least.
func (g graph) downward() []string {
	left := maps.Clone(g)
	var front, back []string
	for len(left) > 0 {
		best, most := "", 0
		for _, room := range slices.Sorted(maps.Keys(left)) {
			out, in := left.degrees(room)
			if out == 0 {
				back = append(back, room)
				best = ""
				delete(left, room)
				break
			}
			if in == 0 {
				out = len(g) * len(g) // ahead of all that somebody refers to
			}
			if best == "" || out-in > most {
				best, most = room, out-in
			}
		}
		if best != "" {
			front = append(front, best)
			delete(left, best)
		}
	}
	slices.Reverse(back)
	return append(front, back...)
}

// degrees counts the references of a room to others, and theirs to it.
func (g graph) degrees(room string) (out, in int) {
	for to := range g[room] {
		if _, there := g[to]; there {
			out++
		}
	}
	for _, refs := range g {
		if refs[room] {
			in++
		}
	}
	return out, in
}
