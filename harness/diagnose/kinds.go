package diagnose

import "github.com/streamproof/streamproof/harness/record"

// The kinds of facts that rules give, rule by rule. Package reports has a sentence for
// each (words_causes_….go), and TestEveryFactHasASentence holds the two together. Their
// prefixes tell what they are for: Fact is seen or told, Not rules a look-alike out, May
// speaks for a candidate, Mend is what to do, Next what to run, Why what that is for, and
// Death how a process ended. Behind a kind stand the fields that it uses: N counts
// streams or answers where its sentence counts nothing else, Of those that it is out of,
// Need what would be enough or a status; Took comes before Bound; About are the facts
// that the sentence takes in, in its order.

// Of rule_content.go.
const (
	NotInjected         record.FactKind = "not: injected"
	NotTCP              record.FactKind = "not: TCP"
	FactSpliced         record.FactKind = "cause: spliced" // N
	MendAsyncWorker     record.FactKind = "fix: async worker"
	FactMoreThanLength  record.FactKind = "cause: more than length" // N
	FactBrokenFraming   record.FactKind = "cause: broken framing"   // N
	MendLetLibraryFrame record.FactKind = "fix: let library frame"
)

// Of rule_misframed.go.
const (
	NotCutBehindTerminal record.FactKind = "not: cut behind terminal"
	FactSecondReply      record.FactKind = "cause: second reply" // N
	FactLeftover         record.FactKind = "cause: leftover"     // Stream, Text
	FactSplitHeld        record.FactKind = "cause: split held"   // N
	FactReplaced         record.FactKind = "cause: replaced"     // Stream, N, Of
	MendDecoder          record.FactKind = "fix: decoder"
	WhyNotToBlame        record.FactKind = "why: not to blame"
	FactDirectNone       record.FactKind = "cause: direct none" // N
	NotInText            record.FactKind = "not: in text"
	FactErrorText        record.FactKind = "cause: error text" // N
	NotUnsaid            record.FactKind = "not: unsaid"
	MendErrorEvents      record.FactKind = "fix: error events"
)

// Of rule_said.go.
const (
	FactFailureReason     record.FactKind = "cause: failure reason" // N, About
	NotSentinel           record.FactKind = "not: sentinel"
	MendFailureReason     record.FactKind = "fix: failure reason"
	FactErrorThenTerminal record.FactKind = "cause: error then terminal" // N
	NotErrorFirst         record.FactKind = "not: error first"
	MendReturnAfterError  record.FactKind = "fix: return after error"
	FactInBandError       record.FactKind = "cause: in band error" // N
	NotWholeByError       record.FactKind = "not: whole by error"
	MendInBandError       record.FactKind = "fix: in band error"
	FactTerminalTwice     record.FactKind = "cause: terminal twice" // N
	FactTerminals         record.FactKind = "cause: terminals"      // Stream, N, Of
	MendTerminalOnce      record.FactKind = "fix: terminal once"
	FactCutAfterTerminal  record.FactKind = "cause: cut after terminal" // N
	FactAfterTerminal     record.FactKind = "cause: after terminal"     // Stream, Name, Place
	MendLetEnd            record.FactKind = "fix: let end"
	FactLeftOpen          record.FactKind = "cause: left open" // N
	FactOpenFor           record.FactKind = "cause: open for"  // Stream, Took
	NotKeepAlive          record.FactKind = "not: keep alive"
	MendReturn            record.FactKind = "fix: return"
	FactFewEvents         record.FactKind = "cause: few events" // N, Need, Took
	FactFeedLine          record.FactKind = "cause: feed line"  // Stream, N, Of, Took
	MendFeed              record.FactKind = "fix: feed"
	FactTerminalBehind    record.FactKind = "cause: terminal behind" // N, Of
)

// Of rule_resources.go.
const (
	FactEndedAtHead    record.FactKind = "cause: ended at head" // N
	NotRaisedOtherwise record.FactKind = "not: raised otherwise"
)

// Of rule_error.go.
const (
	FactAppRaised      record.FactKind = "cause: app raised" // N
	NotTimedOut        record.FactKind = "not: timed out"
	FactShortOfLength  record.FactKind = "cause: short of length"  // N
	FactLengthAndBytes record.FactKind = "cause: length and bytes" // Stream, Text, Bytes
)

// Of rule_trunc.go.
const (
	FactLaundered      record.FactKind = "cause: laundered" // N, Name, About
	NotPrematurely     record.FactKind = "not: prematurely"
	NotByApp           record.FactKind = "not: by app"
	FactFraming        record.FactKind = "cause: framing"   // Stream, N, Name, Place, Of
	FactSwallowed      record.FactKind = "cause: swallowed" // N
	NotExitedThen      record.FactKind = "not: exited then"
	NotHTTP11          record.FactKind = "not: HTTP11"
	FactEndsByClose    record.FactKind = "cause: ends by close" // N
	FactNoTerminal     record.FactKind = "cause: no terminal"   // N
	FactInsideFrame    record.FactKind = "cause: inside frame"  // N
	FactInsidePacked   record.FactKind = "cause: inside packed" // N streams, Name the encoding
	FactFeedOver       record.FactKind = "cause: feed over"     // N, Took
	MendFeedOver       record.FactKind = "fix: feed over"
	NotDeath           record.FactKind = "not: death"
	WhyAppsOwn         record.FactKind = "why: apps own"
	FactMaybeLaundered record.FactKind = "cause: maybe laundered" // N
	WhyEdgesDoing      record.FactKind = "why: edges doing"
	MaySwallow         record.FactKind = "may: swallow"
	FactEdgeNoticed    record.FactKind = "cause: edge noticed" // Name, N
	NotAppsOwn         record.FactKind = "not: apps own"
	FactEdgeSilent     record.FactKind = "cause: edge silent" // N
)

