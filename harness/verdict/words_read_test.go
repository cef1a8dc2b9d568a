package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// bare is a stream of an app that stamps nothing, as its end left it.
func bare(seq uint64, change func(*record.Stream)) record.Stream {
	s := record.Stream{Seq: seq, Scenario: "s", Group: record.Load, Hop: "edge", Status: 200,
		Send: 0, Connect: 0, Headers: time.Millisecond, First: 2 * time.Millisecond, FirstAny: 2 * time.Millisecond,
		Last: time.Second, End: time.Second, TerminalAt: record.Never, Frames: 20, Contents: 19,
		Wire:    record.Wire{Framing: record.Chunked, Where: record.AtEnd, Lingered: record.Never},
		Content: stream.Summary{State: stream.Complete, Terminals: 1}}
	if change != nil {
		change(&s)
	}
	return s
}

// judged judges a run of one scenario with these streams.
func judged(dialect string, p record.Policy, streams ...record.Stream) ScenarioReport {
	run := &record.Run{Plan: record.Plan{Dialect: dialect, Scenarios: []record.Scenario{{ID: "s", Policy: p}}},
		Streams: streams, Finished: time.Minute,
		Waves: []record.Wave{{Scenario: "s", Asked: len(streams), Started: len(streams)}}}
	return Judge(run).Scenarios[0]
}

func many(n int, change func(*record.Stream)) []record.Stream {
	var out []record.Stream
	for i := range n {
		out = append(out, bare(uint64(i+1), change))
	}
	return out
}

func checkNamed(r ScenarioReport, name string) Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return Check{}
}

// What we cannot read is our own limit: it is not counted, and never a pass.
func TestUnread(t *testing.T) {
	const name = "answers can be read"
	in := func(form stream.Form, change func(*record.Stream)) func(*record.Stream) {
		return func(s *record.Stream) {
			s.Content = stream.Summary{State: stream.Corrupt, Why: "not JSON", Form: form}
			s.Contents = 0
			if change != nil {
				change(s)
			}
		}
	}
	for _, tt := range []struct {
		name    string
		streams []record.Stream
		outcome Outcome
		verdict Verdict
		why     string
	}{
		{"another dialect", many(6, in(stream.FormOllama, nil)), Unread, Inconclusive, "Ollama"},
		{"a media type",
			many(6, in(stream.FormAWS, func(s *record.Stream) { s.ContentType = "application/vnd.amazon.eventstream" })), Unread,
			Inconclusive, "application/vnd.amazon.eventstream"},
		{"an encoding", many(6, in(stream.FormEncoded, func(s *record.Stream) { s.Encoding = "xz" })), Unread, Inconclusive,
			`"xz"`},
		{"no event that we know within the time",
			many(6, in(stream.FormAWS, func(s *record.Stream) {
				s.Limit, s.Wire.Where = record.FirstLimit, record.BetweenChunks
			})), Unread, Inconclusive, ""},
		{"cut all the same",
			many(6, in(stream.FormAWS, func(s *record.Stream) { s.Wire.Where, s.Wire.Close = record.InChunk, record.CloseFIN })),
			Aborted, Fail, ""},
		{"some of them only", append(many(4, nil), bare(5, in(stream.FormOllama, nil)), bare(6, in(stream.FormOllama, nil))),
			Complete, Fail, `some unread n=2 of=6 stream=5 name="openai-chat" about=[form name="Ollama's lines"]`},
		{"one document is a failure of the app", many(6, in(stream.FormJSON, nil)), Corrupt, Fail, ""},
		{"all read", many(6, nil), Complete, Pass, ""},
	} {
		r := judged("openai-chat", record.Policy{GapLimit: 3 * time.Second}, tt.streams...)
		if r.Verdict != tt.verdict || r.Outcomes[tt.outcome] == 0 || !strings.Contains(shown(checkNamed(r, name).Fact),
			tt.why) {
			t.Errorf("%s: %s, outcomes %v: %s", tt.name, r.Verdict, r.Outcomes, shown(checkNamed(r, name).Fact))
		}
	}
}

