package chain

import (
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Tell tells now what happened to the first process of a part, or was done to it.
// Code is an exit code or a signal.
func Tell(spec *stack.Spec, part string, kind record.EventKind, pid, code int, text string) {
	spec.Notify(stack.Event{At: spec.Now(), Source: record.ProcessSource, Kind: kind, Subject: part,
		Pid: pid, Code: code, Text: text})
}
