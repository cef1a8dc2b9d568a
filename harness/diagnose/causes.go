package diagnose

import "strings"

// A Known is a cause as it is documented: what it is, and not how it was found in a
// run. What happens in it, in words, stands in package reports.
type Known struct {
	// Name is the one of [verdict.Cause]. Some causes have more behind it: "injected
	// fault: " and the fault's name.
	Name string
	// ID is the identifier of the taxonomy in verdict.json, a letter for the family and
	// a number: "B9". Several causes may share one; "X" is outside of the families.
	ID    string
	Layer string   // where it usually sits
	Alike []string // causes that it is mistaken for

	remedy remedy // what to do; empty where the rule itself says it, from what it saw
}

// Remedies are what to do at the edge and in the app, "" for nothing; neither where the
// rule itself says it, from what it saw.
func (k Known) Remedies() (edge, app Remedy) { return k.remedy.edge, k.remedy.app }

// A Family is the causes of one kind, as a chapter of README.md.
type Family struct {
	Title  string
	Causes []Known
}

// docURL is where the causes are described.
const docURL = "https://github.com/streamproof/streamproof/blob/main/harness/diagnose/README.md"

// Lookup returns the cause of that name, as it stands in [verdict.Cause].
func Lookup(name string) (Known, bool) {
	if strings.HasPrefix(name, InjectedFault+":") {
		name = InjectedFault
	}
	for _, f := range Families {
		for _, k := range f.Causes {
			if k.Name == name {
				return k, true
			}
		}
	}
	return Known{}, false
}

// idOf is the identifier of a cause; one that is not in the table is outside of the
// families.
func idOf(name string) string {
	if k, ok := Lookup(name); ok {
		return k.ID
	}
	return "X"
}

// Link is where the cause of that name is described; "" for one that is not.
func Link(name string) string {
	k, ok := Lookup(name)
	if !ok {
		return ""
	}
	return docURL + "#" + k.Anchor()
}

// Anchor is the fragment of a cause on the page, as GitHub makes it of a heading.
func (k Known) Anchor() string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ':
			return '-'
		}
		return -1
	}, k.Name)
}

