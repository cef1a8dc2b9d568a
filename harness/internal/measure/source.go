package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// columns is how wide a line may be. A tab counts as one column.
const columns = 120

// source is what the files of a tree say without types. Lines of tests count in
// Tests and nowhere else.
type source struct {
	Files, Lines, Tests int
	// Long are the lines that are wider than [columns].
	Long int
	// Commented are the lines with a comment, alone or behind code.
	Commented int
	// FileSizes and Functions are in lines.
	FileSizes, Functions sizes
}

// sizes sums up many lengths in lines: how many there are, the median, the 99th
// percentile by nearest rank, and the longest with its name.
type sizes struct {
	N, P50, P99, Max int
	Longest          string
}

// A length is something with a name that is some lines long.
type length struct {
	name  string
	lines int
}

func sizesOf(all []length) sizes {
	if len(all) == 0 {
		return sizes{}
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b length) int { return a.lines - b.lines })
	rank := func(share float64) int { return all[max(0, int(math.Ceil(share*float64(len(all))))-1)].lines }
	last := all[len(all)-1]
	return sizes{len(all), rank(0.5), rank(0.99), last.lines, last.name}
}

// A reader collects what [source] sums up.
type reader struct {
	source
	files, functions []length
}

// readSource reads every Go file below dir. Folders that the go command leaves out
// are left out: testdata, vendor, and names that begin with "." or "_".
func readSource(dir string) (source, error) {
	var r reader
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && leftOut(d.Name()):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return r.file(filepath.ToSlash(name), text)
	})
	r.FileSizes, r.Functions = sizesOf(r.files), sizesOf(r.functions)
	return r.source, err
}

func leftOut(folder string) bool {
	return folder == "testdata" || folder == "vendor" || strings.HasPrefix(folder, ".") || strings.HasPrefix(folder, "_")
}

// file adds one file.
func (r *reader) file(name string, text []byte) error {
	lines := bytes.Count(text, []byte("\n"))
	if strings.HasSuffix(name, "_test.go") {
		r.Tests += lines
		return nil
	}
	r.Files++
	r.Lines += lines
	r.files = append(r.files, length{name, lines})
	for line := range bytes.Lines(text) {
		if utf8.RuneCount(bytes.TrimSuffix(line, []byte("\n"))) > columns {
			r.Long++
		}
	}
	r.Commented += commented(text)
	return r.declared(name, text)
}

// commented counts the lines on which a comment stands.
func commented(text []byte) int {
	files := token.NewFileSet()
	f := files.AddFile("", files.Base(), len(text))
	var s scanner.Scanner
	s.Init(f, text, nil, scanner.ScanComments)
	n, last := 0, 0 // last is the last line that was counted
	for {
		pos, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return n
		case token.COMMENT:
			first := f.Line(pos)
			end := first + strings.Count(lit, "\n")
			n += end - max(first, last+1) + 1
			last = end
		}
	}
}

// declared adds the functions and methods of a file. A function begins with its
// signature: the comment before it does not count.
func (r *reader) declared(name string, text []byte) error {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			lines := files.Position(fn.End()).Line - files.Position(fn.Pos()).Line + 1
			r.functions = append(r.functions, length{fn.Name.Name + " in " + name, lines})
		}
	}
	return nil
}
