package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
)

const github = "../../.github/"

// A step is one of an action or of a job of GitHub Actions.
type step struct {
	Name, ID, If, Run, Uses, Shell string
	WorkingDirectory               string `yaml:"working-directory"`
	Env, With                      map[string]string
}

// A runner plays the steps of an action as GitHub Actions does, in order, each with the
// environment of a fresh machine and no more: the expressions, the files of a step, and,
// in place of other actions, what they do with files.
type runner struct {
	*testing.T
	machine
	work    string            // the checkout
	temp    string            // RUNNER_TEMP
	context map[string]string // "inputs.config" to its value
	cache   map[string]string // key to the folder that holds what was saved
	kept    []string          // folders that became artefacts
	log     string            // what the steps printed
	summary string

	inWorkflow bool // and not in an action
}

func newRunner(t *testing.T) *runner {
	return &runner{T: t, machine: newMachine(t), work: t.TempDir(), temp: t.TempDir(), cache: map[string]string{}}
}

// play runs an action with inputs over its defaults. It returns the outputs, and the
// exit code of the step that ended it.
func (r *runner) play(file string, inputs map[string]string, run string) (outputs map[string]string, code int) {
	r.Helper()
	var action struct {
		Inputs  map[string]struct{ Default string }
		Outputs map[string]struct{ Value string }
		Runs    struct{ Steps []step }
	}
	r.read(file, &action)
	r.log, r.summary, r.kept = "", "", nil
	r.context = map[string]string{"runner.temp": r.temp, "github.run_id": run, "github.run_attempt": "1",
		"github.ref_name": "main", "github.event.repository.default_branch": "main"}
	for name, in := range action.Inputs {
		r.context["inputs."+name] = in.Default
	}
	for name, value := range inputs {
		if _, ok := action.Inputs[name]; !ok {
			r.Fatalf("the action has no input %q", name)
		}
		r.context["inputs."+name] = value
	}
	for _, s := range action.Runs.Steps {
		if s.If != "" && !r.holds(s.If) {
			continue
		}
		if code = r.step(s); code != 0 {
			break
		}
	}
	outputs = map[string]string{}
	for name, out := range action.Outputs {
		outputs[name] = r.fill(out.Value)
	}
	return outputs, code
}

func (r *runner) read(file string, v any) {
	r.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, v)
	}
	if err != nil {
		r.Fatal(err)
	}
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// fill replaces expressions by their values. What GitHub does not know it takes for
// empty; here it is a mistake.
func (r *runner) fill(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		return r.value(expression.FindStringSubmatch(e)[1])
	})
}

func (r *runner) value(term string) string {
	term = strings.TrimSpace(term)
	if text, ok := strings.CutPrefix(term, "'"); ok {
		return strings.TrimSuffix(text, "'")
	}
	v, ok := r.context[term]
	if !ok {
		r.Fatalf("the action uses %q, which nothing sets", term)
	}
	return v
}

// holds works out "a == b && c != d".
func (r *runner) holds(condition string) bool {
	for term := range strings.SplitSeq(condition, "&&") {
		if a, b, ok := strings.Cut(term, "!="); ok {
			if r.value(a) == r.value(b) {
				return false
			}
			continue
		}
		a, b, ok := strings.Cut(term, "==")
		if !ok {
			r.Fatalf("cannot work out %q", condition)
		}
		if r.value(a) != r.value(b) {
			return false
		}
	}
	return true
}