// A failure that stands in the reason is a failure that was said, and its sentinel
// is no second fault.
func TestFailingReason(t *testing.T) {
	g := GradeStream(&[]record.Stream{bare(1, func(s *record.Stream) {
		s.Content = stream.Summary{State: stream.Prefix, Terminals: 1, Errors: 1, Reason: "abort", Failing: true,
			ErrorText: `the answer ended for the reason "abort"`}
	})}[0], record.Policy{})
	if g.Outcome != FailedClean || g.Has(ErrorThen) || g.Fact.Text != `the answer ended for the reason "abort"` {
		t.Errorf("%+v", g)
	}
}

// A terminal that others follow proves nothing, unless it is one server that goes
// on behind an end at which all others stop.
func TestLooseTerminal(t *testing.T) {
	const name = "terminal expression matches the last event only"
	early := func(s *record.Stream) {
		s.Content = stream.Summary{State: stream.Corrupt, Fault: stream.AfterTerminal,
			Why: "content after the terminal event", Terminals: 2, AfterTerminal: 17, Early: 3,
			Ends: []string{"event == finish"}}
	}
	cut := func(s *record.Stream) {
		s.Content.Ends = []string{"event == token"}
		s.Wire.Where, s.Wire.Close = record.BetweenChunks, record.CloseFIN
	}
	for _, tt := range []struct {
		name    string
		dialect string
		streams []record.Stream
		verdict Verdict
		outcome Outcome
		why     string
	}{
		{"all", "sse-generic", many(6, early), Inconclusive, Complete,
			"loose terminal n=6 of=6 about=[event n=3 of=20 stream=1]"},
		{"one stream alone", "sse-generic", many(1, early), Inconclusive, Complete,
			"loose terminal n=1 of=1 about=[event n=3 of=20 stream=1]"},
		{"a cut behind it is a cut", "sse-generic", append(many(5, early), bare(6, cut)), Fail, Aborted, ""},
		{"one server goes on", "sse-generic", append(many(5, nil), bare(6, early)), Fail, Corrupt, ""},
		{"a dialect that knows its end", "openai-chat", many(6, early), Fail, Corrupt, ""},
		{"none", "sse-generic", many(6, nil), Pass, Complete, ""},
	} {
		r := judged(tt.dialect, record.Policy{GapLimit: 3 * time.Second, Checks: []string{string(Repeated)}}, tt.streams...)
		c := checkNamed(r, name)
		if r.Verdict != tt.verdict || r.Outcomes[tt.outcome] == 0 || !strings.Contains(shown(c.Fact), tt.why) {
			t.Errorf("%s: %s, outcomes %v, %s: %s", tt.name, r.Verdict, r.Outcomes, c.Verdict, shown(c.Fact))
		}
		if tt.name == "all" && r.Doubts[0].Next.Text != "event == finish" {
			t.Errorf("next step %q offers no terminal", r.Doubts[0].Next.Text)
		}
	}
}

// Only what holds for every answer that ended by itself is offered.
func TestEndsOfRun(t *testing.T) {
	ends := func(e ...string) func(*record.Stream) {
		return func(s *record.Stream) { s.Content = stream.Summary{State: stream.Prefix, Ends: e} }
	}
	run := &record.Run{Streams: []record.Stream{bare(1, ends("event == finish", "json .done == true")),
		bare(2, ends("json .done == true")), bare(3, func(s *record.Stream) { s.Wire.Where = record.InChunk; s.Content.Ends = nil }),
		bare(4, func(s *record.Stream) { s.Status = 503; s.Content.Ends = nil })}}
	if got := Ends(run); len(got) != 1 || got[0] != "json .done == true" {
		t.Errorf("%q", got)
	}
	run.Streams = append(run.Streams, bare(5, ends()))
	if got := Ends(run); len(got) != 0 {
		t.Errorf("%q, although one answer ends otherwise", got)
	}
}

