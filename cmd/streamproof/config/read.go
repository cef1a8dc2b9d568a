package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stream"
)

// A File is a configuration and where it stands.
type File struct {
	Path string
	Config
	lines []string
	own   []stream.Dialect // of the file
	root  *ast.File

	defines []ast.Node // of Define
}

// maxFile bounds what is read; a larger file is no configuration.
const maxFile = 1 << 20

// Read reads a file. Its error is an *[Error].
func Read(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	f, err := Parse(path, data)
	if err == nil && reflect.ValueOf(f.Config).IsZero() {
		return nil, &Error{UsageError: harness.UsageError{Place: path, Problem: "it sets no key, and names no app",
			Fix: "'streamproof init' writes a first one; without -f the built-in server is tested"}}
	}
	return f, err
}

func unreadable(path string, err error) error {
	fix := "check the path; 'streamproof init' writes a first one"
	info, statErr := os.Stat(path)
	switch {
	case statErr == nil && info.IsDir():
		fix = "name the file in it, such as " + filepath.ToSlash(filepath.Join(path, "streamproof.yaml"))
	case strings.Contains(path, "://"):
		fix = "leave out -f before a URL"
	case !errors.Is(err, fs.ErrNotExist):
		fix = "check its permissions"
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return &Error{UsageError: harness.UsageError{Place: path, Problem: "cannot read it: " + err.Error(), Fix: fix}}
}

// Parse reads the text of a file called path. Its error is an *[Error].
func Parse(path string, data []byte) (*File, error) {
	f := &File{Path: path}
	if len(data) > maxFile {
		return nil, &Error{UsageError: harness.UsageError{Place: path, Problem: "larger than 1 MiB",
			Fix: "name the configuration file"}}
	}
	data, err := f.text(data)
	if err != nil {
		return nil, err
	}
	root, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, f.explain(err)
	}
	f.root = root
	aliases := aliases{}
	for i, doc := range root.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			return nil, f.at(doc.Body.GetToken(), "a second document", "keep one per file")
		}
		if doc.Body, err = aliases.resolved(doc.Body); err != nil {
			return nil, f.explain(err)
		}
		if err := f.checkDoc(doc.Body); err != nil {
			return nil, err
		}
		if err := f.decode(doc.Body, reflect.ValueOf(&f.Config).Elem(), ""); err != nil {
			return nil, f.explain(err)
		}
	}
	if err := f.checkDialects(); err != nil {
		return nil, err
	}
	if err := f.checkStages(); err != nil {
		return nil, err
	}
	return f, nil
}

// text is the file as UTF-8 without a mark at its beginning, which editors put there
// (YAML 1.2 section 5.2). Other encodings are refused.
func (f *File) text(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	f.lines = strings.Split(string(data), "\n")
	place := f.name()
	if bytes.IndexByte(data, 0) >= 0 {
		f.lines = nil // nothing that a terminal could show
		return nil, &Error{UsageError: harness.UsageError{Place: place,
			Problem: "it is not UTF-8 text: it is UTF-16, or no text at all", Fix: "save it as UTF-8"}}
	}
	for i, l := range f.lines {
		if !utf8.ValidString(l) {
			sound, _, _ := strings.Cut(strings.ToValidUTF8(l, "\x00"), "\x00")
			return nil, &Error{UsageError: harness.UsageError{
				Place:   fmt.Sprintf("%s:%d:%d", place, i+1, utf8.RuneCountInString(sound)+1),
				Problem: fmt.Sprintf("byte 0x%02x is not UTF-8", l[len(sound)]), Fix: "save the file as UTF-8"}}
		}
	}
	return data, nil
}

func (f *File) checkDoc(body ast.Node) error {
	switch body.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.NullNode, *ast.CommentGroupNode:
		if err := f.checkKeys(body, reflect.TypeFor[Config]()); err != nil {
			return err
		}
		return f.checkLogs(body)
	}
	return f.at(body.GetToken(), "a map of keys to values is expected here",
		"known keys are "+join(keysOf(reflect.TypeFor[Config]())))
}
