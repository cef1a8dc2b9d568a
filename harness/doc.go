// Package harness holds the values of a run: which app, which scenarios, which
// load, and what they come to.
//
//  1. An [App] is the system under test, and how to ask it for a stream; a
//     [Scenario] says what load to send, which fault to inject when, and what must
//     hold then; [Options] are both with what the user set beside.
//  2. Options.Validate names the place of a mistake and what mends it, before
//     anything is started ([UsageError]).
//  3. [NewPlan] works options out: how answers are read, what each request says,
//     which edge and policy each scenario has in this run, what is saved first.
//  4. Package harness/play runs a Plan over a stack and a clock.
//
// The three walks below list the files that something passes through, in order. A
// file stands where it is entered for the first time, with the function that is
// called there; calls that return and come again are not shown.
//
// # A stream's bytes
//
// From the wire to the page, for a plain HTTP/1.1 answer of SSE on Linux:
//
//	harness/load/driver.go        driver.attack         Vegeta starts the stream at its time
//	harness/tap/transport.go      transport.RoundTrip   the stream gets its number and its job
//	harness/tap/request.go        newRequest            the request becomes bytes
//	harness/tap/dial_linux.go     loop.write            a connection of its own; the request is written
//	harness/tap/loop_linux.go     loop.ready            epoll says that bytes have come
//	harness/tap/read_linux.go     loop.read             the socket is read until it is empty
//	harness/tap/receive_linux.go  receiver.recv         one read, with the kernel's stamp of its arrival
//	harness/tap/feed.go           flight.feed           the bytes go to the stream's decoders
//	harness/http1/decoder.go      Decoder.Next          status and header fields are taken off
//	harness/http1/chunk.go        Decoder.chunkHeader   so is the framing of HTTP
//	harness/tap/body.go           body.push             what is left is the body
//	harness/tap/inflate.go        inflater.push         decompressed, where it is compressed
//	harness/stream/sse.go         sseDecoder.Push       cut into frames
//	harness/stream/data.go        dataReader.Read       a frame becomes an event: content, heartbeat, error, terminal
//	harness/tap/events.go         events.add            it is counted, and the silence before it is measured
//	harness/record/timeline.go    Timeline.Append       its arrival is kept, a few bytes an event
//	harness/tap/finish.go         flight.finish         the stream has ended, and how
//	harness/play/run.go           run.done              the record of the stream is whole
//	harness/record/writer.go      Writer.End            and is appended to the run folder
//	harness/record/reading.go     reading.stream        judging begins: it is read back
//	harness/verdict/grade.go      GradeStream           outcome, ending and flags
//	reports/lanes_svg.go          drawing.lane          its line in the report
//
// # A fault
//
// From the scenario to the reason in the report, for latency on a link of the local stack:
//
//	scenarios/network.go               Latency            which fault, when, for how long
//	harness/play/inject.go             injection.inject   waits, strikes, lets it stand, heals; each phase is stamped
//	harness/play/await.go              vigil.keep         the tap tells which streams have moved on
//	harness/fault/when.go              Moment.Met         is the condition met?
//	harness/fault/plan.go              Inject             stamps the parts of the fault
//	harness/fault/toxic.go             Toxic.Inject       the fault itself
//	harness/stack/process/link.go        link.Add           the link that it is for
//	harness/relay/impairment.go          Relay.Impair       the relay delays what goes through
//	harness/record/writer.go           Writer.Window      appended to the run folder
//	harness/record/reading.go          reading.take       judging begins: it is read back
//	harness/verdict/scope.go           Scope.readWindows  which streams were in its way
//	harness/verdict/check_fault.go     FaultSeen.Check    was it in effect, and by what evidence?
//	harness/diagnose/rule_injected.go  injected.match     what it did to its victims is not the app's doing
//	reports/fault_spans.go             drawing.fault      the shaded time in the report
//
// # A run
//
// From the command line to the exit code:
//
//	cmd/streamproof/main.go       run               arguments in, exit code out
//	cmd/streamproof/root.go       newRoot           finds the command
//	cmd/streamproof/run.go        input.run         the command run
//	cmd/streamproof/options.go    input.options     file and flags become options
//	scenarios/execute.go          Execute           play, then judge
//	harness/play/run.go           Run               checks all input, opens the record, plays each scenario
//	harness/play/play.go          player.timetable  the order of one scenario
//	harness/stack/process/opener.go  Opener.Open       the app behind its edge, with the links that the scenario needs
//	harness/play/solo.go          sender.solo       one stream alone
//	harness/play/wave.go          player.mainWave   the streams
//	harness/play/workers.go       sender.share      from this process, or in shares by load workers
//	harness/load/load.go          Drive             sent by Vegeta at their times
//	harness/play/inject.go        injection.inject  the fault among them
//	harness/play/recover.go       prober.start      new streams until they complete again
//	harness/play/ledger.go        player.ledgers    the server's own account of those that we left
//	harness/play/logs.go          player.fileLogs   the logs, filed beside the record
//	harness/record/parts.go       OpenParts         judging begins: where all stands in the record
//	harness/record/open.go        Open              it is read back; in parts where it is long
//	harness/diagnose/parts.go     ReportParts       what each part comes to is put together
//	harness/verdict/judge.go      JudgeScopes       streams become checks, checks a verdict
//	harness/diagnose/diagnose.go  ReportScopes      what failed gets its causes
//	reports/write.go              WriteAll          JSON, JUnit, Markdown and HTML
//	cmd/streamproof/print.go      printer.print     the text on the screen
//	cmd/streamproof/exit.go       ended             the verdict as exit code
//
// # Words
//
// The nouns of this module, each with one meaning.
//
//   - App: the system under test.
//   - Replica: one instance of the app, of one process or several.
//   - Edge: the reverse proxy in front of the app.
//   - Link: a stretch of network between two of them, which can be disturbed.
//   - Hop: a place at which the chain of edge, links and app can be entered.
//   - Layer: one of them with its timeouts and buffers as they are set.
//   - Machine: what starts the parts of a chain: processes, containers, memory.
//   - Stack: a chain that runs.
//   - Origin: our own app, which can be sabotaged.
//   - Sabotage: a way in which the origin breaks its answers on purpose.
//   - Scenario: which load to send, which fault to inject when, what must hold.
//   - Load: how many streams are sent, and when.
//   - Wave: the streams of one scenario that are sent together.
//   - Stream: one request and its answer, event by event.
//   - Group: the part that a stream plays: solo, baseline, victim, control, recovery, load.
//   - Client: how whoever asks for a stream behaves.
//   - Shape: how many events an answer has, how large, how far apart.
//   - Format: how bytes are cut into frames: SSE, NDJSON.
//   - Frame: the bytes of one event, as the format delimits them.
//   - Event: what a frame says: content, a heartbeat, an error, the terminal.
//   - Terminal: the event that proves that an answer is complete.
//   - Dialect: what the events of one API look like.
//   - Framing: how HTTP marks the end of a body.
//   - Tap: what stamps arrivals below the client.
//   - Relay: the link of ours that strikes at an exact event.
//   - Fault: what is done to streams on purpose.
//   - Toxic: a fault of a link by toxiproxy: latency, bandwidth.
//   - Strike: a fault of the relay at one stream.
//   - Window: a stamped phase of a fault: armed, active, healed.
//   - Record: everything that happened in a run, as it is stored.
//   - Run: one start of the harness, with its plan and its record.
//   - Plan: what a run is to do, worked out before anything is started.
//   - Policy: what a scenario may do to streams, and what it must have seen.
//   - Limit: a bound of ours at which a stream is ended.
//   - Outcome: what became of a stream: complete, aborted, truncated and so on.
//   - Flag: what else is wrong with a stream: late, gappy, buffered.
//   - Check: one question to the record, with pass, fail or inconclusive.
//   - Verdict: the worst of the checks.
//   - Cause: why streams failed, with its layer, its evidence and its fix.
//   - Ledger: an account of who did what: of the relay, or of the server.
package harness
