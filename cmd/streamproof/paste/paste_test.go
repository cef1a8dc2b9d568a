package paste

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/verdict"
)

// What cannot be pasted is found, and what can is let pass.
func TestCommand(t *testing.T) {
	for line, ok := range map[string]bool{
		"streamproof run --streams 5   # why not":                                    true,
		"streamproof run http://127.0.0.1:1/x -c 5 -n 10":                            true,
		"streamproof diagnose --url http://127.0.0.1:1 --direct \"$APP_URL\"":        true,
		"apt-get install nginx && streamproof run --scenario read-timeout":           true,
		"streamproof judge runs/latest":                                              true,
		"streamproof history list --last 3":                                          true,
		"streamproof run --terminal 'json .a == \"it'\\''s\"' --ramp 0s --rate 20/s": true,
		"streamproof run --total-limits 5m":                                          false,
		"streamproof run --streams many":                                             false,
		"streamproof run --streams 0":                                                false,
		"streamproof diagnose --ramp 2s":                                             false,
		"streamproof run --terminal '…'":                                             false,
		"streamproof run --terminal 'event =='":                                      false,
		"streamproof run --slo 'gap p99'":                                            false,
		"streamproof run --body '${BODY}' \"$NOT_SET\"":                              false,
		"streamproof run --header 'X: it's'":                                         false,
		"streamproof run --path /a?b=c&d=e":                                          false,
		"streamproof runs":                                                           false,
		"streamproof judge a b":                                                      false,
		"streamproof":                                                                true,
	} {
		if err := Command(line); (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestProse(t *testing.T) {
	for text, ok := range map[string]bool{
		"raise it: --total-limit 10m, or limits.total in the file":            true,
		"for a feed: --endless 10s,5 (stream.endless: {for: 10s, events: 5})": true,
		"your --terminal matches events that others follow":                   true,
		"say with --terminal which event is the last one":                     true,
		"keep the log, and read it: --log app=PATH; see app.log:33":           true,
		"ask for it at once: --path '/a?b=c&d=e'":                             true,
		"add --terminal 'event == bye', or --log KIND=PATH":                   true,
		"the server has 4 threads unless --threads says otherwise":            true,
		"ask for it at once: --path /a?b=c&d=e":                               false,
		"name it: --terminal 'event == it's'":                                 false,
		"raise it: --totals-limit 10m":                                        false,
		"send fewer: --streams 0":                                             false,
		"raise limits.totals in the file":                                     false,
		"for a feed: stream.endless: {for: ten, events: 5}":                   false,
	} {
		if err := Prose(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFix(t *testing.T) {
	for text, ok := range map[string]bool{
		"in the location of the streams:\n    proxy_buffering off;\n    proxy_http_version 1.1;": true,
		"    worker_connections 4096;":                         true,
		"    worker_shutdown_timeout 1h;":                      true,
		"or:\n    SseEmitter emitter = new SseEmitter(0L);":    true,
		"    proxy_buffering none;\n    proxy_bufferings off;": false,
		"    proxy_read_timeout;":                              false,
		"    proxy_read_timeout …;":                            false,
		"    streamproof run --vus 3":                          false,
	} {
		if err := Fix(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Every text of a report is looked at.
func TestReport(t *testing.T) {
	const bad = "use --no-such-flag"
	r := verdict.Report{Repro: "streamproof run --none", Scenarios: []verdict.ScenarioReport{{ID: "s",
		Causes:   []verdict.Cause{{Cause: "c", Settle: "streamproof run --none", Fix: bad, Summary: bad}},
		Doubts:   []verdict.Doubt{{About: "d", Settle: bad}},
		Checks:   []verdict.Check{{Name: "n", Why: bad}},
		Warnings: []verdict.Warning{{Layer: "l", Fix: "    proxy_read_timeout;"}},
	}}}
	wrong := Report(&r, func(s string) bool { return strings.HasPrefix(s, program) })
	if len(wrong) != 7 {
		t.Errorf("%d are found, want 7: %v", len(wrong), wrong)
	}
}
