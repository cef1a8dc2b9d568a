package scenarios_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A fleetTrial is a scenario played with 200 streams, 20 by day, on two replicas of two
// workers behind nginx, and what its logs must hold.
type fleetTrial struct {
	id   string
	path string   // of the stream; the app's own if empty
	env  []string // beyond two workers
	load harness.Load
	want verdict.Verdict
	// stops is how many replicas are told to stop, kills whether streams may be
	// cut by our own hand, and replicas how many there are in the end.
	stops, replicas int
	kills           bool
	edgeSays        string // a line of nginx's error log
	// byNight leaves a trial to make nightly: by day one stands for those that pass, a
	// stop that is out of grace fails in TestCausesOnDocker, and harness/stack/container
	// has replicas join and leave.
	byNight bool
}

// long are streams of four seconds: on a busy machine the last of 200 to have its
// third event is a second or two behind the first.
const long = "/chat?events=80&gap=50ms"

// hasty gives streams of four seconds a second to end in. They start one after
// the other, so that there are some of all ages whenever a replica is stopped.
var hasty = fleetTrial{path: long, env: []string{"GRACEFUL_TIMEOUT=1"}, load: harness.Load{Ramp: 2 * time.Second}, want: verdict.Fail}

var fleet = []fleetTrial{
	// New containers take their time to join beside 200 streams: the load waits for
	// them.
	{id: "rolling-deploy", byNight: true, load: harness.Load{Duration: 25 * time.Second}, stops: 2, replicas: 4,
		edgeSays: "reconfiguring"},
	{id: "scale-in", stops: 1, replicas: 2, edgeSays: "reconfiguring"},
	// A container takes its time to join: the load waits for it.
	{id: "scale-out", byNight: true, load: harness.Load{Duration: 8 * time.Second}, replicas: 3, edgeSays: "reconfiguring"},
	{id: "drain", byNight: true, path: long, stops: 1, replicas: 2},
	{id: "crash", byNight: true, path: long, kills: true, replicas: 2, edgeSays: "upstream prematurely closed connection"},
	{id: "worker-kill", byNight: true, path: long, kills: true, replicas: 2, edgeSays: "upstream prematurely closed connection"},
	{id: "edge-reload", byNight: true, path: long, replicas: 2, edgeSays: "signal 1 (SIGHUP) received"},
	hasty.of("drain", 1, 2).atNight(),
	hasty.of("rolling-deploy", 2, 4).atNight(),
}

func (f fleetTrial) of(id string, stops, replicas int) fleetTrial {
	f.id, f.stops, f.replicas = id, stops, replicas
	return f
}

func (f fleetTrial) atNight() fleetTrial {
	f.byNight = true
	return f
}

// TestReplicasOnDocker holds each verdict against what the run folder stores: the
// streams, the events of Docker, the access log and the log of each replica. By night one
// stack runs at a time: 200 streams take all of a small machine, and with two of them
// we read seconds late, which is rightly inconclusive.
func TestReplicasOnDocker(t *testing.T) {
	needDocker(t)
	if !*nightly {
		t.Parallel()
	}
	for i := range fleet {
		f := &fleet[i]
		if f.byNight && !*nightly {
			continue
		}
		t.Run(f.id+"/"+string(f.verdict()), func(t *testing.T) {
			app := chat(append([]string{"WORKERS=2"}, f.env...)...)
			app.Replicas, app.Edge = 2, streaming
			if f.path != "" {
				app.Stream.Path = f.path
			}
			l := f.load
			l.Streams = fleetStreams()
			dir := t.TempDir() + "/run"
			r := play(t, harness.Options{App: app, Scenarios: []harness.Scenario{scenario(t, f.id)}, Load: l, Dir: dir})
			if r.Verdict != f.verdict() {
				if r.Verdict == verdict.Inconclusive {
					busy.Excuse(t, &r.Scenarios[0])
				}
				t.Errorf("%s: %s%s", r.Verdict, r.Why, listCauses(r.Scenarios[0].Causes))
			}
			run, err := record.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			b := &fleetBooks{T: t, f: f, report: r.Scenarios[0], run: run, logs: filepath.Join(dir, "logs", f.id)}
			b.access()
			b.replicas()
			b.cuts()
			b.stops()
			b.cause(dir)
			if said := b.log("nginx_error.log"); !strings.Contains(said, f.edgeSays) {
				t.Errorf("nginx's log does not say %q", f.edgeSays)
			}
		})
	}
}

// fleetStreams is how many streams are open at a time.
func fleetStreams() int {
	if *nightly {
		return 200
	}
	return 20
}

func (f *fleetTrial) verdict() verdict.Verdict {
	if f.want == "" {
		return verdict.Pass
	}
	return f.want
}

// fleetBooks are the accounts of one run, to be held against each other.
type fleetBooks struct {
	*testing.T
	f      *fleetTrial
	report verdict.ScenarioReport
	run    *record.Run
	logs   string // folder
}