func (r *runner) step(s step) int {
	r.Helper()
	if s.Uses != "" {
		r.other(s)
		return 0
	}
	if s.Shell != "bash" && !(s.Shell == "" && r.inWorkflow) { // a workflow has a default, an action has none
		r.Fatalf("step %q: shell %q", s.Name, s.Shell)
	}
	if expression.MatchString(s.Run) {
		r.Errorf("step %q has an expression in its script, which runs whatever an input says: put it into env", s.Name)
	}
	files := r.TempDir()
	script := filepath.Join(files, "script.sh")
	if err := os.WriteFile(script, []byte(s.Run), 0o644); err != nil {
		r.Fatal(err)
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir = filepath.Join(r.work, r.fill(s.WorkingDirectory))
	cmd.Env = append(slices.Clone(r.env), "PATH="+r.path, "GITHUB_ACTIONS=true", "RUNNER_TEMP="+r.temp,
		"RUNNER_OS=Linux", "GITHUB_WORKSPACE="+r.work)
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		cmd.Env = append(cmd.Env, name+"="+filepath.Join(files, name))
		if err := os.WriteFile(filepath.Join(files, name), nil, 0o644); err != nil {
			r.Fatal(err)
		}
	}
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+r.fill(value))
	}
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		r.Fatal(err)
	}
	r.log += string(out)
	for line := range strings.Lines(r.file(files, "GITHUB_OUTPUT")) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		r.context["steps."+s.ID+".outputs."+name] = value
	}
	r.summary += r.file(files, "GITHUB_STEP_SUMMARY")
	for line := range strings.Lines(r.file(files, "GITHUB_ENV")) {
		r.env = append(r.env, strings.TrimSuffix(line, "\n"))
	}
	for line := range strings.Lines(r.file(files, "GITHUB_PATH")) { // for the steps that follow
		r.path = strings.TrimSuffix(line, "\n") + string(os.PathListSeparator) + r.path
	}
	return cmd.ProcessState.ExitCode()
}