// Of rule_mistaken.go.
const (
	FactDocument          record.FactKind = "cause: document"       // N, Need, Text, About
	FactErrorDocument     record.FactKind = "cause: error document" // N, Need, Text
	FactTypeAndBytes      record.FactKind = "cause: type and bytes" // Stream, Text, Bytes
	NotBegun              record.FactKind = "not: begun"
	MendAskForStream      record.FactKind = "fix: ask for stream"
	FactBegins            record.FactKind = "cause: begins"       // Stream, Text
	FactLooksLike         record.FactKind = "cause: looks like"   // N, Name, Text
	FactContentType       record.FactKind = "cause: content type" // Stream, Text
	NotFromFirstByte      record.FactKind = "not: from first byte"
	FactAllEndAlike       record.FactKind = "cause: all end alike"
	FactMostEndAlike      record.FactKind = "cause: most end alike"
	FactTerminalUnmatched record.FactKind = "cause: terminal unmatched" // Text, About
	FactLastEventOf       record.FactKind = "cause: last event of"      // N, Text
	MayStopShort          record.FactKind = "may: stop short"
	MendNameTheEnd        record.FactKind = "fix: name the end"
	FactTerminalTooBroad  record.FactKind = "cause: terminal too broad" // N
	FactMatchesEarly      record.FactKind = "cause: matches early"      // Stream, N, Of
	NotTwoTerminals       record.FactKind = "not: two terminals"
	MendExpression        record.FactKind = "fix: expression"
	NotReadAtAll          record.FactKind = "not: read at all"
	MendIdentity          record.FactKind = "fix: identity"
	MendNoDialect         record.FactKind = "fix: no dialect"
	FactNeverEnds         record.FactKind = "cause: never ends"  // N
	FactUntilLimit        record.FactKind = "cause: until limit" // Stream, N, Took, Bound
	NotStalledAtLimit     record.FactKind = "not: stalled at limit"
	MendEndless           record.FactKind = "fix: endless"
	FactTerminalNotSent   record.FactKind = "cause: terminal not sent" // N, Name
	NotLastWord           record.FactKind = "not: last word"
	NotReasonGiven        record.FactKind = "not: reason given"
	FactReasonGiven       record.FactKind = "cause: reason given" // Stream, Text
	MendDone              record.FactKind = "fix: done"
	MendSentinel          record.FactKind = "fix: sentinel"
	FactFinishedOpen      record.FactKind = "cause: finished open" // N, Name
	FactOpenAfter         record.FactKind = "cause: open after"    // Stream, Took
	NotOnlyTerminal       record.FactKind = "not: only terminal"
)

// Of rule_redirect.go.
const (
	FactRedirectLoop   record.FactKind = "cause: redirect loop" // N, Of, Need, Text
	NotAnswerBegun     record.FactKind = "not: answer begun"
	MendRedirectLoop   record.FactKind = "fix: redirect loop"
	FactRedirectedAway record.FactKind = "cause: redirected away" // N, Name
	FactNoLocation     record.FactKind = "cause: no location"     // N, Need
	MendLocation       record.FactKind = "fix: location"
	FactNotFollowed    record.FactKind = "cause: not followed"  // N, Need, Text
	FactRedirectLine   record.FactKind = "cause: redirect line" // Stream, N, Of, Took, Need, Text
)

// Of rule_self.go.
const (
	FactOurLimit      record.FactKind = "cause: our limit" // N, About
	FactWithinGap     record.FactKind = "cause: within gap"
	NotSilentAtLimit  record.FactKind = "not: silent at limit"
	MendTotalLimit    record.FactKind = "fix: total limit"
	FactNoDescriptors record.FactKind = "cause: no descriptors" // N
	MendDescriptors   record.FactKind = "fix: descriptors"
	FactTooMuch       record.FactKind = "cause: too much" // N, Name
	MendEventSize     record.FactKind = "fix: event size"
)

