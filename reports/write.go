package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of the files that [WriteAll] writes.
const (
	JSONFile     = "verdict.json"
	JUnitFile    = "junit.xml"
	MarkdownFile = "summary.md"
	HTMLFile     = "report.html"
)

// WriteAll writes verdict.json, junit.xml, summary.md and report.html into dir.
// Each file is whole or absent: a reader never meets half of one. One that cannot
// be written keeps none of the others back.
func WriteAll(dir string, in Input) error {
	var errs []error
	for _, f := range []struct {
		name  string
		write Reporter
	}{{JSONFile, JSON}, {JUnitFile, JUnit}, {MarkdownFile, Markdown}, {HTMLFile, HTML}} {
		if err := WriteFile(filepath.Join(dir, f.name), func(w io.Writer) error { return f.write(w, in) }); err != nil {
			errs = append(errs, fmt.Errorf("write %s: %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}

// WriteFile writes to a file beside path and renames it: a reader never meets half of it.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	b := bufio.NewWriterSize(f, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	// CreateTemp makes files for the owner alone; reports are there to be read.
	if err := errors.Join(b.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}
