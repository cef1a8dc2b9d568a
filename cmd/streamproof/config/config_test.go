package config

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
)

const everyKey = `
app:
  command: python3 -m app --port {port} "two words"
  port: 8000
  health: /healthz
  start: 5s
  grace: 2s
  env: {B: "2", A: one}
  memory: 256MiB
  cpus: 1.5
  pids: 200
  shm: 128MiB
  ledger: /ledger?nonce={nonce}
  replicas: 2
  workers: 3
edge: {form: default, read_timeout: 2s, nginx_conf: nginx.conf}
stream:
  path: /chat
  method: POST
  headers: {Authorization: "Bearer ${API_KEY}"}
  body: '{"q": "hi"}'
  dialect: openai-chat
  length: 12kB
load: {rate: 90/m, ramp: 2s, duration: 30s}
limits: {gap: 3s, total: 1m}
thresholds: {first_event: 1s, max_gap: 2s, total: 20s}
logs: {nginx_error: /var/log/nginx/error.log, app: [app.log, /var/log/other.log]}
scenarios: [control, stall]
suites: {merge: [smoke, "tag:network"], one: cut}
retries: 2
flaky: pass
quarantine: [{scenario: stall, reason: APP-1, until: 2026-12-31}]
strict: true
allow_unable: true
allow_hosts: [chat.internal]
seed: 18446744073709551615
`

func TestOptionsCarryEveryKey(t *testing.T) {
	f, err := Parse("conf/streamproof.yaml", []byte(everyKey))
	if err != nil {
		t.Fatal(err)
	}
	o := f.Options()
	want := harness.App{
		Command: []string{"python3", "-m", "app", "--port", "{port}", "two words"}, Port: 8000, Health: "/healthz",
		Start: 5 * time.Second, Grace: 2 * time.Second, Env: []string{"A=one", "B=2"}, Dir: "conf",
		Memory: 256 << 20, CPUs: 1.5, Pids: 200, Shm: 128 << 20, Ledger: "/ledger?nonce={nonce}", Replicas: 2, Workers: 3,
		Edge: stack.Edge{Form: stack.EdgeDefault, ReadTimeout: 2 * time.Second, NginxConf: "conf/nginx.conf"},
		Logs: []harness.LogFile{{Kind: "app", Path: "conf/app.log"}, {Kind: "app", Path: "/var/log/other.log"},
			{Kind: "nginx_error", Path: "/var/log/nginx/error.log"}},
		Stream: harness.Stream{Path: "/chat", Method: "POST",
			Headers: map[string]string{"Authorization": "Bearer ${API_KEY}"}, Body: `{"q": "hi"}`, Dialect: "openai-chat",
			Length: 12000},
	}
	if d := cmp.Diff(want, o.App); d != "" {
		t.Errorf("app (-want +got):\n%s", d)
	}
	if d := cmp.Diff(harness.Load{Rate: 1.5, Ramp: 2 * time.Second, Duration: 30 * time.Second}, o.Load); d != "" {
		t.Errorf("load (-want +got):\n%s", d)
	}
	if o.GapLimit != 3*time.Second || o.Total != time.Minute || o.Thresholds.MaxGap != 2*time.Second || !o.Strict ||
		!f.AllowUnable || o.Seed != 1<<64-1 {
		t.Errorf("limits, thresholds, strict or seed lost: %+v", o)
	}
	if d := cmp.Diff(Names{"control", "stall"}, f.Scenarios); d != "" {
		t.Error(d)
	}
}

