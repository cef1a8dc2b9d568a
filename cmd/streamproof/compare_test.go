package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// made is a stored run of n complete streams whose first events came after ttfe.
func made(dir, scenario string, n int, ttfe time.Duration) stored {
	run := &record.Run{Finished: time.Minute}
	run.Plan.Scenarios = []record.Scenario{{ID: scenario}}
	for i := range n {
		run.Streams = append(run.Streams, record.Stream{
			Seq: uint64(i + 1), Scenario: scenario, Group: record.Load, Status: 200,
			Send: 0, Headers: time.Millisecond, First: ttfe, FirstAny: ttfe, Last: time.Second, TerminalAt: time.Second,
			End: time.Second, Contents: 3, Content: stream.Summary{State: stream.Complete, Terminals: 1},
			Wire: record.Wire{Framing: record.Chunked, Where: record.AtEnd, Lingered: record.Never},
		})
	}
	s := stored{dir: dir, firsts: map[string][]time.Duration{}}
	scopes := verdict.Scopes(run)
	s.measure(scopes)
	s.Input = reports.Input{Run: run, Report: verdict.JudgeScopes(run, scopes), Scopes: scopes}
	return s
}

func TestCompareTellsRunsApart(t *testing.T) {
	runs := []stored{made("runs/before/", "control", 20, 10*time.Millisecond),
		made("runs/after", "control", 20, 40*time.Millisecond),
		made("runs/other", "cut", 2, time.Millisecond)}
	var b strings.Builder
	if err := sideBySide(&b, runs, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`control +before +\w+ +20 +20 complete +10\.0 ms +10\.0 ms`,
		`control +after +\w+ +20 +20 complete +40\.0 ms +40\.0 ms`,
		`control +other +not run`,
		`cut +before +not run`,
		`cut +other +\w+ +2 +2 complete +1\.0 ms +-`, // two streams carry no 90th percentile
	} {
		matches(t, b.String(), want)
	}
}

func TestCompareInMarkdown(t *testing.T) {
	var b strings.Builder
	if err := sideBySide(&b, []stored{made("a|b", "control", 20, time.Millisecond),
		made("c", "control", 1, time.Millisecond)}, true); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want a head, a rule and two runs:\n%s", len(lines), b.String())
	}
	matches(t, lines[2], `^\| control \| a\\\|b \| `)
}

func matches(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
		t.Errorf("nothing like %q in\n%s", pattern, text)
	}
}
