package diagnose

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// What to run next repeats what was run, with other flags.
func TestCommandsRepeatTheRun(t *testing.T) {
	const run = `streamproof run --url 'http://127.0.0.1:1/a?b=c&d' --scenario control,cut --strict --ramp 2s --header 'X: it'\''s --streams 3' --streams 9 --seed 7`
	at := func(repro string, kind record.AppKind) *view {
		return &view{Scope: &verdict.Scope{Run: &record.Run{Plan: record.Plan{Repro: repro, App: record.App{Kind: kind}}}, Scenario: &record.Scenario{ID: "control"}}}
	}
	for _, tt := range []struct {
		got        fact
		want, fill string
	}{
		{at(run, record.AppCommand).peel(fact{Kind: "why"}), `streamproof diagnose --url 'http://127.0.0.1:1/a?b=c&d' --header 'X: it'\''s --streams 3'`, ""},
		{at(run, record.AppURL).peel(fact{Kind: "why"}), `streamproof diagnose --url 'http://127.0.0.1:1/a?b=c&d' --header 'X: it'\''s --streams 3' --direct "$APP_URL"`, "APP_URL"},
		{at("streamproof diagnose -f a.yaml --seed 7", record.AppCommand).peel(fact{Kind: "why"}), "streamproof diagnose -f a.yaml", ""},
		{at("", record.AppCommand).peel(fact{Kind: "why"}), "streamproof diagnose", ""},
		{at("go test -run X", record.AppCommand).peel(fact{Kind: "why"}), "", ""},
		{at(run, record.AppCommand).rerun("--streams 5"), strings.Replace(run, " --streams 9", "", 1) + " --streams 5", "--streams 5"},
		{at("streamproof diagnose --seed 7", record.AppCommand).rerun("--ramp 2s"), "streamproof run --seed 7 --ramp 2s", "--ramp 2s"},
		{at("go test -run X", record.AppCommand).rerun("--streams 5"), "", "--streams 5"},
	} {
		if tt.got.Text != tt.want || tt.got.Name != tt.fill {
			t.Errorf("\n got %s\nwant %s, %q", tt.got, tt.want, tt.fill)
		}
	}
}
