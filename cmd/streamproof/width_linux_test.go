package main

import (
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"
)

// longWords are the words of a text that are long enough to tell them from what is left
// of one that was cut.
func longWords(text string) []string {
	var words []string
	for _, w := range strings.Fields(text) {
		if w = strings.Trim(w, ",;:.()[]"); longWord.MatchString(w) {
			words = append(words, w)
		}
	}
	return words
}

var longWord = regexp.MustCompile(`^[a-z]{5,}$`)

// TestWidthsOfATerminal: what probe and run show on a terminal of 50, 80 and 120 columns
// has no wider line, but for commands to be pasted and for a word that is longer than a
// line, and has no word that a wide terminal does not show.
func TestWidthsOfATerminal(t *testing.T) {
	t.Parallel()
	program := program(t)
	broken := httptest.NewServer(says{"text/event-stream", []string{chat(`"delta":{"content":"fern"}`),
		chat(`"delta":{"content":"moss"}`)}})
	t.Cleanup(broken.Close)
	sound := httptest.NewServer(says{"text/event-stream", []string{event("leaf", `{"t":"fern"}`),
		event("walk_done", "{}")}})
	t.Cleanup(sound.Close)
	for name, args := range map[string][]string{
		"probe": {"probe", broken.URL + "/walk"}, "run, failed": {"run", broken.URL + "/walk", "--streams", "3", "--seed", "7"},
		"run, passed": {"run", sound.URL + "/walk", "--streams", "3", "--seed", "7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wide := map[string]bool{}
			for _, w := range longWords(shownOn(t, program, 400, args)) {
				wide[w] = true
			}
			for _, width := range []uint16{50, 80, 120} {
				text := shownOn(t, program, width, args)
				for _, w := range longWords(text) {
					if !wide[w] {
						t.Errorf("%d columns: %q is no word of the wide screen", width, w)
					}
				}
				for line := range strings.Lines(text) {
					line = strings.TrimRight(line, "\n")
					if ansi.StringWidth(line) > int(width) && len(strings.Fields(line)) > 2 && !strings.Contains(line, "streamproof ") {
						t.Errorf("%d columns: %d wide: %s", width, ansi.StringWidth(line), line)
					}
				}
				if t.Failed() {
					t.Fatalf("%d columns:\n%s", width, text)
				}
			}
		})
	}
}

// shownOn is what the program shows on a terminal of that many columns: what stands there
// in the end, without what was drawn over.
func shownOn(t *testing.T, program string, width uint16, args []string) string {
	t.Helper()
	person, end := pseudoTerminal(t)
	if err := unix.IoctlSetWinsize(int(end.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: width}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if args[0] == "run" {
		args = append(args[:len(args):len(args)], "-o", "run")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = filepath.Join(t.TempDir())
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "TERM=xterm", "CI=", "GITHUB_ACTIONS=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), end, end
	var shown screen
	go io.Copy(&shown, person)
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > exitInconclusive {
		t.Fatalf("%v\n%s", err, shown.String())
	}
	const mark = "\nthe end of it\n"
	if _, err := io.WriteString(end, mark); err != nil {
		t.Fatal(err)
	}
	for range 500 { // what the terminal still has to pass on
		if strings.Contains(shown.String(), "the end of it") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	text, _, ok := strings.Cut(strings.ReplaceAll(shown.String(), "\r\n", "\n"), mark)
	if !ok {
		t.Fatalf("the terminal was not read to its end: %s", text)
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.LastIndex(line, "\r\x1b[K"); i >= 0 {
			line = line[i+len("\r\x1b[K"):]
		}
		lines = append(lines, ansi.Strip(line))
	}
	return strings.Join(lines, "\n")
}
