package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A Proof is how it is known that a stream was held back.
type Proof string

const (
	// ByStamps: the server's own stamps say that it wrote the events apart.
	ByStamps Proof = "stamps"
	// ByReference: the same app paces its answers where less stands in between.
	ByReference Proof = "reference"
	// ByShape: it came as what was held back would, and nobody knows whether the app
	// wrote it so. It is a doubt, and no proof.
	ByShape Proof = "shape"
)

// A Held says that a stream was held back, how that is known and by how much.
type Held struct {
	Proof  Proof
	Pacing Pacing
	// For is how long a piece of the content was held, on an average.
	For time.Duration
	// Reference is what it was compared with; nil where it was not.
	Reference *Reference
}

// A Reference is what a stream was compared with, for the reader.
type Reference struct {
	Scenario, Hop string
	Streams       int
	AtOnce        float64 // events, or bytes of plain text
	Text          bool    // AtOnce counts bytes
	Gap           time.Duration
	First         time.Duration
	Asked         bool // for compression, which it did not get
}

// Fact says how the reference paces.
func (r *Reference) Fact() record.Fact {
	f := fact{Kind: FactReference, N: r.Streams, Share: r.AtOnce, Name: "event", Times: []time.Duration{r.Gap, r.First}}
	if r.Hop != appHop {
		f.Place = r.Scenario
	}
	if r.Text {
		f.Name = "byte"
	}
	return f
}

// A state is what a comparison says of one stream. Between its two margins it
// says nothing, so that the same server is not flagged in one run and not in the
// next.
type state uint8

const (
	live state = iota
	doubtful
	heldBack
)

// The margins. What comes at once is counted in pieces: what the app writes at
// once by itself.
const (
	surePieces  = 4.0 // at once, on an average
	livePieces  = 2.0
	sureHeld    = 100 * time.Millisecond // on an average over the content
	liveHeld    = 60 * time.Millisecond
	sureWhole   = 300 * time.Millisecond // where all of a short answer came at once
	mostOfIt    = 0.8                    // of the content is "all at once"
	partOfIt    = 0.3                    // of it, held back from the start
	largePieces = 3.0                    // make an instant large
)

// A comparison is one stream against a reference.
type comparison struct {
	state  state
	pieces float64       // at once, on an average over the content
	held   time.Duration // on an average over the content
	pacing Pacing
}

// judge compares one stream. All bounds are taken in the server's favour:
//
//   - what a read returned may have come at any time since the socket was last
//     empty, so that as many pieces as fit into that time are not at once;
//   - nothing was held for longer than nothing came before it, and nothing for
//     longer than the app takes to write what it came with.
//
// One silence with a burst behind it is a stall that ended: a buffer does it again
// and again, or from the request on.
func (r *reference) judge(s *record.Stream) comparison {
	c := comparison{pacing: pacingWithin(s, r.bound)}
	total := c.pacing.amount(r.unit) / r.piece
	if total == 0 || r.bursts {
		return c
	}
	before := startOf(s)
	pieces := make([]piece, len(c.pacing.Instants))
	for i, x := range c.pacing.Instants {
		n := r.unit.of(x) / r.piece
		pieces[i] = piece{n: n, share: n / total, made: r.takes(n), seen: x.At - x.Early, wait: x.At - before}
		before = x.At
	}
	w := weigh(pieces)
	w.pacing = c.pacing
	return w
}

// A piece is content that arrived at once.
type piece struct {
	n     float64       // writes of the app
	share float64       // of the answer
	made  time.Duration // how long the app takes to write it
	seen  time.Duration // how exactly its arrival is known
	wait  time.Duration // since what came before it
}

