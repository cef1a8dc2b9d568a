package diagnose

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A death is the end of something behind the edge, as somebody recorded it.
type death struct {
	at     time.Duration // Never if the line bears no time
	what   string        // for the reader: "worker 4711 was killed (signal 9)"
	pid    int           // 0 if unknown
	stream uint64        // the only stream that it concerns, 0 for all
	once   bool          // explains one stream at most: an exception
	ours   bool          // our own fault did it
	kind   deathKind
	cite   string // the line, where it is in a log
}

type deathKind int

const (
	diedByException deathKind = iota
	diedByKill
	diedByExit
	diedByTimeout
	diedByMemory
	diedByTerm
	diedByStrike
)

// deaths holds the deaths of a scenario so that ten thousand of them are matched
// with as many streams in no time.
type deaths struct {
	strikes map[uint64][]death // by the stream that was struck
	raised  []death            // exceptions by time, those without one first
	named   map[string]int     // nonce in an exception's line: its index in raised
	shared  []death            // of processes: few, each for many streams
	ourPids map[int]bool       // that our own fault killed
}

// deathsOf gathers all deaths of a scenario.
func deathsOf(v *view) deaths {
	ds := deaths{strikes: make(map[uint64][]death), named: make(map[string]int), ourPids: make(map[int]bool)}
	for _, e := range v.Events {
		if e.Source == "fault" && e.Kind == "kill" && e.Pid != 0 {
			ds.ourPids[e.Pid] = true
		}
	}
	for _, e := range v.Events {
		d, ok := ds.deathOf(e)
		switch {
		case !ok:
		case d.stream != 0:
			ds.strikes[d.stream] = append(ds.strikes[d.stream], d)
		default:
			ds.shared = append(ds.shared, d)
		}
	}
	ds.fromLog(v, workerTimedOut, diedByTimeout, "the process manager ended a worker that did not answer")
	ds.fromLog(v, workerKill, diedByKill, "a worker got signal 9")
	ds.fromLog(v, workerCrashed, diedByExit, "a worker crashed")
	ds.fromLog(v, graceOver, diedByTerm, "the graceful window ran out")
	ds.fromLog(v, oomKiller, diedByMemory, "the kernel killed a process for its memory")
	ds.exceptions(v)
	return ds
}

func (ds *deaths) fromLog(v *view, t tag, kind deathKind, what string) {
	for _, h := range v.tags[t] {
		w := what
		if h.pid > 0 {
			w = fmt.Sprintf("%s (pid %d)", what, h.pid)
		}
		ds.shared = append(ds.shared, death{at: h.line.At, what: w, pid: h.pid, kind: kind, cite: h.String(), ours: ds.ourPids[h.pid]})
	}
}

// exceptions are counted by the line that a server writes once a request; by
// their tracebacks where it writes no such line.
func (ds *deaths) exceptions(v *view) {
	hits := v.tags[exception]
	if len(hits) == 0 {
		hits = v.tags[traceback]
	}
	for _, h := range hits {
		ds.raised = append(ds.raised, death{at: h.line.At, what: "the app raised an exception", once: true, kind: diedByException, cite: h.String()})
	}
	slices.SortStableFunc(ds.raised, func(a, b death) int { return cmp.Compare(a.at, b.at) })
	for i, d := range ds.raised {
		if m := nonceInLine.FindString(d.cite); m != "" {
			ds.named[m] = i
		}
	}
}

func (ds *deaths) deathOf(e record.Event) (death, bool) {
	d := death{at: e.At, pid: e.Pid}
	switch {
	case e.Source == "relay" && e.Kind == "strike" && e.Code == 0:
		d.what, d.stream, d.ours, d.kind = "our relay struck it: "+e.Text, e.Stream, true, diedByStrike
	case e.Source == "fault" && e.Kind == "kill":
		d.what, d.ours, d.kind = fmt.Sprintf("we killed pid %d of %s", e.Pid, e.Subject), true, diedByKill
	case e.Source == "fault" && e.Kind == "term":
		d.what, d.ours, d.kind = fmt.Sprintf("we sent SIGTERM to %s", e.Subject), true, diedByTerm
	case e.Kind == "oom":
		d.what, d.kind = "the kernel ran out of memory for "+e.Subject, diedByMemory
	case e.Kind == "exit" || e.Kind == "die":
		d.what, d.kind = fmt.Sprintf("%s exited, pid %d, code %d", e.Subject, e.Pid, e.Code), diedByExit
		if killed9(e.Code) {
			d.what, d.kind = fmt.Sprintf("%s was killed (signal 9), pid %d", e.Subject, e.Pid), diedByKill
		}
		d.ours = ds.ourPids[e.Pid]
	default:
		return death{}, false
	}
	return d, true
}

// killed9 knows the ways in which an exit by SIGKILL is written: the signal, its
// negative, and the shell's 128 + 9.
func killed9(code int) bool { return code == 9 || code == -9 || code == 137 }

