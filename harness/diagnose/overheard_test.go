package diagnose_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/cmd/streamproof/paste"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// stranger is a run of an app and an edge that stamp nothing and that we attached
// to.
func stranger() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Run.Plan.App = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000"}
	return b
}

// An exception that names a request is of that request, and of no stream that was cut
// beside it.
func TestExceptionOfAnotherRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		request int
		want    string // with which confidence the app is blamed for the stream that was cut
	}{"of the one that failed": {1, ""}, "of the one that was cut": {2, "certain"}} {
		b := stranger()
		b.Add(1, synth.Shape{Start: 400 * ms, Keep: synth.KeepNone, End: synth.Status(500)})
		b.Add(1, synth.Shape{Keep: 10, End: synth.RST})
		b.Add(10, synth.Shape{Events: 20})
		app(b, at(endOfTen, fmt.Sprintf("[ERROR] Exception in ASGI application request=nonce-%d", tt.request)))
		got := ""
		for _, c := range causesOf(b) {
			if c.Cause == diagnose.AppError && slices.Contains(c.Streams, 2) && c.Confidence != "possible" {
				got = c.Confidence
			}
		}
		if got != tt.want {
			t.Errorf("%s: the app is blamed %q, want %q", name, got, tt.want)
		}
	}
}

// cutsAndWholes adds bad streams that are cut at different moments, and whole ones
// between them; it calls each with the end of every one.
func cutsAndWholes(b *synth.Builder, bad, whole int, end synth.End, each func(seq uint64, at time.Duration, bad bool)) {
	for i := range bad + whole {
		sh := synth.Shape{Start: time.Duration(i) * 130 * ms, Mute: true, Events: 20}
		isBad := i%2 == 0 && i/2 < bad || i >= 2*whole
		if isBad {
			sh.Keep, sh.End = 5+i%7, end
		}
		seq := b.Add(1, sh)[0]
		each(seq, b.Run.Streams[len(b.Run.Streams)-1].End, isBad)
	}
}

// line is one whose time is known to 20 ms.
func line(b *synth.Builder, log int, at time.Duration, text string) {
	l := &b.Run.Logs[log]
	l.Lines = append(l.Lines, record.Line{N: len(l.Lines) + 1, At: at, Within: 20 * ms, Text: text})
}

func toldOf(b *synth.Builder) []verdict.Cause { return reportOf(&b.Run).Scenarios[0].Causes }

// reportOf is a report in words, whose commands and fixes can be pasted.
func reportOf(run *record.Run) *verdict.Report { return pastable(diagnose.Report(run)) }

// unpastable is what of the reports of these tests cannot be pasted as it stands.
var unpastable struct {
	sync.Mutex
	errs []error
}

// pastable words a report and holds it to what it prints for pasting: [TestMain] fails
// where something cannot be pasted.
func pastable(r *verdict.Report) *verdict.Report {
	reports.Word(r)
	if wrong := paste.Report(r, reports.IsCommand); len(wrong) > 0 {
		unpastable.Lock()
		defer unpastable.Unlock()
		unpastable.errs = append(unpastable.errs, wrong...)
	}
	return r
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, err := range unpastable.errs {
		fmt.Println("FAIL: a report cannot be pasted:", err)
		code = 1
	}
	os.Exit(code)
}

func evidence(causes []verdict.Cause) string {
	var all []string
	for _, c := range causes {
		all = append(all, c.Cause+" ("+c.Confidence+", "+c.Layer+"): "+c.Summary)
		all = append(all, fmt.Sprint(c.Evidence))
		all = append(all, c.RuledOut...)
		all = append(all, c.Settle)
	}
	return strings.Join(all, "\n")
}

