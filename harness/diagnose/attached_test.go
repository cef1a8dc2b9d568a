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

// attachedTo is a run against a URL: no log, no process, no edge of ours.
func attachedTo(dialect string) *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "none", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Run.Plan.App, b.Run.Plan.Dialect = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000"}, dialect
	b.Run.Plan.Repro = "streamproof run --url http://127.0.0.1:8000/chat --terminal 'json .x == y' --streams 20 --seed 7"
	return b
}

// with changes every stream of a run after it was built.
func with(b *synth.Builder, change func(s *record.Stream)) {
	for i := range b.Run.Streams {
		change(&b.Run.Streams[i])
	}
}

func server(name string) func(*record.Stream) {
	return func(s *record.Stream) { s.Header["Server"] = name }
}

func lastEvent(text string) func(*record.Stream) {
	return func(s *record.Stream) { s.Content.LastEvent = text }
}

// document turns a stream into a complete response of another kind.
func document(kind, start string) func(*record.Stream) {
	return func(s *record.Stream) {
		s.ContentType, s.Start, s.Bytes = kind, start, int64(len(start))
		s.Wire.Framing = record.Length
	}
}

// inStep are n streams that begin 1 ms apart.
func inStep(n int, sh synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) { b.Add(n, sh) }
}

// spaced are n streams that begin 130 ms apart.
func spaced(n int, shape func(start time.Duration) synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) {
		b.Each(n, func(i int) synth.Shape {
			sh := shape(time.Duration(i) * 130 * ms)
			sh.Start = time.Duration(i) * 130 * ms
			return sh
		})
	}
}

func both(fs ...func(*synth.Builder)) func(*synth.Builder) {
	return func(b *synth.Builder) {
		for _, f := range fs {
			f(b)
		}
	}
}

