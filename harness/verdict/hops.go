package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// hops compares the entrances of a chain that was peeled, the app first. A hop at
// which streams fare worse than one hop further in is wrong: what made the
// difference is that hop, or the link before it.
func (s *Scope) hops() []HopReport {
	if !s.Scenario.Peel {
		return nil
	}
	var rs []HopReport
	inner := 0.0
	for _, name := range s.hopNames() {
		r, streams := s.hop(name)
		if r.Started == 0 {
			continue
		}
		score := severityOf(streams)
		switch {
		case score > inner+worse:
			r.Wrong = true
		case r.Squeezed != "" && r.Buffered == 0 &&
			!slices.ContainsFunc(rs, func(h HopReport) bool { return h.Squeezed != "" }):
			r.Wrong, r.Squeezes = true, true
		}
		inner = max(inner, score)
		rs = append(rs, r)
	}
	return rs
}

// Identity is the encoding of what is not compressed (RFC 9110 section 12.5.3).
const Identity = "identity"

// worse is the least rise of the mean severity that is a hop's doing and not
// chance: one stream in ten that is cut instead of whole.
const worse = 0.3

// costs are how bad an outcome is for a client, from 0.
var costs = map[Outcome]float64{Complete: 0, Cancelled: 0, Unread: 0, FailedClean: 2, Refused: 3, Aborted: 3,
	Stalled: 4, Truncated: 6, Corrupt: 6}

// severityOf is the mean over streams. A whole answer that came late all at once
// is a failure as well, if a small one; one that nothing proves whole is a doubt.
func severityOf(streams []*Graded) float64 {
	sum := 0.0
	for _, g := range streams {
		sum += costs[g.Grade.Outcome]
		if slices.ContainsFunc(g.Grade.Flags, func(f Flag) bool { return f != Ragged && f != Unprovable }) {
			sum++
		}
	}
	return sum / float64(max(len(streams), 1))
}

// hopNames lists the hops of the scenario, the innermost first.
func (s *Scope) hopNames() []string {
	var names []string
	for _, h := range s.Run.Hops {
		if h.Scenario == s.Scenario.ID {
			names = append([]string{h.Name}, names...)
		}
	}
	return names
}

// hop sums up the streams that entered at one hop.
func (s *Scope) hop(name string) (HopReport, []*Graded) {
	r := HopReport{Hop: name, Label: s.labelOf(name), What: s.whatIs(name), Outcomes: zeroOutcomes()}
	var streams []*Graded
	var ttfe, gap []time.Duration
	var paced []pacedStream
	endings := map[end]int{}
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Hop != name || g.Group.Alone() {
			continue
		}
		if g.Group == record.Browser {
			if g.Grade.Has(Buffered) && g.AcceptEncoding != Identity {
				r.Squeezed = cmp.Or(g.Encoding, Identity)
			}
			continue
		}
		streams = append(streams, g)
		r.Started++
		r.Outcomes[g.Grade.Outcome]++
		if g.Grade.Has(Buffered) {
			r.Buffered++
		}
		endings[end{g.Grade.Ending, g.Wire.Framing}]++
		if g.Grade.Outcome != Complete {
			continue
		}
		gap = append(gap, g.MaxGap)
		if d, ok := TTFE(g.Stream); ok {
			ttfe = append(ttfe, d)
			paced = append(paced, pacedStream{g.Stream, len(PacingOf(g.Stream).Instants), d})
		}
	}
	r.Pacing = pacingReport(paced)
	r.TTFE, r.Gap, r.end = QuantilesOf(ttfe), QuantilesOf(gap), mostCommon(endings)
	return r, streams
}

func (s *Scope) whatIs(name string) string {
	for _, h := range s.Run.Hops {
		if h.Scenario == s.Scenario.ID && h.Name == name {
			return h.What
		}
	}
	return ""
}

// An end is how a stream ended, and by which framing.
type end struct {
	ending  Ending
	framing record.Framing
}

// mostCommon is the key of the largest count, the first in order of several.
func mostCommon(n map[end]int) end {
	var best end
	before := func(a, b end) bool { return a.ending < b.ending || a.ending == b.ending && a.framing < b.framing }
	for k, v := range n {
		if n[best] == 0 || v > n[best] || v == n[best] && before(k, best) {
			best = k
		}
	}
	return best
}

// End is how most of the hop's streams ended, with the framing of their body, known to
// whoever has judged the run.
func (r *HopReport) End() (Ending, record.Framing) { return r.end.ending, r.end.framing }
