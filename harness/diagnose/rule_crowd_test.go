package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A waitTrial is streams that wait for one another on an app that stamps nothing.
type waitTrial struct {
	name  string
	build func(*synth.Builder)
	want  string // "" for no cause at all
	layer string
	says  string
	never string // must not be claimed or ruled out
}

func solo(b *synth.Builder, hop string, first time.Duration) {
	b.Add(1, synth.Shape{Group: record.Solo, Hop: hop, Mute: true, Events: 30, First: first})
}

// limitOf lets n of total streams through at a time.
func limitOf(b *synth.Builder, hop string, start time.Duration, total, n int) {
	b.Each(total, func(i int) synth.Shape {
		return synth.Shape{Hop: hop, Mute: true, Events: 30, Start: start, First: 5*ms + time.Duration(i/n)*1460*ms}
	})
}

// servedBy names what answers.
func servedBy(b *synth.Builder, name string) {
	for i := range b.Run.Streams {
		b.Run.Streams[i].Header["Server"] = name
	}
}

// timedOut is the answer of an edge that waited for 6 s.
func timedOut(s *record.Stream, _ time.Duration) {
	s.Status, s.Headers, s.End = 504, s.Send+6*sec, s.Send+6*sec
	s.First, s.FirstAny, s.Last = record.Never, record.Never, record.Never
	s.Contents, s.Frames, s.Events = 0, 0, nil
	s.Content.State = "empty"
}

var waitTrials = []waitTrial{
	{"below the limit", func(b *synth.Builder) { solo(b, "", 5*ms); limitOf(b, "", 10*sec, 4, 4) }, "", "", "", ""},
	{"an app that is slow, and alone as well", func(b *synth.Builder) {
		solo(b, "", 2*sec)
		b.Add(20, synth.Shape{Mute: true, Start: 10 * sec, First: 2100 * ms})
	}, "", "", "", ""},
	{"handler threads of a Java server", func(b *synth.Builder) {
		solo(b, "", 5*ms)
		limitOf(b, "", 10*sec, 8, 4)
		servedBy(b, "Jetty(12.0)")
	}, diagnose.ConcurrencyLimit, "app", "at most 4 answers", ""},
	{"sync workers", func(b *synth.Builder) { solo(b, "", 5*ms); limitOf(b, "", 10*sec, 8, 2); servedBy(b, "gunicorn") },
		diagnose.ConcurrencyLimit, "app", "at most 2 answers", ""},
	{"one sync worker", func(b *synth.Builder) { solo(b, "", 5*ms); limitOf(b, "", 10*sec, 6, 1); servedBy(b, "gunicorn") },
		diagnose.ConcurrencyLimit, "app", "one answer", ""},
	{"a generator that sleeps in an event loop", func(b *synth.Builder) { solo(b, "", 5*ms); limitOf(b, "", 10*sec, 6, 1); servedBy(b, "uvicorn") },
		diagnose.SerialisedLoop, "app", "one after the other", ""},
	{"a blocking call before the first event", func(b *synth.Builder) {
		solo(b, "", 300*ms)
		b.Add(20, synth.Shape{Mute: true, Start: 10 * sec, First: 6 * sec})
		servedBy(b, "uvicorn")
	}, diagnose.SerialisedLoop, "app", "300 ms", diagnose.SlowFirstEvent},
	{"a blocking call, and an edge that loses patience", func(b *synth.Builder) {
		solo(b, "", 300*ms)
		b.Each(20, func(i int) synth.Shape {
			if i > 2 {
				return synth.Shape{Mute: true, Start: 10 * sec, Keep: synth.KeepNone, End: timedOut}
			}
			return synth.Shape{Mute: true, Start: 10 * sec, First: 6 * sec}
		})
		nginx(b, at(16*sec, "2026/11/25 12:00:16 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading response header from upstream"))
	}, diagnose.SerialisedLoop, "app", "", ""},
	{"a semaphore around the retrieval", func(b *synth.Builder) {
		solo(b, "", 700*ms)
		b.Each(40, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Events: 60, Start: 10 * sec, First: 700*ms + time.Duration(i/5)*700*ms}
		})
	}, diagnose.ConcurrencyLimit, "app", "at most 5 first events", ""},
	{"a pool of 40 threads, by the kernel's count", func(b *synth.Builder) {
		solo(b, "", 5*ms)
		limitOf(b, "", 10*sec, 80, 40)
		b.Happen(record.Event{At: 11 * sec, Source: record.ProcessSource, Kind: record.KindThreads,
			Subject: "app[0]", Pid: 41, Value: 41})
	}, diagnose.ThreadPool, "app", "40 threads", ""},
	{"blocks that hit others each time", func(b *synth.Builder) {
		b.Add(1, synth.Shape{Group: record.Solo, Mute: true, Events: 60})
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Events: 60, Start: 10*sec + time.Duration(i)*150*ms, HoldFrom: 12 * sec, HoldFor: 2 * sec}
		})
	}, diagnose.BlockedLoop, "app", "fell silent together", ""},
	{"a queue", func(b *synth.Builder) {
		for range 5 {
			solo(b, "", 100*ms)
		}
		b.Each(12, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 10*sec + time.Duration(i)*10*ms, First: 1500*ms + time.Duration(i*i)*20*ms}
		})
	}, diagnose.Queue, "app", "queue", ""},
	{"unequal answers", func(b *synth.Builder) {
		for _, first := range []time.Duration{100 * ms, 2500 * ms, 100 * ms} {
			solo(b, "", first)
		}
		b.Each(12, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 10 * sec, First: 100*ms + time.Duration(i%2)*2400*ms}
		})
	}, "", "", "", ""},
}

