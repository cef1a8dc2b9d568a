package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A faultSpan is a stretch of time in the life of a fault.
type faultSpan struct {
	class    string // CSS: "armed", "active", "healing"
	label    string
	from, to time.Duration
}

// spanClasses say how the time that begins with a phase is shaded. Confirmed is
// a moment within active and gets a line; recovered ends the last one.
var spanClasses = map[record.Phase]string{
	record.Armed: "armed", record.Active: "active", record.Healed: "healing",
}

// fault adds the spans of a scenario's faults.
func (d *drawing) fault(run *record.Run, id string) {
	standing := map[string]int{} // fault → its open span
	for _, w := range run.Windows {
		if w.Scenario != id {
			continue
		}
		if w.Phase == record.Confirmed {
			d.seen = append(d.seen, w.At)
			continue
		}
		if i, ok := standing[w.Fault.Name]; ok {
			d.spans[i].to = w.At
			delete(standing, w.Fault.Name)
		}
		class, ok := spanClasses[w.Phase]
		if !ok {
			continue
		}
		standing[w.Fault.Name] = len(d.spans)
		d.spans = append(d.spans, faultSpan{class, string(w.Phase) + ": " + title(w.Fault.Name), w.At, d.to})
	}
}

// axis draws the scale of time and the names of the phases, apart from the lanes
// so that it can stay in sight while they scroll.
func (d *drawing) axis() template.HTML {
	labels := d.labels()
	lines := 0
	for _, l := range labels {
		lines = max(lines, l.line+1)
	}
	h := 20 + 15*lines
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg class="lanes axis" viewBox="0 0 %d %d" aria-hidden="true">`, laneWidth, h)
	for _, s := range d.spans {
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="0" width="%d" height="%d"/>`, s.class, d.x(s.from),
			max(d.x(s.to)-d.x(s.from), 2), h)
	}
	for _, l := range labels {
		fmt.Fprintf(&b, `<text class="ph" x="%d" y="%d">%s</text>`, l.x, 12+15*l.line, esc(l.text))
	}
	for _, at := range steps(d.from, d.to, 8) {
		fmt.Fprintf(&b, `<path class="grid" d="M%d %dV%d"/><text class="tk" x="%d" y="%d">%s</text>`,
			d.x(at), h-5, h, d.x(at), h-8, short(at))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// A phaseLabel is a piece of text with its place.
type phaseLabel struct {
	text    string
	x, line int
}

// Geometry of labels: about the width of a letter, and the most lines.
const (
	letter     = 6
	labelLines = 4
)

// labels places the names of the spans so that none covers another.
func (d *drawing) labels() []phaseLabel {
	var out []phaseLabel
	var ends [labelLines]int
	for _, s := range d.spans {
		l := phaseLabel{text: bound(s.label, 60), x: d.x(s.from) + 3}
		width := letter * len([]rune(l.text))
		l.x = max(min(l.x, laneWidth-width), 0)
		for l.line < labelLines-1 && ends[l.line] > l.x {
			l.line++
		}
		if ends[l.line] > l.x {
			continue // the list of phases under the lanes has them all
		}
		ends[l.line] = l.x + width + 2*letter
		out = append(out, l)
	}
	return out
}
