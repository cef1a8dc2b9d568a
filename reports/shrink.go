package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/shrink"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Shrink is shrink.json: what a failed run was made smaller to.
type Shrink struct {
	Run      string            `json:"run"`      // folder of the run that failed
	Scenario string            `json:"scenario"` // that failed, as the smaller run calls it
	Checks   []string          `json:"checks"`   // that failed
	Outcomes []verdict.Outcome `json:"outcomes,omitempty"`
	Causes   []string          `json:"causes,omitempty"`
	Before   shrink.Size       `json:"before"`
	After    shrink.Size       `json:"after"`
	Left     []shrink.Part     `json:"left_out"`
	Again    bool              `json:"again"`  // the whole run failed again
	Failed   int               `json:"failed"` // of Of runs of the smallest; of the whole where it did not fail again
	Of       int               `json:"of"`
	Runs     int               `json:"runs"`           // in all
	Spent    bool              `json:"spent"`          // the runs ran out
	Says     string            `json:"says"`           // in a sentence
	File     string            `json:"file,omitempty"` // YAML
	GoTest   string            `json:"go_test,omitempty"`
	NoGoTest string            `json:"no_go_test,omitempty"` // why there is none
	Repro    string            `json:"repro,omitempty"`
	Report   string            `json:"report,omitempty"` // of a run of the smallest
}

// NewShrink says what a search came to.
func NewShrink(run string, f shrink.Failure, r shrink.Result) Shrink {
	s := Shrink{Run: run, Scenario: f.Scenario, Checks: f.Checks, Outcomes: f.Outcomes, Causes: f.Causes, Before: r.Before,
		After: r.After, Left: r.Left, Again: r.Whole.Fails, Runs: r.Runs, Spent: r.Spent}
	last := r.Smallest
	if !s.Again {
		last = r.Whole
	}
	s.Failed, s.Of = last.Failed, last.Runs
	s.Says = s.sentence()
	return s
}

func (s *Shrink) sentence() string {
	if !s.Again {
		return fmt.Sprintf("the run did not fail in the same way again (%d of %s): its failure is a matter of chance, "+
			"or of what the app remembers; --confirm 1/10 takes one failure in ten runs for enough",
			s.Failed, count(s.Of, "run"))
	}
	text := fmt.Sprintf("%s instead of %s: it still fails, in %d of %s", SizeText(s.After), SizeText(s.Before), s.Failed,
		count(s.Of, "run"))
	switch {
	case s.After == s.Before:
		text = fmt.Sprintf("nothing smaller than %s fails in the same way; it failed again, in %d of %s", SizeText(s.Before),
			s.Failed, count(s.Of, "run"))
	case len(s.Causes) > 0:
		text += ", by the same cause: " + s.Causes[0]
	}
	if s.Spent {
		text += fmt.Sprintf("; the %s ran out, and a smaller one may exist", count(s.Runs, "run"))
	}
	return text
}

// SizeText reads "200 streams at 3 faults for 30s".
func SizeText(z shrink.Size) string {
	parts := []string{count(z.Streams, "stream")}
	if z.Events > 0 {
		parts[0] += " of " + count(z.Events, "event")
	}
	parts = append(parts, count(z.Faults, "fault"))
	if z.Scenarios > 1 {
		parts = append(parts, count(z.Scenarios, "scenario"))
	}
	text := strings.Join(parts, ", ")
	if z.Duration > 0 {
		text += fmt.Sprintf(", for %v", z.Duration.Round(time.Millisecond))
	}
	return text
}

// ShrinkTrial is a line of progress.
func ShrinkTrial(n int, t shrink.Trial) string {
	line := fmt.Sprintf("%d: %s: ", n, SizeText(t.Size))
	switch {
	case t.None:
		return line + "there is no such run"
	case t.Fails:
		return line + fmt.Sprintf("fails (%d of %s)", t.Failed, count(t.Runs, "run"))
	case t.Other > 0:
		return line + fmt.Sprintf("fails in another way (%d of %s)", t.Other, count(t.Runs, "run"))
	}
	return line + fmt.Sprintf("does not fail (%d of %s did)", t.Failed, count(t.Runs, "run"))
}

// ShrinkComment is what stands above the test of Go, and above the file.
func ShrinkComment(s Shrink) string {
	text := fmt.Sprintf("The smallest run that still fails as %s did: %s.\n", s.Run, line(SizeText(s.After)))
	if len(s.Checks) > 0 {
		text += fmt.Sprintf("Failed: %s.\n", line(strings.Join(s.Checks, ", ")))
	}
	if len(s.Causes) > 0 {
		text += fmt.Sprintf("Cause: %s.\n", line(strings.Join(s.Causes, ", ")))
	}
	return text
}

var partWords = map[shrink.Kind]string{shrink.KindScenario: "scenario %s", shrink.KindFault: "fault of %s: %s",
	shrink.KindClient: "the clients of %s ask once and read to the end", shrink.KindLoad: "each stream is sent once"}

func partText(p shrink.Part) string {
	switch p.Kind {
	case shrink.KindFault:
		return fmt.Sprintf(partWords[p.Kind], line(p.Scenario), line(p.Name))
	case shrink.KindLoad:
		return partWords[p.Kind]
	}
	return fmt.Sprintf(partWords[p.Kind], line(p.Scenario))
}

// Text prints what is left, and how to see it again.
func (s *Shrink) Text(w io.Writer, quiet bool) {
	fmt.Fprintln(w, s.Says)
	if s.Again && !quiet {
		for _, p := range s.Left {
			fmt.Fprintln(w, "  left out: "+partText(p))
		}
		for _, l := range []struct{ name, value string }{{"file", s.File}, {"go test", s.GoTest}, {"no go test", s.NoGoTest},
			{"report", s.Report}} {
			if l.value != "" {
				fmt.Fprintf(w, "%s: %s\n", l.name, line(l.value))
			}
		}
	}
	if s.Repro != "" {
		fmt.Fprintln(w, "repro: "+s.Repro)
	}
}
