package harness

import (
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/suggest"
)

// A UsageError is bad input: one line that names the place and the fix. It ends
// the command with exit code 64, before anything is started.
type UsageError struct {
	Place   string // "load.streams", "--url", "streamproof.yaml:3:9"
	Problem string
	Fix     string
}

func (e *UsageError) Error() string {
	if e.Fix == "" {
		return e.Place + ": " + e.Problem
	}
	return e.Place + ": " + e.Problem + "; " + e.Fix
}

// badInput is the error for a name that is not among the known ones.
func badInput(place, got, problem string, known []string) error {
	fix := "known are " + strings.Join(known, ", ")
	if s := suggest.Nearest(got, known); s != "" {
		fix = fmt.Sprintf("did you mean %q?", s)
	}
	return &UsageError{Place: place, Problem: fmt.Sprintf("%s %q", problem, got), Fix: fix}
}
