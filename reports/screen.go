package reports

import (
	"io"
	"os"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/term"
)

// A Screen says what a writer can show. The zero value is a plain file.
type Screen struct {
	// Terminal allows lines to be redrawn and box-drawing characters.
	Terminal bool
	Color    bool
	// Width is in columns; 0 means 100.
	Width int
}

// ScreenOf finds out what w can show. A terminal counts as one only outside of
// CI, where some runners pretend to be one and keep the escape sequences in
// their logs; NO_COLOR (no-color.org) turns off colour alone.
func ScreenOf(w io.Writer) Screen {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) || os.Getenv("TERM") == "dumb" || os.Getenv("CI") != "" {
		return Screen{}
	}
	s := Screen{Terminal: true, Color: os.Getenv("NO_COLOR") == ""}
	if width, _, err := term.GetSize(f.Fd()); err == nil {
		s.Width = width
	}
	return s
}

func (s Screen) width() int {
	if s.Width <= 0 {
		return 100
	}
	return s.Width
}

// inks are the few styles of the text report: the sixteen colours that every
// terminal has, so that the reader's own theme holds.
type inks struct {
	red, yellow, green, bold, faint, plain lipgloss.Style
}

func (s Screen) inks() inks {
	plain := lipgloss.NewStyle()
	if !s.Color {
		return inks{plain, plain, plain, plain, plain, plain}
	}
	ink := func(c string) lipgloss.Style { return plain.Bold(true).Foreground(lipgloss.Color(c)) }
	return inks{red: ink("9"), yellow: ink("11"), green: ink("10"), bold: plain.Bold(true), faint: plain.Faint(true),
		plain: plain}
}
