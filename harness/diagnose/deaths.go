package diagnose

import (
	"regexp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A death is the end of something behind the edge, as somebody recorded it.
type death struct {
	at      time.Duration // Never if the line bears no time
	what    fact          // for the reader
	replica string        // whose it was; "" if unknown
	pid     int           // 0 if unknown
	stream  uint64        // the only stream that it concerns, 0 for all
	once    bool          // explains one stream at most: an exception
	ours    bool          // our own fault did it
	flips   bool          // it was a strike that only changed a byte
	kind    deathKind
	cite    record.Evidence // the line, where it is in a log
	id      string          // the request that it names
	over    time.Duration   // by then it had happened, where that is known
	late    time.Duration   // by how much later it may have come about
	cuts    bool            // the server that wrote of it never ends the body properly after it
	doubted bool            // an exception that may have to do with something else: see relation
}

// podLingers is how long a pod that the API has forgotten may live on: its kubelet gives it
// 2 s at least, and a port-forward ends a second after it.
const podLingers = 4 * time.Second

type deathKind int

const (
	diedByException deathKind = iota
	diedByKill
	diedByExit
	diedByTimeout
	diedByMemory
	diedByTerm
	diedByStrike
)

// deaths holds the deaths of a scenario so that ten thousand of them are matched
// with as many streams in no time.
type deaths struct {
	strikes map[uint64][]death // by the stream that was struck
	raised  []death            // exceptions by time, those without one first
	named   map[string]int     // nonce in an exception's line: its index in raised
	shared  []death            // of processes: few, each for many streams
	ours    []record.Event     // kills of our own fault
}

// deathsOf gathers all deaths of a scenario.
func deathsOf(v *view) deaths {
	ds := deaths{strikes: make(map[uint64][]death), named: make(map[string]int)}
	for _, e := range v.Events {
		if e.Source == record.FaultSource && (e.Kind == record.KindKill || e.Kind == record.KindCrash) && e.Pid != 0 {
			ds.ours = append(ds.ours, e)
		}
	}
	for _, e := range v.Events {
		d, ok := ds.deathOf(v.Events, e)
		switch {
		case !ok:
		case d.stream != 0:
			ds.strikes[d.stream] = append(ds.strikes[d.stream], d)
		default:
			ds.shared = append(ds.shared, d)
		}
	}
	ds.fromLog(v, workerTimedOut, diedByTimeout, DeathTimedOut)
	ds.fromLog(v, workerKill, diedByKill, DeathSignal9)
	ds.fromLog(v, workerCrashed, diedByExit, DeathCrashed)
	if len(v.tags[workerTimedOut]) == 0 { // it aborted by itself
		ds.fromLog(v, workerAborted, diedByExit, DeathCrashed)
	}
	ds.replaced(v)
	ds.fromLog(v, graceOver, diedByTerm, DeathGraceOver)
	ds.fromLog(v, oomKiller, diedByMemory, DeathMemory)
	ds.fromKube(v)
	ds.exceptions(v)
	return ds
}

// replaced are workers that a process manager started while streams ran: it has a
// fixed number of them, so that the one before had died, whoever ended it. Where we
// ourselves ended processes, the app raised, or it says that it restarts, they tell
// nothing.
func (ds *deaths) replaced(v *view) {
	faulted := slices.ContainsFunc(v.Events, func(e record.Event) bool { return e.Source == record.FaultSource })
	if faulted || len(v.tags[workerBooted]) == 0 || len(v.tags[recycling])+len(v.tags[termHandled])+
		len(v.tags[workerTimedOut])+len(v.tags[traceback])+len(v.tags[exception]) > 0 {
		return
	}
	begun := record.Never
	for i := range v.Streams {
		if g := &v.Streams[i]; g.First != record.Never && (begun == record.Never || g.First < begun) {
			begun = g.First
		}
	}
	for _, h := range v.tags[workerBooted] {
		if begun == record.Never || h.line.At == record.Never || h.line.At-stampUnit <= begun {
			continue // as all are, when the server starts
		}
		ds.shared = append(ds.shared, death{at: h.line.At,
			what: fact{Kind: DeathReplaced}, replica: h.log.Replica(),
			kind: diedByExit, cite: h.cited(), over: h.line.At + h.line.Within + deathBefore})
	}
}

// didWe reports whether our own fault killed a process. Containers number theirs
// alike, so that the pid alone does not say.
func (ds *deaths) didWe(replica string, pid int) bool {
	return slices.ContainsFunc(ds.ours, func(e record.Event) bool {
		return e.Pid == pid && (replica == "" || e.Subject == "" || e.Subject == replica)
	})
}

// replicaName is how stacks call the instances of the app.
var replicaName = regexp.MustCompile(`^app\[\d+\]$`)

func (ds *deaths) fromLog(v *view, t tag, kind deathKind, what record.FactKind) {
	for _, h := range v.tags[t] {
		ds.shared = append(ds.shared, death{at: h.line.At, what: fact{Kind: what, N: h.pid},
			replica: h.log.Replica(), pid: h.pid,
			kind: kind, cite: h.cited(), ours: ds.didWe(h.log.Replica(), h.pid)})
	}
}

// lingers is how long the process lived on that the kernel chose for oom: where its
// container went with it, as long as that one did. A process that waits for its disk does
// not die before the disk answers.
func lingers(events []record.Event, oom record.Event) time.Duration {
	for _, e := range events {
		if e.At < oom.At || e.Subject != oom.Subject || e.Source != oom.Source {
			continue
		}
		switch {
		case e.Kind == record.KindDie && killed9(e.Code):
			return e.At - oom.At
		case e.Kind == record.KindDie, e.Kind == record.KindKill, e.Kind == record.KindStart:
			return 0
		}
	}
	return 0
}

// deathOf reads a death from e, one of events, which stand as they were told.
func (ds *deaths) deathOf(events []record.Event, e record.Event) (death, bool) {
	d := death{at: e.At, pid: e.Pid}
	if replicaName.MatchString(e.Subject) {
		d.replica = e.Subject
	}
	switch {
	case e.Source == record.RelaySource && e.Kind == record.KindStrike && e.Code == 0:
		d.what, d.stream, d.ours, d.kind = fact{Kind: DeathStruck, Text: e.Text}, e.Stream, true, diedByStrike
		d.flips = e.Subject == string(stack.Flip)
	case e.Source == record.FaultSource && e.Kind == record.KindDown:
		d.what, d.ours, d.kind = fact{Kind: DeathLinkDown, Name: e.Subject}, true, diedByStrike
	case e.Source == record.FaultSource && (e.Kind == record.KindKill || e.Kind == record.KindCrash):
		d.what, d.ours, d.kind = fact{Kind: DeathWeKilled, N: e.Pid, Name: e.Subject}, true, diedByKill
		if e.Kind == record.KindCrash && e.Pid == 0 {
			d.late = podLingers
		}
	case e.Source == record.FaultSource && e.Kind == record.KindTerm:
		d.what, d.ours, d.kind = fact{Kind: DeathWeAsked, Name: e.Subject}, true, diedByTerm
	case e.Kind == record.KindOOM:
		d.what, d.kind = fact{Kind: DeathNoMemory, Name: e.Subject}, diedByMemory
		d.late = lingers(events, e)
	case e.Kind == record.KindExit || e.Kind == record.KindDie:
		d.what, d.kind = fact{Kind: DeathExited, Name: e.Who(), N: e.Pid, Need: e.Code}, diedByExit
		if killed9(e.Code) {
			d.what, d.kind = fact{Kind: DeathKilled, Name: e.Who(), N: e.Pid}, diedByKill
		}
		d.ours = ds.didWe(d.replica, e.Pid)
	default:
		return death{}, false
	}
	return d, true
}

// killed9 knows the ways in which an exit by SIGKILL is written: the signal, its
// negative, and the shell's 128 + 9.
func killed9(code int) bool { return code == 9 || code == -9 || code == 137 }

// A nonce as our own streams bear it, where an app logs its X-Request-ID.
var nonceInLine = regexp.MustCompile(`\b(?:nonce-\d+|[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b`)
