package stream

import "iter"

// Several messages may come as one event, an array of them: JSON-RPC has batches, and
// MCP of 2025-03-26 lets servers answer with one. Each is read as an event by itself.
// Together they are the one that says the most, and all of their answers are one
// terminal: a batch of requests has several.

// weights are what of the events in a batch counts for all, the least first.
var weights = [...]int{Heartbeat: 0, Meta: 1, Terminal: 2, Content: 3, Error: 4}

// batches reports whether the data of an event are an array. It is valid JSON then.
func batches(b []byte) bool {
	c := cursor{b: b}
	return c.peek() == '[' && validJSON(b)
}

// batch reads an event that is an array.
func (r *dataReader) batch(f *Frame) Event {
	terminals, after, errors := r.sum.Terminals, r.sum.AfterTerminal, r.sum.Errors
	whole, junk := f.Data, f.Junk
	f.Junk = nil
	out, last, n := Event{Kind: Heartbeat, Seq: -1}, false, 0
	for f.Data = range elements(whole) {
		e := r.message(f)
		last = last || e.Last || e.Kind == Terminal
		if n++; weights[e.Kind] >= weights[out.Kind] {
			out = e
		}
	}
	f.Data, f.Junk = whole, junk
	out.Last = last && out.Kind == Content
	switch {
	case n == 0:
		return r.garbage(f, NotJSON, "an array of no messages")
	case r.sum.Errors > errors: // no answer that is whole, whatever else is in it
		r.sum.Terminals, r.sum.AfterTerminal = terminals, after
	case r.sum.Terminals > terminals:
		r.sum.Terminals = terminals + 1
		if terminals == 0 {
			r.sum.AfterTerminal = 0
		}
	}
	return out
}

// message reads one event of a batch. A batch in a batch is none.
func (r *dataReader) message(f *Frame) Event {
	if f.Data[0] == '[' {
		return r.garbage(f, NotJSON, notJSON(f.Data))
	}
	return r.Read(f)
}

// elements are those of an array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := cursor{b: array}
		for c.open('['); c.more(']'); {
			if raw := c.skip(); raw == nil || !yield(raw) {
				return
			}
		}
	}
}