// What a client alone is told about a server that it knows nothing of: the
// likeliest cause first, by the shape of the ends, and the rest behind it.
func TestAttached(t *testing.T) {
	cutAtTen := func(time.Duration) synth.Shape { return synth.Shape{Keep: 10, End: synth.FIN} }
	for _, tt := range []struct {
		name    string
		dialect string
		build   func(*synth.Builder)
		change  func(*record.Stream)
		want    string
		also    []string // among its candidates
		never   []string // neither cause nor candidate
		says    string
	}{
		{name: "swallowed ending, uvicorn", build: inStep(20, synth.Shape{Keep: 10, End: synth.Clean}), change: server("uvicorn"),
			want: diagnose.SilentTruncation, also: []string{diagnose.LaunderedByApp, diagnose.LaunderedByEdge}},
		{name: "swallowed ending, no Server field", build: inStep(20, synth.Shape{Keep: 10, End: synth.Clean}),
			want: diagnose.SilentTruncation, also: []string{diagnose.LaunderedByEdge}},
		{name: "swallowed ending behind somebody's nginx", build: inStep(20, synth.Shape{Keep: 10, End: synth.Clean}), change: server("nginx/1.22.1"),
			want: diagnose.LaunderedByEdge, also: []string{diagnose.SilentTruncation, diagnose.LaunderedByApp}},
		{name: "a compressor that is never closed", build: inStep(20, synth.Shape{}), change: func(s *record.Stream) {
			s.Encoding, s.Content.State = "gzip", stream.CutFrame
		}, want: diagnose.SilentTruncation, says: "inside the compressed data (gzip)"},
		{name: "killed, body delimited by the close", build: both(inStep(10, synth.Shape{Keep: 10, End: synth.ByClose}), func(b *synth.Builder) {
			b.Happen(record.Event{At: endOfTen, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]", Code: 9})
		}), want: diagnose.WorkerKilled, never: []string{diagnose.LaunderedByEdge}},

		{name: "raises on some", build: both(inStep(15, synth.Shape{}), spaced(5, cutAtTen)), change: server("uvicorn"),
			want: diagnose.AppError, also: []string{diagnose.WorkerKilled, diagnose.ConnectionCut}, never: []string{diagnose.MemoryKillAll, diagnose.GraceTooShort}},
		{name: "raises on all, in step", build: inStep(20, synth.Shape{Keep: 10, End: synth.FIN}), want: diagnose.AppError, also: []string{diagnose.WorkerKilled}},
		{name: "process dies, out of step", build: spaced(12, func(start time.Duration) synth.Shape {
			return synth.Shape{Events: 100, Keep: int((3*sec - start) / (50 * ms)), End: synth.CutAt(3 * sec)}
		}), want: diagnose.WorkerKilled, also: []string{diagnose.AppError, diagnose.MemoryKillWorker, diagnose.WorkerRecycled}},
		{name: "one instant, but the process lives", build: both(spaced(4, func(start time.Duration) synth.Shape {
			return synth.Shape{Worker: 9, Events: 100, Keep: int((3*sec - start) / (50 * ms)), End: synth.CutAt(3 * sec)}
		}), inStep(4, synth.Shape{Worker: 9, Events: 100})), want: diagnose.AppError, never: []string{diagnose.WorkerRecycled}},
		{name: "one age, whatever their event", build: spaced(9, func(start time.Duration) synth.Shape {
			return synth.Shape{Gap: 40*ms + start/50, Events: 200, Keep: int(3*sec/(40*ms+start/50)) - 1, End: synth.CutAt(start + 3*sec)}
		}), want: diagnose.AbsoluteDeadline, also: []string{diagnose.SyncWorkerTimeout}, never: []string{diagnose.AppError}},

		{name: "one burst", build: inStep(10, synth.Shape{Burst: -1, Mute: true}), change: server("uvicorn"),
			want: diagnose.BufferedByApp, also: []string{diagnose.BufferedByEdge}},
		{name: "one burst behind somebody's edge", build: inStep(10, synth.Shape{Burst: -1, Mute: true}), change: server("openresty"),
			want: diagnose.BufferedByEdge, also: []string{diagnose.BufferedByApp}},

		{name: "all silent, in step", build: inStep(20, synth.Shape{Keep: 10, End: synth.Silent(gap)}), want: diagnose.BlockedLoop, also: []string{diagnose.StallInApp}},
		{name: "some silent, in step", build: both(inStep(15, synth.Shape{Events: 100}), inStep(5, synth.Shape{Keep: 10, End: synth.Silent(gap)})),
			want: diagnose.StallInApp, never: []string{diagnose.BlockedLoop}},
		{name: "all silent, but heartbeats of another stream go on", build: both(inStep(10, synth.Shape{Keep: 10, End: synth.Silent(gap)}),
			inStep(1, synth.Shape{Events: 200})), want: diagnose.StallInApp, never: []string{diagnose.BlockedLoop}},
		{name: "all silent, out of step", build: spaced(10, func(start time.Duration) synth.Shape {
			return synth.Shape{Events: 100, Keep: int((3*sec-start)/(50*ms)) + 1, End: synth.Silent(gap)}
		}), want: diagnose.BlockedLoop, also: []string{diagnose.StallInApp}},

		{name: "wrong terminal", dialect: "sse-generic", build: inStep(5, synth.Shape{End: synth.Clean}), change: lastEvent("event: done, data: {}"),
			want: diagnose.TerminalUnmatched, never: []string{diagnose.SilentTruncation, diagnose.LaunderedByEdge}},
		{name: "wrong terminal, an end that does not sound so", dialect: "ndjson-generic", build: inStep(5, synth.Shape{End: synth.Clean}), change: lastEvent(`{"type":"usage","tokens":12}`),
			want: diagnose.TerminalUnmatched, also: []string{diagnose.SilentTruncation}},
		{name: "wrong terminal, and one of six is cut", dialect: "sse-generic", build: inStep(6, synth.Shape{End: synth.Clean}),
			change: endingAs(func(seq uint64) bool { return seq == 4 }, "tok", "event: done, data: {}"), want: diagnose.TerminalUnmatched},
		{name: "half of them end alike", dialect: "sse-generic", build: inStep(6, synth.Shape{End: synth.Clean}),
			change: endingAs(func(seq uint64) bool { return seq%2 == 0 }, "tok", "event: done, data: {}"), want: diagnose.SilentTruncation, never: []string{diagnose.TerminalUnmatched}},
		{name: "right terminal, truncated at different events", dialect: "ndjson-generic", build: inStep(5, synth.Shape{End: synth.Clean}),
			change: func(s *record.Stream) { s.Content.LastEvent = strings.Repeat("x", int(s.Seq)) }, want: diagnose.SilentTruncation, never: []string{diagnose.TerminalUnmatched}},
		{name: "right terminal, some truncated", dialect: "sse-generic", build: both(inStep(5, synth.Shape{}), inStep(5, synth.Shape{Keep: 10, End: synth.Clean})), change: lastEvent("tok"),
			want: diagnose.SilentTruncation, never: []string{diagnose.TerminalUnmatched}},
		{name: "no [DONE]", dialect: "openai-chat", build: inStep(20, synth.Shape{End: synth.Clean}), change: func(s *record.Stream) { s.Content.Finished = true },
			want: diagnose.TerminalNotSent, never: []string{diagnose.SilentTruncation, diagnose.LaunderedByEdge, diagnose.LaunderedByApp}},
		{name: "NDJSON read as a chat", dialect: "openai-chat", build: inStep(5, synth.Shape{Keep: synth.KeepNone, End: synth.CleanInFrame}),
			change: func(s *record.Stream) { s.ContentType, s.Start = "application/x-ndjson", `{"type":"token","i":0}`+"\n" },
			want:   diagnose.WrongDialect, never: []string{diagnose.OutlivesResources, diagnose.CorruptContent}},
		{name: "a chat that ends after its role", dialect: "openai-chat", build: inStep(5, synth.Shape{Keep: synth.KeepNone, End: synth.Clean}),
			change: func(s *record.Stream) { s.Start = `data: {"choices":[{"delta":{"role":"assistant"}}]}` }, want: diagnose.OutlivesResources, never: []string{diagnose.WrongDialect}},
		{name: "JSON under 200", dialect: "openai-chat", build: inStep(5, synth.Shape{Keep: synth.KeepNone, End: synth.Clean}), change: document("application/json", `{"error":"rate limited"}`),
			want: diagnose.ErrorDocument, never: []string{diagnose.OutlivesResources, diagnose.SilentTruncation, diagnose.WrongDialect}},
		{name: "a page under 200", dialect: "sse-generic", build: inStep(5, synth.Shape{Keep: synth.KeepNone, End: synth.CleanInFrame}), change: document("text/html; charset=utf-8", "<!doctype html>"),
			want: diagnose.NotAStream},
		{name: "text is what was asked for", dialect: "text", build: inStep(5, synth.Shape{Keep: synth.KeepNone, End: synth.Clean}), change: document("text/plain", "hello"),
			want: diagnose.OutlivesResources, never: []string{diagnose.NotAStream}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := attachedTo(tt.dialect)
			tt.build(b)
			if tt.change != nil {
				with(b, tt.change)
			}
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want {
				t.Fatalf("causes = %q, want %q first", names(causes), tt.want)
			}
			for _, n := range tt.also {
				if !slices.Contains(causes[0].Names(), n) {
					t.Errorf("%q is not among its candidates: %q", n, causes[0].Names())
				}
			}
			if !strings.Contains(causes[0].Summary, tt.says) {
				t.Errorf("it says %q, not %q", causes[0].Summary, tt.says)
			}
			for _, n := range tt.never {
				if slices.Contains(candidates(causes), n) {
					t.Errorf("named the look-alike %q", n)
				}
			}
			checkUsable(t, causes)
		})
	}
}

