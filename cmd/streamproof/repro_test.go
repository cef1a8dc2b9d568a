package main

import (
	"cmp"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/stack/settings"
)

func parsed(t *testing.T, args ...string) *cobra.Command {
	t.Helper()
	cmd := runCommand()
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestReproRepeatsWhatMatters(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "streamproof run"},
		{[]string{"--seed", "7", "-o", "x", "--quiet", "--no-color", "--export"}, "streamproof run"},
		{[]string{"-f", "my app.yaml"}, "streamproof run --file 'my app.yaml'"},
		{[]string{"--scenario", "cut,stall", "--scenario", "control", "--streams", "5", "--strict"},
			"streamproof run --scenario cut --scenario stall --scenario control --streams 5 --strict"},
		{[]string{"--rate", "90/m", "--duration", "90s", "--ramp", "0"},
			"streamproof run --rate 1.5/s --duration 1m30s --ramp 0s"},
		{[]string{"--strict=false"}, "streamproof run --strict=false"},
		{[]string{"--sentinel", "it's over"}, `streamproof run --sentinel 'it'\''s over'`},
		{[]string{"--sentinel", "\n[it's\\over]\n"}, `streamproof run --sentinel $'\n[it\'s\\over]\n'`},
		{[]string{"--header", "Accept: text/event-stream", "--body", "@q.json"},
			"streamproof run --header 'Accept: text/event-stream' --body @q.json"},
		{[]string{"--header", "Authorization: Bearer ${API_KEY}"},
			"streamproof run --header 'Authorization: Bearer ${API_KEY}'"},
	} {
		if got := repro("run", parsed(t, tt.args...).Flags(), "runs/x"); got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
	}
}

// What repro prints must give the same options again.
func TestReproParses(t *testing.T) {
	args := []string{"--url", "http://127.0.0.1:8000/a?b=c&d=e", "--streams", "3", "--gap-limit", "2s", "--length", "2MiB",
		"--allow-host", "h"}
	first := repro("run", parsed(t, args...).Flags(), "runs/x")
	words := strings.Fields(strings.ReplaceAll(first, "'", ""))
	if again := repro("run", parsed(t, words[2:]...).Flags(), "runs/x"); again != first {
		t.Errorf("\n got %s\nwant %s", again, first)
	}
}

// A quoted word is one word for a shell, the same one, without a character that steers a terminal, and
// shrink reads it so.
func TestQuotedWordsAreReadBack(t *testing.T) {
	for _, word := range []string{"plain", "", "two words", "it's", `"a" $HOME \ ${X} {"q": 1}`,
		"a\nb", "it's\n\t\\n\r", "a\x1b[31mb\x07",
		"next\u0085line", "höhe und 高さ\n", "\xff\xfe", "\xff\n\"1\"", "-x", "a  b",
		"~/x", "*", "a;b", "#a", "\x01\x37"} {
		line := "echo " + quote(word)
		if i := strings.IndexFunc(line, unicode.IsControl); i >= 0 {
			t.Errorf("%q has a control character", line)
		}
		if words, err := settings.Words(line); err != nil || len(words) != 2 || words[1] != word {
			t.Errorf("%s is read as %q, %v", line, words, err)
		}
		out, err := exec.Command("bash", "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("bash reads %s as %q, %v", line, out, err)
		}
	}
}

// Every flag that run takes stands in the line that repeats it as it was given, or has no part in a run.
func TestReproRepeatsEveryFlag(t *testing.T) {
	values := map[string]string{"bool": "true", "uint64": "3", "duration": "90s", "rate": "90/m", "size": "2MiB",
		"n": "7", "factor": "6", "process": "poisson", "stages": "30s:50", "retries": "2", "pass|fail": "pass", "N/OF": "1/2",
		"time": "1s..5s", "url": "http://127.0.0.1:1/a?b=c&d=e", "direct": "http://127.0.0.1:1/a?b=c&d=e",
		"path": "/a?b=c&d=e", "plain-path": "/a?b=c&d=e"}
	runCommand().Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(forgotten, f.Name) || f.Name == "header" || f.Name == "body" || f.Name == "plain-body" {
			return
		}
		value := cmp.Or(values[f.Name], values[f.Value.Type()], "it's a b")
		cmd := parsed(t, "--"+f.Name+"="+value)
		line := repro("run", cmd.Flags(), "runs/x")
		words, err := settings.Words(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			return
		}
		again := parsed(t, words[2:]...).Flags()
		if a, b := valuesOf(again.Lookup(f.Name)), valuesOf(cmd.Flags().Lookup(f.Name)); !slices.Equal(a, b) {
			t.Errorf("%s gives --%s %q, want %q", line, f.Name, a, b)
		}
	})
}

// The line that diagnoses what a run found has none of the flags that diagnose does not take.
func TestRunOnlyFlags(t *testing.T) {
	diagnosing := diagnoseCommand().Flags()
	var missing []string
	runCommand().Flags().VisitAll(func(f *pflag.Flag) {
		if diagnosing.Lookup(f.Name) == nil && !slices.Contains(forgotten, f.Name) {
			missing = append(missing, "--"+f.Name)
		}
	})
	for _, name := range missing {
		if !slices.Contains(diagnose.RunOnly, name) {
			t.Errorf("diagnose.RunOnly lacks %s", name)
		}
	}
	for _, name := range diagnose.RunOnly {
		if !slices.Contains(missing, name) && name != "--list" {
			t.Errorf("diagnose takes %s", name)
		}
	}
}

func TestReproHoldsNoSecret(t *testing.T) {
	const secret = "hunter2"
	got := repro("run", parsed(t,
		"--url", "http://me:"+secret+"@127.0.0.1/chat?api_key="+secret+"&q=1&access_token="+secret,
		"--header", "Authorization: Bearer "+secret, "--header", "X-Api-Key:"+secret, "--header", "X-Session: "+secret,
		"--body", `{"password": "`+secret+`"}`).Flags(), "runs/x")
	want := "streamproof run --url 'http://127.0.0.1/chat?api_key=WITHHELD&q=1&access_token=WITHHELD'" +
		" --header 'Authorization: ${AUTHORIZATION}' --header 'X-Api-Key: ${X_API_KEY}'" +
		" --header 'X-Session: ${X_SESSION}' --body @runs/x/body"
	if got != want || strings.Contains(got, secret) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
