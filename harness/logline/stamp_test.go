package logline

import (
	"testing"
	"time"
)

// All forms of one moment, 2026-11-25 07:56:02.25 UTC, as they are written with
// their default settings.
func TestStamp(t *testing.T) {
	moment := time.Date(2026, 11, 25, 7, 56, 2, 0, time.UTC)
	quarter := moment.Add(250 * time.Millisecond)
	for _, tt := range []struct {
		name, line string
		at         time.Time
		unit       time.Duration
		zoned      bool
	}{
		{"nginx $msec", `1795593362.250 n-1 200 0.412 88`, quarter, time.Millisecond, true},
		{"squid, ms", `1795593362250 something`, quarter, time.Millisecond, true},
		{"nginx error", "2026/11/25 07:56:02 [error] 7#7: *1 upstream prematurely closed", moment, time.Second, false},
		{"Go's log", "2026/11/25 07:56:02.250000 hello", quarter, time.Microsecond, false},
		{"gunicorn", "[2026-11-25 07:56:02 +0000] [12] [CRITICAL] WORKER TIMEOUT (pid:13)", moment, time.Second, true},
		{"gunicorn elsewhere", "[2026-11-25 09:56:02 +0200] [12] [INFO] Booting", moment, time.Second, true},
		{"Python", "2026-11-25 07:56:02,250 INFO, hello", quarter, time.Millisecond, false},
		{"Python, level first", "INFO:root:2026-11-25 07:56:02,250 hello", quarter, time.Millisecond, false},
		{"docker", "2026-11-25T07:56:02.250000000Z INFO: Started", quarter, time.Microsecond, true},
		{"RFC 3339 with a zone", "2026-11-25T08:56:02.25+01:00 x", quarter, 10 * time.Millisecond, true},
		{"slog", `time=2026-11-25T08:56:02.250+01:00 level=ERROR msg="x"`, quarter, time.Millisecond, true},
		{"logrus", `time="2026-11-25T07:56:02Z" level=error msg="x"`, moment, time.Second, true},
		{"common log", `127.0.0.1 - - [25/Nov/2026:07:56:02 +0000] "GET / HTTP/1.1" 200 5`, moment, time.Second, true},
		{"common log, west", `127.0.0.1 - - [25/Nov/2026:02:56:02 -0500] "GET / HTTP/1.1" 200 5`, moment, time.Second, true},
		{"HAProxy", `127.0.0.1:5000 [25/Nov/2026:07:56:02.250] fe be/s 0/0/0/1/2 200 5 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, quarter, time.Millisecond, false},
		{"Apache", "[Wed Nov 25 07:56:02.250000 2026] [proxy_http:error] [pid 1:tid 2] x", quarter, time.Microsecond, false},
		{"PHP", "[25-Nov-2026 07:56:02 UTC] PHP Fatal error: x", moment, time.Second, true},
		{"PHP-FPM", "[25-Nov-2026 07:56:02] WARNING: [pool www] child 12 exited on signal 9", moment, time.Second, false},
		{"PHP-FPM slow log", "[25-Nov-2026 07:56:02]  [pool www] pid 12", moment, time.Second, false},
		{"java.util.logging", "Nov 25, 2026 7:56:02 AM com.example.App handle", moment, time.Second, false},
		{"Ruby", "E, [2026-11-25T07:56:02.250000 #12] ERROR -- : boom", quarter, time.Microsecond, false},
		{"Puma", "2026-11-25 07:56:02 +0000 Rack app (\"GET /\" - (127.0.0.1)): #<RuntimeError: boom>", moment, time.Second,
			true},
		{"lighttpd", "2026-11-25 07:56:02: (gw_backend.c.2345) read timeout", moment, time.Second, false},
		{"logback with date", "2026-11-25 07:56:02.250 [main] ERROR x", quarter, time.Millisecond, false},
		{"Rust's env_logger", "[2026-11-25T07:56:02Z ERROR x] y", moment, time.Second, true},
		{"zerolog", `{"level":"info","time":"2026-11-25T07:56:02Z","message":"x"}`, moment, time.Second, true},
		{"zap", `{"level":"info","ts":1795593362.25,"msg":"x"}`, quarter, time.Millisecond, true},
		{"pino", `{"level":30,"time":1795593362250,"pid":1,"msg":"x"}`, quarter, time.Millisecond, true},
		{"µs", `{"ts":1795593362250000}`, quarter, time.Millisecond, true},
		{"our origin", `{"t":1795593362250000000}`, quarter, time.Microsecond, true},
		{"logstash", `{"@timestamp":"2026-11-25T07:56:02.250Z","message":"x"}`, quarter, time.Millisecond, true},
		{"python-json-logger", `{"asctime": "2026-11-25 07:56:02,250", "message": "x"}`, quarter, time.Millisecond, false},
		{"compose", "app-1  | 2026-11-25T07:56:02.250Z hello", quarter, time.Millisecond, true},
		{"winston", "2026-11-25T07:56:02.250Z [error]: x", quarter, time.Millisecond, true},
	} {
		got, ok := Stamp(tt.line)
		if !ok || !got.At.Equal(tt.at) || got.Unit != tt.unit || got.Zoned != tt.zoned || got.NoDate || got.NoYear {
			t.Errorf("%s: %+v, %v; want %v, unit %v, zoned %v", tt.name, got, ok, tt.at, tt.unit, tt.zoned)
		}
	}
}

// Stamps that lack their year or their date.
func TestShortStamp(t *testing.T) {
	for name, line := range map[string]string{
		"klog":              "E1125 07:56:02.250000       1 x.go:12] boom",
		"syslog":            "Nov 25 07:56:02 host haproxy[12]: Proxy fe stopped",
		"syslog, short day": "Nov  5 07:56:02 host app: x",
	} {
		if got, ok := Stamp(line); !ok || !got.NoYear || got.NoDate {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if got, ok := Stamp("07:56:02.250 [main] ERROR com.example.App -- boom"); !ok || !got.NoDate ||
		got.Unit != time.Millisecond {
		t.Errorf("logback: %+v, %v", got, ok)
	}
}

func TestNoStamp(t *testing.T) {
	for _, line := range []string{"", `INFO:     127.0.0.1:1234 - "GET / HTTP/1.1" 200 OK`,
		"Traceback (most recent call last):", "12345.678 x", `{"a":1}`, `{"t":"x"}`, `{"t":17640576`,
		"[INFO] hello, this is long", `  File "/app/main.py", line 12, in gen`, "listening on 127.0.0.1:8000"} {
		if got, ok := Stamp(line); ok {
			t.Errorf("%q has the time %v", line, got)
		}
	}
}

func FuzzStamp(f *testing.F) {
	f.Add("2026/11/25 07:56:02 [error] x")
	f.Add(`{"t":1764057362500000000}`)
	f.Add("1764057362.500 x")
	f.Add("[Wed Nov 25 07:56:02.250000 2026] x")
	f.Fuzz(func(t *testing.T, line string) {
		if got, ok := Stamp(line); ok && (got.Unit <= 0 || got.Unit > time.Second) {
			t.Errorf("%q: unit %v", line, got.Unit)
		}
	})
}