func (tr waitTrial) run() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: 20 * sec, Slowdown: verdict.DefaultSlowdown, Checks: checks}})
	tr.build(b)
	return b
}

func TestWaiting(t *testing.T) {
	for _, tr := range waitTrials {
		b := tr.run()
		causes := toldOf(b)
		if tr.want == "" {
			if len(causes) > 0 {
				t.Errorf("%s: a sound app is blamed: %q", tr.name, causes[0].Summary)
			}
			continue
		}
		if len(causes) == 0 || causes[0].Cause != tr.want || causes[0].Layer != tr.layer || !strings.Contains(causes[0].Summary, tr.says) {
			t.Errorf("%s: %+v, want %q at %q with %q", tr.name, causes, tr.want, tr.layer, tr.says)
			continue
		}
		if c := causes[0]; c.Fix == "" || len(c.Evidence) < 2 {
			t.Errorf("%s: fix %q, evidence %q", tr.name, c.Fix, c.Evidence)
		}
		for _, c := range causes {
			if tr.never != "" && c.Cause == tr.never {
				t.Errorf("%s: also %q", tr.name, c.Cause)
			}
		}
	}
}

// TestWaitingAtTheEdge: what the app, asked directly by as many, does not show is
// the edge's.
func TestWaitingAtTheEdge(t *testing.T) {
	for _, tc := range []struct {
		name   string
		direct int // streams at a time
		layer  string
	}{{"only behind the edge", 8, "edge"}, {"directly as well", 4, "app"}} {
		b := synth.New(record.Scenario{ID: "peel", Peel: true, Edge: "streaming", Policy: record.Policy{GapLimit: 20 * sec, Slowdown: verdict.DefaultSlowdown, Checks: checks}})
		b.Run.Hops = []record.Hop{{Scenario: "peel", Name: "nginx"}, {Scenario: "peel", Name: "app"}}
		solo(b, "app", 5*ms)
		limitOf(b, "app", 10*sec, 8, tc.direct)
		solo(b, "nginx", 6*ms)
		limitOf(b, "nginx", 30*sec, 8, 4)
		for i := range b.Run.Streams {
			b.Run.Streams[i].Scenario = "peel"
		}
		causes := reportOf(&b.Run).Scenarios[0].Causes
		if len(causes) == 0 || causes[0].Cause != diagnose.ConcurrencyLimit || causes[0].Layer != tc.layer {
			t.Errorf("%s: %+v, want it at the %s", tc.name, causes, tc.layer)
		}
	}
}
