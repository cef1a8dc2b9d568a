package config

import (
	"errors"
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness"
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
	return f.Locate("stream.dialect", fmt.Sprintf("unknown dialect %q", name), Suggest(name, f.dialects()))
}

// dialects are the names that may be given where the file is read.
func (f *File) dialects() []string {
	names := Dialects()
	for _, d := range f.own {
		names = append(names, d.Name)
	}
	return names
}

// Named is what reads answers in the dialect of a name that a flag gives: nil for one that
// we know, the spec of one of the file's own. The error is a [*harness.UsageError].
func (f *File) Named(name string) (*stream.Spec, error) {
	d, ok := f.dialect(name)
	switch {
	case !ok:
		return nil, &harness.UsageError{Place: "dialect", Problem: fmt.Sprintf("unknown dialect %q", name),
			Fix: Suggest(name, f.dialects())}
	case slices.ContainsFunc(f.own, func(own stream.Dialect) bool { return own.Name == name }):
		return d.Spec, nil
	}
	return nil, nil
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
