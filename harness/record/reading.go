package record

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"time"
)

// readAhead is the buffer, in bytes, through which a record is read.
const readAhead = 64 << 10

// entries calls take with one whole entry after the other, which is overwritten by
// the next. It ends at the end of in, with the first error of take, or where what
// follows is no whole entry, and returns the bytes of the entries taken.
func entries(in io.Reader, take func(*inEntry) error) (taken int64, err error) {
	source := decode.NewDecoder(bufio.NewReaderSize(in, readAhead))
	var e inEntry
	for {
		if err := source.Decode(&e); errors.Is(err, io.EOF) {
			return taken, nil
		} else if err != nil {
			return taken, err
		}
		e.at, e.size = taken, int64(source.NumBytesRead())-taken
		if err := take(&e); err != nil {
			return taken, err
		}
		taken += e.size
	}
}

// A reading is a run while it is read, an entry at a time: beside the run itself
// little of the record is ever in memory.
type reading struct {
	run    *Run
	index  map[uint64]int // of a stream in run.Streams, by its number
	ended  []bool         // by that index
	body   streamBody     // of the entry at hand
	shared *shared
	spans  map[string]Span // when the streams of a scenario were, once asked for
	logs   []logEntry
	came   []arrivalsEntry
}

func newReading(plan Plan) *reading {
	return &reading{run: &Run{Plan: plan, Finished: Never}, shared: newShared()}
}

// readAll takes whole entries until none is left. What follows the last one is
// torn; the error is one of reading. The record is read twice, first to count its
// streams: a list that grew with them would be in memory twice over.
func (r *reading) readAll(in io.ReadSeeker) error {
	n := 0
	if _, err := entries(in, func(e *inEntry) error { n += count(e.Tag == tagBegin); return nil }); unread(err) {
		return err
	}
	r.run.Streams, r.ended, r.index = make([]Stream, 0, n), make([]bool, 0, n), make(map[uint64]int, n)
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	taken, err := entries(in, r.take)
	r.run.Torn = int(size - taken)
	if unread(err) {
		return err
	}
	return nil
}

// unread reports an error of reading, and not of what was read.
func unread(err error) bool {
	var of *fs.PathError
	return errors.As(err, &of)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// take adds one entry to the run. A tag that it does not know is from a later
// minor version and is skipped.
func (r *reading) take(e *inEntry) error {
	run := r.run
	switch e.Tag {
	case tagBegin, tagEnd:
		return r.stream(e)
	case tagWindow:
		return collect(e, &run.Windows, windowEntry.unpack)
	case tagEvent:
		return collect(e, &run.Events, oldEvent)
	case tagWave:
		return collect(e, &run.Waves, as[Wave])
	case tagNote:
		var x Note
		if err := decode.Unmarshal(e.Body, &x); err != nil {
			return err
		}
		run.note(x)
	case tagHop:
		return collect(e, &run.Hops, as[Hop])
	case tagLog:
		return collect(e, &r.logs, as[logEntry])
	case tagArrived:
		return collect(e, &r.came, as[arrivalsEntry])
	case tagLedger:
		return collect(e, &run.Ledgers, as[Ledger])
	case tagEdge:
		return collect(e, &run.Edges, as[EdgeProbe])
	case tagCompare:
		return collect(e, &run.Comparisons, as[Comparison])
	case tagRefer:
		return collect(e, &run.References, as[Reference])
	case tagLoadWorker:
		return collect(e, &run.LoadWorkers, as[LoadWorker])
	case tagMachine:
		return collect(e, &run.Machine, as[MachineSample])
	case tagStep:
		return collect(e, &run.Steps, as[Step])
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

// as keeps an entry as it is.
func as[T any](x T) T { return x }

// collect decodes an entry and appends it to list.
func collect[E, T any](e *inEntry, list *[]T, convert func(E) T) error {
	var x E
	if err := decode.Unmarshal(e.Body, &x); err != nil {
		return err
	}
	*list = append(*list, convert(x))
	return nil
}

// stream takes the start or the end of a stream. It stays at the place of its
// start.
func (r *reading) stream(e *inEntry) error {
	r.body = streamBody{}
	if err := decode.Unmarshal(e.Body, &r.body); err != nil {
		return err
	}
	s := r.body.unpack()
	r.shared.stream(&s)
	i, ok := r.index[s.Seq]
	switch {
	case !ok:
		i = len(r.run.Streams)
		r.index[s.Seq] = i
		r.run.Streams, r.ended = append(r.run.Streams, s), append(r.ended, false)
	case e.Tag == tagEnd:
		r.run.Streams[i] = s
	}
	r.ended[i] = r.ended[i] || e.Tag == tagEnd
	return nil
}

// layer adds a layer to its scenario. Of two with one name the later counts: the
// stack may have been started again.
func (r *reading) layer(e *inEntry) error {
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
		if !r.ended[i] {
			r.run.Streams[i].cutShort()
		}
	}
}

func (s *Stream) cutShort() {
	s.End, s.Limit = Never, CancelledByEnd
	if s.Wire.Where == "" {
		s.Wire.Where = BeforeConnect // as far as the record knows
	}
}

// span is when the streams of a scenario were due and ended: about the time of its
// logs. To is a day where nothing is known.
func (r *reading) span(scenario string) Span {
	if r.spans == nil {
		r.spans = map[string]Span{}
		for i := range r.run.Streams {
			s := &r.run.Streams[i]
			r.spanned(s.Scenario, s.Sched, s.End)
		}
	}
	span, ok := r.spans[scenario]
	if !ok || span.To == Never {
		span.To = 24 * time.Hour
	}
	return span
}

// spanned takes one stream into the span of its scenario.
func (r *reading) spanned(scenario string, due, end time.Duration) {
	span, ok := r.spans[scenario]
	if !ok {
		span = Span{max(0, due), Never}
	}
	r.spans[scenario] = Span{min(span.From, max(0, due)), max(span.To, end, due)}
}
