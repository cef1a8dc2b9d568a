package record

// Kinds of events that say what our own faults did to a replica and for how
// long. Their source is [FaultSource], their subject the replica.
const (
	FaultSource = "fault"
	// KindPressure begins, and KindRelief ends, a time in which a fault of ours
	// presses memory on all of a replica: every process in it may have to wait for
	// the kernel, not only the one that is to die.
	KindPressure = "pressure"
	KindRelief   = "relief"
)
