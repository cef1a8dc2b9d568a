package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"unicode"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/container"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The exit codes. 64 is EX_USAGE of BSD's sysexits.
const (
	exitPass         = 0
	exitFail         = 1
	exitInconclusive = 2
	exitBroken       = 3
	exitUsage        = 64
)

// judged is a command that did its work and ends with a verdict. It is no
// failure of ours, so nothing is printed for it.
type judged struct{ code int }

func (j judged) Error() string { return fmt.Sprintf("verdict with exit code %d", j.code) }

// ended returns the error that ends a command with v.
func ended(v verdict.Verdict) error {
	switch v {
	case verdict.Pass:
		return nil
	case verdict.Fail, verdict.Flaky:
		return judged{exitFail}
	}
	return judged{exitInconclusive}
}

// endedBy returns the error that ends a command with the verdict of a run.
func endedBy(r *verdict.Report) error {
	if r.Passes() {
		return nil
	}
	return ended(r.Verdict)
}

// exitCode says on w what went wrong, in one line, and finds the exit code. An
// app that does not start is the user's input, as a misspelt flag is: the
// harness itself is well.
func exitCode(w io.Writer, err error) int {
	var (
		end     judged
		usage   *harness.UsageError
		refused *container.Refused
		start   *stack.StartError
		lost    *notRemembered
	)
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &end):
		return end.code
	case errors.As(err, &usage):
		complain(w, usage.Error())
		showSource(w, err)
		return exitUsage
	case errors.As(err, &refused): // what only a running Docker could tell
		complain(w, "app.compose: "+refused.Error()+"; "+refused.Fix)
		return exitUsage
	case errors.As(err, &start):
		complain(w, start.Error()+startFix(start))
		showTail(w, start.Tail)
		return exitUsage
	case errors.As(err, &lost):
		complain(w, lost.Error())
		fmt.Fprintln(w, "    "+lost.line) // alone on its line, and never broken: it is to be pasted
		return exitBroken
	case errors.Is(err, context.Canceled):
		return exitInconclusive
	case unheard(err): // as head ends a list: whoever closed the pipe knows
		return exitBroken
	}
	complain(w, err.Error()+dockerFix(err))
	return exitBroken
}

// unheard is the error of output that nobody reads any more.
func unheard(err error) bool {
	var at *os.PathError
	return errors.As(err, &at) && at.Path == os.Stdout.Name() && errors.Is(at.Err, syscall.EPIPE)
}

// complain writes one line, whatever msg brings.
func complain(w io.Writer, msg string) {
	tell(w, "streamproof: "+plain(lineBreaks.ReplaceAllString(strings.TrimSpace(msg), " ")))
}

// lineBreaks are those of a message, with the indent of the next line. Other spaces may stand in a path.
var lineBreaks = regexp.MustCompile(`\s*[\r\n]\s*`)

func showSource(w io.Writer, err error) {
	var c *config.Error
	if errors.As(err, &c) && c.Source != "" {
		fmt.Fprintln(w, c.Source)
	}
}

// dockerFix says how to get what Docker lacks, where the error does not.
func dockerFix(err error) string {
	var image *container.ImageError
	switch {
	case errors.As(err, new(*container.Absent)):
		return "; start Docker, or point DOCKER_HOST at it"
	case errors.As(err, &image) && !image.Ours:
		return "; correct the name, or pull or build " + image.Image + " first"
	}
	return ""
}

// startFix names the keys that the start of a part depends on.
func startFix(e *stack.StartError) string {
	fix := "; check app.command, app.port, app.health and app.start"
	switch cause := strings.ToLower(e.Cause.Error()); {
	case e.Subject == "nginx":
		fix = "; check edge.nginx_conf (the app is app:PORT there)"
	case strings.Contains(cause, "memory"):
		fix = "; raise app.memory"
	}
	if len(e.Tail) > 0 {
		fix += "; it said last:"
	}
	return fix
}

// showTail shows the last log lines of an app that did not start.
func showTail(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintln(w, "    "+plain(l))
	}
}

// plain takes out what could steer the terminal: a log line is a stranger's.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
