package diagnose

import (
	"regexp"
	"slices"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The silence of a log means something only where the log was read, tells of the
// time in question, and has words for the thing that it does not tell of. Else
// nothing was seen, which is no evidence.

// levels are words by which a log shows that it has lines of some gravity, so that
// an error in the same program would have come here too.
var levels = regexp.MustCompile(`\b(?:ERROR|CRITICAL|FATAL|SEVERE|WARN(?:ING)?|INFO|NOTICE|error|fatal|panic|` +
	`warn(?:ing)?)\b|\\?"level\\?":`)

// appSpeaks reports whether an exception of the app would stand in a log that we
// have: one with lines of the scenario's time, by software that writes exceptions
// or by code that writes of troubles.
func (v *view) appSpeaks() bool {
	for _, l := range v.logs[record.AppLog] {
		if tells(l) && (v.was[l].Raises || mentions(l, levels)) && !v.unread(l) {
			return true
		}
	}
	return len(v.tags[exception])+len(v.tags[traceback]) > 0
}

// unread reports whether a log has tracebacks in a form that nobody can read here.
func (v *view) unread(l *record.Log) bool {
	return slices.ContainsFunc(l.Lines, func(line record.Line) bool { return logline.Traced(line.Text) }) &&
		!slices.ContainsFunc(v.traces, func(t trace) bool { return t.log == l })
}

// tells reports whether the log has any line of the scenario.
func tells(l *record.Log) bool {
	for i := range l.Lines {
		if l.Lines[i].Text != "" {
			return true
		}
	}
	return false
}

func mentions(l *record.Log, words *regexp.Regexp) bool {
	for i := range l.Lines {
		if words.MatchString(l.Lines[i].Text) {
			return true
		}
	}
	return false
}

// managerSpeaks reports whether a process manager writes into a log that we have:
// only then does a missing WORKER TIMEOUT mean that there was none.
func (v *view) managerSpeaks() bool {
	for _, l := range v.logs[record.AppLog] {
		if w := v.was[l].Writer; tells(l) && (w == "gunicorn" || w == "hypercorn" || w == "PHP-FPM" || w == "Puma" ||
			w == "Passenger") {
			return true
		}
	}
	return len(v.tags[workerTimedOut])+len(v.tags[workerKill])+len(v.tags[workerAborted]) > 0
}

// edgeSpeaks reports whether the edge would have told of a timeout or of an app
// that broke off: it has an error log with lines of this time, or a word for the
// end of each request.
func (v *view) edgeSpeaks() bool {
	for kind, logs := range v.logs {
		for _, l := range logs {
			if kind.Errors() && !kind.Requests() && tells(l) && !v.onlyOthers(l) {
				return true
			}
		}
	}
	for _, i := range v.access.of {
		if a := &v.access.all[i]; a.log.Kind.Errors() && a.Ended != logline.NotTold {
			return true
		}
	}
	return false
}

// anyAppLog reports whether a log of the app was given at all.
func (v *view) anyAppLog() bool { return len(v.logs[record.AppLog]) > 0 }

// keepAppLog is what to do where the app's log would tell: to keep it, or to make
// the one that we have speak.
func (v *view) keepAppLog() fact {
	if v.anyAppLog() {
		return fact{Kind: NextAppLogs}
	}
	return fact{Kind: NextKeepAppLog}
}

// keepLogs is the same for both sides of a cut.
func (v *view) keepLogs() fact {
	if v.anyAppLog() && v.edgeSpeaks() {
		return fact{Kind: NextWithPeel, About: []fact{v.keepAppLog()}}
	}
	return fact{Kind: NextKeepLogs}
}

// noWorkerTimeout reports whether a process manager that would have said so took no
// worker for dead.
func (v *view) noWorkerTimeout() bool { return v.managerSpeaks() && len(v.tags[workerTimedOut]) == 0 }

// noOOM reports whether the kernel's counter was read, and did not rise.
func (v *view) noOOM() bool { return slices.ContainsFunc(v.Events, isOOMCounter) && v.oomKills() == 0 }

// noExit reports whether somebody watched the app's processes, and saw none end
// that served these streams.
func (v *view) noExit(gs []*verdict.Graded) bool {
	watched := slices.ContainsFunc(v.Events, func(e record.Event) bool {
		return (e.Source == record.ProcessSource || e.Source == record.DockerSource) && e.Kind == record.KindStart &&
			e.Role == "" &&
			replicaName.MatchString(e.Subject)
	})
	return watched && !v.died(gs)
}
