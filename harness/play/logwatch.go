package play

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
)

// A logWatcher looks at files while they grow: many servers write no time into
// their lines, or whole seconds, and no zone. It counts lines and keeps none.
type logWatcher struct {
	now  func() time.Duration
	dir  string // of the stack's own logs
	stop chan struct{}
	done chan struct{}
	once sync.Once
	// grew is when one of the user's logs grew last.
	grew atomic.Int64
	// ending says that the stack is being closed: what comes now may have lain in a
	// buffer until its writer ended, or in a container.
	ending atomic.Bool

	// What follows is the goroutine's own until done is closed.
	files map[string]*growing
	last  time.Duration // of the last look
}

// A growing is one file.
type growing struct {
	begin  int64 // where what we care for begins
	seen   int64
	lines  int
	part   bool // seen ends inside a line
	broken bool // rotated, or more growths than we keep: nothing is known
	users  bool // not of the stack
	record.Arrivals
}

const (
	// lookEvery is how often files are looked at: a stat(2) each.
	lookEvery = 15 * time.Millisecond
	// listEvery is how often the folder is searched for new files.
	listEvery = 20 // looks
	// maxGrowths bounds what is kept of a file.
	maxGrowths = 50_000
	// settleQuiet is for how long none of the user's logs must grow before they are taken to be
	// whole, and settleLimit bounds the wait for that: others may write into them all the time.
	settleQuiet, settleLimit = 300 * time.Millisecond, time.Second
	// bufferUnit is what standard libraries fill before they write to a file.
	bufferUnit = 4096
)

// watchLogs remembers where the user's logs end, and watches them and the folder
// of the stack's until close.
func watchLogs(logs []harness.LogFile, dir string, now func() time.Duration) (*logWatcher, error) {
	w := &logWatcher{now: now, dir: dir, stop: make(chan struct{}), done: make(chan struct{}),
		files: map[string]*growing{}, last: now()}
	for _, l := range logs {
		info, err := os.Stat(l.Path)
		if err != nil {
			return nil, &harness.UsageError{Place: "logs." + l.Kind, Problem: err.Error(),
				Fix: "name a file that this machine can read"}
		}
		w.files[l.Path] = &growing{begin: info.Size(), seen: info.Size(), users: true}
	}
	go w.loop()
	return w, nil
}

func (w *logWatcher) loop() {
	defer close(w.done)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n%listEvery == 0 {
			w.list()
		}
		w.look()
		select {
		case <-w.stop:
			w.look()
			return
		case <-tick.C:
		}
	}
}

// list finds files that the stack has begun.
func (w *logWatcher) list() {
	entries, _ := os.ReadDir(w.dir) // not there yet: the next time
	for _, e := range entries {
		path := filepath.Join(w.dir, e.Name())
		if e.Type().IsRegular() && w.files[path] == nil {
			w.files[path] = &growing{}
		}
	}
}

// look notes which files have grown since the last look.
func (w *logWatcher) look() {
	now := w.now()
	for path, f := range w.files {
		if info, err := os.Stat(path); err == nil && info.Size() != f.seen && !f.broken {
			f.grow(path, info.Size(), w.last, w.now(), w.ending.Load())
			if f.users {
				w.grew.Store(int64(now))
			}
		}
	}
	w.last = now
}

// grow counts the lines that a file has gained.
func (f *growing) grow(path string, size int64, from, to time.Duration, late bool) {
	if size < f.seen || len(f.To) == maxGrowths {
		f.broken, f.Arrivals = true, record.Arrivals{}
		return
	}
	n, part, err := newlines(path, f.seen, size-f.seen)
	if err != nil {
		f.broken, f.Arrivals = true, record.Arrivals{}
		return
	}
	grown := size - f.seen
	f.seen = size
	f.lines += n
	lines := f.lines
	if f.part = part; part {
		lines++ // the last line has begun: the end of it may come later
	}
	f.From, f.To, f.Lines = append(f.From, from), append(f.To, to), append(f.Lines, lines)
	f.Whole = append(f.Whole, late || grown >= bufferUnit && grown%bufferUnit == 0)
}

// newlines counts the ends of lines in a part of a file, and says whether the part
// ends inside a line.
func newlines(path string, from, n int64) (lines int, part bool, err error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer in.Close()
	r := io.NewSectionReader(in, from, n)
	buf := make([]byte, 64<<10)
	last := byte('\n')
	for {
		k, err := r.Read(buf)
		lines += bytes.Count(buf[:k], []byte{'\n'})
		if k > 0 {
			last = buf[k-1]
		}
		if errors.Is(err, io.EOF) {
			return lines, last != '\n', nil
		}
		if err != nil {
			return lines, false, err
		}
	}
}

// settle waits for the last lines of the user's logs: what is said of a stream's end comes
// after it, and later still through a collector.
func (w *logWatcher) settle() {
	for began := w.now(); ; time.Sleep(lookEvery) {
		now := w.now()
		if now-max(began, time.Duration(w.grew.Load())) >= settleQuiet || now-began >= settleLimit {
			return
		}
	}
}

// close ends the watching. It may be called twice.
func (w *logWatcher) close() {
	w.once.Do(func() { close(w.stop) })
	<-w.done
}

// offset is where a user's log ended before the scenario. Only after close.
func (w *logWatcher) offset(path string) int64 {
	if f := w.files[path]; f != nil {
		return f.begin
	}
	return 0
}

// arrivals is what was seen of a file. Only after close.
func (w *logWatcher) arrivals(path string) record.Arrivals {
	if f := w.files[path]; f != nil {
		return f.Arrivals
	}
	return record.Arrivals{}
}
