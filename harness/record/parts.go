package record

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"runtime"
	"slices"
	"time"
)

// Bounds are those of a part.
type Bounds struct {
	Streams int
	Bytes   int // of the record
}

// partBounds are far above any run of some minutes, whose record is one part: what is
// said of it then is said of all streams at once.
var partBounds = Bounds{Streams: 25_000, Bytes: 64 << 20}

const (
	// leastStream is less than any stream takes in the record, in bytes.
	leastStream = 200
	// guestStreams is how many streams of each scenario, the first ones, come with the
	// parts about others: scenarios are compared with one another.
	guestStreams = 500
	// guestSolos bounds those of them that were alone.
	guestSolos = 64
)

// Parts reads a record in parts, one in memory at a time: a run of a night has more
// streams than fit.
//
//  1. [OpenParts] reads the record once. It keeps all facts but the streams, and of
//     each stream where it stands.
//  2. Scenarios are put together up to the bounds of a part. A longer one is cut, in
//     the order in which its streams started, if it is the same from its beginning to
//     its end: without a fault, and with one entrance. One that is not stays whole,
//     however long.
//  3. [Parts.All] reads one part after the other.
//
// In a part are also guests: streams that are judged in another one, and that its own
// are compared with.
type Parts struct {
	// Run has all facts, and the streams only where the record is one part.
	Run *Run

	in     *os.File // nil where Run has all
	places []place  // of the streams, in the order in which they started
	parts  []stretch
	by     [][]int32 // places of each scenario
	ids    []string  // of the scenarios
}

// A Part is some of the streams of a run, with all of its facts.
type Part struct {
	Run *Run
	// N and Of say that it is the N-th of several about one scenario, from 1.
	N, Of int

	about map[string]bool // scenarios; nil for all
}

// About reports whether the part is about a scenario.
func (p *Part) About(scenario string) bool { return p.about == nil || p.about[scenario] }

// Len is the number of parts.
func (p *Parts) Len() int { return max(1, len(p.parts)) }

// Close closes the record.
func (p *Parts) Close() error {
	if p.in == nil {
		return nil
	}
	return p.in.Close()
}

// A place is where a stream stands in the record: its end, or its start where there
// is no end.
type place struct {
	at   int64
	size int32
	tags uint32
}

// A place's tags are the number of its scenario and, below that:
const (
	placeEnded = 1 << iota
	placeSolo
	placeShift = iota
)

func (x place) scenario() int { return int(x.tags >> placeShift) }
func (x place) ended() bool   { return x.tags&placeEnded != 0 }
func (x place) solo() bool    { return x.tags&placeSolo != 0 }

// A stretch is the plan of a part: whole scenarios, or streams of one from one number
// of it to another.
type stretch struct {
	scenarios []int
	from, to  int // of a scenario that is cut
	n, of     int
}

// OpenParts opens a run folder like [Open], to be read in parts.
func OpenParts(dir string) (*Parts, error) { return partBounds.Open(dir) }

// Open is [OpenParts] with other bounds.
func (b Bounds) Open(dir string) (*Parts, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	defer root.Close()
	if info, err := root.Stat(recordFile); err != nil || info.Size() < int64(min(leastStream*b.Streams, b.Bytes)) {
		return onePart(dir)
	}
	plan, err := readPlan(root, dir)
	if err != nil {
		return nil, err
	}
	in, err := root.Open(recordFile)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	ix := newIndex(plan)
	p := &Parts{Run: ix.run, in: in}
	if err := ix.readAll(in); err != nil {
		return nil, errors.Join(fmt.Errorf("open run: %w", err), in.Close())
	}
	p.places, p.ids = ix.places, ix.ids
	p.Run.Elsewhere = ix.open.merged()
	p.plan(b)
	if len(p.parts) <= 1 {
		if err := in.Close(); err != nil {
			return nil, fmt.Errorf("open run: %w", err)
		}
		return onePart(dir)
	}
	if err := ix.readLogs(root); err != nil {
		return nil, errors.Join(fmt.Errorf("open run: %w", err), in.Close())
	}
	return p, nil
}

// onePart is the whole record.
func onePart(dir string) (*Parts, error) {
	run, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return &Parts{Run: run}, nil
}

// An index is a reading that keeps the places of streams and not the streams.
type index struct {
	reading
	places   []place
	ids      []string
	numbers  map[string]int   // of scenarios
	inFlight map[uint64]begun // by the numbers of streams
	open     busy
}

// A begun stream has no end yet.
type begun struct {
	place int32
	due   time.Duration
}

