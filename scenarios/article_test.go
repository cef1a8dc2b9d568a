package scenarios_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// The causes and the debugging steps of an article on streams that are cut when an
// app is scaled, each in its broken and in its fixed form (README.md of this folder).
// The apps are in the shape that the article shows: an engine whose answer is a
// generator, text/plain, no last event, no stamps. Everything goes through the
// program, as a user runs it.

const articleDir = "testdata/article"

// An advice is one form of one piece of code or configuration.
type advice struct {
	name    string
	command string
	edge    string // form, and what else stands with it
	ramp    string // of the load, "" for that of the scenario
	plain   bool   // the app answers in one piece at /chat/plain
	run     string // scenarios of make test, "" for none
	night   string // of make nightly, "" for the same
	cause   string // named first in every scenario that fails; "" for a sound form
	says    string // in the text report
	first   string // among the first lines of the text report and of summary.md, above the causes; its first two numbers differ by the third
}

// An output is what a run leaves to readers.
type output struct{ text, summary string }

const (
	uvicornOf  = debianPython + " -m uvicorn %s:app --port {port}"
	gunicornOf = "gunicorn timeout:app --bind 127.0.0.1:{port} "
)

var adviceList = []advice{
	{name: "1 lifetime, broken", command: fmt.Sprintf(uvicornOf, "lifetime_broken"), run: "direct, control", cause: diagnose.OutlivesResources, says: "the index is closed"},
	{name: "1 lifetime, fixed", command: fmt.Sprintf(uvicornOf, "lifetime_fixed"), run: "direct, control", night: "standard, direct"},
	{name: "1 lifetime, broken in silence", command: fmt.Sprintf(uvicornOf, "silent_broken"), plain: true, run: "direct, control", cause: diagnose.SilentTruncation, says: "71 bytes of the 301"},
	{name: "1 lifetime, fixed, with an answer in one piece", command: fmt.Sprintf(uvicornOf, "silent_fixed"), plain: true, night: "standard, direct"},
	{name: "2 buffering, broken", command: fmt.Sprintf(uvicornOf, "lifetime_fixed"), edge: "default", run: "buffering", cause: diagnose.BufferedByEdge, says: "proxy_buffering off"},
	{name: "2 buffering, fixed", command: fmt.Sprintf(uvicornOf, "lifetime_fixed"), edge: "streaming", night: "buffering"},
	{name: "3 worker timeout, broken", command: gunicornOf + "--workers 24 --timeout 2", run: "control", cause: diagnose.SyncWorkerTimeout, says: "WORKER TIMEOUT"},
	{name: "3 worker timeout, fixed", command: gunicornOf + "-k gthread --threads 40 --timeout 120", plain: true, run: "control", night: "standard, direct"},
	{name: "4 async and sync, broken", command: fmt.Sprintf(uvicornOf, "mismatch_broken"), run: "control", cause: diagnose.SerialisedLoop, says: "run_in_threadpool"},
	{name: "4 async and sync, fixed", command: fmt.Sprintf(uvicornOf, "mismatch_fixed"), night: "standard, direct"},

	// The debugging steps that are no look at the app alone.
	{name: "step 1, the app never finished", command: fmt.Sprintf(uvicornOf, "logged_broken"), night: "control",
		cause: diagnose.SilentTruncation, first: `the app finished (\d+) of (\d+) answers: it never finished (\d+) of these`},
	{name: "step 1, the app finished and answers died on the way", command: fmt.Sprintf(uvicornOf, "handed_on"),
		edge: "streaming, read_timeout: 1s", ramp: "8s", run: "control", cause: diagnose.ProxyReadTimeout, says: "upstream timed out",
		first: `the app finished (\d+) of \d+ answers, but clients received only (\d+) complete: (\d+) w\w+ lost on the way`},
	{name: "step 3, only the stream is cut", command: fmt.Sprintf(uvicornOf, "silent_broken"), plain: true, night: "not-streaming", cause: diagnose.SilentTruncation, says: "so look at how the stream is handled"},
	{name: "step 3, both ways are cut", command: gunicornOf + "--workers 24 --timeout 2", plain: true, night: "not-streaming", cause: diagnose.SyncWorkerTimeout, says: "so look at worker timeouts and restarts"},
}