// A line in words that nobody taught us, at each cut and at no whole answer.
func TestUnknownWordsAtEachCut(t *testing.T) {
	b := stranger()
	b.Log(record.AppLog)
	n := 0
	cutsAndWholes(b, 10, 15, synth.FIN, func(_ uint64, at time.Duration, bad bool) {
		if bad {
			n++
			line(b, 0, at-5*ms, fmt.Sprintf("quota of tenant 'acme-%d' is used up, dropping the answer", n))
		}
		line(b, 0, at-300*ms, fmt.Sprintf("picked model m-%d", n))
	})
	causes := toldOf(b)
	if len(causes) == 0 || causes[0].Cause != diagnose.AppError || causes[0].Confidence != "likely" {
		t.Fatalf("want an error of the app:\n%s", evidence(causes))
	}
	if got := evidence(causes); !strings.Contains(got, "within 50 ms of 10 of 10 of these ends, and beside 0 of 1") || !strings.Contains(got, "quota of tenant") {
		t.Errorf("the line is not quoted with its counts:\n%s", got)
	}
	if strings.Contains(evidence(causes), "none in its log") {
		t.Error("an exception is ruled out by a log that knows no exceptions")
	}
}

// What the log of one replica says of each of its streams sets it apart from the
// streams of the others, and means nothing.
func TestTheLogOfAReplicaIsComparedWithItsOwnStreams(t *testing.T) {
	for text, quoted := range map[string]bool{"start": false, "lease lost": true} {
		b := stranger()
		b.Run.Logs = append(b.Run.Logs, record.Log{Scenario: "control", Name: "app.0.log", Kind: record.AppLog})
		cutsAndWholes(b, 10, 15, synth.FIN, func(seq uint64, at time.Duration, bad bool) {
			s := &b.Run.Streams[len(b.Run.Streams)-1]
			if s.Replica = "app[1]"; bad || seq%4 == 0 {
				s.Replica = "app[0]"
			}
			if bad || !quoted && s.Replica == "app[0]" {
				line(b, 0, at-5*ms, fmt.Sprintf("%s request=%s", text, s.Nonce))
			}
			if s.Replica == "app[0]" {
				line(b, 0, at-400*ms, fmt.Sprintf("head sent request=%s", s.Nonce))
			}
		})
		got := evidence(toldOf(b))
		if strings.Contains(got, text+" request") != quoted || strings.Contains(got, "head sent") {
			t.Errorf("%q:\n%s", text, got)
		}
		if quoted && !strings.Contains(got, "10 of 10 of these ends on app[0], and with that of 0 of ") {
			t.Errorf("the counts are not those of the replica:\n%s", got)
		}
	}
}

// The same line at complete responses as well says nothing.
func TestUnknownWordsEverywhere(t *testing.T) {
	b := stranger()
	b.Log(record.AppLog)
	cutsAndWholes(b, 10, 15, synth.FIN, func(_ uint64, at time.Duration, _ bool) { line(b, 0, at-5*ms, "released a slot") })
	causes := toldOf(b)
	if got := evidence(causes); strings.Contains(got, "released a slot") || causes[0].Confidence != "possible" {
		t.Errorf("a line of no meaning is quoted:\n%s", got)
	}
}

// One line at one moment at which all ended is quoted, and decides nothing.
func TestUnknownWordsOnce(t *testing.T) {
	b := stranger()
	b.Log(record.AppLog)
	for range 8 {
		b.Add(1, synth.Shape{Keep: 10, Mute: true, End: synth.CutAt(2 * sec)})
	}
	line(b, 0, 2*sec-10*ms, "lease lost, stepping down")
	causes := toldOf(b)
	if got := evidence(causes); !strings.Contains(got, "lease lost") || causes[0].Confidence != "possible" {
		t.Errorf("%s", got)
	}
}

// A line by which the app answers to a client that went does not accuse the app.
func TestReactionsAccuseNobody(t *testing.T) {
	b := stranger()
	b.Log(record.AppLog)
	cutsAndWholes(b, 10, 15, synth.FIN, func(_ uint64, at time.Duration, bad bool) {
		if bad {
			line(b, 0, at+5*ms, "client disconnected, generation stopped")
		}
	})
	causes := toldOf(b)
	if causes[0].Confidence != "possible" || !strings.Contains(evidence(causes), "client disconnected") {
		t.Errorf("%s", evidence(causes))
	}
}

