package record

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stamped gives lines of an attached log their times.
func stamped(c lineClock, kind LogKind, seen Arrivals, texts ...string) []Line {
	l := Log{Kind: kind}
	for i, t := range texts {
		l.Lines = append(l.Lines, Line{N: i + 1, At: Never, Text: t})
	}
	c.stamp(&l, seen)
	return l.Lines
}

func TestLineTimes(t *testing.T) {
	start := time.Date(2026, 11, 25, 7, 56, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, line string
		at, within time.Duration
	}{
		{"with a zone", "2026-11-25T08:56:02.250+01:00 x", 2250 * time.Millisecond, time.Millisecond},
		{"in whole seconds", "2026/11/25 07:56:02 [error] 7#7: *1 upstream prematurely closed connection", 2 * time.Second,
			time.Second},
		{"without a year", "Nov 25 07:56:02 host app: x", 2 * time.Second, time.Second},
		{"without a date", "07:56:02.250 [main] ERROR x", 2250 * time.Millisecond, time.Millisecond},
		{"no time", "Traceback (most recent call last):", Never, 0},
		{"just after the start, cut to seconds", "2026/11/25 07:55:59.5 x", 0, 0},
		{"before the run", "2026-11-25T07:50:00Z old", outside, 0},
		{"HAProxy, stamped at the beginning",
			`1.2.3.4:5 [25/Nov/2026:07:56:02.250] fe be/s 0/0/0/1/1500 200 5 - - sD-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`,
			3750 * time.Millisecond, time.Millisecond},
	} {
		kind := AppLog
		if strings.HasPrefix(tt.name, "HAProxy") {
			kind = "haproxy"
		}
		l := stamped(lineClock{start: start, to: 10 * time.Second}, kind, Arrivals{}, tt.line)[0]
		if l.At != tt.at || l.At > 0 && l.Within != tt.within {
			t.Errorf("%s: %q is at %v within %v, want %v within %v", tt.name, tt.line, l.At, l.Within, tt.at, tt.within)
		}
	}
}

// A file without zones is in the one in which its lines are of the scenario's
// time, however far that is from ours.
func TestZoneOfALog(t *testing.T) {
	cet := time.FixedZone("", 3600)
	start := time.Date(2026, 11, 25, 8, 56, 0, 0, cet) // 07:56 UTC
	for _, tt := range []struct {
		name, first, second string
		from, to            time.Duration
		want                [2]time.Duration
	}{
		{"this machine's", "2026/11/25 08:56:01 [notice] x", "2026/11/25 08:56:03 [error] x", 0, 5 * time.Second,
			[2]time.Duration{time.Second, 3 * time.Second}},
		{"a container's", "2026/11/25 07:56:01 [notice] x", "2026/11/25 07:56:03 [error] x", 0, 5 * time.Second,
			[2]time.Duration{time.Second, 3 * time.Second}},
		{"India's", "2026/11/25 13:26:01 [notice] x", "2026/11/25 13:26:03 [error] x", 0, 5 * time.Second,
			[2]time.Duration{time.Second, 3 * time.Second}},
		{"Nepal's, without a date", "13:41:01.000 [main] x", "13:41:03.000 [main] x", 0, 5 * time.Second,
			[2]time.Duration{time.Second, 3 * time.Second}},
		{"a container's, late scenario", "2026/11/25 08:56:01 [notice] x", "2026/11/25 08:56:02 [error] x", time.Hour,
			time.Hour + 5*time.Second, [2]time.Duration{time.Hour + time.Second, time.Hour + 2*time.Second}},
		{"no zone at all fits", "2026/11/25 08:44:01 [notice] x", "2026/11/25 08:44:03 [error] x", 0, 5 * time.Second,
			[2]time.Duration{outside, outside}},
	} {
		got := stamped(lineClock{start: start, from: tt.from, to: tt.to}, NginxError, Arrivals{}, tt.first, tt.second)
		if got[0].At != tt.want[0] || got[1].At != tt.want[1] {
			t.Errorf("%s: %v and %v, want %v", tt.name, got[0].At, got[1].At, tt.want)
		}
	}
}

