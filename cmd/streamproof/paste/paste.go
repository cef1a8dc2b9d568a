// Package paste tells tests whether what a report prints for pasting can be pasted.
//
//  1. [Report] takes the texts of a report: its commands, its next steps, and the fixes
//     of its causes.
//  2. [Command] has a shell's grammar part a line into commands (mvdan.cc/sh), and reads
//     the flags of those that are streamproof's own, each by the type of its value, as
//     the command line does. Package main cannot be imported, so that the flags are those
//     of its parity list, which its tests hold to the real ones.
//  3. [Prose] looks for flags of ours, with their values, and for keys of
//     streamproof.yaml within sentences.
//  4. [Code] looks at the code of a fix: that of nginx is read by crossplane.
//
// It has no part in the program.
package paste

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// codeIndent marks a line of a fix as code, as reports have it.
const codeIndent = "    "

// Report lists what of a report, whose texts are there, cannot be pasted. isCommand is
// [reports.IsCommand], which says what is set as a command.
func Report(r *verdict.Report, isCommand func(string) bool) []error {
	var wrong []error
	see := func(where string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", where, err))
		}
	}
	step := func(where, text string) {
		if isCommand(text) {
			see(where, Command(text))
			return
		}
		see(where, Prose(text))
	}
	if isCommand(r.Repro) { // a test is repeated by go test, and by nobody's flags
		see("repeat", Command(r.Repro))
	}
	for _, s := range r.Scenarios {
		for _, c := range s.Causes {
			step(s.ID+", "+c.Cause+", next", c.Settle)
			see(s.ID+", "+c.Cause+", fix", Fix(c.Fix))
			see(s.ID+", "+c.Cause, Prose(c.Summary))
		}
		for _, d := range s.Doubts {
			step(s.ID+", "+d.About+", next", d.Settle)
		}
		for _, c := range s.Checks {
			see(s.ID+", "+c.Name, Prose(c.Why))
		}
		for _, w := range s.Warnings {
			see(s.ID+", warning of "+w.Layer, Fix(w.Fix))
		}
	}
	return wrong
}

// Fix checks what to do about something: its lines of prose and its blocks of code.
func Fix(text string) error {
	var errs []error
	var code []string
	flush := func() {
		if len(code) > 0 {
			errs = append(errs, Code(strings.Join(code, "\n")))
		}
		code = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if text, ok := strings.CutPrefix(line, codeIndent); ok {
			code = append(code, text)
			continue
		}
		flush()
		errs = append(errs, Prose(line))
	}
	flush()
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}
