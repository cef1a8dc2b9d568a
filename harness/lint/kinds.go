package lint

import "github.com/streamproof/streamproof/harness/record"

// What a setting will do to the load. Names are of layers and settings, as their own
// documentation spells them.
const (
	FactSilenceCuts record.FactKind = "lint: silence is cut"      // layer Name ends silences of Took after Bound
	FactLifeCuts    record.FactKind = "lint: life is cut"         // layer Name ends streams of Took after Bound
	FactDrainCuts   record.FactKind = "lint: shutdown cuts"       // streams of Took are left Bound by a restart
	FactRecycles    record.FactKind = "lint: workers end"         // after Name requests, Times[0]..[1]; streams last Took
	FactRefusesRest record.FactKind = "lint: cap on streams"      // N are asked for at a time
	FactQueues      record.FactKind = "lint: one at a time"       // of N streams Of wait
	FactRaisedAlone record.FactKind = "lint: raised alone"        // setting Name to Bound; Place ends streams after Took
	FactKilledEarly record.FactKind = "lint: killed in shutdown"  // layer Name may take Took, and is killed after Bound
	FactIdleCloses  record.FactKind = "lint: idle upstream close" // the edge keeps idle ones for Bound, Name for Took
	// FactIngressCuts is layer Name, which the run's streams did not pass, and which ends
	// silences of Took after Bound; FactIngressBuffers one that collects what it passes on.
	FactIngressCuts    record.FactKind = "lint: ingress cuts"
	FactIngressBuffers record.FactKind = "lint: ingress buffers"

	FactForwarded record.FactKind = "lint: port-forward" // streams go by it, and not through what users pass
)

// What mends it.
const (
	MendSilence        record.FactKind = "lint: heartbeat"     // at least every Took, or setting Name above Bound
	MendRaise          record.FactKind = "lint: raise"         // setting Name
	MendAsync          record.FactKind = "lint: no sync"       // a sync worker cannot stream longer than its timeout
	MendDrain          record.FactKind = "lint: raise grace"   // setting Name above Bound, or let clients resume
	MendRecycling      record.FactKind = "lint: recycling"     // none, or a longer timeout
	MendConcurrent     record.FactKind = "lint: concurrency"   // N at a time
	MendThreads        record.FactKind = "lint: threads"       // of a worker
	MendRaiseToo       record.FactKind = "lint: raise as well" // layer Place's setting Name
	MendOuter          record.FactKind = "lint: outer grace"   // setting Name above Bound
	MendKeepAlive      record.FactKind = "lint: keep-alive"    // of server Name
	MendIngressBuffers record.FactKind = "lint: no buffering"  // in the annotations of the Ingress

	MendForwarded record.FactKind = "lint: real way" // measure it as well
)
