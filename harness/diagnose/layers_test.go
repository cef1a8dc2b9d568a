package diagnose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// behind is a run against somebody's edge, with the app behind it asked as well
// where there are shapes for it. Nobody stamps, and there are no logs.
func behind(serverField string, edge, direct func(*synth.Builder)) *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "none", Peel: direct != nil, Policy: record.Policy{GapLimit: 30 * sec, Checks: checks}})
	b.Run.Plan.App, b.Run.Plan.Dialect, b.Run.Plan.Request.URL = record.App{Kind: record.AppURL,
		Name: "http://127.0.0.1:8000"}, "openai-chat", "http://127.0.0.1:8000/chat"
	if direct != nil {
		b.Run.Hops = []record.Hop{{Scenario: "control", Name: record.ForeignHop}, {Scenario: "control", Name: "app"}}
		direct(b)
		for i := range b.Run.Streams {
			b.Run.Streams[i].Hop = "app"
		}
	}
	n := len(b.Run.Streams)
	edge(b)
	for i := range b.Run.Streams[n:] {
		s := &b.Run.Streams[n+i]
		s.Hop = record.ForeignHop
		if direct == nil {
			s.Hop = "edge"
		}
		s.Header = map[string]string{}
		if serverField != "" {
			s.Header["Server"] = serverField
		}
	}
	return b
}

// apart are n streams that start 130 ms apart, each slower than the one before, so
// that they reach different events at one age.
func apart(n int, shape func(i int, start, gap time.Duration) synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) {
		b.Each(n, func(i int) synth.Shape {
			start, gap := time.Duration(i)*130*ms, 40*ms+time.Duration(i)*4*ms
			sh := shape(i, start, gap)
			sh.Start, sh.Mute = start, true
			return sh
		})
	}
}

// whole are answers of 40 events with a pause of 5 s.
func whole(n int) func(*synth.Builder) {
	return apart(n, func(int, time.Duration, time.Duration) synth.Shape {
		return synth.Shape{Events: 40, PauseAfter: 20, Pause: 5 * sec}
	})
}

// idleAfter ends each stream after a silence, at event 5 to 5+n.
func idleAfter(n int, silence time.Duration, end func(time.Duration) synth.End) func(*synth.Builder) {
	return apart(n, func(i int, start, _ time.Duration) synth.Shape {
		last := start + 5*ms + time.Duration(4+i)*50*ms
		return synth.Shape{Events: 40, Keep: 5 + i, End: end(last + silence)}
	})
}

// atAge ends each stream at an age.
func atAge(n int, age time.Duration, end func(time.Duration) synth.End) func(*synth.Builder) {
	return apart(n, func(_ int, start, gap time.Duration) synth.Shape {
		return synth.Shape{Gap: gap, Events: 500, Keep: int((age - 5*ms) / gap), End: end(start + age)}
	})
}

// steady are complete responses of that length.
func steady(n int, length time.Duration) func(*synth.Builder) {
	return apart(n, func(_ int, _, gap time.Duration) synth.Shape {
		return synth.Shape{Gap: gap, Events: int(length / gap)}
	})
}

// sized gives every stream that came short this size, in the middle of an event.
func sized(bytes int64, streams func(*synth.Builder)) func(*synth.Builder) {
	return func(b *synth.Builder) {
		n := len(b.Run.Streams)
		streams(b)
		for i := range b.Run.Streams[n:] {
			b.Run.Streams[n+i].Bytes, b.Run.Streams[n+i].Partial = bytes, 7
		}
	}
}

