package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// What this package finds it says in facts, see [record.Fact]. Package reports puts
// them into words. The comment at a kind tells its figures: N, Of and Need count
// streams where it says nothing else.

// fact is short for what this file is about.
type fact = record.Fact

// Of several streams.
const (
	FactBroke     record.FactKind = "broke a rule"    // N of Of did, of which Counts; About: reason of the first, Stream
	FactFirst     record.FactKind = "broke, no count" // the same without Counts
	FactJudged    record.FactKind = "judged"          // N
	FactOutcomes  record.FactKind = "outcomes"        // N, of which Counts
	FactUntouched record.FactKind = "untouched"       // N
)

// Made of others.
const (
	FactBut       record.FactKind = "but"            // About: what was seen, and what may be to blame instead of the app
	FactButSilent record.FactKind = "but, silence"   // the same, of silences
	FactOnePart   record.FactKind = "part of record" // About: what part N of Of says; Need parts say as much
	FactAllParts  record.FactKind = "all parts"      // About: what the first of Of parts says; all pass
)

// Of the baseline, and of what a scenario expects.
const (
	FactBeforeFault    record.FactKind = "broke before the fault" // About: [FactBroke]
	FactBaseline       record.FactKind = "baseline"               // N
	FactNoBaseline     record.FactKind = "no baseline"            //
	FactControl        record.FactKind = "control"                // N of Of control streams are complete
	FactNoControl      record.FactKind = "no control"             // none of Of is
	FactSeen           record.FactKind = "seen"                   // N of Of
	FactNonePaced      record.FactKind = "none paced"             // of Of
	FactNoneCompressed record.FactKind = "none compressed"        // of Of
	FactNoneCut        record.FactKind = "none cut"               // of Of slow clients' and others' streams
	FactNoCompressor   record.FactKind = "no compressor"          //
	FactNoneServed     record.FactKind = "none served"            // N were refused
	FactNoneRefused    record.FactKind = "none refused"           // N were served
	FactRefusals       record.FactKind = "refusals"               // N of Of were refused, the others served
	FactRecycled       record.FactKind = "recycled"               // process N of replica Name ended at Took
	FactNotOurs        record.FactKind = "app not started by us"  // Name: what cannot be seen
	FactNoneRecycled   record.FactKind = "none recycled"          // N processes ended at all
	FactTogether       record.FactKind = "at once"                // N of one process
	FactFewTogether    record.FactKind = "few at once"            // N, Need
	FactRepeated       record.FactKind = "repeated"               // N began after another one was complete
	FactNoneRepeated   record.FactKind = "none repeated"          // of Of
	FactSlowClients    record.FactKind = "slow clients"           // Times: theirs, others'
	FactNoneSlow       record.FactKind = "clients not slow"       // Times; theirs should be Need times as long
	FactSilence        record.FactKind = "silence"                // N were silent for Bound
	FactNoSilence      record.FactKind = "no silence"             // longest Took, not Bound
	FactNoPause        record.FactKind = "no pause"               // the same, and the app cannot be asked to pause
	FactNoneLeft       record.FactKind = "no hang-up"             //
	FactNoLedger       record.FactKind = "no ledger"              // we hung up on N
	FactNoAccount      record.FactKind = "no account"             // we hung up on N
	FactNoStarts       record.FactKind = "no starts"              // N requests were sent again
	FactAccounts       record.FactKind = "accounts"               // of N of the Of that we hung up on
)

// Of faults and recovery.
const (
	FactNeverStruck     record.FactKind = "never struck"      // About: why
	FactNoTrace         record.FactKind = "no trace"          // struck at Took; About: a doubt
	FactPartNeverStruck record.FactKind = "part never struck" // Name; About: a doubt
	FactPartNoTrace     record.FactKind = "part no trace"     // Name; About: a doubt
	FactStruck          record.FactKind = "struck"            // at Took; About: the proofs
	FactFewInBody       record.FactKind = "few in body"       // N, Need
	FactMet             record.FactKind = "met in body"       // N
	FactInBody          record.FactKind = "in body"           // N
	FactNoneNew         record.FactKind = "none new"          //
	FactEndedEarly      record.FactKind = "ended early"       // Took after the fault, Bound; none of N new ones was good
	FactNeverRecovered  record.FactKind = "never recovered"   // none of N new ones was good
	FactAskedLate       record.FactKind = "asked late"        // first after Took, Bound
	FactRecovered       record.FactKind = "recovered"         // after Took, Bound; Times: for which we kept it down
)

