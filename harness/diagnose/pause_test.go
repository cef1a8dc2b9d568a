package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// pausing are streams out of step that are all silent from 3 s on, for 2 s.
func pausing(b *synth.Builder, worker int) {
	b.Each(8, func(i int) synth.Shape {
		return synth.Shape{Worker: worker, Mute: true, Start: time.Duration(i) * 100 * ms, First: 400 * ms, Events: 90,
			HoldFrom: 3 * sec, HoldFor: 2 * sec}
	})
}

// What the process did in a common silence tells whether it stopped, or what it waits for;
// where nothing tells, both are named and neither is claimed.
func TestWhoPaused(t *testing.T) {
	heads := func(b *synth.Builder, in bool) { // an app that sends its heads long before the first events
		b.Each(5, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 6*sec + time.Duration(i)*10*ms, First: 400 * ms}
		})
		b.Add(1, synth.Shape{Mute: true, Start: 3500 * ms, First: 1900 * ms})
		if s := &b.Run.Streams[len(b.Run.Streams)-1]; !in {
			s.Headers = 5050 * ms
		}
	}
	heartbeats := func(b *synth.Builder) { // one every 200 ms where the model is slow
		with(b, func(s *record.Stream) {
			var tl record.Timeline
			n := 0
			for m := range s.Marks() {
				if n++; n%4 == 0 {
					tl.Append(record.Mark{At: m.At, Early: m.At, Kind: stream.Heartbeat})
					s.Heartbeats++
				}
				tl.Append(m)
			}
			s.Events = tl.Bytes
		})
	}
	machine := func(b *synth.Builder, busy func(at time.Duration) float64) {
		for at := 250 * ms; at < 8*sec; at += 250 * ms {
			b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: 250 * ms, Known: true, Whole: true,
				AppRan: time.Duration(busy(at-125*ms) * float64(250*ms))})
		}
	}
	in := func(at time.Duration) bool { return at > 3*sec && at < 5*sec }
	for name, tt := range map[string]struct {
		build  func(b *synth.Builder)
		worker int
		level  string // of the blocked loop, "" for not named first
		says   string
	}{
		"nothing tells": {func(*synth.Builder) {}, 0, "possible",
			"or what all of them wait for paused"},
		"nothing tells, the process is known": {func(*synth.Builder) {}, 7, "possible",
			"or what all of them wait for paused"},
		"asyncio says it": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{5 * sec}, func(int) string {
				return "WARNING:asyncio:Executing <Task finished name='Task-9'> took 2.003 seconds"
			})
		}, 7, "certain", "took 2.003 seconds"},
		"asyncio says it of another time": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{20 * sec}, func(int) string {
				return "WARNING:asyncio:Executing <Task finished name='Task-9'> took 2.003 seconds"
			})
		}, 7, "possible", ""},
		"another process went on": {func(b *synth.Builder) {
			b.Add(3, synth.Shape{Worker: 8, Mute: true,
				Events: 120})
		}, 7, "certain", "other processes"},
		"new requests got no head":   {func(b *synth.Builder) { heads(b, false) }, 0, "likely", "no response head"},
		"a new request got its head": {func(b *synth.Builder) { heads(b, true) }, 0, "", ""},
		"heartbeats stopped":         {heartbeats, 7, "likely", "heartbeat"},
		"it took a whole core": {func(b *synth.Builder) {
			machine(b, func(at time.Duration) float64 { return map[bool]float64{true: 1, false: 0.1}[in(at)] })
		}, 7, "likely", "of a core"},
		"it slept": {func(b *synth.Builder) {
			machine(b, func(at time.Duration) float64 { return map[bool]float64{true: 0, false: 0.1}[in(at)] })
		}, 7, "possible", ""},
		"it is always busy": {func(b *synth.Builder) { machine(b, func(time.Duration) float64 { return 1 }) }, 7,
			"possible", ""},
		"its health check was answered": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{4 * sec}, func(int) string {
				return `10.0.0.1 - - [25/Nov/2026:12:00:04 +0000] "GET /healthz HTTP/1.1" 200 2`
			})
		}, 7, "", ""},
		"its health check was answered before": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{2 * sec}, func(int) string {
				return `10.0.0.1 - - [25/Nov/2026:12:00:02 +0000] "GET /healthz HTTP/1.1" 200 2`
			})
		}, 7, "possible", ""},
		"a line that may have come late": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{4 * sec}, func(int) string {
				return `INFO:     10.0.0.1:5 - "GET /healthz HTTP/1.1" 200 OK`
			})
		}, 7, "possible", ""},
	} {
		b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{GapLimit: 1500 * ms, Checks: checks}})
		pausing(b, tt.worker)
		tt.build(b)
		causes := toldOf(b)
		if len(causes) == 0 {
			t.Errorf("%s: no cause", name)
			continue
		}
		c := causes[0]
		got := map[bool]string{true: c.Confidence}[c.Cause == diagnose.BlockedLoop]
		if got != tt.level || !strings.Contains(evidence(causes), tt.says) {
			t.Errorf("%s: %q, want %q with %q\n%s", name, got, tt.level, tt.says, evidence(causes))
		}
		if got == "possible" && (!slices.Contains(c.Names(), diagnose.StallInApp) || c.Settle == "") {
			t.Errorf("%s: it may be what they wait for: %q, %q", name, c.Names(), c.Settle)
		}
		if tt.level == "" && (!slices.Contains(names(causes), diagnose.StallInApp) || slices.Contains(candidates(causes),
			diagnose.BlockedLoop)) {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}