// weigh judges an answer by the pieces in which it came.
func weigh(pieces []piece) (c comparison) {
	large, whole, fromStart := 0, false, false
	for i, x := range pieces {
		n := x.n
		if x.seen > 0 && x.made > 0 {
			n /= 1 + (n-1)*float64(x.seen)/float64(x.made)
		}
		held := min(x.made, max(0, x.wait))
		c.pieces += n * x.share
		c.held += time.Duration(float64(held) * x.share)
		if n < largePieces && x.share < mostOfIt || held < liveHeld {
			continue
		}
		large++
		// What was held from the request on took the app as long as the client waited.
		fits := i > 0 || 4*held >= x.made
		whole = whole || x.share >= mostOfIt && fits
		fromStart = fromStart || i == 0 && x.share >= partOfIt && fits
	}
	switch {
	case c.pieces < livePieces || c.held < liveHeld:
	case large < 2 && !whole && !fromStart:
	case c.pieces >= surePieces && c.held >= sureHeld, whole && c.held >= sureWhole:
		c.state = heldBack
	default:
		c.state = doubtful
	}
	return c
}

// later reports whether the first content of streams that are held back comes as
// much later as it must, where that can be told: an app that has the answer ready
// this time writes it at once, and early.
func (r *reference) later(cs []comparison, gs []*Graded) bool {
	var late, made []time.Duration
	for i, c := range cs {
		if c.state == heldBack {
			x := c.pacing.Instants[0]
			late = append(late, x.At-startOf(gs[i].Stream)-r.first)
			made = append(made, r.takes(r.unit.of(x)/r.piece))
		}
	}
	if len(late) == 0 {
		return false
	}
	slices.Sort(late)
	slices.Sort(made)
	must := made[len(made)/2]
	return r.spread > must/4 || late[len(late)/2] >= must/4
}

// An arm is the streams of a scenario that entered at one hop and asked for the
// same encoding: what holds one of them back holds them all, or a part.
type arm struct{ hop, accept string }

// minShare is the least part of an arm that must be held back: less is chance.
const minShare = 0.2

// rareHeld is the chance below which an arm is held back more often than its
// reference.
const rareHeld = 0.02

// judgePacing flags the streams of the scenario that were held back.
func (rs *references) judgePacing(scope int) {
	s := &rs.scopes[scope]
	arms := map[arm][]*Graded{}
	var order []arm
	var stamped stampedArms
	for i := range s.Streams {
		g := &s.Streams[i]
		if b := BufferingOf(g.Stream); b.Emission >= minSpan {
			stamped.add(arm{g.Hop, g.AcceptEncoding}, b.held.state)
			if b.Buffered() {
				s.Streams[i].Grade.hold(&Held{Proof: ByStamps, Pacing: b.held.pacing, For: b.held.held})
				continue
			}
		}
		if g.Grade.Outcome != Complete || g.EmitFirst != 0 || g.First == record.Never || g.Group == record.Victim {
			continue
		}
		a := arm{g.Hop, g.AcceptEncoding}
		if arms[a] == nil {
			order = append(order, a)
		}
		arms[a] = append(arms[a], g)
	}
	s.pacing = append(s.pacing, stamped...)
	for _, a := range order {
		alone := a.hop == appHop && s.Run.AppAlone(s.Scenario.ID)
		switch r := rs.to(scope, a.hop); {
		case a.hop == appHop && arms[a][0].Encoding == "":
			s.judgeApp(arms[a], alone)
		case r != nil && !r.joined:
			s.judgeArm(a, arms[a], r)
		case !alone || arms[a][0].Encoding != "":
			s.judgeShapes(arms[a])
		}
	}
}

// stampedArms are the arms whose streams bear the server's stamps, which are
// compared with those and with nothing else.
type stampedArms []armPacing

func (as *stampedArms) add(a arm, st state) {
	i := slices.IndexFunc(*as, func(x armPacing) bool { return x.arm == a })
	if i < 0 {
		i = len(*as)
		*as = append(*as, armPacing{arm: a})
	}
	x := &(*as)[i]
	x.streams++
	switch st {
	case heldBack:
		x.held++
	case doubtful:
		x.doubtful++
	}
}

// judgeApp is for streams that were asked of the app itself: how it paces them is
// its own affair, unless something may stand in front of it, or they came joined.
func (s *Scope) judgeApp(gs []*Graded, alone bool) {
	if alone {
		gs = slices.DeleteFunc(slices.Clone(gs), func(g *Graded) bool { return !s.joined(g) })
	}
	s.judgeShapes(gs)
}