// Of rule_refused.go.
const (
	FactNoHeadInTime     record.FactKind = "cause: no head in time" // Name, N
	NotHead              record.FactKind = "not: head"
	FactNothingListened  record.FactKind = "cause: nothing listened" // N
	NotBegunAtAll        record.FactKind = "not: begun at all"
	MendStartFirst       record.FactKind = "fix: start first"
	FactTurnedAway       record.FactKind = "cause: turned away" // N, Need
	NotCutRefused        record.FactKind = "not: cut refused"
	MendShedding         record.FactKind = "fix: shedding"
	FactEdgeFull         record.FactKind = "cause: edge full"     // Name, N
	FactLeftOut          record.FactKind = "cause: left out"      // Name, N; Took: after the fault was over, 0 without one
	FactEdgeAnswered     record.FactKind = "cause: edge answered" // Name, N, Need
	FactEdgePage         record.FactKind = "cause: edge page"     // Name, N, Need
	FactServerField      record.FactKind = "cause: server field"  // Stream, Name
	NotAnsweredByApp     record.FactKind = "not: answered by app"
	MayNotListen         record.FactKind = "may: not listen"
	WhyWhichRefuses      record.FactKind = "why: which refuses"
	FactErrorStatus      record.FactKind = "cause: error status" // N, Need
	MendCheckRequest     record.FactKind = "fix: check request"
	FactNoHead           record.FactKind = "cause: no head" // N, Name
	MendLookForAccepts   record.FactKind = "fix: look for accepts"
	FactStoodWithoutHead record.FactKind = "cause: stood without head" // Took
)

// Of refusal.go.
const (
	FactServerSays record.FactKind = "cause: server says" // Stream, Text
)

// Of rule_crowd.go.
const (
	FactWorkBeforeFirst record.FactKind = "cause: work before first" // N, Took
	NotSlowAlone        record.FactKind = "not: slow alone"          // Took
	FactSilentTogether  record.FactKind = "cause: silent together"   // N, Took, Bound
	FactOpenSilent      record.FactKind = "cause: open silent"       // N, Of, Times
	MaySameEvent        record.FactKind = "may: same event"
	FactHeldUntilEnd    record.FactKind = "cause: held until end" // N
	NotForty            record.FactKind = "not: forty"
	MayOneWorker        record.FactKind = "may: one worker"
	FactPoolInBody      record.FactKind = "cause: pool in body" // N, Need
	FactAboutWent       record.FactKind = "cause: about went"   // N, Share
	NotBlockedMeanwhile record.FactKind = "not: blocked meanwhile"
	MayOtherLimit       record.FactKind = "may: other limit"
	FactPoolTaken       record.FactKind = "cause: pool taken" // N, Need
	FactExactly         record.FactKind = "cause: exactly"    // N, Share, Of, Need
	NotBlockedOpen      record.FactKind = "not: blocked open"
	FactProcessesServed record.FactKind = "cause: processes served" // N
	MayAnyio            record.FactKind = "may: anyio"
	FactQueuedAtEdge    record.FactKind = "cause: queued at edge" // N, Of, Name, Took
	NotQueuedAtEdge     record.FactKind = "not: queued at edge"   // Name, N
	MayEdgeQueue        record.FactKind = "may: edge queue"
	FactGunicorn        record.FactKind = "cause: gunicorn"
	FactWaitress        record.FactKind = "cause: waitress"
	FactJavaExecutor    record.FactKind = "cause: java executor"
	FactPHPChildren     record.FactKind = "cause: PHP children"
	FactPumaThreads     record.FactKind = "cause: puma threads"
	FactThreadsRose     record.FactKind = "cause: threads rose"   // N, Name, Of
	FactServedAtOnce    record.FactKind = "cause: served at once" // N
	MayBeHeldUp         record.FactKind = "may: be held up"
)

// Of rule_delay.go.
const (
	FactAskedEncoding    record.FactKind = "cause: asked encoding" // Stream, Name
	FactOtherSide        record.FactKind = "cause: other side"
	FactEdgeWindow       record.FactKind = "cause: edge window"    // Name, N, Text
	FactAppCompresses    record.FactKind = "cause: app compresses" // N, Text
	NotEdgeCompresses    record.FactKind = "not: edge compresses"
	FactBurstsCompressed record.FactKind = "cause: bursts compressed" // N, Text
	FactAppJoined        record.FactKind = "cause: app joined"        // N
	FactLengthDeclared   record.FactKind = "cause: length declared"   // Stream, Text, Took
	NotBufferKnowsLength record.FactKind = "not: buffer knows length"
	FactHeadHeld         record.FactKind = "cause: head held"    // Took, Bound
	FactAppCollects      record.FactKind = "cause: app collects" // N
	FactOneBody          record.FactKind = "cause: one body"     // N
	NextLogYieldsHead    record.FactKind = "next: log yields head"
	FactBurstsNoEdge     record.FactKind = "cause: bursts no edge" // N, About
	FactBursts           record.FactKind = "cause: bursts"         // N
	WhyWholeChain        record.FactKind = "why: whole chain"
	NotNoEdge            record.FactKind = "not: no edge"
	NotBuffering         record.FactKind = "not: buffering"
	FactEdgeCollects     record.FactKind = "cause: edge collects" // Name, N
	WhyLiveDirectly      record.FactKind = "why: live directly"
	FactFirstLate        record.FactKind = "cause: first late" // N
	NotBuffered          record.FactKind = "not: buffered"
	FactTravelled        record.FactKind = "cause: travelled"           // Took
	FactNoEventAfterHead record.FactKind = "cause: no event after head" // Stream, Took, Bound
	FactHeadThenEvent    record.FactKind = "cause: head then event"     // Stream, Took, Bound
)

