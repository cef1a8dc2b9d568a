package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A command is a line as GitHub Actions reads it.
var command = regexp.MustCompile(`^::(error|warning) title=([^:,\n]*)::([^\n]*)$`)

// annotations renders in and reads it back.
func annotations(t *testing.T, in Input) (read [][]string) {
	t.Helper()
	for line := range strings.Lines(string(rendered(t, Annotations, in))) {
		m := command.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("no workflow command: %q", line)
		}
		read = append(read, m[1:])
	}
	return read
}

var unescape = strings.NewReplacer("%0A", "\n", "%0D", "\r", "%3A", ":", "%2C", ",", "%25", "%")

func TestAnnotations(t *testing.T) {
	if got := rendered(t, Annotations, passing()); len(got) > 0 {
		t.Errorf("a run that passed: %s", got)
	}
	got := annotations(t, failing())
	want := []string{"error streamproof: truncation laundered by the edge (worker-kill)",
		"error streamproof: worker killed (worker-kill)", "warning streamproof: read-timeout inconclusive"}
	if titles := titlesOf(got); !slices.Equal(titles, want) {
		t.Fatalf("%q, want %q", titles, want)
	}
	text := unescape.Replace(got[0][2])
	for _, want := range []string{"no silent truncation: 14 of 40 victims",
		"\nCause: truncation laundered by the edge (certain · edge), explains 14 streams in worker-kill\n",
		"\nEvidence: all 14 truncated streams", "proxy_buffering off;"} {
		if !strings.Contains(text, want) {
			t.Errorf("the message lacks %q:\n%s", want, text)
		}
	}
}

func titlesOf(read [][]string) (titles []string) {
	for _, r := range read {
		titles = append(titles, r[0]+" "+unescape.Replace(r[1]))
	}
	return titles
}

// A cause that several scenarios found is said once, as badly as the worst of them says
// it; a scenario that passed annotates nothing.
func TestAnnotationsOfSharedCauses(t *testing.T) {
	found := func(id string, v verdict.Verdict, cause string) verdict.ScenarioReport {
		s := verdict.ScenarioReport{ID: id, Verdict: v, Why: "why " + id,
			Checks: []verdict.Check{{Name: "check", Verdict: v, Why: "why " + id}}}
		if cause != "" {
			s.Causes = []verdict.Cause{{Cause: cause, Layer: "app", Confidence: "certain", Count: 3}}
		}
		return s
	}
	in := Input{Report: &verdict.Report{Complete: true, Verdict: verdict.Fail, Scenarios: []verdict.ScenarioReport{
		found("a", verdict.Inconclusive, "leak"), found("b", verdict.Fail, "leak"), found("c", verdict.Fail, "leak"),
		found("d", verdict.Inconclusive, "leak"), found("e", verdict.Pass, "noise"), found("f", verdict.Fail, "")}}}
	got := annotations(t, in)
	want := []string{"error streamproof: leak (b, c, a and 1 more scenario)", "error streamproof: f failed"}
	if titles := titlesOf(got); !slices.Equal(titles, want) {
		t.Fatalf("%q, want %q", titles, want)
	}
	if text := unescape.Replace(got[0][2]); !strings.HasPrefix(text, "check: why b\nCause: leak (certain · app), explains 12 streams: ") {
		t.Errorf("%q", text)
	}
}

// Names and reasons are strangers' too.
func TestAnnotationsEscape(t *testing.T) {
	hostile := "100%\r\n::error::owned, a:b\x1b[2J"
	in := Input{Report: &verdict.Report{Complete: true, Verdict: verdict.Fail, Scenarios: []verdict.ScenarioReport{{
		ID: hostile, Verdict: verdict.Fail, Checks: []verdict.Check{{Name: "check", Verdict: verdict.Fail, Why: hostile}},
		Causes: []verdict.Cause{{Cause: "cause", Fix: "a\n::warning::b", Count: 1}}}}}}
	got := annotations(t, in)
	if len(got) != 1 {
		t.Fatalf("%q", got)
	}
	if title := unescape.Replace(got[0][1]); !strings.HasPrefix(title, "streamproof: cause (100%") || !strings.Contains(title, "owned, a:b") {
		t.Errorf("title %q", title)
	}
	if text := unescape.Replace(got[0][2]); !strings.Contains(text, "100%") || !strings.HasSuffix(text, "\nFix:\na\n::warning::b") || strings.Contains(text, "\x1b") {
		t.Errorf("text %q", text)
	}
}

// What GitHub would drop is named.
func TestAnnotationsAreFew(t *testing.T) {
	for _, n := range []int{annotationMost, 25} {
		in := Input{Report: &verdict.Report{Complete: true, Verdict: verdict.Fail}}
		for i := range n {
			in.Report.Scenarios = append(in.Report.Scenarios, verdict.ScenarioReport{ID: fmt.Sprint("s", i), Verdict: verdict.Fail, Why: "why"})
		}
		got := annotations(t, in)
		if len(got) != annotationMost {
			t.Errorf("%d scenarios: %d lines, want %d", n, len(got), annotationMost)
		}
		if all := fmt.Sprint(got); !strings.Contains(all, fmt.Sprint("s", n-1)) {
			t.Errorf("the last of %d is not named: %s", n, all)
		}
	}
}

// A run may end badly though no scenario did.
func TestAnnotationOfTheRun(t *testing.T) {
	got := annotations(t, Input{Report: &verdict.Report{Verdict: verdict.Inconclusive, Why: "the record is torn"}})
	if len(got) != 1 || got[0][0] != "warning" || got[0][2] != "the record is torn" {
		t.Errorf("%q", got)
	}
}

func TestVerbatim(t *testing.T) {
	const hostile = "::error::owned"
	var b bytes.Buffer
	broken := errors.New("broken")
	err := Verbatim(&b, func(w io.Writer) error { _, _ = io.WriteString(w, hostile); return broken })
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	m := regexp.MustCompile(`^::stop-commands::(\w{20,})\n(.*)\n::(\w+)::\n$`).FindStringSubmatch(b.String())
	if m == nil || m[1] != m[3] || m[2] != hostile {
		t.Errorf("%q", b.String())
	}
}
