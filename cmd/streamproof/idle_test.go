package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack/settings"
)

// Flags that would do nothing, and arguments of cobra's own commands that nobody knows, are bad input: one line, and
// nothing is begun.
func TestNothingIsTakenInVain(t *testing.T) {
	t.Chdir(t.TempDir())
	const noHistory = ": it is written into a history, and none is named; add --history runs/history.db, or leave it out"
	const noApp = ": the built-in server takes none; name your app with --url, --image or --command, or leave it out"
	for line, want := range map[string]string{
		"run --commit 3f2a91c":     "--commit" + noHistory,
		"run --branch main --list": "--branch" + noHistory,
		"run --app-version v1":     "--app-version" + noHistory,
		"run --dry-run --list":     "--list: it prints scenarios, and --dry-run a Job; leave one of them out",
		"run --dry-run --json":     "--json: --dry-run prints YAML; leave it out",
		"probe http://127.0.0.1:1 --force": "--force: it replaces the file of --write, which is not given; add --write, or " +
			"leave --force out",
		"init --method POST":                  "--method" + noApp,
		"init -d {}":                          "--body" + noApp,
		"init -H Accept:x":                    "--header" + noApp,
		"init --terminal event==done":         "--terminal" + noApp,
		"completion bash x":                   `bash: unexpected argument "x"; see 'streamproof completion bash --help'`,
		"completion bsh":                      `bsh: unknown command; did you mean "bash"?`,
		"help jugde":                          `jugde: unknown command; did you mean "judge"?`,
		"help history lst":                    `lst: unknown command; did you mean "list"?`,
		"run http://127.0.0.1:1 --stages 30s": "--stages: unknown flag; did you mean --stage?",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.Fields(line), &out, &errs)
		if got := errs.String(); code != exitUsage || got != "streamproof: "+want+"\n" || out.Len() > 0 {
			t.Errorf("%s: exit code %d\n got %swant streamproof: %s\n%s", line, code, got, want, out.String())
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, line := range []string{"help", "help run", "help history list", "completion", "completion zsh",
		"completion fish --no-descriptions"} {
		if code := run(t.Context(), strings.Fields(line), io.Discard, io.Discard); code != exitPass {
			t.Errorf("%s: exit code %d", line, code)
		}
	}
}

// A gone is a standard output that nobody reads any more.
type gone struct{}

func (gone) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}
}

// Where nobody reads the report any more, judge and diagnose --from still end with the verdict, and write what they were
// asked to write.
func TestJudgeUnread(t *testing.T) {
	b := synth.New()
	b.Add(30, synth.Shape{})
	dir := synth.Store(t, &b.Run)
	rows := filepath.Join(t.TempDir(), "run.csv")
	want := run(t.Context(), []string{"judge", dir}, io.Discard, io.Discard)
	for _, args := range [][]string{{"judge", dir, "--export=" + rows}, {"diagnose", "--from=" + dir},
		{"judge", "--json", dir}} {
		var errs bytes.Buffer
		if code := run(t.Context(), args, gone{}, &errs); code != want || want == exitBroken {
			t.Errorf("%q: exit code %d, and %d where it is read: %s", args, code, want, errs.String())
		}
	}
	if _, err := os.Stat(rows); err != nil {
		t.Error(err)
	}
}

// With --json stdout is JSON and nothing else, also for GitHub Actions, which reads its commands on stderr too.
func TestJSONInActions(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	var out, errs bytes.Buffer
	args := []string{"run", "--json", "--seed", "1", "--scenario", "control", "--streams", "3",
		"--sabotage", "silent-truncation"}
	if code := run(t.Context(), args, &out, &errs); code != exitFail {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if !json.Valid(out.Bytes()) {
		t.Errorf("no JSON: %s", out.String())
	}
	if !strings.Contains(errs.String(), "::error") {
		t.Errorf("no annotation: %s", errs.String())
	}
}

// The latest run is found however its folder was named.
func TestLatestHoweverNamed(t *testing.T) {
	work := t.TempDir()
	t.Chdir(work)
	for i, name := range []string{"runs/a", "./runs/b", filepath.Join(work, "runs", "c"), "runs/../runs/d"} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
		remember(name)
		if to, err := os.Readlink(filepath.Join(runsFolder, latestRun)); err != nil || to != string(rune('a'+i)) {
			t.Errorf("after %s runs/latest is %q, %v", name, to, err)
		}
	}
	if err := os.MkdirAll("other/e", 0o755); err != nil {
		t.Fatal(err)
	}
	remember("other/e")
	if to, _ := os.Readlink(filepath.Join(runsFolder, latestRun)); to != "d" {
		t.Errorf("after other/e runs/latest is %q", to)
	}
}