func newIndex(plan Plan) *index {
	ix := &index{reading: *newReading(plan), numbers: map[string]int{}, inFlight: map[uint64]begun{}}
	ix.spans = map[string]Span{}
	for i := range plan.Scenarios {
		ix.number(plan.Scenarios[i].ID)
	}
	return ix
}

func (ix *index) number(scenario string) int {
	n, ok := ix.numbers[scenario]
	if !ok {
		n = len(ix.ids)
		ix.numbers[scenario], ix.ids = n, append(ix.ids, scenario)
	}
	return n
}

func (ix *index) readAll(in io.ReadSeeker) error {
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	taken, err := entries(in, func(e *inEntry) error {
		if e.Tag == tagBegin || e.Tag == tagEnd {
			return ix.stream(e)
		}
		return ix.take(e)
	})
	ix.run.Torn = int(size - taken)
	for _, b := range ix.inFlight {
		ix.open.add(Never, b.due, Never)
	}
	if unread(err) {
		return err
	}
	return nil
}

// A streamHead is what the index reads of a stream; the numbers are those of
// [Stream].
type streamHead struct {
	_      struct{} `cbor:",toarray"`
	Stream struct {
		Seq      uint64        `cbor:"1,keyasint,omitempty"`
		Scenario string        `cbor:"2,keyasint,omitempty"`
		Group    Group         `cbor:"3,keyasint,omitempty"`
		Sched    time.Duration `cbor:"6,keyasint,omitempty"`
		Send     time.Duration `cbor:"7,keyasint,omitempty"`
		End      time.Duration `cbor:"10,keyasint,omitempty"`
	}
	Wire, Content skipped
}

// A skipped part of an entry is not decoded.
type skipped struct{}

func (*skipped) UnmarshalCBOR([]byte) error { return nil }

// stream takes the place of a stream. It stays at that of its start in the order.
func (ix *index) stream(e *inEntry) error {
	var head streamHead
	if err := decode.Unmarshal(e.Body, &head); err != nil {
		return err
	}
	s := &head.Stream
	b, ok := ix.inFlight[s.Seq]
	i := b.place
	if !ok {
		i = int32(len(ix.places))
		ix.places = append(ix.places, place{})
	}
	x := place{at: e.at, size: int32(e.size), tags: uint32(ix.number(s.Scenario)) << placeShift}
	if s.Group == Solo {
		x.tags |= placeSolo
	}
	if e.Tag == tagEnd {
		x.tags |= placeEnded
		delete(ix.inFlight, s.Seq)
		ix.open.add(s.Send, s.Sched, s.End)
		ix.spanned(s.Scenario, s.Sched, s.End)
	} else {
		ix.inFlight[s.Seq] = begun{i, s.Sched}
		ix.spanned(s.Scenario, s.Sched, Never)
	}
	ix.places[i] = x
	return nil
}

// plan deals the streams out to parts.
func (p *Parts) plan(b Bounds) {
	p.by = make([][]int32, len(p.ids))
	bytes := make([]int, len(p.ids))
	for i, x := range p.places {
		n := x.scenario()
		p.by[n] = append(p.by[n], int32(i))
		bytes[n] += int(x.size)
	}
	var open stretch // one that more scenarios may join
	streams, size := 0, 0
	flush := func() {
		if len(open.scenarios) > 0 {
			open.n, open.of = 1, 1
			p.parts = append(p.parts, open)
		}
		open, streams, size = stretch{}, 0, 0
	}
	for n := range p.ids {
		of := max(pieces(len(p.by[n]), b.Streams), pieces(bytes[n], b.Bytes))
		if of > 1 && p.cuttable(n) {
			flush()
			for k := range of {
				p.parts = append(p.parts, stretch{[]int{n}, len(p.by[n]) * k / of, len(p.by[n]) * (k + 1) / of, k + 1, of})
			}
			continue
		}
		if streams+len(p.by[n]) > b.Streams || size+bytes[n] > b.Bytes {
			flush()
		}
		open.scenarios = append(open.scenarios, n)
		streams, size = streams+len(p.by[n]), size+bytes[n]
	}
	flush()
}

// pieces is how many pieces of at most that size n is cut into.
func pieces(n, size int) int { return (n + size - 1) / size }

// cuttable reports whether a scenario is the same from its beginning to its end.
func (p *Parts) cuttable(n int) bool {
	for i := range p.Run.Plan.Scenarios {
		if sc := &p.Run.Plan.Scenarios[i]; sc.ID == p.ids[n] {
			return sc.Fault == "" && !sc.Policy.Faulty && !sc.Peel
		}
	}
	return false
}