// Answers that the app finished, whatever clients got of them, died on the way.
func TestGeneratedAndNotDelivered(t *testing.T) {
	for _, named := range []bool{true, false} {
		b := stranger()
		b.Run.Hops = append(b.Run.Hops, record.Hop{Scenario: "control", Name: "edge", URL: "http://127.0.0.1:8000", Process: "haproxy"})
		b.Log(record.AppLog)
		type done struct {
			at   time.Duration
			text string
		}
		var all []done
		cutsAndWholes(b, 8, 12, synth.FIN, func(seq uint64, at time.Duration, bad bool) {
			if bad { // the app goes on to its end
				at = b.Run.Streams[len(b.Run.Streams)-1].Send + 20*50*ms
			}
			text := "answer finished"
			if named {
				text = fmt.Sprintf("answer finished request=nonce-%d", seq)
			}
			all = append(all, done{at - 5*ms, text})
		})
		slices.SortFunc(all, func(a, b done) int { return int(a.at - b.at) })
		for _, d := range all {
			line(b, 0, d.at, d.text)
		}
		causes := toldOf(b)
		if got := evidence(causes); causes[0].Produced == nil || causes[0].Produced.Finished != 20 || causes[0].Produced.Lost() != 8 || causes[0].Layer == "app" {
			t.Errorf("named %v:\n%s", named, got)
		}
	}
}

// An app that hands its answers on through a queue is done before they are delivered,
// and the app may be stopped before it comes to the end of the last one.
func TestFinishedAheadOfDelivery(t *testing.T) {
	for _, named := range []bool{true, false} {
		b := stranger()
		b.Log(record.AppLog)
		lines := map[time.Duration]string{}
		bads := 0
		cutsAndWholes(b, 8, 12, synth.FIN, func(seq uint64, at time.Duration, bad bool) {
			if bad {
				if bads++; bads == 8 {
					return
				}
				at = b.Run.Streams[len(b.Run.Streams)-1].Send + 24*50*ms
			}
			text := "answer finished"
			if named {
				text = fmt.Sprintf("answer finished request=nonce-%d", seq)
			}
			lines[at-200*ms+time.Duration(seq)*time.Microsecond] = text
		})
		for _, at := range slices.Sorted(maps.Keys(lines)) {
			line(b, 0, at, lines[at])
		}
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Produced == nil {
			t.Fatalf("named %v: nothing is said of what was finished:\n%s", named, evidence(causes))
		}
		if p := causes[0].Produced; p.Answers != 20 || p.Finished != 19 || p.Delivered != 12 || p.Lost() != 7 {
			t.Errorf("named %v: %+v", named, p)
		}
	}
}