// TestArticle runs them: by day each cause, one step, and what a sound app must not be
// blamed for.
func TestArticle(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for _, a := range adviceList {
		t.Run(a.name, func(t *testing.T) {
			list := a.run
			if *nightly && a.night != "" {
				list = a.night
			}
			if list == "" {
				t.Skip("make nightly runs it")
			}
			t.Parallel()
			needSoftware(t, "python:fastapi", "python:uvicorn", "python:flask", "gunicorn")
			report, out := a.play(t, "run", list)
			a.judge(t, report, out)
		})
	}
}

// TestArticlePeel is the second debugging step: without the layers in front of it
// the app is fine, so the layer is named and not the app.
func TestArticlePeel(t *testing.T) {
	needNginx(t)
	t.Parallel()
	needSoftware(t, "python:fastapi", "python:uvicorn")
	a := advice{command: fmt.Sprintf(uvicornOf, "lifetime_fixed"), edge: "default", cause: diagnose.BufferedByEdge, says: "the problem appears at nginx"}
	report, out := a.play(t, "diagnose", "")
	a.judge(t, report, out)
}

// judge holds a report to what the advice says.
func (a advice) judge(t *testing.T, r *verdict.Report, out output) {
	t.Helper()
	if !strings.Contains(out.text, a.says) {
		t.Errorf("the report does not say %q", a.says)
	}
	_, text, _ := strings.Cut(out.text, "\nFAIL  ")
	for end, all := range map[string]string{"\n\n": text, "\n**Cause": out.summary} {
		top, _, _ := strings.Cut(all, end)
		if m := regexp.MustCompile(a.first).FindStringSubmatch(top); m == nil || len(m) > 1 && !addsUp(m[1:]) {
			t.Errorf("not among the first lines: %q\n%s", a.first, top)
		}
	}
	if a.cause == "" {
		if r.Verdict != verdict.Pass {
			t.Errorf("the fixed form: %s (%s)", r.Verdict, r.Why)
		}
		for _, s := range r.Scenarios {
			if i := slices.IndexFunc(s.Causes, func(c verdict.Cause) bool { return len(c.Checks) > 0 }); i >= 0 && s.Verdict != verdict.NotApplicable {
				t.Errorf("%s blames the fixed form: %+v", s.ID, s.Causes[i])
			}
		}
	} else if r.Verdict != verdict.Fail {
		t.Errorf("the broken form: %s (%s), want fail", r.Verdict, r.Why)
	}
	for _, s := range r.Scenarios {
		if s.Verdict == verdict.Fail && (len(s.Causes) == 0 || s.Causes[0].Cause != a.cause) {
			t.Errorf("%s: causes %+v, want %q first", s.ID, s.Causes, a.cause)
		}
	}
	if t.Failed() {
		t.Log(out.text)
	}
}

// addsUp reports whether the first two numbers differ by the third, which is not small:
// how many streams are sent alone, and so which of them pause, depends on the machine.
func addsUp(numbers []string) bool {
	var n [3]int
	for i, s := range numbers {
		n[i], _ = strconv.Atoi(s)
	}
	return max(n[0]-n[1], n[1]-n[0]) == n[2] && n[2] >= 3
}

// play runs a command of the program on the advice's app and returns its report.
func (a advice) play(t *testing.T, command, list string) (*verdict.Report, output) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(articleDir)); err != nil {
		t.Fatal(err)
	}
	app, _ := json.Marshal(a.command)
	file := fmt.Sprintf("app: {command: %s}\nstream: {path: /chat, dialect: text%s}\n", app, map[bool]string{true: ", plain_path: /chat/plain"}[a.plain])
	if a.edge != "" {
		file += "edge: {form: " + a.edge + "}\n"
	}
	if a.ramp != "" {
		file += "load: {ramp: " + a.ramp + "}\n"
	}
	if list != "" {
		file += "scenarios: [" + list + "]\n"
	}
	return front(t, dir, file, command)
}

// front writes a file, runs the program on it, and reads what it left.
func front(t *testing.T, dir, file, command string) (*verdict.Report, output) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "streamproof.yaml"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(built(t, "../cmd/streamproof"), command, "-f", "streamproof.yaml", "-o", "run", "--seed", "7")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	text, _ := cmd.CombinedOutput() // the exit code is the verdict's
	b, err := os.ReadFile(filepath.Join(dir, "run", "verdict.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	r := new(verdict.Report)
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatal(err)
	}
	summary, err := os.ReadFile(filepath.Join(dir, "run", reports.MarkdownFile))
	if err != nil {
		t.Fatal(err)
	}
	return r, output{string(text), string(summary)}
}
