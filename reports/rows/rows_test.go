package rows

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// sample is a run of three streams: one whole, one cut after 7 of 20 events, one that
// never got a response and says so in the words of a formula.
func sample() *record.Run {
	cut := synth.Shape{Seq: 2, Keep: 7, End: func(s *record.Stream, last time.Duration) {
		s.End, s.Wire.Where, s.Wire.Close = last, record.InChunk, record.CloseRST
	}}.Stream()
	cut.Content.Worker = `=HYPERLINK("http://evil")`
	refused := record.Stream{Seq: 3, Scenario: "control", Group: record.Load, Send: record.Never, Sched: time.Second,
		Connect: record.Never, Headers: record.Never, First: record.Never, FirstAny: record.Never, Last: record.Never,
		TerminalAt: record.Never, End: 2 * time.Second, Wire: record.Wire{Close: record.CloseError, Lingered: record.Never}}
	return &record.Run{
		Plan:    record.Plan{Started: synth.Started, Scenarios: []record.Scenario{{ID: "control"}}},
		Streams: []record.Stream{synth.Shape{Seq: 1}.Stream(), cut, refused},
		Windows: []record.Window{{Scenario: "control", Fault: record.Fault{Name: "latency 200ms", Kind: "latency",
			Effect: record.Delays}, Phase: record.Active, At: 1500 * time.Millisecond, Why: "all have 5 events", Victims: []uint64{1, 2}}},
		Finished: 3 * time.Second,
	}
}

