package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pseudoTerminal opens a terminal of its own: what a person has, and what the program has.
func pseudoTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals on this host: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// A screen is what the program has shown so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A person before a terminal is asked which event ends an answer where no word tells it;
// with a pipe in the place of either, nobody is, and the flag to add is named.
func TestAsksAPerson(t *testing.T) {
	t.Parallel()
	program := program(t)
	srv := httptest.NewServer(says{"text/event-stream", []string{event("leaf", `{"t":"fern"}`), event("leaf", `{"t":"moss"}`),
		event("usage", `{"n":2}`)}})
	t.Cleanup(srv.Close)
	const question = "Does every answer end with an event that has event == usage?"
	for _, tt := range []struct {
		name, answers string
		piped         bool
		code          int
		want, not     []string
	}{
		{"yes", "y\n", false, exitPass, []string{question,
			"recognised: sse-generic, last event: event == usage"}, nil},
		{"an expression that is typed", "event = usage\nevent == goodbye\njson .n exists\n", false, exitPass,
			[]string{"No event of the answer has event == goodbye", "last event: json .n exists"}, nil},
		{"no", "\n", false, exitUsage, []string{question, "--terminal 'event == usage'"}, []string{"recognised"}},
		{"a pipe", "y\n", true, exitUsage, []string{"streamproof: --terminal: ", "add --terminal 'event == usage'"},
			[]string{question, "recognised"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, "run", srv.URL+"/walk", "--streams", "3", "-o", filepath.Join(t.TempDir(), "run"))
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "NO_COLOR=1", "TERM=xterm", "CI=")
			var shown screen
			cmd.Stdout = &shown
			if tt.piped {
				cmd.Stdin, cmd.Stderr = strings.NewReader(tt.answers), &shown
			} else {
				person, end := pseudoTerminal(t)
				cmd.Stdin, cmd.Stderr = end, end
				go io.Copy(&shown, person)
				if _, err := io.WriteString(person, tt.answers); err != nil { // a terminal keeps what is typed ahead
					t.Fatal(err)
				}
			}
			err := cmd.Run()
			if cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for range 50 { // what the terminal still has to pass on
				if strings.Contains(shown.String(), tt.want[len(tt.want)-1]) {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			for _, w := range tt.want {
				if !strings.Contains(shown.String(), w) {
					t.Errorf("%q is not shown", w)
				}
			}
			for _, w := range tt.not {
				if strings.Contains(shown.String(), w) {
					t.Errorf("%q is shown", w)
				}
			}
			if t.Failed() {
				t.Log(shown.String())
			}
		})
	}
}
