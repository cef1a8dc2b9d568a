package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// minTogether is how many streams of one process at once show whether one of
// them holds up the others.
const minTogether = 5

// expected answers for the values of [record.Policy.Expect] that are about the
// app, the edge or the load.
func (s *Scope) expected() Answer {
	switch s.Scenario.Policy.Expect {
	case record.ExpectRefusals:
		return s.refusals()
	case record.ExpectCompressed:
		return s.compressed()
	case record.ExpectPaced:
		return s.some("answer written in pieces", "complete stream that is known to have been written in pieces",
			"ask for a longer answer, and for stamps of the server or for a run of the same against the app alone", s.paced)
	case record.ExpectRecycled:
		return s.recycled()
	case record.ExpectTogether:
		return s.together()
	case record.ExpectRepeated:
		return s.repeated()
	case record.ExpectSlow:
		return s.slow()
	case record.ExpectCut:
		return s.some("slow clients cut", "victim that was cut", "let the clients take less, or the answers be longer",
			func(g *Graded) bool { return g.Group == record.Victim && g.Grade.Outcome == Aborted })
	case record.ExpectMemory:
		return s.memory()
	default:
		return Answer{}
	}
}

// some wants one stream of a kind.
func (s *Scope) some(name, what, settle string, is func(*Graded) bool) Answer {
	n := 0
	for i := range s.Streams {
		if is(&s.Streams[i]) {
			n++
		}
	}
	if n == 0 {
		return unsure(name, settle, "need >= 1 %s, saw 0 of %d", what, len(s.Streams)).obliges()
	}
	return pass(name, "%d of %d streams", n, len(s.Streams)).obliges()
}

// compressed wants an answer that somebody compressed. Neither an app that does
// not nor the media types of an edge are a matter of the load.
func (s *Scope) compressed() Answer {
	const settle = "let the edge, or the app, compress event streams"
	a := s.some("compressed answer seen", "compressed answer", settle, func(g *Graded) bool { return g.Encoding != "" })
	if a.Verdict == Inconclusive && s.answered() > 0 && s.lacks(func(*record.Abilities) bool { return false }) {
		return s.inapplicable(a.Name, settle, "asked for gzip, and neither the app nor the edge compresses what the "+
			"app sends")
	}
	return a
}

// answered counts the streams with a complete response.
func (s *Scope) answered() (n int) {
	for i := range s.Streams {
		if s.Streams[i].Grade.Outcome == Complete {
			n++
		}
	}
	return n
}

func (s *Scope) refusals() Answer {
	const name = "refusals seen"
	refused, served := 0, 0
	for i := range s.Streams {
		switch g := &s.Streams[i]; {
		case g.Grade.Outcome == FailedClean && g.Status >= 400:
			refused++
		case g.Grade.Outcome == Complete:
			served++
		}
	}
	switch {
	case served == 0:
		return unsure(name, "lower the load until some streams are let in",
			"need >= 1 complete stream, saw 0 beside %d refused ones", refused).obliges()
	case refused == 0:
		return unsure(name, "send more streams at once, or lower the limit",
			"need >= 1 stream that was refused, all %d were let in: the limit was not reached", served).obliges()
	}
	return pass(name, "%d streams refused with a status, %d served", refused, served).obliges()
}

// recycled wants the end of a process while a stream was open.
func (s *Scope) recycled() Answer {
	const name = "recycled under streams"
	ends := 0
	for _, e := range s.Events {
		if e.Kind != record.KindExit || e.Source != record.ProcessSource {
			continue
		}
		ends++
		for i := range s.Streams {
			if st := s.Streams[i].Stream; st.Send != record.Never && st.Send <= e.At && lasted(st, e.At) {
				return pass(name, "pid %d of %s ended at %s", e.Pid, e.Subject, seconds(e.At)).obliges()
			}
		}
	}
	if ends == 0 && s.lacks(func(a *record.Abilities) bool { return a.Started }) {
		return s.inapplicable(name, "name a command or an image instead of a URL, so that streamproof starts the app itself",
			"we did not start the app and cannot see its processes end")
	}
	return unsure(name, "let the app recycle its workers sooner, or send more streams",
		"need >= 1 process of the app to end under streams, %d ended at all", ends).obliges()
}

// together wants streams of one process that were in their body at once. An app
// that does not name its processes is taken for one.
func (s *Scope) together() Answer {
	const name = "streams side by side"
	most := 0
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.First == record.Never {
			continue
		}
		n := 0
		for j := range s.Streams {
			o := &s.Streams[j]
			if o.Process() == g.Process() && o.First != record.Never && o.First <= g.First && lasted(o.Stream, g.First) {
				n++
			}
		}
		most = max(most, n)
	}
	if most < minTogether {
		return unsure(name, "send more streams at once", "need >= %d streams of one process at once, saw %d", minTogether,
			most).obliges()
	}
	return pass(name, "%d streams of one process at once", most).obliges()
}

// repeated wants a stream that began when another one had been answered.
func (s *Scope) repeated() Answer {
	const name = "same answer asked for again"
	answered := record.Never
	for i := range s.Streams {
		if st := s.Streams[i].Stream; s.Streams[i].Grade.Outcome == Complete &&
			(answered == record.Never || st.End < answered) {
			answered = st.End
		}
	}
	n := 0
	for i := range s.Streams {
		if answered != record.Never && s.Streams[i].Send > answered {
			n++
		}
	}
	if n == 0 {
		return unsure(name, "add duration: 3s to the load, so that streams follow one another",
			"need >= 1 stream that began after another one was complete, saw 0 of %d", len(s.Streams)).obliges()
	}
	return pass(name, "%d streams began after another one was complete", n).obliges()
}

// slowness is how many times as long as the others' a slow client's stream must
// take.
const slowness = 2

// slow wants clients that made the server wait.
func (s *Scope) slow() Answer {
	const name = "clients that hold back"
	slow, quick := s.median(record.Victim), s.median(record.Control)
	if slow == 0 || quick == 0 || slow < slowness*quick {
		return unsure(name, "let the clients take less, or the answers be longer",
			"need streams of slow clients to take %d times as long as others, took %s and %s", slowness, seconds(slow),
			seconds(quick)).obliges()
	}
	return pass(name, "streams of slow clients took %s, others %s (median)", seconds(slow), seconds(quick)).obliges()
}

// median is how long the complete streams of a group took; 0 if there are none.
func (s *Scope) median(group record.Group) time.Duration {
	var took []time.Duration
	for g := range s.InGroup(group) {
		if d, ok := DurationOf(g.Stream); ok && g.Grade.Outcome == Complete {
			took = append(took, d)
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}
