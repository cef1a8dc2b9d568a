// Package fleet sends one load from several processes.
//
// One process ends at its file descriptors. Workers are processes of their own, each of
// which sends a share of every wave ([load.Share]) and tells the parent of each stream as
// it begins and as it has ended. The parent has everything else: the stack, the faults
// and their conditions, the streams that go alone, the record, the verdict.
//
//		             ┌─ hello, clock, wave, go ─▶ worker 1 ─▶ load ─▶ tap ─▶ app
//		play ─▶ Fleet┤                            worker 2 ─▶ …
//		             └◀─ begin, end, counters ──
//		  │
//		  └▶ record: as if one process had sent them all
//
//	 1. A [Wave] is the load as data (wave.go). Its digest is what parent and worker
//	    compare: a worker that would read the plan in another way does not begin.
//	 2. [Muster] greets the workers, compares versions, measures their clocks (clock.go)
//	    and gives them the run's: a worker stamps in run time.
//	 3. [Fleet.Drive] sends the wave to all, waits until each says that it is ready, names
//	    the moment at which all begin, and takes in what they tell until all are done.
//	 4. A worker ([Worker.Serve], worker.go) drives its share with package load, as a run
//	    of one process drives the whole: that is share 0 of 1 on a tap of its own, with
//	    nothing in between. What its tap says of a stream goes onto the wire at once, so
//	    that a SIGKILL loses nothing of what was known.
//	 5. What conditions are about, such as "every victim has 5 events", comes ten times a
//	    second ([Fleet.Watch]), for those streams that have changed.
//	 6. What each worker came to is a [record.LoadWorker]. One that was lost, was late, or
//	    disagrees with the parent on version, plan, clock or number of streams, is
//	    named there, and the run is inconclusive. The streams that it had started are
//	    ended as [record.CancelledByLoss]: they count as started.
//
// # The wire
//
// Messages go both ways over one io.ReadWriteCloser: the standard streams of a process,
// a socket, or a port that is forwarded to a pod. Each is
//
//	4 bytes length, big endian │ 1 byte kind │ body in CBOR (RFC 8949)
//
// The length counts kind and body. Nothing is sent twice, and nothing is repaired: a
// message that cannot be read loses the worker.
//
// # Clocks
//
// An exchange of pings bounds how far a worker's clock is ahead of the run's, see
// [record.ClockOffset]. It is measured before a wave and after it, and both are in the
// record. What compares the times of two workers, or of a worker and a fault, must allow
// for [record.LoadWorker.ClockBound]; a bound beyond 10 ms, which is how late a stream
// may start, is a disagreement.
package fleet
