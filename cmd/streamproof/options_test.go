package main

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
)

// merged puts flags over a file.
func merged(t *testing.T, file string, args ...string) harness.Options {
	t.Helper()
	from, err := config.Parse("dir/streamproof.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	var f runFlags
	cmd := &cobra.Command{}
	f.register(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	o, err := (&input{runFlags: f, given: cmd.Flags(), from: from}).options()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func ids(list []harness.Scenario) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.ID)
	}
	return out
}

func TestScenariosAreChosen(t *testing.T) {
	const file = "scenarios: [stall, cut]\n"
	for _, tt := range []struct {
		name, file string
		args       []string
		want       []string
	}{
		{"a URL is met with control", "", []string{"--url", "http://127.0.0.1/"}, []string{"control"}},
		{"a URL in the file too", "app: {url: 'http://127.0.0.1/'}", nil, []string{"control"}},
		{"the file says", file, nil, []string{"stall", "cut"}},
		{"the file says, with a URL", file, []string{"--url", "http://127.0.0.1/"}, []string{"stall", "cut"}},
		{"a flag says more", file, []string{"--scenario", "drain"}, []string{"drain"}},
		{"a sabotage brings its own", file, []string{"--sabotage", "leak"}, []string{"client-abort"}},
		{"unless a flag says", file, []string{"--sabotage", "leak", "--scenario", "control"}, []string{"control"}},
		{"each once", "", []string{"--scenario", "cut,control,cut"}, []string{"cut", "control"}},
	} {
		if got := ids(merged(t, tt.file, tt.args...).Scenarios); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	all := ids(merged(t, "").Scenarios)
	if len(all) < 5 || !slices.Contains(all, "worker-kill") {
		t.Errorf("without any word the suite is %v", all)
	}
	if again := ids(merged(t, "", "--scenario", "standard").Scenarios); !slices.Equal(all, again) {
		t.Errorf("standard is %v, not %v", again, all)
	}
}

func TestFlagsGoBeforeTheFile(t *testing.T) {
	const file = `
app: {command: python3 app.py, port: 8000, health: /healthz}
stream: {path: /chat, method: POST, body: '{}', headers: {A: file, B: file}, dialect: ollama}
load: {streams: 9, duration: 10s, ramp: 3s}
limits: {gap: 3s}
allow_hosts: [a]
`
	o := merged(t, file, "--url", "http://127.0.0.1:9/other?x=1", "--header", "B:flag", "--body", "text",
		"--method", "PUT",
		"--dialect", "text", "--sentinel", "END", "--gap-limit", "1s", "--allow-host", "b", "--ramp", "0s",
		"--strict", "--seed", "3", "-o", "x")
	want := harness.Stream{Method: "PUT", Body: "text", Headers: map[string]string{"A": "file", "B": "flag"},
		Dialect: "text", Sentinel: "END"}
	if d := cmp.Diff(want, o.App.Stream); d != "" {
		t.Errorf("stream (-want +got):\n%s", d)
	}
	if o.App.URL != "http://127.0.0.1:9/other?x=1" || o.App.Command != nil {
		t.Errorf("the URL did not replace the command: %+v", o.App)
	}
	if d := cmp.Diff(harness.Load{Streams: 9, Together: true, Duration: 10 * time.Second}, o.Load); d != "" {
		t.Errorf("load (-want +got):\n%s", d)
	}
	if o.GapLimit != time.Second || !o.Strict || o.Seed != 3 || o.Dir != "x" ||
		!slices.Equal(o.AllowHosts, []string{"a", "b"}) {
		t.Errorf("gap %v, strict %v, seed %d, dir %s, hosts %v", o.GapLimit, o.Strict, o.Seed, o.Dir, o.AllowHosts)
	}
}

// Both models of load at once are a mistake, but a flag for one of them means
// that one.
func TestAFlagChangesTheModelOfLoad(t *testing.T) {
	if l := merged(t, "load: {streams: 9, duration: 1s}", "--rate", "5/s").Load; l.Streams != 0 || l.Rate != 5 {
		t.Errorf("rate over streams: %+v", l)
	}
	if l := merged(t, "load: {rate: 9/s, duration: 1s}", "--streams", "5").Load; l.Streams != 5 || l.Rate != 0 {
		t.Errorf("streams over rate: %+v", l)
	}
	o := merged(t, "", "--streams", "5", "--rate", "5", "--duration", "1s")
	if err := o.Validate(); err == nil {
		t.Error("both models at once are accepted")
	}
}

func TestSeedIsDrawn(t *testing.T) {
	a, b := merged(t, ""), merged(t, "")
	if a.Seed == 0 || a.Seed == b.Seed {
		t.Errorf("seeds %d and %d", a.Seed, b.Seed)
	}
	if s := merged(t, "seed: 8\n").Seed; s != 8 {
		t.Errorf("seed %d, the file says 8", s)
	}
}
