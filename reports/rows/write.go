package rows

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/streamproof/streamproof/reports"
)

// A file is one that gets its name when it is whole.
type file struct {
	*os.File
	path string
	buf  *bufio.Writer
}

func create(path string) (*file, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &file{f, path, bufio.NewWriterSize(f, 64<<10)}, nil
}

// flush ends the file. CreateTemp makes files for the owner alone; tables are there to be
// read.
func (f *file) flush() error { return errors.Join(f.buf.Flush(), f.Chmod(0o644), f.Close()) }

// A writer appends rows of one table in one format.
type writer[T any] interface {
	write(row *T) error
	close() error
}

func newWriter[T any](format string, w io.Writer) writer[T] {
	if format == Parquet {
		return newParquet[T](w)
	}
	return newCSV[T](w)
}

// Rows of Parquet that are in memory at a time: those of a batch before they are encoded,
// and those of a row group before it is written.
const (
	batchRows = 1 << 10
	groupRows = 64 << 10
)

type parquetWriter[T any] struct {
	to    *parquet.GenericWriter[T]
	batch []T
}

// newParquet compresses by Snappy, which every reader of Parquet has.
func newParquet[T any](w io.Writer) *parquetWriter[T] {
	return &parquetWriter[T]{to: parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Snappy),
		parquet.MaxRowsPerRowGroup(groupRows), parquet.CreatedBy("streamproof", "", ""))}
}

func (p *parquetWriter[T]) write(row *T) error {
	if p.batch = append(p.batch, *row); len(p.batch) < batchRows {
		return nil
	}
	return p.flush()
}

func (p *parquetWriter[T]) flush() error {
	_, err := p.to.Write(p.batch)
	p.batch = p.batch[:0]
	return err
}

func (p *parquetWriter[T]) close() error { return errors.Join(p.flush(), p.to.Close()) }

// A csvWriter writes RFC 4180, with a line of names at the top.
type csvWriter[T any] struct {
	to     *csv.Writer
	cells  []string
	headed bool
}

func newCSV[T any](w io.Writer) *csvWriter[T] {
	return &csvWriter[T]{to: csv.NewWriter(w), cells: make([]string, reflect.TypeFor[T]().NumField())}
}

func (c *csvWriter[T]) write(row *T) error {
	if err := c.head(); err != nil {
		return err
	}
	v := reflect.ValueOf(row).Elem()
	for i := range c.cells {
		c.cells[i] = cell(v.Field(i))
	}
	return c.to.Write(c.cells)
}

func (c *csvWriter[T]) head() error {
	if c.headed {
		return nil
	}
	c.headed = true
	for i := range c.cells {
		c.cells[i] = nameOf(reflect.TypeFor[T]().Field(i))
	}
	return c.to.Write(c.cells)
}

func (c *csvWriter[T]) close() error {
	err := c.head()
	c.to.Flush()
	return errors.Join(err, c.to.Error())
}

// cell writes a value; what is nil stays empty.
func cell(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return cell(v.Elem())
	case reflect.String:
		return text(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	}
	return v.Interface().(time.Time).Format(time.RFC3339Nano)
}

// text is a text for a cell. What a server said may begin like a formula, which
// spreadsheets would run: an apostrophe makes it a text (OWASP, "CSV Injection").
func text(s string) string {
	s = reports.Line(s)
	if strings.IndexAny(s, "=+-@") == 0 {
		return "'" + s
	}
	return s
}