// The same where a stream alone was never silent for so long.
func TestWhoPausedUnderLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		build func(b *synth.Builder)
		want  string
		level string
	}{
		"nothing tells": {func(*synth.Builder) {}, diagnose.BlockedLoop, "possible"},
		"the loop says it": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{14 * sec}, func(int) string {
				return "Thread Thread[vert.x-eventloop-thread-0,5,main] has been blocked for 2010 ms"
			})
		}, diagnose.BlockedLoop, "likely"},
		"a health check was answered": {func(b *synth.Builder) {
			logAt(b, record.AppLog, []time.Duration{13 * sec}, func(int) string {
				return `10.0.0.1 - - [25/Nov/2026:12:00:13 +0000] "GET /healthz HTTP/1.1" 200 2`
			})
		}, diagnose.StallInApp, "likely"},
	} {
		b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: 20 * sec,
			Slowdown: verdict.DefaultSlowdown, Checks: checks}})
		b.Add(1, synth.Shape{Group: record.Solo, Mute: true, Events: 60})
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Events: 60, Start: 10*sec + time.Duration(i)*150*ms, HoldFrom: 12 * sec,
				HoldFor: 2 * sec}
		})
		tt.build(b)
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != tt.want || causes[0].Confidence != tt.level {
			t.Errorf("%s: want %q (%s)\n%s", name, tt.want, tt.level, evidence(causes))
		}
		if tt.level == "possible" && len(causes) > 0 && !slices.Contains(causes[0].Names(), diagnose.StallInApp) {
			t.Errorf("%s: %q", name, causes[0].Names())
		}
	}
}

// A model server that reads one prompt at a time, and writes nothing meanwhile, looks like
// an app that does: it is named as well.
func TestSerialWorkMayBeBehindTheApp(t *testing.T) {
	b := waitTrial{build: func(b *synth.Builder) {
		solo(b, "", 300*ms)
		b.Add(20, synth.Shape{Mute: true, Start: 10 * sec, First: 6 * sec})
	}}.run()
	causes := toldOf(b)
	if len(causes) == 0 || causes[0].Cause != diagnose.SerialisedLoop || !slices.Contains(causes[0].Names(),
		diagnose.StallInApp) {
		t.Errorf("%s", evidence(causes))
	}
}
