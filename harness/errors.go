package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
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

// Reason is the last cause of an error, without the path and operation that the
// line already names.
func Reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}