// Who watched the file knows when a line came, to 20 ms where its stamp says the
// second, and where it has none.
func TestArrivalsNarrow(t *testing.T) {
	start := time.Date(2026, 11, 25, 7, 56, 0, 0, time.UTC)
	seen := Arrivals{From: []time.Duration{2300 * time.Millisecond, 2500 * time.Millisecond, 9 * time.Second},
		To:    []time.Duration{2320 * time.Millisecond, 2520 * time.Millisecond, 9020 * time.Millisecond},
		Lines: []int{1, 2, 3}, Whole: []bool{false, false, true}}
	got := stamped(lineClock{start: start, to: 10 * time.Second}, AppLog, seen, "2026-11-25 07:56:02 narrowed",
		"INFO:     no stamp", "a full buffer", "unseen")
	for i, want := range [][2]time.Duration{{2300 * time.Millisecond, 20 * time.Millisecond},
		{2500 * time.Millisecond, 20 * time.Millisecond},
		{2500 * time.Millisecond, 6520 * time.Millisecond}, {Never, 0}} {
		if got[i].At != want[0] || got[i].Within != want[1] {
			t.Errorf("line %d is at %v within %v, want %v", i+1, got[i].At, got[i].Within, want)
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
		for _, e := range []logEntry{{Scenario: "cut", Name: "edge.log", Kind: NginxError},
			{Scenario: "cut", Name: "missing.log", Kind: AppLog}} {
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
		"edge.log": {Kind: NginxError,
			Lines: []Line{{N: 1, At: 2 * time.Second, Text: "2026/11/25 07:56:02 [error] first", Within: time.Second},
				{N: 2, At: Never, Text: "\uFFFD no time"}, {N: 3, At: Never, Text: "last without end"}}},
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

// A file into which several programs wrote is read as one log of each, whose lines keep
// their numbers and have their own clocks. What a stack files itself is what it says.
func TestLogsOfSeveralPrograms(t *testing.T) {
	text := strings.Join([]string{
		`nginx-1  | 2026/11/25 07:56:02 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading ` +
			`upstream`,
		`app-1    | [2026-11-25 07:56:02 +0000] [9] [ERROR] Exception in ASGI application`,
		`nginx-1  | 172.18.0.1 - - [25/Nov/2026:08:56:02 +0100] "GET /chat HTTP/1.1" 200 74 "-" "x"`,
		`app-1    |   File "/srv/a.py", line 3, in f`,
		`redis-1  | 1:M 25 Nov 2026 07:56:03.250 * Background saving started`,
	}, "\n")
	dir := folder(t, func(w *Writer) {
		if err := errors.Join(w.AttachedLog("cut", "all.log", ""), w.Log("cut", "own.log", AppLog)); err != nil {
			t.Error(err)
		}
	})
	writeLog(t, dir, "cut", "all.log", text)
	writeLog(t, dir, "cut", "own.log", text)
	type line struct {
		n    int
		at   time.Duration
		text string
	}
	want := map[string][]line{
		"all.log nginx_error nginx-1":  {{1, 2 * time.Second, "2026/11/25 07:56:02 [error] 7#7: *1 upstream timed"}},
		"all.log nginx_access nginx-1": {{3, 2 * time.Second, `172.18.0.1 - - [25/Nov/2026:08:56:02 +0100] "GET`}},
		"all.log app app-1": {{2, 2 * time.Second, "[2026-11-25 07:56:02 +0000] [9] [ERROR]"},
			{4, 2 * time.Second, `  File "/srv/a.py"`}},
		"all.log app redis-1": {{5, Never, "1:M 25 Nov 2026"}},
		"own.log app ": {{1, 2 * time.Second, "nginx-1"}, {2, 2 * time.Second, "app-1"},
			{3, 2 * time.Second, "nginx-1"}, {4, Never, "app-1"}, {5, Never, "redis-1"}},
	}
	run := open(t, dir)
	for _, l := range run.Logs {
		name := l.Name + " " + string(l.Kind) + " " + l.Service
		lines, ok := want[name]
		if !ok || len(lines) != len(l.Lines) {
			t.Errorf("%s: %+v", name, l.Lines)
		}
		for i, w := range lines[:min(len(lines), len(l.Lines))] {
			got, timed := l.Lines[i], name != "own.log app "
			if got.N != w.n || !strings.HasPrefix(got.Text, w.text) || timed && got.At != w.at {
				t.Errorf("%s: %+v, want %+v", name, got, w)
			}
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not read: %v", want)
	}
}

// Of the time that a collector put before a line, and that which the program wrote, the more
// exact counts; the collector's is of when the line was written.
func TestTimesOfCollectors(t *testing.T) {
	start := time.Date(2026, 11, 25, 7, 56, 0, 0, time.UTC)
	request := `1.2.3.4:5 [25/Nov/2026:07:56:02.250] fe be/s 0/0/0/1/1500 200 5 - - sD-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`
	dockers := `{"log":"2026/11/25 07:56:03 [error] 7#7: x\n","stream":"stderr","time":"2026-11-25T07:56:03.5Z"}`
	for line, want := range map[string]time.Duration{
		"2026-11-25T07:56:03.760000000Z " + request:                    3760 * time.Millisecond,
		"edge-1  | 2026-11-25T07:56:03.760000000Z " + request:          3760 * time.Millisecond,
		"2026-11-25T08:56:03.760000+01:00 host haproxy[9]: " + request: 3760 * time.Millisecond,
		"Nov 25 07:56:04 host haproxy[9]: " + request:                  3750 * time.Millisecond,
		"edge-1  | " + request:                                         3750 * time.Millisecond,
		"07:56:03 web.1  | 2026-11-25 07:56:03,250 ERROR failed":       3250 * time.Millisecond,
		"07:56:03 web.1  | failed":                                     3 * time.Second,
		dockers:                                                        3500 * time.Millisecond,
		"2026-11-25T07:56:03.500000000Z retry at 2026-11-25T09:00:00Z": 3500 * time.Millisecond,
	} {
		logs := apart(Log{Name: "all.log", Lines: []Line{{N: 1, At: Never, Text: line}}})
		c := lineClock{start: start, to: 10 * time.Second}
		if c.stamp(&logs[0], Arrivals{}); logs[0].Lines[0].At != want {
			t.Errorf("%q is at %v, want %v", line, logs[0].Lines[0].At, want)
		}
	}
}

// A folder from elsewhere cannot make Open read what lies outside.
func TestLogsStayInside(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, func(w *Writer) { w.add(tagLog, logEntry{Scenario: "cut", Name: "link.log", Kind: AppLog}) })
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
	if err := k.readFrom(strings.NewReader(b.String())); err != nil {
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
	got := []int{lines[0].N, lines[10].N, lines[12].N, lines[13].N, lines[32].N}
	if fmt.Sprint(got) != "[1 50 250 981 1000]" {
		t.Errorf("kept %v", got)
	}
}

// One endless line is cut, and the next one is whole again.
func TestEndlessLine(t *testing.T) {
	k := lineKeeper{head: 10, tail: 1}
	text := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), strings.NewReader("\nnext\n\n"))
	if err := k.readFrom(text); err != nil {
		t.Fatal(err)
	}
	lines := k.lines()
	if len(lines) != 3 || len(lines[0].Text) != keepLine || lines[1].Text != "next" || lines[2].Text != "" {
		t.Errorf("%d lines, the first of %d bytes", len(lines), len(lines[0].Text))
	}
}
