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
	for _, tt := range []struct{ got, want string }{
		{at(run, record.AppCommand).peel("why"), `streamproof diagnose --url 'http://127.0.0.1:1/a?b=c&d' --header 'X: it'\''s --streams 3'   # why`},
		{at(run, record.AppURL).peel("why"), `streamproof diagnose --url 'http://127.0.0.1:1/a?b=c&d' --header 'X: it'\''s --streams 3' --direct "$APP_URL"   # why; APP_URL: the app behind its edge`},
		{at("streamproof diagnose -f a.yaml --seed 7", record.AppCommand).peel("why"), "streamproof diagnose -f a.yaml   # why"},
		{at("", record.AppCommand).peel("why"), "streamproof diagnose   # why"},
		{at("go test -run X", record.AppCommand).peel("why"), "run streamproof diagnose on the same app: why"},
		{at(run, record.AppCommand).rerun("--streams 5"), strings.Replace(run, " --streams 9", "", 1) + " --streams 5"},
		{at("streamproof diagnose --seed 7", record.AppCommand).rerun("--ramp 2s"), "streamproof run --seed 7 --ramp 2s"},
		{at("go test -run X", record.AppCommand).rerun("--streams 5"), "run the same test with the equivalent of --streams 5"},
	} {
		if tt.got != tt.want {
			t.Errorf("\n got %s\nwant %s", tt.got, tt.want)
		}
	}
}