// export writes a run and returns the folder.
func export(t *testing.T, run *record.Run, name string) string {
	t.Helper()
	dir := t.TempDir()
	to, err := Parse(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Writable(); err != nil {
		t.Fatal(err)
	}
	x, err := Create(to, run)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Add(verdict.Scopes(run)); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wanted are the rows that the sample comes to, made of the record by another way than
// the files are.
func wanted(run *record.Run) (ss []Stream, es []Event) {
	for _, sc := range verdict.Scopes(run) {
		for i := range sc.Streams {
			ss = append(ss, streamOf(run.Plan.Started, &sc.Streams[i]))
		}
	}
	for i := range run.Streams {
		s := &run.Streams[i]
		marks := slices.Collect(s.Marks())
		for k, m := range marks {
			e := Event{Seq: s.Seq, Scenario: "control", Group: "load", Index: int64(k + 1), Kind: m.Kind.String(),
				At: m.At.Seconds(), Early: m.Early.Seconds(), Bytes: int64(m.Size)}
			for j := k - 1; j >= 0 && e.Since == nil; j-- {
				if marks[j].Kind.String() == "content" {
					gap := (m.At - marks[j].At).Seconds()
					e.Since = &gap
				}
			}
			if m.Seq >= 0 {
				e.Number = &m.Seq
			}
			if m.Emit != 0 {
				at := float64(m.Emit-run.Plan.Started.UnixNano()) / 1e9
				e.Emitted = &at
			}
			es = append(es, e)
		}
	}
	return ss, es
}

func read[T any](t *testing.T, path string) []T {
	t.Helper()
	rows, err := parquet.ReadFile[T](path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// What is written as Parquet is read back, value for value.
func TestParquet(t *testing.T) {
	run := sample()
	dir := export(t, run, "run.parquet")
	streams, events := wanted(run)
	if diff := cmp.Diff(streams, read[Stream](t, filepath.Join(dir, "run.parquet"))); diff != "" {
		t.Errorf("streams (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(events, read[Event](t, filepath.Join(dir, "run.events.parquet"))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	want := []Fault{{"control", "latency 200ms", "latency", "delays", "active", 1.5, "all have 5 events", 2}}
	if diff := cmp.Diff(want, read[Fault](t, filepath.Join(dir, "run.faults.parquet"))); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if len(events) < 20+7 || streams[0].Outcome != "complete" || streams[1].Outcome != "aborted" ||
		streams[2].Outcome != "refused" || streams[2].First != nil || streams[0].Events != 20 {
		t.Errorf("%d events, streams %+v", len(events), streams)
	}
}

// table reads a file of CSV as columns.
func table(t *testing.T, path string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for i, name := range all[0] {
		columns[name] = []string{}
		for _, row := range all[1:] {
			columns[name] = append(columns[name], row[i])
		}
	}
	return columns
}

// CSV has the same columns and rows; what did not come is empty, and a text that a
// spreadsheet would run is a text.
func TestCSV(t *testing.T) {
	run := sample()
	dir := export(t, run, "tables")
	csvs := table(t, filepath.Join(dir, "tables", "streams.csv"))
	for name, want := range map[string][]string{
		"seq": {"1", "2", "3"}, "outcome": {"complete", "aborted", "refused"}, "events": {"20", "7", "0"},
		"run":     {"2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z"},
		"t_sched": {"0", "0", "1"}, "worker": {"", `'=HYPERLINK("http://evil")`, ""}, "struck": {"false", "false", "false"},
	} {
		if !slices.Equal(csvs[name], want) {
			t.Errorf("%s: %q, want %q", name, csvs[name], want)
		}
	}
	if csvs["t_first"][0] == "" || csvs["t_first"][2] != "" {
		t.Errorf("t_first: %q", csvs["t_first"])
	}
	events := table(t, filepath.Join(dir, "tables", "events.csv"))
	_, want := wanted(run)
	for i, e := range want {
		if got := events["t"][i]; got != cell(reflect.ValueOf(e.At)) || events["kind"][i] != e.Kind {
			t.Fatalf("event %d at %s, want %v", i, got, e.At)
		}
	}
	if n := len(events["seq"]); n != len(want) || len(table(t, filepath.Join(dir, "tables", "faults.csv"))["phase"]) != 1 {
		t.Errorf("%d events, want %d", n, len(want))
	}
	for _, name := range []string{"streams", "events", "faults"} {
		if _, err := os.Stat(filepath.Join(dir, "tables", name+".parquet")); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "tables", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// A table without rows has its columns all the same.
func TestEmpty(t *testing.T) {
	run := &record.Run{Plan: record.Plan{Started: synth.Started}}
	dir := export(t, run, "x.csv")
	if c := table(t, filepath.Join(dir, "x.events.csv")); c["t_emitted"] == nil || len(c["seq"]) != 0 {
		t.Errorf("%q", c)
	}
	dir = export(t, run, "x.parquet")
	if rows := read[Event](t, filepath.Join(dir, "x.events.parquet")); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

func TestLines(t *testing.T) {
	dir := export(t, sample(), "x.jsonl")
	text, err := os.ReadFile(filepath.Join(dir, "x.jsonl"))
	if err != nil || strings.Count(string(text), "\n") != 3 {
		t.Errorf("%v:\n%s", err, text)
	}
}

func TestParse(t *testing.T) {
	var ending *EndingError
	if _, err := Parse("rows.xlsx"); !errors.As(err, &ending) || ending.Ending != ".xlsx" {
		t.Errorf("%v", err)
	}
	to, err := Parse(filepath.Join(t.TempDir(), "a", "b", "rows.CSV"))
	if err != nil || to.Writable() != nil || filepath.Base(to.path("events", CSV)) != "rows.events.CSV" {
		t.Errorf("%v, %+v", err, to)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if to, err = Parse(filepath.Join(file, "sub")); err != nil || to.Writable() == nil {
		t.Errorf("a folder below a file: %v, %+v", err, to)
	}
}

// Every column says what it is, and has a name of its own.
func TestColumns(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Columns() {
		if id := c.Table + "." + c.Name; c.Name == "" || c.Doc == "" || seen[id] {
			t.Errorf("%+v", c)
		} else {
			seen[id] = true
		}
		if strings.HasPrefix(c.Name, "t_") && c.Unit != "s" {
			t.Errorf("%s has no unit", c.Name)
		}
	}
}

// A quarter of a million events leave no more in memory than one row group of Parquet.
func TestBoundedMemory(t *testing.T) {
	for _, format := range []string{CSV, Parquet} {
		w := newWriter[Event](format, io.Discard)
		before := inUse()
		for i := range 4 * groupRows {
			n := int64(i)
			if err := w.write(&Event{Seq: uint64(i), Scenario: fmt.Sprint("s", i%7), Kind: "content", At: float64(i) / 3, Number: &n}); err != nil {
				t.Fatal(err)
			}
		}
		if grew := int64(inUse()) - int64(before); grew > 12<<20 {
			t.Errorf("%s: %d MiB in use after %d rows", format, grew>>20, 4*groupRows)
		} else {
			t.Logf("%s: %d MiB after %d rows", format, grew>>20, 4*groupRows)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