// Of the load, our own parts, and the record.
const (
	FactLinksSlow record.FactKind = "links slow" // Times: added to the first event, its bound; added to a gap, its bound
	FactLinks     record.FactKind = "links"      // the same
	FactLoadShort record.FactKind = "load short" // N of Of started, Need
	FactLoad      record.FactKind = "load"       // N of Of started, or more
	// Load workers: what is wrong with one is said of Name, at Place (a record.Agreement).
	FactWorkers         record.FactKind = "load workers"        // N sent Of streams; their clocks are known to Bound
	FactWorkersAmiss    record.FactKind = "load workers amiss"  // About: N of Of
	FactWorkerLost      record.FactKind = "load worker lost"    // N of Of begun have no end; Text: its last words
	FactWorkerLate      record.FactKind = "load worker late"    // Text: how late
	FactPodsLeft        record.FactKind = "fleet pods left"     // N, or unknown because of Text
	FactWorkerDisagrees record.FactKind = "load worker differs" // Text: its value; About: ours, quoted
	FactWorkerBroken    record.FactKind = "load worker broken"  // Text: why
	FactLagged          record.FactKind = "lagged"              // N of Of began late, at most Share; read Took late, Bound
	FactKeptUp          record.FactKind = "kept up"             // N started late, read Took late (p99); Name: the clock
	FactNoReadings      record.FactKind = "no readings"         // N of the app's memory
	FactGrew            record.FactKind = "memory grew"         // of Name from Bytes to More over N
	FactMemory          record.FactKind = "memory"              // the same
	FactUnending        record.FactKind = "unending"            // N of Of
	FactUncounted       record.FactKind = "numbers no count"    // at Place, in N of Of
	FactUnnumbered      record.FactKind = "no numbers"          // at Place in N of Of only
	FactNumbered        record.FactKind = "numbered"            // N
	FactNotEchoed       record.FactKind = "not echoed"          // at Place in N of Of only
	FactOwned           record.FactKind = "owned"               // N
	FactHarness         record.FactKind = "harness failed"      // Text
	FactUnable          record.FactKind = "stack unable"        // Text
	FactOver            record.FactKind = "over"                //
	FactInterrupted     record.FactKind = "interrupted"         // after N
	FactTorn            record.FactKind = "torn"                // after N; Bytes are torn
	FactFew             record.FactKind = "few streams"         // N of Of are judged, Need
	FactEnough          record.FactKind = "enough streams"      // N of Of are judged
	FactSum             record.FactKind = "sum"                 // N
	FactLost            record.FactKind = "lost"                // N of Of have an outcome
)

