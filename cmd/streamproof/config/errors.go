package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/streamproof/streamproof/harness"
)

// An Error is a place in a file and what is wrong there.
type Error struct {
	harness.UsageError
	// Source is the line with a caret under the place; empty where there is
	// none to show.
	Source string
}

// Unwrap makes every Error a *[harness.UsageError].
func (e *Error) Unwrap() error { return &e.UsageError }

// placed is an error that knows its token.
type placed struct {
	token *token.Token
	err   error
}

func (p *placed) Error() string { return p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// explain turns what the YAML library says into one of ours.
func (f *File) explain(err error) error {
	var p *placed
	if errors.As(err, &p) {
		var v *ValueError
		if errors.As(p.err, &v) {
			return f.at(p.token, v.Problem, v.Fix)
		}
		return f.at(p.token, p.err.Error(), "")
	}
	var t *yaml.TypeError
	if errors.As(err, &t) {
		return f.at(t.Token, wanted(t.DstType)+" is expected here", "")
	}
	var u *yaml.UnexpectedNodeTypeError
	if errors.As(err, &u) {
		return f.at(u.Token, nodes[u.Expected]+" is expected here", "")
	}
	var y yaml.Error
	if errors.As(err, &y) {
		if strings.HasPrefix(y.GetMessage(), "found character '\t'") {
			return f.at(y.GetToken(), "the line begins with a tab", "indent with spaces: YAML allows no tabs there")
		}
		return f.at(y.GetToken(), firstLine(y.GetMessage()), "")
	}
	return &Error{UsageError: harness.UsageError{Place: f.name(), Problem: firstLine(err.Error())}}
}

// at places an error at a token.
func (f *File) at(t *token.Token, problem, fix string) error {
	e := &Error{UsageError: harness.UsageError{Place: f.name(), Problem: problem, Fix: fix}}
	if t == nil || t.Position == nil {
		return e
	}
	line, col := t.Position.Line, t.Position.Column
	e.Place = fmt.Sprintf("%s:%d:%d", f.name(), line, col)
	e.Source = caret(f.lines, line, col)
	return e
}

// caret shows a line with a mark under a column, both counted from 1.
func caret(lines []string, line, col int) string {
	if line < 1 || line > len(lines) {
		return ""
	}
	n := fmt.Sprintf("%5d", line)
	blank := strings.Repeat(" ", len(n))
	pad := strings.Map(keepTabs, firstRunes(lines[line-1], col-1))
	return n + " | " + lines[line-1] + "\n" + blank + " | " + pad + "^"
}

func keepTabs(r rune) rune {
	if r == '\t' {
		return r
	}
	return ' '
}

func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:max(0, min(n, len(r)))])
}

// wanted names a Go type as a writer of YAML knows it.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	}
	return "a map of keys to values"
}

// nodes names kinds of nodes in the same words.
var nodes = map[ast.NodeType]string{
	ast.MappingType: "a map of keys to values", ast.SequenceType: "a list", ast.StringType: "a text",
	ast.BoolType: "true or false", ast.IntegerType: "a whole number", ast.FloatType: "a number",
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// name is the file as the user wrote it.
func (f *File) name() string { return filepath.ToSlash(f.Path) }

func join(names []string) string { return strings.Join(names, ", ") }