// A feed is judged by time and count.
func TestFeed(t *testing.T) {
	p := record.Policy{GapLimit: 3 * time.Second, Feed: 10 * time.Second, FeedEvents: 5}
	feed := func(events int, change func(*record.Stream)) []record.Stream {
		return many(4, func(s *record.Stream) {
			s.Content = stream.Summary{State: stream.Prefix, Unprovable: true}
			s.Contents, s.Limit, s.End = events, record.FeedLimit, 10*time.Second
			s.Wire.Where = record.BetweenChunks
			if change != nil {
				change(s)
			}
		})
	}
	for _, tt := range []struct {
		name    string
		streams []record.Stream
		outcome Outcome
		verdict Verdict
		why     string
	}{
		{"enough", feed(5, nil), Complete, Pass, ""},
		{"too few", feed(4, nil), Stalled, Fail,
			"broke a rule n=4 of=4 stream=1 counts=[{stalled 4}] about=[feed short n=4 need=5 took=10s]"},
		{"ended", feed(40, func(s *record.Stream) {
			s.Limit, s.End, s.Wire.Where = record.NoLimit, 3*time.Second, record.AtEnd
		}), Truncated, Fail,
			"broke a rule n=4 of=4 stream=1 counts=[{truncated 4}] about=[feed ended n=40 took=3s bound=10s]"},
		{"cut", feed(40, func(s *record.Stream) { s.Limit, s.Wire.Close = record.NoLimit, record.CloseFIN }), Aborted, Fail,
			""},
		{"silent", feed(40, func(s *record.Stream) { s.Limit = record.GapLimit }), Stalled, Fail, ""},
		{"failed", feed(40, func(s *record.Stream) { s.Content.Errors, s.Content.ErrorText = 1, "no water" }), FailedClean,
			Fail, "no water"},
		{"over by its own word", feed(40, func(s *record.Stream) {
			s.Limit, s.Wire.Where = record.NoLimit, record.AtEnd
			s.Content = stream.Summary{State: stream.Complete, Terminals: 1}
		}), Complete, Pass, ""},
		{"run ended before", feed(2, func(s *record.Stream) { s.Limit = record.CancelledByEnd }), Cancelled, Inconclusive,
			""},
	} {
		r := judged("sse-generic", p, tt.streams...)
		if r.Verdict != tt.verdict || r.Outcomes[tt.outcome] != 4 || !strings.Contains(decided(&r), tt.why) {
			t.Errorf("%s: %s, outcomes %v: %s", tt.name, r.Verdict, r.Outcomes, decided(&r))
		}
	}
}

// A stream that our own limit ended while it was still sending is no failure of a
// server of which no answer came to an end, and one of a server whose others did.
func TestUnending(t *testing.T) {
	on := func(gap time.Duration) func(*record.Stream) {
		return func(s *record.Stream) {
			s.Content = stream.Summary{State: stream.Prefix}
			s.Limit, s.End, s.Last, s.Wire.Where = record.TotalLimit, 20*time.Second, 20*time.Second-gap, record.BetweenChunks
			s.ProgressGap = gap
		}
	}
	for _, tt := range []struct {
		name    string
		streams []record.Stream
		want    Verdict
	}{
		{"a feed, for all we know", many(4, on(200*time.Millisecond)), Inconclusive},
		{"silent at the end", many(4, on(9*time.Second)), Fail},
		{"others end", append(many(3, nil), bare(4, on(200*time.Millisecond))), Fail},
		{"all end", many(4, nil), Pass},
	} {
		if r := judged("sse-generic", record.Policy{GapLimit: 3 * time.Second}, tt.streams...); r.Verdict != tt.want {
			t.Errorf("%s: %s: %s", tt.name, r.Verdict, decided(&r))
		}
	}
}

// Characters that a hop split are its fault only where the app asked directly is
// free of them.
func TestLegible(t *testing.T) {
	scar := func(s *record.Stream) { s.Content.Replaced, s.Content.Split = 4, 2 }
	direct := func(n int, scarred bool) []record.Stream {
		return many(n, func(s *record.Stream) {
			s.Seq += 100
			s.Hop = appHop
			if scarred {
				scar(s)
			}
		})
	}
	for _, tt := range []struct {
		name    string
		streams []record.Stream
		want    Verdict
	}{
		{"none", many(6, func(s *record.Stream) { s.Content.Replaced = 1 }), ""},
		{"no reference", append(many(3, nil), many(3, scar)...), Inconclusive},
		{"the app does not", append(many(6, scar), direct(3, false)...), Fail},
		{"too few asked directly", append(many(6, scar), direct(2, false)...), Inconclusive},
		{"the app does, too", append(many(6, scar), direct(3, true)...), Pass},
		{"the app alone", direct(6, true), Inconclusive},
	} {
		if c := checkNamed(judged("openai-chat", record.Policy{}, tt.streams...),
			"characters come through whole"); c.Verdict != tt.want {
			t.Errorf("%s: %q (%s), want %q", tt.name, c.Verdict, shown(c.Fact), tt.want)
		}
	}
}