// Families are all causes that this package names.
var Families = []Family{
	{"The answer itself", []Known{
		{SilentTruncation, "A3", layerApp, []string{LaunderedByEdge}, remedy{app: AppEnd}},
		{AppError, "A2", layerApp, []string{OutlivesResources, WorkerKilled}, remedy{app: AppRaised}},
		{OutlivesResources, "A1", layerApp, []string{AppError}, remedy{app: AppResources}},
		{LaunderedByEdge, "B9", layerEdge, []string{SilentTruncation, LaunderedByApp}, remedy{edge: EdgeHonest}},
		{LaunderedByApp, "A4", layerApp, []string{LaunderedByEdge}, remedy{app: AppSwallowed}},
		{CutInFrame, "J5", layerApp, []string{SilentTruncation}, remedy{app: AppEnd}},
		{InBandError, "A5", layerApp, nil, remedy{}},
		{ErrorThenTerminal, "A5", layerApp, []string{InBandError}, remedy{}},
		{TerminalTwice, "J2", layerApp, nil, remedy{}},
		{OpenAfterAnswer, "X", layerApp, []string{MissingTerminal}, remedy{}},
		{MissingTerminal, "X", layerApp, []string{StallInApp}, remedy{app: AppEnd}},
		{CutAfterAnswer, "X", layerApp, nil, remedy{}},
		{EndsByClose, "B8", layerApp, []string{SilentTruncation}, remedy{edge: EdgeHonest}},
		{LengthLie, "A7", layerApp, []string{AppError}, remedy{app: AppLength}},
		{Spliced, "A8", layerApp, []string{BrokenFraming}, remedy{}},
		{BrokenFraming, "A8", layerApp, nil, remedy{}},
		{LostEvent, "X", layerApp, []string{ReorderedEvents}, remedy{}},
		{DuplicatedEvent, "J2", layerApp, nil, remedy{}},
		{ReorderedEvents, "X", layerApp, []string{LostEvent}, remedy{}},
		{ForeignEvent, "N18", layerApp, nil, remedy{}},
		{CorruptContent, "X", layerApp, nil, remedy{}},
		{TerminalNotSent, "X", layerApp, []string{SilentTruncation}, remedy{}},
		{FieldPrefixTwice, "X", layerApp, []string{WrongDialect}, remedy{}},
		{EventsJoined, "X", layerApp, nil, remedy{}},
		{TerminalUnended, "J5", layerApp, []string{SilentTruncation}, remedy{}},
		{UnframedError, "A5", layerApp, []string{InBandError}, remedy{}},
		{ErrorDocument, "A5", layerApp, []string{NotAStream}, remedy{}},
		{FailureReason, "A5", layerApp, []string{ErrorThenTerminal}, remedy{}},
		{SplitCharacters, "X", layerApp, []string{CorruptContent}, remedy{}},
	}},
	{"The user's own settings", []Known{
		{TerminalTooBroad, "X", layerHarness, []string{TerminalTwice}, remedy{}},
		{TerminalUnmatched, "X", layerHarness, []string{SilentTruncation}, remedy{}},
		{WrongDialect, "X", layerHarness, []string{CorruptContent}, remedy{}},
		{FormNotRead, "X", layerHarness, nil, remedy{}},
		{NotAStream, "X", layerApp, nil, remedy{}},
		{FeedTooSlow, "X", layerApp, []string{StallInApp}, remedy{}},
		{FeedEnded, "X", layerApp, []string{AbsoluteDeadline}, remedy{}},
		{NeverEnds, "X", layerHarness, nil, remedy{}},
	}},
	{"Redirects", []Known{
		{RedirectLoop, "X", layerApp, nil, remedy{}},
		{RedirectedAway, "X", layerHarness, nil, remedy{}},
		{BrokenRedirect, "X", layerApp, nil, remedy{}},
		{NotFollowed, "X", layerHarness, nil, remedy{}},
	}},
	{"Delay", []Known{
		{StallInApp, "A6", layerApp, []string{HeldOnTheWay, BlockedLoop}, remedy{app: AppStall}},
		{HeldOnTheWay, "X", layerNetwork, []string{StallInApp}, remedy{edge: EdgeUnbuffered}},
		{SlowFirstEvent, "X", layerApp, []string{Queue}, remedy{app: AppFirst}},
		{HeartbeatsOnly, "X", layerApp, []string{StallInApp}, remedy{app: AppProducer}},
		{UnfinishedEvent, "X", layerApp, []string{StallInApp}, remedy{}},
		{BufferedByEdge, "B1", layerEdge, []string{BufferedByApp}, remedy{edge: EdgeUnbuffered}},
		{GzipByEdge, "B2", layerEdge, []string{BufferedByEdge}, remedy{edge: EdgeUncompressed}},
		{BufferedByApp, "B", layerApp, []string{BufferedByEdge}, remedy{app: AppFlush}},
		{GzipByApp, "B5", layerApp, []string{BufferedByApp}, remedy{app: AppCompression}},
		{JoinedByApp, "B6", layerApp, []string{BufferedByApp}, remedy{app: AppFlush}},
		{BufferedSomehow, "B", layerApp, nil, remedy{}},
		{NoHeartbeat, "D7", layerApp, []string{StallInApp}, remedy{app: AppHeartbeat}},
		{BlockedLoop, "F1", layerApp, []string{StallInApp, BusyMachine}, remedy{app: AppBlocked}},
		{SerialisedLoop, "F3", layerApp, []string{Queue}, remedy{app: AppBlocked}},
		{ConcurrencyLimit, "H", layerApp, []string{ThreadPool},
			remedy{edge: EdgeConnections, app: AppLimit, either: true}},
		{Queue, "X", layerApp, []string{SlowFirstEvent}, remedy{app: AppLimit}},
		{ThreadPool, "F2", layerApp, []string{ConcurrencyLimit}, remedy{app: AppPool}},
	}},
	{"Timeouts and life cycle", []Known{
		{ProxyReadTimeout, "D1", layerEdge, []string{IdleTimeout, AbsoluteDeadline},
			remedy{edge: EdgeIdle, app: AppHeartbeat}},
		{IdleTimeout, "D4", layerNetwork, []string{ProxyReadTimeout}, remedy{edge: EdgeIdle, app: AppHeartbeat}},
		{IdleTimeoutInApp, "X", layerApp, []string{ProxyReadTimeout}, remedy{app: AppOwnIdle}},
		{AbsoluteDeadline, "D5", layerEdge, []string{ProxyReadTimeout, SyncWorkerTimeout},
			remedy{edge: EdgeDeadline, app: AppDeadline, either: true}},
		{PayloadCap, "H6", layerEdge, []string{AbsoluteDeadline}, remedy{edge: EdgeCap, app: AppCap, either: true}},
		{CutByEdge, "X", layerEdge, []string{AppError}, remedy{edge: EdgeCutter}},
		{OneReplica, "X", layerApp, []string{WorkerKilled}, remedy{}},
		{EdgeReloaded, "E10", layerEdge, []string{WorkerKilled}, remedy{edge: EdgeReload}},
		{ProxyHeaderTimeout, "D2", layerEdge, []string{SlowFirstEvent}, remedy{edge: EdgeHeader, app: AppFirst}},
		{SyncWorkerTimeout, "E1", layerManager, []string{BlockedLoopTimeout, AbsoluteDeadline},
			remedy{app: AppWorkerTimeout}},
		{BlockedLoopTimeout, "E2", layerManager, []string{SyncWorkerTimeout}, remedy{app: AppBlocked}},
		{WorkerRecycled, "E3", layerManager, []string{BlockedLoopTimeout}, remedy{app: AppRecycled}},
		{GraceTooShort, "E4", layerManager, []string{WorkerKilled}, remedy{app: AppGrace}},
		{NoGracefulShutdown, "E4", layerApp, []string{GraceTooShort}, remedy{app: AppNoShutdown}},
		{LivenessKill, "E4", layerKubernetes, []string{GraceTooShort}, remedy{}},
		{PodDisrupted, "E4", layerKubernetes, []string{GraceTooShort}, remedy{}},
		{RoutedLate, "E6", layerKubernetes, []string{DeployGap}, remedy{}},
		{DeployGap, "E6", layerApp, []string{Overloaded}, remedy{}},
		{WorkerKilled, "E7", layerManager, []string{MemoryKillWorker, GraceTooShort}, remedy{}},
		{MemoryKillWorker, "E9", layerKernel, []string{WorkerKilled}, remedy{app: AppMemory}},
		{MemoryKillAll, "E9", layerKernel, []string{NoGracefulShutdown}, remedy{app: AppMemory}},
		{Overloaded, "H4", layerApp, []string{EdgeFull}, remedy{}},
		{EdgeFull, "H1", layerEdge, []string{Overloaded}, remedy{edge: EdgeConnections}},
		{LeftOut, "X", layerEdge, []string{DeployGap, HTTPFailure}, remedy{edge: EdgeMarkDown}},
		{HTTPFailure, "X", layerApp, []string{Overloaded}, remedy{}},
	}},
	{"After the client has left", []Known{
		{NotPropagated, "G1", layerApp, nil, remedy{edge: EdgeAbort, app: AppLeak}},
	}},
	{"Not the app's doing", []Known{
		{InjectedFault, "X", layerNetwork, nil, remedy{}},
		{SelfInflicted, "D6", layerHarness, []string{ProxyReadTimeout}, remedy{}},
		{BusyMachine, "X", layerHarness, []string{BlockedLoop}, remedy{}},
		{ConnectionCut, "X", layerNetwork, nil, remedy{}},
		{NoAnswer, "X", layerNetwork, nil, remedy{}},
		{TooMuch, "D6", layerApp, nil, remedy{}},
	}},
}
