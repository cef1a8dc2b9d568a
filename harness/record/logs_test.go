package record

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLineTimes(t *testing.T) {
	start := time.Date(2026, 11, 25, 7, 56, 0, 0, time.UTC)
	unix := start.Add(2500 * time.Millisecond).UnixNano()
	tests := []struct {
		name, line string
		want       time.Duration
	}{
		{"nginx access", fmt.Sprintf(`%d.500 n-1 200 0.412 88 127.0.0.1:8001 200 0.006 0.411 93 "OK" "GET / HTTP/1.1"`, unix/1e9), 2500 * time.Millisecond},
		{"nginx error", "2026/11/25 07:56:02 [error] 7#7: *1 upstream prematurely closed connection", 2 * time.Second},
		{"Go log with fraction", "2026/11/25 07:56:02.25 hello", 2250 * time.Millisecond},
		{"gunicorn", "[2026-11-25 07:56:02 +0000] [12] [CRITICAL] WORKER TIMEOUT (pid:13)", 2 * time.Second},
		{"gunicorn elsewhere", "[2026-11-25 09:56:02 +0200] [12] [INFO] Booting", 2 * time.Second},
		{"Python logging", "2026-11-25 07:56:02,250 INFO, hello", 2250 * time.Millisecond},
		{"docker", "2026-11-25T07:56:02.250000001Z INFO: Started", 2250000001},
		{"RFC 3339 with zone", "2026-11-25T08:56:02+01:00 x", 2 * time.Second},
		{"our origin", fmt.Sprintf(`{"t":%d,"level":"INFO","msg":"start"}`, unix), 2500 * time.Millisecond},
		{"zerolog", `{"level":"info","time":"2026-11-25T07:56:02Z","message":"x"}`, 2 * time.Second},
		{"seconds as a float", fmt.Sprintf(`{"ts":%d.5}`, unix/1e9), 2500 * time.Millisecond},
		{"uvicorn", `INFO:     127.0.0.1:1234 - "GET / HTTP/1.1" 200 OK`, Never},
		{"traceback", "Traceback (most recent call last):", Never},
		{"empty", "", Never},
		{"a number", "12345.678 x", Never},
		{"JSON without a time", `{"a":1}`, Never},
		{"JSON with another t", `{"t":"x"}`, Never},
		{"torn JSON", `{"t":17640576`, Never},
		{"a bracket", "[INFO] hello, this is long", Never},
		{"just after the start, cut to seconds", "2026/11/25 07:55:59.5 x", 0},
		{"before the run", "2026/11/25 07:50:00 [notice] old", Never},
	}
	for _, tt := range tests {
		c := lineClock{start: start}
		if got := c.offset(tt.line); got != tt.want {
			t.Errorf("%s: %q is at %v, want %v", tt.name, tt.line, got, tt.want)
		}
	}
}