// TestLayers tells timers, deadlines and caps apart, and whose they are: what the
// app asked directly does not show is not its doing, and what it shows is not the
// edge's.
func TestLayers(t *testing.T) {
	cutAt, cleanAt := synth.CutAt, synth.CleanAt
	for _, tt := range []struct {
		name                    string
		server                  string
		edge, direct            func(*synth.Builder)
		change                  func(*synth.Builder)
		want, layer, confidence string
		says                    string
		also, never             []string
	}{
		// Idle timers.
		{name: "silence, the app goes on", server: "Caddy, uvicorn", edge: idleAfter(8, 2*sec, cleanAt), direct: whole(8),
			want: diagnose.ProxyReadTimeout, layer: "edge", confidence: "likely", says: "Caddy ended 8 streams", never: []string{diagnose.SilentTruncation, diagnose.IdleTimeoutInApp}},
		{name: "silence, the app goes on; cut", server: "nginx/1.22.1", edge: idleAfter(8, 2*sec, cutAt), direct: whole(8),
			want: diagnose.ProxyReadTimeout, layer: "edge", confidence: "likely", says: "nginx ended 8 streams", never: []string{diagnose.AppError, diagnose.WorkerKilled}},
		{name: "silence, the app ends in the same way", server: "Caddy", edge: idleAfter(8, 2*sec, cleanAt), direct: idleAfter(8, 2*sec, cleanAt),
			want: diagnose.IdleTimeoutInApp, layer: "app", confidence: "likely", never: []string{diagnose.ProxyReadTimeout, diagnose.NoHeartbeat}},
		{name: "silence behind an edge, the app was not asked", server: "Caddy", edge: idleAfter(8, 2*sec, cleanAt),
			want: diagnose.ProxyReadTimeout, layer: "edge", confidence: "possible", also: []string{diagnose.IdleTimeoutInApp}},
		{name: "silence, no edge shows", server: "uvicorn", edge: idleAfter(8, 2*sec, cleanAt),
			want: diagnose.IdleTimeoutInApp, confidence: "possible", also: []string{diagnose.ProxyReadTimeout}},
		{name: "silence, which others outlasted", server: "Caddy", edge: both(idleAfter(8, 2*sec, cleanAt), whole(4)),
			want: diagnose.LaunderedByEdge, never: []string{diagnose.ProxyReadTimeout, diagnose.IdleTimeoutInApp}},
		{name: "silences of different lengths", server: "Caddy", edge: apart(8, func(i int, start, _ time.Duration) synth.Shape {
			return synth.Shape{Keep: 5, End: synth.CleanAt(start + sec + time.Duration(i)*300*ms)}
		}), want: diagnose.LaunderedByEdge, never: []string{diagnose.ProxyReadTimeout, diagnose.IdleTimeoutInApp}},
		{name: "silence, but the app asked under less load", server: "Caddy", edge: idleAfter(8, 2*sec, cleanAt), direct: whole(2),
			want: diagnose.ProxyReadTimeout, confidence: "possible", also: []string{diagnose.IdleTimeoutInApp}},

		// Deadlines.
		{name: "one age, the app goes on", server: "envoy", edge: atAge(8, 3*sec, cutAt), direct: steady(8, 5*sec),
			want: diagnose.AbsoluteDeadline, layer: "edge", confidence: "likely", says: "Envoy ended 8 streams at the age of 3.00 s", never: []string{diagnose.SyncWorkerTimeout, diagnose.AppError}},
		{name: "one age, clean, the app goes on", server: "", edge: atAge(8, 3*sec, cleanAt), direct: steady(8, 5*sec),
			want: diagnose.AbsoluteDeadline, layer: "edge", confidence: "likely", says: "as if they were whole", never: []string{diagnose.SilentTruncation}},
		{name: "one age, the app ends in the same way", server: "envoy", edge: atAge(8, 3*sec, cutAt), direct: atAge(8, 3*sec, cutAt),
			want: diagnose.AbsoluteDeadline, layer: "app", confidence: "likely", also: []string{diagnose.SyncWorkerTimeout}},
		{name: "one age behind nginx, which has no such limit", server: "nginx", edge: atAge(8, 3*sec, cutAt),
			want: diagnose.AbsoluteDeadline, layer: "app", confidence: "likely"},
		{name: "one age, nobody shows", server: "", edge: atAge(8, 3*sec, cutAt),
			want: diagnose.AbsoluteDeadline, layer: "network", confidence: "likely", also: []string{diagnose.SyncWorkerTimeout}},
		{name: "one age, which others passed", server: "envoy", edge: both(atAge(8, 3*sec, cutAt), steady(4, 6*sec)),
			want: diagnose.AppError, never: []string{diagnose.AbsoluteDeadline}},
		{name: "one age and one event, out of step", server: "uvicorn", edge: spaced(8, func(start time.Duration) synth.Shape {
			return synth.Shape{Mute: true, Events: 100, Keep: 30, End: synth.FIN}
		}), want: diagnose.AppError, confidence: "possible", also: []string{diagnose.AbsoluteDeadline}},
		{name: "one age, one event and one moment", server: "uvicorn", edge: inStep(8, synth.Shape{Mute: true, Events: 100, Keep: 39, End: synth.CutAt(2 * sec)}),
			want: diagnose.WorkerKilled, confidence: "possible", also: []string{diagnose.AbsoluteDeadline}},
		{name: "a platform's number", server: "", edge: atAge(8, 29*sec+100*ms, cutAt), want: diagnose.AbsoluteDeadline, says: "29s is the limit of AWS API Gateway"},

		// Sizes.
		{name: "one size, the app goes on", server: "Traefik", edge: sized(65536, atAge(8, 3*sec, cleanAt)), direct: steady(8, 5*sec),
			want: diagnose.PayloadCap, layer: "edge", confidence: "likely", says: "65536 bytes", never: []string{diagnose.CutInFrame, diagnose.AbsoluteDeadline}},
		{name: "one size, the app ends in the same way", server: "Traefik", edge: sized(65536, atAge(8, 3*sec, cleanAt)), direct: sized(65536, atAge(8, 3*sec, cleanAt)),
			want: diagnose.PayloadCap, layer: "app", confidence: "likely"},
		{name: "one size, the app was not asked", server: "", edge: sized(65536, atAge(8, 3*sec, cleanAt)), want: diagnose.PayloadCap, layer: "network", confidence: "likely"},
		{name: "one size, which others passed", server: "", edge: both(sized(2000, atAge(8, 3*sec, cleanAt)), sized(9000, steady(4, 2*sec))),
			want: diagnose.AbsoluteDeadline, never: []string{diagnose.PayloadCap}},

		// Nothing says why, but where.
		{name: "cuts at different events, the app is whole", server: "lighttpd/1.4", edge: apart(8, func(i int, _, _ time.Duration) synth.Shape {
			return synth.Shape{Keep: 3 + 2*i, End: synth.FIN}
		}), direct: steady(8, 2*sec), want: diagnose.CutByEdge, layer: "edge", confidence: "likely", says: "lighttpd ended 8 answers",
			never: []string{diagnose.WorkerKilled, diagnose.AppError, diagnose.SyncWorkerTimeout, diagnose.SilentTruncation}},
		{name: "clean ends at one event, the app is whole", server: "uvicorn", edge: apart(8, func(int, time.Duration, time.Duration) synth.Shape {
			return synth.Shape{Keep: 7, End: synth.Clean}
		}), direct: steady(8, 2*sec), want: diagnose.CutByEdge, layer: "edge", confidence: "likely", says: "as if they were whole", never: []string{diagnose.SilentTruncation, diagnose.LaunderedByApp}},
		{name: "one of eight is cut, which may be chance", server: "nginx", edge: both(steady(7, 2*sec), inStep(1, synth.Shape{Mute: true, Keep: 7, End: synth.FIN})), direct: steady(8, 2*sec),
			want: diagnose.AppError, confidence: "possible", never: []string{diagnose.CutByEdge}},
		{name: "cuts, and the app is cut as well", server: "nginx", edge: spaced(8, func(time.Duration) synth.Shape { return synth.Shape{Mute: true, Keep: 7, End: synth.FIN} }),
			direct: spaced(8, func(time.Duration) synth.Shape { return synth.Shape{Mute: true, Keep: 7, End: synth.FIN} }), want: diagnose.AppError, never: []string{diagnose.CutByEdge, diagnose.ProxyReadTimeout}},
		{name: "clean ends, and the app's are clean as well", server: "nginx", edge: spaced(8, func(time.Duration) synth.Shape { return synth.Shape{Mute: true, Keep: 7, End: synth.Clean} }),
			direct: spaced(8, func(time.Duration) synth.Shape { return synth.Shape{Mute: true, Keep: 7, End: synth.Clean} }), want: diagnose.SilentTruncation, layer: "app", never: []string{diagnose.LaunderedByEdge, diagnose.CutByEdge}},
		{name: "clean ends, and the app's are cut", server: "nginx", edge: spaced(8, func(time.Duration) synth.Shape { return synth.Shape{Mute: true, Keep: 7, End: synth.Clean} }),
			direct: spaced(8, func(time.Duration) synth.Shape { return synth.Shape{Mute: true, Keep: 7, End: synth.FIN} }), want: diagnose.AppError, also: nil, never: []string{diagnose.CutByEdge, diagnose.SilentTruncation}},
		{name: "silent for good, the app goes on", server: "HAProxy", edge: spaced(8, func(time.Duration) synth.Shape {
			return synth.Shape{Mute: true, Keep: 7, End: synth.Silent(30 * sec)}
		}), direct: spaced(8, func(time.Duration) synth.Shape {
			return synth.Shape{Mute: true, Events: 30, PauseAfter: 10, Pause: 29 * sec}
		}),
			want: diagnose.HeldOnTheWay, layer: "edge", confidence: "likely", never: []string{diagnose.StallInApp, diagnose.BlockedLoop}},
		{name: "a process was seen to die, though not while the app was asked", server: "nginx", edge: spaced(8, func(start time.Duration) synth.Shape {
			return synth.Shape{Mute: true, Events: 200, Keep: int((3*sec - start) / (50 * ms)), End: synth.CutAt(3 * sec)}
		}), direct: steady(8, 4*sec), change: func(b *synth.Builder) {
			b.Happen(record.Event{At: 3 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
				Pid: 7, Code: 9})
		}, want: diagnose.WorkerKilled, layer: "process manager", confidence: "certain", never: []string{diagnose.CutByEdge}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := behind(tt.server, tt.edge, tt.direct)
			if tt.change != nil {
				tt.change(b)
			}
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want {
				t.Fatalf("causes = %q, want %q first", names(causes), tt.want)
			}
			c := causes[0]
			if tt.layer != "" && c.Layer != tt.layer || tt.confidence != "" && c.Confidence != tt.confidence {
				t.Errorf("%s is %s at %s, want %s at %s", c.Cause, c.Confidence, c.Layer, tt.confidence, tt.layer)
			}
			if text := c.Summary + fmt.Sprint(c.Evidence); !strings.Contains(text, tt.says) {
				t.Errorf("%q lacks %q", text, tt.says)
			}
			for _, n := range tt.also {
				if !slices.Contains(c.Names(), n) {
					t.Errorf("%q is not among its candidates: %q", n, c.Names())
				}
			}
			for _, n := range tt.never {
				if slices.Contains(candidates(causes), n) {
					t.Errorf("named %q: %q", n, candidates(causes))
				}
			}
			checkUsable(t, causes)
		})
	}
}