// Of rule_loop.go.
const (
	FactWentOnTogether record.FactKind = "cause: went on together"
	FactStillSilent    record.FactKind = "cause: still silent"
	FactPausedTogether record.FactKind = "cause: paused together" // N, Took, About
	FactCommonSilence  record.FactKind = "cause: common silence"  // Took, Bound
	FactStoodAt        record.FactKind = "cause: stood at"        // About
	NotUnrelated       record.FactKind = "not: unrelated"
	FactFellTogether   record.FactKind = "cause: fell together" // N, Took, About
	FactStoodAlone     record.FactKind = "cause: stood alone"   // About
	FactEventRange     record.FactKind = "cause: event range"   // N, Of
	FactStaircase      record.FactKind = "cause: staircase"     // N
	FactFirstEvents    record.FactKind = "cause: first events"  // Times
)

// Of rule_pool.go.
const (
	FactPoolHeld   record.FactKind = "cause: pool held"   // N, Need
	FactPoolServed record.FactKind = "cause: pool served" // N, Share, Need
	FactLittle     record.FactKind = "cause: little"      // Share
	MayPool        record.FactKind = "may: pool"          // N
	FactKnee       record.FactKind = "cause: knee"        // Need, N, Of
	NotAtOneMoment record.FactKind = "not: at one moment"
	FactFullPool   record.FactKind = "cause: full pool" // N, Name, Of, Took, Need
)

// Of rule_progress.go.
const (
	FactEventOpen      record.FactKind = "cause: event open" // N
	NotHeartbeats      record.FactKind = "not: heartbeats"
	MaySlowLink        record.FactKind = "may: slow link"
	MendWholeEvent     record.FactKind = "fix: whole event"
	WhyCompleted       record.FactKind = "why: completed"
	FactHeartbeatsOnly record.FactKind = "cause: heartbeats only" // N
	NotBytesStopped    record.FactKind = "not: bytes stopped"
	NotFaultActive     record.FactKind = "not: fault active"
	FactLongestThought record.FactKind = "cause: longest thought" // Took
	FactKeptAlive      record.FactKind = "cause: kept alive"      // Stream, N, Took, Of, Bytes
)

// Of rule_stall.go.
const (
	FactAllButEnd        record.FactKind = "cause: all but end"       // N
	FactWholeThenSilent  record.FactKind = "cause: whole then silent" // Stream, N, Took
	FactWrittenMeanwhile record.FactKind = "cause: written meanwhile" // N
	NotStampedMeanwhile  record.FactKind = "not: stamped meanwhile"
	WhyWhichHolds        record.FactKind = "why: which holds"
	FactHeldLine         record.FactKind = "cause: held line"   // Stream, Times
	FactFellSilent       record.FactKind = "cause: fell silent" // N
	FactSilentLine       record.FactKind = "cause: silent line" // Stream, Took, N, Of
	NotStampedSilent     record.FactKind = "not: stamped silent"
	NotDeadNetwork       record.FactKind = "not: dead network"
	WhyFallsSilent       record.FactKind = "why: falls silent"
	MayBeHeld            record.FactKind = "may: be held"
)

// Of rule_busy.go.
const (
	MendMorePressed record.FactKind = "fix: more pressed"
	MendQuiet       record.FactKind = "fix: quiet"
	MayBeSo         record.FactKind = "may: be so"
)

// Of rule_deadline.go.
const (
	MayPHPWorker         record.FactKind = "may: PHP worker"
	FactPHPDeadline      record.FactKind = "cause: PHP deadline" // N, Took, Bound
	NotLastByte          record.FactKind = "not: last byte"
	FactOwnedDeadline    record.FactKind = "cause: owned deadline" // Name, N, Took, About
	NotWholeTimeOver     record.FactKind = "not: whole time over"
	FactStartedTogether  record.FactKind = "cause: started together"
	FactOfOneAge         record.FactKind = "cause: of one age" // N
	FactAgesAlike        record.FactKind = "cause: ages alike" // Took, Bound
	FactAfterEvent       record.FactKind = "cause: after event"
	FactOnTheWayToEvent  record.FactKind = "cause: on the way to event" // Share
	FactInStep           record.FactKind = "cause: in step"
	FactAgeLimit         record.FactKind = "cause: age limit" // Name, N, Took, About
	NotSilent            record.FactKind = "not: silent"
	MayOneProcess        record.FactKind = "may: one process"
	MayMemoryAge         record.FactKind = "may: memory age"
	MayCodeFails         record.FactKind = "may: code fails"
	MaySizeLimit         record.FactKind = "may: size limit" // Bytes
	FactOwnWriteDeadline record.FactKind = "cause: own write deadline"
	FactAppBrokeOff      record.FactKind = "cause: app broke off"
	MayTotalLimit        record.FactKind = "may: total limit"    // Took, About
	FactFlowing          record.FactKind = "cause: flowing"      // Took, N
	FactSizeLimit        record.FactKind = "cause: size limit"   // Name, N, Bytes, Text, About
	FactEndsAtSize       record.FactKind = "cause: ends at size" // N, Bytes, Text, More
	NotOneAge            record.FactKind = "not: one age"        // Took
)

