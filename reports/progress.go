package reports

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// A Snapshot is the state of a run at one moment.
type Snapshot struct {
	Scenario string
	// N and Of place the scenario in the run: 3 of 8. Zero leaves them out.
	N, Of int
	Phase string // "baseline", "fault armed", "fault active", "recovery", ...
	// Started counts the scenario's streams so far, Live those in flight.
	Started, Live int
	// Well and Badly count streams that have ended: with a complete response, or in
	// any other way. Only the verdict says which of the latter are faults.
	Well, Badly int
	Elapsed     time.Duration // since the run's start
}

// plainEvery is the least time between two lines of one scenario where lines stay.
const plainEvery = 5 * time.Second

// A Progress shows a run while it lasts: one line that is redrawn on a terminal;
// elsewhere a line when the scenario changes, and one every 5 s.
// It is safe for concurrent use. Errors of the writer are dropped: a run does not
// end because nobody can watch it.
type Progress struct {
	mu     sync.Mutex
	w      io.Writer
	screen Screen
	last   Snapshot
	drawn  bool // a line stands on the terminal
	ticks  int
}

// NewProgress returns a progress on w.
func NewProgress(w io.Writer) *Progress { return NewProgressOn(w, ScreenOf(w)) }

// NewProgressOn returns a progress on w, taken for screen.
func NewProgressOn(w io.Writer, screen Screen) *Progress { return &Progress{w: w, screen: screen} }

// Update shows s.
func (p *Progress) Update(s Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.screen.Terminal {
		p.redraw(s)
		return
	}
	if s.Scenario != p.last.Scenario || s.Elapsed-p.last.Elapsed >= plainEvery {
		fmt.Fprintln(p.w, describe(s))
		p.last = s
	}
}

// Done takes the line off the terminal. Update may be called again.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		io.WriteString(p.w, eraseLine)
		p.drawn = false
	}
}

// eraseLine returns to the first column and erases to the right (ECMA-48
// section 8.3.41, EL).
const eraseLine = "\r\x1b[K"

var spinner = [...]string{"⠋", "⠙", "⠸", "⠴", "⠦", "⠇"}

func (p *Progress) redraw(s Snapshot) {
	l := spinner[p.ticks%len(spinner)] + " " + describe(s)
	p.ticks++
	// A line that wraps cannot be erased by one EL.
	for width := p.screen.width() - 1; ansi.StringWidth(l) > width; {
		at := strings.LastIndex(l, " · ")
		if at < 0 {
			l = ansi.Truncate(l, width, "…")
			break
		}
		l = l[:at] // the last figure goes, whole
	}
	io.WriteString(p.w, eraseLine+l)
	p.drawn = true
}

// describe is the line, without control characters from elsewhere.
func describe(s Snapshot) string {
	l := fmt.Sprintf("%7s  %s", clock(s.Elapsed), line(s.Scenario))
	if s.Of > 0 {
		l = fmt.Sprintf("%7s  %d/%d %s", clock(s.Elapsed), s.N, s.Of, line(s.Scenario))
	}
	if s.Phase != "" {
		l += " · " + line(s.Phase)
	}
	return l + fmt.Sprintf(" · %s live · %s started · %s complete · %s other",
		thousands(s.Live), thousands(s.Started), thousands(s.Well), thousands(s.Badly))
}

// clock reads "1:07" or "12.3s": a figure whose width does not jump.
func clock(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
