package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/reports"
)

// asks reports whether a person sits before the program, who sees what is told and can
// answer: both are terminals, outside of CI. A pipe is never asked, and gets an error with
// a flag that can be pasted.
func (in *input) asks(told io.Writer) bool {
	from, ok := in.answers.(*os.File)
	return ok && !in.quiet && term.IsTerminal(from.Fd()) && reports.ScreenOf(told).Terminal
}

// maxQuestions is how often a person is asked for an expression that is none, or that no
// event meets.
const maxQuestions = 5

// askEnd asks which event ends an answer, where the answers leave it open, and takes the
// expression that is confirmed or typed. Without one, it stays the bad input that it was.
func (in *input) askEnd(ctx context.Context, told io.Writer, o *harness.Options, open *recognise.OpenEnd) (
	*recognise.Finding, error) {
	f := open.Finding
	if n := len(f.Events); n > 0 {
		fmt.Fprintf(told, "Nothing says for sure which event ends an answer. The last of %s is\n  %s\n",
			plural.Of(n, "event"), plain(f.Events[n-1].Text))
	} else {
		fmt.Fprintln(told, "Nothing says which event ends an answer, and no event came.")
	}
	question, proposed := "Which one ends it? Type an expression such as data == [DONE], or press Enter to stop: ", ""
	if len(open.Proposals) > 0 {
		proposed = open.Proposals[0]
		question = "Does every answer end with an event that has " + proposed + "?\n" +
			"[y]es, or type another expression, or press Enter to stop: "
	}
	lines := bufio.NewScanner(in.answers)
	for range maxQuestions {
		fmt.Fprint(told, question)
		typed, err := nextLine(ctx, lines)
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(typed) {
		case "", "n", "no":
			return nil, open
		case "y", "yes":
			if typed = proposed; typed == "" {
				continue
			}
		}
		if _, err := stream.ParseTerminal(typed); err != nil {
			fmt.Fprintln(told, plain(err.Error()))
			continue
		}
		if f.As(f.Dialect, typed); f.Sum.Terminals == 0 {
			fmt.Fprintf(told, "No event of the answer has %s.\n", plain(typed))
			continue
		}
		o.App.Stream.Dialect, o.App.Stream.Terminal = f.Dialect, typed
		return f, nil
	}
	return nil, open
}

// nextLine reads a line without its end; "" at the end of input. Ctrl-C ends the wait, and
// what reads goes down with the program.
func nextLine(ctx context.Context, lines *bufio.Scanner) (string, error) {
	got := make(chan string, 1)
	go func() {
		lines.Scan()
		got <- strings.TrimSpace(lines.Text())
	}()
	select {
	case line := <-got:
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