// All reads one part after the other. What came before may be forgotten. The error is
// the last thing yielded, and has no part.
func (p *Parts) All() iter.Seq2[*Part, error] {
	return func(yield func(*Part, error) bool) {
		if p.in == nil {
			yield(&Part{Run: p.Run, N: 1, Of: 1}, nil)
			return
		}
		for _, x := range p.parts {
			// Two parts at once are more memory than one with a collection in between.
			runtime.GC()
			part, err := p.read(x)
			if err != nil {
				yield(nil, fmt.Errorf("read record: %w", err))
				return
			}
			if !yield(part, nil) {
				return
			}
		}
	}
}

// read reads the streams of one part, and its guests.
func (p *Parts) read(x stretch) (*Part, error) {
	run := *p.Run
	run.Guests = map[uint64]bool{}
	part := &Part{Run: &run, N: x.n, Of: x.of, about: map[string]bool{}}
	own := make([]bool, len(p.ids))
	var places []int32
	for _, n := range x.scenarios {
		part.about[p.ids[n]], own[n] = true, true
		of := p.by[n]
		if x.of > 1 {
			places = append(places, p.solos(of[:x.from])...)
			of = of[x.from:x.to]
			run.Waves = unsent(run.Waves, p.ids[n])
		}
		places = append(places, of...)
	}
	for n, of := range p.by {
		if !own[n] {
			first := min(len(of), guestStreams)
			places = append(places, of[:first]...)
			places = append(places, p.solos(of[first:])...)
		}
	}
	slices.Sort(places)
	in := func(i int32) bool {
		n := p.places[i].scenario()
		return own[n] && (x.of == 1 || i >= p.by[n][x.from])
	}
	run.Streams = make([]Stream, 0, len(places))
	shared := newShared()
	var buf []byte
	for _, i := range places {
		s, err := p.stream(p.places[i], &buf)
		if err != nil {
			return nil, err
		}
		shared.stream(&s)
		if !in(i) {
			run.Guests[s.Seq] = true
		}
		run.Streams = append(run.Streams, s)
	}
	return part, nil
}

// solos are the first streams of some that were alone.
func (p *Parts) solos(of []int32) []int32 {
	var solos []int32
	for _, i := range of {
		if p.places[i].solo() && len(solos) < guestSolos {
			solos = append(solos, i)
		}
	}
	return solos
}

// stream reads one stream.
func (p *Parts) stream(x place, buf *[]byte) (Stream, error) {
	*buf = slices.Grow((*buf)[:0], int(x.size))[:x.size]
	if _, err := p.in.ReadAt(*buf, x.at); err != nil {
		return Stream{}, err
	}
	var e struct {
		_    struct{} `cbor:",toarray"`
		Tag  int
		Body streamBody
	}
	if err := decode.Unmarshal(*buf, &e); err != nil {
		return Stream{}, fmt.Errorf("stream at byte %d: %w", x.at, err)
	}
	s := e.Body.unpack()
	if !x.ended() {
		s.cutShort()
	}
	return s, nil
}

// unsent are waves without the numbers of one scenario, which speak of all of its
// streams and not of those of a part.
func unsent(waves []Wave, scenario string) []Wave {
	waves = slices.Clone(waves)
	for i := range waves {
		if w := &waves[i]; w.Scenario == scenario {
			w.Asked, w.Started, w.LateStarts = 0, 0, 0
		}
	}
	return waves
}

// A busy adds up the times at which any stream was open.
type busy struct {
	spans []Span
	limit int // of spans, before those that meet are put together
}

// add takes a stream that was sent, or was due, and that ended; [Never] for what did
// not come.
func (b *busy) add(sent, due, end time.Duration) {
	x := Span{sent, end}
	if sent == Never {
		x.From = due
	}
	if end == Never {
		x.To = math.MaxInt64
	}
	if n := len(b.spans); n > 0 && x.From >= b.spans[n-1].From && x.From <= b.spans[n-1].To {
		b.spans[n-1].To = max(b.spans[n-1].To, x.To)
		return
	}
	if b.spans = append(b.spans, x); len(b.spans) > b.limit {
		b.limit = max(16<<10, 2*len(b.merged()))
	}
}

// merged are the times in order and apart.
func (b *busy) merged() []Span {
	slices.SortFunc(b.spans, func(x, y Span) int { return cmp.Compare(x.From, y.From) })
	var apart []Span
	for _, x := range b.spans {
		if n := len(apart); n > 0 && x.From <= apart[n-1].To {
			apart[n-1].To = max(apart[n-1].To, x.To)
			continue
		}
		apart = append(apart, x)
	}
	b.spans = apart
	return apart
}
