package reports

import (
	"cmp"
	"fmt"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfEnds are the sentences of timeouts and life cycle.
var saidOfEnds = map[record.FactKind]sentence{
	// Of rule_deadline.go.
	diagnose.MayPHPWorker: plain("that is how PHP-FPM's timeout of a worker works"),
	diagnose.FactPHPDeadline: func(f *record.Fact) string {
		return fmt.Sprintf("PHP-FPM ended %s at the age of about %.2f s: its limit on the whole duration of a "+
			"response; clients were told %.2f s later", count(f.N, "stream"), f.Took.Seconds(), f.Bound.Seconds())
	},
	diagnose.NotLastByte: plain("the log says that each worker was terminated when its last byte came"),
	diagnose.FactOwnedDeadline: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended %s at the age of %.2f s: its limit on the whole duration of a response%s",
			f.Name, count(f.N, "stream"), f.Took.Seconds(), inside(f, 0))
	},
	diagnose.NotWholeTimeOver:    plain("its log says that the whole time was over"),
	diagnose.FactStartedTogether: plain("the streams started together, so that one moment would end them as well"),
	diagnose.FactOfOneAge: func(f *record.Fact) string {
		return fmt.Sprintf("they had got to different events (%d apart), and were of one age", f.N)
	},
	diagnose.FactAgesAlike: func(f *record.Fact) string {
		return fmt.Sprintf("their last events came over %.3f s of their lives, their ends within %.3f s",
			f.Took.Seconds(), f.Bound.Seconds())
	},
	diagnose.FactAfterEvent: plain("they end as exactly after an event, so that the app's own code, or a limit " +
		"that acts at the next write, may end them"),
	diagnose.FactOnTheWayToEvent: func(f *record.Fact) string {
		return fmt.Sprintf("they ended %.0f %% of the way to their next event, where the app's own code has no "+
			"reason to", 100*f.Share)
	},
	diagnose.FactInStep: plain("they started and ran in step, so that age and event are the same"),
	diagnose.FactAgeLimit: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended %s at the age of %.2f s, however much was flowing: a limit on the whole "+
			"duration of a response%s", inside(f, 0), count(f.N, "stream"), f.Took.Seconds(), inside(f, 1))
	},
	diagnose.NotSilent:     plain("events flowed until the end"),
	diagnose.MayOneProcess: plain("those that were open together ended together, as when their process is killed"),
	diagnose.MayMemoryAge:  plain("memory that grows with each answer runs out at about one age"),
	diagnose.MayCodeFails:  plain("the app's own code may fail after this event"),
	diagnose.MaySizeLimit: func(f *record.Fact) string {
		return fmt.Sprintf("all had %s as well, so that a limit on the size may have ended them", bytesOf(f.Bytes))
	},
	diagnose.FactOwnWriteDeadline: plain(": the app's own deadline for writes"),
	diagnose.FactAppBrokeOff:      plain(": the app broke off, and not the edge"),
	diagnose.MayTotalLimit: func(f *record.Fact) string {
		return fmt.Sprintf("all were %.2f s old, as a limit on the whole duration of a response would have it; %s",
			f.Took.Seconds(), inside(f, 0))
	},
	diagnose.FactFlowing: func(f *record.Fact) string {
		return fmt.Sprintf("their last events had come %.3f s before (median of %d)", f.Took.Seconds(), f.N)
	},
	diagnose.FactSizeLimit: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended %s after %d %s: a limit on the size of a response%s",
			inside(f, 0), count(f.N, "stream"), f.Bytes, inside(f, 1), inside(f, 2))
	},
	diagnose.FactEndsAtSize: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended after %d %s (spread %d)", count(f.N, "stream"), f.Bytes, inside(f, 0), f.More)
	},
	diagnose.NotOneAge: func(f *record.Fact) string {
		return fmt.Sprintf("their ages differ by %.2f s, or they end in the middle of an event", f.Took.Seconds())
	},

	// Of rule_timeout.go.
	diagnose.NotSilentDirectly: plain("asked directly, the app goes on after the same silence"),
	diagnose.MayGiveUp:         plain("the app, or the client of its model, may itself give up after this silence"),
	diagnose.FactOwnIdle: func(f *record.Fact) string {
		return fmt.Sprintf("the app ended %s %.2f s after their last event: a wait of its own has this limit",
			count(f.N, "answer"), f.Took.Seconds())
	},
	diagnose.NotEdgeIdle: plain("asked directly, the app ends its answers after the same silence"),
	diagnose.WhySameWay:  plain("asks the app directly: does it end its answers in the same way?"),
	diagnose.FactIdledOut: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended %s that were silent for %.2f s%s",
			f.Name, count(f.N, "stream"), f.Took.Seconds(), inside(f, 0))
	},
	diagnose.NotWorkerTimeoutInApp: plain("no WORKER TIMEOUT in the app's log"),
	diagnose.FactReadTimeout: func(f *record.Fact) string {
		return fmt.Sprintf("proxy_read_timeout is %v", f.Took)
	},
	diagnose.FactNoHeartbeat: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s silent for %.2f s without a heartbeat, which let an idle timer end them",
			count(f.N, "stream"), were(f.N), f.Took.Seconds())
	},
	diagnose.FactHeartbeatsOn: func(f *record.Fact) string {
		return fmt.Sprintf("0 heartbeats on %s", count(f.N, "stream"))
	},
	diagnose.FactAsIfWhole: plain(", and closed their bodies as if they were whole"),
	diagnose.FactAfterLastByte: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d ended %.2f s after its last byte", f.Stream, f.Took.Seconds())
	},

	// Of rule_idle.go.
	diagnose.FactBalancerIdle: func(f *record.Fact) string {
		return fmt.Sprintf("the load balancer ended %s on which nothing had moved for %v",
			count(f.N, "connection"), f.Took)
	},
	diagnose.FactBalancerTimeout: func(f *record.Fact) string {
		return fmt.Sprintf("%s: idle timeout is %v", f.Name, f.Took)
	},
	diagnose.NotUpstreamTimedOut: plain("the edge's error log has no \"upstream timed out\""),
	diagnose.FactIdleSaid: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d at %.3f s: %s", f.Stream, f.Took.Seconds(), f.Text)
	},
	diagnose.FactOldWorkersOver: func(f *record.Fact) string {
		return fmt.Sprintf("%s was reloaded, and cut %s when their old workers' time was over",
			f.Name, count(f.N, "stream"))
	},
	diagnose.FactReloadAt: func(f *record.Fact) string {
		return fmt.Sprintf("reload at %.3f s, worker_shutdown_timeout is %v", f.Took.Seconds(), f.Bound)
	},
	diagnose.NotSameMoment: plain("they all ended at the same moment"),

	// Of rule_edgestop.go.
	diagnose.FactEdgeStopped: func(f *record.Fact) string {
		return fmt.Sprintf("%s was reloaded or stopped, and cut %s that it still served, %.2f s later",
			f.Name, count(f.N, "stream"), f.Took.Seconds())
	},
	diagnose.FactEdgeWorkerDied: func(f *record.Fact) string {
		return fmt.Sprintf("a process of %s died, and with it the connections of %s that it served", f.Name,
			count(f.N, "stream"))
	},
	diagnose.MendEdgeWorker: func(f *record.Fact) string {
		return "find out why the process of " + f.Name + " died: signal 9 mostly means that its machine ran out of memory " +
			"(see dmesg there), 11 and 6 mean a fault in it or in one of its modules: update them, or leave the module out"
	},
	diagnose.NotOneMoment: plain("they ended at one moment, after the edge was told to stop"),

	// Of rule_edgegaveup.go.
	diagnose.FactEdgeGaveUp: func(f *record.Fact) string {
		return fmt.Sprintf("%s closed its own connection to the app while %s %s under way%s",
			f.Name, count(f.N, "answer"), were(f.N), inside(f, 0))
	},
	diagnose.NotEdgeClosed: plain("the edge's log says that the edge closed the connection; what the app logs " +
		"then follows from that"),

	// Of rule_pods.go.
	diagnose.FactProbeKilled: func(f *record.Fact) string {
		return fmt.Sprintf("Kubernetes stopped the container of %s at %.3f s because its liveness probe failed, and "+
			"%s %s cut", f.Name, f.Took.Seconds(), count(f.N, "stream"), were(f.N))
	},
	diagnose.FactDisrupted: func(f *record.Fact) string {
		return fmt.Sprintf("the cluster itself ended the pod of %s at %.3f s, and %s %s cut", f.Name, f.Took.Seconds(),
			count(f.N, "stream"), were(f.N))
	},
	diagnose.FactScaled: func(f *record.Fact) string {
		return fmt.Sprintf("HorizontalPodAutoscaler %s at %.3f s: %s", f.Name, f.Took.Seconds(), f.Text)
	},
	diagnose.NotAsked: plain("nobody has asked for it: the cluster needed the room, or the node did"),
	diagnose.MendDisruption: plain("request the memory and the disk that the pod uses, give it a priorityClassName that " +
		"others do not preempt, and tolerate the taints of its node"),
	diagnose.FactPodSaid: func(f *record.Fact) string {
		return fmt.Sprintf("kubernetes at %.3f s, %s: %s", f.Took.Seconds(), f.Name, f.Text)
	},
	diagnose.FactRoutedLate: func(f *record.Fact) string {
		if len(f.Times) < 2 {
			return ""
		}
		return fmt.Sprintf("%s %s sent to %s after it was told to stop at %.3f s; its Service left it out at %.3f s",
			count(f.N, "stream"), were(f.N), f.Name, f.Times[0].Seconds(), f.Times[1].Seconds())
	},
	diagnose.FactClusterLost: func(f *record.Fact) string {
		return fmt.Sprintf("the connection to the cluster broke off, and %s with it: streams go through its API server",
			count(f.N, "stream"))
	},
	diagnose.MendCluster: plain("look at the API server and the network in front of it, then run again"),
	diagnose.NotADeploy:  plain("the pod itself was not stopped, only its container"),
	diagnose.NotAlone:    plain("other replicas served streams"),
	diagnose.MendProbe: plain("let the probe answer while streams are busy (an endpoint of its own, not behind the same " +
		"workers), or raise livenessProbe.timeoutSeconds and failureThreshold"),
	diagnose.MendPreStop: plain("keep serving until the Service has left the pod out: lifecycle.preStop.sleep.seconds: " +
		"5, and terminationGracePeriodSeconds longer by as much"),
	diagnose.MendPodGrace: plain("set terminationGracePeriodSeconds of the pod above the longest stream, " +
		"and that of the app as well"),

	// Of rule_grace.go.
	diagnose.FactGraceShort: func(f *record.Fact) string {
		return fmt.Sprintf("the app was asked to stop and cut %s %.2f s later: its window is shorter than they are",
			count(f.N, "stream"), f.Took.Seconds())
	},
	diagnose.NotOOM: plain("oom_kill did not rise"),
	diagnose.FactCutAtOnce: func(f *record.Fact) string {
		return fmt.Sprintf("the app was asked to stop and cut %s at once", count(f.N, "stream"))
	},
	diagnose.FactExitedItself: func(f *record.Fact) string {
		return fmt.Sprintf("it exited by itself, code %d", f.N)
	},
	diagnose.FactSignalEnded: func(f *record.Fact) string {
		return fmt.Sprintf("the signal itself ended it, code %d", f.N)
	},
	diagnose.FactDiedAtOnce: func(f *record.Fact) string {
		return fmt.Sprintf("the app died %d ms after SIGTERM and cut %s: it does not wait for what it still serves",
			f.Took.Milliseconds(), count(f.N, "stream"))
	},
	diagnose.FactGone: func(f *record.Fact) string {
		return fmt.Sprintf("%s was gone %d ms after SIGTERM: %s", f.Name, f.Took.Milliseconds(), inside(f, 0))
	},
	diagnose.NotAnyWindow: plain("there was no window at all"),
	diagnose.FactAskedToStop: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s of %s at %.3f s", f.Name, f.Place, f.Text, f.Took.Seconds())
	},
	diagnose.FactOurFaultStruck: func(f *record.Fact) string {
		return fmt.Sprintf("our fault, %s, struck at %.3f s", f.Name, f.Took.Seconds())
	},

	// Of rule_killed.go.
	diagnose.FactProcessDied: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s cut when their process died: %s", count(f.N, "stream"), were(f.N), inside(f, 0))
	},
	diagnose.NotWorkerTimeout: plain("no WORKER TIMEOUT in the log"),
	diagnose.NotOneByOne:      plain("several streams of one process ended at one moment"),
	diagnose.MendSignalSender: plain("find out who sends the signal (deploys, health checks, operators); have " +
		"clients resume or retry"),

	// Of rule_memory.go.
	diagnose.FactOneProcess: plain("one process, while the container lived"),
	diagnose.FactContainer:  plain("the whole container"),
	diagnose.FactKernelKilled: func(f *record.Fact) string {
		return fmt.Sprintf("the kernel killed %s, for its memory, and %s with it", inside(f, 0), count(f.N, "stream"))
	},
	diagnose.NotByOOMCounter: plain("the kernel's own oom_kill counter or event says so"),
	diagnose.NotByKubernetes: plain("Kubernetes gives OOMKilled as the reason"),
	diagnose.FactCgroup: func(f *record.Fact) string {
		return fmt.Sprintf("cgroup: %s is %d at %.3f s %s", f.Name, f.More, f.Took.Seconds(), f.Text)
	},
	diagnose.FactNotStartedAgain: func(f *record.Fact) string {
		if f.Took == 0 {
			return "it was not started again"
		}
		return fmt.Sprintf("it was not started again in the %.2f s until the scenario was over", f.Took.Seconds())
	},
	diagnose.FactStartedAgain: func(f *record.Fact) string {
		return fmt.Sprintf("started again %.2f s later; no new stream had an event", f.Took.Seconds())
	},
	diagnose.FactServedAgain: func(f *record.Fact) string {
		return fmt.Sprintf("started again %.2f s later, first event of a new stream %.2f s after the kill",
			f.Took.Seconds(), f.Bound.Seconds())
	},

	// Of rule_worker.go.
	diagnose.FactBlockedTimeout: func(f *record.Fact) string {
		return fmt.Sprintf("%s fell silent together and were cut together when their worker was taken for "+
			"dead: something blocked its event loop", count(f.N, "stream"))
	},
	diagnose.NotMemory:   plain("a long common silence and a WORKER TIMEOUT came first"),
	diagnose.NotRecycled: plain("no \"Shutting down\" before it"),
	diagnose.FactSyncTimeout: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s cut while tokens flowed: a sync worker gives no sign of life within a "+
			"request, so its timeout is the longest stream", count(f.N, "stream"), were(f.N))
	},
	diagnose.NotSilentBefore: plain("the streams were not silent before they were cut"),
	diagnose.FactCutSince: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d was cut %.2f s after its start", f.Stream, f.Took.Seconds())
	},
	diagnose.FactRecycled: func(f *record.Fact) string {
		return fmt.Sprintf("a worker that was being recycled cut %s that it still served", count(f.N, "stream"))
	},
	diagnose.NotBlockedRecycled: plain("the worker had been told to go before"),

	// Of rule_cut.go.
	diagnose.FactCutInEvent: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s cut in the middle of an event", count(f.N, "connection"), were(f.N))
	},
	diagnose.FactUnfinished: func(f *record.Fact) string {
		return bytesOf(f.Bytes) + " of an unfinished event"
	},
	diagnose.NotLogged:  plain("no exception in the app's log"),
	diagnose.MayHopCuts: plain("a hop between client and app may cut as well: timers, restarts, lost state"),
	diagnose.MaySameSilence: plain("they had been silent for the same time, as an idle timer on the way would " +
		"have it"),
	diagnose.MaySyncWorker:  plain("a sync worker's timeout counts from the start of its request"),
	diagnose.MayRaise:       plain("an exception in the generator ends its own stream only"),
	diagnose.MayProcessDied: plain("a process that dies takes all its streams at one moment"),
	diagnose.MendLookForExit: plain("look for the exit of a process at that moment (exit code, kernel log); " +
		"keep a second worker, and let clients resume or retry"),
	diagnose.MayRecycle:       plain("a process manager recycles workers: --max-requests, reload"),
	diagnose.MayDeploy:        plain("a deploy's window may have run out"),
	diagnose.MayKernelKill:    plain("the kernel kills for memory; oom_kill counts it"),
	diagnose.MayContainerKill: plain("a container may have died for memory: exit code 137"),
	diagnose.MayBlockedWorker: plain("a process manager ends a worker whose loop is blocked"),
	diagnose.FactCutMidBody: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s cut mid-body: %s", count(f.N, "connection"), were(f.N), inside(f, 0))
	},
	diagnose.NotInItsLog:          plain("none in its log"),
	diagnose.FactHiddenExceptions: plain("all after the same event, as in an app that hides its exceptions"),
	diagnose.FactNobodySays:       plain("nothing recorded says by whom"),
	diagnose.FactOneInstant:       plain("all at one instant, as when their process ends"),
	diagnose.FactTooFew:           plain("too few to tell by their shape who cut"),
	diagnose.FactCodeFails:        plain("all after the same event, as when the app's own code fails there"),
	diagnose.FactOneAge:           plain("all at the same age, whatever their event"),
	diagnose.FactNothingShared:    plain("each at its own event and time"),

	// Of rule_injected.go.
	diagnose.FactOurFault: func(f *record.Fact) string {
		return fmt.Sprintf("our own fault, active from %.3f s, cut or delayed %s",
			f.Took.Seconds(), count(f.N, "stream"))
	},
	diagnose.NotUnexposed: plain("only streams exposed to the fault are counted here"),
	diagnose.MendResume: plain("no action needed where the scenario allows this ending; otherwise make clients " +
		"resume or retry"),

	// Of rule_leak.go.
	diagnose.FactWentOnProducing: func(f *record.Fact) string {
		return fmt.Sprintf("the server went on producing for %s that had hung up", count(f.N, "client"))
	},
	diagnose.NotNoticed:     plain("the server noticed other hang-ups on the same road"),
	diagnose.FactStillGoing: plain("still going on when asked"),
	diagnose.FactStoppedLater: func(f *record.Fact) string {
		return fmt.Sprintf("stopped %.2f s later", f.Took.Seconds())
	},
	diagnose.FactLedgerLine: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: client left at %.3f s, server %s, after %s",
			f.Stream, f.Took.Seconds(), inside(f, 0), count(f.N, "event"))
	},

	// Of rule_replica.go.
	diagnose.FactOneReplica: func(f *record.Fact) string {
		return fmt.Sprintf("every stream that went wrong is one of %s: %d of its %d, and 0 of %d of the others",
			f.Name, f.N, f.Of, f.Need)
	},
	diagnose.NotEdgeServesAll: plain("it serves the other replicas as well"),
	diagnose.MendCompareReplica: func(f *record.Fact) string {
		return fmt.Sprintf("compare %s with the others (version, configuration, resources, its own log), and "+
			"take it out of rotation until then", f.Name)
	},
	diagnose.MayInstance: plain("only a part of the streams is concerned, all after one event: one of several " +
		"instances behind the edge may fail"),

	// Of ends, with names in them.
	diagnose.MendEnterEachHop: plain("enter the chain at each hop (streamproof diagnose); raise the idle and " +
		"total timeouts of the one that " +
		"cuts, and let clients resume or retry"),
	diagnose.FactNoSuchLimit: func(f *record.Fact) string { return f.Name + " itself sets no such limit" },
	diagnose.FactBytesOfBody: plain("bytes of the body"),
	diagnose.FactBytesOnWire: plain("bytes with head and framing"),
	diagnose.FactWindow: func(f *record.Fact) string {
		return fmt.Sprintf("%s at %.3f s%s", f.Name, f.Took.Seconds(), after(": ", f.Text))
	},
	diagnose.FactOfWorkers: ofWorkers,
	diagnose.FactKernelSaid: func(f *record.Fact) string {
		return fmt.Sprintf("%s: %s of %s at %.3f s, %s", f.Place, inside(f, 0), f.Name, f.Took.Seconds(),
			cmp.Or(f.Text, fmt.Sprintf("code %d", f.N)))
	},
	diagnose.FactKindOfEvent: func(f *record.Fact) string { return f.Name },
	diagnose.MayHiddenEdge: func(f *record.Fact) string {
		return "an edge that does not show may end a silent response as if it were whole: " + inside(f, 0)
	},
	diagnose.NextEdgeLog: func(f *record.Fact) string {
		return "let streamproof read the log of " + f.Name + ": --log " + f.Text
	},
	diagnose.FactEdgeInFront: func(f *record.Fact) string { return "an edge stands in front: " + f.Text },
	diagnose.NextReplicaLog: func(f *record.Fact) string {
		return "keep the log of " + f.Name + ", and let streamproof read it: --log app=PATH"
	},
}
