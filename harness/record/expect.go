package record

// Values of [Policy.Expect] for scenarios in which the app, the edge or the load
// is the trial, and not a fault: without what they name nothing was tested.
const (
	// ExpectRefusals wants a stream that was refused with a status, and one that
	// was let in.
	ExpectRefusals = "refusals"
	// ExpectCompressed wants a compressed answer.
	ExpectCompressed = "compressed"
	// ExpectPaced wants an answer of which it is known that it was written in
	// pieces, apart from one another.
	ExpectPaced = "paced"
	// ExpectRecycled wants a process of the app to have ended under streams.
	ExpectRecycled = "recycled"
	// ExpectTogether wants a process that served several streams at once.
	ExpectTogether = "together"
	// ExpectRepeated wants a stream that began after the same answer had been given.
	ExpectRepeated = "repeated"
	// ExpectSlow wants the victims' clients to have taken much longer than the
	// others'.
	ExpectSlow = "slow"
	// ExpectCut wants a victim to have been cut, though no fault of ours cuts.
	ExpectCut = "cut"
	// ExpectMemory wants the app's memory to be known before and after the load.
	ExpectMemory = "memory"
)

// Names of counters that are judged.
const (
	MemoryCounter = "memory.rss" // a replica's resident memory, in bytes
	OOMCounter    = "oom_kill"   // processes that the kernel killed for memory
)