// Who is the only one to fail is said beside every cause, and is a cause of its
// own where nothing certain explains the streams.
func TestOneReplica(t *testing.T) {
	deal := func(bad synth.Shape, every int) *synth.Builder {
		b := attachedTo("openai-chat")
		bad.Mute = true
		for i := range 16 {
			sh := synth.Shape{Mute: true}
			if i%every == 0 {
				sh = bad
			}
			b.Add(1, sh)
			b.Run.Streams[i].Header = map[string]string{"X-Served-By": []string{"r2", "r1"}[i%2]}
		}
		return b
	}
	truncated := synth.Shape{Keep: 5, End: synth.Clean}
	if c := causesOf(deal(truncated, 2)); c[0].Cause != diagnose.OneReplica || c[0].Confidence != "likely" || !slices.Contains(c[0].Names(), diagnose.SilentTruncation) {
		t.Errorf("all of r2: %q", names(c))
	}
	if c := causesOf(deal(truncated, 4)); slices.Contains(candidates(c), diagnose.OneReplica) {
		t.Errorf("four of r2's eight, which may be chance: %q", candidates(c))
	}
	if c := causesOf(deal(truncated, 1)); slices.Contains(candidates(c), diagnose.OneReplica) {
		t.Errorf("all of both: %q", candidates(c))
	}
	b := deal(synth.Shape{Keep: 10, End: synth.FIN}, 2)
	app(b, exceptions(8, endOfTen)...)
	c := causesOf(b)
	if len(c) != 2 || c[0].Cause != diagnose.OneReplica || c[1].Cause != diagnose.AppError ||
		!strings.Contains(fmt.Sprint(c[1].Evidence),
			"8 of 8 streams of r2 (X-Served-By) went wrong, 0 of 8 of the others") {
		t.Errorf("exceptions of r2: %q, evidence %q", names(c), c[0].Evidence)
	}
}
