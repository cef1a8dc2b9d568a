package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

// ErrNoRun is returned by [Open] for a folder that holds no run.
var ErrNoRun = errors.New("not a run folder")

// Open reads a run folder, whole or torn. What follows the last whole entry is
// counted in [Run.Torn]. A stream that began and has no end comes back as
// cancelled by the end of the run, so that the sum of outcomes still equals the
// streams started.
//
// Files are read through [os.Root]: a folder that came from elsewhere cannot
// make it read anything outside.
func Open(dir string) (*Run, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	defer root.Close()
	plan, err := readPlan(root, dir)
	if err != nil {
		return nil, err
	}
	b, err := root.ReadFile(recordFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // killed right after the plan: an empty run
		return nil, fmt.Errorf("open run: %w", err)
	}
	r := newReading(plan)
	r.readAll(b)
	r.cutShort()
	if err := r.readLogs(root); err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	return r.run, nil
}

// readPlan reads plan.json, and the schema in it before the rest.
func readPlan(root *os.Root, dir string) (plan Plan, err error) {
	b, err := root.ReadFile(planFile)
	if errors.Is(err, os.ErrNotExist) {
		return plan, fmt.Errorf("open run %s: %w: it has no %s", dir, ErrNoRun, planFile)
	}
	if err != nil {
		return plan, fmt.Errorf("open run: %w", err)
	}
	var head struct{ Schema string }
	if err := json.Unmarshal(b, &head); err != nil {
		return plan, fmt.Errorf("open run: read %s: %w", path.Join(dir, planFile), err)
	}
	if err := checkSchema(head.Schema); err != nil {
		return plan, fmt.Errorf("open run %s: %w", dir, err)
	}
	if err := json.Unmarshal(b, &plan); err != nil {
		return plan, fmt.Errorf("open run: read %s: %w", path.Join(dir, planFile), err)
	}
	return plan, nil
}

// checkSchema refuses a record that is none, or one of a later major number.
func checkSchema(s string) error {
	name, ours, _ := strings.Cut(Schema, "/")
	theirName, theirs, _ := strings.Cut(s, "/")
	major, err := strconv.Atoi(theirs)
	if theirName != name || err != nil {
		return fmt.Errorf("%w: schema %q", ErrNoRun, s)
	}
	if known, err := strconv.Atoi(ours); err != nil || major > known {
		return fmt.Errorf("schema %s is newer than %s, which this streamproof reads: use the version that wrote it", s, Schema)
	}
	return nil
}

// A reading is a run while it is read.
type reading struct {
	run   *Run
	index map[uint64]int // of a stream in run.Streams, by its number
	ended map[uint64]bool
	logs  []logEntry
}

func newReading(plan Plan) *reading {
	return &reading{
		run:   &Run{Plan: plan, Finished: Never},
		index: map[uint64]int{},
		ended: map[uint64]bool{},
	}
}

// readAll takes whole entries until none is left.
func (r *reading) readAll(b []byte) {
	for len(b) > 0 {
		var e inEntry
		rest, err := decode.UnmarshalFirst(b, &e)
		if err == nil {
			err = r.take(e)
		}
		if err != nil {
			r.run.Torn = len(b)
			return
		}
		b = rest
	}
}

// take adds one entry to the run. A tag that it does not know is from a later
// minor version and is skipped.
func (r *reading) take(e inEntry) error {
	run := r.run
	switch e.Tag {
	case tagBegin, tagEnd:
		return r.stream(e)
	case tagWindow:
		return collect(e, &run.Windows, func(x windowEntry) Window { return Window(x) })
	case tagEvent:
		return collect(e, &run.Events, func(x eventEntry) Event { return Event(x) })
	case tagWave:
		return collect(e, &run.Waves, func(x waveEntry) Wave { return Wave(x) })
	case tagNote:
		return collect(e, &run.Notes, func(x noteEntry) Note { return Note(x) })
	case tagHop:
		return collect(e, &run.Hops, func(x hopEntry) Hop { return Hop(x) })
	case tagLog:
		return collect(e, &r.logs, func(x logEntry) logEntry { return x })
	case tagLayer:
		return r.layer(e)
	case tagFinish:
		var x finishEntry
		if err := decode.Unmarshal(e.Body, &x); err != nil {
			return err
		}
		run.Finished, run.Interrupted = x.At, x.Interrupted
	}
	return nil
}

