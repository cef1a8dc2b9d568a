package diagnose_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// alone is a stream that was sent before the load.
func alone(sh synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) {
		sh.Group = record.Solo
		b.Add(1, sh)
	}
}

// killedForMemory is a container whose first process, number 1 each time, dies while one
// stream is alone, and again under load: memory that ran short had held the streams up.
func killedForMemory(b *synth.Builder) {
	alone(synth.Shape{Worker: 1, Keep: 7, Events: 30, Gap: 110 * ms, End: synth.CutAt(1500 * ms)})(b)
	b.Each(24, func(i int) synth.Shape {
		return synth.Shape{Worker: 1, Start: 6*sec + time.Duration(i)*4*ms, Keep: 1 + i%2, Events: 30, Gap: 110 * ms,
			End: synth.CutAt(7500*ms + time.Duration(i)*6*ms)}
	})
}

// oneReplicaKilled is the same, where streams of another process went on.
func oneReplicaKilled(b *synth.Builder) {
	killedForMemory(b)
	b.Add(8, synth.Shape{Worker: 2, Start: 6 * sec, Events: 60})
}

// atOneAge is an app that kills its own process when a stream of it is 2.5 s old.
func atOneAge(b *synth.Builder) {
	alone(synth.Shape{Worker: 11, Events: 100, Gap: 35 * ms, Keep: 70, End: synth.CutAt(2500 * ms)})(b)
	b.Each(8, func(i int) synth.Shape {
		return synth.Shape{Worker: 12, Start: 10*sec + time.Duration(i)*8*ms, Events: 100, Gap: 35*ms + time.Duration(i)*ms,
			Keep: 66 - i, End: synth.CutAt(12500*ms + time.Duration(i)*ms)}
	})
}

// silentAtOneEvent ends as if it were whole after 2 s of silence behind event 6, on all
// streams at about one moment.
func silentAtOneEvent(b *synth.Builder) {
	b.Each(8, func(i int) synth.Shape {
		start := time.Duration(i) * 3 * ms
		return synth.Shape{Start: start, Keep: 6, End: synth.CleanAt(start + 2300*ms)}
	})
}

// crowded has 80 streams of which 40 are served at a time, on a machine that others keep
// busy.
func crowded(b *synth.Builder) {
	pool(80, 40)(b)
	b.Scenario(0).Policy.Thresholds.MaxGap = 80 * ms // all pause for longer, so that none was served in time
	for at := 250 * ms; at < 20*sec; at += 250 * ms {
		b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: 250 * ms, Known: true, Whole: true,
			Busy: 500 * ms, AppRan: 100 * ms, AppWaited: 150 * ms})
	}
}

// What nobody but a client saw may have several causes, and all that it may be stand
// among the candidates, and none that the timelines contradict.
func TestLookAlikesAreCandidates(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func(*synth.Builder)
		want  []string
		never []string
	}{
		{"a container killed for memory, twice", killedForMemory,
			[]string{diagnose.MemoryKillAll, diagnose.MemoryKillWorker, diagnose.WorkerKilled}, nil},
		{"a worker killed for memory, beside one that lives", oneReplicaKilled,
			[]string{diagnose.MemoryKillWorker, diagnose.WorkerKilled}, nil},
		{"streams that end one by one while others go on", both(inStep(15, synth.Shape{}), spaced(5, func(time.Duration) synth.Shape {
			return synth.Shape{Keep: 10, End: synth.FIN}
		})), []string{diagnose.AppError, diagnose.WorkerKilled, diagnose.MemoryKillWorker}, []string{diagnose.MemoryKillAll}},
		{"killed at one age", atOneAge,
			[]string{diagnose.AbsoluteDeadline, diagnose.WorkerKilled, diagnose.MemoryKillWorker, diagnose.SyncWorkerTimeout}, nil},
		{"a deadline that each stream meets by itself", spaced(9, func(start time.Duration) synth.Shape {
			return synth.Shape{Gap: 40*ms + start/50, Events: 200, Keep: int(3*sec/(40*ms+start/50)) - 1, End: synth.CutAt(start + 3*sec)}
		}), []string{diagnose.AbsoluteDeadline, diagnose.SyncWorkerTimeout}, []string{diagnose.WorkerKilled}},
		{"an idle timer that meets all at one event and ends them as if they were whole", silentAtOneEvent,
			[]string{diagnose.ProxyReadTimeout, diagnose.IdleTimeoutInApp}, nil},
		{"a single answer that stops short, whose exception was swallowed", func(b *synth.Builder) {
			b.Run.Plan.Dialect = "sse-generic"
			b.Add(1, synth.Shape{Keep: 6, End: synth.Clean, Mute: true})
			with(b, lastEvent(`data: {"token": "Cologne"}`))
		}, []string{diagnose.TerminalUnmatched, diagnose.SilentTruncation, diagnose.LaunderedByApp}, nil},
		{"a full thread pool on a busy machine", crowded,
			[]string{diagnose.BusyMachine, diagnose.ThreadPool}, []string{diagnose.BlockedLoop}},
		{"a limit that may be the edge's", func(b *synth.Builder) {
			b.Scenario(0).Policy.Slowdown, b.Scenario(0).Policy.GapLimit = verdict.DefaultSlowdown, 20*sec
			solo(b, "", 5*ms)
			limitOf(b, "", 10*sec, 12, 4)
		}, []string{diagnose.ConcurrencyLimit, diagnose.EdgeFull}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := attachedTo("openai-chat")
			tt.build(b)
			causes := causesOf(b)
			got := candidates(causes)
			for _, name := range tt.want {
				if !slices.Contains(got, name) {
					t.Errorf("%q is not among %q", name, got)
				}
			}
			for _, name := range tt.never {
				if slices.Contains(got, name) {
					t.Errorf("%q is contradicted, and among %q", name, got)
				}
			}
			if len(causes) > 0 && causes[0].Confidence == "certain" {
				t.Errorf("%s is certain, by what a client saw", causes[0].Cause)
			}
		})
	}
}

