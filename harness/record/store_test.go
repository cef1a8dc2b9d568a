package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/stream"
)

func testPlan() Plan {
	return Plan{
		Schema: Schema, Tool: "test", Seed: 7, Started: time.Date(2026, 11, 25, 7, 56, 0, 0, time.UTC),
		Scenarios: []Scenario{{ID: "control", Layers: []Layer{{Name: "client", Settings: map[string]string{"gap": "5s"}}}},
			{ID: "cut"}},
	}
}

// fill sets every field of a struct to a value of its own, so that a field that
// the store forgets shows.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("s%d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{fmt.Sprintf("k%d", *n): "v"}))
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 3, 3)
		for i := range s.Len() {
			switch e := s.Index(i); e.Kind() {
			case reflect.String:
				e.SetString(fmt.Sprintf("s%d.%d", *n, i))
			case reflect.Struct:
				fill(e, n)
			default:
				e.SetUint(uint64(*n + i))
			}
		}
		v.Set(s)
	default:
		panic("fill: no case for " + v.Kind().String())
	}
}

// full returns a T with every field set.
func full[T any](n int) (x T) {
	fill(reflect.ValueOf(&x).Elem(), &n)
	return x
}

// folder creates a run folder and lets write fill it.
func folder(t testing.TB, write func(*Writer)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, testPlan())
	if err != nil {
		t.Fatal(err)
	}
	write(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *Run {
	t.Helper()
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRoundTrip(t *testing.T) {
	ended, odd := full[Stream](1), full[Stream](100)
	odd.End, odd.First, odd.Header, odd.Events = Never, Never, nil, nil
	odd.Content.ErrorText = "no UTF-8: \xff"
	want := Run{
		Streams: []Stream{ended, odd},
		Windows: []Window{full[Window](1), full[Window](50)},
		Events:  []Event{full[Event](1)},
		Waves:   []Wave{full[Wave](1)},
		Notes:   []Note{full[Note](1)},
		Hops:    []Hop{full[Hop](1)},
		Ledgers: []Ledger{full[Ledger](1), full[Ledger](20)}, Edges: []EdgeProbe{full[EdgeProbe](1)},
		Comparisons: []Comparison{full[Comparison](1)}, References: []Reference{full[Reference](1)},
		Finished: 9 * time.Second, Interrupted: true,
	}
	dir := folder(t, func(w *Writer) {
		w.Begin(&Stream{Seq: ended.Seq})
		w.Begin(&Stream{Seq: odd.Seq})
		w.End(&odd) // ends before the one that started first
		w.End(&ended)
		for _, x := range want.Windows {
			w.Window(x)
		}
		w.Event(want.Events[0])
		w.Wave(want.Waves[0])
		w.Note(want.Notes[0])
		w.Hop(want.Hops[0])
		w.Ledger(want.Ledgers[0])
		w.Ledger(want.Ledgers[1])
		w.Edge(want.Edges[0])
		w.Comparison(want.Comparisons[0])
		w.Reference(want.References[0])
		w.Layer("control", Layer{"nginx", map[string]string{"proxy_read_timeout": "60s"}})
		w.Layer("control", Layer{"nginx", map[string]string{"proxy_read_timeout": "2s"}})
		w.Finish(want.Finished, true)
	})
	want.Plan = testPlan()
	want.Plan.Scenarios[0].Layers = append(want.Plan.Scenarios[0].Layers,
		Layer{"nginx", map[string]string{"proxy_read_timeout": "2s"}})
	if diff := cmp.Diff(want, *open(t, dir)); diff != "" {
		t.Errorf("the run came back different (-want +got):\n%s", diff)
	}
}

// However many bytes of the record are left, it opens, and every stream that
// started is there: ended or cut short.
func TestTornAtEveryByte(t *testing.T) {
	dir := folder(t, func(w *Writer) {
		for seq := uint64(1); seq <= 4; seq++ {
			w.Begin(&Stream{Seq: seq, Scenario: "cut", Connect: Never, End: Never})
			w.Event(Event{Kind: KindStart, Pid: int(seq)})
			if seq%2 == 0 {
				s := full[Stream](int(seq))
				s.Seq = seq
				w.End(&s)
			}
		}
		w.Finish(time.Second, false)
	})
	whole, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) + 1 {
		if err := os.WriteFile(filepath.Join(dir, recordFile), whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		run := open(t, dir)
		checkTorn(t, run, whole[:n])
		if (run.Finished == Never) != (n < len(whole)) {
			t.Errorf("%d of %d bytes: finished = %v", n, len(whole), run.Finished)
		}
	}
}

// checkTorn counts the entries of a record by hand and compares.
func checkTorn(t *testing.T, run *Run, b []byte) {
	t.Helper()
	started, ended := map[uint64]bool{}, map[uint64]bool{}
	rest := b
	for len(rest) > 0 {
		var e inEntry
		next, err := decode.UnmarshalFirst(rest, &e)
		if err != nil {
			break
		}
		if rest = next; e.Tag == tagBegin || e.Tag == tagEnd {
			var body streamBody
			if err := decode.Unmarshal(e.Body, &body); err != nil {
				t.Fatal(err)
			}
			started[body.Stream.Seq] = true
			ended[body.Stream.Seq] = ended[body.Stream.Seq] || e.Tag == tagEnd
		}
	}
	if run.Torn != len(rest) {
		t.Errorf("%d bytes: torn = %d, want %d", len(b), run.Torn, len(rest))
	}
	if len(run.Streams) != len(started) {
		t.Errorf("%d bytes: %d streams, want %d", len(b), len(run.Streams), len(started))
	}
	for _, s := range run.Streams {
		cut := s.Limit == CancelledByEnd && s.End == Never && s.Wire.Where == BeforeConnect
		if cut == ended[s.Seq] {
			t.Errorf("%d bytes: stream %d: cut short = %t, its end is recorded = %t", len(b), s.Seq, cut, ended[s.Seq])
		}
	}
}

// A tail of zeroes is what a machine that lost its power may leave.
func TestTornByZeroes(t *testing.T) {
	dir := folder(t, func(w *Writer) { w.Begin(&Stream{Seq: 1}) })
	appendTo(t, filepath.Join(dir, recordFile), make([]byte, 100))
	if run := open(t, dir); run.Torn != 100 || len(run.Streams) != 1 {
		t.Errorf("torn = %d, %d streams, want 100 and 1", run.Torn, len(run.Streams))
	}
}

// An entry of a later minor version is skipped.
func TestUnknownEntry(t *testing.T) {
	dir := folder(t, func(w *Writer) {
		w.add(99, map[int]string{1: "new"})
		w.Begin(&Stream{Seq: 1})
	})
	if run := open(t, dir); run.Torn != 0 || len(run.Streams) != 1 {
		t.Errorf("torn = %d, %d streams, want 0 and 1", run.Torn, len(run.Streams))
	}
}

func appendTo(t *testing.T, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestKilledAfterPlan(t *testing.T) {
	dir := folder(t, func(*Writer) {})
	if err := os.Remove(filepath.Join(dir, recordFile)); err != nil {
		t.Fatal(err)
	}
	if run := open(t, dir); run.Finished != Never || run.Plan.Seed != 7 {
		t.Errorf("finished = %v, seed = %d", run.Finished, run.Plan.Seed)
	}
}

func TestConcurrentWriters(t *testing.T) {
	const writers, each = 8, 200
	dir := folder(t, func(w *Writer) {
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					s := Stream{Seq: uint64(i*each + j + 1), Nonce: strings.Repeat("n", j)}
					w.Begin(&s)
					w.Note(Note{Text: "x"})
					if err := w.Err(); err != nil {
						t.Error(err)
					}
					w.End(&s)
				}
			})
		}
		wg.Wait()
	})
	run := open(t, dir)
	if len(run.Streams) != writers*each || len(run.Notes) != writers*each || run.Torn != 0 {
		t.Errorf("%d streams, %d notes, %d bytes torn", len(run.Streams), len(run.Notes), run.Torn)
	}
}

