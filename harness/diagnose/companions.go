package diagnose

import (
	"cmp"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// No vocabulary has all the words in which servers complain. So lines are also
// read by the company that they keep: one that stands at the ends of bad streams,
// and never at those of whole ones, has to do with the matter, whatever it says.

// A writing is all lines of one log that one statement of a program wrote.
type writing struct {
	log      *record.Log
	template string
	sample   record.Line   // the first
	lines    []record.Line // with a time, in its order
	within   time.Duration // the worst of theirs
	named    map[string]bool
}

// A companion is a writing that goes with the ends of some streams.
type companion struct {
	*writing
	first          hit // beside one of the ends
	bad, badOf     int
	whole, wholeOf int
	moments        int             // different ones, among those of bad
	beside         record.FactKind // FactWholeAnswers or FactMoments
	window         time.Duration
	byID           bool
	strong         bool // more than one coincidence
}

// cited reads "app.log:17: giving up: such lines stand within 50 ms of 17 of 17 of
// these ends, and beside 0 of 205 complete responses".
func (c companion) cited() record.Evidence {
	f := fact{Kind: FactStandBeside, N: c.bad, Of: c.badOf, Took: c.window, Place: c.log.Replica(),
		About: []fact{{Kind: c.beside, N: c.whole, Of: c.wholeOf}}}
	if c.byID {
		f.Kind, f.Took = FactNamedBeside, 0
	}
	return c.first.remarked(f)
}

const (
	// closeBy is how near to an end a line counts as beside it, beyond what its
	// own time leaves open.
	closeBy = 50 * time.Millisecond
	// vague is the least exact time with which a line can be beside anything.
	vague = 2 * time.Second
	// maxCompanions bounds what is quoted for one cause.
	maxCompanions = 2
	// coincidence is the chance below which company is no accident.
	coincidence = 0.005
	// fewMoments is below how many different moments chance cannot be told.
	fewMoments = 3
	// maxWritings bounds the lines that are compared.
	maxWritings = 60_000
)

// writings sorts the lines of all logs by the statement that wrote them, once.
func (v *view) writings() []*writing {
	if v.written != nil {
		return v.written
	}
	type key struct {
		log      *record.Log
		template string
	}
	by := map[key]*writing{}
	v.written = []*writing{}
	n := 0
	for i := range v.Run.Logs {
		l := &v.Run.Logs[i]
		if _, read := v.was[l]; !read || ourLink(l) {
			continue
		}
		for _, line := range l.Lines {
			if n++; n > maxWritings || strings.TrimSpace(line.Text) == "" || v.foreign(hit{log: l, line: line}) {
				continue
			}
			k := key{l, logline.Template(line.Text)}
			w := by[k]
			if w == nil {
				w = &writing{log: l, template: k.template, sample: line, named: map[string]bool{}}
				by[k] = w
				v.written = append(v.written, w)
			}
			for _, id := range nonceInLine.FindAllString(line.Text, 3) {
				w.named[id] = true
			}
			if line.At != record.Never && line.Within <= vague {
				w.lines = append(w.lines, line)
				w.within = max(w.within, line.Within)
			}
		}
	}
	for _, w := range v.written {
		slices.SortStableFunc(w.lines, func(a, b record.Line) int { return cmp.Compare(a.At, b.At) })
	}
	return v.written
}

// at is the line of w that is nearest to a moment, if one is beside it.
func (w *writing) at(t time.Duration) (record.Line, bool) {
	for l := range w.during(t-closeBy, t+closeBy) {
		return l, true
	}
	return record.Line{}, false
}

// during yields the lines of w from one moment to another, as far as their times tell.
func (w *writing) during(from, to time.Duration) iter.Seq[record.Line] {
	return func(yield func(record.Line) bool) {
		i, _ := slices.BinarySearchFunc(w.lines, from-w.within, func(l record.Line, t time.Duration) int {
			return cmp.Compare(l.At, t)
		})
		for ; i < len(w.lines) && w.lines[i].At <= to; i++ {
			if l := w.lines[i]; l.At+l.Within >= from && !yield(l) {
				return
			}
		}
	}
}

// reaches is how many of some moments, in order, the lines of w can be beside at
// most.
func (w *writing) reaches(moments []time.Duration) (n int) {
	for _, l := range w.lines {
		from, _ := slices.BinarySearch(moments, l.At-closeBy)
		to, _ := slices.BinarySearch(moments, l.At+l.Within+closeBy+1)
		if n += to - from; n >= len(moments) {
			break
		}
	}
	return n
}

// badMoment is when a stream went wrong: where it fell silent, or ended.
func badMoment(g *verdict.Graded) time.Duration {
	if g.Grade.Outcome == verdict.Stalled {
		return g.MaxGapAt
	}
	return g.End
}

// badEnds are the streams that went wrong which one log can speak of.
type badEnds struct {
	streams []*verdict.Graded
	moments []time.Duration // in order
	ids     map[string]bool
}

// badEndsOf are those of gs that may be on a replica.
func badEndsOf(gs []*verdict.Graded, replica string) badEnds {
	b := badEnds{ids: map[string]bool{}}
	for _, g := range gs {
		if !g.MayBeOn(replica) {
			continue
		}
		b.streams = append(b.streams, g)
		if t := badMoment(g); t != record.Never {
			b.moments = append(b.moments, t)
		}
		if g.Nonce != "" {
			b.ids[g.Nonce] = true
		}
	}
	slices.Sort(b.moments)
	return b
}

// companions are the writings that go with the ends of gs, the most faithful
// first.
func (v *view) companions(gs []*verdict.Graded) []companion {
	badOn := map[string]badEnds{}
	var out []companion
	for _, w := range v.writings() {
		// The log of one replica says nothing of the streams of another, and cannot
		// be compared with them.
		on := w.log.Replica()
		bad, known := badOn[on]
		if !known {
			bad = badEndsOf(gs, on)
			badOn[on] = bad
		}
		if len(bad.moments) == 0 {
			continue
		}
		c, ok := v.namedBeside(w, bad)
		if !ok {
			c, ok = v.timedBeside(w, bad.moments)
		}
		if ok {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b companion) int {
		return cmp.Or(boolFirst(a.strong, b.strong), cmp.Compare(b.bad, a.bad),
			boolFirst(a.log.Kind == record.AppLog, b.log.Kind == record.AppLog), cmp.Compare(a.log.Name, b.log.Name),
			cmp.Compare(a.first.line.N, b.first.line.N))
	})
	return out
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// namedBeside compares by request ID, where the lines name one of our streams.
func (v *view) namedBeside(w *writing, bad badEnds) (companion, bool) {
	c := companion{writing: w, byID: true, badOf: len(bad.streams), beside: FactWholeAnswers}
	if 2*len(w.named) < c.badOf || len(w.named) == 0 {
		return c, false
	}
	on := w.log.Replica()
	for i := range v.Streams {
		g := &v.Streams[i]
		named := g.Nonce != "" && w.named[g.Nonce]
		switch {
		case !g.MayBeOn(on):
		case bad.ids[g.Nonce]:
			c.bad += b2i(named)
		case g.Grade.Outcome == verdict.Complete:
			c.wholeOf++
			c.whole += b2i(named)
		}
	}
	if c.bad == 0 {
		return c, false
	}
	for _, line := range w.log.Lines {
		if id := nonceInLine.FindString(line.Text); bad.ids[id] && logline.Template(line.Text) == w.template {
			c.first = hit{log: w.log, line: line}
			break
		}
	}
	c.moments = c.bad
	return c, c.first.log != nil && c.tells()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// timedBeside compares by time: with the ends of complete responses that are not beside
// a bad one, else with moments at which answers simply went on.
func (v *view) timedBeside(w *writing, bad []time.Duration) (companion, bool) {
	c := companion{writing: w, badOf: len(bad), window: max(closeBy, w.within)}
	if len(w.lines) == 0 || 2*w.reaches(bad) < len(bad) {
		return c, false
	}
	last := record.Never
	of := 0 // different moments in all
	for _, t := range bad {
		line, ok := w.at(t)
		fresh := last == record.Never || t-last > c.window
		of += b2i(fresh)
		last = t
		if !ok {
			continue
		}
		c.bad++
		c.moments += b2i(fresh || c.moments == 0)
		if c.first.log == nil {
			c.first = hit{log: w.log, line: line}
		}
	}
	if 2*c.bad < c.badOf {
		return c, false
	}
	_, access := logline.ParseAccess(w.log.Kind, w.lines[0].Text)
	perRequest := access || w.log.Kind == logline.Varnish
	// A line of a bad end may be that far from it, twice.
	moments, beside := v.otherMoments(bad, 2*closeBy+w.within, w.log.Replica())
	if perRequest && beside != FactWholeAnswers {
		return c, false // it stands at the end of every request: only other ends can be compared with
	}
	c.beside, c.wholeOf = beside, len(moments)
	for _, t := range moments {
		_, ok := w.at(t)
		c.whole += b2i(ok)
	}
	return c, c.tellsOf(of)
}

// otherMoments are what bad ends are compared with, of streams that may be on a
// replica.
func (v *view) otherMoments(bad []time.Duration, window time.Duration, replica string) (
	list []time.Duration, what record.FactKind) {
	apart := func(t time.Duration) bool {
		i, _ := slices.BinarySearch(bad, t-window)
		return i == len(bad) || bad[i] > t+window
	}
	for i := range v.Streams {
		g := &v.Streams[i]
		if g.Grade.Outcome == verdict.Complete && g.End != record.Never && g.MayBeOn(replica) && apart(g.End) {
			list = append(list, g.End)
		}
	}
	if len(list) >= minWhole {
		return list, FactWholeAnswers
	}
	list = nil
	for i := range v.Streams {
		if !v.Streams[i].MayBeOn(replica) {
			continue
		}
		n := 0
		for m := range v.Streams[i].Marks() {
			if n++; n%3 == 0 && apart(m.At) && len(list) < maxMoments {
				list = append(list, m.At)
			}
		}
	}
	return list, FactMoments
}

const (
	minWhole   = 5
	maxMoments = 300
)

// tells reports whether the company is no accident.
func (c *companion) tells() bool { return c.tellsOf(c.badOf) }

// tellsOf is tells where the bad ends lie at so many different moments. With few
// of those chance cannot be told, and only a line that stands nowhere else counts.
func (c *companion) tellsOf(moments int) bool {
	if 2*c.bad < c.badOf || c.wholeOf == 0 || 20*c.whole > c.wholeOf {
		return false
	}
	c.strong = c.moments >= fewMoments && verdict.Fisher(min(c.moments, moments), moments, c.whole,
		c.wholeOf) < coincidence
	return c.strong || c.moments < fewMoments && c.whole == 0 && c.bad == c.badOf && len(c.lines) <= 2*c.badOf+2
}

// ourLink reports whether a log is of one of our own links: it has a line for the
// end of every connection.
func ourLink(l *record.Log) bool {
	return l.Kind == record.ProxyLog && l.Scenario != "" && linkLog.MatchString(l.Name)
}

// linkLog is how the stack of containers calls them.
var linkLog = regexp.MustCompile(`(?:^|[-.])(?:toxiproxy|relay)\.log$`)

// quote adds to a cause what stands in the logs beside its streams and is not
// cited yet.
func (v *view) quote(f *finding) {
	if f.Injected || f.Layer == layerHarness || f.Layer == layerClient || f.Cause.Cause == NoHeartbeat {
		return // what stands beside it is told by the cause that it goes with
	}
	p := v.produced(f.streams)
	if p != nil {
		f.Produced = p.fact()
		f.see(f.Produced.Fact())
	}
	n := 0
	for _, c := range v.companions(f.streams) {
		if n == maxCompanions {
			return
		}
		if c.first.citedIn(f.Evidence) || p != nil && p.writing == c.writing || v.known(c, f) {
			continue
		}
		f.show(c.cited())
		n++
	}
}

// known reports whether a line is one of those that the cause cites already, in
// another writing of the same statement, or inside a traceback.
func (v *view) known(c companion, f *finding) bool {
	if t, ok := v.traceOf(c.first); ok && c.first.line.N >= t.first {
		return t.citedIn(f.Evidence)
	}
	return slices.ContainsFunc(f.Evidence, func(e record.Evidence) bool {
		return e.Log == c.log.Name && logline.Template(e.Text) == c.template
	})
}
