package diagnose

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// exceptions are counted by the line that a server writes once a request; by
// their tracebacks where it writes no such line. One of which such a line tells too
// was logged by the app and raised on. Those that stand everywhere explain nothing.
func (ds *deaths) exceptions(v *view) {
	hits := slices.Clone(v.tags[exception])
	told := map[string]bool{}
	for _, h := range hits {
		if t, ok := v.traceOf(h); ok {
			told[t.Exception] = true
		}
	}
	for _, h := range v.tags[traceback] {
		if t, ok := v.traceOf(h); !ok || !told[t.Exception] {
			hits = append(hits, h)
		}
	}
	hits = slices.DeleteFunc(hits, func(h hit) bool { // which answer to a client that went
		t, ok := v.traceOf(h)
		return ok && t.Reacts()
	})
	rels := v.relations(hits)
	for i, h := range hits {
		if rels[i] == unrelated {
			continue
		}
		ds.raised = append(ds.raised, death{at: h.line.At, what: fact{Kind: DeathRaised}, once: true,
			kind: diedByException, cite: v.citeTrace(h), id: nonceNear(v, h), cuts: v.serverCuts(h),
			doubted: rels[i] == doubtful})
	}
	slices.SortStableFunc(ds.raised, func(a, b death) int { return cmp.Compare(a.at, b.at) })
	for i, d := range ds.raised {
		if d.id != "" {
			ds.named[d.id] = i
		}
	}
}

// nonceNear is the request ID in a line, or in the one that names the exception.
func nonceNear(v *view, h hit) string {
	if id := nonceInLine.FindString(h.line.Text); id != "" {
		return id
	}
	if t, ok := v.traceOf(h); ok {
		return nonceInLine.FindString(t.line.Text)
	}
	return ""
}

// A relation is what an exception has to do with the streams that ended badly.
type relation int

const (
	related   relation = iota // it names its stream, or stands at bad ends oftener than chance allows
	doubtful                  // it stands at bad ends alone, which are too few to tell
	unrelated                 // it stands at bad ends as often as anywhere
)

const (
	// unlikely is the chance above which an exception stands at bad ends by accident.
	unlikely = 0.05
	// fewToEach is how many ends of one moment an exception of that moment may be taken for
	// the cause of: other kinds may have the rest.
	fewToEach = 4
)

// relations judge exceptions that name none of our streams by all of their kind: the same
// exception from the same place in the code, in one log. A job that fails every few seconds
// has one beside each end, whole or not.
func (v *view) relations(hits []hit) []relation {
	type kind struct {
		log  *record.Log
		text string
	}
	kindOf := func(h hit) kind {
		if t, ok := v.traceOf(h); ok && t.Frame != "" {
			name, _, _ := strings.Cut(t.Exception, ":")
			return kind{h.log, name + "\n" + t.Frame}
		}
		return kind{h.log, logline.Template(h.line.Text)}
	}
	ours := v.nonces()
	by := map[kind]*writing{}
	for _, h := range hits {
		if ours[nonceNear(v, h)] {
			continue
		}
		k := kindOf(h)
		if by[k] == nil {
			by[k] = &writing{log: h.log, template: k.text, sample: h.line}
		}
		if w := by[k]; h.line.At != record.Never {
			w.lines, w.within = append(w.lines, h.line), max(w.within, h.line.Within)
		}
	}
	judged := map[kind]relation{}
	for k, w := range by {
		judged[k] = v.relationOf(w)
	}
	out := make([]relation, len(hits))
	for i, h := range hits {
		if !ours[nonceNear(v, h)] {
			out[i] = judged[kindOf(h)]
		}
	}
	return out
}

// relationOf compares at how many of the moments of bad ends lines of w stand, and at how
// many others. Clocks and pipes may be late; so this is asked at two distances, of which the
// better one counts.
func (v *view) relationOf(w *writing) relation {
	slices.SortStableFunc(w.lines, func(a, b record.Line) int { return cmp.Compare(a.At, b.At) })
	bad := badEndsOf(keep(v.open, func(g *verdict.Graded) bool { return g.Grade.Outcome != verdict.Complete }),
		w.log.Replica()).moments
	if len(w.lines) == 0 || len(bad) == 0 {
		return doubtful // without a time: whoever is left may be the one
	}
	return min(v.relationWithin(w, bad, closeBy, closeBy), v.relationWithin(w, bad, lineBefore, lineAfter))
}

func (v *view) relationWithin(w *writing, bad []time.Duration, before, after time.Duration) relation {
	near, of, lines := w.meets(bad, before, after)
	if near == 0 {
		return unrelated
	}
	others, _ := v.otherMoments(bad, before+after+w.within, w.log.Replica())
	elsewhere := 0
	for _, t := range others {
		elsewhere += b2i(w.between(t-before, t+after) > 0)
	}
	chance := 1.0
	if len(others) > 0 {
		chance = verdict.Fisher(near, of, elsewhere, len(others))
	}
	// One for each bad end, and each beside it.
	each := near == of && len(bad) >= fewMoments && len(bad) == len(w.lines) && lines == len(w.lines) &&
		elsewhere == 0 && before == closeBy
	switch {
	case each, chance < coincidence/2: // asked twice
		return related
	case chance < unlikely/2, elsewhere == 0 && 2*lines >= len(w.lines):
		return doubtful
	}
	return unrelated
}

// meets counts the moments of bad ends, those at which lines of w stand, and these lines.
// Ends that lie within reach of each other are of one moment; what ended them all was no
// exception of one request, unless there is one for each few of them.
func (w *writing) meets(bad []time.Duration, before, after time.Duration) (near, of, lines int) {
	for i := 0; i < len(bad); {
		first := i
		for i++; i < len(bad) && bad[i]-bad[i-1] <= before+after+w.within; {
			i++
		}
		of++
		if n := w.between(bad[first]-before, bad[i-1]+after); fewToEach*n >= i-first {
			near++
			lines += n
		}
	}
	return near, of, lines
}

// between counts the lines of w from one moment to another.
func (w *writing) between(from, to time.Duration) (n int) {
	for range w.during(from, to) {
		n++
	}
	return n
}

// likelyOnly is the confidence of a cause that rests on exceptions: at most likely where
// each of them may have to do with something else.
func likelyOnly(ms []match, confidence string) string {
	doubted := !slices.ContainsFunc(ms, func(m match) bool { return !m.death.doubted })
	if doubted && confidence == certain {
		return likely
	}
	return confidence
}
