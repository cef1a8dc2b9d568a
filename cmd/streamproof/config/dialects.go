package config

import (
	"errors"
	"fmt"

	"github.com/streamproof/streamproof/harness/stream"
)

// checkDialects compiles the dialects of the file, and looks whether the one that it
// reads answers with is known. Mistakes are shown at their key.
func (f *File) checkDialects() error {
	for i, s := range f.Dialects {
		at := fmt.Sprintf("dialects[%d].", i)
		if _, ok := f.dialect(s.Name); ok {
			return f.Locate(at+"name", fmt.Sprintf("there is a dialect %q already", s.Name), "choose another name; like: "+
				s.Name+" takes its facts over")
		}
		d, err := s.CompileWith(f.dialect)
		var e *stream.SpecError
		if errors.As(err, &e) {
			return f.Locate(at+e.Path, e.Problem, e.Fix)
		}
		if err != nil {
			return f.Locate(at+"name", err.Error(), "")
		}
		f.own = append(f.own, d)
	}
	name := f.Stream.Dialect
	if name == "" {
		return nil
	}
	if _, ok := f.dialect(name); ok {
		return nil
	}
	names := Dialects()
	for _, d := range f.own {
		names = append(names, d.Name)
	}
	return f.Locate("stream.dialect", fmt.Sprintf("unknown dialect %q", name), Suggest(name, names))
}

// dialect finds one of the file's, or one that we know.
func (f *File) dialect(name string) (stream.Dialect, bool) {
	for _, d := range f.own {
		if d.Name == name {
			return d, true
		}
	}
	return stream.Lookup(name)
}

// spec is the dialect that answers are read with, where it is one of the file's, with
// all that it took over from others.
func (f *File) spec() *stream.Spec {
	for _, d := range f.own {
		if d.Name == f.Stream.Dialect {
			return d.Spec
		}
	}
	return nil
}
