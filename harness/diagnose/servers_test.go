package diagnose_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// Who wrote a second response into a body: a server that answers to the app's own
// exception, or one that ended a worker. Without a word of either it stays with what
// runs the app.
func TestWhoSplices(t *testing.T) {
	raised := func(n int) []synth.LogLine {
		var out []synth.LogLine
		for i := range n {
			out = append(out, at(endOfTen+time.Duration(i)*ms, "2026-11-27 20:29:03 +0000 Read: #<RuntimeError: vector store connection lost>"))
		}
		return out
	}
	for _, tt := range []struct {
		name, layer string
		lines       []synth.LogLine
	}{
		{"the app raised on each", "app", raised(10)},
		{"the app raised on two of ten", "process manager", raised(2)},
		{"a worker timed out, which raises as well", "process manager", append(gunicornTimeout(endOfTen, 7), raised(10)...)},
		{"the log has no word for it", "process manager", nil},
	} {
		for _, shape := range []synth.End{synth.Garbage("invalid chunk header \"HTTP/1.1 500\"", true), synth.Clean} {
			b := attachedTo("openai-chat")
			inStep(10, synth.Shape{Keep: 10, End: shape, Mute: true})(b)
			with(b, func(s *record.Stream) { s.Content.Fault = stream.SecondReply })
			app(b, tt.lines...)
			if c := causesOf(b); len(c) == 0 || c[0].Cause != diagnose.Spliced || c[0].Layer != tt.layer {
				t.Errorf("%s: %+v, want %q at %s", tt.name, c, diagnose.Spliced, tt.layer)
			}
		}
	}
}

// A worker that Puma starts while streams run takes the place of one that died. As
// it starts itself, as it restarts in turn, or beside exceptions, it tells nothing.
func TestWorkerReplaced(t *testing.T) {
	booted := func(when time.Duration) synth.LogLine {
		return at(when, "[31802] - Worker 1 (PID: 31999) booted in 0.03s, phase: 0")
	}
	for _, tt := range []struct {
		name  string
		lines []synth.LogLine
		dies  bool
	}{
		{"booted when they ended", []synth.LogLine{booted(3*sec + 30*ms)}, true},
		{"booted before any stream began", []synth.LogLine{booted(0)}, false},
		{"booted before they ended", []synth.LogLine{booted(2 * sec)}, false},
		{"restarted in turn", []synth.LogLine{at(2900*ms, "[31802] - Starting phased worker restart, phase: 0"), booted(3*sec + 30*ms)}, false},
		{"the app raised", []synth.LogLine{at(3*sec, "2026-11-27 20:29:03 +0000 Read: #<RuntimeError: boom>"), booted(3*sec + 30*ms)}, false},
		{"no line", nil, false},
	} {
		b := attachedTo("openai-chat")
		both(spaced(8, func(start time.Duration) synth.Shape {
			return synth.Shape{Events: 100, Keep: int((3*sec - start) / (50 * ms)), End: synth.CutAt(3 * sec), Mute: true}
		}), inStep(8, synth.Shape{Events: 100, Mute: true}))(b)
		app(b, tt.lines...)
		c := causesOf(b)
		if len(c) == 0 {
			t.Fatalf("%s: no cause", tt.name)
		}
		if certain := c[0].Cause == diagnose.WorkerKilled && c[0].Confidence == "certain"; certain != tt.dies {
			t.Errorf("%s: %s %s (%q), want a worker's death: %v", tt.name, c[0].Confidence, c[0].Cause, names(c), tt.dies)
		}
	}
}

// PHP-FPM ends a request that takes too long, and an edge may tell its client later:
// the silence between is no timer's. A worker that ended at another time, or fewer of
// them than streams, say nothing of the silence.
func TestTerminatedAndToldLate(t *testing.T) {
	lines := func(n int, after time.Duration) []synth.LogLine {
		var out []synth.LogLine
		for i := range n {
			last := time.Duration(i)*130*ms + 5*ms + time.Duration(4+i)*50*ms
			out = append(out, at(last+after, `[27-Nov-2026 20:19:08] WARNING: [pool www] child 2730, script '/index.php' (request: "GET /index.php") execution timed out (2.035731 sec), terminating`))
		}
		return out
	}
	for _, tt := range []struct {
		name              string
		lines             []synth.LogLine
		want, confidence  string
		silence           time.Duration
		layer, alsoOrNone string
	}{
		{"each worker ended when its last byte came", lines(8, 10*ms), diagnose.AbsoluteDeadline, "certain", 5 * sec, "process manager", diagnose.SyncWorkerTimeout},
		{"workers ended long after the streams", lines(8, 15*sec), diagnose.ProxyReadTimeout, "possible", 5 * sec, "edge", diagnose.IdleTimeoutInApp},
		{"one worker for eight streams", lines(1, 10*ms), diagnose.ProxyReadTimeout, "possible", 5 * sec, "edge", diagnose.IdleTimeoutInApp},
		{"no log", nil, diagnose.ProxyReadTimeout, "possible", 5 * sec, "edge", diagnose.IdleTimeoutInApp},
	} {
		b := behind("Apache/2.4.71 (Debian)", idleAfter(8, tt.silence, synth.CutAt), nil)
		app(b, tt.lines...)
		c := causesOf(b)
		if len(c) == 0 || c[0].Cause != tt.want || c[0].Layer != tt.layer || c[0].Confidence != tt.confidence || !slices.Contains(c[0].Names(), tt.alsoOrNone) {
			t.Errorf("%s: %q (%+v), want %s %q at %s, or %q", tt.name, names(c), c, tt.confidence, tt.want, tt.layer, tt.alsoOrNone)
			continue
		}
		checkUsable(t, c)
	}
}

// Which replica served a stream may stand in the edge's log alone.
func TestOneReplicaByTheLogOfTheEdge(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every int      // the how-manieth stream ends early
		names []string // of the servers in their turn
		want  bool
	}{
		{"all of one and none of the other", 2, []string{"app2", "app1"}, true},
		{"half of one, which may be chance", 4, []string{"app2", "app1"}, false},
		{"all of both", 1, []string{"app2", "app1"}, false},
		{"one server only", 2, []string{"app1", "app1"}, false},
	} {
		b := attachedTo("openai-chat")
		var lines []synth.LogLine
		for i := range 16 {
			start := time.Duration(i) * 300 * ms
			sh := synth.Shape{Start: start, Events: 40, Mute: true}
			if i%tt.every == 0 {
				sh.Keep, sh.End = 10, synth.FIN
			}
			b.Add(1, sh)
			s := &b.Run.Streams[i]
			flags := "----"
			if i%tt.every == 0 {
				flags = "SD--"
			}
			lines = append(lines, at(s.End, fmt.Sprintf(`127.0.0.1:%d [25/Nov/2026:12:00:02.300] web app/%s 0/0/0/1/%d 200 %d - - %s 1/1/0/0/0 0/0 "POST /chat HTTP/1.1"`,
				40000+i, tt.names[i%2], (s.End-s.Send).Milliseconds(), s.Bytes, flags)))
		}
		b.Log(logline.HAProxy, lines...)
		c := causesOf(b)
		if len(c) == 0 || (c[0].Cause == diagnose.OneReplica) != tt.want {
			t.Errorf("%s: %q, want one replica first: %v", tt.name, names(c), tt.want)
		}
		if tt.want && !slices.Contains(candidates(c), diagnose.AppError) {
			t.Errorf("%s: what it does is not said: %q", tt.name, candidates(c))
		}
	}
}
