package main

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// observed is what an arm has seen of the streams.
type observed struct {
	whole int
	first []time.Duration // from request to first event
	added []time.Duration // by how much a gap is longer than the server's; not below 0
	// after is by how much an arrival is behind the server's stamp, more than the one that
	// is least: what the server takes to write, and the error of the arrival.
	after []time.Duration
	// acted is how long after its condition came true a fault struck; 0 without one.
	acted time.Duration
}

// readRun reads a finished run, whose fault was to strike when every victim had so many
// events; 0 for none.
func readRun(dir string, when int) (o observed, err error) {
	run, err := record.Open(dir)
	if err != nil {
		return o, err
	}
	var begun []time.Duration // faults
	for _, w := range run.Windows {
		if w.Phase == record.Active {
			begun = append(begun, w.At)
		}
	}
	for i := range run.Streams {
		switch s := &run.Streams[i]; s.Group {
		case record.Load, record.Victim, record.Control:
			o.add(s, begun)
		}
	}
	if len(o.after) > 0 {
		least := slices.Min(o.after) // the clocks of both have other zeroes
		for i := range o.after {
			o.after[i] -= least
		}
	}
	if when > 0 {
		o.acted = acted(run, when)
	}
	return o, nil
}

// acted is the time from the arrival by which every victim had so many events until the
// fault struck.
func acted(run *record.Run, events int) time.Duration {
	var met time.Duration
	for i := range run.Streams {
		if s := &run.Streams[i]; s.Group == record.Victim {
			n := 0
			for m := range s.Marks() {
				if n++; n == events {
					met = max(met, m.At)
					break
				}
			}
		}
	}
	for _, w := range run.Windows {
		if w.Phase == record.Active {
			return w.At - met
		}
	}
	return 0
}

// add takes one stream of the load. A gap in which a fault began is left out: what it
// adds is the fault's, once, and not the way's.
func (o *observed) add(s *record.Stream, begun []time.Duration) {
	if s.Content.State == stream.Complete && s.Wire.Where == record.AtEnd {
		o.whole++
	}
	if s.First >= 0 {
		o.first = append(o.first, s.First-s.Send)
	}
	var last record.Mark
	for m := range s.Marks() {
		if m.Emit == 0 {
			continue
		}
		o.after = append(o.after, m.At-time.Duration(m.Emit))
		across := func(at time.Duration) bool { return last.At < at && at <= m.At }
		if last.Emit != 0 && !slices.ContainsFunc(begun, across) {
			o.added = append(o.added, max(0, m.At-last.At-time.Duration(m.Emit-last.Emit)))
		}
		last = m
	}
}
