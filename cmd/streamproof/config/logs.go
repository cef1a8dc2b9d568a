package config

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/streamproof/streamproof/harness/logline"
)

// AutoLog is the kind that leaves it to the content.
const AutoLog = "auto"

// LogKinds are the kinds of logs that diagnosis can read.
var LogKinds = logKinds()

func logKinds() []string {
	names := []string{AutoLog}
	for _, k := range logline.Kinds {
		names = append(names, string(k))
	}
	return names
}

// LogKind says what is wrong with the name of a kind; nil where it is known.
func LogKind(kind string) *ValueError {
	if _, ok := logline.Named(kind); ok {
		return nil
	}
	return &ValueError{Problem: "unknown kind of log \"" + kind + "\"", Fix: Suggest(kind, LogKinds)}
}

// checkLogs refuses kinds of logs that nobody reads.
func (f *File) checkLogs(body ast.Node) error {
	for _, section := range pairs(body) {
		if section.Key.GetToken().Value != "logs" {
			continue
		}
		for _, log := range pairs(section.Value) {
			key := log.Key.GetToken()
			if e := LogKind(key.Value); e != nil {
				return f.at(key, e.Problem, e.Fix)
			}
		}
	}
	return nil
}
