package reports

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

const ms = time.Millisecond

// A synth builds runs by hand, stream by stream, with the same result each time.
type synth struct {
	run    record.Run
	report verdict.Report
	grades []verdict.Grade
	rng    *rand.Rand
	now    time.Duration
}

var startedAt = time.Date(2026, 11, 25, 8, 30, 0, 0, time.UTC)

func newSynth() *synth {
	s := &synth{rng: rand.New(rand.NewPCG(7, 42))}
	s.run.Plan = record.Plan{
		Schema: record.Schema, Tool: "v0.1.0", Started: startedAt, Seed: 42,
		Repro: "streamproof run --seed 42 --scenario worker-kill",
		Host:  record.Host{OS: "linux", Arch: "amd64", Go: "go1.26.8", CPUs: 2, Clock: "kernel (SO_TIMESTAMPNS)"},
		App:   record.App{Name: "acme/chat"}, Stack: "local", Dialect: "openai-chat",
		Request: record.Request{URL: "http://127.0.0.1:8000/chat", Method: "POST",
			Headers: map[string]string{"Authorization": "Bearer ${API_KEY}", "Content-Type": "application/json"},
			Body:    `{"q": "hi", "stream": true}`},
		Limits: map[string]string{"gap": "5s", "total": "60s"},
	}
	s.report = verdict.Report{
		Schema: verdict.Schema, Seed: 42, Repro: s.run.Plan.Repro, Tool: "v0.1.0", StartedAt: startedAt,
		Outcomes: map[verdict.Outcome]int{}, Complete: true,
	}
	return s
}

// A shape says how a stream is to look.
type shape struct {
	group   record.Group
	first   time.Duration // to the first event
	events  int
	gap     time.Duration
	jitter  float64       // share of the gap
	holdAt  int           // a silence of hold after this event
	hold    time.Duration // 0 for none
	tail    time.Duration // from the last event to the end
	beats   time.Duration // heartbeats while silent
	endAt   time.Duration // ends then, whatever tail says
	outcome verdict.Outcome
	ending  verdict.Ending
	why     string
	flags   []verdict.Flag
}

func healthy(g record.Group) shape {
	return shape{group: g, first: 50 * ms, events: 40, gap: 50 * ms, jitter: 0.3, tail: ms,
		outcome: verdict.Complete, ending: verdict.TerminalEOF}
}

// vary returns d with up to share of it added or taken away.
func (s *synth) vary(d time.Duration, share float64) time.Duration {
	return d + time.Duration((s.rng.Float64()*2-1)*share*float64(d))
}

// stream adds one stream that is sent at the given time.
func (s *synth) stream(id string, at time.Duration, h shape) {
	st := record.Stream{
		Seq: uint64(len(s.run.Streams) + 1), Scenario: id, Group: h.group, Hop: "edge",
		Sched: at, Send: at, Connect: at, Headers: at + 2*ms, First: record.Never, FirstAny: record.Never,
		Last: record.Never, TerminalAt: record.Never, Status: 200, Proto: "HTTP/1.1", ContentType: "text/event-stream",
		Wire:    record.Wire{Framing: record.Chunked, Where: record.AtEnd, Lingered: record.Never},
		Content: stream.Summary{State: stream.Complete, Worker: fmt.Sprint(4100 + len(s.run.Streams)%2)},
	}
	st.Nonce = fmt.Sprintf("%016x", s.rng.Uint64())
	var tl record.Timeline
	t := at
	for i := 1; i <= h.events; i++ {
		switch {
		case i == 1:
			t += s.vary(h.first, h.jitter)
			st.First = t
		case i == h.holdAt+1 && h.hold > 0:
			for b := t + h.beats; h.beats > 0 && b < t+h.hold; b += h.beats {
				tl.Append(record.Mark{At: b, Early: b, Kind: stream.Heartbeat, Seq: -1, Size: 12})
			}
			t += h.hold
		default:
			t += s.vary(h.gap, h.jitter)
		}
		tl.Append(record.Mark{At: t, Early: t, Kind: stream.Content, Seq: int64(i), Size: 100})
		st.Last = t
	}
	st.Events, st.Contents, st.Frames = tl.Bytes, h.events, h.events
	st.End = max(max(t, st.Headers)+h.tail, h.endAt)
	if h.outcome == verdict.Complete {
		st.TerminalAt, st.Content.Terminals = st.End, 1
	} else {
		st.Content.State = stream.Prefix
	}
	g := verdict.Grade{Outcome: h.outcome, Content: st.Content.State, Ending: h.ending, Fact: &record.Fact{Kind: record.FactQuoted, Text: h.why}, Flags: h.flags}
	s.run.Streams = append(s.run.Streams, st)
	s.grades = append(s.grades, g)
	s.now = max(s.now, st.End)
}