// A log, or a counter of the kernel, decides between look-alikes: none is left then.
func TestEvidenceSettlesLookAlikes(t *testing.T) {
	for name, tt := range map[string]struct {
		happen func(*synth.Builder)
		want   string
	}{
		"the counter rose": {func(b *synth.Builder) {
			for _, at := range []time.Duration{1500 * ms, 7500 * ms} {
				b.Happen(record.Event{At: at, Source: record.DockerSource, Kind: record.KindOOM, Subject: "app[0]"})
			}
		}, diagnose.MemoryKillAll},
		"a process got signal 9": {func(b *synth.Builder) {
			for _, at := range []time.Duration{1500 * ms, 7500 * ms} {
				b.Happen(record.Event{At: at, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]", Pid: 1, Code: 9})
			}
		}, diagnose.WorkerKilled},
	} {
		b := attachedTo("openai-chat")
		killedForMemory(b)
		tt.happen(b)
		causes := causesOf(b)
		if got := candidates(causes); len(got) != 1 || got[0] != tt.want || causes[0].Confidence != "certain" {
			t.Errorf("%s: %q, want %q alone", name, got, tt.want)
		}
	}
}

// A process manager looks after its workers once a second, and late to some where the
// machine is busy, so that the streams of sync workers end at ages up to two looks apart,
// however few they are.
func TestSyncWorkersEndWithinTwoLooks(t *testing.T) {
	r := rand.New(rand.NewPCG(47, 0))
	for i := range 400 {
		b := attachedTo("openai-chat")
		pace := time.Duration(350+r.IntN(100)) * ms
		limit := time.Duration(1+r.IntN(4)) * sec
		add := func(group record.Group, start time.Duration, worker int) {
			age := limit + time.Duration(r.Int64N(int64(2100*ms)))
			b.Add(1, synth.Shape{Group: group, Start: start, Worker: worker, Events: 60, Gap: pace,
				Keep: max(1, int((age-10*ms)/pace)), End: synth.CutAt(start + age)})
		}
		add(record.Solo, 0, 1)
		for n := range 1 + r.IntN(6) {
			add(record.Load, 10*sec+time.Duration(n)*5*ms, 2+n)
		}
		if last := &b.Run.Streams[len(b.Run.Streams)-1]; r.IntN(3) == 0 { // it waited for a worker
			last.Send -= limit
		}
		causes := causesOf(b)
		if got := candidates(causes); !slices.Contains(got, diagnose.SyncWorkerTimeout) {
			t.Errorf("run %d, %d streams at %v: %q", i, len(b.Run.Streams), limit, got)
		}
	}
}

// The age at which streams end says nothing of a manager where another one lived longer.
func TestSyncWorkersSpareNobody(t *testing.T) {
	b := attachedTo("openai-chat")
	for i := range 4 {
		start := time.Duration(i) * 5 * ms
		b.Add(1, synth.Shape{Start: start, Events: 60, Gap: 90 * ms, Keep: 20 + 2*i, End: synth.CutAt(start + 2*sec + time.Duration(i)*250*ms)})
	}
	b.Add(3, synth.Shape{Events: 60, Gap: 90 * ms})
	if got := candidates(causesOf(b)); slices.Contains(got, diagnose.SyncWorkerTimeout) {
		t.Errorf("three streams lived for 5 s: %q", got)
	}
}

// An app that answers in one piece when it is asked directly blames nobody, and is
// told of; one that paces its events is not.
func TestAnswersInOnePieceAreADoubt(t *testing.T) {
	for _, tt := range []struct {
		name, dialect string
		app           pacedHop
		doubt         bool
	}{
		{"all at once", "openai-chat", pacedHop{name: "app", pace: allAtOnce}, true},
		{"one by one", "openai-chat", pacedHop{name: "app", pace: oneByOne}, false},
		{"thirty at once", "openai-chat", pacedHop{name: "app", pace: inGroups(30)}, false},
		{"text", "text", pacedHop{name: "app", pace: allAtOnce}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proxy := tt.app
			proxy.name = "proxy"
			b := peeled(tt.dialect, 150, tt.app, proxy)
			r := reportOf(&b.Run).Scenarios[0]
			i := slices.IndexFunc(r.Doubts, func(d verdict.Doubt) bool { return d.Fact.Is(diagnose.FactJoinedByApp) })
			if (i >= 0) != tt.doubt {
				t.Fatalf("doubts %+v", r.Doubts)
			}
			if tt.doubt && (r.Verdict != verdict.Pass || len(r.Causes) > 0 || r.Doubts[i].Fact.N != 9 || r.Doubts[i].Fact.Of != 9) {
				t.Errorf("%s, causes %q, doubt %+v: a doubt blames nobody", r.Verdict, names(r.Causes), r.Doubts[i])
			}
		})
	}
}