// Answers that the app did not finish; and nothing at all where the line is missing
// at a complete response, stands at the end of any answer in a finally, or could not be
// written since we stopped the app before.
func TestNeverFinished(t *testing.T) {
	silent := func(s *record.Stream, last time.Duration) {
		synth.FIN(s, last)
		s.End = last + sec
	}
	missing := func(_ int, bad bool) bool { return !bad }
	for name, tt := range map[string]struct {
		logs    func(i int, bad bool) bool
		end     synth.End
		stopped time.Duration // 0 for never
		want    string
	}{
		"never finished":             {missing, synth.FIN, 0, "it never finished 8 of these"},
		"not reliable":               {func(i int, bad bool) bool { return !bad && i != 3 }, synth.FIN, 0, ""},
		"in a finally":               {func(int, bool) bool { return true }, synth.FIN, 0, ""},
		"stopped after the last end": {missing, synth.FIN, 3500 * ms, "it never finished 8 of these"},
		"stopped before":             {missing, synth.FIN, 2 * sec, ""},
		"silent, and stopped":        {missing, silent, 5 * sec, ""},
		"silent, and watched":        {missing, silent, 20 * sec, "it never finished 8 of these"},
	} {
		b := stranger()
		b.Log(record.AppLog)
		i := 0
		cutsAndWholes(b, 8, 12, tt.end, func(seq uint64, at time.Duration, bad bool) {
			if tt.logs(i, bad) {
				line(b, 0, at-2*ms, fmt.Sprintf("answer finished request=nonce-%d", seq))
			}
			i++
		})
		if tt.stopped > 0 {
			b.Happen(record.Event{At: tt.stopped, Source: record.HarnessSource, Kind: record.KindClosing})
		}
		got := evidence(toldOf(b))
		if tt.want != "" && !strings.Contains(got, tt.want) || tt.want == "" && strings.Contains(got, "the app finished") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// An access log of the app's server says nothing of whether the app finished.
func TestAccessLinesAreNoFinish(t *testing.T) {
	b := stranger()
	b.Log(record.AppLog)
	cutsAndWholes(b, 8, 12, synth.FIN, func(_ uint64, at time.Duration, _ bool) {
		line(b, 0, at, `127.0.0.1 - - [25/Nov/2026:12:00:02 +0000] "GET /chat HTTP/1.1" 200 512 "-" "done/1.0"`)
	})
	if got := evidence(toldOf(b)); strings.Contains(got, "the app finished") {
		t.Error(got)
	}
}

// A configuration is no log, and an empty log knows nothing: neither rules out an
// exception.
func TestNoEvidenceIsNoEvidence(t *testing.T) {
	for name, log := range map[string]func(b *synth.Builder){
		"none":  func(*synth.Builder) {},
		"empty": func(b *synth.Builder) { b.Log(record.AppLog) },
		"nginx.conf": func(b *synth.Builder) {
			b.Log(record.NotALog, at(never, "worker_processes 1;"), at(never, "events {}"))
		},
		"no levels": func(b *synth.Builder) { b.Log(record.AppLog, at(sec, "hello"), at(2*sec, "hello")) },
	} {
		for _, end := range []synth.End{synth.FIN, synth.Clean, synth.FINInFrame} {
			b := stranger()
			log(b)
			b.Each(10, func(i int) synth.Shape {
				return synth.Shape{Start: time.Duration(i) * 100 * ms, Keep: 4 + i%5, Mute: true, End: end}
			})
			got := evidence(toldOf(b))
			for _, claim := range []string{"no exception in the app's log", "none in its log", "no process exited", "oom_kill did not rise", "no WORKER TIMEOUT"} {
				if strings.Contains(got, claim) {
					t.Errorf("%s: claims %q:\n%s", name, claim, got)
				}
			}
		}
	}
}

// A traceback is cited by its last line, with the frame of the app's own.
func TestTracebackIsCitedByItsException(t *testing.T) {
	b := stranger()
	b.Log(record.AppLog)
	cutsAndWholes(b, 5, 6, synth.FIN, func(_ uint64, at time.Duration, bad bool) {
		if !bad {
			return
		}
		for _, text := range []string{"ERROR:    Exception in ASGI application", "Traceback (most recent call last):",
			`  File "/usr/lib/python3/dist-packages/uvicorn/protocols/http/h11_impl.py", line 407, in run_asgi`, "    result = await app(",
			`  File "/srv/chat/main.py", line 14, in gen`, `    raise QuotaExceeded("tenant 7")`, "chat.errors.QuotaExceeded: tenant 7"} {
			line(b, 0, at-2*ms, text)
		}
	})
	causes := toldOf(b)
	if causes[0].Cause != diagnose.AppError || causes[0].Confidence != "certain" {
		t.Fatal(evidence(causes))
	}
	if got := evidence(causes); !strings.Contains(got, "app.log:7: chat.errors.QuotaExceeded: tenant 7 (at main.py:14 in gen)") || strings.Contains(got, "Traceback (most recent") {
		t.Error(got)
	}
}

// A flood of lines, no two alike, beside thousands of cuts: what it costs.
func BenchmarkCompanyOfMany(t *testing.B) {
	b := stranger()
	b.Log(record.AppLog)
	for i := range 2000 {
		b.Add(1, synth.Shape{Start: time.Duration(i) * 5 * ms, Keep: 3 + i%9, Mute: true, End: synth.FIN})
	}
	for i := range 40_000 {
		line(b, 0, time.Duration(i)*250*time.Microsecond, "step "+letters(i)+" of the work on one of the many answers")
	}
	for t.Loop() {
		toldOf(b)
	}
}

// letters writes a number without a digit, so that templates differ.
func letters(n int) string {
	s := ""
	for ; n > 0; n /= 26 {
		s += string(rune('a' + n%26))
	}
	return s
}
