package diagnose_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	ms  = time.Millisecond
	sec = time.Second
	gap = 3 * sec // gap limit of made-up scenarios
)

// A trial is one run with a known cause.
type trial struct {
	name  string
	build func(*synth.Builder)
	edge  string // "streaming" if empty
	want  string // first with all evidence; empty for none
	never []string
	// blind is a candidate that client data alone must contain; want if empty.
	blind string
	// needsServer says that client data alone can say nothing: no cause is wanted
	// then.
	needsServer bool
}

var checks = []string{"late", "gappy", "buffered", "lingering", "leaked", "ragged", "repeated terminal", "error then terminal"}

func (tr trial) run() *synth.Builder {
	edge := tr.edge
	if edge == "" {
		edge = "streaming"
	}
	b := synth.New(record.Scenario{ID: "control", Edge: edge, Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Log(record.NginxError, at(0, "2026/11/25 12:00:00 [notice] 7#7: start worker process 8"))
	b.Log(record.NginxAccess)
	tr.build(b)
	return b
}

// app adds the log of an app whose server writes exceptions.
func app(b *synth.Builder, lines ...synth.LogLine) {
	b.Log(record.AppLog, append([]synth.LogLine{at(0, "INFO:     Started server process [11]"), at(0, "INFO:     Application startup complete.")}, lines...)...)
}

// on is an end of a stream that a replica served.
func on(replica string, end synth.End) synth.End {
	return func(s *record.Stream, last time.Duration) {
		end(s, last)
		s.Replica = replica
	}
}

// cluster is what Kubernetes says of a pod.
func cluster(b *synth.Builder, at time.Duration, kind record.EventKind, code int, text string) {
	b.Happen(record.Event{At: at, Source: record.KubernetesSource, Kind: kind, Subject: "app[0]", Code: code, Text: text})
}

func nginx(b *synth.Builder, lines ...synth.LogLine) { b.Log(record.NginxError, lines...) }

func at(t time.Duration, text string) synth.LogLine { return synth.LogLine{At: t, Text: text} }

const never = record.Never

// exceptionAt is what uvicorn writes for a generator that raised.
func exceptionAt(t time.Duration) []synth.LogLine {
	return []synth.LogLine{at(t, "ERROR:    Exception in ASGI application"), at(t, "Traceback (most recent call last):"), at(t, "ValueError: model exploded")}
}

// exceptions are one for each of n streams that end from t on, 1 ms apart.
func exceptions(n int, t time.Duration) []synth.LogLine {
	var out []synth.LogLine
	for i := range n {
		out = append(out, exceptionAt(t+time.Duration(i)*ms)...)
	}
	return out
}

const endOfTen = 5*ms + 9*50*ms // of the tenth event, from a stream's start

func gunicornTimeout(t time.Duration, pid int) []synth.LogLine {
	return []synth.LogLine{at(t, fmt.Sprintf("[2026-11-25 12:00:03 +0000] [10] [CRITICAL] WORKER TIMEOUT (pid:%d)", pid))}
}

// trials has a run for each cause, most with honest streams beside the broken.
var trials = []trial{
	{name: "clean", build: func(b *synth.Builder) { b.Add(50, synth.Shape{}); app(b) }},
	{name: "clean, default edge", edge: "default", build: func(b *synth.Builder) { b.Add(50, synth.Shape{}); app(b) }},
	{name: "clean, with a pause and heartbeats", build: func(b *synth.Builder) {
		b.Add(50, synth.Shape{PauseAfter: 4, Pause: 2 * sec})
		app(b, at(sec, "INFO: all is well"))
	}},
	{name: "clean, although the log has an old exception", build: func(b *synth.Builder) {
		b.Add(50, synth.Shape{})
		app(b, exceptionAt(0)...)
	}},

	{name: "ends early, direct", edge: "none", want: diagnose.SilentTruncation, never: []string{diagnose.LaunderedByEdge},
		build: func(b *synth.Builder) {
			b.Add(30, synth.Shape{})
			b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
			app(b)
		}},
	{name: "ends early, default edge", edge: "default", want: diagnose.SilentTruncation, build: func(b *synth.Builder) {
		b.Add(30, synth.Shape{})
		b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
		app(b)
	}},
	{name: "raises, chunked edge", want: diagnose.AppError, never: []string{diagnose.WorkerKilled, diagnose.GraceTooShort},
		build: func(b *synth.Builder) {
			b.Add(30, synth.Shape{})
			b.Add(10, synth.Shape{Keep: 10, End: synth.FIN})
			app(b, exceptions(10, endOfTen)...)
			nginx(b, at(endOfTen, "[error] upstream prematurely closed connection while reading upstream, client: 127.0.0.1"))
		}},
	{name: "raises, logs without times", want: diagnose.AppError, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: 10, End: synth.FIN})
		for range 10 {
			app(b, exceptionAt(never)...)
		}
	}},
	{name: "raises, default edge", edge: "default", want: diagnose.LaunderedByEdge, never: []string{diagnose.AppError, diagnose.SilentTruncation},
		build: func(b *synth.Builder) {
			b.Add(30, synth.Shape{})
			b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
			app(b, exceptions(10, endOfTen)...)
		}},
	{name: "worker killed, default edge", edge: "default", want: diagnose.LaunderedByEdge, never: []string{diagnose.WorkerKilled, diagnose.SilentTruncation},
		build: func(b *synth.Builder) {
			b.Add(10, synth.Shape{Worker: 11, Keep: 10, End: synth.CleanAt(500 * ms)})
			b.Add(10, synth.Shape{Worker: 12})
			b.Happen(record.Event{At: 500 * ms, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
				Pid: 11, Code: 9})
			app(b)
		}},
	{name: "swallows the exception and notes it", want: diagnose.LaunderedByApp, never: []string{diagnose.SilentTruncation, diagnose.LaunderedByEdge}, build: func(b *synth.Builder) {
		var lines []synth.LogLine
		for _, seq := range b.Add(10, synth.Shape{Keep: 10, End: synth.Clean}) {
			lines = append(lines, at(endOfTen, fmt.Sprintf("[WARNING] stopped request=nonce-%d events=10 reason=ConnectionError: model backend went away", seq)))
		}
		app(b, lines...)
	}},
	{name: "ends early beside complaints about others", want: diagnose.SilentTruncation, never: []string{diagnose.LaunderedByApp}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
		app(b, at(endOfTen, "[WARNING] retry request=nonce-99 reason=ConnectionError"), at(endOfTen, "[INFO] done request=nonce-1 events=10 error=none"))
	}},
	{name: "raises behind a middleware, direct", edge: "none", want: diagnose.LaunderedByApp, never: []string{diagnose.LaunderedByEdge},
		build: func(b *synth.Builder) {
			b.Add(30, synth.Shape{})
			b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
			app(b, exceptions(10, endOfTen)...)
		}},
	{name: "raises behind a middleware, chunked edge", want: diagnose.LaunderedByApp, never: []string{diagnose.LaunderedByEdge, diagnose.AppError},
		build: func(b *synth.Builder) {
			b.Add(10, synth.Shape{Keep: 10, End: synth.Clean})
			app(b, exceptions(10, endOfTen)...)
		}},
	{name: "resource closed", want: diagnose.OutlivesResources, never: []string{diagnose.AppError}, build: func(b *synth.Builder) {
		b.Add(20, synth.Shape{Keep: synth.KeepNone, End: synth.FIN})
		app(b, append(exceptions(20, 2*ms), at(2*ms, "RuntimeError: the session is closed"))...)
	}},
	{name: "resource closed, default edge", edge: "default", want: diagnose.OutlivesResources, build: func(b *synth.Builder) {
		b.Add(20, synth.Shape{Keep: synth.KeepNone, End: synth.Clean})
		app(b, append(exceptions(20, 2*ms), at(2*ms, "ValueError: I/O operation on closed file"))...)
	}},

	{name: "in-band error", want: diagnose.InBandError, build: broken(synth.Shape{Keep: 10, End: synth.ErrorEvent})},
	{name: "error, then terminal", want: diagnose.ErrorThenTerminal, never: []string{diagnose.InBandError}, build: broken(synth.Shape{Keep: 10, End: synth.ErrorTerminal})},
	{name: "terminal twice", want: diagnose.TerminalTwice, build: broken(synth.Shape{End: synth.Twice})},
	{name: "open after the terminal", want: diagnose.OpenAfterAnswer, build: broken(synth.Shape{End: synth.Open(gap)})},
	{name: "cut after the terminal", want: diagnose.CutAfterAnswer, build: broken(synth.Shape{End: synth.Ragged})},
	{name: "terminal missing", want: diagnose.MissingTerminal, never: []string{diagnose.StallInApp}, build: broken(synth.Shape{End: synth.Silent(gap)})},
	{name: "terminal missing on more streams than a pool has threads", want: diagnose.MissingTerminal, never: []string{diagnose.ThreadPool}, build: func(b *synth.Builder) {
		b.Scenario(0).Policy.Thresholds.MaxGap = 500 * ms
		b.Each(42, func(i int) synth.Shape {
			s := synth.Shape{Start: time.Duration(i) * 3 * ms}
			if i%3 == 0 {
				s.End = synth.Silent(gap)
			}
			return s
		})
	}},
	{name: "lost event", want: diagnose.LostEvent, build: broken(synth.Shape{End: synth.Wrong(stream.Gap, "event 7 missing")})},
	{name: "duplicated event", want: diagnose.DuplicatedEvent, build: broken(synth.Shape{End: synth.Wrong(stream.Duplicate, "event 7 twice")})},
	{name: "reordered events", want: diagnose.ReorderedEvents, build: broken(synth.Shape{End: synth.Wrong(stream.Reordered, "8 before 7")})},
	{name: "foreign event", want: diagnose.ForeignEvent, build: broken(synth.Shape{End: synth.Wrong(stream.Foreign, "nonce of stream 3")})},
	{name: "checksum", want: diagnose.CorruptContent, build: broken(synth.Shape{End: synth.Wrong(stream.Corrupt, "checksum")})},
	{name: "spliced", want: diagnose.Spliced, build: broken(synth.Shape{Keep: 10, End: synth.Garbage("invalid chunk header \"HTTP/1.1 500\"", true)})},
	{name: "broken framing", want: diagnose.BrokenFraming, build: broken(synth.Shape{Keep: 10, End: synth.Garbage("invalid chunk header \"zz\"", false)})},
	{name: "cut inside a frame", want: diagnose.CutInFrame, never: []string{diagnose.AppError, diagnose.WorkerKilled}, build: broken(synth.Shape{Keep: 10, End: synth.FINInFrame})},
	{name: "clean end inside a frame", edge: "none", want: diagnose.CutInFrame, build: broken(synth.Shape{Keep: 10, End: synth.CleanInFrame})},
	{name: "length lie", want: diagnose.LengthLie, build: broken(synth.Shape{Keep: 10, End: func(s *record.Stream, last time.Duration) {
		synth.FIN(s, last)
		s.Wire.Framing, s.Wire.Where = record.Length, record.InBody
	}})},

	{name: "read timeout", want: diagnose.ProxyReadTimeout, never: []string{diagnose.AppError, diagnose.BlockedLoopTimeout, diagnose.WorkerKilled},
		build: func(b *synth.Builder) {
			// Started over a second, so that the cuts share a silence and no instant.
			b.Each(10, func(i int) synth.Shape {
				start := time.Duration(i) * 100 * ms
				return synth.Shape{Start: start, Keep: 10, End: synth.CutAt(start + endOfTen + 1950*ms)}
			})
			b.Add(10, synth.Shape{})
			app(b)
			nginx(b, at(2*sec, "[error] upstream timed out (110: Connection timed out) while reading upstream, client: 127.0.0.1"))
		}},
	{name: "read timeout, only the setting known", want: diagnose.ProxyReadTimeout, build: func(b *synth.Builder) {
		b.Scenario(0).Layers = []record.Layer{{Name: "nginx", Settings: map[string]string{"proxy_read_timeout": "2s"}}}
		b.Run.Logs = nil
		b.Each(10, func(i int) synth.Shape {
			start := time.Duration(i) * 100 * ms
			return synth.Shape{Start: start, Keep: 10, End: synth.CutAt(start + endOfTen + 1950*ms)}
		})
	}},
	{name: "read timeout before headers", want: diagnose.ProxyHeaderTimeout, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: synth.KeepNone, End: synth.Status(504)})
		nginx(b, at(0, "[error] upstream timed out (110: Connection timed out) while reading response header from upstream"))
		app(b)
	}},
	{name: "sync worker timeout", want: diagnose.SyncWorkerTimeout, never: []string{diagnose.BlockedLoopTimeout, diagnose.WorkerKilled}, build: func(b *synth.Builder) {
		var lines []synth.LogLine
		for i := range 4 {
			start := time.Duration(i) * 700 * ms
			b.Add(1, synth.Shape{Start: start, Worker: 20 + i, Events: 160, Keep: 66, End: synth.CutAt(start + 3300*ms)})
			lines = append(lines, gunicornTimeout(start+3300*ms, 20+i)...)
		}
		app(b, lines...)
	}},
	{name: "sync worker timeout, and our own end of the run", want: diagnose.SyncWorkerTimeout, never: []string{diagnose.WorkerRecycled}, build: func(b *synth.Builder) {
		b.Add(1, synth.Shape{Worker: 20, Events: 160, Keep: 66, End: synth.CutAt(3300 * ms)})
		app(b, append(gunicornTimeout(3300*ms, 20), at(4*sec, "[INFO] Handling signal: term"), at(4*sec, "[INFO] Shutting down: Master"),
			at(4*sec, "[2026-11-25 12:00:04 +0000] [21] [INFO] Shutting down"))...)
	}},
	{name: "raises in the second in which we end the run", want: diagnose.AppError, never: []string{diagnose.GraceTooShort, diagnose.NoGracefulShutdown}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: 10, End: synth.FIN})
		app(b, append(exceptions(10, endOfTen), at(0, "[INFO] Handling signal: term"), at(0, "[INFO] Shutting down: Master"))...)
		b.Happen(record.Event{At: 900 * ms, Source: record.HarnessSource, Kind: record.KindClosing})
	}},
	{name: "blocked loop until the worker timeout", want: diagnose.BlockedLoopTimeout, never: []string{diagnose.SyncWorkerTimeout, diagnose.WorkerKilled, diagnose.WorkerRecycled},
		build: func(b *synth.Builder) {
			b.Each(8, func(i int) synth.Shape {
				return synth.Shape{Start: time.Duration(i) * 60 * ms, Worker: 31, Events: 100, Keep: 20 - i, End: synth.CutAt(4 * sec)}
			})
			b.Add(8, synth.Shape{Worker: 32, Events: 100})
			app(b, append(gunicornTimeout(4*sec, 31), at(4*sec, "[WARNING] Worker with pid 31 was terminated due to signal 6"))...)
		}},
	{name: "recycled", want: diagnose.WorkerRecycled, never: []string{diagnose.BlockedLoopTimeout, diagnose.SyncWorkerTimeout}, build: func(b *synth.Builder) {
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 60 * ms, Worker: 31, Events: 100, Keep: 50, End: synth.CutAt(4 * sec)}
		})
		b.Add(8, synth.Shape{Worker: 32, Events: 100})
		app(b, append([]synth.LogLine{at(2*sec, "WARNING:  Maximum request limit of 8 exceeded. Terminating process."), at(2*sec, "INFO:     Shutting down")},
			gunicornTimeout(4*sec, 31)...)...)
	}},
	{name: "liveness probe of Kubernetes", want: diagnose.LivenessKill, blind: diagnose.WorkerKilled, never: []string{diagnose.GraceTooShort, diagnose.WorkerKilled, diagnose.DeployGap}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 50, End: on("app[0]", synth.CutAt(3*sec))})
		b.Add(10, synth.Shape{Events: 30, End: on("app[1]", synth.Whole)})
		cluster(b, 2900*ms, record.KindProbeKill, 0, "Container chat failed liveness probe, will be restarted")
		cluster(b, 2900*ms, record.KindStop, 15, "liveness probe failed")
		cluster(b, 3*sec, record.KindExit, 137, "pod chat-1: Error, exit code 137")
	}},
	{name: "liveness probe of Kubernetes, told after the exit", want: diagnose.LivenessKill, blind: diagnose.WorkerKilled, never: []string{diagnose.GraceTooShort, diagnose.WorkerKilled}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 50, End: on("app[0]", synth.CutAt(3*sec))})
		b.Add(10, synth.Shape{Events: 30, End: on("app[1]", synth.Whole)})
		cluster(b, 2900*ms, record.KindExit, 0, "pod chat-1: Completed, exit code 0")
		cluster(b, 3400*ms, record.KindProbeKill, 0, "Container chat failed liveness probe, will be restarted")
		cluster(b, 3400*ms, record.KindStop, 15, "liveness probe failed")
	}},
	{name: "evicted by the kubelet", want: diagnose.PodDisrupted, blind: diagnose.WorkerKilled, never: []string{diagnose.GraceTooShort, diagnose.WorkerKilled}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 50, End: on("app[0]", synth.CutAt(3*sec))})
		b.Add(10, synth.Shape{Events: 30, End: on("app[1]", synth.Whole)})
		cluster(b, 2900*ms, record.KindDisrupted, 0, "TerminationByKubelet: The node was low on resource: memory.")
		cluster(b, 2900*ms, record.KindStop, 15, "pod chat-1 is deleted, grace 30s")
		cluster(b, 3*sec, record.KindExit, 137, "pod chat-1: Error, exit code 137")
	}},
	{name: "scaled in by an autoscaler", want: diagnose.GraceTooShort, blind: diagnose.WorkerKilled, never: []string{diagnose.WorkerKilled, diagnose.PodDisrupted}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 50, End: on("app[0]", synth.CutAt(4*sec))})
		b.Add(10, synth.Shape{Events: 30, End: on("app[1]", synth.Whole)})
		b.Happen(record.Event{At: 3050 * ms, Source: record.KubernetesSource, Kind: record.KindScaled, Subject: "chat",
			Text: "New size: 1; reason: All metrics below target"})
		cluster(b, 3*sec, record.KindStop, 15, "pod chat-1 is deleted, grace 1s")
		cluster(b, 4*sec, record.KindExit, 137, "pod chat-1: Error, exit code 137")
	}},
	{name: "routed to a stopping pod", want: diagnose.RoutedLate, blind: diagnose.NoAnswer, never: []string{diagnose.DeployGap, diagnose.WorkerKilled}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 30, End: on("app[1]", synth.Whole)})
		b.Add(3, synth.Shape{Start: 1050 * ms, Keep: synth.KeepNone, End: synth.NoHead})
		cluster(b, sec, record.KindStop, 15, "pod chat-1 is deleted, grace 30s")
		cluster(b, 1100*ms, record.KindUnrouted, 0, "pod chat-1")
	}},
	{name: "routed to a stopping pod by rules that lag behind", want: diagnose.RoutedLate, blind: diagnose.NoAnswer, never: []string{diagnose.DeployGap}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Start: 4 * sec, Events: 30})
		b.Add(3, synth.Shape{Start: 1900 * ms, Keep: synth.KeepNone, End: synth.NoHead})
		cluster(b, sec, record.KindStop, 15, "pod chat-1 is deleted, grace 30s")
		cluster(b, 1100*ms, record.KindUnrouted, 0, "pod chat-1")
	}},
	{name: "the way to the cluster breaks off", want: diagnose.SelfInflicted, blind: diagnose.ConnectionCut, never: []string{diagnose.WorkerKilled, diagnose.ConnectionCut}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 50, End: synth.CutAt(3 * sec)})
		b.Add(10, synth.Shape{Events: 30})
		b.Happen(record.Event{At: 3 * sec, Source: record.KubernetesSource, Kind: record.KindLost, Text: "connection refused"})
	}},
	{name: "graceful window", want: diagnose.GraceTooShort, never: []string{diagnose.WorkerKilled, diagnose.AppError, diagnose.DeployGap}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 50, End: synth.CutAt(3 * sec)})
		b.Add(10, synth.Shape{Events: 30})
		app(b, at(sec, "[INFO] Handling signal: term"), at(3*sec, "[INFO] Shutting down: Master"), at(3*sec, "[WARNING] Worker with pid 11 was terminated due to signal 9"))
	}},
	{name: "graceful window, told by whole seconds alone", want: diagnose.GraceTooShort, never: []string{diagnose.WorkerKilled, diagnose.AppError}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Start: 700 * ms, Events: 100, Keep: 40, End: synth.CutAt(3 * sec)})
		app(b, at(0, "[INFO] Handling signal: term"), at(3*sec, "[WARNING] Worker with pid 11 was terminated due to signal 9"))
	}},
	{name: "graceful window of each replica in its turn", want: diagnose.GraceTooShort, never: []string{diagnose.WorkerKilled}, build: func(b *synth.Builder) {
		for i, end := range []time.Duration{2 * sec, 6 * sec} {
			name := fmt.Sprintf("app[%d]", i)
			b.Each(10, func(j int) synth.Shape {
				return synth.Shape{Start: end - 1500*ms + time.Duration(j)*40*ms, Worker: 11 + i, Events: 100, Keep: 30 - j, End: synth.CutAt(end)}
			})
			for j := range 10 {
				b.Run.Streams[10*i+j].Replica = name
			}
			b.Happen(record.Event{At: end - sec, Source: record.DockerSource, Kind: record.KindKill, Subject: name,
				Pid: 1, Code: 15})
			b.Happen(record.Event{At: end, Source: record.ProcessSource, Kind: record.KindExit, Subject: name, Pid: 1, Code: 1})
		}
	}},
	{name: "worker killed", want: diagnose.WorkerKilled, never: []string{diagnose.MemoryKillWorker, diagnose.AppError, diagnose.BlockedLoopTimeout}, build: func(b *synth.Builder) {
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 30 * ms, Worker: 11, Events: 60, Keep: 30, End: synth.CutAt(2 * sec)}
		})
		b.Add(10, synth.Shape{Worker: 12, Events: 60})
		b.Happen(record.Event{At: 2 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Pid: 11, Code: 9})
		app(b)
	}},
	{name: "memory kill of a worker", want: diagnose.MemoryKillWorker, never: []string{diagnose.WorkerKilled, diagnose.MemoryKillAll}, build: func(b *synth.Builder) {
		oomBase(b)
		b.Add(10, synth.Shape{Worker: 12, Events: 60})
	}},
	{name: "memory kill of the container", want: diagnose.MemoryKillAll, never: []string{diagnose.WorkerKilled, diagnose.MemoryKillWorker}, build: func(b *synth.Builder) {
		oomBase(b)
		b.Happen(record.Event{At: 2 * sec, Source: record.DockerSource, Kind: record.KindOOM, Subject: "app-0"})
		b.Happen(record.Event{At: 2 * sec, Source: record.DockerSource, Kind: record.KindDie, Subject: "app-0", Code: 137})
	}},
	{name: "memory kill of a container that is slow to die", want: diagnose.MemoryKillAll, never: []string{diagnose.WorkerKilled, diagnose.MemoryKillWorker}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 45, End: synth.CutAt(4500 * ms)})
		b.Happen(record.Event{At: 2 * sec, Source: record.DockerSource, Kind: record.KindOOM, Subject: "app[0]"})
		b.Happen(record.Event{At: 8 * sec, Source: record.DockerSource, Kind: record.KindDie, Subject: "app[0]", Code: 137})
	}},
	{name: "cut long after a memory kill that left the container alive", want: diagnose.WorkerKilled, never: []string{diagnose.MemoryKillAll, diagnose.MemoryKillWorker}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 88, End: synth.CutAt(4500 * ms)})
		b.Happen(record.Event{At: 2 * sec, Source: record.DockerSource, Kind: record.KindOOM, Subject: "app[0]"})
		b.Happen(record.Event{At: 8 * sec, Source: record.DockerSource, Kind: record.KindDie, Subject: "app[0]"})
	}},
	{name: "memory kill of process 1, its end not yet told", want: diagnose.MemoryKillAll, never: []string{diagnose.MemoryKillWorker}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Worker: 1, Events: 60, Keep: 30, End: synth.CutAt(2 * sec)})
		b.Happen(record.Event{At: 2 * sec, Source: record.DockerSource, Kind: record.KindOOM, Subject: "app[0]"})
		app(b)
	}},
	{name: "memory kill, two replicas", want: diagnose.MemoryKillWorker, never: []string{diagnose.WorkerKilled}, build: func(b *synth.Builder) {
		oomBase(b)
		b.Run.Events = nil
		for _, e := range []record.Event{{At: 0, Subject: "app[0]"}, {At: 0, Subject: "app[1]", Value: 4},
			{At: 2 * sec, Subject: "app[0]", Value: 1}} {
			e.Source, e.Kind, e.Counter = record.CgroupSource, record.KindCounter, record.OOMCounter
			b.Happen(e)
		}
	}},
	{name: "killed beside an old memory kill", want: diagnose.WorkerKilled, never: []string{diagnose.MemoryKillWorker}, build: func(b *synth.Builder) {
		oomBase(b)
		for i := range b.Run.Events {
			b.Run.Events[i].Value = 3 // from before: it does not rise
		}
	}},
	{name: "worker killed beside a reload of the edge", want: diagnose.WorkerKilled, never: []string{diagnose.EdgeReloaded}, build: func(b *synth.Builder) {
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 30 * ms, Worker: 11, Events: 60, Keep: 30, End: synth.CutAt(2 * sec)}
		})
		b.Add(10, synth.Shape{Worker: 12, Events: 60})
		b.Happen(record.Event{At: 2 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Pid: 11, Code: 9})
		app(b)
		nginx(b, at(2*sec, "[notice] 9#9: signal 1 (SIGHUP) received from 9, reconfiguring"))
	}},
	{name: "worker killed beside an old error about a closed connection", want: diagnose.WorkerKilled, never: []string{diagnose.OutlivesResources}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Worker: 11, Events: 60, Keep: 1, End: synth.CutAt(3 * sec)})
		b.Add(10, synth.Shape{Worker: 12, Events: 60})
		b.Happen(record.Event{At: 3 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Pid: 11, Code: 9})
		app(b, at(0, "redis.exceptions.ConnectionError: Connection closed by server."))
	}},
	{name: "exit of one replica beside a memory kill of another", want: diagnose.WorkerKilled, never: []string{diagnose.MemoryKillWorker, diagnose.MemoryKillAll}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Worker: 11, Events: 200, Keep: 90, End: on("app[0]", synth.CutAt(5*sec))})
		b.Add(10, synth.Shape{Worker: 11, Events: 60, End: on("app[1]", synth.Whole)})
		for _, e := range []record.Event{{At: 0, Subject: "app[1]"}, {At: sec, Subject: "app[1]", Value: 1}} {
			e.Source, e.Kind, e.Counter = record.CgroupSource, record.KindCounter, record.OOMCounter
			b.Happen(e)
		}
		b.Happen(record.Event{At: 5 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Pid: 11, Code: 1})
		app(b)
	}},
	{name: "held by a link, all at one moment", want: diagnose.HeldOnTheWay, never: []string{diagnose.BlockedLoop}, build: func(b *synth.Builder) {
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 100 * ms, Worker: 41, Events: 80, HoldFrom: 3 * sec, HoldFor: 4 * sec}
		})
		app(b)
	}},
	{name: "deploy gap", want: diagnose.DeployGap, build: broken(synth.Shape{Keep: synth.KeepNone, End: synth.NoListener})},
	{name: "load shed", want: diagnose.Overloaded, build: broken(synth.Shape{Keep: synth.KeepNone, End: synth.Status(503)})},
	{name: "wrong path", want: diagnose.HTTPFailure, build: broken(synth.Shape{Keep: synth.KeepNone, End: synth.Status(404)})},
	{name: "no head", want: diagnose.NoAnswer, build: broken(synth.Shape{Keep: synth.KeepNone, End: synth.NoHead})},

	{name: "stall for good", want: diagnose.StallInApp, never: []string{diagnose.MissingTerminal, diagnose.HeldOnTheWay}, build: broken(synth.Shape{Keep: 10, End: synth.Silent(gap)})},
	{name: "pause in the app", want: diagnose.StallInApp, never: []string{diagnose.HeldOnTheWay, diagnose.BlockedLoop}, build: broken(synth.Shape{PauseAfter: 10, Pause: gap + sec})},
	{name: "held on the way", want: diagnose.HeldOnTheWay, never: []string{diagnose.StallInApp, diagnose.BlockedLoop}, build: func(b *synth.Builder) {
		b.Each(10, func(i int) synth.Shape {
			start := time.Duration(i) * 200 * ms
			return synth.Shape{Start: start, Events: 60, HoldFrom: start + sec, HoldFor: gap + sec}
		})
		b.Add(30, synth.Shape{})
		app(b)
	}},
	{name: "blocked loop", want: diagnose.BlockedLoop, never: []string{diagnose.StallInApp, diagnose.BlockedLoopTimeout}, build: func(b *synth.Builder) {
		b.Each(10, func(i int) synth.Shape { return blockedAt(time.Duration(i)*200*ms, 3*sec, gap+sec, 41) })
		b.Add(10, synth.Shape{Worker: 42, Events: 100})
		app(b)
	}},
	{name: "serial generator", want: diagnose.BlockedLoop, build: func(b *synth.Builder) {
		b.Scenario(0).Policy.Thresholds.FirstEvent = 500 * ms
		b.Each(6, func(i int) synth.Shape { return synth.Shape{Worker: 41, First: 5*ms + time.Duration(i)*1100*ms} })
		app(b)
	}},
	{name: "thread pool", want: diagnose.ThreadPool, never: []string{diagnose.BlockedLoop, diagnose.StallInApp, diagnose.SlowFirstEvent}, build: pool(80, 40)},
	{name: "thread pool, not far above its size", want: diagnose.ThreadPool, never: []string{diagnose.BlockedLoop, diagnose.StallInApp}, build: pool(65, 40)},
	// The rate alone would be that of 28 threads: the kernel's count decides.
	{name: "thread pool, by its threads", want: diagnose.ThreadPool, never: []string{diagnose.BlockedLoop, diagnose.StallInApp}, build: threads(pool(65, 28), 41)},
	{name: "no thread pool, by its threads", want: diagnose.SlowFirstEvent, never: []string{diagnose.ThreadPool}, build: threads(pool(80, 40), 90), blind: diagnose.ThreadPool},
	{name: "slow first event", want: diagnose.SlowFirstEvent, never: []string{diagnose.StallInApp, diagnose.BufferedByApp},
		build: func(b *synth.Builder) {
			b.Scenario(0).Policy.Thresholds.FirstEvent = 500 * ms
			broken(synth.Shape{First: 2 * sec})(b)
		}},

	{name: "buffering edge", edge: "default", want: diagnose.BufferedByEdge, never: []string{diagnose.BufferedByApp, diagnose.SlowFirstEvent}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Burst: -1})
		app(b)
		var lines []synth.LogLine
		for i := range 10 {
			lines = append(lines, at(sec, fmt.Sprintf("1795608001.000 nonce-%d 200 1.000 2100 127.0.0.1:9 200 0.006 0.990 2000 \"OK\" \"GET /stream HTTP/1.1\"", i+1)))
		}
		b.Log(record.NginxAccess, lines...)
	}},
	{name: "edge in quanta", edge: "default", want: diagnose.BufferedByEdge, build: func(b *synth.Builder) { b.Add(10, synth.Shape{Burst: 5, Events: 40}); app(b) }},
	{name: "gzip at the edge", edge: "gzip", want: diagnose.GzipByEdge, build: compressed},
	{name: "gzip in the app", want: diagnose.GzipByApp, build: compressed},
	{name: "collected by the app", edge: "none", want: diagnose.BufferedByApp, blind: diagnose.BufferedByApp, build: func(b *synth.Builder) { b.Add(10, synth.Shape{Burst: -1}); app(b) }},
	{name: "joined by the app", want: diagnose.JoinedByApp, never: []string{diagnose.BufferedByEdge}, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Burst: -1, End: func(s *record.Stream, last time.Duration) {
			synth.Whole(s, last)
			s.Wire.Framing = record.Length
		}})
		app(b)
	}},

	{name: "leak", want: diagnose.NotPropagated, needsServer: true, build: func(b *synth.Builder) {
		for i, seq := range b.Add(10, synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}) {
			l := record.Ledger{Stream: seq, Produced: 100, LeftAt: 210 * ms, StopAt: never}
			if i%2 == 0 {
				l.StopAt = 5 * sec
			}
			b.Ledger(l)
		}
		app(b)
	}},
	{name: "no leak", needsServer: true, build: func(b *synth.Builder) {
		for _, seq := range b.Add(10, synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}) {
			b.Ledger(record.Ledger{Stream: seq, Produced: 6, LeftAt: 210 * ms, StopAt: 215 * ms})
		}
		app(b)
	}},
	{name: "our total limit", want: diagnose.SelfInflicted, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Events: 100, Keep: 60, End: func(s *record.Stream, last time.Duration) {
			synth.Silent(10*ms)(s, last)
			s.Limit = record.TotalLimit
		}})
		app(b)
	}},
	{name: "heartbeats for ever", want: diagnose.HeartbeatsOnly, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{})
		b.Add(10, synth.Shape{Keep: 7, End: idle(record.ProgressLimit, 40, 0)})
		app(b)
	}},
	{name: "heartbeats until our total limit", want: diagnose.HeartbeatsOnly, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: 7, End: idle(record.TotalLimit, 40, 0)})
		app(b)
	}},
	{name: "heartbeats and no first event", want: diagnose.HeartbeatsOnly, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: synth.KeepNone, End: idle(record.FirstLimit, 40, 0)})
		app(b)
	}},
	{name: "a drip", want: diagnose.UnfinishedEvent, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{})
		b.Add(10, synth.Shape{Keep: 7, End: idle(record.ProgressLimit, 0, 12)})
		app(b)
	}},
	{name: "a long thought behind heartbeats", build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{End: func(s *record.Stream, last time.Duration) {
			synth.Whole(s, last)
			s.Heartbeats, s.ProgressGap = 40, 40*sec
		}})
		app(b)
	}},
	{name: "our descriptors", want: diagnose.SelfInflicted, build: func(b *synth.Builder) {
		b.Add(10, synth.Shape{Keep: synth.KeepNone, End: func(s *record.Stream, last time.Duration) {
			synth.NoListener(s, last)
			s.Wire.Err = "socket: too many open files"
		}})
		app(b)
	}},
}

