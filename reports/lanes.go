package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A lanesView is the picture of the streams of one scenario: a row a stream,
// time to the right.
type lanesView struct {
	Axis, Body template.HTML
	Notice     string // what is shown of what
	Phases     []phaseView
}

// A phaseView is one stamped phase in words, for those who cannot see the
// picture.
type phaseView struct{ Fault, Phase, At, Why string }

// Geometry of the lanes, in units of the SVG's own.
const (
	laneWidth = 1000
	laneLeft  = 58 // numbers of the streams
	laneBins  = 920
)

// lanes draws rows, which are all streams of a scenario or those kept of it.
func (b *builder) lanes(s verdict.ScenarioReport, rows []row) lanesView {
	var v lanesView
	id, all := s.ID, max(s.Started, len(rows))
	for _, w := range b.run().Windows {
		if w.Scenario == id {
			v.Phases = append(v.Phases, phaseView{title(w.Fault.Name), string(w.Phase), stamp(w.At), w.Why})
		}
	}
	if len(rows) == 0 {
		v.Notice = "no stream was recorded"
		return v
	}
	groups := sample(rows, b.rows.of[id])
	for i := range groups {
		groups[i].total = max(groups[i].total, startedIn(s, groups[i].group))
	}
	shown := 0
	for _, g := range groups {
		shown += len(g.rows)
	}
	v.Notice = shownOf(shown, all)
	b.left.rows += all - shown
	from, to := span(b.run(), id)
	d := newDrawing(from, to, shown)
	d.fault(b.run(), id)
	for _, g := range groups {
		d.group(g)
	}
	v.Axis, v.Body = d.axis(), d.svg(fmt.Sprintf("Swim lanes of %s: %s", id, v.Notice))
	return v
}

// startedIn is how many streams of a group there were.
func startedIn(s verdict.ScenarioReport, g record.Group) int {
	for _, r := range s.Groups {
		if r.Group == g {
			return r.Started
		}
	}
	return 0
}

// shownOf reads "Shown 300 of 10,000 streams, worst first".
func shownOf(shown, all int) string {
	if shown == all {
		return fmt.Sprintf("All of %s, grouped, worst first", count(all, "stream"))
	}
	return fmt.Sprintf("Shown %s of %s, worst first: the worst of each group and a sample of its rest", thousands(shown),
		count(all, "stream"))
}

// groupNames say what part a group plays, to someone new.
var groupNames = map[record.Group]string{
	record.Browser:  "browser: asks for compression, as browsers do",
	record.Solo:     "solo: one stream alone, before the load",
	record.Probe:    "probe: alone, to see whether the app is idle again",
	record.Baseline: "baseline: before the fault",
	record.Victim:   "victims: exposed to the fault",
	record.Control:  "control: at the same time, not exposed to it",
	record.Recovery: "recovery: started after the fault was removed",
	record.Load:     "load: no fault in this scenario",
}

func groupName(g record.Group) string { return cmp.Or(groupNames[g], line(string(g))) }

// hint is what a stream says when it is pointed at.
func hint(r row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "stream %d (%s): %s, %s", r.Seq, r.Group, label(r.Grade.Outcome), r.Grade.Ending)
	fmt.Fprintf(&b, "; %s", count(r.Contents, "event"))
	if d := firstEvent(r.Stream); d >= 0 {
		fmt.Fprintf(&b, ", first after %s", short(d))
	}
	if s := server(r); s != "" {
		fmt.Fprintf(&b, "; %s", s)
	}
	if why := Reason(r.Grade); why != "" {
		fmt.Fprintf(&b, "; %s", bound(why, 120))
	}
	return line(b.String())
}

// firstEvent is TTFE: from the request to the first content event, or Never.
func firstEvent(s *record.Stream) time.Duration {
	if d, ok := verdict.TTFE(s); ok {
		return d
	}
	return record.Never
}
