package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The files of a run folder that this package owns.
const (
	planFile   = "plan.json"
	recordFile = "run.cbor"
	logsFolder = "logs"
)

// A Writer appends to the record of a run. Its methods may be called by any
// number of goroutines. Each entry is one write(2): a SIGKILL then loses nothing
// that was written, since the page cache outlives the process.
//
// A write that fails (a full disk) is a failure of the harness. The first one
// stops the writing, so that the record stays readable up to there, and stays in
// [Writer.Err] and in the error of [Writer.Close].
type Writer struct {
	path string // of the record

	mu   sync.Mutex // guards what follows, and keeps entries whole
	out  io.WriteCloser
	size int64 // bytes of whole entries written
	err  error
}

// Create makes the run folder dir and saves the plan in it, before anything else
// happens. A folder that holds a run already is refused.
func Create(dir string, plan Plan) (*Writer, error) {
	if err := os.MkdirAll(filepath.Join(dir, logsFolder), 0o755); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	path := filepath.Join(dir, recordFile)
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("create run folder %s: it already holds a run", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	if err := savePlan(dir, plan); err != nil {
		return nil, errors.Join(err, out.Close(), os.Remove(path))
	}
	return &Writer{path: path, out: out}, nil
}

// savePlan writes plan.json whole or not at all.
func savePlan(dir string, plan Plan) error {
	text, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	tmp := filepath.Join(dir, planFile+".tmp")
	if err := os.WriteFile(tmp, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, planFile)); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// Begin records that a stream starts. From then on it counts as started, also
// where its end is never recorded.
func (w *Writer) Begin(s *Stream) { w.add(tagBegin, pack(s)) }

// End records a stream that has ended, whole.
func (w *Writer) End(s *Stream) { w.add(tagEnd, pack(s)) }

// Window records a phase of a fault.
func (w *Writer) Window(x Window) { w.add(tagWindow, packWindow(x)) }

// Event records what a process, container or relay did.
func (w *Writer) Event(x Event) { w.add(tagEvent, x) }

// Wave records what the load generator did.
func (w *Writer) Wave(x Wave) { w.add(tagWave, x) }

// Note records a doubt or a fact.
func (w *Writer) Note(x Note) { w.add(tagNote, x) }

// Ledger records the server's own account of a stream.
func (w *Writer) Ledger(x Ledger) { w.add(tagLedger, x) }

// Edge records what an edge does to cut streams.
func (w *Writer) Edge(x EdgeProbe) { w.add(tagEdge, x) }

// Comparison records one question asked in both ways.
func (w *Writer) Comparison(x Comparison) { w.add(tagCompare, x) }

// Reference records how the app answered before the load.
func (w *Writer) Reference(x Reference) { w.add(tagRefer, x) }

// Hop records one place at which the chain can be entered.
func (w *Writer) Hop(x Hop) { w.add(tagHop, x) }

// Layer records how one layer was set up, which is known only when the stack
// stands. [Open] adds it to the layers of its scenario in the plan.
func (w *Writer) Layer(scenario string, l Layer) {
	w.add(tagLayer, layerEntry{scenario, l.Name, l.Settings})
}

// Step records what the run turns to.
func (w *Writer) Step(x Step) { w.add(tagStep, x) }

// Machine records what the machine did.
func (w *Writer) Machine(m MachineSample) { w.add(tagMachine, m) }

// Log enters the file logs/<scenario>/<name> into the record. The file itself is
// read by [Open], so it may still grow. The error is one about the name.
func (w *Writer) Log(scenario, name string, kind LogKind) error {
	return w.log(logEntry{Scenario: scenario, Name: name, Kind: kind})
}

// AttachedLog is Log for a copy of what a file of the user's gained. An empty
// kind leaves it to the content.
func (w *Writer) AttachedLog(scenario, name string, kind LogKind) error {
	return w.log(logEntry{Scenario: scenario, Name: name, Kind: kind, Attached: true})
}

func (w *Writer) log(e logEntry) error {
	if path := filepath.Join(e.Scenario, e.Name); !filepath.IsLocal(path) {
		return fmt.Errorf("enter log %q: outside of the run folder", path)
	}
	w.add(tagLog, e)
	return nil
}

// LogArrivals records when the lines of a log came.
func (w *Writer) LogArrivals(scenario, name string, a Arrivals) {
	if len(a.To) > 0 {
		w.add(tagArrived, arrivalsEntry{scenario, name, a.From, a.To, a.Lines, a.Whole})
	}
}

// Finish records the end of the run.
func (w *Writer) Finish(at time.Duration, interrupted bool) {
	w.add(tagFinish, finishEntry{at, interrupted})
}

// encodings are reused, since Begin and End run on the tap's event loops.
var encodings = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepEncoding is the largest buffer, in bytes, that is kept for reuse.
const keepEncoding = 64 << 10

// add encodes an entry and writes it. The encoding is done outside of the lock.
func (w *Writer) add(tag int, body any) {
	buf := encodings.Get().(*bytes.Buffer)
	buf.Reset()
	err := encode.MarshalToBuffer(outEntry{Tag: tag, Body: body}, buf)
	w.write(buf.Bytes(), err)
	if buf.Cap() <= keepEncoding {
		encodings.Put(buf)
	}
}

func (w *Writer) write(entry []byte, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	if w.out == nil {
		err = os.ErrClosed
	}
	if err == nil {
		_, err = w.out.Write(entry)
	}
	if err != nil {
		w.err = fmt.Errorf("write record: %w", err)
		return
	}
	w.size += int64(len(entry))
}

// Err returns the first failure to write, nil while all is well.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close closes the record and returns the first failure of all. It may be called
// twice.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out != nil {
		if err := w.out.Close(); err != nil && w.err == nil {
			w.err = fmt.Errorf("close record: %w", err)
		}
		w.out = nil
	}
	return w.err
}