// Of rule_timeout.go.
const (
	NotSilentDirectly     record.FactKind = "not: silent directly"
	MayGiveUp             record.FactKind = "may: give up"
	FactOwnIdle           record.FactKind = "cause: own idle" // N, Took
	NotEdgeIdle           record.FactKind = "not: edge idle"
	WhySameWay            record.FactKind = "why: same way"
	FactIdledOut          record.FactKind = "cause: idled out" // Name, N, Took, About
	NotWorkerTimeoutInApp record.FactKind = "not: worker timeout in app"
	FactReadTimeout       record.FactKind = "cause: read timeout"  // Took
	FactNoHeartbeat       record.FactKind = "cause: no heartbeat"  // N, Took
	FactHeartbeatsOn      record.FactKind = "cause: heartbeats on" // N
	FactAsIfWhole         record.FactKind = "cause: as if whole"
	FactAfterLastByte     record.FactKind = "cause: after last byte" // Stream, Took
)

// Of rule_idle.go.
const (
	FactBalancerIdle    record.FactKind = "cause: balancer idle"    // N, Took
	FactBalancerTimeout record.FactKind = "cause: balancer timeout" // Name, Took
	NotUpstreamTimedOut record.FactKind = "not: upstream timed out"
	FactIdleSaid        record.FactKind = "cause: idle said"        // Stream, Took, Text
	FactOldWorkersOver  record.FactKind = "cause: old workers over" // Name, N
	FactReloadAt        record.FactKind = "cause: reload at"        // Took, Bound
	NotSameMoment       record.FactKind = "not: same moment"
)

// Of rule_edgestop.go.
const (
	FactEdgeStopped record.FactKind = "cause: edge stopped" // Name, N, Took
	NotOneMoment    record.FactKind = "not: one moment"
)

// Of rule_edgegaveup.go.
const (
	FactEdgeGaveUp record.FactKind = "cause: edge gave up" // Name, N, About
	NotEdgeClosed  record.FactKind = "not: edge closed"
)

// Of rule_pods.go.
const (
	FactProbeKilled record.FactKind = "cause: probe killed" // N, of replica Name at Took
	FactPodSaid     record.FactKind = "cause: pod said"     // Text of replica Name at Took
	// FactRoutedLate is N streams that went to replica Name after Times[0], when it was
	// told to go, and until Times[1], when its Service left it out.
	FactRoutedLate record.FactKind = "cause: routed late"
	// FactDisrupted is N streams in the pod of replica Name, which the cluster ended at Took.
	FactDisrupted  record.FactKind = "cause: pod disrupted"
	FactScaled     record.FactKind = "cause: scaled" // Name decided Text at Took, and pods were told to go
	NotAsked       record.FactKind = "not: asked"
	MendDisruption record.FactKind = "fix: pod disruption"
	NotADeploy     record.FactKind = "not: a deploy"
	NotAlone       record.FactKind = "not: alone"
	MendProbe      record.FactKind = "fix: probe"
	MendPreStop    record.FactKind = "fix: preStop"
	MendPodGrace   record.FactKind = "fix: pod grace"

	FactClusterLost record.FactKind = "cause: cluster lost" // N; of rule_self.go
	MendCluster     record.FactKind = "fix: cluster"
)

// Of rule_grace.go.
const (
	FactGraceShort     record.FactKind = "cause: grace short" // N, Took
	NotOOM             record.FactKind = "not: OOM"
	FactCutAtOnce      record.FactKind = "cause: cut at once"   // N
	FactExitedItself   record.FactKind = "cause: exited itself" // N
	FactSignalEnded    record.FactKind = "cause: signal ended"  // N
	FactDiedAtOnce     record.FactKind = "cause: died at once"  // Took, N
	FactGone           record.FactKind = "cause: gone"          // Name, Took, About
	NotAnyWindow       record.FactKind = "not: any window"
	FactAskedToStop    record.FactKind = "cause: asked to stop"    // Name, Place, Text, Took
	FactOurFaultStruck record.FactKind = "cause: our fault struck" // Name, Took
)

// Of rule_killed.go.
const (
	FactProcessDied  record.FactKind = "cause: process died" // N, About
	NotWorkerTimeout record.FactKind = "not: worker timeout"
	NotOneByOne      record.FactKind = "not: one by one"
	MendSignalSender record.FactKind = "fix: signal sender"
)

// Of rule_memory.go.
const (
	FactOneProcess      record.FactKind = "cause: one process"
	FactContainer       record.FactKind = "cause: container"
	FactKernelKilled    record.FactKind = "cause: kernel killed" // N, About
	NotByOOMCounter     record.FactKind = "not: by OOM counter"
	NotByKubernetes     record.FactKind = "not: by kubernetes"
	FactCgroup          record.FactKind = "cause: cgroup"            // Name, More, Took, Text
	FactNotStartedAgain record.FactKind = "cause: not started again" // Took, 0 where not known
	FactStartedAgain    record.FactKind = "cause: started again"     // Took
	FactServedAgain     record.FactKind = "cause: served again"      // Took, Bound
)