// A fullDisk takes room bytes, then fails as the kernel does: the last write is
// short.
type fullDisk struct {
	room   int
	writes int
	got    []byte
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	d.writes++
	n := min(len(p), d.room)
	d.got = append(d.got, p[:n]...)
	if d.room -= n; n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (d *fullDisk) Close() error { return nil }

func TestFullDiskIsReported(t *testing.T) {
	disk := &fullDisk{room: 100}
	w := &Writer{out: disk}
	for seq := range uint64(50) {
		w.Begin(&Stream{Seq: seq, Nonce: "0123456789"})
	}
	if err := w.Err(); !errors.Is(err, errFull) {
		t.Errorf("Err = %v, want the full disk", err)
	}
	writes := disk.writes
	w.Note(Note{Text: "later"})
	if disk.writes != writes {
		t.Error("wrote on after the failure: the record would not be readable")
	}
	if err := w.Close(); !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "write record: ") {
		t.Errorf("Close = %v, want the full disk", err)
	}
	r := newReading(testPlan())
	if err := r.readAll(bytes.NewReader(disk.got)); err != nil {
		t.Fatal(err)
	}
	if len(r.run.Streams) != writes-1 {
		t.Errorf("%d streams readable, want the %d that were written whole", len(r.run.Streams), writes-1)
	}
}