// Of whether answers can be proved and compared.
const (
	FactUnproved     record.FactKind = "unproved"         // N; About: why not against a reference
	FactNoAnswer     record.FactKind = "no answer"        // of the app asked directly: Text
	FactAnew         record.FactKind = "anew"             // each of N answers asked directly differs
	FactDiffers      record.FactKind = "differs"          // from an answer of Bytes, alike N of Of times
	FactAgainstPlain record.FactKind = "against plain"    // N were compared with Bytes
	FactAgainst      record.FactKind = "against own"      // N were compared; About: [FactLearned]
	FactLearned      record.FactKind = "learned"          // Bytes, alike N of Of times
	FactNoPlain      record.FactKind = "no plain"         //
	FactNoneBoth     record.FactKind = "none both ways"   //
	FactSame         record.FactKind = "same both ways"   // N answers
	FactCompareError record.FactKind = "comparison error" // of request Name: Text
	FactBothCut      record.FactKind = "both cut"         // of request Name; About: how streamed, how in one piece
	FactStreamCut    record.FactKind = "stream cut"       // of request Name; About: how; More came in one piece
	FactPlainCut     record.FactKind = "plain cut"        // of request Name; About: how; Bytes came streamed
	// FactOtherDied is Name, pid N, which ended Took after the one that we killed; all Of streams were cut.
	FactOtherDied record.FactKind = "other worker died"
	// FactNoneLived is all Of streams cut while other workers had N connections.
	FactNoneLived       record.FactKind = "none lived"
	FactCompareLimit    record.FactKind = "comparison limit"      // an answer to request Name was not over after Bound
	FactNoText          record.FactKind = "no text"               // in either answer to request Name
	FactNoPlainText     record.FactKind = "no plain text"         // in one piece, to request Name
	FactStreamShort     record.FactKind = "stream short"          // to request Name: Bytes of More
	FactPlainShort      record.FactKind = "plain short"           // to request Name: More of Bytes
	FactAlteredAnew     record.FactKind = "altered anew"          // the same, of an app that answers anew each time
	FactLooseTerminal   record.FactKind = "loose terminal"        // in N of Of; About: [FactEvent]
	FactEvent           record.FactKind = "event"                 // N of Of of stream Stream
	FactForm            record.FactKind = "form"                  // Name, a stream.Form; Text: what the server called it
	FactUnread          record.FactKind = "unread"                // N of Of, read as Name; About: [FactForm]
	FactUntrusted       record.FactKind = "untrusted certificate" // of a form: none was seen
	FactNotTrusted      record.FactKind = "not trusted"           // N of Of; About: [FactUntrusted]
	FactUnclosed        record.FactKind = "left open by all"      // N answers, Name what they left open
	FactObjectives      record.FactKind = "objectives"            // About: how each was met or missed, the worst first
	FactObjectiveMet    record.FactKind = "objective met"         // Name is Text, which is Place
	FactObjectiveMissed record.FactKind = "objective missed"      // Name is Text, and should be Place
	FactUnmeasured      record.FactKind = "unmeasured"            // Name
	FactNoValue         record.FactKind = "no value"              // of Name on any complete stream
	FactFewValues       record.FactKind = "few values"            // Name is Text (Place); Counts do not tell, Need would
	FactAppSplits       record.FactKind = "app splits"            // N of Of
	FactSplits          record.FactKind = "splits"                // N of Of; Stream; About: [FactSplit] of it
	FactSplit           record.FactKind = "split characters"      // in N events
	FactSentAway        record.FactKind = "sent away"             // N of Of to host Name; About: [FactRedirect]
	FactRedirected      record.FactKind = "redirected"            // N of Of
	FactRedirectCost    record.FactKind = "redirect cost"         // N; About: [FactRedirect]; Took of stream Stream
	FactRedirect        record.FactKind = "redirect"              // with status N to Text

	// request Name: Bytes streamed, More in one piece, from byte N on; of Of comparisons
	FactAltered record.FactKind = "altered"
	// N of Of, the others are read as Name; Stream; About: [FactForm]
	FactSomeUnread record.FactKind = "some unread"
	// N of Of; Stream; About: [FactSplit] of it, and [FactJudged] of the app alone
	FactHopSplits record.FactKind = "hop splits"
	// the app finished N of Of answers, clients got Need whole; Text: the first line that says so
	FactProduced record.FactKind = "produced"
)

// Of time.
const (
	FactMost       record.FactKind = "slowest of few"   // all of N took Took at most, Bound
	FactLeast      record.FactKind = "fastest of few"   // all of N took Took at least, Bound
	FactFewForP95  record.FactKind = "few for p95"      // N, Need, the slowest took Took, Bound
	FactP95        record.FactKind = "p95"              // Took, Bound
	FactLargest    record.FactKind = "largest gap"      // Took, Bound
	FactNoSolo     record.FactKind = "no solo"          //
	FactMeasured   record.FactKind = "alone and loaded" // Times, see [Crowd.Measured]
	FactUnequal    record.FactKind = "unequal alone"    // About: [FactMeasured]
	FactUnordered  record.FactKind = "unordered"        // About: [FactCrowd]
	FactGenerator  record.FactKind = "generator late"   //
	FactAsItself   record.FactKind = "as the app may"   // About: [FactFirst], of streams that the app may have written so
	FactLeftToEdge record.FactKind = "left to edge"     // About: [FactFirst], of what the app leaves to the edge
	FactPressed    record.FactKind = "memory pressed"   // on Name
	FactWayLost    record.FactKind = "way lost"         // to the cluster that the app runs in
	FactStarved    record.FactKind = "starved"          // by Name, a [Thief], of Share; About: [FactBusy]
	FactBusy       record.FactKind = "busy"             // cores, by Share

	// N of Of at hop Place waited as Name, a [Pattern], says, of at most Need; About: [FactMeasured]
	FactCrowd record.FactKind = "crowd"
	// N of Of of replica Name went wrong, as field Place calls it; About: [FactSeen] of the others; Share: by chance
	FactFate record.FactKind = "fate"
)