// checkUsable wants something to do of every cause, and one card for one doubt.
func checkUsable(t *testing.T, causes []verdict.Cause) {
	t.Helper()
	seen := make(map[uint64]bool)
	for _, c := range causes {
		if c.Fix == "" || strings.HasPrefix(c.Fix, "see ") {
			t.Errorf("%s: nothing to do in %q", c.Cause, c.Fix)
		}
		if c.Confidence == "possible" && seen[c.Streams[0]] {
			t.Errorf("%s is a second card for one doubt", c.Cause)
		}
		if strings.Count(c.Settle, "--streams") > 1 || strings.Count(c.Settle, "--terminal") > 1 {
			t.Errorf("flag said twice: %s", c.Settle)
		}
		seen[c.Streams[0]] = true
	}
}

// What the user must read about a mistake of theirs.
func TestMistakesAreQuoted(t *testing.T) {
	b := attachedTo("sse-generic")
	b.Add(3, synth.Shape{End: synth.Clean})
	with(b, func(s *record.Stream) {
		lastEvent(`{"type":"message_stop"}`)(s)
		s.Content.Ends = []string{"json .type == message_stop"}
	})
	c := causesOf(b)[0]
	for _, want := range []string{`{"type":"message_stop"}`} {
		if !strings.Contains(c.Summary, want) {
			t.Errorf("summary %q lacks %q", c.Summary, want)
		}
	}
	if want := "--terminal 'json .type == message_stop'"; !strings.Contains(c.Fix, want) || !strings.HasSuffix(c.Settle, want) {
		t.Errorf("fix %q or command %q lacks %q", c.Fix, c.Settle, want)
	}
}

