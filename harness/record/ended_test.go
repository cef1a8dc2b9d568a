package record

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestEndedStreamsAreReadBack as Open reads them, from a size on, while the record
// is still written.
func TestEndedStreamsAreReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, Plan{Schema: Schema})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	end := func(seq uint64) {
		s := Stream{Seq: seq, Scenario: "s", Group: Victim, Nonce: "n", Headers: 5, End: time.Duration(seq),
			Replica: "app[0]", Header: map[string]string{"Server": "x"}, Wire: Wire{Where: AtEnd, Lingered: Never},
			Events: []byte{1, 2, 3}}
		s.Content.Worker, s.Content.Ends = "42", []string{"stop"}
		w.Begin(&Stream{Seq: seq})
		w.Event(Event{Kind: KindStrike, Stream: seq})
		w.End(&s)
	}
	end(1)
	from := w.Size()
	end(3)
	end(2)
	w.Begin(&Stream{Seq: 4}) // does not end
	read := func(from int64) (all []Stream) {
		for s, err := range w.Ended(from) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, *s)
		}
		return all
	}
	got := read(from)
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := run.Streams[1:3]; !reflect.DeepEqual(got, want) || got[0].Seq != 3 {
		t.Errorf("read %+v, want streams 3 and 2: %+v", got, want)
	}
	if all := read(0); len(all) != 3 {
		t.Errorf("read %d streams from the beginning, want 3", len(all))
	}
	for s := range w.Ended(0) {
		if s.Seq != 1 {
			t.Errorf("went on after the first with stream %d", s.Seq)
		}
		break
	}
}

// TestEndedSaysWhatKeepsItFromReading and yields nothing more.
func TestEndedSaysWhatKeepsItFromReading(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, Plan{Schema: Schema})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.End(&Stream{Seq: 1})
	w.End(&Stream{Seq: 2})
	path := filepath.Join(dir, recordFile)
	for _, spoil := range []struct {
		name string
		by   func() error
		want error
		read int
	}{
		{"cut", func() error { return os.Truncate(path, w.Size()-1) }, io.ErrUnexpectedEOF, 1},
		{"gone", func() error { return os.Rename(path, path+".gone") }, os.ErrNotExist, 0},
	} {
		if err := spoil.by(); err != nil {
			t.Fatal(err)
		}
		var last error
		n := 0
		for s, err := range w.Ended(0) {
			if last = err; s != nil {
				n++
			}
		}
		if !errors.Is(last, spoil.want) || n != spoil.read {
			t.Errorf("%s: %d streams and %v, want %d and %v", spoil.name, n, last, spoil.read, spoil.want)
		}
	}
}
