package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// The death of a process of the edge, as its log tells it, explains the streams that ended
// with it, and no others.
func TestEdgeWorkerDied(t *testing.T) {
	const nginxDied = "2026/11/25 12:00:02 [alert] 1#1: worker process 29 exited on signal 11"
	cut := func(b *synth.Builder, n int, end time.Duration) {
		b.Each(n, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 90 * ms, Events: 80, Mute: true, Keep: 12, End: synth.CutAt(end)}
		})
	}
	died := func(b *synth.Builder, kind record.LogKind, at time.Duration, text string) {
		b.Run.Hops = append(b.Run.Hops, record.Hop{Scenario: "control", Name: "edge", Process: "nginx"})
		b.Log(kind)
		line(b, len(b.Run.Logs)-1, at, text)
	}
	for name, tt := range map[string]struct {
		build func(b *synth.Builder)
		level string // of the edge's worker as the cause, "" for none
	}{
		"nginx": {func(b *synth.Builder) { cut(b, 6, 2*sec); died(b, record.NginxError, 2*sec, nginxDied) }, "certain"},
		"others went on": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			b.Add(6, synth.Shape{Events: 80})
			died(b, record.NginxError, 2*sec, nginxDied)
		}, "certain"},
		"HAProxy": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			died(b, logline.HAProxy, 2*sec, "[ALERT]    (1) : Current worker (8) exited with code 139 (Segmentation fault)")
		}, "certain"},
		"Apache": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			died(b, logline.ApacheError, 2*sec,
				"[Wed Nov 25 12:00:02.3 2026] [core:notice] [pid 1:tid 2] AH00052: child pid 9 exit signal Segmentation fault "+
					"(11)")
		}, "certain"},
		"a single stream": {func(b *synth.Builder) { cut(b, 1, 2*sec); died(b, record.NginxError, 2*sec, nginxDied) },
			"likely"},
		"one of several cuts": {func(b *synth.Builder) {
			cut(b, 1, 2*sec)
			cut(b, 2, 4*sec)
			died(b, record.NginxError, 2*sec, nginxDied)
		}, "possible"},
		"no time in the line": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			died(b, record.NginxError, record.Never,
				nginxDied)
		}, "possible"},
		"long before the cuts": {func(b *synth.Builder) {
			cut(b, 6, 4*sec)
			died(b, record.NginxError, 2*sec,
				nginxDied)
		}, ""},
		"after the cuts": {func(b *synth.Builder) {
			cut(b, 6, 1500*ms)
			died(b, record.NginxError, 2*sec,
				nginxDied)
		}, ""},
		"it stopped as it ought": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			died(b, logline.HAProxy, 2*sec, "[NOTICE]   (1) : Current worker (8) exited with code 0 (Exit)")
		}, ""},
		"the edge wrote of the ends": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			died(b, logline.HAProxy, 2*sec, "[ALERT]    (1) : Current worker (8) exited with code 139 (Segmentation fault)")
			for i := range 6 {
				line(b, 0, 2*sec, `127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe be/s1 0/0/0/1/602 200 3120 - - SD-- 1/1/0/0/0 0/0 {nonce-`+string(rune('1'+i))+`} "GET /chat HTTP/1.1"`)
			}
		}, ""},
		"the app died as well": {func(b *synth.Builder) {
			cut(b, 6, 2*sec)
			died(b, record.NginxError, 2*sec, nginxDied)
			b.Happen(record.Event{At: 2 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
				Pid: 11, Code: 9})
		}, ""},
	} {
		b := stranger()
		tt.build(b)
		causes := toldOf(b)
		got := ""
		for _, c := range causes {
			if c.Cause == diagnose.CutByEdge && strings.Contains(c.Summary, "died") {
				got = c.Confidence
				if !strings.Contains(c.Fix, "dmesg") {
					t.Errorf("%s: fix %q", name, c.Fix)
				}
			}
		}
		if got != tt.level {
			t.Errorf("%s: %q, want %q\n%s", name, got, tt.level, evidence(causes))
		}
	}
}

// An edge that may open no more files turns streams away, by its own log.
func TestEdgeWithoutFiles(t *testing.T) {
	refusedBy := func(kind record.LogKind, at time.Duration) *synth.Builder {
		b := stranger()
		b.Add(6, synth.Shape{Keep: synth.KeepNone, Mute: true, End: synth.Status(500)})
		b.Log(kind)
		line(b, 0, at, "2026/11/25 12:00:02 [crit] 29#29: accept4() failed (24: Too many open files)")
		return b
	}
	for name, tt := range map[string]struct {
		b    *synth.Builder
		want bool
	}{
		"the edge has no files":      {refusedBy(record.NginxError, 0), true},
		"it had none at other times": {refusedBy(record.NginxError, 20*sec), false},
		"the app has none":           {refusedBy(record.AppLog, 0), false},
	} {
		causes := toldOf(tt.b)
		if got := len(causes) > 0 && causes[0].Cause == diagnose.EdgeFull; got != tt.want {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}

// What the app's log says of a limit that was reached counts for streams that waited then.
func TestLimitReached(t *testing.T) {
	const full = "[25-Nov-2026 12:00:10] WARNING: [pool www] server reached pm.max_children setting (5), consider " +
		"raising it"
	waiting := func(b *synth.Builder) {
		for range 5 {
			solo(b, "", 100*ms)
		}
		b.Each(12, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 10*sec + time.Duration(i)*10*ms, First: 1500*ms + time.Duration(i*i)*20*ms}
		})
	}
	for name, tt := range map[string]struct {
		at   time.Duration
		text string
		want string
	}{
		"while they waited": {10500 * ms, full, diagnose.ConcurrencyLimit},
		"SQLAlchemy": {11 * sec,
			"sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out",
			diagnose.ConcurrencyLimit},
		"long before":       {2 * sec, full, diagnose.Queue},
		"nobody knows when": {record.Never, full, diagnose.Queue},
		"a log that does not say it": {10500 * ms, "[25-Nov-2026 12:00:10] NOTICE: ready to handle connections",
			diagnose.Queue},
	} {
		b := waitTrial{build: waiting}.run()
		b.Log(record.AppLog)
		line(b, 0, tt.at, tt.text)
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != tt.want {
			t.Errorf("%s: want %q\n%s", name, tt.want, evidence(causes))
		}
	}
	// Streams that were turned away.
	for _, said := range []bool{true, false} {
		b := stranger()
		b.Add(6, synth.Shape{Keep: synth.KeepNone, Mute: true, End: synth.Status(503)})
		if b.Log(record.AppLog); said {
			line(b, 0, 0, full)
		}
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != diagnose.Overloaded || causes[0].Confidence == "certain" != said {
			t.Errorf("said %v:\n%s", said, evidence(causes))
		}
	}
}