// Of rule_worker.go.
const (
	FactBlockedTimeout record.FactKind = "cause: blocked timeout" // N
	NotMemory          record.FactKind = "not: memory"
	NotRecycled        record.FactKind = "not: recycled"
	FactSyncTimeout    record.FactKind = "cause: sync timeout" // N
	NotSilentBefore    record.FactKind = "not: silent before"
	FactCutSince       record.FactKind = "cause: cut since" // Stream, Took
	FactRecycled       record.FactKind = "cause: recycled"  // N
	NotBlockedRecycled record.FactKind = "not: blocked recycled"
)

// Of rule_cut.go.
const (
	FactCutInEvent       record.FactKind = "cause: cut in event" // N
	FactUnfinished       record.FactKind = "cause: unfinished"   // Bytes
	NotLogged            record.FactKind = "not: logged"
	MayHopCuts           record.FactKind = "may: hop cuts"
	MaySameSilence       record.FactKind = "may: same silence"
	MaySyncWorker        record.FactKind = "may: sync worker"
	MayRaise             record.FactKind = "may: raise"
	MayProcessDied       record.FactKind = "may: process died"
	MendLookForExit      record.FactKind = "fix: look for exit"
	MayRecycle           record.FactKind = "may: recycle"
	MayDeploy            record.FactKind = "may: deploy"
	MayKernelKill        record.FactKind = "may: kernel kill"
	MayContainerKill     record.FactKind = "may: container kill"
	MayBlockedWorker     record.FactKind = "may: blocked worker"
	FactCutMidBody       record.FactKind = "cause: cut mid body" // N, About
	NotInItsLog          record.FactKind = "not: in its log"
	FactHiddenExceptions record.FactKind = "cause: hidden exceptions"
	FactNobodySays       record.FactKind = "cause: nobody says"
	FactOneInstant       record.FactKind = "cause: one instant"
	FactTooFew           record.FactKind = "cause: too few"
	FactCodeFails        record.FactKind = "cause: code fails"
	FactOneAge           record.FactKind = "cause: one age"
	FactNothingShared    record.FactKind = "cause: nothing shared"
)

// Of rule_injected.go.
const (
	FactOurFault record.FactKind = "cause: our fault" // Took, N
	NotUnexposed record.FactKind = "not: unexposed"
	MendResume   record.FactKind = "fix: resume"
)

// Of rule_leak.go.
const (
	FactWentOnProducing record.FactKind = "cause: went on producing" // N
	NotNoticed          record.FactKind = "not: noticed"
	FactStillGoing      record.FactKind = "cause: still going"
	FactStoppedLater    record.FactKind = "cause: stopped later" // Took
	FactLedgerLine      record.FactKind = "cause: ledger line"   // Stream, Took, N, About
)

// Of rule_replica.go.
const (
	FactOneReplica     record.FactKind = "cause: one replica" // Name, N, Of, Need
	NotEdgeServesAll   record.FactKind = "not: edge serves all"
	MendCompareReplica record.FactKind = "fix: compare replica" // Name
	MayInstance        record.FactKind = "may: instance"
)

// Of binding.go.
const (
	FactLeaning          record.FactKind = "cause: leaning"      // N, Of, Need, About
	FactMaybeChance      record.FactKind = "cause: maybe chance" // Share
	MayIdleTimer         record.FactKind = "may: idle timer"
	FactEndedOnTheWay    record.FactKind = "cause: ended on the way" // Name, N, About
	FactHeldUp           record.FactKind = "cause: held up"          // N, Name
	NotAskedDirectly     record.FactKind = "not: asked directly"
	MayBeHangUp          record.FactKind = "may: be hang up"
	MendCompareInstances record.FactKind = "fix: compare instances"
	MayBeOtherInstance   record.FactKind = "may: be other instance"
	FactOneInstance      record.FactKind = "cause: one instance" // N
)

// Of clues.go.
const (
	FactWentOn record.FactKind = "cause: went on" // N
)

// Of overheard.go.
const (
	FactEndedItself record.FactKind = "cause: ended itself" // N, Need
	NotExited       record.FactKind = "not: exited"
	FactLostBetween record.FactKind = "cause: lost between" // N
	NotFinished     record.FactKind = "not: finished"
	MendBetween     record.FactKind = "fix: between"
	WhyWhereLost    record.FactKind = "why: where lost"
)

// Of peeled.go.
const (
	FactCutBehindEdge record.FactKind = "cause: cut behind edge" // N
	FactAbortedBehind record.FactKind = "cause: aborted behind"  // N
	NotCutVisibly     record.FactKind = "not: cut visibly"
)

// Of speaks.go.
const (
	NextAppLogs    record.FactKind = "next: app logs"
	NextKeepAppLog record.FactKind = "next: keep app log"
)

