package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"time"
)

// Geometry of a figure.
const (
	figWidth = 360
	figRow   = 54 // a line of text and the bars
	figBars  = 26
	figBins  = 60
	figPad   = 6
)

// svg draws a histogram per group over one common scale, the median marked.
func (f figure) svg(groups []sampleOf) template.HTML {
	s := scaleOf(groups)
	var b bytes.Buffer
	h := len(groups)*figRow + 24
	fmt.Fprintf(&b, `<svg class="fig" viewBox="0 0 %d %d" role="img" aria-label="%s">`, figWidth, h, esc(f.words(groups)))
	for i, g := range groups {
		g.svg(&b, s, i*figRow)
	}
	scaleSVG(&b, s, len(groups)*figRow)
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// scaleOf is the scale that all groups of a figure share.
func scaleOf(groups []sampleOf) scale {
	var all [][]time.Duration
	for _, g := range groups {
		all = append(all, g.values)
	}
	return scaleFor(figBins, all...)
}

// words are the figure for those who cannot see it.
func (f figure) words(groups []sampleOf) string {
	text := f.title
	for _, g := range groups {
		text += fmt.Sprintf("; %s: %s", g.group, g.words())
	}
	return text
}

func (g sampleOf) words() string {
	n := len(g.values)
	switch n {
	case 0:
		return "N 0"
	case 1: // a median of one would say more than is known
		return "N 1 · " + short(g.values[0])
	}
	return fmt.Sprintf("N %s · median %s · max %s", thousands(n), short(median(g.values)), short(g.values[n-1]))
}

func (g sampleOf) svg(b *bytes.Buffer, s scale, y int) {
	fmt.Fprintf(b, `<text class="gl" x="%d" y="%d">%s</text>`, figPad, y+13, esc(string(g.group)))
	fmt.Fprintf(b, `<text class="gv" x="%d" y="%d">%s</text>`, figWidth-figPad, y+13, g.words())
	base := y + 18 + figBars
	fmt.Fprintf(b, `<path class="base" d="M%d %dH%d"/>`, figPad, base, figWidth-figPad)
	var bins [figBins]int
	top := 0
	for _, d := range g.values {
		i := s.bin(d)
		bins[i]++
		top = max(top, bins[i])
	}
	const step = float64(figWidth-2*figPad) / figBins
	for i, n := range bins {
		if n > 0 {
			bar := max(float64(figBars)*float64(n)/float64(top), 1.5)
			fmt.Fprintf(b, `<rect class="bin g-%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
				slug(string(g.group)), figPad+float64(i)*step+.4, float64(base)-bar, step-.8, bar)
		}
	}
	if len(g.values) > 0 {
		x := figX(s.at(median(g.values)))
		fmt.Fprintf(b, `<path class="med" d="M%.1f %dV%dl-4 6h8l-4 -6z"/>`, x, y+18, base+1)
	}
}

func figX(at float64) float64 { return figPad + at*(figWidth-2*figPad) }

func scaleSVG(b *bytes.Buffer, s scale, y int) {
	end := -100.0
	for _, d := range s.ticks() {
		x := figX(s.at(d))
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %dv5"/>`, x, y)
		if x-end < 46 || x > figWidth-14 {
			continue
		}
		fmt.Fprintf(b, `<text class="tk" x="%.1f" y="%d">%s</text>`, max(x, figPad+8), y+17, short(d))
		end = x
	}
}
