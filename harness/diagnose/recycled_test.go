package diagnose_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// gunicorn's lines name the worker that wrote them: one that went long ago is not the
// one that was taken for dead.
func TestWhichWorkerWent(t *testing.T) {
	says := func(at time.Duration, pid int, text string) synth.LogLine {
		return synth.LogLine{At: at, Text: fmt.Sprintf("[2026-11-25 12:00:03 +0000] [%d] [INFO] %s", pid, text)}
	}
	const restarts = "Autorestarting worker after current request."
	for _, tt := range []struct {
		name  string
		lines []synth.LogLine
		want  string
	}{
		{"the same worker", append([]synth.LogLine{says(2*sec, 31, restarts)}, gunicornTimeout(6*sec, 31)...),
			diagnose.WorkerRecycled},
		{"another one", append([]synth.LogLine{says(2*sec, 12, restarts)}, gunicornTimeout(6*sec, 31)...),
			diagnose.BlockedLoopTimeout},
		{"sync workers", append([]synth.LogLine{says(0, 10, "Using worker: sync")}, gunicornTimeout(6*sec, 31)...),
			diagnose.SyncWorkerTimeout},
		{"another sync worker", append([]synth.LogLine{says(0, 10, "Using worker: sync"), says(2*sec, 12, restarts)},
			gunicornTimeout(6*sec, 31)...), diagnose.SyncWorkerTimeout},
	} {
		b := stranger()
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 60 * ms, Worker: 31, Events: 100, Keep: 30, End: synth.CutAt(6 * sec)}
		})
		b.Add(8, synth.Shape{Worker: 32, Events: 100})
		app(b, tt.lines...)
		if causes := toldOf(b); len(causes) == 0 || causes[0].Cause != tt.want {
			t.Errorf("%s: want %q:\n%s", tt.name, tt.want, evidence(causes))
		}
	}
}

// A worker that restarts as planned beside the cuts is likely their cause, and none
// where exceptions are.
func TestRecycledQuietly(t *testing.T) {
	for _, raises := range []bool{false, true} {
		b := stranger()
		b.Add(8, synth.Shape{Keep: 10, End: synth.FIN})
		b.Add(8, synth.Shape{})
		lines := []synth.LogLine{at(endOfTen,
			"[2026-11-25 12:00:00 +0000] [12] [INFO] Autorestarting worker after current request.")}
		want, confidence := diagnose.WorkerRecycled, "likely"
		if raises {
			lines = append(lines, exceptions(8, endOfTen)...)
			want, confidence = diagnose.AppError, "certain"
		}
		app(b, lines...)
		if c := toldOf(b); len(c) == 0 || c[0].Cause != want || c[0].Confidence != confidence {
			t.Errorf("raises %v: want %s %q:\n%s", raises, confidence, want, evidence(c))
		}
	}
}

// A reload beside exceptions is not their cause, and one of our own nginx whose old
// workers have no time limit ends nothing.
func TestReloadThatEndsNothing(t *testing.T) {
	const reload = "2026/11/25 12:00:00 [notice] 7#7: signal 1 (SIGHUP) received from 9, reconfiguring"
	for _, tt := range []struct {
		name   string
		raises bool
		limit  string
		want   bool
	}{
		{"nothing else", false, "", true},
		{"exceptions", true, "", false},
		{"no limit", false, "none", false},
	} {
		b := stranger()
		if tt.limit != "" {
			b.Run.Plan.App = record.App{}
			layer := record.Layer{Name: "nginx", Settings: map[string]string{"worker_shutdown_timeout": tt.limit,
				"proxy_http_version": "1.1"}}
			b.Run.Plan.Scenarios[0].Layers = append(b.Run.Plan.Scenarios[0].Layers, layer)
		}
		b.Add(10, synth.Shape{Keep: 10, End: synth.FIN})
		nginx(b, at(endOfTen-50*ms, reload))
		app(b)
		if tt.raises {
			app(b, exceptions(10, endOfTen)...)
		}
		c := toldOf(b)
		if got := len(c) > 0 && c[0].Cause == diagnose.EdgeReloaded; got != tt.want {
			t.Errorf("%s: %v, want %v:\n%s", tt.name, got, tt.want, evidence(c))
		}
	}
}
