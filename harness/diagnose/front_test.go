package diagnose_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// A client that hung up on the edge, where we did not, is something in front of it: neither
// the edge nor the app is blamed for what that did. Few such lines among many cuts say little.
func TestCutsInFrontOfTheEdge(t *testing.T) {
	silent := synth.Shape{Keep: 5, End: func(s *record.Stream, last time.Duration) { synth.FIN(s, last); s.End = last + 2*sec }}
	for lines, front := range map[int]bool{8: true, 2: false, 0: false} {
		b := stranger()
		ends := spreadOut(b, 8, silent)
		logAt(b, logline.HAProxy, ends[:lines], func(int) string {
			return `127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe be/s1 0/0/0/1/602 200 3120 - - CD-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`
		})
		causes := toldOf(b)
		if len(causes) == 0 {
			t.Fatalf("%d lines: no cause", lines)
		}
		c := causes[0]
		if got := c.Cause == diagnose.ConnectionCut && c.Confidence == "likely" && c.Count == 8; got != front {
			t.Errorf("%d lines:\n%s", lines, evidence(causes))
		}
	}
}

// A process that crashes takes all of its streams, however its runtime says so.
func TestCrashInTheLog(t *testing.T) {
	node := []string{"/srv/app.js:9", "Error: boom", "    at Timeout._onTimeout (/srv/app.js:9:11)", "", "Node.js v20.11.0"}
	golang := []string{"panic: boom", "", "goroutine 7 [running]:", "main.work()", "\t/srv/main.go:9 +0x1d", "exit status 2"}
	for name, tt := range map[string]struct {
		lines []string
		want  bool
	}{
		"Node":             {node, true},
		"Node, caught":     {node[:3], false},
		"Go":               {golang, true},
		"Go, recovered":    {[]string{golang[0], "goroutine 7 [running]:", "runtime/debug.Stack()", "\t/usr/local/go/src/runtime/debug/stack.go:26"}, false},
		"gunicorn":         {[]string{"[2026-11-25 12:00:02 +0000] [1] [ERROR] Worker (pid:12) exited with code 1"}, true},
		"gunicorn, abort":  {[]string{"[2026-11-25 12:00:02 +0000] [1] [ERROR] Worker (pid:12) was sent SIGABRT!"}, true},
		"PHP-FPM":          {[]string{"[25-Nov-2026 12:00:02] WARNING: [pool www] child 12 exited with code 255 after 3 seconds from start"}, true},
		"PHP-FPM, as ever": {[]string{"[25-Nov-2026 12:00:02] NOTICE: [pool www] child 12 exited with code 0 after 3 seconds from start"}, false},
	} {
		b := stranger()
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 90 * ms, Events: 80, Mute: true, Keep: 20, End: synth.CutAt(2500 * ms)}
		})
		b.Log(record.AppLog)
		for _, text := range tt.lines {
			line(b, 0, 2480*ms, text)
		}
		causes := toldOf(b)
		if got := len(causes) > 0 && causes[0].Cause == diagnose.WorkerKilled && causes[0].Confidence == "certain" && causes[0].Count == 8; got != tt.want {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}

// A request to stop in a log, which may be that of another process, explains no cuts that
// come one by one long after it, nor those of which the edge says that it timed out.
func TestAskToStopOfAnother(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(i int) time.Duration
		edge bool
		want bool
	}{
		"at one moment":             {func(int) time.Duration { return 8 * sec }, false, true},
		"one by one":                {func(i int) time.Duration { return 20*sec + time.Duration(i)*900*ms }, false, false},
		"at one moment, timed out":  {func(int) time.Duration { return 8 * sec }, true, false},
		"at the moment of the line": {func(int) time.Duration { return 5100 * ms }, false, true},
	} {
		b := stranger()
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Start: 4*sec + time.Duration(i)*100*ms, Events: 600, Mute: true, Keep: 3, End: synth.CutAt(tt.end(i))}
		})
		b.Log(record.AppLog)
		line(b, 0, 5*sec, "received SIGTERM, draining")
		if tt.edge {
			b.Log(record.NginxError)
			for i := range 8 {
				line(b, 1, tt.end(i), ngx("upstream timed out (110: Connection timed out) while reading upstream", "/")(0))
			}
		}
		causes := toldOf(b)
		if got := blamed(causes, diagnose.GraceTooShort) == "likely"; got != tt.want {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}