// scenario adds a plan and judges what streams there are by counting them.
func (s *synth) scenario(p record.Scenario, r verdict.ScenarioReport) {
	s.run.Plan.Scenarios = append(s.run.Plan.Scenarios, p)
	r.ID, r.Title = p.ID, p.Title
	r.Outcomes, r.Flags = map[verdict.Outcome]int{}, map[verdict.Flag]int{}
	groups := map[record.Group][]int{}
	for i, st := range s.run.Streams {
		if st.Scenario != p.ID {
			continue
		}
		r.Started++
		r.Outcomes[s.grades[i].Outcome]++
		s.report.Outcomes[s.grades[i].Outcome]++
		for _, f := range s.grades[i].Flags {
			r.Flags[f]++
		}
		groups[st.Group] = append(groups[st.Group], i)
	}
	for _, g := range groupOrder {
		if len(groups[g]) > 0 {
			r.Groups = append(r.Groups, s.groupReport(g, groups[g]))
		}
	}
	r.Generator = verdict.Generator{LagP99: 0.0031, Clock: string(s.run.Plan.Host.Clock)}
	s.report.Started += r.Started
	s.report.Verdict = s.report.Verdict.Worse(r.Verdict)
	s.report.Scenarios = append(s.report.Scenarios, r)
}

func (s *synth) groupReport(g record.Group, members []int) verdict.GroupReport {
	out := verdict.GroupReport{Group: g, Started: len(members), Outcomes: map[verdict.Outcome]int{}}
	var first, gap, took []time.Duration
	for _, i := range members {
		st := &s.run.Streams[i]
		out.Outcomes[s.grades[i].Outcome]++
		if s.grades[i].Outcome == verdict.Complete {
			first = append(first, firstEvent(st))
			gap = append(gap, longestGap(st))
			took = append(took, st.End-st.Send)
		}
	}
	out.TTFE, out.Gap, out.Duration = verdict.QuantilesOf(first), verdict.QuantilesOf(gap), verdict.QuantilesOf(took)
	return out
}

func (s *synth) window(id, fault string, phase record.Phase, at time.Duration, why string) {
	s.run.Windows = append(s.run.Windows, record.Window{Scenario: id, Fault: record.Fault{Name: fault},
		Phase: phase, At: at, Why: why})
}

func (s *synth) input() Input {
	s.run.Finished = s.now + 200*ms
	if s.report.Verdict == "" {
		s.report.Verdict = verdict.Pass
	}
	return Input{Run: &s.run, Report: &s.report, Scopes: s.scopes()}
}

// scopes sorts the streams with the grades that they were built with.
func (s *synth) scopes() []verdict.Scope {
	var out []verdict.Scope
	for i := range s.run.Plan.Scenarios {
		p := &s.run.Plan.Scenarios[i]
		out = append(out, verdict.Scope{Run: &s.run, Scenario: p, Streams: s.rows(p.ID)})
	}
	return out
}

func pass(name, why string) verdict.Check {
	return verdict.Check{Name: name, Verdict: verdict.Pass, Why: why}
}

func must(name, why string) verdict.Check {
	return verdict.Check{Name: name, Verdict: verdict.Pass, Why: why, Obligation: true}
}

// rows returns the streams of one scenario, planned or not.
func (s *synth) rows(id string) []row {
	var rows []row
	for i := range s.run.Streams {
		if s.run.Streams[i].Scenario == id {
			rows = append(rows, row{Stream: &s.run.Streams[i], Grade: s.grades[i]})
		}
	}
	return rows
}