// Of what several rules see.
const (
	FactWho           record.FactKind = "cause: who"          // Name, at Place, a layer
	FactComesAbout    record.FactKind = "cause: comes about"  // About: the summary without an edge, who
	MendOnTheWay      record.FactKind = "fix: on the way"     // About: who
	NextNameInstance  record.FactKind = "next: name instance" // About: [NextEdgeLog]
	MayOtherInstances record.FactKind = "may: other instances"
	// N streams end at Took, or at Bytes, with the spread Bound or More; Name: a [Dimension]
	FactCluster record.FactKind = "cause: cluster"
	// such lines stand beside N of Of ends, within Took; Place: the replica; About: beside how many others
	FactStandBeside  record.FactKind = "cause: stand beside"
	FactNamedBeside  record.FactKind = "cause: named beside"  // the same by the ID of the request
	FactWholeAnswers record.FactKind = "cause: answers whole" // N of Of
	FactMoments      record.FactKind = "cause: moments"       // N of Of
	FactAt           record.FactKind = "cause: at"            // About: what happened at Took
	DeathTimedOut    record.FactKind = "death: timed out"     // N: the process, 0 for none known; so below
	DeathSignal9     record.FactKind = "death: signal9"
	DeathCrashed     record.FactKind = "death: crashed"
	DeathGraceOver   record.FactKind = "death: grace over"
	DeathMemory      record.FactKind = "death: memory"
	DeathReplaced    record.FactKind = "death: replaced"
	DeathRaised      record.FactKind = "death: raised"
	DeathNoted       record.FactKind = "death: noted"
	DeathStruck      record.FactKind = "death: struck"    // Text: how
	DeathLinkDown    record.FactKind = "death: link down" // Name: to what
	DeathWeKilled    record.FactKind = "death: we killed" // N of Name
	DeathWeAsked     record.FactKind = "death: we asked"  // Name
	DeathNoMemory    record.FactKind = "death: no memory" // Name
	DeathExited      record.FactKind = "death: exited"    // Name, N; Need: the code
	DeathKilled      record.FactKind = "death: killed"    // Name, N
	// Name: the reason, Place: the pod, Text: the container, N: the code
	DeathKube       record.FactKind = "death: kube"
	FactDirectClean record.FactKind = "cause: direct clean" // N
	FactDirectCut   record.FactKind = "cause: direct cut"   // N
	// N of Of asked directly show the same; About: [FactOnTheWay]
	FactBesideDirect record.FactKind = "cause: beside direct"
	FactOnTheWay     record.FactKind = "cause: on the way" // N of Of do
	FactNoSign       record.FactKind = "cause: no sign"    // Name: what the Server field says
	NextWithPeel     record.FactKind = "next: with peel"   // About: [NextAppLogs]
	NextKeepLogs     record.FactKind = "next: keep logs"
	// Text: the command, "" for none; Name: the flag; About: what for
	NextRerun record.FactKind = "next: rerun"
	// Text: the command, "" for none; Name: what the reader fills in; About: what for
	NextPeel       record.FactKind = "next: peel"
	FactRaisedAt   record.FactKind = "cause: raised at"   // Place
	FactKnownLimit record.FactKind = "cause: known limit" // Took or Bytes is the limit of Name, says Place
	MendAtEdge     record.FactKind = "fix: at edge"       // Name: a [Remedy], Place: the product
	MendInApp      record.FactKind = "fix: in app"        // Name: a [Remedy], Place: the [Language]
)

// Of rule_content.go and rule_misframed.go, by table.
const (
	FactContent      record.FactKind = "cause: content" // N; Name: a stream.State
	MendLost         record.FactKind = "fix: lost"
	MendDuplicated   record.FactKind = "fix: duplicated"
	MendReordered    record.FactKind = "fix: reordered"
	MendForeign      record.FactKind = "fix: foreign"
	MendCorrupt      record.FactKind = "fix: corrupt"
	FactPrefixTwice  record.FactKind = "cause: prefix twice" // N
	MendFrameOnce    record.FactKind = "fix: frame once"
	FactJoined       record.FactKind = "cause: joined" // N
	MendPartEvents   record.FactKind = "fix: part events"
	FactTerminalOpen record.FactKind = "cause: terminal open" // N
	MendEndTerminal  record.FactKind = "fix: end terminal"
	MendOneWriter    record.FactKind = "fix: one writer"
	FactReasons      record.FactKind = "cause: reasons"       // Counts: by reason
	NextLogOneStream record.FactKind = "next: log one stream" // About: [NextRerun]
	MayCloseCut      record.FactKind = "may: close cut"       // Name
	MayHiddenHop     record.FactKind = "may: hidden hop"      // About: [FactNoSign]
	NotPassedAsCut   record.FactKind = "not: passed as cut"   // Name
	MayOnlyHidden    record.FactKind = "may: only hidden"     // About: [FactNoSign]
)