// idle is kept alive for 40 s by heartbeats or by bytes of an event.
func idle(limit record.Limit, beats, partial int) synth.End {
	return func(s *record.Stream, last time.Duration) {
		synth.Silent(40*sec)(s, last)
		s.Limit, s.Heartbeats, s.Partial = limit, beats, partial
	}
}

// broken mixes a shape with three times as many honest streams.
func broken(sh synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) {
		b.Add(30, synth.Shape{})
		b.Add(10, sh)
		app(b)
	}
}

func compressed(b *synth.Builder) {
	b.Add(10, synth.Shape{Burst: -1, End: func(s *record.Stream, last time.Duration) {
		synth.Whole(s, last)
		s.Encoding = "gzip"
	}})
	app(b)
}

func oomBase(b *synth.Builder) {
	b.Each(10, func(i int) synth.Shape {
		return synth.Shape{Start: time.Duration(i) * 30 * ms, Worker: 11, Events: 60, Keep: 30, End: synth.CutAt(2 * sec)}
	})
	b.Happen(record.Event{At: 0, Source: record.CgroupSource, Kind: record.KindCounter,
		Counter: record.OOMCounter, Value: 0})
	b.Happen(record.Event{At: 3 * sec, Source: record.CgroupSource, Kind: record.KindCounter, Counter: record.OOMCounter,
		Value: 1})
	app(b, at(2*sec, "[ERROR] Worker (pid:11) was sent SIGKILL! Perhaps out of memory?"))
}

