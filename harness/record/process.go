package record

import (
	"regexp"
	"strconv"
)

// Process names the process that served s, "8 of app[1]", or "8" where the replica
// is not known; "" where the stream does not say. A pid alone is not enough:
// containers number their processes alike.
func (s *Stream) Process() string {
	if s.Content.Worker == "" || s.Replica == "" {
		return s.Content.Worker
	}
	return s.Content.Worker + " of " + s.Replica
}

// ServedBy reports whether process pid of a replica served s, as far as is
// known: either side may not know the replica.
func (s *Stream) ServedBy(replica string, pid int) bool {
	return s.Content.Worker == strconv.Itoa(pid) && s.MayBeOn(replica)
}

// MayBeOn reports whether nothing speaks against a replica having served s.
func (s *Stream) MayBeOn(replica string) bool {
	return replica == "" || s.Replica == "" || s.Replica == replica
}

// ServesApps reports whether a process of this name serves an app, and is no proxy
// in front of others. Those of Go, Java and Node may be either.
func ServesApps(process string) bool { return appServers.MatchString(process) }

var appServers = regexp.MustCompile(`^(?:python[0-9.]*|gunicorn.*|uvicorn|hypercorn|granian|ruby[0-9.]*|puma.*|` +
	`unicorn.*|php[0-9.]*)$`)

// Replica is the replica whose own log l is, "app[1]" for app.1.log; "" where it is
// not one of several.
func (l *Log) Replica() string {
	m := replicaLog.FindStringSubmatch(l.Name)
	if m == nil || l.Kind != AppLog || l.Scenario == "" {
		return ""
	}
	return "app[" + m[1] + "]"
}

// replicaLog is how the stacks call such logs.
var replicaLog = regexp.MustCompile(`^app\.(\d+)\.log$`)