func (b *fleetBooks) log(name string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.logs, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// appLog is the log of a replica: app.1.log for app[1].
func (b *fleetBooks) appLog(replica string) string {
	b.Helper()
	return b.log(strings.NewReplacer("[", ".", "]", ".log").Replace(replica))
}

// access: nginx has a line for each stream, which names the upstream that the
// stream was told, and no other.
func (b *fleetBooks) access() {
	b.Helper()
	lines := map[string][]string{}
	for line := range strings.Lines(b.log("nginx_access.log")) {
		f := strings.Fields(line)
		upstream := f[5]
		for i := 6; strings.HasSuffix(upstream, ","); i++ { // it tried another one first
			upstream += " " + f[i]
		}
		lines[f[1]] = append(lines[f[1]], upstream)
	}
	if len(lines) != b.report.Started || b.report.Started < fleetStreams() {
		b.Errorf("nginx logged %d requests, %d streams were sent", len(lines), b.report.Started)
	}
	for i := range b.run.Streams {
		s := &b.run.Streams[i]
		if upstream := s.Header[stack.ReplicaHeader]; s.Headers != record.Never && !slices.Equal(lines[s.Nonce], []string{upstream}) {
			b.Errorf("stream %d came from %q, nginx asked %q", s.Seq, upstream, lines[s.Nonce])
		}
	}
}

// replicas: each one's own log says that it began the streams that the report
// counts as its.
func (b *fleetBooks) replicas() {
	b.Helper()
	began := map[string]int{}
	for i := range b.run.Streams {
		s := &b.run.Streams[i]
		began[s.Replica]++
		if !strings.Contains(b.appLog(s.Replica), "start request="+s.Nonce) {
			b.Errorf("stream %d is booked to %s, whose log does not know it", s.Seq, s.Replica)
		}
	}
	sum := 0
	for _, r := range b.report.Replicas {
		sum += r.Started
		whole := strings.Count(b.appLog(r.Name), "done request=")
		if r.Started == 0 || r.Started != began[r.Name] || whole < r.Outcomes[verdict.Complete] {
			b.Errorf("report: %+v; record: %d began; its log: %d done", r, began[r.Name], whole)
		}
	}
	if len(b.report.Replicas) != b.f.replicas || sum != b.report.Started {
		b.Errorf("%d replicas with %d streams in all, want %d and %d", len(b.report.Replicas), sum, b.f.replicas, b.report.Started)
	}
}

// cuts: they are all on what was killed or stopped, after that, and nginx saw
// them too.
func (b *fleetBooks) cuts() {
	b.Helper()
	cut := 0
	for i := range b.run.Streams {
		s := &b.run.Streams[i]
		if verdict.GradeStream(s, b.run.Plan.Scenarios[0].Policy).Outcome != verdict.Aborted {
			continue
		}
		cut++
		if !slices.ContainsFunc(b.run.Events, func(e record.Event) bool {
			blow := e.Source == record.FaultSource && (e.Kind == record.KindCrash && s.MayBeOn(e.Subject) ||
				e.Kind == record.KindKill && s.ServedBy(e.Subject, e.Pid) ||
				(e.Kind == record.KindTerm || e.Kind == record.KindRemove) && e.Subject == s.Replica)
			return blow && e.At <= s.End+aMoment
		}) {
			b.Errorf("stream %d of %s was cut at %v, and nothing was done to it", s.Seq, s.Process(), s.End)
		}
	}
	said := strings.Count(b.log("nginx_error.log"), "upstream prematurely closed connection while reading upstream")
	if n := b.report.Outcomes[verdict.Aborted]; n != cut || n != said {
		b.Errorf("report: %d streams aborted; record: %d; nginx: %d", n, cut, said)
	}
	if (cut > 0) != (b.f.kills || b.f.verdict() == verdict.Fail) {
		b.Errorf("%d streams were cut", cut)
	}
	if b.report.Recovery == nil {
		b.Error("the report does not say how long recovery took")
	}
}

// aMoment is how far the clocks of Docker and ours may be apart.
const aMoment = 500 * time.Millisecond

// stops: what was told to stop says so in its log, and Docker saw it go.
func (b *fleetBooks) stops() {
	b.Helper()
	told := 0
	for _, e := range b.run.Events {
		if e.Source != record.FaultSource || e.Kind == record.KindAdd || e.Kind == record.KindReload {
			continue
		}
		gone := slices.ContainsFunc(b.run.Events, func(x record.Event) bool {
			return x.Source == record.ProcessSource && x.Kind == record.KindExit && x.Subject == e.Subject &&
				x.At >= e.At-aMoment
		})
		if !gone {
			b.Errorf("%s %s at %v, and no exit followed", e.Kind, e.Subject, e.At)
		}
		if e.Kind == record.KindTerm || e.Kind == record.KindRemove {
			told++
			if !strings.Contains(b.appLog(e.Subject), "Handling signal: term") {
				b.Errorf("the log of %s does not say that it was told to stop", e.Subject)
			}
		}
	}
	if told != b.f.stops {
		b.Errorf("%d replicas were told to stop, want %d", told, b.f.stops)
	}
}

// cause: a short window is named, with lines that the logs hold; a sound app is
// blamed for nothing.
func (b *fleetBooks) cause(dir string) {
	b.Helper()
	causes := b.report.Causes
	if b.f.verdict() == verdict.Pass {
		for _, c := range causes {
			if !strings.HasPrefix(c.Cause, diagnose.InjectedFault) {
				b.Errorf("a sound app is blamed: %s", listCauses(causes))
			}
		}
		return
	}
	if len(causes) == 0 || causes[0].Cause != diagnose.GraceTooShort || causes[0].Count != b.report.Outcomes[verdict.Aborted] {
		b.Fatalf("want %s for %d streams, got %s", diagnose.GraceTooShort, b.report.Outcomes[verdict.Aborted], listCauses(causes))
	}
	if checkEvidence(b.T, dir, causes[0].Evidence) == 0 {
		b.Errorf("no line of a log bears witness: %s", listCauses(causes))
	}
}