// blockedAt is a stream of a process whose loop is blocked from an instant on.
func blockedAt(start, from, held time.Duration, worker int) synth.Shape {
	return synth.Shape{Start: start, Worker: worker, Events: 100, PauseAfter: int((from - start) / (50 * ms)), Pause: held}
}

// pool is n sync generators on a pool of size threads: with twice as many
// streams as threads each event takes two turns, and half of the streams wait
// for others to end.
func pool(n, size int) func(*synth.Builder) {
	return func(b *synth.Builder) {
		b.Scenario(0).Policy.Thresholds.FirstEvent = 500 * ms
		b.Each(n, func(i int) synth.Shape {
			return synth.Shape{Worker: 51, Gap: 100 * ms, First: 5*ms + time.Duration(i/size)*2*sec}
		})
		app(b)
	}
}

// threads has the process of the pool rise to n threads.
func threads(build func(*synth.Builder), n int64) func(*synth.Builder) {
	return func(b *synth.Builder) {
		build(b)
		b.Happen(record.Event{At: 300 * ms, Source: record.ProcessSource, Kind: record.KindThreads,
			Subject: "app[0]", Pid: 51, Value: n})
	}
}

// blinded takes away all that a client by itself would not know.
func blinded(b *synth.Builder) *record.Run {
	r := b.Run
	r.Logs, r.Events, r.Notes, r.Ledgers, r.Edges = nil, nil, nil, nil, nil
	r.Plan.App = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000/chat"}
	r.Plan.Scenarios[0].Layers = nil
	return &r
}