// What is to be entered later to add a run to a history adds the row that the run itself would have added, from a folder
// with any name.
func TestHistoryAddLine(t *testing.T) {
	b := synth.New()
	b.Add(4, synth.Shape{})
	work := t.TempDir()
	t.Chdir(work)
	dir := filepath.Join("my  runs", "it's 1")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(synth.Store(t, &b.Run), dir); err != nil {
		t.Fatal(err)
	}
	row := history.Row{AppVersion: "v1 (beta)", Commit: "3f2a91c", Branch: "feature/it's"}
	line := addLine("my  history.db", dir, &row)
	if err := pastes(line); err != nil {
		t.Error(err)
	}
	words, err := settings.Words(line)
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	if code := run(t.Context(), words[1:], io.Discard, &errs); code != exitPass {
		t.Fatalf("%s: exit code %d: %s", line, code, errs.String())
	}
	db, err := history.OpenExisting("my  history.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Rows(history.Query{})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	if r := rows[0]; r.AppVersion != row.AppVersion || r.Commit != row.Commit || r.Branch != row.Branch ||
		r.Dir != filepath.ToSlash(dir) {
		t.Errorf("%s gives %+v", line, r)
	}
}

// A run whose history cannot be written says what to enter later, with all that it knew.
func TestRunThatIsNotRemembered(t *testing.T) {
	b := synth.New()
	b.Add(4, synth.Shape{})
	dir := synth.Store(t, &b.Run)
	file := t.TempDir() // no file
	entry := historyEntry{file: file, version: "v 1", commit: "3f2a91c", branch: "main"}
	err := entry.add(t.Context(), io.Discard, dir)
	var errs bytes.Buffer
	if code := exitCode(&errs, err); code != exitBroken {
		t.Errorf("exit code %d", code)
	}
	want := fmt.Sprintf("    streamproof history add --history %s --app-version 'v 1' --commit 3f2a91c --branch main %s\n",
		quote(file), quote(dir))
	if !strings.HasSuffix(errs.String(), "\n"+want) {
		t.Errorf("%s\nlacks the line %s", errs.String(), want)
	}
}

// The page of a history never replaces the history.
func TestPageBesideHistory(t *testing.T) {
	b := synth.New()
	b.Add(4, synth.Shape{})
	file := filepath.Join(t.TempDir(), "h.html")
	for _, args := range [][]string{{"history", "add", "--history", file, synth.Store(t, &b.Run)},
		{"report", "--history", file}, {"history", "list", "--history", file}} {
		var errs bytes.Buffer
		if code := run(t.Context(), args, io.Discard, &errs); code != exitPass {
			t.Errorf("%q: exit code %d: %s", args, code, errs.String())
		}
	}
}

// The line that repeats a shard ends as the shard did: what the suite excuses, and what is required, it has too.
func TestShardIsRepeated(t *testing.T) {
	in, err := argued([]string{"--suite", "nightly", "--shard", "1/3", "--require", "cut"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := in.options()
	if err != nil {
		t.Fatal(err)
	}
	for i := range o.Scenarios {
		o.Scenarios[i].Required = o.Scenarios[i].ID == "cut"
	}
	o.Suite = record.Suite{Name: "nightly", Able: true}
	again, err := commandLine(in.unsharded(&o))
	if err != nil {
		t.Fatal(err)
	}
	p, err := again.options()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := required(&p), required(&o); a != b || !again.allowUnable {
		t.Errorf("%s\n has %s, allow-unable %t\nwant %s", in.unsharded(&o), a, again.allowUnable, b)
	}
}

func required(o *harness.Options) (text string) {
	for _, s := range o.Scenarios {
		text += fmt.Sprintf("%s %t, ", s.ID, s.Required)
	}
	return text
}

// A stored run ends as it ended when it was made: what this machine could not play is left out of the verdict where
// the run left it out, unless it was required.
func TestJudgeLeavesOutWhatTheRunLeftOut(t *testing.T) {
	for name, tt := range map[string]struct {
		able, required bool
		want           int
	}{
		"left out":               {able: true, want: exitPass},
		"left out, but required": {able: true, required: true, want: exitInconclusive},
		"not left out":           {want: exitInconclusive},
	} {
		b := synth.New(record.Scenario{ID: "control"}, record.Scenario{ID: "partition", Required: tt.required})
		b.Run.Plan.Suite.Able = tt.able
		b.Add(4, synth.Shape{})
		b.Run.Notes = append(b.Run.Notes, record.Note{Scenario: "partition", Kind: record.NoteUnable, Text: "no nginx"})
		var errs bytes.Buffer
		if code := run(t.Context(), []string{"judge", synth.Store(t, &b.Run)}, io.Discard, &errs); code != tt.want {
			t.Errorf("%s: exit code %d, want %d: %s", name, code, tt.want, errs.String())
		}
	}
}
