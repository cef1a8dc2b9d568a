package record

// A reading is a run while it is read.
type reading struct {
	run   *Run
	index map[uint64]int // of a stream in run.Streams, by its number
	ended map[uint64]bool
	logs  []logEntry
	came  []arrivalsEntry
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
	case tagArrived:
		return collect(e, &r.came, func(x arrivalsEntry) arrivalsEntry { return x })
	case tagMachine:
		return collect(e, &run.Machine, func(x MachineSample) MachineSample { return x })
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
