package rows

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// The tables.
const (
	streams = "streams"
	events  = "events"
	faults  = "faults"
)

// The formats, by the ending of their files.
const (
	CSV     = ".csv"
	Parquet = ".parquet"
	JSONL   = ".jsonl" // streams alone, as the run folder has them
)

// Formats are the endings of files that [Parse] knows.
var Formats = []string{CSV, Parquet, JSONL}

// A Target says where tables go.
type Target struct {
	dir, file string // one of them
	format    string // of file
}

// An EndingError is a file whose ending names no format.
type EndingError struct{ Ending string }

func (e *EndingError) Error() string { return fmt.Sprintf("no format ends in %q", e.Ending) }

// Parse reads a target: FILE.csv, FILE.parquet and FILE.jsonl hold streams, with events
// and faults in files of their own beside the first two, and anything without an ending
// is a folder that gets all tables as CSV and as Parquet. Nothing is written.
func Parse(target string) (Target, error) {
	ending := strings.ToLower(filepath.Ext(target))
	if info, err := os.Stat(target); err == nil && info.IsDir() || ending == "" || strings.HasSuffix(target, "/") {
		return Target{dir: target}, nil
	}
	for _, f := range Formats {
		if ending == f {
			return Target{file: target, format: f}, nil
		}
	}
	return Target{}, &EndingError{ending}
}

// Writable tries whether the files could be written, and leaves nothing behind.
func (t Target) Writable() error {
	dir := t.dir
	if t.file != "" {
		dir = filepath.Dir(t.file)
	}
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return &fs.PathError{Op: "open", Path: dir, Err: errors.New("not a folder")}
		case err == nil:
			f, err := os.CreateTemp(dir, ".streamproof-*")
			if err != nil {
				return err
			}
			return errors.Join(f.Close(), os.Remove(f.Name()))
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		dir = filepath.Dir(dir) // it will be made
	}
}

// path is where a table goes in a format.
func (t Target) path(table, format string) string {
	if t.dir != "" {
		return filepath.Join(t.dir, table+format)
	}
	if table == streams {
		return t.file
	}
	stem := strings.TrimSuffix(t.file, filepath.Ext(t.file))
	return stem + "." + table + filepath.Ext(t.file)
}

// An Export is tables that are being written.
type Export struct {
	files   []*file
	streams []writer[Stream]
	events  []writer[Event]
	faults  []writer[Fault]
	lines   *file // of JSON
	run     time.Time
}

// Create opens the tables of a run.
func Create(t Target, run *record.Run) (*Export, error) {
	x := &Export{run: run.Plan.Started}
	formats := []string{t.format}
	dir := filepath.Dir(t.file)
	if t.dir != "" {
		formats, dir = []string{CSV, Parquet}, t.dir
	}
	err := os.MkdirAll(dir, 0o755)
	for _, format := range formats {
		if err == nil {
			err = x.open(t, format)
		}
	}
	for i := range run.Windows {
		if err == nil {
			err = writeAll(x.faults, faultOf(&run.Windows[i]))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("export: %w", err), x.Abandon())
	}
	return x, nil
}

func (x *Export) open(t Target, format string) error {
	files := map[string]*file{}
	for _, table := range []string{streams, events, faults} {
		if format == JSONL && table != streams {
			continue
		}
		f, err := create(t.path(table, format))
		if err != nil {
			return err
		}
		files[table] = f
		x.files = append(x.files, f)
	}
	if format == JSONL {
		x.lines = files[streams]
		return nil
	}
	x.streams = append(x.streams, newWriter[Stream](format, files[streams].buf))
	x.events = append(x.events, newWriter[Event](format, files[events].buf))
	x.faults = append(x.faults, newWriter[Fault](format, files[faults].buf))
	return nil
}

// Add appends the streams of some scopes, and their events. A stream that another part of
// the record judges is left out.
func (x *Export) Add(scopes []verdict.Scope) error {
	if x.lines != nil {
		return reports.WriteRows(x.lines.buf, scopes)
	}
	for i := range scopes {
		for g := range scopes[i].Own {
			if err := errors.Join(writeAll(x.streams, streamOf(x.run, g)), x.marks(g.Stream)); err != nil {
				return fmt.Errorf("export: %w", err)
			}
		}
	}
	return nil
}

// marks appends the events of a stream.
func (x *Export) marks(s *record.Stream) error {
	n, content := int64(0), record.Never
	for m := range s.Marks() {
		n++
		row := Event{Seq: s.Seq, Scenario: s.Scenario, Group: string(s.Group), Index: n, Kind: m.Kind.String(),
			At: m.At.Seconds(), Early: m.Early.Seconds(), Bytes: int64(m.Size)}
		if content != record.Never {
			row.Since = seconds(max(m.At-content, 0))
		}
		if m.Kind == stream.Content {
			content = m.At
		}
		if m.Seq >= 0 {
			row.Number = &m.Seq
		}
		if m.Emit != 0 {
			at := time.Duration(m.Emit - x.run.UnixNano()).Seconds()
			row.Emitted = &at
		}
		if err := writeAll(x.events, row); err != nil {
			return err
		}
	}
	return nil
}

func writeAll[T any](to []writer[T], row T) error {
	for _, w := range to {
		if err := w.write(&row); err != nil {
			return err
		}
	}
	return nil
}

func closeAll[T any](all []writer[T]) (err error) {
	for _, w := range all {
		err = errors.Join(err, w.close())
	}
	return err
}

// Close ends the tables and gives the files their names.
func (x *Export) Close() error {
	err := errors.Join(closeAll(x.streams), closeAll(x.events), closeAll(x.faults))
	for _, f := range x.files {
		err = errors.Join(err, f.flush())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("export: %w", err), x.Abandon())
	}
	for _, f := range x.files {
		if err = errors.Join(err, os.Rename(f.Name(), f.path)); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	return nil
}

// Abandon removes what was written.
func (x *Export) Abandon() (err error) {
	for _, f := range x.files {
		if e := f.Close(); !errors.Is(e, fs.ErrClosed) {
			err = errors.Join(err, e)
		}
		err = errors.Join(err, os.Remove(f.Name()))
	}
	x.files = nil
	return err
}

// Paths are the names of the files.
func (x *Export) Paths() (all []string) {
	for _, f := range x.files {
		all = append(all, f.path)
	}
	return all
}
