package reports

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A figure is one measure of complete streams, group by group. No two figures
// share a stretch of a stream, so that a late first event moves the first and
// nothing else, and a late tail the last.
//
//	send ──first event──▶ e1 ─gap─ e2 ───gap─── e3 … eN ──tail──▶ end
type figure struct {
	title, doc string
	measure    func(*record.Stream) time.Duration // Never where it is not defined
}

var allFigures = []figure{
	{"Time to first event", "from the request on", firstEvent},
	{"Longest gap between events", "the longest of each answer", longestGap},
	{"Wait after the last event", "until the stream ended", tail},
}

// longestGap is the longest time between two content events, or Never below two.
func longestGap(s *record.Stream) time.Duration {
	longest, last := record.Never, record.Never
	for m := range s.Marks() {
		if m.Kind != stream.Content {
			continue
		}
		if last >= 0 {
			longest = max(longest, m.At-last)
		}
		last = m.At
	}
	return longest
}

// tail is the time from the last content event to the end.
func tail(s *record.Stream) time.Duration {
	last := record.Never
	for m := range s.Marks() {
		if m.Kind == stream.Content {
			last = m.At
		}
	}
	if last < 0 || s.End < last {
		return record.Never
	}
	return s.End - last
}

// A sampleOf is what one group gives to a figure.
type sampleOf struct {
	group  record.Group
	values []time.Duration // sorted
	// out counts the streams of the group that are not in values, by reason.
	out map[string]int
}

// timeOrder is the order of groups in figures: as things happened.
var timeOrder = []record.Group{record.Solo, record.Probe, record.Baseline, record.Load, record.Browser, record.Victim,
	record.Control, record.Recovery}

// sampled measures f on all groups that have streams.
func (f figure) sampled(rows []row) []sampleOf {
	var out []sampleOf
	for _, g := range timeOrder {
		s := sampleOf{group: g, out: map[string]int{}}
		for _, r := range rows {
			if r.Group == g {
				s.add(f, r)
			}
		}
		if len(s.values)+len(s.out) > 0 {
			slices.Sort(s.values)
			out = append(out, s)
		}
	}
	return out
}

// add keeps populations apart: what is not complete has no place among times.
func (s *sampleOf) add(f figure, r row) {
	if r.Grade.Outcome != verdict.Complete {
		s.out[label(r.Grade.Outcome)]++
		return
	}
	if d := f.measure(r.Stream); d >= 0 {
		s.values = append(s.values, d)
	} else {
		s.out["not measured"]++
	}
}

// median of sorted values, by the one formula of this project.
func median(sorted []time.Duration) time.Duration { return verdict.Quantile(sorted, 0.5) }

// A figureView is a figure drawn.
type figureView struct {
	Title, Doc string
	SVG        template.HTML
}

// figures draws all figures of a scenario, and says who is not in them.
func figures(rows []row) (drawn []figureView, notes []string) {
	if len(rows) == 0 {
		return nil, nil
	}
	for i, f := range allFigures {
		groups := f.sampled(rows)
		if i == 0 && !slices.ContainsFunc(groups, func(g sampleOf) bool { return len(g.values) > 0 }) {
			return nil, nil // none was complete: the outcomes say so
		}
		drawn = append(drawn, figureView{f.title, f.doc, f.svg(groups)})
		if i == 0 { // the same streams are missing from all
			notes = leftOut(groups)
		}
	}
	return drawn, notes
}

// leftOut reads "victim: 12 truncated, 2 aborted".
func leftOut(groups []sampleOf) []string {
	var notes []string
	for _, g := range groups {
		var parts []string
		for _, why := range sortedKeys(g.out) {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(g.out[why]), why))
		}
		if len(parts) > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s", g.group, strings.Join(parts, ", ")))
		}
	}
	return notes
}