func TestOtherShapes(t *testing.T) {
	for name, src := range map[string]string{
		"empty":         "",
		"only comments": "# nothing yet\n",
		"empty section": "app:\nload:\n",
		"one scenario":  "scenarios: control\n",
		"command list":  "app: {command: [python3, app.py]}\n",
		"bare rate":     "load: {rate: 20, duration: 1s}\n",
		"zero duration": "load: {ramp: 0}\n",
		"compose":       "app: {compose: docker-compose.yml, service: api}\n",
		"document mark": "---\nstrict: true\n",
		"anchor":        "stream: {headers: &h {A: b}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("streamproof.yaml", []byte(src)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestErrorsNamePlaceAndFix(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"unknown key", "lod:\n  streams: 5\n", `c.yaml:1:1: unknown key "lod"; did you mean "load"?`},
		{"unknown nested key", "load:\n  stream: 5\n", `c.yaml:2:3: unknown key "stream"; did you mean "streams"?`},
		{"key of the top level", "app:\n  scenarios: [control]\n",
			`c.yaml:2:3: unknown key "scenarios"; it belongs on the top level`},
		{"key of another section", "app:\n  path: /x\n", `c.yaml:2:3: unknown key "path"; it belongs below stream:`},
		{"key of another section, near one of this", "stream:\n  ledger: /l\n",
			`c.yaml:2:3: unknown key "ledger"; it belongs below app:`},
		{"far from all", "edge:\n  zzzzzzzz: 1\n", `c.yaml:2:3: unknown key "zzzzzzzz"; known are form, read_timeout, ` +
			`send_timeout, shutdown_timeout, keep_alive, connections, idle_timeout, nginx_conf`},
		{"in flow style", "load: {steams: 3}\n", `c.yaml:1:8: unknown key "steams"; did you mean "streams"?`},
		{"duration without unit", "limits:\n  gap: 30\n",
			`c.yaml:2:8: duration "30" has no unit; write 30s for seconds or 30ms for milliseconds`},
		{"bad duration", "limits:\n  gap: soon\n", `c.yaml:2:8: "soon" is no duration; write it like 500ms, 30s or 2m`},
		{"negative duration", "load: {ramp: -2s}\n",
			`c.yaml:1:14: duration "-2s" is negative; write it like 500ms, 30s or 2m`},
		{"bad rate", "load:\n  rate: 20/fortnight\n", `c.yaml:2:9: "20/fortnight" is no rate; write it like 20/s or 90/m`},
		{"zero rate", "load:\n  rate: 0\n", `c.yaml:2:9: rate "0" sends no streams; ask for more than 0, like 20/s`},
		{"zero streams", "load:\n  streams: 0\n", `c.yaml:2:12: 0 is too few; ask for at least 1`},
		{"bad count", "load:\n  streams: many\n", `c.yaml:2:12: "many" is no number; write a whole number`},
		{"part of a count", "load:\n  streams: 1.5\n", `c.yaml:2:12: "1.5" is not a whole number; write a whole number`},
		{"a tab", "app:\n\turl: x\n", `c.yaml:2:1: the line begins with a tab; indent with spaces: YAML allows no tabs there`},
		{"UTF-16", "\xff\xfea\x00p\x00p\x00", `c.yaml: it is not UTF-8 text: it is UTF-16, or no text at all; save it as UTF-8`},
		{"Latin-1", "app:\n  url: caf\xe9\n", `c.yaml:2:11: byte 0xe9 is not UTF-8; save the file as UTF-8`},
		{"a byte order mark before a mistake", "\ufeffap: {}\n", `c.yaml:1:1: unknown key "ap"; did you mean "app"?`},
		{"unclear size", "app: {memory: 256m}\n",
			`c.yaml:1:15: size "256m" has an unclear unit; write 256MiB for powers of 1024`},
		{"bad size", "app: {memory: lots}\n", `c.yaml:1:15: "lots" is no size; write it like 256MiB or 1GiB`},
		{"bad port", "app: {port: 70000}\n", `c.yaml:1:13: "70000" is no port; name one from 1 to 65535`},
		{"map for a duration", "limits: {gap: {s: 3}}\n", `c.yaml:1:15: a duration is expected here; write a duration`},
		{"unknown dialect", "stream: {dialect: openai}\n",
			`c.yaml:1:19: unknown dialect "openai"; did you mean "openai-chat" or "openai-responses"?`},
		{"unknown form", "edge: {form: streamin}\n", `c.yaml:1:14: unknown edge form "streamin"; did you mean "streaming"?`},
		{"unknown kind of log", "logs: {nginx_errors: x.log}\n",
			`c.yaml:1:8: unknown kind of log "nginx_errors"; did you mean "nginx_error"?`},
		{"open quote", "app: {command: \"python3 'app.py\"}\n",
			`c.yaml:1:16: command has an open quote; close it, or write the command as a list`},
		{"a script", "app: {command: \"cd app && ./serve\"}\n", "c.yaml:1:16: command needs a shell: 1:8: `&&` is not a " +
			"valid word; quote it, or write the command as [sh, -c, \"…\"]"},
		{"text for a flag", "strict: sometimes\n", `c.yaml:1:9: true or false is expected here`},
		{"text for a map", "app: yes please\n", `c.yaml:1:6: a map of keys to values is expected here`},
		{"list at the top", "- app\n", `c.yaml:1:1: a map of keys to values is expected here; known keys are app, edge, ` +
			`stream, tls, load, load_workers, fleet, limits, thresholds, slo, logs, scenarios, define, require, suites, retries, flaky, ` +
			`quarantine, dialects, strict, allow_unable, ` +
			`allow_hosts, seed`},
		{"two documents", "strict: true\n---\nseed: 1\n", `c.yaml:3:5: a second document; keep one per file`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(tt.src))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("no *Error: %v", err)
			}
			if e.Error() != tt.want {
				t.Errorf("\n got %s\nwant %s", e, tt.want)
			}
			var u *harness.UsageError
			if !errors.As(err, &u) {
				t.Error("not a usage error: it would end with another exit code")
			}
		})
	}
}

func TestBrokenYAMLHasAPlace(t *testing.T) {
	for _, src := range []string{"app: {port: 1\n", "app:\n\tport: 1\n", "load: {streams: 1, streams: 2}\n", "a: b: c\n"} {
		_, err := Parse("c.yaml", []byte(src))
		var e *Error
		if !errors.As(err, &e) || e.Source == "" {
			t.Errorf("%q: no place in %v", src, err)
		}
	}
}

func TestCaretStandsUnderTheValue(t *testing.T) {
	_, err := Parse("c.yaml", []byte("# ünder\nlimits:\n  gap: soon\n"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := "    3 |   gap: soon\n      |        ^"
	if e.Source != want {
		t.Errorf("\n got %q\nwant %q", e.Source, want)
	}
}

func TestLocateFindsTheNearestPlace(t *testing.T) {
	f, err := Parse("c.yaml",
		[]byte("load:\n  streams: 3\nscenarios: [control, stall]\nstream:\n  headers:\n    A-b: c\n"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"load.streams":       "c.yaml:2:12: p; f",
		"scenarios[1]":       "c.yaml:3:22: p; f",
		"scenarios[7]":       "c.yaml:3:12: p; f",
		"stream.headers.A-b": "c.yaml:6:10: p; f",
		"limits.gap":         "c.yaml: limits.gap: p; f",
	} {
		if got := f.Locate(path, "p", "f").Error(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", path, got, want)
		}
	}
}