// Of what was asked, with names in it.
const (
	MendGuessedDialect record.FactKind = "fix: guessed dialect" // Name; About: [FactNeedsTerminal]
	MendDialect        record.FactKind = "fix: dialect"         // Name; Text: a terminal; About: [FactNeedsTerminal]
	FactNeedsTerminal  record.FactKind = "cause: needs terminal"
	NextOneAnswer      record.FactKind = "next: one answer"    // About: [NextRerun]
	FactMatchesEnds    record.FactKind = "cause: matches ends" // Text
	FactLastEvent      record.FactKind = "cause: last event"   // Text
	MendIfItEnds       record.FactKind = "fix: if it ends"     // Text
	MendTerminal       record.FactKind = "fix: terminal"       // Text
	MendAllowHost      record.FactKind = "fix: allow host"     // Name
	MendFollow         record.FactKind = "fix: follow"         // Text
	MendPassOn         record.FactKind = "fix: pass on"        // Name; Text: a path; About: what else may help
	FactClientLeft     record.FactKind = "cause: client left"  // Name, N
	NotBehindEdge      record.FactKind = "not: behind edge"
	MendUpstreamName   record.FactKind = "fix: upstream name" // Name
	MendEdgeLimit      record.FactKind = "fix: edge limit"    // Name
	MendWayToApp       record.FactKind = "fix: way to app"    // Name
	MendKeepAlive      record.FactKind = "fix: keep alive"    // Name
	FactError          record.FactKind = "cause: error"       // Text
	FactLimit          record.FactKind = "cause: limit"       // Name: how long
)

// Of waiting, and what to run.
const (
	FactWaitForAnswer record.FactKind = "cause: wait for answer" // N streams, Need at a time; About: why
	FactWaitForFirst  record.FactKind = "cause: wait for first"  // the same
	WhyOneEnds        record.FactKind = "why: one ends"
	WhyFlowOn         record.FactKind = "why: flow on"
	WhyNothingUntil   record.FactKind = "why: nothing until"
	WhyBelowKnee      record.FactKind = "why: below knee"
	WhyBelowTheKnee   record.FactKind = "why: below the knee"
	WhyAtLimit        record.FactKind = "why: at limit"
	WhyFewStreams     record.FactKind = "why: few streams"
	WhyUncompressed   record.FactKind = "why: uncompressed"
	WhyOutOfStep      record.FactKind = "why: out of step"
	WhyByItself       record.FactKind = "why: by itself"
	WhyGoesOn         record.FactKind = "why: goes on"
	WhyShared         record.FactKind = "why: shared"
	FactFarLater      record.FactKind = "cause: far later" // N
	FactQueue         record.FactKind = "cause: queue"     // N
	FactSteps         record.FactKind = "cause: steps"     // About: each [FactStep]
	FactStep          record.FactKind = "cause: step"      // N at Took
)

// Of ends, with names in them.
const (
	MendEnterEachHop record.FactKind = "fix: enter each hop"
	FactNoSuchLimit  record.FactKind = "cause: no such limit" // Name
	FactBytesOfBody  record.FactKind = "cause: bytes of body"
	FactBytesOnWire  record.FactKind = "cause: bytes on wire"
	FactWindow       record.FactKind = "cause: window"     // Name: the phase, at Took; Text: why
	FactOfWorkers    record.FactKind = "cause: of workers" // Counts: by worker
	// Place says About of Name, at Took; Text, or else the code N
	FactKernelSaid  record.FactKind = "cause: kernel said"
	FactKindOfEvent record.FactKind = "cause: kind of event" // Name
	MayHiddenEdge   record.FactKind = "may: hidden edge"     // About: [FactNoSign]
	NextEdgeLog     record.FactKind = "next: edge log"       // Name; Text: what to name
	FactEdgeInFront record.FactKind = "cause: edge in front" // Text: its sign
	NextReplicaLog  record.FactKind = "next: replica log"    // Name
)

// Of whose.go. Name is the pod.
const (
	FactPodByTime  record.FactKind = "cause: pod by time"
	FactPodOther   record.FactKind = "cause: pod other"
	FactPodUnknown record.FactKind = "cause: pod unknown"
	MayOtherPod    record.FactKind = "may: other pod"
	NextOwnPods    record.FactKind = "next: own pods"
)

// Of rule_edgedied.go.
const (
	FactEdgeWorkerDied record.FactKind = "cause: edge worker died" // N streams; Name: the product
	FactLimitReached   record.FactKind = "cause: limit reached"    // N streams
	MendEdgeWorker     record.FactKind = "fix: edge worker"        // Name: the product
)

// Of pause.go.
const (
	FactAnsweredIn     record.FactKind = "cause: answered in"      //
	FactHeadIn         record.FactKind = "cause: head in"          // Stream, Took
	FactOthersRan      record.FactKind = "cause: others ran"       // N streams
	FactNoHeadIn       record.FactKind = "cause: no head in"       // N requests; Took: the usual wait for a head
	FactNoHeartbeatsIn record.FactKind = "cause: no heartbeats in" // Took: every; Bound: the silence
	FactWholeCore      record.FactKind = "cause: whole core"       // Share of a core over Bound
	FactPausedEither   record.FactKind = "cause: paused either"    // as [FactPausedTogether]
	FactSilentEither   record.FactKind = "cause: silent either"    // as [FactSilentTogether]
	FactSilentBehind   record.FactKind = "cause: silent behind"    // the same
	NotBlockedAnswered record.FactKind = "not: blocked answered"
	MaySharedPause     record.FactKind = "may: shared pause"
	NextAskMeanwhile   record.FactKind = "next: ask meanwhile"
)
