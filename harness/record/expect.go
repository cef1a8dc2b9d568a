package record

// An Expectation is what must be seen for a scenario to have tested anything beyond
// its fault.
type Expectation string

// What scenarios expect in which the app, the edge or the load is the trial, and not
// a fault.
const (
	// ExpectSilence wants a silence in content of at least [Policy.Silence].
	ExpectSilence Expectation = "silence"
	// ExpectAbort wants a stream that we hung up on, and the server's account of it.
	ExpectAbort Expectation = "abort"
	// ExpectSameText wants the same answers, asked for streamed and in one piece.
	ExpectSameText Expectation = "same text"
	// ExpectRefusals wants a stream that was refused with a status, and one that
	// was let in.
	ExpectRefusals Expectation = "refusals"
	// ExpectCompressed wants a compressed answer.
	ExpectCompressed Expectation = "compressed"
	// ExpectPaced wants an answer of which it is known that it was written in
	// pieces, apart from one another.
	ExpectPaced Expectation = "paced"
	// ExpectRecycled wants a process of the app to have ended under streams.
	ExpectRecycled Expectation = "recycled"
	// ExpectTogether wants a process that served several streams at once.
	ExpectTogether Expectation = "together"
	// ExpectRepeated wants a stream that began after the same answer had been given.
	ExpectRepeated Expectation = "repeated"
	// ExpectSlow wants the victims' clients to have taken much longer than the
	// others'.
	ExpectSlow Expectation = "slow"
	// ExpectCut wants a victim to have been cut, though no fault of ours cuts.
	ExpectCut Expectation = "cut"
	// ExpectMemory wants the app's memory to be known before and after the load.
	ExpectMemory Expectation = "memory"
)

// Expectations are all of them.
var Expectations = []Expectation{
	ExpectSilence, ExpectAbort, ExpectSameText, ExpectRefusals, ExpectCompressed, ExpectPaced,
	ExpectRecycled, ExpectTogether, ExpectRepeated, ExpectSlow, ExpectCut, ExpectMemory,
}

// Names of counters that are judged.
const (
	MemoryCounter = "memory.rss" // a replica's resident memory, in bytes
	OOMCounter    = "oom_kill"   // processes that the kernel killed for memory
)