// collect decodes an entry and appends it to list.
func collect[E, T any](e inEntry, list *[]T, convert func(E) T) error {
	var x E
	if err := decode.Unmarshal(e.Body, &x); err != nil {
		return err
	}
	*list = append(*list, convert(x))
	return nil
}

// stream takes the start or the end of a stream. It stays at the place of its
// start.
func (r *reading) stream(e inEntry) error {
	var b streamBody
	if err := decode.Unmarshal(e.Body, &b); err != nil {
		return err
	}
	s := b.unpack()
	if i, ok := r.index[s.Seq]; ok {
		if e.Tag == tagEnd {
			r.run.Streams[i] = s
		}
	} else {
		r.index[s.Seq] = len(r.run.Streams)
		r.run.Streams = append(r.run.Streams, s)
	}
	if e.Tag == tagEnd {
		r.ended[s.Seq] = true
	}
	return nil
}

// layer adds a layer to its scenario. Of two with one name the later counts: the
// stack may have been started again.
func (r *reading) layer(e inEntry) error {
	var x layerEntry
	if err := decode.Unmarshal(e.Body, &x); err != nil {
		return err
	}
	for i := range r.run.Plan.Scenarios {
		if sc := &r.run.Plan.Scenarios[i]; sc.ID == x.Scenario {
			sc.Layers = setLayer(sc.Layers, Layer{x.Name, x.Settings})
		}
	}
	return nil
}

func setLayer(layers []Layer, l Layer) []Layer {
	for i := range layers {
		if layers[i].Name == l.Name {
			layers[i] = l
			return layers
		}
	}
	return append(layers, l)
}

// cutShort ends the streams that were in flight when the record stopped.
func (r *reading) cutShort() {
	for i := range r.run.Streams {
		s := &r.run.Streams[i]
		if r.ended[s.Seq] {
			continue
		}
		s.End, s.Limit = Never, CancelledByEnd
		if s.Wire.Where == "" {
			s.Wire.Where = BeforeConnect // as far as the record knows
		}
	}
}

// readLogs reads the logs that were entered, and those that a killed run had no
// time to enter. One that cannot be read is a doubt, not the end of the reading.
func (r *reading) readLogs(root *os.Root) error {
	found, err := strayLogs(root, r.logs)
	if err != nil {
		return err
	}
	for _, e := range append(r.logs, found...) {
		l, err := readLog(root, e, r.run)
		if err != nil {
			r.run.Notes = append(r.run.Notes, Note{Scenario: e.Scenario, At: Never, Kind: NoteDoubt, Text: err.Error(),
				Settle: "make the file readable and judge the run again"})
		}
		r.run.Logs = append(r.run.Logs, l)
	}
	return nil
}

// strayLogs lists the files below logs that no entry names. Their kind is
// guessed from their name.
func strayLogs(root *os.Root, entered []logEntry) (stray []logEntry, err error) {
	known := map[string]bool{}
	for _, e := range entered {
		known[e.Scenario+"/"+e.Name] = true
	}
	scenarios, err := readDir(root, logsFolder)
	if err != nil {
		return nil, err
	}
	for _, sc := range scenarios {
		if !sc.IsDir() {
			continue
		}
		files, err := readDir(root, path.Join(logsFolder, sc.Name()))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if f.Type().IsRegular() && !known[sc.Name()+"/"+f.Name()] {
				stray = append(stray, logEntry{sc.Name(), f.Name(), guessKind(f.Name())})
			}
		}
	}
	return stray, nil
}

// readDir lists a folder; one that is not there is empty.
func readDir(root *os.Root, name string) ([]os.DirEntry, error) {
	f, err := root.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return list, nil
}

func guessKind(name string) LogKind {
	for _, g := range []struct {
		part string
		kind LogKind
	}{{"access", NginxAccess}, {"error", NginxError}, {"proxy", ProxyLog}, {"relay", ProxyLog}} {
		if strings.Contains(name, g.part) {
			return g.kind
		}
	}
	return AppLog
}