// The same streams asked of the app itself settle what an edge may have done.
func TestDirectArmSettlesLaundering(t *testing.T) {
	for name, tt := range map[string]struct {
		direct synth.End
		logged bool
		want   string
	}{
		"clean when asked directly":                        {synth.Clean, false, diagnose.SilentTruncation},
		"clean when asked directly, exceptions in the log": {synth.Clean, true, diagnose.LaunderedByApp},
		"cut when asked directly":                          {synth.FIN, false, diagnose.LaunderedByEdge},
	} {
		b := synth.New(record.Scenario{ID: "control", Edge: "default", Policy: record.Policy{GapLimit: gap, Checks: checks}}, record.Scenario{ID: "direct", Edge: "none"})
		b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
		b.Add(10, synth.Shape{Scenario: "direct", Hop: "app", Start: 10 * sec, Keep: 10, End: tt.direct})
		if tt.logged {
			app(b, exceptions(10, endOfTen)...)
		}
		got := causesOf(b)
		if len(got) != 1 || got[0].Cause != tt.want || got[0].Confidence == "possible" {
			t.Errorf("%s: causes %q (%+v), want %q for more than possible", name, names(got), got, tt.want)
		}
	}
}

// An app without a handler for SIGTERM is not one whose window is too short, and
// is told what to do in its own language.
func TestNoGracefulShutdown(t *testing.T) {
	drain := func(code int, after time.Duration, command string, lines ...synth.LogLine) []verdict.Cause {
		b := faulty("streaming", record.Policy{Refuses: true, Recovery: sec})
		b.Run.Plan.App = record.App{Kind: record.AppCommand, Name: command}
		v := b.Add(10, chaos(record.Victim, synth.Shape{Events: 100, Keep: 19, End: synth.CutAt(sec + after)}))
		b.Happen(record.Event{At: sec, Source: record.FaultSource, Kind: record.KindTerm, Subject: "app[0]"})
		b.Happen(record.Event{At: sec + after, Source: record.ProcessSource, Kind: record.KindExit,
			Subject: "app[0]", Pid: 11, Code: code})
		b.Fault(synth.Drain("SIGTERM with 10s of grace, then a new start"), sec, sec+after, v...)
		app(b, lines...)
		return causesOf(b)
	}
	for _, tt := range []struct {
		name            string
		got             []verdict.Cause
		want, confident string
		fix             string
	}{
		{"killed by the signal, Go", drain(143, 18*ms, "go run ./server"), diagnose.NoGracefulShutdown, "certain",
			"Shutdown"},
		{"killed by the signal, Python", drain(143, 18*ms, "python3 app.py"), diagnose.NoGracefulShutdown, "certain",
			"--timeout-graceful-shutdown"},
		{"killed by the signal, Node", drain(143, 18*ms, "node server.js"), diagnose.NoGracefulShutdown, "certain",
			"server.close"},
		{"unknown language", drain(143, 18*ms, "./srv"), diagnose.NoGracefulShutdown, "certain", "on SIGTERM stop accepting"},
		{"a handler that exits", drain(0, 30*ms, "./srv"), diagnose.NoGracefulShutdown, "likely",
			"on SIGTERM stop accepting"},
		{"a window of two seconds", drain(143, 2*sec, "command ./srv"), diagnose.GraceTooShort, "certain", "docker stop -t 130"},
		{"a window of nothing, as its log says", drain(0, 30*ms, "uvicorn", at(sec, "INFO:     Shutting down")),
			diagnose.GraceTooShort, "certain", "uvicorn"},
	} {
		if c := tt.got[0]; c.Cause != tt.want || c.Confidence != tt.confident || !strings.Contains(c.Fix, tt.fix) {
			t.Errorf("%s: %s (%s), fix %q; want %s (%s) with %q", tt.name, c.Cause, c.Confidence, c.Fix, tt.want, tt.confident, tt.fix)
		}
	}
}

// A Go panic is not mended in Python.
func TestFixInTheLanguageOfTheLog(t *testing.T) {
	b := faulty("none", record.Policy{})
	b.Add(1, chaos(record.Load, synth.Shape{Keep: 10, End: synth.FIN}))
	app(b, at(endOfTen, "2026/11/25 12:00:00 http: panic serving 127.0.0.1:9: boom"), at(endOfTen, "goroutine 7 [running]:"))
	if c := causesOf(b)[0]; c.Cause != diagnose.AppError || !strings.Contains(c.Fix, "recover()") || strings.Contains(c.Fix, "except ") {
		t.Errorf("%s: fix %q", c.Cause, c.Fix)
	}
}

// endingAs gives streams one last event or another.
func endingAs(is func(seq uint64) bool, one, other string) func(*record.Stream) {
	return func(s *record.Stream) {
		if s.Content.LastEvent = other; is(s.Seq) {
			s.Content.LastEvent = one
		}
	}
}
