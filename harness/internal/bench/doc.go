// Command bench measures the built streamproof binary as users run it: whole
// processes, from start to exit, beside a floor and plain Vegeta. It prints one
// Markdown table. README has no other figures of speed and memory of a run.
//
//		go run ./harness/internal/bench -binary bin/streamproof -streams 5000
//
//		                      ┌─ floor: a bare epoll reader
//		server ── the same ───┼─ vegeta: as it comes, bodies dropped
//		          for all     ├─ relay, toxiproxy: each alone, before the bare reader
//		                      ├─ streamproof run --url …, judging and reports included
//		                      └─ streamproof run --url … through strikes, delays, toxiproxy
//
//	 1. The server is a process of its own (server_linux.go). It answers like a chat
//	    completion of OpenAI's: the first event 50 ms after the request, then one
//	    each gap, each stamped with the time at which it was written.
//	 2. The arms run one after the other (arms_linux.go). Each is a process, first with
//	    one short stream, which tells what it needs without load, then with all.
//	 3. CPU is what the kernel accounted to a process when it ended, user and system.
//	    Memory is its highest resident set (VmHWM) less that of the short run, by
//	    streams. Both come from outside the process (process_linux.go). A hop is
//	    measured while the bare reader reads through it (hop_linux.go).
//	 4. First events and gaps are read from the record that the run leaves, after it
//	    has ended (record_linux.go): a gap of the client less the same gap by the server's
//	    stamps is what the way and the reader have added.
//	 5. How soon a fault strikes is read there too: from the arrival of the last victim's
//	    event that its condition asks for to the stamp of the strike.
//	 6. The table sets each figure against the targets (table_linux.go).
//
// With -only a few arms are measured, each beside its floor.
//
// The machine should have nothing else to do. Ratios are to the floor of the same
// run and the same number of streams.
package main