// Of one stream: the reasons of a grade or a flag.
const (
	FactFirstEvent     record.FactKind = "first event"         // after Took
	FactNoFirstEvent   record.FactKind = "no first event"      //
	FactSilentFor      record.FactKind = "silent for"          // Took
	FactLeftOpen       record.FactKind = "left open"           // for Took
	FactWritten        record.FactKind = "written"             // Times: over which it was written, within which it arrived
	FactNoContent      record.FactKind = "no content"          //
	FactOnePiece       record.FactKind = "one piece"           // N events, Bytes, Took after the request
	FactPacing         record.FactKind = "pacing"              // N events at Of instants, the first after Took
	FactLargerPieces   record.FactKind = "larger pieces"       // N of Of to hop Place; About: [FactReference]
	FactHeldSo         record.FactKind = "held so"             // About: [FactOnePiece] or [FactInstants], [FactReference]
	FactNoFirst        record.FactKind = "first limit"         // Bound; About: [FactOnly]
	FactStalled        record.FactKind = "gap limit"           // after N events; Bound
	FactNoProgress     record.FactKind = "progress limit"      // after N events; Bound; About: [FactOnly]
	FactNotOver        record.FactKind = "not over"            // within limit Name, Bound; after N events
	FactOnly           record.FactKind = "only"                // N heartbeats, Of other events, Bytes of an unfinished one
	FactBadBytes       record.FactKind = "bad bytes"           // Text, or bytes behind the end
	FactTooLarge       record.FactKind = "too large"           // limit Name
	FactStatus         record.FactKind = "status"              // N; About: [FactRedirect] before it
	FactNoRedirect     record.FactKind = "status, no redirect" // N
	FactNoLocation     record.FactKind = "no location"         // status N
	FactBadLocation    record.FactKind = "bad location"        // status N: Text
	FactRedirectLoop   record.FactKind = "redirect loop"       // N redirects; About: [FactRedirect]
	FactManyRedirects  record.FactKind = "many redirects"      // more than N; About: [FactRedirect]
	FactHostNotAllowed record.FactKind = "host not allowed"    // Name; About: [FactRedirect]
	FactNotFollowed    record.FactKind = "not followed"        // About: [FactRedirect]
	FactSaidError      record.FactKind = "error event"         // Text
	FactNoHead         record.FactKind = "no head"             // within limit Name
	FactRefused        record.FactKind = "refused"             // Name, an [Ending]; Text; About: [FactRedirect] before it
	FactFeedShort      record.FactKind = "feed short"          // N events in Took, Need
	FactFeedEnded      record.FactKind = "feed ended"          // after Took and N events, Bound
	FactNothingProves  record.FactKind = "nothing proves"      // that it is whole: others follow what the terminal matches
	FactStillOpen      record.FactKind = "still open"          // Name, at the terminal; N other answers close theirs

	// N events at Of instants, Bytes at each; More: size of the buffer; Took: the first
	FactInstants record.FactKind = "instants"
	// N brought Share of Name ("event", "byte") at a time; Place: the scenario, "" for asked directly;
	// Times: gap, first
	FactReference record.FactKind = "reference"
	// after N events; Took until the total limit, Bound; About: [FactOnly]
	FactIdled record.FactKind = "idled"
	// Name, an [Ending], after N events; Place: how and where; Text, or About: why
	FactEnded record.FactKind = "ended"
)

