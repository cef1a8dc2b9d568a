package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
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