// Where the log of an edge has the time that requests spent in its queues, it says whose
// places they waited for.
func TestQueueOfAnEdgeByItsLog(t *testing.T) {
	const (
		allDid  = "8 of 8 that waited did so in a queue of HAProxy"
		noneDid = "the log of HAProxy has no wait in its queues for 8 of them"
		line    = `127.0.0.1:5000 [25/Nov/2026:12:00:10.%03d] web app/app1 0/%d/0/3/%d 200 9000 - - ---- 1/1/0/0/0 0/0%s ` +
			`"GET /chat HTTP/1.1"`
	)
	inQueue, never := func(i int) int { return i / 4 * 1460 }, func(int) int { return 0 }
	for _, tt := range []struct {
		name   string
		queued func(i int) int // ms, as HAProxy writes it
		named  bool            // its log has the request IDs; else several lines fit each stream
		layer  string
		says   string
		open   bool
	}{
		{"in the edge's queue", inQueue, true, "edge", allDid, false},
		{"in the app", never, true, "app", noneDid, false},
		{"in the edge's queue, without IDs", inQueue, false, "edge", allDid, false},
		{"in the app, without IDs", never, false, "app", noneDid, false},
		{"in either, without IDs", func(i int) int { return i % 2 * 6000 }, false, "app", "exactly 4", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := attachedTo("openai-chat")
			b.Scenario(0).Policy.Slowdown, b.Scenario(0).Policy.GapLimit = verdict.DefaultSlowdown, 20*sec
			solo(b, "", 5*ms)
			limitOf(b, "", 10*sec, 12, 4)
			var lines []synth.LogLine
			for i := range 12 {
				s := b.Run.Streams[1+i]
				id := ""
				if tt.named {
					id = " {" + s.Nonce + "}"
				}
				lines = append(lines, at(s.End, fmt.Sprintf(line, i, tt.queued(i), (s.End-s.Send).Milliseconds(), id)))
			}
			b.Log("haproxy", lines...)
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != diagnose.ConcurrencyLimit || causes[0].Layer != tt.layer {
				t.Fatalf("%+v, want a limit at the %s", causes, tt.layer)
			}
			c := causes[0]
			said, open := fmt.Sprint(c.Evidence, c.RuledOut), slices.Contains(c.Names(), diagnose.EdgeFull)
			if !strings.Contains(said, tt.says) || open != tt.open {
				t.Errorf("%s, candidates %q: want %q, open: %t", said, c.Names(), tt.says, tt.open)
			}
		})
	}
}