// A nonce as our own streams bear it, where an app logs its X-Request-ID.
var nonceInLine = regexp.MustCompile(`\b(?:nonce-\d+|[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b`)

// How far a stream's end may be from the death that caused it.
const (
	deathBefore = 300 * time.Millisecond // clocks of different observers
	deathAfter  = 1500 * time.Millisecond
)

// concerns reports whether d may have ended g.
func (d death) concerns(g *verdict.Graded) bool {
	worker := g.Content.Worker
	if d.pid != 0 && worker != "" && worker != strconv.Itoa(d.pid) && d.kind != diedByTerm {
		return false
	}
	if d.at == record.Never || g.End == record.Never {
		return d.at == record.Never
	}
	if d.cite != "" { // a log's clock is coarse
		return hit{line: record.Line{At: d.at}}.near(g.End)
	}
	return g.End >= d.at-deathBefore && g.End <= d.at+deathAfter
}

// weight prefers deaths that name the stream's process, and our own doing.
func (d death) weight(g *verdict.Graded) int {
	w := 0
	if d.pid != 0 && g.Content.Worker == strconv.Itoa(d.pid) {
		w += 2
	}
	if d.ours {
		w++
	}
	return w
}

// A match is a stream and the death that explains it.
type match struct {
	*verdict.Graded
	death death
}

// matchDeaths finds the best death for each stream, of the kinds asked for: a
// strike on it, else the end of its process, else an exception. An exception
// explains one stream only, so that ten streams are not blamed on the traceback
// of one.
func (v *view) matchDeaths(streams []*verdict.Graded, kinds ...deathKind) []match {
	var out []match
	var rest []*verdict.Graded
	for _, g := range streams {
		d, ok := v.deaths.strikeOn(g, kinds)
		if !ok {
			d, ok = v.deaths.sharedBy(g, kinds)
		}
		if ok {
			out = append(out, match{g, d})
		} else {
			rest = append(rest, g)
		}
	}
	if slices.Contains(kinds, diedByException) {
		out = append(out, v.deaths.raisedBy(rest)...)
	}
	return out
}

func (ds *deaths) strikeOn(g *verdict.Graded, kinds []deathKind) (death, bool) {
	if d := ds.strikes[g.Seq]; len(d) > 0 && slices.Contains(kinds, diedByStrike) {
		return d[0], true
	}
	return death{}, false
}

func (ds *deaths) sharedBy(g *verdict.Graded, kinds []deathKind) (best death, ok bool) {
	for _, d := range ds.shared {
		if !slices.Contains(kinds, d.kind) || !d.concerns(g) {
			continue
		}
		if !ok || d.weight(g) > best.weight(g) || d.weight(g) == best.weight(g) && distance(d, g) < distance(best, g) {
			best, ok = d, true
		}
	}
	return best, ok
}

// raisedBy deals exceptions out: to the stream that a line names, then in the
// order of time, then those without a time to whoever is left.
func (ds *deaths) raisedBy(streams []*verdict.Graded) []match {
	var out []match
	used := make([]bool, len(ds.raised))
	byEnd := make([]*verdict.Graded, 0, len(streams))
	for _, g := range streams {
		if i, ok := ds.named[g.Nonce]; ok && g.Nonce != "" {
			used[i] = true
			out = append(out, match{g, ds.raised[i]})
			continue
		}
		byEnd = append(byEnd, g)
	}
	slices.SortStableFunc(byEnd, func(a, b *verdict.Graded) int { return cmp.Compare(a.End, b.End) })
	timed := sort.Search(len(ds.raised), func(i int) bool { return ds.raised[i].at != record.Never })
	next, spare := timed, 0
	for _, g := range byEnd {
		for next < len(ds.raised) && (used[next] || ds.raised[next].at < g.End-lineBefore) {
			next++
		}
		for spare < timed && used[spare] {
			spare++
		}
		switch {
		case next < len(ds.raised) && ds.raised[next].concerns(g):
			out = append(out, match{g, ds.raised[next]})
			next++
		case spare < timed:
			out = append(out, match{g, ds.raised[spare]})
			spare++
		}
	}
	return out
}

func distance(d death, g *verdict.Graded) time.Duration {
	if d.at == record.Never || g.End == record.Never {
		return time.Hour
	}
	return (g.End - d.at).Abs()
}

func gradedOf(ms []match) []*verdict.Graded {
	out := make([]*verdict.Graded, len(ms))
	for i, m := range ms {
		out[i] = m.Graded
	}
	return out
}

// causesOfDeath cites the deaths behind some matches, each once, at most n.
func causesOfDeath(ms []match, n int) []string {
	var out []string
	add := func(s string) {
		if s != "" && len(out) < n && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, m := range ms {
		add(m.death.what + when(m.death.at))
		add(m.death.cite)
	}
	return out
}

func when(t time.Duration) string {
	if t == record.Never {
		return ""
	}
	return fmt.Sprintf(" at %.3f s", t.Seconds())
}
