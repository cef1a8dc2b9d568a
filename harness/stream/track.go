package stream

import (
	"bytes"
	"fmt"
)

// A tracker follows the numbers and the owner of a stream's events, wherever an app
// puts them, beside the reader of its dialect.
//
//   - Numbers may begin anywhere and go on by 1, over all events that bear one, of
//     whatever kind. There is one row of numbers per stream, also where an answer has
//     several choices. What is lost before the first number or behind the last one
//     does not show.
//   - An event that bears another ID than the stream's is foreign where the stream's
//     own was seen as well. Where it never was the app may well put an ID of its own
//     there: Summary.Other is kept then, for whoever knows the other streams.
//   - An event that bears neither says nothing.
type tracker struct {
	Reader
	order, owner *Place
	nonce        []byte
	numbers      sequence
	sum          struct {
		numbered, echoed int
		other            []byte
		at               int64 // where the other came, in the body
	}
}

// maxOther is how much of another's ID is kept.
const maxOther = 64

// Reader returns a reader for one stream.
func (d *Dialect) Reader(a Ask) Reader {
	r := d.New(a)
	if a.Order == nil && a.Owner == nil {
		return r
	}
	return &tracker{Reader: r, order: a.Order, owner: a.Owner, nonce: plainID(nil, []byte(a.Nonce)),
		numbers: sequence{free: true}}
}

// Read implements [Reader].
func (t *tracker) Read(f *Frame) Event {
	e := t.Reader.Read(f)
	if f.Comment {
		return e
	}
	if t.owner != nil && !t.owned(f) {
		return e // its number is another stream's
	}
	if t.order != nil {
		if n, ok := parseInt(t.order.of(f)); ok {
			t.sum.numbered++
			t.numbers.add(n)
			e.Seq = max(n, -1)
		}
	}
	return e
}

// owned reports whether an event may be the stream's own.
func (t *tracker) owned(f *Frame) bool {
	id := t.owner.of(f)
	if len(id) == 0 || len(t.nonce) == 0 {
		return true
	}
	var buf [2 * maxOther]byte
	if bytes.Contains(plainID(buf[:0], id[:min(len(id), len(buf))]), t.nonce) {
		t.sum.echoed++
		return true
	}
	if t.sum.other == nil {
		t.sum.other, t.sum.at = bytes.Clone(clip(id, maxOther)), f.Offset
	}
	return t.sum.echoed == 0
}

// plainID appends an ID to dst in lower case and without dashes, as apps write it
// that read it as a UUID.
func plainID(dst, id []byte) []byte {
	for _, c := range id {
		switch {
		case c == '-':
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// SameID reports whether two IDs are one, however they are written.
func SameID(a, b string) bool {
	return a != "" && bytes.Equal(plainID(nil, []byte(a)), plainID(nil, []byte(b)))
}

// Close implements [Reader].
func (t *tracker) Close(partial int) Summary {
	s := t.Reader.Close(partial)
	s.Numbered, s.Echoed, s.Other = t.sum.numbered, t.sum.echoed, string(t.sum.other)
	s.Uncounted = s.Numbered > 1 && !t.numbers.counts()
	if s.State == Corrupt {
		return s
	}
	if s.Echoed > 0 && s.Other != "" {
		s.State, s.Why = Foreign, fmt.Sprintf("byte %d: event with ID %q at %s", t.sum.at, s.Other, t.owner)
		return s
	}
	if state, why := t.numbers.fault(); state != "" && !s.Uncounted {
		s.State, s.Why = state, why
	}
	return s
}