func names(cs []verdict.Cause) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Cause)
	}
	return out
}

// candidates are all causes that may be meant.
func candidates(cs []verdict.Cause) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Names()...)
	}
	return out
}

// TestMatrix is the measure of the diagnosis: with all evidence the right cause
// comes first and no look-alike is named; with client data alone it is among the
// candidates; clean runs have none.
func TestMatrix(t *testing.T) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TRIAL\tWITH ALL EVIDENCE\tCLIENT DATA ALONE")
	for _, tr := range trials {
		t.Run(tr.name, func(t *testing.T) {
			full := reportOf(&tr.run().Run).Scenarios[0].Causes
			blind := reportOf(blinded(tr.run())).Scenarios[0].Causes
			fmt.Fprintf(table, "%s\t%s\t%s\n", tr.name, strings.Join(names(full), " | "), strings.Join(candidates(blind), " | "))
			tr.checkFull(t, full)
			tr.checkBlind(t, blind)
		})
	}
	if testing.Verbose() {
		table.Flush()
	}
}

func (tr trial) checkFull(t *testing.T, got []verdict.Cause) {
	t.Helper()
	if tr.want == "" {
		if len(got) > 0 {
			t.Errorf("blamed %q for a clean run", names(got))
		}
		return
	}
	if len(got) == 0 || got[0].Cause != tr.want {
		t.Fatalf("causes = %q, want %q first", names(got), tr.want)
	}
	for _, n := range tr.never {
		if slices.Contains(names(got), n) {
			t.Errorf("named the look-alike %q", n)
		}
	}
	c := got[0]
	if len(c.Evidence) == 0 || c.Fix == "" || c.Summary == "" || c.Layer == "" || c.Taxonomy == "" {
		t.Errorf("cause lacks evidence, fix, summary, layer or taxonomy: %+v", c)
	}
}

