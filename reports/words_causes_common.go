package reports

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfCommon are the sentences of what several rules see.
var saidOfCommon = map[record.FactKind]sentence{
	// Of binding.go.
	diagnose.FactLeaning: func(f *record.Fact) string {
		return fmt.Sprintf("%d of %s that came through %s ended before they were whole%s, and none of %d that "+
			"the app was asked for directly", f.N, count(f.Of, "answer"), inside(f, 0), inside(f, 1), f.Need)
	},
	diagnose.FactMaybeChance: func(f *record.Fact) string {
		return fmt.Sprintf("that may be chance in %.0f of 100 cases, so that it accuses nobody", 100*f.Share)
	},
	diagnose.MayIdleTimer: plain("all had been silent for about as long, as an idle timer on the way would have it"),
	diagnose.FactEndedOnTheWay: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended %s before they were whole%s: the app, asked directly, sends them whole",
			inside(f, 0), count(f.N, "answer"), inside(f, 1))
	},
	diagnose.FactHeldUp: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s held up at %s: the app, asked directly, is in time",
			count(f.N, "stream"), were(f.N), inside(f, 0))
	},
	diagnose.NotAskedDirectly: plain("asked directly, under the same load and for as long, the app does not " +
		"show it"),
	diagnose.MayBeHangUp: plain("its log has exceptions at that time, which may come of the edge's hanging up"),
	diagnose.MendCompareInstances: plain("ask every instance directly, and compare the one that fails with the " +
		"others (version, configuration, resources, its own log)"),
	diagnose.MayBeOtherInstance: plain("in another instance than the one that was asked directly"),
	diagnose.FactOneInstance: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended after one event, and the app that was asked directly sends them whole: "+
			"another instance of it may fail", count(f.N, "answer"))
	},

	// Of clues.go.
	diagnose.FactWentOn: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s open at that moment and went on", count(f.N, "other stream"), were(f.N))
	},

	// Of overheard.go.
	diagnose.FactEndedItself: func(f *record.Fact) string {
		return fmt.Sprintf("the app ended %s itself: at %d of these ends it wrote a line that it writes "+
			"nowhere else", count(f.N, "answer"), f.Need)
	},
	diagnose.NotExited: plain("no process exited"),
	diagnose.FactLostBetween: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s lost between the app, which finished them, and the client",
			count(f.N, "answer"), were(f.N))
	},
	diagnose.NotFinished: plain("the app says that it finished these answers"),
	diagnose.MendBetween: plain("look at what stands between: its timeouts, its limits on size and age, and its " +
		"restarts"),
	diagnose.WhyWhereLost: plain("where between the app and the client answers are lost"),

	// Of peeled.go.
	diagnose.FactCutBehindEdge: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended like a success without their terminal, where the same app's streams are "+
			"visibly cut behind the edge", count(f.N, "stream"))
	},
	diagnose.FactAbortedBehind: func(f *record.Fact) string {
		return fmt.Sprintf("%s that did not pass the edge were aborted", count(f.N, "stream"))
	},
	diagnose.NotCutVisibly: plain("asked directly, it cuts its streams visibly"),

	// Of speaks.go.
	diagnose.NextAppLogs: plain("let the app log its exceptions (with X-Request-ID) into the log that was " +
		"given, and run again"),
	diagnose.NextKeepAppLog: plain("keep the app's log: logs: {app: app.log}"),

	// Of what several rules see.
	diagnose.FactWho: who,
	diagnose.FactComesAbout: func(f *record.Fact) string {
		return inside(f, 0) + "; the app, asked directly, does not show it: it comes about at " + inside(f, 1)
	},
	diagnose.MendOnTheWay: func(f *record.Fact) string {
		return "look at the timeouts, size limits and filters of " + inside(f, 0) +
			", and in its log at the time of an ending"
	},
	diagnose.NextNameInstance: func(f *record.Fact) string {
		return "let the app or the edge name the instance in a response field (X-Served-By), or " + inside(f, 0)
	},
	diagnose.MayOtherInstances: plain("only a part of the streams is concerned: other instances of the app may " +
		"stand behind the edge than the " +
		"one that was asked directly"),
	diagnose.FactCluster:     cluster,
	diagnose.FactStandBeside: standBeside,
	diagnose.FactNamedBeside: standBeside,
	diagnose.FactWholeAnswers: func(f *record.Fact) string {
		return fmt.Sprintf("%d of %d complete responses", f.N, f.Of)
	},
	diagnose.FactMoments: func(f *record.Fact) string {
		return fmt.Sprintf("%d of %d moments at which answers went on", f.N, f.Of)
	},
	diagnose.FactAt: func(f *record.Fact) string {
		return fmt.Sprintf("%s at %.3f s", inside(f, 0), f.Took.Seconds())
	},
	diagnose.DeathTimedOut: func(f *record.Fact) string {
		return "the process manager ended a worker that did not answer" + ofPid(f)
	},
	diagnose.DeathSignal9:   func(f *record.Fact) string { return "a worker got signal 9" + ofPid(f) },
	diagnose.DeathCrashed:   func(f *record.Fact) string { return "a worker crashed" + ofPid(f) },
	diagnose.DeathGraceOver: func(f *record.Fact) string { return "the graceful window ran out" + ofPid(f) },
	diagnose.DeathMemory: func(f *record.Fact) string {
		return "the kernel killed a process for its memory" + ofPid(f)
	},
	diagnose.DeathReplaced: plain("a worker had ended, so that its manager started another one"),
	diagnose.DeathRaised:   plain("the app raised an exception"),
	diagnose.DeathNoted:    plain("the app noted an error and went on"),
	diagnose.DeathStruck:   func(f *record.Fact) string { return "our relay struck it: " + f.Text },
	diagnose.DeathLinkDown: func(f *record.Fact) string { return "we took down the link to " + f.Name },
	diagnose.DeathWeKilled: func(f *record.Fact) string {
		if f.N == 0 {
			return "we killed " + f.Name
		}
		return fmt.Sprintf("we killed pid %d of %s", f.N, f.Name)
	},
	diagnose.DeathWeAsked:  func(f *record.Fact) string { return "we sent SIGTERM to " + f.Name },
	diagnose.DeathNoMemory: func(f *record.Fact) string { return "the kernel ran out of memory for " + f.Name },
	diagnose.DeathExited: func(f *record.Fact) string {
		return fmt.Sprintf("%s exited, pid %d, code %d", f.Name, f.N, f.Need)
	},
	diagnose.DeathKilled: func(f *record.Fact) string {
		return fmt.Sprintf("%s was killed (signal 9), pid %d", f.Name, f.N)
	},
	diagnose.DeathKube: kubeDeath,
	// Of whose.go.
	diagnose.FactPodByTime: func(f *record.Fact) string {
		return "no log says whether " + podOrService(f) + " is the app's; in the logs it is the only one whose ends " +
			"came when the streams ended"
	},
	diagnose.FactPodOther: func(f *record.Fact) string {
		if f.Place == string(diagnose.OfService) {
			return ": possible, other service: " + f.Name + " is not the app; it matters only if the streams pass through it"
		}
		return ": possible, other pod: " + f.Name + " is not the app's, or this container of it serves no requests; it " +
			"matters only if the streams pass through it"
	},
	diagnose.FactPodUnknown: func(f *record.Fact) string {
		if f.Place == string(diagnose.OfService) {
			return ": possible, other service: the log is of several services, and nothing says that " + f.Name + " is the app"
		}
		return ": possible, other pod: the logs tell of several workloads, and nothing says that " + f.Name + " is the app's"
	},
	diagnose.MayOtherPod: func(f *record.Fact) string {
		return "it happened to " + podOrService(f) + " at that time, which may or may not be the app's"
	},
	diagnose.NextOwnPods: func(f *record.Fact) string {
		if f.Place == string(diagnose.OfService) {
			return "give the log of the app's own service alone: docker compose logs -f NAME"
		}
		return "give the facts of the app's own pods alone: kubectl get pods -l app=NAME -o json, and " +
			"their log with kubectl logs -l app=NAME"
	},
	diagnose.FactDirectClean: func(f *record.Fact) string {
		return fmt.Sprintf("asked directly, %s ended in the same clean way", count(f.N, "stream"))
	},
	diagnose.FactDirectCut: func(f *record.Fact) string {
		return fmt.Sprintf("asked directly, %s %s visibly cut", count(f.N, "stream"), were(f.N))
	},
	diagnose.FactBesideDirect: besideDirect,
	diagnose.FactOnTheWay: func(f *record.Fact) string {
		return fmt.Sprintf("on the way through the chain %d of %d did", f.N, f.Of)
	},
	diagnose.FactNoSign:   noSign,
	diagnose.NextWithPeel: func(f *record.Fact) string { return inside(f, 0) + ", with streamproof diagnose" },
	diagnose.NextKeepLogs: plain("keep the logs of the app and of the edge, name both with --log, and run " +
		"streamproof diagnose"),
	diagnose.NextRerun:      rerun,
	diagnose.NextPeel:       peel,
	diagnose.FactRaisedAt:   func(f *record.Fact) string { return " (at " + f.Place + ")" },
	diagnose.FactKnownLimit: knownLimit,
	diagnose.MendAtEdge: func(f *record.Fact) string {
		return fixAtEdge(diagnose.Remedy(f.Name), record.EdgeProduct(f.Place))
	},
	diagnose.MendInApp: func(f *record.Fact) string {
		return fixInApp(diagnose.Remedy(f.Name), diagnose.Language(f.Place))
	},
}

// podOrService is what a fact of whose.go is about.
func podOrService(f *record.Fact) string {
	if f.Place == string(diagnose.OfService) {
		return "service " + f.Name
	}
	return "pod " + f.Name
}