// A stamp without a zone is the host's or UTC; the first one settles it.
func TestZoneOfALog(t *testing.T) {
	cet := time.FixedZone("", 3600)
	start := time.Date(2026, 11, 25, 8, 56, 0, 0, cet) // 07:56 UTC
	for _, tt := range []struct {
		name, first, second string
		near                time.Duration
		want                [2]time.Duration
	}{
		{"host", "2026/11/25 08:56:01 [notice] x", "2026/11/25 09:56:01 [error] x", 0, [2]time.Duration{time.Second, time.Hour + time.Second}},
		{"container", "2026/11/25 07:56:01 [notice] x", "2026/11/25 08:56:01 [error] x", 0, [2]time.Duration{time.Second, time.Hour + time.Second}},
		{"container, late scenario", "2026/11/25 08:56:01 [notice] x", "2026/11/25 08:56:02 [error] x", time.Hour, [2]time.Duration{time.Hour + time.Second, time.Hour + 2*time.Second}},
	} {
		c := lineClock{start: start, near: tt.near}
		if got := [2]time.Duration{c.offset(tt.first), c.offset(tt.second)}; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// writeLog puts a log file into a run folder.
func writeLog(t *testing.T, dir, scenario, name, text string) {
	t.Helper()
	path := filepath.Join(dir, logsFolder, scenario, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLogsComeBack(t *testing.T) {
	dir := folder(t, func(w *Writer) {
		for _, e := range []logEntry{{"cut", "edge.log", NginxError}, {"cut", "missing.log", AppLog}} {
			if err := w.Log(e.Scenario, e.Name, e.Kind); err != nil {
				t.Error(err)
			}
		}
		if err := w.Log("..", "../../etc/passwd", AppLog); err == nil {
			t.Error("a log outside of the run folder was accepted")
		}
	})
	writeLog(t, dir, "cut", "edge.log", "2026/11/25 07:56:02 [error] first\r\n\xff no time\nlast without end")
	writeLog(t, dir, "cut", "nginx-access.log", "") // the run was killed before it could enter this one
	run := open(t, dir)
	want := map[string]Log{
		"edge.log":         {Kind: NginxError, Lines: []Line{{1, 2 * time.Second, "2026/11/25 07:56:02 [error] first"}, {2, Never, "\uFFFD no time"}, {3, Never, "last without end"}}},
		"missing.log":      {Kind: AppLog},
		"nginx-access.log": {Kind: NginxAccess},
	}
	if len(run.Logs) != len(want) {
		t.Errorf("%d logs, want %d", len(run.Logs), len(want))
	}
	for _, got := range run.Logs {
		w := want[got.Name]
		if got.Scenario != "cut" || got.Kind != w.Kind || fmt.Sprint(got.Lines) != fmt.Sprint(w.Lines) {
			t.Errorf("log %s = %+v, want %+v", got.Name, got, w)
		}
	}
}

// A folder from elsewhere cannot make Open read what lies outside.
func TestLogsStayInside(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, func(w *Writer) { w.add(tagLog, logEntry{"cut", "link.log", AppLog}) })
	writeLog(t, dir, "cut", "other.log", "")
	if err := os.Symlink(secret, filepath.Join(dir, logsFolder, "cut", "link.log")); err != nil {
		t.Fatal(err)
	}
	run := open(t, dir)
	for _, l := range run.Logs {
		if len(l.Lines) > 0 {
			t.Errorf("Open followed a link out of the folder: %+v", l)
		}
	}
	if len(run.Notes) != 1 || run.Notes[0].Kind != NoteDoubt || run.Notes[0].Scenario != "cut" {
		t.Errorf("notes = %+v, want a doubt about the log that cannot be read", run.Notes)
	}
}

func TestGuessKind(t *testing.T) {
	for name, want := range map[string]LogKind{"nginx-access.log": NginxAccess, "error.log": NginxError, "toxiproxy.log": ProxyLog, "app[0].log": AppLog} {
		if got := guessKind(name); got != want {
			t.Errorf("guessKind(%q) = %s, want %s", name, got, want)
		}
	}
}

// A flood is kept within bounds, and trouble in its middle stays.
func TestLogIsBounded(t *testing.T) {
	k := lineKeeper{head: 10, tail: 20, trouble: 3}
	var b strings.Builder
	for n := 1; n <= 1000; n++ {
		if n%100 == 50 {
			fmt.Fprintf(&b, "WORKER TIMEOUT %d\n", n)
		} else {
			fmt.Fprintf(&b, "line %d\n", n)
		}
	}
	if err := k.readFrom(strings.NewReader(b.String()), &lineClock{}); err != nil {
		t.Fatal(err)
	}
	lines := k.lines()
	if len(lines) != 10+3+20 || k.omitted != 1000-len(lines) {
		t.Fatalf("%d lines kept, %d omitted", len(lines), k.omitted)
	}
	for i := 1; i < len(lines); i++ {
		if lines[i].N <= lines[i-1].N {
			t.Errorf("line %d stands behind line %d", lines[i].N, lines[i-1].N)
		}
	}
	if got := []int{lines[0].N, lines[10].N, lines[12].N, lines[13].N, lines[32].N}; fmt.Sprint(got) != "[1 50 250 981 1000]" {
		t.Errorf("kept %v", got)
	}
}

// One endless line is cut, and the next one is whole again.
func TestEndlessLine(t *testing.T) {
	k := lineKeeper{head: 10, tail: 1}
	text := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), strings.NewReader("\nnext\n\n"))
	if err := k.readFrom(text, &lineClock{}); err != nil {
		t.Fatal(err)
	}
	lines := k.lines()
	if len(lines) != 3 || len(lines[0].Text) != keepLine || lines[1].Text != "next" || lines[2].Text != "" {
		t.Errorf("%d lines, the first of %d bytes", len(lines), len(lines[0].Text))
	}
}

func FuzzLineClock(f *testing.F) {
	f.Add("2026/11/25 07:56:02 [error] x")
	f.Add(`{"t":1764057362500000000}`)
	f.Add("1764057362.500 x")
	f.Fuzz(func(t *testing.T, line string) {
		c := lineClock{start: time.Date(2026, 11, 25, 7, 56, 0, 0, time.UTC)}
		if d := c.offset(line); d < 0 && d != Never {
			t.Errorf("%q is at %d", line, d)
		}
	})
}