func (tr trial) checkBlind(t *testing.T, got []verdict.Cause) {
	t.Helper()
	want := tr.blind
	if want == "" {
		want = tr.want
	}
	switch {
	case tr.needsServer || want == "":
		if len(got) > 0 {
			t.Errorf("client data alone: blamed %q", names(got))
		}
	case !slices.Contains(candidates(got), want):
		t.Errorf("client data alone: %q lacks %q", candidates(got), want)
	}
	for _, c := range got {
		if c.Confidence == "possible" && c.Settle == "" {
			t.Errorf("client data alone: %q is only possible and does not say what would settle it", c.Cause)
		}
	}
}

// TestHonestStreamsAreNeverBlamed looks at the examples that causes give.
func TestHonestStreamsAreNeverBlamed(t *testing.T) {
	for _, tr := range trials {
		b := tr.run()
		scope := verdict.Scopes(&b.Run)[0]
		honest := make(map[uint64]bool)
		for _, g := range scope.Streams {
			honest[g.Seq] = g.Grade.Outcome == verdict.Complete && len(g.Grade.Flags) == 0
		}
		for _, c := range diagnose.Causes(&scope) {
			for _, seq := range c.Streams {
				if honest[seq] {
					t.Errorf("%s: %q blames honest stream %d", tr.name, c.Cause, seq)
				}
			}
		}
	}
}

// TestEvidenceExists looks every cited line up in the stored logs.
func TestEvidenceExists(t *testing.T) {
	for _, tr := range trials {
		b := tr.run()
		lines := make(map[string]bool)
		for _, l := range b.Run.Logs {
			for _, line := range l.Lines {
				lines[fmt.Sprintf("%s:%d: %s", l.Name, line.N, line.Text)] = true
			}
		}
		for _, c := range reportOf(&b.Run).Scenarios[0].Causes {
			for _, e := range c.Evidence {
				e.Remark = ""
				if e.Log != "" && !lines[e.String()] {
					t.Errorf("%s: %q cites %q, which no log has", tr.name, c.Cause, e)
				}
			}
		}
	}
}