// joined reports whether an answer in a format of events came in one burst, as a
// body of a declared length. Who writes event by event knows no length.
func (s *Scope) joined(g *Graded) bool {
	if g.Wire.Framing != record.Length || s.Run.Plan.Dialect == textDialect {
		return false
	}
	p := PacingOf(g.Stream)
	return s.burst(g.Stream, &p)
}

// InOnePiece reports whether a whole answer in a format of events came all at once
// after a long wait, without a length that would say so.
func (s *Scope) InOnePiece(g *Graded) bool {
	if g.Grade.Outcome != Complete || g.EmitFirst != 0 || g.Wire.Framing == record.Length ||
		s.Run.Plan.Dialect == textDialect {
		return false
	}
	p := PacingOf(g.Stream)
	return s.burst(g.Stream, &p)
}

// judgeArm compares an arm with its reference.
func (s *Scope) judgeArm(a arm, gs []*Graded, r *reference) {
	cs := make([]comparison, len(gs))
	n := map[state]int{}
	var open []interval
	for i, g := range gs {
		cs[i] = r.judge(g.Stream)
		n[cs[i].state]++
		open = append(open, interval{startOf(g.Stream), g.End})
	}
	sure := n[heldBack]
	switch {
	case float64(sure) < minShare*float64(len(gs)), !r.later(cs, gs),
		r.held > 0 && Fisher(sure, len(gs), r.held, r.streams) >= rareHeld:
		sure = 0
	}
	s.pacing = append(s.pacing, armPacing{arm: a, streams: len(gs), held: sure, doubtful: n[doubtful] + n[heldBack] - sure,
		reference: r})
	if sure == 0 {
		return
	}
	proof := ByReference
	if 2*r.crowd < mostOpen(open) {
		proof = ByShape // an app that blocks under a load looks alike
	}
	for i, g := range gs {
		if c := cs[i]; c.state == heldBack || c.state == doubtful && 2*sure >= len(gs) {
			g.Grade.hold(&Held{Proof: proof, Pacing: c.pacing, For: c.held, Reference: r.told()})
		}
	}
}

func (r *reference) told() *Reference {
	return &Reference{Scenario: r.from.Scenario.ID, Hop: r.hop, Streams: r.streams, AtOnce: r.piece,
		Text: r.unit == inBytes, Gap: r.gap, First: r.first, Asked: r.asked}
}

// An armPacing is what the comparison of one arm came to.
type armPacing struct {
	arm
	streams, held, doubtful int
	reference               *reference // nil where the server's stamps say how it paces
}

func (g *Grade) hold(h *Held) {
	g.Held = h
	if !slices.Contains(g.Flags, Buffered) {
		g.Flags = append(g.Flags, Buffered)
	}
}

// Bounds of a burst that nothing can be compared with: a model may think for long
// and then answer briefly, but not eight events in one packet.
const (
	burstEvents = 8
	burstBytes  = 512 // of plain text, whose reads are few
	burstReads  = 3
	burstAfter  = 500 * time.Millisecond
	burstSpan   = 30 * time.Millisecond  // or, where that is longer,
	burstPart   = 0.05                   // of the wait before it
	burstEach   = 2 * time.Millisecond   // an event
	burstGap    = 100 * time.Millisecond // between bursts of the size of a buffer
)

// judgeShapes flags, as a doubt, the streams that came as what was held back would.
// The odd one in an arm is chance.
func (s *Scope) judgeShapes(gs []*Graded) {
	var hit []*Graded
	var held []*Held
	for _, g := range gs {
		p := PacingOf(g.Stream)
		if s.burst(g.Stream, &p) || bursts(&p) {
			hit = append(hit, g)
			held = append(held, &Held{Proof: ByShape, Pacing: p})
		}
	}
	if 2*len(hit) < len(gs) {
		return
	}
	for i, g := range hit {
		g.Grade.hold(held[i])
	}
}

// burst reports whether the content of a stream came all at once after a long
// wait.
func (s *Scope) burst(st *record.Stream, p *Pacing) bool {
	ttfe, ok := TTFE(st)
	if !ok || ttfe < burstAfter || len(p.Instants) == 0 {
		return false
	}
	span := p.Instants[len(p.Instants)-1].At - p.Instants[0].Early
	if span > max(burstSpan, time.Duration(burstPart*float64(ttfe))) {
		return false
	}
	if s.Run.Plan.Dialect == textDialect && p.Events <= burstReads {
		return p.Bytes >= burstBytes
	}
	return p.Events >= burstEvents && span <= time.Duration(p.Events)*burstEach
}

