package record

// An EventSource is who says that an [Event] happened.
type EventSource string

// The sources of events.
const (
	ProcessSource EventSource = "process" // the operating system, about a process of the app or the edge
	DockerSource  EventSource = "docker"  // the Docker daemon, about a container
	CgroupSource  EventSource = "cgroup"  // the kernel, about a control group
	RelaySource   EventSource = "relay"   // our own relay, about a connection
	FaultSource   EventSource = "fault"   // a fault of ours, about what it did
	HarnessSource EventSource = "harness" // the harness, about itself
	// KubernetesSource is the cluster's API, about a pod or its container.
	KubernetesSource EventSource = "kubernetes"
)

// An EventKind is what happened. The values stand in records and must stay.
type EventKind string

// What a process or a container did. Docker's own names are kept as they are.
const (
	KindStart   EventKind = "start"   // began; of a container too
	KindReady   EventKind = "ready"   // answered its health check
	KindExit    EventKind = "exit"    // a process ended; Code is the shell's: 128 + signal
	KindDie     EventKind = "die"     // a container ended, as Docker says it
	KindStop    EventKind = "stop"    // was asked to stop
	KindReload  EventKind = "reload"  // the edge took a new configuration
	KindRestart EventKind = "restart" // Docker stopped and started it
	KindPause   EventKind = "pause"   // frozen, by SIGSTOP or by the cgroup's freezer
	KindUnpause EventKind = "unpause" // thawed
	// KindThreads tells a process's number of threads, all of them as the kernel
	// counts: Value.
	KindThreads EventKind = "threads"
	KindLimit   EventKind = "limit" // a container's memory limit was set to Value bytes
	KindLost    EventKind = "lost"  // the source broke off: what follows is not known
)

// What only Kubernetes tells, of a pod.
const (
	KindRouted   EventKind = "routed"   // its Service sends it new connections from now on
	KindUnrouted EventKind = "unrouted" // its Service sends it none any more
	// KindProbeKill is a container that is to be ended since its liveness probe failed.
	KindProbeKill EventKind = "probe-kill"
	// KindDisrupted is a pod that the cluster ends of its own accord: for another pod, for
	// its node's memory or disk, or for a taint. Text begins with the reason.
	KindDisrupted EventKind = "disrupted"
	KindScaled    EventKind = "scaled"   // the HorizontalPodAutoscaler that Subject names has decided Text
	KindUnplaced  EventKind = "unplaced" // no node takes it, or its image cannot be had
)

// Three facts about memory, which are not one: Docker's word that the kernel killed
// something in a container, Docker's word that this ended the container, and our
// own word that a fault of ours made the kernel kill a process.
const (
	KindOOM       EventKind = "oom"        // of DockerSource and KubernetesSource: somebody in the container was killed
	KindOOMKilled EventKind = "oom_killed" // of DockerSource: State.OOMKilled of a container that died
	KindOOMKill   EventKind = "oom-kill"   // of FaultSource
)

// What our own faults did. Their source is [FaultSource], their subject the replica
// or the link.
const (
	// KindKill is one process that got signal Code; of other sources, somebody sent it. Of a
	// fault, Value is how many connections the app's other workers had.
	KindKill    EventKind = "kill"
	KindCrash   EventKind = "crash"   // the same, one of all processes of a replica
	KindTerm    EventKind = "term"    // a replica was asked to stop, with a grace
	KindDown    EventKind = "down"    // a link was taken down
	KindAdd     EventKind = "add"     // a replica joined
	KindRemove  EventKind = "remove"  // a replica was taken out
	KindSqueeze EventKind = "squeeze" // a replica's memory limit was lowered to Value bytes
	// KindPressure begins, and KindRelief ends, a time in which a fault of ours
	// presses memory on all of a replica: every process in it may have to wait for
	// the kernel, not only the one that is to die.
	KindPressure EventKind = "pressure"
	KindRelief   EventKind = "relief"
)

// The rest.
const (
	// KindStrike is a strike of the relay on one stream; Code is not 0 where it could
	// not be done.
	KindStrike EventKind = "strike"
	// KindIdle is a connection that the relay ended as a load balancer does, after a
	// time without a byte.
	KindIdle EventKind = "idle"
	// KindCounter is a reading of a counter: Value.
	KindCounter EventKind = "counter"
	// KindClosing is the end of a scenario's stack, and all that happens to its parts
	// from then on: our own doing.
	KindClosing EventKind = "closing"
)
