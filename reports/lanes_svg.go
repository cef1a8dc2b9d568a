package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A drawing collects the swim lanes of one scenario as SVG.
//
//	number |  ▁▁|▁|▁|▁|▁▁▁▁▁▁▁|▁|▁▁✕   a thin line while the stream is open,
//	       |                          a tick per event, a mark of its outcome
//
// Ticks are binned into columns, so that a row costs as many bytes as there are
// runs of filled columns, however many events it has.
type drawing struct {
	from, to time.Duration
	row      int // height of a row
	y        int
	spans    []faultSpan
	seen     []time.Duration // when a fault was confirmed
	body     []byte
	marks    [laneBins]byte // of the row at hand: 0, a heartbeat or content
}

const (
	noTick = iota
	heartbeatTick
	contentTick
)

func newDrawing(from, to time.Duration, rows int) *drawing {
	d := &drawing{from: from, to: max(to, from+time.Millisecond), row: 6}
	switch {
	case rows <= 40:
		d.row = 14
	case rows <= 120:
		d.row = 9
	}
	return d
}

// bin is the column of a moment.
func (d *drawing) bin(at time.Duration) int {
	b := int(int64(at-d.from) * (laneBins - 1) / int64(d.to-d.from))
	return min(max(b, 0), laneBins-1)
}

// x is its place in the SVG.
func (d *drawing) x(at time.Duration) int { return laneLeft + d.bin(at) }

func (d *drawing) group(g groupRows) {
	d.y += 20
	title := groupName(g.group)
	if len(g.rows) < g.total {
		title += fmt.Sprintf(" · shown %s of %s", thousands(len(g.rows)), thousands(g.total))
	} else {
		title += " · " + count(g.total, "stream")
	}
	d.printf(`<text class="gl" x="2" y="%d">%s</text>`, d.y-6, esc(title))
	for _, r := range g.rows {
		d.lane(r)
	}
	d.y += 4
}

// lane draws one stream.
func (d *drawing) lane(r row) {
	mid := d.y + d.row/2
	d.printf("<g class=%q id=\"l%d\"><title>%s</title>", class(r.Grade.Outcome), r.Seq, esc(hint(r)))
	if d.row >= 9 {
		d.printf(`<text x="%d" y="%d">%d</text>`, laneLeft-8, mid+3, r.Seq)
	}
	x0, x1 := d.x(began(r.Stream)), d.x(ended(r.Stream))
	d.printf(`<path class="b" d="M%d %dH%d"/>`, x0, mid, max(x1, x0+1))
	d.events(r.Stream, mid)
	d.printf(`<use href="#m-%s" x="%d" y="%d" width="%d" height="%d"/></g>`,
		markOf(r.Grade.Outcome), x1-d.row/2+2, d.y, d.row, d.row)
	d.body = append(d.body, '\n')
	d.y += d.row
}

// events draws the ticks of one stream: content tall, heartbeats low.
func (d *drawing) events(s *record.Stream, mid int) {
	lo, hi := laneBins, -1
	for m := range s.Marks() {
		b := d.bin(m.At)
		kind := byte(contentTick)
		if m.Kind == stream.Heartbeat || m.Kind == stream.Meta {
			kind = heartbeatTick
		}
		d.marks[b] = max(d.marks[b], kind)
		lo, hi = min(lo, b), max(hi, b)
	}
	if hi < 0 {
		return
	}
	d.ticks("t", contentTick, lo, hi, mid)
	d.ticks("h", heartbeatTick, lo, hi, mid)
	clear(d.marks[lo : hi+1])
}

// ticks writes the columns of one kind as a path of level strokes, which the
// style makes as tall as the row: "m3 0h1" is the shortest a tick can be.
func (d *drawing) ticks(class string, kind byte, lo, hi, mid int) {
	started, at := false, 0
	for b := lo; b <= hi; {
		if d.marks[b] != kind {
			b++
			continue
		}
		run := b
		for run <= hi && d.marks[run] == kind {
			run++
		}
		if !started {
			d.printf(`<path class="%s r%d" d="M%d %d`, class, d.row, laneLeft+b, mid)
			started = true
		} else {
			d.body = strconv.AppendInt(append(d.body, 'm'), int64(b-at), 10)
			d.body = append(d.body, " 0"...)
		}
		d.body = strconv.AppendInt(append(d.body, 'h'), int64(run-b), 10)
		at, b = run, run
	}
	if started {
		d.body = append(d.body, `"/>`...)
	}
}

func (d *drawing) printf(format string, args ...any) { d.body = fmt.Appendf(d.body, format, args...) }

// svg returns the whole picture.
func (d *drawing) svg(label string) template.HTML {
	var b bytes.Buffer
	h := d.y + 4
	fmt.Fprintf(&b, `<svg class="lanes" viewBox="0 0 %d %d" role="img" aria-label="%s">`, laneWidth, h, esc(label))
	for _, s := range d.spans {
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="0" width="%d" height="%d"/>`, s.class, d.x(s.from),
			max(d.x(s.to)-d.x(s.from), 2), h)
	}
	for _, at := range steps(d.from, d.to, 8) {
		fmt.Fprintf(&b, `<path class="grid" d="M%d 0V%d"/>`, d.x(at), h)
	}
	for _, at := range d.seen {
		fmt.Fprintf(&b, `<path class="confirmed" d="M%d 0V%d"/>`, d.x(at), h)
	}
	b.Write(d.body)
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// markOf names the symbol of an outcome.
func markOf(o verdict.Outcome) string {
	if _, ok := outcomeDocs[o]; ok {
		return string(o)
	}
	return "unknown"
}

// esc escapes text for SVG that we write ourselves.
func esc(s string) string { return template.HTMLEscapeString(s) }