func (r *runner) file(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@v\d+\.\d+\.\d+$`)

// other does what the actions that ours uses do with files.
func (r *runner) other(s step) {
	r.Helper()
	if !pinned.MatchString(s.Uses) {
		r.Errorf("%q has no exact version", s.Uses)
	}
	path := r.fill(s.With["path"])
	name, _, _ := strings.Cut(s.Uses, "@")
	switch name {
	case "actions/upload-artifact":
		r.kept = append(r.kept, path)
	case "actions/cache/save":
		r.cache[r.fill(s.With["key"])] = r.TempDir()
		if err := os.CopyFS(r.cache[r.fill(s.With["key"])], os.DirFS(path)); err != nil {
			r.Fatal(err)
		}
	case "actions/cache/restore":
		for _, key := range slices.Backward(slices.Sorted(maps.Keys(r.cache))) {
			if strings.HasPrefix(key, r.fill(s.With["restore-keys"])) {
				if err := errors.Join(os.RemoveAll(path), os.CopyFS(path, os.DirFS(r.cache[key]))); err != nil {
					r.Fatal(err)
				}
				return
			}
		}
	default:
		r.Fatalf("the action uses %s, which this test does not know", s.Uses)
	}
}

// commands are the workflow commands in the log that GitHub would act on.
func (r *runner) commands() (found []string) {
	stop := ""
	for line := range strings.Lines(r.log) {
		line = strings.TrimSpace(line)
		switch word, stops := strings.CutPrefix(line, "::stop-commands::"); {
		case stop != "" && line == "::"+stop+"::":
			stop = ""
		case stop != "" || !strings.HasPrefix(line, "::"):
		case stops:
			stop = word
		default:
			found = append(found, line)
		}
	}
	if stop != "" {
		r.Error("commands are stopped for ever")
	}
	return found
}

// TestAction plays the action three times: a run that passes and becomes the baseline,
// for which the release is installed; one that fails beside it; and one of bad input.
func TestAction(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds the whole program, as a release does; make test runs it")
	}
	t.Parallel()
	r := newRunner(t)
	file := "stream: {path: '/stream?events=5&gap=20ms'}\nload: {streams: 4}\nscenarios: [control]\n"
	if err := os.WriteFile(filepath.Join(r.work, "streams.yaml"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	inputs := map[string]string{"config": "streams.yaml", "args": "--seed 7"}
	out, code := r.play(github+"actions/run/action.yml", inputs, "1")
	if code != 0 || out["verdict"] != "pass" || len(r.commands()) > 0 {
		t.Fatalf("code %d, outputs %q, commands %q\n%s", code, out, r.commands(), r.log)
	}
	for _, want := range []string{"## ✅ streamproof: pass", "`control`"} {
		if !strings.Contains(r.summary, want) {
			t.Errorf("the job's summary lacks %q:\n%s", want, r.summary)
		}
	}
	if !strings.Contains(r.log, "streamproof "+released) {
		t.Errorf("not the release was installed:\n%s", r.log)
	}
	if len(r.cache) != 1 {
		t.Errorf("a run that passed on the default branch was not stored")
	}
	runFolder(t, r.kept)

	inputs["args"] += " --sabotage silent-truncation"
	out, code = r.play(github+"actions/run/action.yml", inputs, "2")
	if code != exitFail || out["verdict"] != "fail" {
		t.Errorf("code %d, outputs %q\n%s", code, out, r.log)
	}
	if c := r.commands(); len(c) != 1 || !strings.HasPrefix(c[0], "::error title=streamproof%3A ") ||
		!strings.Contains(c[0], "(control)::") || strings.Count(r.summary, "## ❌ streamproof: fail") != 1 {
		t.Errorf("annotations %q", c)
	}
	for _, want := range []string{"## ❌ streamproof: fail", "Beside the last run that passed",
		"| control | baseline | pass |"} {
		if !strings.Contains(r.summary, want) {
			t.Errorf("the job's summary lacks %q:\n%s", want, r.summary)
		}
	}
	if len(r.cache) != 1 {
		t.Error("a run that failed became the baseline")
	}
	runFolder(t, r.kept)

	out, code = r.play(github+"actions/run/action.yml", map[string]string{"config": "absent.yaml"}, "3")
	if code != exitUsage || out["verdict"] != "bad_input" || !strings.Contains(r.log, "absent.yaml: ") {
		t.Errorf("code %d, outputs %q\n%s", code, out, r.log)
	}
	if _, err := os.Stat(out["run"]); err == nil || len(r.cache) != 1 {
		t.Errorf("something was kept of a run of bad input: %v", err)
	}
}

// TestReusableWorkflow plays the workflow that others call: what their job sets up is
// there, and the secret reaches a header and no log.
func TestReusableWorkflow(t *testing.T) {
	bynight.Only(t, "TestAction plays the same steps, TestWorkflows reads these")
	t.Parallel()
	r := newRunner(t)
	var flow struct {
		On struct {
			Call struct {
				Inputs map[string]struct{ Default string }
			} `yaml:"workflow_call"`
		}
		Jobs map[string]struct {
			Steps []step
		}
	}
	r.read(github+"workflows/streams.yml", &flow)
	context := map[string]string{"secrets.API_KEY": "sesame"}
	for name, in := range flow.On.Call.Inputs {
		context["inputs."+name] = in.Default
	}
	context["inputs.setup"] = "printf 'stream: {path: \"/stream?events=5&gap=20ms\", headers: {X-API-Key: \"${API_KEY}\"}}\\n" +
		"load: {streams: 4}\\nscenarios: [control]\\n' >streamproof.yaml"
	played := false
	r.inWorkflow = true
	for _, s := range flow.Jobs["run"].Steps {
		r.context = context
		name, _, _ := strings.Cut(s.Uses, "@")
		switch {
		case s.If != "" && !r.holds(s.If), name == "actions/checkout":
		case name == "streamproof/streamproof/.github/actions/run":
			with := map[string]string{}
			for k, v := range s.With {
				with[k] = r.fill(v)
			}
			for k, v := range s.Env {
				r.env = append(r.env, k+"="+r.fill(v))
			}
			r.inWorkflow = false
			out, code := r.play(github+"actions/run/action.yml", with, "1")
			r.inWorkflow = true
			if played = true; code != 0 || out["verdict"] != "pass" {
				t.Errorf("code %d, outputs %q\n%s", code, out, r.log)
			}
		default:
			if code := r.step(s); code != 0 {
				t.Fatalf("step %q: code %d\n%s", s.Name, code, r.log)
			}
		}
	}
	if !played {
		t.Error("the workflow does not use the action")
	}
	if strings.Contains(r.log+r.summary, "sesame") {
		t.Errorf("the secret is in the log:\n%s", r.log)
	}
	runFolder(t, r.kept)
}

func runFolder(t *testing.T, kept []string) {
	t.Helper()
	if len(kept) != 1 {
		t.Fatalf("%d artefacts, want 1", len(kept))
	}
	for _, name := range []string{"plan.json", "verdict.json", "junit.xml", "summary.md", "report.html"} {
		if _, err := os.Stat(filepath.Join(kept[0], name)); err != nil {
			t.Error(err)
		}
	}
}

// TestGitLab runs the lines of the snippet, all in one shell as GitLab does, with the
// variables and the paths of the image that it names.
func TestGitLab(t *testing.T) {
	bynight.Only(t, "TestAction plays the same steps, TestWorkflows reads these")
	t.Parallel()
	r := newRunner(t)
	var file struct {
		Variables   map[string]string
		Streamproof struct {
			BeforeScript []string `yaml:"before_script"`
			Script       []string
			Artifacts    struct {
				Paths   []string
				Reports struct{ JUnit string }
			}
		}
	}
	r.read(github+"gitlab/streamproof.yml", &file)
	job := file.Streamproof
	if err := os.WriteFile(filepath.Join(r.work, file.Variables["STREAMPROOF_CONFIG"]),
		[]byte("load: {streams: 4}\nscenarios: [control]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("nginx"); err != nil {
		job.BeforeScript = job.BeforeScript[:1] // installing it is no business of a test
	}
	cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(slices.Concat(job.BeforeScript, job.Script), "\n"))
	cmd.Dir, cmd.Env = r.work, append(slices.Clone(r.env), "GITLAB_CI=true", "CI_PROJECT_DIR="+r.work,
		"GOPATH="+filepath.Join(r.home, "go"), "PATH="+filepath.Join(r.home, "go", "bin")+string(os.PathListSeparator)+r.path)
	file.Variables["STREAMPROOF_ARGS"] = "--seed 7"
	for name, value := range file.Variables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && !excused(code) {
		t.Errorf("%v\n%s", err, out)
	}
	for _, kept := range append(job.Artifacts.Paths, job.Artifacts.Reports.JUnit) {
		if _, err := os.Stat(filepath.Join(r.work, kept)); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// Every action that our workflows use has an exact version, and what is released is
// what is built for each change.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	r := &runner{T: t}
	files, err := filepath.Glob(github + "workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflow: %v", err)
	}
	type job struct {
		Steps    []step
		Strategy struct {
			Matrix struct{ Goos, Goarch []string }
		}
	}
	var build job
	for _, file := range files {
		var flow struct{ Jobs map[string]job }
		r.read(file, &flow)
		for _, j := range flow.Jobs {
			for _, s := range j.Steps {
				ours := strings.HasPrefix(s.Uses, "./") || strings.HasPrefix(s.Uses, "streamproof/streamproof/")
				if s.Uses != "" && !ours && !pinned.MatchString(s.Uses) {
					t.Errorf("%s: %q has no exact version", file, s.Uses)
				}
				if expression.MatchString(s.Run) {
					t.Errorf("%s: step %q has an expression in its script", file, s.Name)
				}
			}
		}
		if b, ok := flow.Jobs["build"]; ok {
			build = b
		}
	}
	var release struct {
		Version int
		Builds  []struct {
			Main         string
			Env          []string
			Goos, Goarch []string
		}
	}
	r.read(github+"goreleaser.yaml", &release)
	if release.Version != 2 || len(release.Builds) == 0 {
		t.Fatalf("goreleaser: %+v", release)
	}
	for _, b := range release.Builds {
		if !slices.Equal(b.Goos, build.Strategy.Matrix.Goos) || !slices.Equal(b.Goarch, build.Strategy.Matrix.Goarch) {
			t.Errorf("%s is released for %v %v, and built for %v", b.Main, b.Goos, b.Goarch, build.Strategy.Matrix)
		}
		if !slices.Contains(b.Env, "CGO_ENABLED=0") {
			t.Errorf("%s is not static", b.Main)
		}
		if _, err := os.Stat(filepath.Join("../..", b.Main)); err != nil {
			t.Error(err)
		}
	}
}
