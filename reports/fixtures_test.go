package reports

import (
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// control adds a scenario without a fault that passes.
func (s *synth) control(n int) {
	from := s.now + 500*ms
	for i := range n {
		s.stream("control", from+time.Duration(i)*2000*ms/time.Duration(n), healthy(record.Load))
	}
	s.scenario(record.Scenario{ID: "control", Title: "Nothing is done to the streams", Doc: "Proves that the app keeps its promise when left alone.",
		Edge: "streaming", Load: record.LoadPlan{Streams: n, Ramp: 2 * time.Second}},
		verdict.ScenarioReport{Verdict: verdict.Pass, Why: fmt.Sprintf("all %d streams complete", n), Checks: []verdict.Check{
			pass("every stream ends well", fmt.Sprintf("%d of %d complete", n, n)),
			pass("outcomes add up", fmt.Sprintf("%d started, %d judged", n, n)),
			must("enough streams", fmt.Sprintf("%d ≥ 10", n)), must("generator kept up", "0 late starts, lag p99 3.1 ms"),
		}})
}

// laundered adds the worst outcome: a worker is killed, and the edge makes
// successes of the streams that it served.
func (s *synth) laundered(n int) {
	const id = "worker-kill"
	from := s.now + 500*ms
	for i := range n / 4 {
		s.stream(id, from+time.Duration(i)*20*ms, healthy(record.Baseline))
	}
	strike := from + 4200*ms
	var victims []uint64
	for i := range n / 2 {
		h := healthy(record.Victim)
		at := from + 2600*ms + time.Duration(i)*600*ms/time.Duration(n)
		switch {
		case i%3 == 0:
			h.events = int((strike - at - h.first) / h.gap)
			h.jitter, h.endAt = 0.02, strike+4*ms
			h.outcome, h.ending, h.why = verdict.Truncated, verdict.CleanEOF, "the last chunk came, the terminal event did not"
			victims = append(victims, uint64(len(s.run.Streams)+1))
		case i%17 == 1:
			h.events, h.jitter = 30, 0.02
			h.outcome, h.ending, h.why = verdict.Aborted, verdict.ResetInBody, "RST after event 30"
		}
		s.stream(id, at, h)
	}
	for i := range n / 4 {
		s.stream(id, from+2600*ms+time.Duration(i)*20*ms, healthy(record.Control))
	}
	for i := range n / 4 {
		h := healthy(record.Recovery)
		if i == 0 {
			h.events, h.outcome, h.ending, h.why = 0, verdict.FailedClean, verdict.HTTPError, "status 502"
		}
		s.stream(id, strike+900*ms+time.Duration(i)*25*ms, h)
	}
	s.window(id, "kill worker", record.Armed, from+2600*ms, "every victim must have 10 events")
	s.window(id, "kill worker", record.Active, strike, "all victims have at least 10 events; SIGKILL to pid 4101")
	s.window(id, "kill worker", record.Confirmed, strike+30*ms, "pid 4101 exited, signal 9")
	s.window(id, "kill worker", record.Healed, strike+850*ms, "gunicorn started pid 4177")
	s.window(id, "kill worker", record.Recovered, strike+1600*ms, "the last 5 new streams completed")
	s.run.Waves = append(s.run.Waves, record.Wave{Scenario: id, Group: record.Victim, Asked: n / 2, Started: n / 2, InBodyAtFault: n / 2})
	s.run.Logs = append(s.run.Logs, record.Log{Scenario: id, Name: "nginx_access.log", Kind: record.NginxAccess,
		Lines: []record.Line{{N: 141, At: strike + 4*ms, Text: "…"}}, Omitted: 12})
	recovery := 0.75
	s.scenario(record.Scenario{ID: id, Title: "A worker process dies mid-stream", Doc: "Proves that clients can tell when the worker that serves them is killed, that other workers' streams are untouched, and that new streams are fine again soon.",
		Edge: "default (HTTP/1.0 upstream, buffering on)", Fault: "SIGKILL to one of 2 workers", Load: record.LoadPlan{Streams: n / 2, Ramp: 600 * ms},
		Layers: []record.Layer{
			{Name: "nginx", Settings: map[string]string{"proxy_http_version": "1.0", "proxy_buffering": "on", "proxy_read_timeout": "60s"}},
			{Name: "gunicorn", Settings: map[string]string{"timeout": "30", "graceful_timeout": "30", "worker_class": "uvicorn"}}},
		Policy: record.Policy{Kills: true, Faulty: true, MinInBody: 5}},
		verdict.ScenarioReport{Verdict: verdict.Fail, Recovery: &recovery, Edge: launderingEdge(),
			Why: fmt.Sprintf("%d of %d victims ended like a success without their terminal event", len(victims), n/2),
			Checks: []verdict.Check{
				{Name: "no silent truncation", Verdict: verdict.Fail, Why: fmt.Sprintf("%d of %d victims got a clean end of body (last chunk, status 200) and no terminal event; no client could notice", len(victims), n/2)},
				pass("no corruption", "no gap, duplicate or foreign event in any stream"),
				pass("control group untouched", fmt.Sprintf("%d of %d complete", n/4, n/4)),
				pass("recovers in time", "750 ms, at most 5 s"),
				pass("outcomes add up", "all streams judged"),
				must("fault seen in effect", "pid 4101 exited with signal 9"), must("enough streams in their body", fmt.Sprintf("%d of %d", n/2, n/2)),
				must("baseline passed", "all complete"), must("generator kept up", "0 late starts, lag p99 3.1 ms")},
			Causes: []verdict.Cause{
				{Cause: "truncation laundered by the edge", Taxonomy: "B9", Layer: "edge", Confidence: "certain", Count: len(victims), Streams: victims[:min(len(victims), 10)],
					Summary: "The worker died, nginx took the end of its HTTP/1.0 response for success and finished the chunked body to the client properly.",
					Evidence: []record.Evidence{
						record.Figure(fmt.Sprintf("all %d truncated streams were served by pid 4101, which was killed %s before they "+
							"ended", len(victims), short(4*ms))),
						{Log: "nginx_access.log", Line: 141, At: strike + 4*ms,
							Text: "1764059412.331 5f0c9a 200 1.604 2210 127.0.0.1:39121 200 0.004 1.603 2177 \"OK\" \"POST /chat " +
								"HTTP/1.1\""},
						record.Figure("nginx_error.log has no line for any of them")},
					RuledOut: []string{"the app ended the body itself: the same kill without nginx ends in an incomplete body", "network: no RST and no retransmission on the edge link"},
					Fix:      "in the location of the streams:\n    proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    proxy_buffering off;"},
				{Cause: "worker killed", Taxonomy: "E7", Layer: "process manager", Confidence: "likely", Count: len(victims) + 1,
					Summary: "Signal 9 without a timeout in the log; here it was our own fault, in production look for the " +
						"kernel's memory killer.",
					Evidence: []record.Evidence{{Log: "gunicorn.log", Line: 88, At: record.Never,
						Text: "[ERROR] Worker (pid:4101) was sent SIGKILL! Perhaps out of memory?"}},
					Settle: "streamproof run --scenario memory-kill --seed 42"},
			}})
}

// stalled adds a scenario that passes, with a shaded fault.
func (s *synth) stalled(n int) {
	const id = "stall"
	from := s.now + 500*ms
	for i := range n / 4 {
		s.stream(id, from+time.Duration(i)*30*ms, healthy(record.Baseline))
	}
	begin := from + 2800*ms
	for i := range n / 2 {
		h := healthy(record.Victim)
		h.holdAt, h.hold, h.beats = 12+i%4, 1500*ms, 0
		s.stream(id, begin+time.Duration(i)*400*ms/time.Duration(n), h)
	}
	for i := range n / 4 {
		s.stream(id, begin+time.Duration(i)*20*ms, healthy(record.Control))
	}
	for i := range n / 4 {
		s.stream(id, begin+3000*ms+time.Duration(i)*30*ms, healthy(record.Recovery))
	}
	s.window(id, "stall on upstream[0]", record.Armed, begin, "every victim must have 10 events")
	s.window(id, "stall on upstream[0]", record.Active, begin+700*ms, "all victims have at least 10 events")
	s.window(id, "stall on upstream[0]", record.Confirmed, begin+1100*ms, "no victim got an event for 400 ms")
	s.window(id, "stall on upstream[0]", record.Healed, begin+2200*ms, "toxic removed")
	s.window(id, "stall on upstream[0]", record.Recovered, begin+3600*ms, "new streams complete")
	s.scenario(record.Scenario{ID: id, Title: "Nothing gets through for a while", Doc: "Proves that a lossless stall on the way is survived: the streams go on where they were.",
		Edge: "streaming", Fault: "stall (lossless) on upstream[0] for 1.5 s", Load: record.LoadPlan{Streams: n / 2}},
		verdict.ScenarioReport{Verdict: verdict.Pass, Why: "all victims resumed and completed", Checks: []verdict.Check{
			pass("every stream ends well", "all complete"), pass("control group untouched", "all complete"), pass("outcomes add up", "all judged"),
			must("fault seen in effect", "no victim got an event for 400 ms"), must("enough streams in their body", "all"),
			must("baseline passed", "all complete"), must("generator kept up", "0 late starts")}})
}

// unable adds a scenario that could not prove anything.
func (s *synth) unable() {
	s.run.Notes = append(s.run.Notes, record.Note{Scenario: "read-timeout", At: s.now, Kind: record.NoteUnable, Text: "no nginx on this host", Settle: "apt-get install nginx"})
	s.scenario(record.Scenario{ID: "read-timeout", Title: "A silence longer than the edge's read timeout", Doc: "Proves that heartbeats keep a silent stream alive.", Edge: "default"},
		verdict.ScenarioReport{Verdict: verdict.Inconclusive, Why: "needs nginx, which is not installed here",
			Checks: []verdict.Check{{Name: "stack can do it", Verdict: verdict.Inconclusive, Why: "no nginx on this host", Obligation: true}},
			Doubts: []verdict.Doubt{
				{About: "stack can do it", Why: "no nginx on this host", Settle: "apt-get install nginx"},
				{About: "the edge", Why: "the built-in edge has no read timeout", Settle: "apt-get install nginx && streamproof run --scenario read-timeout"}}})
}

func passing() Input {
	s := newSynth()
	s.control(40)
	s.stalled(40)
	return s.input()
}

func failing() Input {
	s := newSynth()
	s.control(40)
	s.laundered(80)
	s.stalled(40)
	s.unable()
	return s.input()
}

func inconclusive() Input {
	s := newSynth()
	s.control(40)
	s.unable()
	return s.input()
}

func large(n int) Input {
	s := newSynth()
	s.control(n / 4)
	s.laundered(n)
	s.stalled(n / 2)
	return s.input()
}

// launderingEdge is what a probe finds of nginx with its defaults.
func launderingEdge() *verdict.EdgeReport {
	live, held := true, false
	p := record.EdgeProbe{Edge: "nginx 1.22.1, form default", Upstream: "HTTP/1.0", Events: 5, Gap: 220 * ms, Trials: []record.EdgeTrial{
		{Framing: record.Chunked, Fate: record.EdgeWhole, Why: "status 200, chunked body, terminal then EOF; 5 of 5 events", Events: 5, Live: &live},
		{Framing: record.Chunked, End: record.CloseFIN, Fate: record.EdgeCut, Why: "status 200, chunked body, incomplete body; 5 of 5 events", Events: 5, Live: &live},
		{Framing: record.CloseDelimited, End: record.CloseFIN, Fate: record.EdgeLaundered,
			Why: "status 200, chunked body, clean EOF without terminal; 5 of 5 events", Events: 5, Live: &held, Delay: 660 * ms},
	}}
	return &verdict.EdgeReport{Summary: edgeSummary(&p), EdgeProbe: p}
}