// Closing twice is fine; an entry that comes later is not lost in silence.
func TestClosedWriter(t *testing.T) {
	w := &Writer{out: &fullDisk{room: 1 << 20}}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Errorf("Close twice = %v", err)
	}
	w.Note(Note{})
	if err := w.Err(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Err after a write to a closed record = %v", err)
	}
}

func TestCreateErrors(t *testing.T) {
	dir := folder(t, func(*Writer) {})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, want string }{
		{dir, "it already holds a run"},
		{filepath.Join(file, "run"), "create run folder: "},
	} {
		_, err := Create(tt.dir, testPlan())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Create = %v, want one line with %q", err, tt.want)
		}
	}
	if run := open(t, dir); run.Plan.Seed != 7 {
		t.Error("the run that was there is damaged")
	}
}

func TestOpenErrors(t *testing.T) {
	plan := func(text string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, planFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, tt := range []struct {
		dir, want string
		noRun     bool
	}{
		{filepath.Join(t.TempDir(), "nothing"), "no such file", false},
		{t.TempDir(), "not a run folder: it has no plan.json", true},
		{plan("{"), "read ", false},
		{plan("{}"), "not a run folder: schema", true},
		{plan(`{"schema":"terraform.plan/1"}`), "not a run folder", true},
		{plan(`{"schema":"streamproof.run/2","seed":"of another type"}`), "newer than streamproof.run/1", false},
	} {
		_, err := Open(tt.dir)
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, ErrNoRun) != tt.noRun ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("Open = %v, want one line with %q, ErrNoRun = %t", err, tt.want, tt.noRun)
		}
	}
}

func FuzzOpen(f *testing.F) {
	dir := folder(f, func(w *Writer) {
		s := full[Stream](1)
		w.Begin(&s)
		w.End(&s)
		w.Window(full[Window](1))
		w.Layer("cut", Layer{"nginx", map[string]string{"a": "b"}})
		w.Finish(1, true)
	})
	whole, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte{0x82, 0x01, 0x83, 0xa0, 0xa0, 0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newReading(testPlan())
		if err := r.readAll(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		r.cutShort()
		if r.run.Torn > len(b) {
			t.Errorf("%d bytes torn of %d", r.run.Torn, len(b))
		}
		seen := map[uint64]bool{}
		for i := range r.run.Streams {
			s := &r.run.Streams[i]
			if seen[s.Seq] {
				t.Errorf("stream %d is there twice", s.Seq)
			}
			seen[s.Seq] = true
			for range s.Marks() {
			}
		}
	})
}

// BenchmarkBegin measures what the tap pays for each stream that starts.
func BenchmarkBegin(b *testing.B) {
	out, err := os.Create(filepath.Join(b.TempDir(), "run.cbor"))
	if err != nil {
		b.Fatal(err)
	}
	w := &Writer{out: out}
	s := Stream{Seq: 1, Scenario: "control", Group: Load, Hop: "edge", Nonce: "0123456789abcdef", Send: Never,
		Connect: Never,
		Headers: Never, End: Never, First: Never, FirstAny: Never, Last: Never, TerminalAt: Never}
	b.ReportAllocs()
	for b.Loop() {
		w.Begin(&s)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpen reads 1,000 streams with 100 events each.
func BenchmarkOpen(b *testing.B) {
	dir := folder(b, func(w *Writer) {
		for seq := range uint64(1000) {
			s := full[Stream](1)
			s.Seq = seq + 1
			var tl Timeline
			for i := range 100 {
				at := time.Duration(i) * 100 * time.Millisecond
				tl.Append(Mark{At: at, Early: at, Kind: stream.Content, Seq: int64(i + 1), Emit: 1764057600e9 + int64(at),
					Size: 100})
			}
			s.Events = tl.Bytes
			w.Begin(&s)
			w.End(&s)
		}
	})
	for b.Loop() {
		if _, err := Open(dir); err != nil {
			b.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, recordFile)); err == nil {
		b.ReportMetric(float64(info.Size())/1000, "bytes/stream")
	}
}