// bursts reports whether the content came in several bursts of the size of a
// buffer.
func bursts(p *Pacing) bool {
	if p.Quantum() == 0 || p.Events < 4*len(p.Instants) {
		return false
	}
	gaps := p.Gaps()
	slices.Sort(gaps)
	return gaps[len(gaps)/2] >= burstGap
}

// paced reports whether a stream is known to have been written in pieces: by the
// server's stamps, by what it was compared with, or since it came so.
func (s *Scope) paced(g *Graded) bool {
	if g.Grade.Outcome != Complete {
		return false
	}
	if BufferingOf(g.Stream).Emission >= minSpan {
		return true
	}
	for _, a := range s.pacing {
		if a.hop == g.Hop && a.reference != nil && !a.reference.bursts {
			return true
		}
	}
	p := PacingOf(g.Stream)
	byItself := s.Run.Plan.Dialect == textDialect || 2*len(p.Instants) >= p.Events
	return len(p.Instants) >= minInstants && p.Span() >= minSpan && byItself && p.Quantum() == 0
}

// pacingDoubts says where the margins left it open whether an arm was held back.
func (s *Scope) pacingDoubts() []Doubt {
	var ds []Doubt
	for _, a := range s.pacing {
		if a.held > 0 || 2*a.doubtful < a.streams {
			continue
		}
		larger := fact{Kind: FactLargerPieces, N: a.doubtful, Of: a.streams, Place: a.hop}
		if a.reference != nil {
			larger.About = []fact{a.reference.told().Fact()}
		}
		ds = append(ds, doubtOn("no stream is buffered", larger, next(NextQuietLonger)))
	}
	return ds
}

// Asks reports whether a stream asked for compression.
func (g *Graded) Asks() bool { return g.AcceptEncoding != "" && g.AcceptEncoding != Identity }

// surelyHeld reports whether more than the look of it says that g was held back.
func (g *Graded) surelyHeld() bool { return g.Grade.Held != nil && g.Grade.Held.Proof != ByShape }

// collected reports whether something gathered the content of g that knows what it
// does. A machine that is too busy makes everything late, but it does not cut at
// 4 KiB, and gives each program its turn several times a second.
func (g *Graded) collected() bool {
	if !g.surelyHeld() {
		return false
	}
	p := &g.Grade.Held.Pacing
	return p.Quantum() > 0 || len(p.Instants) == 1 && g.Grade.Held.For >= sureWhole
}

// heldWhy gives the figures behind [Buffered]; nil where there are none.
func (g *Graded) heldWhy() *fact {
	if b := BufferingOf(g.Stream); b.Emission > 0 {
		return &fact{Kind: FactWritten, Times: []time.Duration{b.Emission, b.Arrival}}
	}
	h := g.Grade.Held
	if h == nil {
		return nil
	}
	f := fact{Kind: FactHeldSo, About: []fact{h.Pacing.Fact(g.Stream)}}
	if h.Reference != nil {
		f.About = append(f.About, h.Reference.Fact())
	}
	return &f
}

// Fact gives the figures of how s arrived: events, instants, bytes at each, and the
// delay of the first.
func (p *Pacing) Fact(s *record.Stream) record.Fact {
	if len(p.Instants) == 0 {
		return fact{Kind: FactNoContent}
	}
	f := fact{Kind: FactOnePiece, N: p.Events, Bytes: int64(p.Bytes), Took: max(0, p.Instants[0].At-startOf(s))}
	if len(p.Instants) > 1 {
		f.Kind, f.Of, f.Bytes, f.More = FactInstants, len(p.Instants), int64(p.BytesAtOnce()), int64(p.Quantum())
	}
	return f
}

// settleShape is what tells an app that writes in bursts from an edge that holds
// back.
func (s *Scope) settleShape() fact {
	if s.Run.Attached() {
		return next(NextDirect)
	}
	return next(NextDirectScenario)
}