// What to do next.
const (
	NextQuiet          record.FactKind = "next: quiet machine"
	NextQuietLonger    record.FactKind = "next: quiet machine, longer answers"
	NextBeforeFault    record.FactKind = "next: streams before the fault"
	NextAfterFault     record.FactKind = "next: streams after the fault"
	NextLongerAnswer   record.FactKind = "next: longer answer, and stamps"
	NextLessTaken      record.FactKind = "next: clients take less"
	NextCompress       record.FactKind = "next: compress"
	NextLowerLoad      record.FactKind = "next: lower load"
	NextLimitReached   record.FactKind = "next: reach the limit"
	NextStartApp       record.FactKind = "next: start the app"
	NextRecycleSooner  record.FactKind = "next: recycle sooner"
	NextMoreAtOnce     record.FactKind = "next: more at once"
	NextDuration       record.FactKind = "next: duration"
	NextLongerStreams  record.FactKind = "next: longer streams"
	NextMoreOrLonger   record.FactKind = "next: more or longer streams"
	NextSpread         record.FactKind = "next: spread the streams"
	NextStrikeLater    record.FactKind = "next: strike later"
	NextPause          record.FactKind = "next: pause"
	NextAskLonger      record.FactKind = "next: ask what takes longer"
	NextHangUp         record.FactKind = "next: something to hang up on"
	NextLedgerPath     record.FactKind = "next: ledger path"
	NextLedger         record.FactKind = "next: ledger"
	NextUnbuffer       record.FactKind = "next: unbuffer"
	NextDirect         record.FactKind = "next: direct URL"
	NextDirectScenario record.FactKind = "next: scenario direct"
	NextFewer          record.FactKind = "next: fewer streams" // N at once; 0 where it is not known
	NextLoadWorkers    record.FactKind = "next: load workers"
	NextReach          record.FactKind = "next: load workers must reach the app"
	NextWorkersTrust   record.FactKind = "next: load workers must trust the app"
	NextRoom           record.FactKind = "next: room for load workers' streams"
	NextNearer         record.FactKind = "next: nearer to the load workers"
	NextPodsLeft       record.FactKind = "next: delete pods" // of Job Name in namespace Place, of context Text
	NextLargerMachine  record.FactKind = "next: larger machine"
	NextLinux          record.FactKind = "next: Linux"
	NextEndless        record.FactKind = "next: endless"
	NextGrowingNumber  record.FactKind = "next: growing number"
	NextPlaceOfNumber  record.FactKind = "next: place of a number"
	NextEcho           record.FactKind = "next: echo"
	NextNotes          record.FactKind = "next: notes"
	NextAgain          record.FactKind = "next: again" // Text: the command
	NextMoreStreams    record.FactKind = "next: more streams"
	NextMoreForP95     record.FactKind = "next: more streams for p95"
	NextDeclareEnd     record.FactKind = "next: declare the end"
	NextDeclareProof   record.FactKind = "next: declare a proof"
	NextLetEnd         record.FactKind = "next: let it end"
	NextWhileOthers    record.FactKind = "next: again, meanwhile"
	NextControl        record.FactKind = "next: let the control group end"
	NextPlainPath      record.FactKind = "next: plain path"
	NextAskPlain       record.FactKind = "next: ask for one piece"
	NextTextDialect    record.FactKind = "next: dialect with text"
	NextTotalLimit     record.FactKind = "next: total limit"
	NextPlainForm      record.FactKind = "next: plain form"
	NextSameAnswer     record.FactKind = "next: same answer"
	NextSolo           record.FactKind = "next: one complete stream"
	NextRepeatMore     record.FactKind = "next: repeat with more"
	NextReport         record.FactKind = "next: report a bug"
	NextDiagnose       record.FactKind = "next: diagnose"
	NextTerminal       record.FactKind = "next: terminal" // Text: the expression, "" for none known
	NextIdentity       record.FactKind = "next: no encoding"
	NextNoDialect      record.FactKind = "next: no dialect"
	NextTrust          record.FactKind = "next: trust the certificate"
	NextCloseEvents    record.FactKind = "next: closing events"
	NextObjectives     record.FactKind = "next: values for objectives"
	NextReadBy         record.FactKind = "next: read by"    // dialect Name, with terminal Text
	NextAllowHost      record.FactKind = "next: allow host" // Name
	NextPath           record.FactKind = "next: path"       // Text
)

// next is what to do, without figures.
func next(k record.FactKind) fact { return fact{Kind: k} }

// nextOr is what the record says to do, or else k.
func nextOr(said string, k record.FactKind) fact {
	if said != "" {
		return record.Quoted(said)
	}
	return next(k)
}

// about are facts that are there.
func about(fs ...*fact) (all []fact) {
	for _, f := range fs {
		if f != nil && f.Kind != "" {
			all = append(all, *f)
		}
	}
	return all
}

// quotes are the words of others that are there.
func quotes(texts ...string) (all []fact) {
	for _, text := range texts {
		if text != "" {
			all = append(all, record.Quoted(text))
		}
	}
	return all
}

// countsOf are the outcomes that occur, the worst first.
func countsOf(n map[Outcome]int) (all []record.Count) {
	for _, o := range slices.Backward(Outcomes) {
		if n[o] > 0 {
			all = append(all, record.Count{Name: string(o), N: n[o]})
		}
	}
	return all
}
