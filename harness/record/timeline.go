package record

import (
	"encoding/binary"
	"time"

	"github.com/streamproof/streamproof/harness/stream"
)

// A Mark is one event on a stream's timeline.
type Mark struct {
	// At is the arrival. Early is its lower bound: frames that one read returned
	// share the stamp of the last segment, so an earlier frame arrived somewhere
	// in [Early, At]. They are equal where the arrival is
	// exact.
	At, Early time.Duration
	Kind      stream.Kind
	Seq       int64 // -1 if none
	Emit      int64 // ns since the epoch, 0 if none
	Size      int   // bytes in the body
}

// A Timeline is the compact form of a stream's events: deltas as varints, 8 to
// 12 bytes an event. The zero value is empty and ready to use.
type Timeline struct {
	Bytes   []byte
	Omitted int // events that MaxTimeline kept out

	at, seq, emit int64
}

// MaxTimeline bounds the bytes that one stream's timeline may take.
const MaxTimeline = 256 << 10

// Layout of an entry: head, Δat (ns, signed), then as head says: at − early,
// Δseq, Δemit, size. Most streams count up by one, which costs no byte.
const (
	headKind  = 0x07
	headEarly = 0x08 // at − early follows
	headSeq   = 0x10 // a sequence number: previous + 1
	headSeqD  = 0x20 // a sequence number: Δ follows
	headEmit  = 0x40 // Δemit follows
)

// Append adds an event. It allocates only to grow.
func (t *Timeline) Append(m Mark) {
	if len(t.Bytes) >= MaxTimeline {
		t.Omitted++
		return
	}
	head := byte(m.Kind) & headKind
	if m.Early != m.At {
		head |= headEarly
	}
	switch {
	case m.Seq < 0:
	case m.Seq == t.seq+1:
		head |= headSeq
	default:
		head |= headSeqD
	}
	if m.Emit != 0 {
		head |= headEmit
	}
	b := append(t.Bytes, head)
	b = binary.AppendVarint(b, int64(m.At)-t.at)
	if head&headEarly != 0 {
		b = binary.AppendUvarint(b, uint64(m.At-m.Early))
	}
	if head&headSeqD != 0 {
		b = binary.AppendVarint(b, m.Seq-t.seq)
	}
	if head&headEmit != 0 {
		b = binary.AppendVarint(b, m.Emit-t.emit)
		t.emit = m.Emit
	}
	t.Bytes = binary.AppendUvarint(b, uint64(m.Size))
	t.at = int64(m.At)
	if m.Seq >= 0 {
		t.seq = m.Seq
	}
}

// Marks yields the events of a compact timeline in order. It stops at the first
// entry that is not whole.
func Marks(b []byte) func(yield func(Mark) bool) {
	return func(yield func(Mark) bool) {
		var at, seq, emit int64
		for len(b) > 0 {
			head := b[0]
			r := reader{b: b[1:]}
			m := Mark{Kind: stream.Kind(head & headKind), Seq: -1}
			at += r.varint()
			m.At, m.Early = time.Duration(at), time.Duration(at)
			if head&headEarly != 0 {
				m.Early -= time.Duration(r.uvarint())
			}
			switch {
			case head&headSeq != 0:
				seq++
				m.Seq = seq
			case head&headSeqD != 0:
				seq += r.varint()
				m.Seq = seq
			}
			if head&headEmit != 0 {
				emit += r.varint()
				m.Emit = emit
			}
			m.Size = int(r.uvarint())
			if r.bad {
				return
			}
			b = r.b
			if !yield(m) {
				return
			}
		}
	}
}

// Marks yields the events of s.
func (s *Stream) Marks() func(yield func(Mark) bool) { return Marks(s.Events) }

// A reader takes varints off the front of b and remembers that one was torn.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return r.took(v, n)
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return uint64(r.took(int64(v), n))
}

func (r *reader) took(v int64, n int) int64 {
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}
